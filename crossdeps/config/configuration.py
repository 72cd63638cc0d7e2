"""Configuration as options: ``[tool.crossdeps]`` of pyproject.toml, and pip's configuration."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - msgspec reads the types of fields
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from crossdeps.config.option_types import List, Option, Projects, Table
from crossdeps.config.options import OPTIONS, Options
from crossdeps.config.pip_config import proxy_url
from crossdeps.errors import InputError
from crossdeps.requirements.files import parse_toml, read_utf8
from crossdeps.requirements.locations import find_links_location, find_path, index_location
from crossdeps.text import escape

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from crossdeps.config.pip_config import PipConfiguration, Setting

_KEYS = {option.key: option for option in OPTIONS.values() if option.key}


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


def read_project_file(path: Path) -> dict[str, object] | None:
    """Read the options of ``[tool.crossdeps]``, by name; None if the file has no such table.

    A file that does not contain the word is not parsed: many projects have one, and each command
    would pay for it. Relative paths are resolved against the directory of the file.

    :raises InputError: if the file cannot be read, a key is unknown (names the nearest), or a
        value is not valid
    """
    name = str(path)
    text = read_utf8(path, name)
    if "crossdeps" not in text:
        return None
    tool = parse_toml(text, name).get("tool")
    table = tool.get("crossdeps") if isinstance(tool, dict) else None
    if table is None:
        return None
    if not isinstance(table, dict):
        raise _invalid(name, "", "must be a table")
    values: dict[str, object] = {}
    for key, value in table.items():
        if key not in _KEYS:
            raise _unknown_key(name, key)
        option = _KEYS[key]
        values[option.name] = _check_value(name, option, value, path.absolute().parent)
    return values


def _check_value(file: str, option: Option[Any], value: object, directory: Path) -> object:
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


class ConfiguredOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options in pip's configuration.

    :param warnings: what was ignored, one sentence each
    """

    options: Options = Options()
    warnings: tuple[str, ...] = ()


def read_configured_options(configuration: PipConfiguration, directory: Path) -> ConfiguredOptions:
    """Read the options of pip's configuration that crossdeps has too; pip alone reads the others.

    :param directory: what relative paths are relative to, the current directory as with pip
    :raises InputError: if a value is not valid; it names the file and line, or the variable
    """
    values: dict[str, object] = {}
    warnings = list(configuration.warnings)
    for option in OPTIONS.values():
        setting = configuration.settings.get(option.pip_name)
        if setting is None:
            continue
        try:
            values[option.name] = _read_setting(option.name, setting, directory, warnings)
        except InputError as error:
            error.within(f"{setting.origin}: {option.pip_name}")
            raise
    return ConfiguredOptions(options=Options("", **values), warnings=tuple(warnings))


def _read_setting(name: str, setting: Setting, directory: Path, warnings: list[str]) -> object:
    option = OPTIONS[name]
    text = setting.value.strip()
    if isinstance(option, Projects):
        return _read_projects(text)
    if isinstance(option, List):
        found = [(word, resolve_location(name, word, directory)) for word in text.split()]
        warnings.extend(
            f"{setting.origin}: {option.pip_name} names {escape(word)}, which does not exist;"
            " it is ignored"
            for word, location in found
            if location is None
        )
        return tuple(dict.fromkeys(location for _, location in found if location is not None))
    if name == "keyring" and text in {"auto", "import"}:
        if text == "import":
            warnings.append(
                f"{setting.origin}: keyring-provider=import is not supported, and no keyring is"
                " used; use subprocess"
            )
        return "disabled"
    if name in LOCATIONS:
        return resolve_location(name, text, directory)
    try:
        return option.parse(text)
    except ValueError as error:
        raise InputError(
            f"invalid value for {option.pip_name}: {error}, not {escape(text)!r}",
            hint="correct the setting, or remove it",
        ) from None


def _read_projects(text: str) -> tuple[str, ...]:
    """Project names and ``:all:``, in order; ``:none:`` discards what is before it."""
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - rarely needed

    words: dict[str, None] = {}
    for word in text.replace(",", " ").split():
        if word == ":none:":
            words.clear()
        else:
            words[word if word == ":all:" else canonicalize_name(word)] = None
    return tuple(words)


def resolve_location(name: str, text: str, directory: Path) -> str | None:
    """Return the value of the option *name* as a URL or absolute path; other values as they are.

    :param directory: what a relative path is relative to
    :returns: None for a path of find-links that does not exist
    :raises InputError: if it is malformed, or a file that does not exist
    """
    resolve = LOCATIONS.get(name)
    return resolve(text, directory) if resolve else text


def _pem_file(text: str, directory: Path) -> str:
    path = find_path(text, directory)
    if path is None:
        raise InputError(
            f"there is no file {escape(text)}",
            hint="give the path of a PEM file, or leave the option out",
        )
    return path


LOCATIONS: dict[str, Callable[[str, Path], str | None]] = {
    "index_url": index_location,
    "extra_index_urls": index_location,
    "find_links": find_links_location,
    "cert": _pem_file,
    "client_cert": _pem_file,
    "proxy": lambda text, _: proxy_url(text),
}
"""The options whose values are locations, and how each is read."""
