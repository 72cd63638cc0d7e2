"""Requirements files, with the files that they include.

Source: pip's documentation, "Requirements File Format". Unlike pip, on purpose: all invalid lines
are reported at once; variables that are not set, option lines that would be ignored and cycles are
errors; what a constraints file includes are constraints, too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crossdeps.errors import InputError
from crossdeps.fs import hash_bytes
from crossdeps.requirements.file_options import (
    PER_REQUIREMENT,
    FileOptionsBuilder,
    Option,
    split_line,
)
from crossdeps.requirements.files import decode, expand_variables, logical_lines, read_bytes
from crossdeps.requirements.locations import Role, locate_file, locate_included
from crossdeps.requirements.model import Origin, parse_hash
from crossdeps.requirements.parser import parse_requirement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from crossdeps.requirements.files import LogicalLine
    from crossdeps.requirements.locations import RequirementsFile
    from crossdeps.requirements.model import Problems, Requirement

_MIN_SECRET = 4  # characters; hiding shorter values would only garble messages
_NO_HASHES: frozenset[str] = frozenset()
_INCLUDES: Mapping[str, Role] = {"--requirement": "requirement", "--constraint": "constraint"}


class RequirementsReader:
    """Reads requirements files, and collects their requirements and options.

    :param environ: for ``${VARIABLES}``
    :param cwd: base of relative file names, and of paths in the files
    :param stdin: reads standard input, called at most once
    :param problems: collects errors; the caller raises them
    :ivar files: path of each file that was read, with the SHA-256 of its content
    """

    def __init__(
        self,
        *,
        environ: Mapping[str, str],
        cwd: Path,
        stdin: Callable[[], bytes],
        problems: Problems,
    ) -> None:
        self.found: dict[Role, list[Requirement]] = {
            "requirement": [],
            "constraint": [],
            "override": [],
        }
        self.files: dict[str, str] = {}
        self.warnings: list[str] = []
        self.options: FileOptionsBuilder = FileOptionsBuilder()
        self._environ = environ
        self._cwd = cwd
        self._stdin = stdin
        self._problems = problems
        self._read_files: set[tuple[str, str, Role]] = set()

    def read(self, name: str, role: Role) -> None:
        """Read one file that the user named, and all files that it includes."""
        with self._problems.collect(Origin(file=name)):
            self._read(locate_file(name, cwd=self._cwd, role=role))

    def _read(self, file: RequirementsFile) -> None:
        """Read a file; the files that it includes are read in place.

        :raises InputError: if it cannot be read at all
        """
        key = (file.real or "-", str(file.base), file.role)
        if key in self._read_files:
            return
        self._read_files.add(key)
        text = self._decode_file(file)
        before = len(self.found["requirement"]) + len(self._problems)
        for line in logical_lines(text):
            origin = Origin(file=file.name, line=line.number)
            try:
                self._read_line(line, file, origin)
            except InputError as error:
                self._problems.add(self._hide_values(error, line.text), origin, line.text)
        after = len(self.found["requirement"]) + len(self._problems)
        if before == after and file.role == "requirement" and not file.chain:
            self.warnings.append(f"{Origin(file=file.name)} has no requirements")

    def _decode_file(self, file: RequirementsFile) -> str:
        """The text of a file.

        :raises InputError: if it cannot be read or decoded
        """
        if file.real is None:
            data = self._stdin()
            self.files["-"] = hash_bytes(data)
        elif file.path.suffix == ".toml":
            raise InputError(
                f"{file.name} is not a requirements file",
                hint="give pyproject.toml on the command line, with -r",
            )
        else:
            data = read_bytes(file.path, file.name)
            self.files[str(file.path.absolute())] = hash_bytes(data)
        try:
            return decode(data)
        except InputError as error:
            raise InputError(
                f"{Origin(file=file.name)} {error.message}", hint=error.hint
            ) from error

    def _read_line(self, line: LogicalLine, file: RequirementsFile, origin: Origin) -> None:
        """Process one logical line.

        :raises InputError: if it is not valid
        """
        if line.text.endswith("\\"):
            raise InputError(
                "a backslash is followed by white space or a comment",
                hint="a backslash continues a line only if it is its very last character",
            )
        text, options = split_line(expand_variables(line.text, self._environ))
        if not options:
            self._add_requirement(text, line.text, file, origin)
            return
        own = [option for option in options if option.name in PER_REQUIREMENT]
        others = [option for option in options if option.name not in PER_REQUIREMENT]
        editable = not text and others[:1] != [] and others[0].name == "--editable"
        if (text and others) or (editable and len(others) > 1):
            raise InputError(
                f"{others[-1].name} is not allowed on the line of a requirement",
                hint="write it on its own line",
            )
        if text:
            self._add_requirement(text, _without_options(line.text), file, origin, own)
        elif editable:
            self._add_requirement(others[0].value, line.text, file, origin, own, editable=True)
        elif own:
            raise InputError(
                f"{own[0].name} does not belong to a requirement",
                hint="end the line before it with a backslash",
            )
        else:
            self._apply_options(others, file, origin)

    def _apply_options(self, options: list[Option], file: RequirementsFile, origin: Origin) -> None:
        """Include files, and collect index options."""
        for option in options:
            if option.name == "--editable":
                raise InputError("-e follows another option", hint="write it on its own line")
            role = _INCLUDES.get(option.name)
            if role is None:
                self.options.add(option, origin, file.directories)
                continue
            if file.role != "requirement" and role == "requirement":
                role = file.role
            self._read(locate_included(option.value, file, cwd=self._cwd, role=role))

    def _add_requirement(
        self,
        text: str,
        written: str,
        file: RequirementsFile,
        origin: Origin,
        own: Sequence[Option] = (),
        *,
        editable: bool = False,
    ) -> None:
        """Parse a requirement, and add it.

        :raises InputError: if it or one of its *own* options is not valid
        """
        requirement = parse_requirement(
            text,
            origin=origin,
            directories=file.directories,
            editable=editable,
            hashes=frozenset(parse_hash(option.value) for option in own if option.name == "--hash")
            if own
            else _NO_HASHES,
            written=written,
        )
        if own:
            self._check_build_options(own, requirement, origin)
        if file.role != "requirement":
            _check_role(requirement, file.role)
        self.found[file.role].append(requirement)

    def _check_build_options(
        self, own: Sequence[Option], requirement: Requirement, origin: Origin
    ) -> None:
        """Refuse options of a build where something is built; else warn about them."""
        names = sorted({option.name for option in own if option.name != "--hash"})
        if not names:
            return
        if requirement.source and requirement.source.kind != "wheel":
            raise InputError(
                f"{names[0]} is not supported",
                hint="build a wheel of it with these settings, and name that wheel",
            )
        self.warnings.append(f"{origin}: {', '.join(names)} has no effect on a wheel")

    def _hide_values(self, error: InputError, written: str) -> InputError:
        """*error* with the values of variables in the line replaced by their names."""
        message, hint = error.message, error.hint
        for name in re.findall(r"\$\{([A-Z0-9_]+)\}", written):
            value = self._environ.get(name)
            if value and len(value) >= _MIN_SECRET:
                message = message.replace(value, f"${{{name}}}")
                hint = hint and hint.replace(value, f"${{{name}}}")
        return InputError(message, hint=hint)


def _without_options(text: str) -> str:
    """The requirement of a line as written, without its options."""
    found = re.search(r"\s--?[A-Za-z]", text)
    return text[: found.start()] if found else text


def _check_role(requirement: Requirement, role: Role) -> None:
    """Check that a constraint or override names its project, and that a constraint only limits it.

    :raises InputError: if it does not
    """
    if not requirement.name:
        raise InputError(f"a {role} must name its project", hint="write NAME @ URL")
    if role == "constraint" and requirement.source and requirement.source.editable:
        raise InputError("a constraint cannot be editable", hint="leave out -e")
    if role == "constraint" and requirement.extras:
        raise InputError(
            "a constraint cannot have extras",
            hint="leave out the square brackets: a constraint limits versions, and adds nothing",
        )
