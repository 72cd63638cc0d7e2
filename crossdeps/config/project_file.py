"""The files of a project that hold options: pyproject.toml and ``.python-version``."""

from __future__ import annotations

import re
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from crossdeps.config.option_types import Option, Table
from crossdeps.config.options import OPTIONS, Options
from crossdeps.errors import InputError
from crossdeps.requirements.files import decode, read_bytes, read_toml
from crossdeps.text import escape

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_KEYS = {option.key: option for option in OPTIONS.values() if option.key}


def apply_project_file(options: Options) -> Options:
    """Complete *options* by ``[tool.crossdeps]`` of ``pyproject.toml`` in the current directory.

    :raises InputError: if the file is not valid
    """
    return merge_options(options, read_project_file(Path("pyproject.toml")))


def merge_options(options: Options, project: Mapping[str, object]) -> Options:
    """Complete *options* of the command line by those of the project, by name.

    The command line replaces what the project has for the same option, and for the options that
    the table names in ``unless``.
    """
    given = options.specified
    added = {
        name: value
        for name, value in project.items()
        if name not in given
        and options.verb in OPTIONS[name].key_verbs
        and not given.keys() & OPTIONS[name].unless
    }
    if added.get("runtimes"):  # a runtime determines platform and ABI
        added.pop("platforms", None)
        added.pop("abi", None)
    return Options(options.verb, **added, **given)


def read_project_file(path: Path) -> dict[str, object]:
    """Read the options of ``[tool.crossdeps]``, by name; a file without the table has none.

    Relative paths are resolved against the directory of the file.

    :raises InputError: if the file cannot be read, a key is unknown (names the nearest), or a
        value is not valid
    """
    name = str(path)
    document, _ = read_toml(path, name)
    tool = document.get("tool")
    table = tool.get("crossdeps", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise _invalid(name, "", "must be a table")
    values: dict[str, object] = {}
    for key, value in table.items():
        if key not in _KEYS:
            raise _unknown_key(name, key)
        option = _KEYS[key]
        values[option.name] = _read(name, option, value, path.absolute().parent)
    return values


def _read(file: str, option: Option[Any], value: object, directory: Path) -> object:
    """Check one value, normalize the names of a table, and make paths absolute."""
    try:
        checked = option.check(value)
    except ValueError as error:
        raise _invalid(file, option.key, str(error)) from None
    if isinstance(option, Table) and isinstance(checked, dict):
        from packaging.utils import canonicalize_name  # noqa: PLC0415 - few projects have tables

        for project, text in checked.items():
            if option.choices and text not in option.choices:
                raise _invalid(
                    file, f"{option.key}.{project}", f"must be one of {', '.join(option.choices)}"
                )
        return MappingProxyType({canonicalize_name(name): text for name, text in checked.items()})
    if not option.paths:
        return checked
    if isinstance(checked, tuple):
        from crossdeps.requirements.direct import is_url  # noqa: PLC0415 - loads much

        return tuple(item if is_url(item) else str(directory / item) for item in checked)
    return str(directory / str(checked))


def _unknown_key(file: str, key: str) -> InputError:
    import difflib  # noqa: PLC0415 - only for a mistyped key

    known = sorted(_KEYS)
    nearest = difflib.get_close_matches(key[:40].replace("_", "-"), known, n=1)
    return InputError(
        f"[tool.crossdeps] has no key {escape(key)}",
        context=(f"{file} (tool.crossdeps)",),
        hint=f"did you mean {nearest[0]}?" if nearest else f"keys are {', '.join(known)}",
    )


def _invalid(file: str, key: str, rule: str) -> InputError:
    location = escape(f"tool.crossdeps.{key}" if key else "tool.crossdeps")
    return InputError(
        f"{location} {rule}",
        context=(f"{file} ({location})",),
        hint="correct it in that file, or remove it",
    )


def read_python_version(path: Path) -> str | None:
    """Return the first version that a ``.python-version`` names, such as ``3.12`` or ``3.12.4``.

    None where it names nothing. ``python-3.12`` and ``cpython-3.12`` mean the same.

    :raises InputError: if the file cannot be read, or its first entry is another implementation or
        the name of an environment
    """
    for number, line in enumerate(decode(read_bytes(path, str(path))).splitlines(), start=1):
        version = line.partition("#")[0].strip()
        if not version:
            continue
        if found := re.fullmatch(r"(?:(?:c?python)-?)?(3\.\d{1,2}(?:\.\d{1,2})?)", version):
            return found[1]
        raise InputError(
            f"{escape(version)} is not a version of CPython",
            context=(f"{path}:{number}",),
            hint="specify the Python of the package with --python, such as --python 3.12",
        )
    return None
