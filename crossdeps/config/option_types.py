"""The types of options: how values are written on the command line and in configuration files."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar, overload

from crossdeps.errors import UsageError

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping

_T = TypeVar("_T")


class OptionGroup:
    """Options that belong together in the help.

    :param specified: name of an option -> its value, for those that were specified
    """

    title: ClassVar[str] = ""
    verbs: ClassVar[str] = ""

    specified: Mapping[str, object]


class Option(Generic[_T]):
    """One option; an instance of :class:`Options` has its value.

    :param usage: flags and metavar as the help shows them, such as ``-r, --requirement FILE``;
        a metavar alone for a positional argument; empty for a key without a flag
    :param description: one or two sentences for the help and the reference
    :param key: its key in ``[tool.crossdeps]``; empty where it has none
    :param verbs: the verbs that take it; those of its group by default
    :param key_verbs: the verbs for which its key counts; those that take it by default
    :param unless: names of options; when the command line has one of them, the key is ignored
    :param choices: the only values allowed
    :param paths: whether relative paths in the project file are relative to that file
    :param pip: whether it is read from pip's configuration, under the name of its long flag
    :param secret: whether a value may hold a password
    """

    default: _T
    value_type: ClassVar[str] = ""
    """What a value looks like in the project file, for people."""

    name: str
    group: str
    pip_name: str
    """Its name in pip's configuration; empty where pip's is not read."""

    def __init__(
        self,
        usage: str,
        description: str,
        *,
        key: str = "",
        verbs: str = "",
        key_verbs: str = "",
        unless: tuple[str, ...] = (),
        choices: tuple[str, ...] = (),
        paths: bool = False,
        pip: bool = False,
        secret: bool = False,
    ) -> None:
        words = usage.replace(",", "").split()
        self.usage = usage
        self.flags: tuple[str, ...] = tuple(word for word in words if word.startswith("-"))
        self.metavar: str = words[-1] if words and not words[-1].startswith("-") else ""
        self.description = description
        self.key = key
        self.verbs: tuple[str, ...] = tuple(verbs.split())
        self.key_verbs: tuple[str, ...] = tuple(key_verbs.split())
        self.unless = unless
        self.choices = choices
        self.paths = paths
        self.pip = pip
        self.secret = secret

    def __set_name__(self, owner: type[OptionGroup], name: str) -> None:
        self.name = name
        self.pip_name = (self.flag[2:] or name.replace("_", "-")) if self.pip else ""
        self.group = owner.title
        self.verbs = self.verbs or tuple(owner.verbs.split())
        self.key_verbs = self.key_verbs or self.verbs

    @overload
    def __get__(self, instance: None, owner: type) -> Option[_T]: ...
    @overload
    def __get__(self, instance: OptionGroup, owner: type) -> _T: ...
    def __get__(self, instance: OptionGroup | None, owner: type) -> Option[_T] | _T:
        if instance is None:
            return self
        value: _T = instance.specified.get(self.name, self.default)  # type: ignore[assignment]
        return value

    def __set__(self, instance: OptionGroup, value: _T) -> None:
        raise AttributeError(f"{self.name} cannot be set: options are immutable")

    @property
    def flag(self) -> str:
        """Its first long flag; empty for a positional argument or a key alone."""
        return next((flag for flag in self.flags if flag.startswith("--")), "")

    def parse(self, text: str) -> object:
        """Read one value from the command line or pip's configuration.

        :raises ValueError: if it is not valid; its text is the rule, such as "must be a number"
        """
        if self.choices and text not in self.choices:
            raise ValueError(f"must be one of {', '.join(self.choices)}")
        return text

    def check(self, value: object) -> object:
        """Check a value of the project file, which has the types of TOML.

        :raises ValueError: if it is not valid; its text is the rule
        """
        if not isinstance(value, str):
            raise ValueError("must be a string")  # noqa: TRY004 - the rule is the text
        return self.parse(value)


class Text(Option[str | None]):
    """A string, given at most once."""

    default: str | None = None
    value_type: ClassVar[str] = "string"


class Argument(Option[str]):
    """A required positional argument."""

    default: str = ""


class Timestamp(Text):
    """A date, a time, or how long ago; TOML has types for the first two."""

    value_type: ClassVar[str] = "date, time or string"

    def check(self, value: object) -> object:
        """Accept TOML's dates and times too."""
        return str(value.isoformat()) if hasattr(value, "isoformat") else super().check(value)


