"""lock(): one lock for one or several targets, remembered or made anew.

What makes a lock is imported by a run that has none to remember.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from crossdeps.fs import current_directory, hash_bytes
from crossdeps.pipeline.remembered import Trace, make_key, recall, remember
from crossdeps.pipeline.request import (
    PreviousLock,
    RequirementsLike,
    Settings,
    read_requirements,
)
from crossdeps.pipeline.session import open_session
from crossdeps.progress import Progress
from crossdeps.report.lock import LockContent, LockReport
from crossdeps.requirements.pylock import DEFAULT_LOCK, parse_pylock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from packaging.pylock import Pylock
    from packaging.utils import NormalizedName
    from packaging.version import Version

    from crossdeps.target.model import Target

    Pins = Mapping[NormalizedName, Version]

_KIND: Final = "locks3"
# With the text of pylock.toml, if that of the content is another.
_DECODER: Final = msgspec.msgpack.Decoder(tuple[Trace, tuple[LockContent, str]])


def lock(
    requirements: RequirementsLike,
    target: Target | Sequence[Target],
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
    preferences: Mapping[NormalizedName, Version] | None = None,
    newest_per_target: bool = False,
) -> Pylock:
    """Choose a version of every required project, and the wheels for each target.

    :param requirements: the path of a requirements file or project; or requirement strings
    :param preferences: versions to keep if they still fit, such as those of an older lock
    :param newest_per_target: choose the newest version for each target, instead of one version that
        fits all of them where there is one
    :returns: a valid lock (PEP 751), which :func:`crossdeps.build` accepts
    :raises CrossdepsError: see :mod:`crossdeps.errors`
    """
    targets = target if isinstance(target, Sequence) else (target,)
    report = plan_lock(
        requirements,
        targets,
        settings=settings,
        progress=progress,
        preferences=preferences,
        newest_per_target=newest_per_target,
    )
    return report.read_lock()


def plan_lock(
    requirements: RequirementsLike,
    targets: Sequence[Target],
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
    preferences: Pins | None = None,
    previous: PreviousLock | None = None,
    relative_to: Path | None = None,
    form: Literal["pylock", "requirements"] = "pylock",
    newest_per_target: bool = False,
) -> LockReport:
    """Choose versions for every target, and report what changed and where targets differ.

    :param preferences: versions to keep if they still fit
    :param previous: the lock whose versions are kept if they still fit
    :param relative_to: directory that paths in the lock are relative to; None keeps them absolute
    :param form: of the lock's text
    :param newest_per_target: let targets have different versions of a project
    :raises InputError: if the previous lock is unreadable, and must not be
    :raises OutputError: if the previous lock is another file
    :raises CrossdepsError: see :mod:`crossdeps.errors`
    """
    request = read_requirements(requirements)
    kept = _hash_previous(previous)
    with open_session(request, settings or Settings(), progress or Progress()) as session:
        pinned = sorted((name, str(version)) for name, version in (preferences or {}).items())
        others = (targets, form, relative_to, newest_per_target, pinned)
        key = make_key(session, *others, kept)
        recalled = recall(session, _KIND, key, _DECODER)
        if recalled is None:
            session.prefetch()
            from crossdeps.pipeline.lock_resolution import make_lock  # noqa: PLC0415 - see above

            lock, content = make_lock(
                targets,
                session,
                preferences=preferences or {},
                previous=previous,
                relative_to=relative_to,
                form=form,
                newest_per_target=newest_per_target,
            )
            is_known = kept is not None and kept == _hash_previous(previous)
            if is_known and not content.previous_warnings:
                from crossdeps.resolution.lock.writer import dump  # noqa: PLC0415 - as above

                text = "" if form == "pylock" else dump(lock)
                remember(session, _KIND, key, (content, text))
                # Nothing changes when this very lock is the previous one: each version still fits.
                again = msgspec.structs.replace(content, changes=())
                key = make_key(session, *others, _KeptFile(hash_bytes(content.text.encode())))
                remember(session, _KIND, key, (again, text))
            return LockReport(targets=tuple(targets), content=content, read_lock=lambda: lock)
    content, text = recalled
    directory = str(relative_to or current_directory())
    return LockReport(
        targets=tuple(targets),
        content=content,
        read_lock=lambda: parse_pylock(text or content.text, DEFAULT_LOCK, directory),
    )


class _KeptFile(msgspec.Struct, frozen=True):
    """What decides about what is kept of the previous lock.

    :param digest: SHA-256 of the file; empty if there is none
    """

    digest: str = ""
    upgrade: bool = False
    upgrades: tuple[str, ...] = ()


def _hash_previous(previous: PreviousLock | None) -> _KeptFile | None:
    """Return what decides about what is kept; None if it cannot be known."""
    if previous is None:
        return _KeptFile()
    digest = previous.digest()
    upgrades = tuple(sorted(previous.upgrades))
    return _KeptFile(digest, previous.upgrade, upgrades) if digest else None
