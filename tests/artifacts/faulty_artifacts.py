"""Artifacts with faults as users meet them, made by real tools from real wheels."""

from __future__ import annotations

import compileall
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.artifacts.artifact_factory import (
    drop_scripts,
    only,
    pip_target,
    replace_bytes,
    replace_text,
    update_records,
    uv_target,
)

HANDLER = "def handler(event, context): ...\n"


def mixed_machines(folder: Path) -> Path:
    """Two installs into one folder, of which one was for another machine."""
    uv_target(folder / "package", "pyyaml")
    return uv_target(folder / "package", "markupsafe", platform="aarch64-manylinux_2_28")


def renamed_wheel(folder: Path) -> Path:
    """A wheel for aarch64 that was renamed so that pip accepts it."""
    wheels = folder / "wheels"
    _download(wheels, "markupsafe==3.0.3", machine="aarch64")
    wheel = only(wheels, "*.whl")
    name = "markupsafe-3.0.3-cp312-cp312-manylinux2014_x86_64.whl"
    return _install_wheel(folder / "package", wheel.rename(wheels / name))


def macos(folder: Path) -> Path:
    return uv_target(folder / "package", "markupsafe", platform="aarch64-apple-darwin")


def windows(folder: Path) -> Path:
    return uv_target(folder / "package", "markupsafe", platform="x86_64-pc-windows-msvc")


def other_python(folder: Path) -> Path:
    """The result of ``pip install --target`` with another Python than the target's."""
    arguments = ("--no-compile", "--only-binary", ":all:", "--python-version", "3.11")
    return pip_target(
        folder / "package", *arguments, "--platform", "manylinux2014_x86_64", "markupsafe==3.0.3"
    )


def musl(folder: Path) -> Path:
    """Installed in an Alpine image; the file name of an abi3 module doesn't show it."""
    return uv_target(folder / "package", "bcrypt", platform="x86_64-unknown-linux-musl")


def damaged(folder: Path) -> Path:
    package = uv_target(folder / "package", "markupsafe")
    binary = only(package, "markupsafe/*.so")
    os.truncate(binary, 40)
    update_records(package)
    return package


def renamed_module(folder: Path) -> Path:
    """A module that another one's file replaced."""
    package = uv_target(folder / "package", "markupsafe", "lxml")
    shutil.copyfile(only(package, "lxml/sax.*.so"), only(package, "markupsafe/_speedups.*.so"))
    update_records(package)
    return package


def newer_python_api(folder: Path) -> Path:
    """A module that calls a function of Python 3.14."""
    package = uv_target(folder / "package", "markupsafe")
    replace_bytes(only(package, "markupsafe/*.so"), b"PyUnicode_New", b"PyLong_Export")
    update_records(package)
    return package


def git_lfs_pointer(folder: Path) -> Path:
    """A repository of binaries was cloned without ``git lfs pull``."""
    package = uv_target(folder / "package", "markupsafe")
    only(package, "markupsafe/*.so").write_text("version https://git-lfs.github.com/spec/v1\n")
    update_records(package)
    return package


def moved_libraries(folder: Path) -> Path:
    package = uv_target(folder / "package", "pillow")
    (package / "pillow.libs").rename(package / "vendor")
    update_records(package)
    return package


def too_new_glibc(folder: Path) -> Path:
    """A manylinux_2_34 wheel for Python 3.11, whose image has glibc 2.26."""
    package = uv_target(
        folder / "package", "cryptography==50.0.2", "pycparser<3", "cffi==2.0.0",
        python="3.11", platform="x86_64-manylinux_2_34",
    )  # fmt: skip
    drop_scripts(package)
    return package


def too_new_compiler(folder: Path) -> Path:
    """Compiled with a C++ library newer than that of any image."""
    package = uv_target(folder / "package", "greenlet")
    binary = only(package, "greenlet/*.so")
    newest = max(re.findall(rb"GLIBCXX_3\.4\.\d\d", binary.read_bytes()))
    replace_bytes(binary, newest, b"GLIBCXX_3.4.99")
    update_records(package)
    return package


def stripped_libraries(folder: Path) -> Path:
    """``pillow.libs`` was deleted as unneeded."""
    package = uv_target(folder / "package", "pillow")
    shutil.rmtree(package / "pillow.libs")
    update_records(package)
    return package


def absent_library(folder: Path) -> Path:
    """A project that needs a desktop library."""
    return _other_library(folder, b"libX11.so.6")


def unknown_library(folder: Path) -> Path:
    return _other_library(folder, b"libnever.so.1")


def wrong_wheel(folder: Path) -> Path:
    """A project for Windows without binaries, recognizable only by its tag."""
    package = uv_target(folder / "package", "six")
    replace_text(only(package, "six-*.dist-info/WHEEL"), "py3-none-any", "cp312-none-win_amd64")
    replace_text(only(package, "six-*.dist-info/WHEEL"), "Tag: py2-none-any\n", "")
    update_records(package)
    return package


