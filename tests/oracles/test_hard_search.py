"""A stack of 140 projects and more, all unpinned, in one go and without waste."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

import pytest

from tests.oracles.requirement_sets import CUT_OFF, TARGETS
from tests.oracles.search import CountingIndex, search
from tests.oracles.uv_tool import uv_pins

if TYPE_CHECKING:
    from pathlib import Path

    from crossdeps.index.client import IndexClient

pytestmark = [pytest.mark.network, pytest.mark.subprocess, pytest.mark.timeout(600)]

STACK = (
    "aiohttp", "alembic", "bcrypt", "boto3", "celery[redis]", "cryptography", "fastapi",
    "google-cloud-bigquery", "google-cloud-storage", "grpcio", "grpcio-tools", "gunicorn", "httpx",
    "jinja2", "lxml",
    "langchain", "langchain-community", "langchain-openai", "langgraph", "numpy",
    "opentelemetry-exporter-otlp", "opentelemetry-instrumentation-fastapi", "opentelemetry-sdk",
    "orjson", "pandas", "passlib", "psycopg2-binary", "pydantic-settings", "python-jose", "redis",
    "requests", "scikit-learn", "sqlalchemy", "uvicorn[standard]",
)  # fmt: skip
# A bound on one project that hundreds of releases of the others don't fit.
KNOT = ("aiobotocore", "boto3<1.36", "moto[s3]<6", "pyathena", "s3fs")


@pytest.mark.parametrize("target_name", ["3.12-x86_64", "3.13-aarch64"])
def test_a_large_stack_resolves_with_little_waste(
    target_name: str, package_index: IndexClient, tmp_path: Path
) -> None:
    """The pins are uv's, and hardly a wheel is read that isn't chosen in the end (F91)."""
    index = CountingIndex(package_index)
    found = search(STACK, TARGETS[target_name], index)
    assert len(found.choices) >= 140
    pins = {str(name): str(choice.version) for name, choice in found.choices.items()}
    theirs, said = uv_pins(STACK, TARGETS[target_name], cut_off=CUT_OFF, folder=tmp_path)
    assert pins == theirs, said
    wasted = len(index.candidate_metadata) - len(found.choices)
    assert wasted <= 10, collections.Counter(index.candidate_metadata)


def test_a_knot_is_undone(package_index: IndexClient, tmp_path: Path) -> None:
    """The answer is uv's, which reads 1,900 wheels for it."""
    index = CountingIndex(package_index)
    found = search(KNOT, TARGETS["3.12-x86_64"], index)
    pins = {str(name): str(choice.version) for name, choice in found.choices.items()}
    theirs, said = uv_pins(KNOT, TARGETS["3.12-x86_64"], cut_off=CUT_OFF, folder=tmp_path)
    assert pins == theirs, said
    assert len(index.candidate_metadata) < 900