class List(Option[tuple[str, ...]]):
    """Strings; the option may be repeated."""

    default: tuple[str, ...] = ()
    value_type: ClassVar[str] = "string or list of strings"

    def check(self, value: object) -> object:
        """Accept a list, or a string as a list of one."""
        listed = [value] if isinstance(value, str) else value
        if isinstance(listed, list) and all(isinstance(item, str) for item in listed):
            return tuple(listed)
        raise ValueError("must be a string or a list of strings")


class Projects(List):
    """Names of projects, ``:all:`` and ``:none:``, separated by commas; in pip's configuration."""


def check_boolean(value: object) -> bool:
    """Return *value* if it is one.

    :raises ValueError: if it is not; its text is the rule
    """
    if isinstance(value, bool):
        return value
    raise ValueError("must be true or false")


class Switch(Option[bool]):
    """On or off."""

    default: bool = False
    value_type: ClassVar[str] = "`true` or `false`"

    def parse(self, text: str) -> bool:
        """Read yes or no as pip's configuration writes it."""
        if text.lower() in {"y", "yes", "t", "true", "on", "1"}:
            return True
        if text.lower() in {"n", "no", "f", "false", "off", "0"}:
            return False
        raise ValueError("must be true or false")

    def check(self, value: object) -> object:
        """Accept a boolean."""
        return check_boolean(value)


class Toggle(Option[bool | None]):
    """On, off, or not specified."""

    default: bool | None = None
    value_type: ClassVar[str] = Switch.value_type

    def check(self, value: object) -> object:
        """Accept a boolean."""
        return check_boolean(value)


class Seconds(Option[float | None]):
    """A duration in seconds."""

    default: float | None = None

    def parse(self, text: str) -> float:
        """Read a finite number above 0."""
        try:
            seconds = float(text)
        except ValueError:
            seconds = 0.0
        if 0 < seconds < float("inf"):
            return seconds
        raise ValueError("must be a number of seconds greater than 0")


class Count(Option[int | None]):
    """How often."""

    default: int | None = None

    def parse(self, text: str) -> int:
        """Read a whole number from 0 up."""
        if text.isascii() and text.isdigit() and len(text) <= 6:
            return int(text)
        raise ValueError("must be a non-negative integer")


class Level(Option[int]):
    """How many times a flag was given."""

    default: int = 0


class Table(Option["Mapping[str, str]"]):
    """A table of strings by project; in the project file only."""

    default: Mapping[str, str] = MappingProxyType({})
    value_type: ClassVar[str] = "table of strings by project"

    def check(self, value: object) -> object:
        """Accept a table; normalising its names is left to the reader of the file."""
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise ValueError("must be a table of strings, by project")
        return value


def parse_timestamp(text: str, *, now: datetime.datetime | None = None) -> datetime.datetime:
    """Read ``2026-11-01``, ``2026-11-01T12:00:00Z``, ``7 days`` or ``P7D``.

    A date means its first moment, and everything is UTC where no zone is given.

    >>> parse_timestamp("2026-11-01").isoformat()
    '2026-11-01T00:00:00+00:00'

    :param now: what durations count back from; the clock's by default
    :returns: an aware datetime
    :raises UsageError: if it is none of these
    """
    import datetime  # noqa: PLC0415 - rarely needed
    import re  # noqa: PLC0415 - as above

    stripped = text.strip()
    if ago := _parse_duration(stripped):
        return (now or datetime.datetime.now(datetime.timezone.utc)) - datetime.timedelta(**ago)
    try:
        # Python 3.10's parser rejects the Z of RFC 3339.
        moment = datetime.datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", stripped))
    except ValueError:
        raise UsageError(
            f"{text!r} is neither a date nor a duration",
            hint="such as 2026-11-01, 2026-11-01T12:00:00Z, '7 days' or P7D",
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)


def _parse_duration(text: str) -> dict[str, int] | None:
    """The units of a duration, as arguments of timedelta; None if it is none."""
    import re  # noqa: PLC0415 - as above

    match = re.fullmatch(
        r"(?P<count>\d{1,5})\s*(?P<unit>minute|hour|day|week)s?(?:\s+ago)?", text, re.IGNORECASE
    )
    if match:
        return {match["unit"].lower() + "s": int(match["count"])}
    match = re.fullmatch(
        r"P(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,5})D)?"
        r"(?:T(?:(?P<hours>\d{1,5})H)?(?:(?P<minutes>\d{1,5})M)?)?",
        text,
    )
    if match and any(match.groups()):
        return {unit: int(number) for unit, number in match.groupdict("0").items()}
    return None
