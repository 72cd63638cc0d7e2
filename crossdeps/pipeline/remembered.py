"""Results of earlier runs, which are used again while all that they were made from is the same.

What a run makes is a function of its request, its targets and its settings, and of what it reads on
the way: files, environment variables and index pages. The former are the key of its result, and the
latter its trace, with the digest of each. A result of the same key whose trace still holds is what
the run would make again.

Source: "Build systems à la carte" (Mokhov, Mitchell, Peyton Jones, 2018), "verifying traces".
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from crossdeps.derived import DerivedCache
from crossdeps.errors import CrossdepsError
from crossdeps.fs import hash_bytes, hash_file
from crossdeps.index.cache import IndexCache
from crossdeps.index.page_states import PageState, find_changed
from crossdeps.pipeline.request import Lock
from crossdeps.version import __version__

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from crossdeps.pipeline.request import Settings
    from crossdeps.pipeline.session import Session
    from crossdeps.target.model import Target

T = TypeVar("T")

_STANDARD_INPUT = "-"
# Whatever these say, a result is the same.
_IRRELEVANT = frozenset({
    "connection", "offline", "refresh", "cache", "no_cache", "force", "dry_run",
})  # fmt: skip


class Trace(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a run has read, with the digest of each content.

    :param files: the SHA-256 of each by absolute path
    :param variables: the SHA-256 of environment variables by name; None for those that are not set
    :param pages: of indexes
    :param exclude_newer: the cut-off of upload times in ISO 8601; not a part of the key, because
        each run that counts it back from now would add another result
    """

    files: dict[str, str]
    variables: dict[str, str | None] = {}
    pages: tuple[PageState, ...] = ()
    exclude_newer: str = ""


def recall(
    session: Session, kind: str, key: str, decoder: msgspec.msgpack.Decoder[tuple[Trace, T]]
) -> T | None:
    """Return the result of an earlier run; None if there is none that holds still.

    :param key: result of :func:`make_key`
    """
    data = None if session.settings.refresh else DerivedCache(session.cache).read(kind, key)
    if data is None:
        return None
    try:
        trace, result = decoder.decode(data)
    except msgspec.MsgspecError:
        return None
    if not trace_holds(trace, session):
        return None
    session.recalled_pages += trace.pages
    return result


def remember(session: Session, kind: str, key: str, result: object) -> None:
    """Keep the result of a run, if all that it has read can be read again."""
    trace = trace_session(session)
    # A file may have been changed while it was read.
    if trace is not None and _files_hold(trace):
        DerivedCache(session.cache).write(kind, key, msgspec.msgpack.encode((trace, result)))


def make_key(
    session: Session,
    targets: Sequence[Target],
    *others: object,
    relevant: Collection[str] | None = None,
) -> str:
    """Return the key of what *session* makes for *targets*.

    :param others: what else decides about the result; made of types that msgspec encodes
    :param relevant: names of the settings that decide about it; None for those that may
    """
    configured = session.configured
    parts = [
        __version__,
        list(_identify_code()),
        os.getcwd(),  # noqa: PTH109 - a text
        session.request,
        targets,
        _select_settings(session.settings, relevant),
        [configured.options.specified, configured.warnings],
        others,
    ]
    return msgspec.json.encode(parts, enc_hook=repr, order="deterministic").decode()


def _select_settings(settings: Settings, relevant: Collection[str] | None) -> dict[str, Any]:
    """Return the settings that decide about a result, by name.

    The path of an artifact matters only where it may lie within the source.
    """
    policy = msgspec.structs.replace(settings.policy, exclude_newer=None)
    values = {**msgspec.structs.asdict(settings), "policy": policy}
    if not settings.layout.sources:
        values["layout"] = msgspec.structs.replace(settings.layout, output=None)
    names = values.keys() - _IRRELEVANT if relevant is None else relevant
    return {name: values[name] for name in sorted(names)}


def _identify_code() -> Iterator[tuple[str, int, int]]:
    """Yield what identifies the installed code of crossdeps and of its dependencies.

    A version does not tell a checkout from another. The directory that holds the dependencies
    changes with every installation of one.
    """
    yield "", os.stat(os.path.dirname(os.path.dirname(msgspec.__file__))).st_mtime_ns, 0  # noqa: PTH116, PTH120 - texts
    waiting = [os.path.dirname(os.path.dirname(__file__))]  # noqa: PTH120 - a text
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.name.endswith(".py"):
                    stat = entry.stat()
                    yield entry.name, stat.st_mtime_ns, stat.st_size
                elif "." not in entry.name and entry.name != "__pycache__" and entry.is_dir():
                    waiting.append(entry.path)


def trace_session(session: Session) -> Trace | None:
    """Return the trace of what *session* has read.

    :returns: None if something was read that cannot be read again, or has no digest: standard
        input, directories and repositories to build
    """
    inputs = session.inputs
    if isinstance(session.request, Lock) and not inputs.files:
        return None
    pages = tuple(dict.fromkeys((*session.recalled_pages, *session.page_states)))
    everything = (*inputs.requirements, *inputs.constraints, *inputs.overrides)
    if any(requirement.source for requirement in everything):
        return None
    if any(not page.digest and page.kind != "absent" for page in pages):
        return None
    if _STANDARD_INPUT in inputs.files or "" in inputs.files.values():
        return None
    return Trace(
        files=dict(inputs.files),
        variables={
            name: None if value is None else _hash_variable(value)
            for name, value in session.environment.read.items()
        },
        pages=pages,
        exclude_newer=_exclude_newer(session),
    )


def trace_holds(trace: Trace, session: Session) -> bool:
    """Whether everything in *trace* has the same content still."""
    return (
        trace.exclude_newer == _exclude_newer(session)
        and _files_hold(trace)
        and _variables_hold(trace, session.environment.variables)
        and (not trace.pages or _pages_hold(trace.pages, session))
    )


def _exclude_newer(session: Session) -> str:
    moment = session.settings.policy.exclude_newer
    return moment.isoformat() if moment else ""


def _pages_hold(pages: Sequence[PageState], session: Session) -> bool:
    """Whether pages are unchanged; those that are not fresh are requested again, all at once."""
    now = None if session.settings.offline else time.time()
    cache = IndexCache(session.cache, _ignore) if session.cache else None
    changed = find_changed(pages, cache, now=now)
    if cache and not changed:
        for page in pages:
            cache.touch_page(page.key)
    if not changed or session.settings.offline:
        return not changed
    try:
        return session.index.are_unchanged(changed)
    except CrossdepsError:  # the run that follows meets it again, and explains it
        return False


def _ignore(_warning: str) -> None:
    """Ignore a warning about the cache, which the client of the index gives too."""


def _files_hold(trace: Trace) -> bool:
    try:
        return all(hash_file(Path(path)) == sha256 for path, sha256 in trace.files.items())
    except (OSError, ValueError):
        return False


def _variables_hold(trace: Trace, variables: Mapping[str, str]) -> bool:
    for name, digest in trace.variables.items():
        value = variables.get(name)
        if digest != (None if value is None else _hash_variable(value)):
            return False
    return True


def _hash_variable(value: str) -> str:
    """Return the digest of a value, which may be a secret."""
    return hash_bytes(value.encode("utf-8", "surrogateescape"))
