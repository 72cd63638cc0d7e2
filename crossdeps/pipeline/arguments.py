"""The arguments of the functions of the library: each is checked before anything is done."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossdeps.config.option_types import Count, List, Seconds, Switch, Table, Timestamp, Toggle
from crossdeps.errors import InputError, TargetError, UsageError
from crossdeps.pipeline.request import FILE_SUFFIXES, pick_options
from crossdeps.pipeline.request import Lock as LockRequest
from crossdeps.progress import Progress
from crossdeps.report.locked import Lock
from crossdeps.requirements.model import Requirements
from crossdeps.requirements.pylock import DEFAULT_LOCK
from crossdeps.target.model import Target

if TYPE_CHECKING:
    from crossdeps.config.option_types import Option
    from crossdeps.config.options import Options


def describe_type(value: object) -> str:
    """Name the type of *value* for a message: ``a set``, ``an int``, ``None``."""
    if value is None or isinstance(value, (bytes, bytearray)):
        return "None" if value is None else "bytes"
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeio' else 'a'} {name}"


def hint_for(value: object) -> str | None:
    """Advise on a value that is close to the right one; None if it is not."""
    if isinstance(value, (set, frozenset)):
        return "a set has no order: give sorted(...) of it"
    if isinstance(value, (bytes, bytearray)):
        return "decode it to a string"
    if isinstance(value, Iterator):
        return "give list(...) of it"
    return None


def check_value(option: Option[Any], value: object) -> object:
    """Check the value of one keyword, and return it as the command line would have it.

    :raises ValueError: if it is not valid; its text is the rule
    """
    if isinstance(option, (Switch, Toggle)):
        return _check_switch(value)
    if isinstance(option, List):
        return read_strings(value)
    if isinstance(option, Table):
        return _check_table(option, value)
    if isinstance(option, (Seconds, Count)):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError("must be a number")  # noqa: TRY004 - the rule is the text
        return option.parse(str(value))
    if isinstance(option, Timestamp):
        return _check_moment(value)
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if not isinstance(value, str):
        raise ValueError("must be a string")  # noqa: TRY004 - as above
    return option.parse(value)


def _check_switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be True or False")  # noqa: TRY004 - the rule is the text
    return value


def _check_table(option: Option[Any], value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise ValueError("must be a mapping of strings by project")  # noqa: TRY004 - as above
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - rarely needed

    for name, text in value.items():
        if not (isinstance(name, str) and isinstance(text, str)):
            raise ValueError("must be a mapping of strings by project")  # noqa: TRY004 - as above
        if option.choices and text not in option.choices:
            raise ValueError(f"must have one of {', '.join(option.choices)} for each project")
    return {canonicalize_name(name): text for name, text in value.items()}


def _check_moment(value: object) -> str:
    if isinstance(value, datetime.timedelta):
        value = datetime.datetime.now(datetime.timezone.utc) - value
    if isinstance(value, datetime.date):  # a datetime is one too
        return value.isoformat()
    if not isinstance(value, str):
        raise ValueError("must be a date, a time, a duration or a string")  # noqa: TRY004 - as above
    return value


def read_strings(value: object) -> tuple[str, ...]:
    """Return one string or path, or several in order, as strings.

    :raises ValueError: if it is neither; its text is the rule
    """
    if isinstance(value, (str, os.PathLike)):
        value = (value,)
    if not isinstance(value, Sequence) or isinstance(value, (bytes, bytearray, memoryview)):
        raise ValueError("must be a string, or a list of strings")  # noqa: TRY004 - as above
    texts = [os.fspath(item) if isinstance(item, os.PathLike) else item for item in value]
    wrong = next((item for item in texts if not isinstance(item, str)), None)
    if wrong is not None or None in texts:
        raise ValueError("must be a string, or a list of strings")
    return tuple(texts)


def check_target(target: object) -> Target:
    """Return *target* if it is one.

    :raises TargetError: if it is not
    """
    if isinstance(target, Target):
        return target
    name = target if isinstance(target, str) and target.startswith("python3.") else "python3.12"
    given = f"{target!r:.60}" if isinstance(target, (str, bytes)) else describe_type(target)
    raise TargetError(
        f"target must be a crossdeps.Target, not {given}",
        hint=hint_for(target)
        or f'such as crossdeps.Target.runtime("{name}", arch="x86_64") for AWS Lambda,'
        ' or crossdeps.Target(python="3.12", arch="arm64")',
    )


def check_targets(target: object) -> tuple[Target, ...]:
    """Return one target, or several in order, each once.

    :raises TargetError: if it is neither
    """
    if not isinstance(target, (list, tuple)):
        return (check_target(target),)
    if not target:
        raise TargetError(
            "no target was specified", hint="give a crossdeps.Target, or a list of them"
        )
    return tuple(dict.fromkeys(map(check_target, target)))


def check_path(name: str, value: object) -> Path:
    """Return *value* as a path.

    :raises UsageError: if it is none
    """
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if isinstance(text, str) and text and "\0" not in text:
        return Path(text)
    given = f"{text!r:.60}" if isinstance(text, (str, bytes)) else describe_type(text)
    raise UsageError(
        f"{name} must be the path of a file or directory, not {given}", hint=hint_for(text)
    )


def check_progress(progress: object) -> Progress:
    """Return *progress*, or one that does nothing.

    :raises UsageError: if it is something else
    """
    if progress is None:
        return Progress()
    if not isinstance(progress, Progress):
        raise UsageError(
            f"progress must be a crossdeps.Progress, not {describe_type(progress)}",
            hint="derive a class from crossdeps.Progress, and override its methods",
        )
    return progress


def read_names(keyword: str, value: object) -> tuple[str, ...]:
    """Return one string or several.

    :raises UsageError: if it is something else
    """
    try:
        return read_strings(value)
    except ValueError as error:
        raise UsageError(
            f"{keyword} {error}, not {describe_type(value)}", hint=hint_for(value)
        ) from None


def read_requirements(specified: object, options: Options) -> Requirements | LockRequest:
    """Return what a caller requires.

    A single string or path names a file, or the directory of a project.

    :raises InputError: if a single string is a requirement, and no file has this name
    :raises UsageError: if it is of another type
    """
    lock = find_lock(specified)
    if lock is not None:
        return _request_lock(lock, options)
    if isinstance(specified, (str, os.PathLike)):
        text = str(check_path("requirements", specified))
        _check_is_file(text)
        requirements, files = _separate_files([Path(text)])
    elif isinstance(specified, Sequence) and not isinstance(specified, (bytes, bytearray)):
        requirements, files = _separate_files(specified)
    else:
        raise UsageError(
            "requirements must be a path, or a list of requirements,"
            f" not {describe_type(specified)}",
            hint=hint_for(specified) or "such as 'requirements.txt', or ['requests>=2']",
        )
    if not (requirements or files) and options.extras:
        files = ("pyproject.toml",)
    return pick_options(Requirements, options, requirements=requirements, requirement_files=files)


def _request_lock(lock: Lock, options: Options) -> LockRequest:
    others = (*options.constraint_files, *options.override_files)
    if others:
        raise InputError(
            "a lock cannot be combined with constraints or overrides: its versions are chosen",
            context=others,
            hint="give them to crossdeps.lock, with the lock as previous",
        )
    return LockRequest(
        path=lock.path or Path(DEFAULT_LOCK),
        text=lock.text,
        directory=lock.directory,
        extras=options.extras,
        groups=options.groups,
    )


def find_lock(specified: object) -> Lock | None:
    """Return the lock that *specified* is; None if it is not a lock that was read or made."""
    from packaging.pylock import Pylock  # noqa: PLC0415 - loads much

    if isinstance(specified, Pylock):
        return Lock.from_pylock(specified)
    return specified if isinstance(specified, Lock) else None


def _separate_files(items: Sequence[object]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return requirements and files: a path object is a file, unless it is a directory.

    :raises UsageError: if an item is neither a string nor a path
    """
    requirements: list[str] = []
    files: list[str] = []
    for item in items:
        if not isinstance(item, (str, os.PathLike)):
            raise UsageError(
                f"a requirement must be a string, or the path of a file, not {describe_type(item)}",
                hint="such as ['requests>=2', pathlib.Path('requirements.txt')]",
            )
        is_file = isinstance(item, os.PathLike) and not Path(item).is_dir()
        (files if is_file else requirements).append(os.fspath(item))
    return tuple(requirements), tuple(files)


def _check_is_file(text: str) -> None:
    """Refuse a requirement where the path of a file is expected.

    :raises InputError: with the way to write it
    """
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - loads much

    if text == "-" or text.lower().endswith(FILE_SUFFIXES) or os.path.exists(text):  # noqa: PTH110
        return
    try:
        Requirement(text)
    except InvalidRequirement:
        return
    raise InputError(
        f"there is no file {text}",
        hint=f'a single string names a file; give requirements as a list: ["{text}"]',
    )
