"""Direct references: files, directories and repositories named by a path or URL.

Sources: dependency specifiers ("Direct references"), direct URL data structure (the schemes of
version control systems), pip's documentation on local project and VCS support.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
from packaging.utils import (
    InvalidWheelFilename,
    NormalizedName,
    canonicalize_name,
    parse_wheel_filename,
)

from crossdeps.errors import InputError
from crossdeps.requirements.files import read_toml
from crossdeps.requirements.model import DirectSource, is_hash_name, is_project_name, parse_hash
from crossdeps.text import escape

if TYPE_CHECKING:
    from crossdeps.requirements.model import SourceKind


ARCHIVE_SUFFIXES = (
    *(".tar.gz", ".tgz", ".zip", ".tar", ".tar.bz2", ".tbz", ".tar.xz", ".txz"),
    *(".tar.lz", ".tlz", ".tar.lzma"),
)
_SCHEME = r"([A-Za-z][A-Za-z0-9+.-]{1,20}):"  # longer than a drive letter
_VCS_SCHEMES = ("git+", "hg+", "svn+", "bzr+")
_SSH_SHORTHAND = r"(?:git\+)?[\w.-]{1,60}@[\w.-]{1,200}:[^/\s].*"


class DirectReference(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed path or URL.

    :param name: normalised name, if the location contains it; else ``""``
    :param hash: the URL's own hash, as ``algorithm:hexdigest``
    :param extras: from ``#egg=name[extra]``, as written
    """

    source: DirectSource
    name: NormalizedName
    hash: str | None = None
    extras: str = ""


def is_url(text: str) -> bool:
    """Whether *text* starts with a scheme, such as ``https:`` or ``git+ssh:``."""
    found = re.match(_SCHEME, text)
    if found is None:
        return False
    return text.startswith("//", found.end()) or found[1].lower() == "file"


def looks_like_path(text: str) -> bool:
    """Whether pip would treat *text* as a path rather than as a name."""
    return (
        text.startswith(".")
        or "/" in text
        or "\\" in text
        or text.lower().endswith((".whl", *ARCHIVE_SUFFIXES))
    )


def refuse_ssh_shorthand(text: str) -> None:
    """Refuse ``git@host:path``, which ssh accepts but no standard defines.

    :raises InputError: if *text* has this form
    """
    if re.fullmatch(_SSH_SHORTHAND, text) and "://" not in text:
        rest = text.removeprefix("git+").replace(":", "/", 1)
        raise InputError(
            f"{escape(text)} is not a URL", hint=f"write it as git+ssh://{escape(rest)}"
        )


def parse_location(
    text: str, *, directories: tuple[Path, ...], editable: bool = False
) -> DirectReference:
    """Parse a URL or path.

    :param directories: bases of relative paths, of which the first that has the path counts
    :raises InputError: if it is malformed, does not exist, or cannot be packaged
    """
    refuse_ssh_shorthand(text)
    if not is_url(text):
        return _local(text, "", directories, editable=editable)
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise InputError(
            f"{escape(text)} is not a valid URL", hint="write it as https://host/path"
        ) from error
    scheme = parts.scheme.lower()
    if scheme == "file":
        return _local(
            _file_url_path(parts.netloc, parts.path), parts.fragment, directories, editable=editable
        )
    if not parts.hostname and not scheme.endswith("+file"):
        raise InputError(f"{escape(text)} has no host", hint="write it as https://host/path")
    if scheme.startswith(_VCS_SCHEMES):
        return _repository(text, parts.fragment, parts.path, editable=editable)
    if scheme in {"http", "https"}:
        if editable:
            raise InputError(
                "only directories and repositories can be editable", hint="leave out -e"
            )
        return _download(text.partition("#")[0], parts.path, parts.fragment)
    raise InputError(
        f"{escape(text)} has an unsupported scheme",
        hint=f"write git+{scheme}://… for a repository"
        if scheme in {"git", "ssh"}
        else "use https, file, or git+https for a repository",
    )


def _file_url_path(host: str, path: str) -> str:
    if host not in {"", "localhost"}:
        raise InputError(
            f"a file URL cannot refer to another host: {escape(host)}",
            hint="write three slashes before the path: file:///path",
        )
    decoded = unquote(path)
    return decoded[1:] if re.match(r"/[A-Za-z]:[/\\]", decoded) else decoded


def _repository(text: str, fragment: str, path: str, *, editable: bool) -> DirectReference:
    facts = _Fragment.parse(fragment)
    revision = path.rpartition("@")[2] if "@" in path else ""
    if revision.startswith("-"):
        raise InputError(
            "a revision cannot start with a dash", hint="use a branch, a tag or a commit"
        )
    return _reference(
        facts, kind="vcs", location=text.partition("#")[0], name=facts.name, editable=editable
    )


