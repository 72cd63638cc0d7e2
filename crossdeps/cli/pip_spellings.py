"""Options of pip in the words of crossdeps: those that mean what is done anyway, and the others.

Whoever knows ``pip install --target DIR --platform TAG --only-binary :all:`` can write the same. An
option with another meaning is refused with what to use instead; none is ignored that would change
the result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crossdeps.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_VERBS: Final = frozenset({"build", "lock", "why", "check", "tags"})
_IMPLIED: Final = {
    "--no-compile",
    "--prefer-binary",
    "--force-reinstall",
    "--ignore-installed",
    "--no-input",
    "--disable-pip-version-check",
    "--no-warn-conflicts",
    "--no-warn-script-location",
}
"""What crossdeps does in any case: wheels without bytecode, laid out anew, without questions."""

_RENAMED: Final = {"--python-version": "--python", "--no-cache-dir": "--no-cache"}
_HOST: Final = "crossdeps writes to one place, for a machine that is not this one: -o PATH"
_REFUSED: Final = {
    "--compile": "the bytecode of this Python is of no use to the target: leave it out",
    "--user": _HOST,
    "--prefix": _HOST,
    "--root": _HOST,
    "--break-system-packages": _HOST,
    "--download": _HOST,
    "--dest": _HOST,
    "-d": _HOST,
    "--editable": "a package holds copies: name the path of the project instead of -e PATH",
    "-e": "a package holds copies: name the path of the project instead of -e PATH",
    "--no-build-isolation": "projects are built in isolation: leave it out",
    "--config-settings": "builds have no settings here: build a wheel, and give it by its path",
    "--global-option": "builds have no settings here: build a wheel, and give it by its path",
}


def translate_pip_options(arguments: Sequence[str]) -> list[str]:
    """Return *arguments*, the verb first, with pip's options as those of crossdeps.

    >>> translate_pip_options(["build", "--only-binary=:all:", "--python-version", "312", "six"])
    ['build', '--python', '312', 'six']

    :raises UsageError: for an option of pip that means something else; it says what to use
    """
    verb = arguments[0] if arguments else ""
    if verb not in _VERBS:
        return list(arguments)
    translated: list[str] = []
    pending = list(arguments[::-1])
    while pending:
        word = pending.pop()
        if word == "--":
            return [*translated, word, *pending[::-1]]
        flag, equals, value = word.partition("=")
        if flag in {"--only-binary", "--no-binary"}:
            _check_binary(flag, value if equals else pending.pop() if pending else "")
        elif flag in _REFUSED:
            raise UsageError(f"{flag} of pip is not supported", hint=_REFUSED[flag])
        elif flag in _RENAMED:
            translated.append(f"{_RENAMED[flag]}{equals}{value}")
        elif word not in _IMPLIED and not (word in {"--upgrade", "-U"} and verb != "lock"):
            translated.append(word)
    return translated


def _check_binary(flag: str, value: str) -> None:
    """Check that wheels are used for everything, as they are in any case."""
    if not value:
        raise UsageError(f"{flag} requires a value", hint="leave it out: wheels are used for all")
    if value == {"--only-binary": ":all:", "--no-binary": ":none:"}[flag]:
        return
    if flag == "--no-binary":
        raise UsageError(
            f"--no-binary {value} is not supported: what is built here does not run there",
            hint="--allow-sdist NAME builds a project from source if the result is pure Python",
        )
    raise UsageError(
        f"--only-binary {value} is not supported: wheels are used for all projects, not for some",
        hint="leave it out, or give :all:; --allow-sdist NAME makes an exception",
    )
