"""The options of the command as keywords of the library, with their types.

A keyword has the name of the key in ``[tool.crossdeps]``, or else of the flag, with underscores.
"""

from __future__ import annotations

import datetime
import difflib
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict

from crossdeps.config.options import OPTIONS, Options
from crossdeps.errors import UsageError
from crossdeps.pipeline.arguments import check_value, describe_type, hint_for
from crossdeps.text import HIDDEN

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from crossdeps.config.option_types import Option

StrPath = str | os.PathLike[str]
Strings = str | Sequence[str]
Paths = StrPath | Sequence[StrPath]
PreReleases = Literal["if-necessary", "allow", "disallow"]
Moment = str | datetime.date | datetime.timedelta
"""A date, a time (`datetime` is a `date`), how long ago, or one of them as the command reads it."""


class _RuntimeKeywords(TypedDict, total=False):
    provided_versions: Mapping[str, str] | None


class CheckKeywords(_RuntimeKeywords, total=False):
    """The keywords of :func:`crossdeps.check`."""

    handler: str | None
    ignore: Strings | None
    with_layer: Paths | None


class ResolveKeywords(_RuntimeKeywords, total=False):
    """The keywords of :func:`crossdeps.lock` and :func:`crossdeps.why`."""

    allow_sdist: Strings | None
    cache_dir: StrPath | None
    cert: StrPath | None
    client_cert: StrPath | None
    constraints: Paths | None
    exclude_newer: Moment | None
    extra_index_url: Strings | None
    extras: Strings | None
    find_links: Paths | None
    groups: Strings | None
    index_strategy: Literal["safe", "first"] | None
    index_url: str | None
    isolated: bool | None
    keyring_provider: Literal["disabled", "subprocess"] | None
    no_cache: bool | None
    no_deps: bool | None
    no_index: bool | None
    offline: bool | None
    overrides: Paths | None
    pre: bool | None
    pre_releases: Mapping[str, PreReleases] | None
    project_index: Mapping[str, str] | None
    provided: bool | None
    proxy: str | None
    refresh: bool | None
    require_hashes: bool | None
    retries: int | None
    timeout: float | None
    trusted_host: Strings | None


class BuildKeywords(CheckKeywords, ResolveKeywords, total=False):
    """The keywords of :func:`crossdeps.build` and :class:`crossdeps.Settings`."""

    dry_run: bool | None
    exclude: Strings | None
    exclude_project: Strings | None
    force: bool | None
    include: Strings | None
    layer: bool | None
    scripts: bool | None
    slim: bool | None
    source: Paths | None
    strict: bool | None
    versioned_layer: bool | None


OF_VERB: Final[dict[str, frozenset[str]]] = {
    "build": frozenset(BuildKeywords.__annotations__),
    "check": frozenset(CheckKeywords.__annotations__),
    "lock": frozenset(ResolveKeywords.__annotations__),
    "why": frozenset(ResolveKeywords.__annotations__),
}
"""The keywords of each function."""


def _name_keyword(option: Option[Any]) -> str:
    return (option.key or option.flag[2:]).replace("-", "_")


KEYWORDS: Final[dict[str, Option[Any]]] = {
    _name_keyword(option): option
    for option in OPTIONS.values()
    if _name_keyword(option) in OF_VERB["build"]
}
"""Each keyword, with the option that it is."""
_OF_TARGET: Final = ("abi", "arch", "glibc", "musl", "platform", "platforms", "python", "runtime")


class Settings:
    """Options that several calls share, such as the indexes of a company; immutable.

    It accepts every keyword of :func:`crossdeps.build`, and is given to a function as ``settings``.
    A function ignores those that it has no use for, and its own keywords take precedence.

    >>> settings = Settings(index_url="https://user:password@example.org/simple", slim=True)
    >>> settings.replace(slim=None, exclude=["tests/"])
    Settings(index_url='****', exclude=('tests/',))

    :raises UsageError: if a keyword is unknown, or its value is not valid
    """

    __slots__ = ("_values",)

    def __init__(self, **keywords: Unpack[BuildKeywords]) -> None:
        values = _read(keywords, "Settings")
        self._values = {name: value for name, value in values.items() if value is not None}

    def replace(self, **keywords: Unpack[BuildKeywords]) -> Settings:
        """Return a copy with other values; None removes one.

        :raises UsageError: as the constructor
        """
        values = {**self._values, **_read(keywords, "Settings")}
        changed = Settings()
        changed._values.update((k, v) for k, v in values.items() if v is not None)
        return changed

    def __eq__(self, other: object) -> bool:
        return self._values == other._values if isinstance(other, Settings) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self._values))

    def __repr__(self) -> str:
        names = {option.name: keyword for keyword, option in KEYWORDS.items()}
        shown = [
            f"{names[name]}={HIDDEN if OPTIONS[name].secret else value!r}"
            for name, value in self._values.items()
        ]
        return f"Settings({', '.join(shown)})"


def make_options(verb: str, settings: object, keywords: Mapping[str, object]) -> Options:
    """Return the options of one call, as the command line would have them.

    :param settings: below *keywords*; None for none
    :raises UsageError: if a keyword is not one of *verb*, or a value is not valid
    """
    if settings is not None and not isinstance(settings, Settings):
        raise UsageError(
            f"settings must be crossdeps.Settings, not {describe_type(settings)}",
            hint="such as settings=crossdeps.Settings(offline=True)",
        )
    known = OF_VERB[verb]
    shared = settings._values if settings else {}  # noqa: SLF001 - of the class above
    values = {
        name: value
        for name, value in shared.items()
        if any(KEYWORDS[keyword].name == name for keyword in known)
    }
    values |= _read(keywords, verb)
    return Options(verb, **{name: value for name, value in values.items() if value is not None})


def _read(keywords: Mapping[str, object], function: str) -> dict[str, Any]:
    """Check keywords, and return their values by the names of options; None is kept."""
    known = OF_VERB["build" if function == "Settings" else function]
    values: dict[str, Any] = {}
    for keyword, value in keywords.items():
        if keyword not in known:
            raise _unknown_keyword(keyword, function, sorted(known))
        option = KEYWORDS[keyword]
        try:
            values[option.name] = None if value is None else check_value(option, value)
        except ValueError as error:
            shown = HIDDEN if option.secret else f"{value!r:.80}"
            raise UsageError(
                f"{keyword} {error}, not {describe_type(value)}",
                context=(f"{keyword}={shown}",),
                hint=hint_for(value),
            ) from None
    return values


def _unknown_keyword(keyword: str, function: str, known: Sequence[str]) -> UsageError:
    nearest = [name for name in known if name.startswith(keyword)]
    nearest = nearest or difflib.get_close_matches(keyword, known, n=1)
    others = [verb for verb, each in OF_VERB.items() if keyword in each]
    if keyword in _OF_TARGET:
        hint = "describe the machine with crossdeps.Target, and give it as target"
    elif others:
        hint = f"it is a keyword of {' and '.join(others)}"
    elif nearest:
        hint = f"did you mean {nearest[0]}?"
    else:
        hint = f"keywords are {', '.join(known)}"
    return UsageError(f"{function} has no keyword {keyword[:40]!r}", hint=hint)