def _download(url: str, path: str, fragment: str) -> DirectReference:
    facts = _Fragment.parse(fragment)
    filename = unquote(path.rpartition("/")[2])
    if filename.lower().endswith(".whl"):
        return _reference(facts, kind="wheel", location=url, name=wheel_name(filename))
    return _reference(facts, kind="archive", location=url, name=facts.name)


def _local(
    text: str, fragment: str, directories: tuple[Path, ...], *, editable: bool
) -> DirectReference:
    facts = _Fragment.parse(fragment)
    path = _find_existing(text, directories)
    if path.is_dir():
        if not _is_project(path, text):
            raise InputError(
                f"{escape(text)} is not a Python project: it has no pyproject.toml or setup.py",
                hint="give the directory that has one",
            )
        name = facts.name or (static_project_name(path) if not facts.subdirectory else "")
        return _reference(
            facts,
            kind="directory",
            location=str(path),
            name=canonicalize_name(name),
            editable=editable,
        )
    if editable:
        raise InputError(f"{escape(text)} is not a directory", hint="leave out -e")
    lowered = path.name.lower()
    if lowered.endswith(".whl"):
        return _reference(facts, kind="wheel", location=str(path), name=wheel_name(path.name))
    if lowered.endswith(ARCHIVE_SUFFIXES):
        return _reference(facts, kind="archive", location=str(path), name=facts.name)
    raise InputError(
        f"{escape(text)} is neither a wheel nor a source archive nor a directory",
        hint=f"read requirements from it with -r {escape(text)}"
        if lowered.endswith((".txt", ".in", ".toml"))
        else None,
    )


def _is_project(path: Path, text: str) -> bool:
    try:
        return any((path / name).is_file() for name in ("pyproject.toml", "setup.py"))
    except OSError as error:
        raise InputError(f"{escape(text)} cannot be read: {error.strerror}") from error


def static_project_name(directory: Path) -> str:
    """Return ``[project] name`` of the pyproject.toml in *directory*, or ``""`` if there is none.

    The name cannot be dynamic (pyproject.toml specification, "name"), so a build will give the
    same. Errors in the file are left to the build.
    """
    path = directory / "pyproject.toml"
    try:
        project = read_toml(path, str(path))[0].get("project")
    except InputError:
        return ""
    name = project.get("name") if isinstance(project, dict) else None
    return name if isinstance(name, str) and is_project_name(name) else ""


def _find_existing(text: str, directories: tuple[Path, ...]) -> Path:
    for directory in directories:
        path = directory / text
        try:
            if path.exists():
                return Path(_absolute(path))
        except (OSError, ValueError):
            continue
    raise InputError(
        f"no such file or directory: {escape(text)}",
        hint="the name of a project has no slash and no file suffix",
    )


def _absolute(path: Path) -> str:
    # resolve() would also follow links, and change the path that was written
    return str(path if path.is_absolute() else path.absolute())


def wheel_name(filename: str) -> NormalizedName:
    """Return the project of a wheel's file name (binary distribution format, "File name").

    :raises InputError: if the name is not valid
    """
    try:
        return parse_wheel_filename(filename.replace("/", "\\"))[0]  # a backslash is refused
    except InvalidWheelFilename as error:
        raise InputError(
            f"{escape(filename)} is not a valid wheel file name",
            hint="a wheel is named NAME-VERSION-PYTHON-ABI-PLATFORM.whl and must not be renamed",
        ) from error


def _reference(
    facts: _Fragment,
    *,
    kind: SourceKind,
    location: str,
    name: NormalizedName,
    editable: bool = False,
) -> DirectReference:
    source = DirectSource(
        kind=kind, location=location, editable=editable, subdirectory=facts.subdirectory
    )
    return DirectReference(source=source, name=name, hash=facts.hash, extras=facts.extras)


class _Fragment(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a URL after ``#``: ``egg=name[extra]&subdirectory=path&sha256=digest``."""

    name: NormalizedName
    extras: str = ""
    subdirectory: str | None = None
    hash: str | None = None

    @classmethod
    def parse(cls, text: str) -> _Fragment:
        values = dict(parse_qsl(text, keep_blank_values=True))
        name, _, extras = values.get("egg", "").partition("[")
        if name and not is_project_name(name):
            raise InputError(
                f"#egg={escape(values['egg'])} is not a valid project name",
                hint="write NAME @ URL instead, without version specifiers",
            )
        subdirectory = values.get("subdirectory") or None
        if subdirectory:
            path = PurePosixPath(subdirectory)
            if path.is_absolute() or ".." in path.parts:
                raise InputError(
                    "#subdirectory is outside the source",
                    hint="give a path inside the source, without ..",
                )
        hashes = [f"{key}:{value}" for key, value in values.items() if is_hash_name(key)]
        return cls(
            name=canonicalize_name(name),
            extras=extras.rstrip("]"),
            subdirectory=subdirectory,
            hash=parse_hash(hashes[0]) if hashes else None,
        )
