"""Artifacts of popular projects, for two machines, have no findings."""

from __future__ import annotations

import shutil
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from crossdeps.pipeline.build import build
from crossdeps.pipeline.check import check
from crossdeps.pipeline.request import Settings
from crossdeps.resolution.model import Policy
from crossdeps.target.model import Target
from crossdeps.verify.model import Ignore
from tests.artifacts.artifact_factory import uv_target
from tests.support.built_once import CACHE_ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.network, pytest.mark.timeout(300)]

# Later releases must not change these tests.
CUT_OFF = datetime(2026, 11, 1, tzinfo=timezone.utc)

# Each project is built for one runtime, with its dependencies.
PROJECTS = {
    "python3.9": (
        "pycryptodome", "cryptography", "lxml", "psycopg2-binary", "pyyaml", "pydantic", "requests",
        "boto3", "pillow", "sqlalchemy", "bcrypt", "paramiko",
    ),
    "python3.10": (
        "numpy", "pandas", "pymongo", "redis", "aiohttp", "fastapi", "grpcio", "protobuf", "cffi",
        "msgpack", "ruamel.yaml",
    ),
    "python3.11": (
        "scipy", "scikit-learn", "matplotlib", "orjson", "ujson", "httpx", "uvicorn[standard]",
        "websockets", "jinja2", "regex", "xgboost", "statsmodels",
    ),
    "python3.12": (
        "polars", "pyarrow", "duckdb", "shapely", "pyproj", "opencv-python-headless",
        "psycopg[binary]", "asyncpg", "confluent-kafka", "rapidfuzz", "tokenizers", "tiktoken",
        "h5py", "netcdf4", "rasterio", "lightgbm",
    ),
    "python3.13": (
        "pynacl", "argon2-cffi", "zstandard", "lz4", "brotli", "greenlet", "gevent", "psutil",
        "pyzmq", "openai", "anthropic", "langchain-core", "google-cloud-storage",
        "snowflake-connector-python", "aws-lambda-powertools[all]", "stripe", "django", "flask",
        "selenium", "beautifulsoup4", "pendulum", "scikit-image",
    ),
    "python3.14": ("numpy", "pydantic", "cryptography", "orjson", "black", "mypy", "pandas"),
}  # fmt: skip

# True positives: project -> rule.
TRUE_POSITIVES = {
    # Its GDAL is linked with the system's libexpat.so.1, which Lambda's image lacks.
    "rasterio": "absent-library",
    # Its wheels leave libgomp.so.1 to the system; the image has no compiler's libraries.
    "lightgbm": "absent-library",
}

# Installed by uv, with their dependencies, for python3.12.
INSTALLED_BY_UV = (
    ("adbc-driver-postgresql",), ("av",), ("blosc2", "tables"), ("casadi",), ("debugpy",),
    ("deltalake",), ("faiss-cpu",), ("gensim",), ("imagecodecs",), ("mujoco",),
    ("numba", "numexpr", "bottleneck"), ("onnxruntime",), ("ortools",), ("pikepdf",), ("pymupdf",),
    ("soundfile",), ("spacy",), ("clarabel", "highspy", "osqp", "scs"),
    (
        "apsw", "bitarray", "coverage", "crc32c", "cython", "cytoolz", "frozenlist", "gmpy2",
        "hiredis", "httptools", "immutables", "lazy-object-proxy", "lmdb", "mmh3", "multidict",
    ),
    (
        "numcodecs", "peewee", "pymunk", "python-flint", "rpds-py", "safetensors", "sentencepiece",
        "setproctitle", "simplejson", "simsimd", "symengine", "tree-sitter", "uharfbuzz", "uvloop",
        "watchfiles", "wrapt", "xxhash", "yarl",
    ),
)  # fmt: skip

CASES = [
    pytest.param(runtime, arch, project, id=f"{project}-{runtime}-{arch}")
    for runtime, projects in PROJECTS.items()
    for project in projects
    for arch in ("x86_64", "aarch64")
]


def test_number_of_artifacts() -> None:
    """At least 60 artifacts for each architecture, and 100 projects."""
    assert len(CASES) >= 2 * 60
    projects = {name for names in (*PROJECTS.values(), *INSTALLED_BY_UV) for name in names}
    assert len(projects) >= 100


@pytest.mark.parametrize(("runtime", "arch", "project"), CASES)
def test_a_popular_project_has_no_findings(
    runtime: str, arch: str, project: str, tmp_path: Path
) -> None:
    """Neither in the build nor when the zip is read again."""
    expected = {TRUE_POSITIVES[project]} if project in TRUE_POSITIVES else set()
    settings = Settings(
        isolated=True,
        cache=CACHE_ROOT / "artifacts",
        policy=Policy(exclude_newer=CUT_OFF),
        ignore=tuple(Ignore(rule=rule) for rule in expected),
    )
    target = Target.runtime(runtime, arch=arch)
    archive = tmp_path / "function.zip"
    report = build([project], target, archive, settings=settings)
    assert report.findings == ()
    found = check(archive, target)
    archive.unlink()  # pytest keeps what tests leave, and these are gigabytes
    assert {finding.rule for finding in found} == expected, found


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
@pytest.mark.parametrize("projects", INSTALLED_BY_UV, ids=lambda projects: projects[0])
def test_what_uv_installs_has_no_errors(
    projects: tuple[str, ...], arch: str, tmp_path: Path
) -> None:
    """Libraries are found where the loader searches, and Python has the functions they need."""
    package = tmp_path / "package"
    uv_target(package, *projects, platform=f"{arch}-manylinux_2_34")
    found = check(package, Target.runtime("python3.12", arch=arch))
    shutil.rmtree(package)
    errors = [item for item in found if item.severity == "error" and item.rule != "too-large"]
    assert errors == []
