"""Why a project is in the result, in the version that it has."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from packaging.utils import InvalidName, canonicalize_name

from crossdeps.errors import CrossdepsError, UsageError
from crossdeps.inputs import read_pylock
from crossdeps.pipeline.asking import Asked, lock_beside, request_of
from crossdeps.pipeline.settings import Settings
from crossdeps.pipeline.workshop import open_workshop
from crossdeps.progress import Progress
from crossdeps.report import Why, explain_choice, explain_locked
from crossdeps.resolution import select

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from packaging.utils import NormalizedName

    from crossdeps.inputs import Requirement
    from crossdeps.target import Target


def explain(
    name: str,
    asked: Asked,
    target: Target,
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Why:
    """Tell why one project is in the result, in this version; from a lock without resolving.

    :raises UsageError: if *name* is no name of a project
    :raises CrossdepsError: if the project isn't in the result; and what resolving raises
    """
    try:
        wanted = canonicalize_name(name, validate=True)
    except InvalidName:
        raise UsageError(
            f"{name!r} is no name of a project",
            hint="names are of ASCII letters, digits, dots, dashes and underscores",
        ) from None
    request = request_of(asked)
    if locked := lock_beside(request):
        lock = read_pylock(locked)
        chosen = select(lock, target)
        selected = next((each for each in chosen if each.name == wanted), None)
        if selected is None:
            raise _absent(wanted, {each.name for each in chosen}, (), target)
        return explain_locked(lock, chosen, selected, target)
    with open_workshop(request, settings or Settings(), progress or Progress()) as workshop:
        resolution = workshop.resolve(target)
        choice = resolution.choices.get(wanted)
        if choice is None:
            raise _absent(wanted, resolution.choices, workshop.inputs.requirements, target)
        return explain_choice(resolution, choice)


def _absent(
    name: NormalizedName,
    present: Collection[str],
    requirements: Iterable[Requirement],
    target: Target,
) -> CrossdepsError:
    excluded = tuple(
        f"{each.origin}: {each.text} doesn't apply to the target"
        for each in requirements
        if each.name == name
    )
    near = difflib.get_close_matches(name, sorted(present), n=1)
    hint = None
    if near:
        hint = f"did you mean {near[0]}?"
    elif not excluded:
        hint = "ask about one of the projects that crossdeps build lists"
    count = "1 project is" if len(present) == 1 else f"{len(present)} projects are"
    return CrossdepsError(
        f"{name} isn't needed for {target.describe()}",
        context=(*excluded, f"{count} needed"),
        hint=hint,
        rule="not-needed",
    )
