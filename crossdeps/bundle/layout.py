"""Where things go in the artifact, and what is left out of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crossdeps.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.utils import NormalizedName

    from crossdeps.target.model import Target

_VERSIONED = re.compile(r"python/lib/python(3\.\d+)/site-packages/")


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """The shape of the artifact.

    Globs are gitignore patterns on paths relative to *prefix*; an included path is kept whatever
    else would leave it out.

    :param prefix: where packages lie: ``""`` for a function, ``python/`` or
        ``python/lib/python3.X/site-packages/`` for a layer
    :param scripts: whether console scripts go to ``bin/``; None leaves them out of zips and layers,
        which no hosted runtime starts programs from
    :param sources: the user's own directories (their contents) and files, put next to the packages
    :param exclude: globs left out, of packages and sources alike
    :param include: globs kept
    :param slim: whether tests, stubs, native sources and documents of packages are left out
    :param excluded_projects: projects left out wholly
    :param output: where the artifact will be, which is never part of itself
    """

    kind: Literal["directory", "zip"] = "directory"
    prefix: str = ""
    scripts: bool | None = None
    sources: tuple[Path, ...] = ()
    exclude: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    slim: bool = False
    excluded_projects: tuple[NormalizedName, ...] = ()
    output: Path | None = None

    @property
    def has_scripts(self) -> bool:
        """Whether console scripts are laid out."""
        if self.scripts is None:
            return self.kind == "directory" and not self.prefix
        return self.scripts

    def check(self, target: Target) -> None:
        """Check that the prefix is one, and fits *target*.

        :raises UsageError: if it doesn't
        """
        major, minor = target.python_version
        fitting = ("", "python/", layer_prefix(target, versioned=True))
        if self.prefix not in fitting:
            versioned = _VERSIONED.fullmatch(self.prefix)
            reason = (
                f"is for Python {versioned[1]}, the target is {major}.{minor}"
                if versioned
                else "isn't one that a hosted runtime looks in"
            )
            raise UsageError(
                f"the prefix {self.prefix!r} {reason}", hint=f"one of {', '.join(fitting[1:])}"
            )


def layer_prefix(target: Target, *, versioned: bool = False) -> str:
    """The folder of a Lambda layer that is on ``sys.path`` of *target*.

    Source: the AWS Lambda developer guide, "Layer paths for each Lambda runtime".
    """
    major, minor = target.python_version
    return f"python/lib/python{major}.{minor}/site-packages/" if versioned else "python/"