def local_wheel(folder: Path) -> Path:
    """Built from source on a Linux machine; it may or may not work on the target."""
    package = uv_target(folder / "package", "markupsafe")
    wheel = only(package, "markupsafe-*.dist-info/WHEEL")
    lines = [line for line in wheel.read_text().split("\n") if line and line[:4] != "Tag:"]
    wheel.write_text("\n".join([*lines, "Tag: cp312-cp312-linux_x86_64", ""]))
    update_records(package)
    return package


def other_requires_python(folder: Path) -> Path:
    """Resolved for 3.12, deployed to 3.9."""
    return uv_target(folder / "package", "iniconfig>=2.3")


def removed_dependency(folder: Path) -> Path:
    package = _requests(folder)
    for path in (package / "idna", only(package, "idna-*")):
        shutil.rmtree(path)
    return package


def other_version(folder: Path) -> Path:
    """A second install into the folder, of a version that the requirements exclude."""
    package = _requests(folder)
    for path in (package / "idna", only(package, "idna-*")):
        shutil.rmtree(path)
    uv_target(package, "--no-deps", "idna==2.1")
    return package


def nested_folder(folder: Path) -> Path:
    """The zip of a folder instead of its content."""
    uv_target(folder / "build/package", "six", "idna")
    return Path(shutil.make_archive(str(folder / "function"), "zip", folder / "build", "package"))


def other_python_layer(folder: Path) -> Path:
    """A layer of pure Python for Python 3.11."""
    uv_target(folder / "layer/python/lib/python3.11/site-packages", "six")
    return folder / "layer"


def folder_beside_the_code(folder: Path) -> Path:
    uv_target(folder / "package/vendor", "six")
    return _function(folder / "package", "import json\n")


def other_version_in_layer(folder: Path) -> Path:
    """A layer that was built from other requirements than the function."""
    uv_target(folder / "layer/python", "--no-deps", "idna==2.1")
    package = _requests(folder)
    for path in (package / "idna", only(package, "idna-*")):
        shutil.rmtree(path)
    return package


def hidden_namespace(folder: Path) -> Path:
    """A package of the user with the name of a namespace package."""
    uv_target(folder / "layer/python/lib/python3.12/site-packages", "protobuf")
    package = folder / "package"
    (package / "google").mkdir(parents=True)
    (package / "google/__init__.py").touch()
    return package


def unreadable_metadata(folder: Path) -> Path:
    package = uv_target(folder / "package", "iniconfig")
    replace_text(
        only(package, "iniconfig-*.dist-info/METADATA"),
        "Requires-Python: >=",
        "Requires-Python: ~>",
    )
    update_records(package)
    return package


def removed_file(folder: Path) -> Path:
    package = uv_target(folder / "package", "certifi")
    (package / "certifi/cacert.pem").unlink()
    return package


def edited_file(folder: Path) -> Path:
    package = uv_target(folder / "package", "certifi")
    with (package / "certifi/cacert.pem").open("a") as file:
        file.write("-----BEGIN CERTIFICATE-----\n")
    return package


def deleted_record(folder: Path) -> Path:
    package = uv_target(folder / "package", "six", "certifi")
    only(package, "six-*.dist-info/RECORD").unlink()
    return package


def added_file(folder: Path) -> Path:
    package = uv_target(folder / "package", "certifi")
    (package / "certifi/extra.py").write_text("")
    return package


def unzipped_wheel(folder: Path) -> Path:
    """A wheel that was only unzipped; its scripts are in the .data directory."""
    _download(folder / "wheels", "jmespath==1.0.1", machine="x86_64")
    shutil.unpack_archive(only(folder / "wheels", "*.whl"), folder / "package", "zip")
    return folder / "package"


def unzipped_modules(folder: Path) -> Path:
    """A wheel with modules in its .data directory, as some build tools place them."""
    package = uv_target(folder / "package", "six", "certifi")
    metadata = only(package, "certifi-*.dist-info")
    library = metadata.with_suffix(".data") / "purelib"
    library.mkdir(parents=True)
    (package / "certifi").rename(library / "certifi")
    replace_text(metadata / "RECORD", "\ncertifi/", f"\n{metadata.stem}.data/purelib/certifi/")
    return package


def strict_umask(folder: Path) -> Path:
    """Zipped on a machine where only the owner can read files."""
    package = uv_target(folder / "package", "six")
    (package / "six.py").chmod(0o600)
    with zipfile.ZipFile(folder / "function.zip", "w") as archive:
        for path in sorted(package.rglob("*")):
            archive.write(path, path.relative_to(package))
    return folder / "function.zip"


def backport(folder: Path) -> Path:
    return uv_target(folder / "package", "enum34==1.1.10")


