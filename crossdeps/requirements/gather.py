"""Gather the requirements of a command from its arguments and files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crossdeps.errors import InputError
from crossdeps.fs import hash_input
from crossdeps.requirements.model import Inputs, Origin, Problems
from crossdeps.requirements.other_tools import other_format_error
from crossdeps.requirements.parser import parse_requirement
from crossdeps.requirements.pylock import is_pylock
from crossdeps.requirements.pyproject import read_pyproject
from crossdeps.requirements.requirements_txt import RequirementsReader
from crossdeps.text import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crossdeps.requirements.model import Requirement, Requirements

_LOOPBACK = ("localhost", "127.", "::1")


def gather_inputs(
    request: Requirements, *, environ: Mapping[str, str], cwd: Path, stdin: Callable[[], bytes]
) -> Inputs:
    """Read all requirements and files of *request*.

    All errors are reported at once. The order is that of the command line: requirements, then
    files, each in the specified order.

    :param environ: for ``${VARIABLES}`` in requirements files
    :param cwd: base of relative paths
    :param stdin: reads standard input; called at most once, for ``-``
    :raises InputError: if anything is not valid, or nothing was specified
    """
    _check_request(request)
    problems = Problems()
    reader = RequirementsReader(environ=environ, cwd=cwd, stdin=stdin, problems=problems)
    found = reader.found["requirement"]
    pythons: list[tuple[str, Origin]] = []
    for text in request.requirements:
        with problems.collect(Origin(), text):
            _refuse_file_name(text, cwd)
            found.append(parse_requirement(text, origin=Origin(), directories=(cwd,)))
    for name in request.requirement_files:
        if _is_pyproject(name):
            _add_pyproject(reader, problems, pythons, cwd, name, request.extras, (), project=True)
        else:
            reader.read(name, "requirement")
    for file, groups in _groups_by_file(request).items():
        _add_pyproject(reader, problems, pythons, cwd, file, (), groups, project=False)
    for name in request.constraint_files:
        reader.read(name, "constraint")
    for name in request.override_files:
        reader.read(name, "override")
    options = reader.options.build()
    for requirement in (item for items in reader.found.values() for item in items):
        _check_transport(requirement, options.trusted_hosts, problems)
    problems.check()
    return Inputs(
        requirements=tuple(found),
        constraints=tuple(reader.found["constraint"]),
        overrides=tuple(reader.found["override"]),
        options=options,
        files=reader.files,
        absent=tuple(reader.options.absent),
        warnings=(*reader.warnings, *reader.options.warnings),
        requires_python=tuple(pythons),
    )


def _check_request(request: Requirements) -> None:
    """Check *request* before anything is read.

    :raises InputError: if nothing was specified, or the parts cannot be combined
    """
    if not (request.requirements or request.requirement_files or request.groups):
        raise InputError(
            "no requirements were specified",
            hint="specify requirements, or a file of them with -r requirements.txt",
        )
    if request.extras and not any(map(_is_pyproject, request.requirement_files)):
        raise InputError(
            f"the extra {escape(request.extras[0])} was specified without a pyproject.toml",
            hint="specify it with -r pyproject.toml, or require NAME[EXTRA]",
        )
    for name in (*request.requirement_files, *request.constraint_files, *request.override_files):
        if other := other_format_error(name):
            raise other
    for name in request.requirement_files:
        path = Path(name)
        if is_pylock(path):
            raise InputError(
                f"{name} is a lock file, which cannot be combined with other requirements",
                hint=f"specify it alone: crossdeps build {name}",
            )
        if path.suffix == ".toml" and not _is_pyproject(name):
            raise InputError(
                f"{name} is a TOML file with an unknown name",
                hint="projects are described in pyproject.toml; locks are named pylock.toml"
                " or pylock.NAME.toml",
            )


def _is_pyproject(name: str) -> bool:
    return Path(name).name == "pyproject.toml" or name.endswith(".pyproject.toml")


def _add_pyproject(
    reader: RequirementsReader,
    problems: Problems,
    pythons: list[tuple[str, Origin]],
    cwd: Path,
    name: str,
    extras: tuple[str, ...],
    groups: tuple[str, ...],
    *,
    project: bool,
) -> None:
    path = cwd / name
    before = len(problems)
    digest = hash_input(path)
    with problems.collect(Origin(file=name)):
        found, python = read_pyproject(
            path, name, extras=extras, groups=groups, project=project, problems=problems
        )
        # Empty, and never found again, if the file was changed meanwhile.
        reader.files[str(path.absolute())] = digest if digest == hash_input(path) else ""
        reader.found["requirement"] += found
        pythons += python
        if not found and len(problems) == before:
            reader.warnings.append(f"{name} has no requirements")


def _groups_by_file(request: Requirements) -> dict[str, tuple[str, ...]]:
    """Groups by their file: the one before the colon, or else those specified with -r."""
    files = [name for name in request.requirement_files if _is_pyproject(name)]
    groups: dict[str, tuple[str, ...]] = {}
    for text in request.groups:
        file, _, group = text.rpartition(":")
        if file and os.path.basename(file) != "pyproject.toml":  # noqa: PTH119 - text only
            file = f"{file}/pyproject.toml"
        for name in (file,) if file else (files or ["pyproject.toml"]):
            groups[name] = (*groups.get(name, ()), group)
    return groups


def _refuse_file_name(text: str, cwd: Path) -> None:
    """Refuse the name of a requirements file in place of a requirement.

    :raises InputError: if *text* is one: it would be a valid name of a project
    """
    if (other := other_format_error(text)) and (cwd / text).is_file():
        raise other
    looks_like_file = text.endswith((".txt", ".in", ".toml", ".cfg"))
    if looks_like_file and (text.startswith("requirements") or (cwd / text).is_file()):
        raise InputError(
            f"{escape(text)} is a file, not a requirement",
            hint=f"specify it with -r {escape(text)}",
        )


def _check_transport(
    requirement: Requirement, trusted_hosts: tuple[str, ...], problems: Problems
) -> None:
    """Refuse what could be replaced in transit: ``http`` without a hash."""
    source = requirement.source
    if source is None or requirement.hashes or source.is_local:
        return
    parts = urlsplit(source.location)
    host = parts.hostname or ""
    if parts.scheme not in {"http", "git+http", "hg+http", "svn+http", "bzr+http"}:
        return
    if host.startswith(_LOOPBACK) or {host, parts.netloc.rpartition("@")[2]} & set(trusted_hosts):
        return
    problems.add(
        InputError(
            "a file from http:// without a hash could be replaced in transit",
            hint="use https://, or add the hash of the file: #sha256=…",
        ),
        requirement.origin,
        requirement.text,
    )
