"""Source distributions and source folders with a build backend of their own, inside them.

The backend needs nothing to be installed (PEP 517 ``backend-path``), so building one takes pip
but no index.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zipfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = {name!r}
version = {version!r}
dependencies = {requires!r}
"""

_BACKEND = '''\
"""Builds one wheel out of the package beside it."""
import base64, hashlib, os, sys, sysconfig, zipfile

NAME, VERSION, NATIVE, FAILURE, TAG = {name!r}, {version!r}, {native!r}, {failure!r}, {tag!r}
METADATA = {metadata!r}
STEM = {stem!r} + "-" + VERSION
INFO = STEM + ".dist-info/"


def wheel_tag():
    if TAG:
        return TAG
    if not NATIVE:
        return "py3-none-any"
    python = "cp%d%d" % sys.version_info[:2]
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    return "-".join([python, python, platform])


def package_files():
    for folder, _, names in sorted(os.walk({stem!r})):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if path.endswith(".pyc"):
                continue
            with open(path, "rb") as stream:
                yield path.replace(os.sep, "/"), stream.read()


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    print("building", NAME, VERSION)
    if FAILURE:
        raise RuntimeError(FAILURE)
    about = "Wheel-Version: 1.0\\nGenerator: backend\\nRoot-Is-Purelib: %s\\nTag: %s\\n"
    about %= ("false" if NATIVE else "true", wheel_tag())
    files = [*package_files(), (INFO + "METADATA", METADATA), (INFO + "WHEEL", about.encode())]
    rows = []
    for path, data in files:
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append("%s,sha256=%s,%d" % (path, digest, len(data)))
    rows.append(INFO + "RECORD,,")
    files.append((INFO + "RECORD", ("\\n".join(rows) + "\\n").encode()))
    filename = STEM + "-" + wheel_tag() + ".whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, filename), "w") as archive:
        for path, data in files:
            archive.writestr(zipfile.ZipInfo(path), data)
    return filename


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return build_wheel(wheel_directory, config_settings, metadata_directory)
'''


@dataclass(frozen=True, kw_only=True, slots=True)
class SdistFile:
    """A source distribution in memory, with the files that it was packed from."""

    filename: str
    content: bytes
    metadata: bytes
    name: str
    version: str
    sources: Mapping[str, bytes]
    requires_python: str | None = None

    @property
    def sha256(self) -> str:
        """Hex digest of the content."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def size(self) -> int:
        """Length of the content in bytes."""
        return len(self.content)

    def with_content(self, content: bytes) -> SdistFile:
        """The same source distribution with other bytes."""
        return replace(self, content=content)

    def write_to(self, folder: Path) -> Path:
        """Write the archive under its own name; gives the path."""
        path = folder / self.filename
        path.write_bytes(self.content)
        return path

    def write_project(self, folder: Path) -> Path:
        """Write the source tree, as a local folder that a requirement may name; gives the path."""
        for path, data in self.sources.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        return folder


def make_sdist(
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    requires_python: str | None = None,
    native: bool = False,
    wheel_tag: str = "",
    failure: str = "",
    files: Mapping[str, bytes | str] | None = None,
    archive: str = "tar.gz",
) -> SdistFile:
    """A source distribution that builds to a pure wheel, unless told otherwise.

    :param native: the wheel built has the tag of the building machine, and isn't purelib
    :param wheel_tag: the tag of the wheel built, whatever it is
    :param failure: the message that building fails with
    :param files: path -> content of the package; one module by default
    :param archive: ``tar.gz`` or ``zip``
    """
    stem = name.lower().replace("-", "_").replace(".", "_")
    lines = ["Metadata-Version: 2.2", f"Name: {name}", f"Version: {version}"]
    if requires_python is not None:
        lines.append(f"Requires-Python: {requires_python}")
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    metadata = "\n".join([*lines, "", ""]).encode()
    backend = _BACKEND.format(
        name=name,
        version=version,
        native=native,
        failure=failure,
        tag=wheel_tag,
        metadata=metadata,
        stem=stem,
    )
    pyproject = _PYPROJECT.format(name=name, version=version, requires=list(requires))
    package = files or {f"{stem}/__init__.py": f'__version__ = "{version}"\n'}
    texts = {"pyproject.toml": pyproject, "backend.py": backend, "PKG-INFO": metadata, **package}
    sources = {
        path: data.encode() if isinstance(data, str) else data for path, data in texts.items()
    }
    return SdistFile(
        filename=f"{stem}-{version}.{archive}",
        content=_pack(sources, f"{stem}-{version}", archive),
        metadata=metadata,
        name=name,
        version=version,
        sources=sources,
        requires_python=requires_python,
    )


def _pack(sources: Mapping[str, bytes], folder: str, archive: str) -> bytes:
    packed = io.BytesIO()
    if archive == "zip":
        with zipfile.ZipFile(packed, "w") as zipped:
            for path, data in sources.items():
                zipped.writestr(zipfile.ZipInfo(f"{folder}/{path}"), data)
        return packed.getvalue()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path, data in sources.items():
            entry = tarfile.TarInfo(f"{folder}/{path}")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return gzip.compress(packed.getvalue(), mtime=0)
