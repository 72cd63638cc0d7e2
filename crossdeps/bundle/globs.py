"""Globs as gitignore has them.

pathspec is the library that black, hatch and DVC match gitignore patterns with: the rules about
slashes, ``**``, negation and escapes are many, and users notice each that differs from git's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pathspec import GitIgnoreSpec


def compile_globs(patterns: Sequence[str]) -> Callable[[str], bool]:
    """A predicate on POSIX paths, true where any of *patterns* matches.

    :raises UsageError: if a pattern can't be understood
    """
    if not patterns:
        return lambda _: False
    return parse_patterns(patterns).match_file


def parse_patterns(lines: Sequence[str]) -> GitIgnoreSpec:
    """The patterns of a gitignore file.

    :raises UsageError: if a pattern can't be understood
    """
    from pathspec import GitIgnoreSpec  # noqa: PLC0415

    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError as error:
        raise UsageError(
            f"a glob can't be understood: {error}",
            hint="patterns are those of gitignore, such as tests/, *.pyi or pkg/data/**",
        ) from error