def source_like_the_standard_library(folder: Path) -> Path:
    package = uv_target(folder / "package", "six")
    (package / "queue.py").write_text("JOBS = []\n")
    return package


def runtime_client(folder: Path) -> Path:
    """The client of container images, in a package for the hosted runtime."""
    return uv_target(folder / "package", "awslambdaric")


def other_case(folder: Path) -> Path:
    package = uv_target(folder / "package", "six")
    (package / "Six.py").write_text("")
    return package


def editable(folder: Path) -> Path:
    """A project installed with ``-e .``."""
    source = folder / "source"
    source.mkdir()
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "mine"\nversion = "1"\n'
        '[tool.hatch.build.targets.wheel]\nonly-include = ["mine.py"]\n'
    )
    (source / "mine.py").write_text("")
    return pip_target(folder / "package", "--no-compile", "-e", source)


def startup_code(folder: Path) -> Path:
    package = uv_target(folder / "package", "coverage>=7.12")
    drop_scripts(package)
    return package


def host_script(folder: Path) -> Path:
    return uv_target(folder / "package", "charset-normalizer")


def bytecode(folder: Path) -> Path:
    """Pip compiles what it installs with the Python that runs it."""
    return pip_target(folder / "package", "six==1.17.0")


def hidden_source(folder: Path) -> Path:
    """Compiled to hide the source, by a Python other than the target's."""
    package = uv_target(folder / "package", "six")
    assert compileall.compile_file(package / "six.py", legacy=True, quiet=1)
    (package / "six.py").unlink()
    update_records(package)
    return package


def too_large(folder: Path) -> Path:
    package = uv_target(folder / "package", "six")
    with (package / "model.bin").open("wb") as file:
        file.truncate(262_144_000)
    return package


def split_sdk(folder: Path) -> Path:
    """The function uses the runtime's boto3, which imports the package's urllib3."""
    return _function(uv_target(folder / "package", "urllib3"), "import boto3, urllib3\n")


def misplaced_handler(folder: Path) -> Path:
    package = uv_target(folder / "package", "six")
    (package / "src").mkdir()
    (package / "src/app.py").write_text(HANDLER)
    return package


def other_handler(folder: Path) -> Path:
    package = uv_target(folder / "package", "six")
    (package / "app.py").write_text(HANDLER.replace("handler", "lambda_handler"))
    return package


def forgotten_requirement(folder: Path) -> Path:
    return _function(uv_target(folder / "package", "six"), "import six, yaml\n")


def later_import(folder: Path) -> Path:
    package = _function(uv_target(folder / "package", "six"), "import six\n")
    (package / "admin.py").write_text("import yaml\n")
    return package


def newer_syntax(folder: Path) -> Path:
    return _function(uv_target(folder / "package", "six"), "match 1:\n    case _: pass\n")


def unreadable_source(folder: Path) -> Path:
    package = _function(uv_target(folder / "package", "six"), "import six\n")
    (package / "draft.py").write_text("def unfinished(\n")
    return package


def correct_by_uv(folder: Path) -> Path:
    package = uv_target(folder / "package", "markupsafe", "pyyaml", "cffi", "numpy", "urllib3")
    drop_scripts(package)
    return package


def correct_by_pip(folder: Path) -> Path:
    arguments = ("--no-compile", "--only-binary", ":all:", "--python-version", "3.12")
    package = pip_target(
        folder / "package", *arguments, "--platform", "manylinux_2_28_x86_64",
        "markupsafe==3.0.3", "pyyaml==6.0.3", "requests==2.32.5",
    )  # fmt: skip
    drop_scripts(package)
    return package


def correct_layer(folder: Path) -> Path:
    uv_target(folder / "layer/python/lib/python3.12/site-packages", "markupsafe")
    uv_target(folder / "layer/python", "six")
    return folder / "layer"


def _function(package: Path, text: str) -> Path:
    (package / "app.py").write_text(text + HANDLER)
    return package


def _requests(folder: Path) -> Path:
    package = uv_target(folder / "package", "requests==2.32.5")
    drop_scripts(package)
    return package


def _other_library(folder: Path, name: bytes) -> Path:
    package = uv_target(folder / "package", "greenlet")
    replace_bytes(only(package, "greenlet/*.so"), b"libstdc++.so.6", name)
    update_records(package)
    return package


def _download(folder: Path, requirement: str, *, machine: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
         "--no-deps", "--only-binary", ":all:", "--python-version", "3.12",
         "--platform", f"manylinux2014_{machine}", "--dest", folder, requirement],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def _install_wheel(package: Path, wheel: Path) -> Path:
    return pip_target(
        package, "--no-compile", "--no-deps", "--only-binary", ":all:", "--python-version", "3.12",
        "--platform", "manylinux2014_x86_64", wheel,
    )  # fmt: skip
