"""Results of earlier runs, which are used again while all that they were made from is the same.

What a run makes is a function of its request, its targets and its settings, and of what it reads on
the way: files, environment variables and index pages. The former are the key of its result, and the
latter its trace, with the digest of each. A result of the same key whose trace still holds is what
the run would make again.

Source: "Build systems à la carte" (Mokhov, Mitchell, Peyton Jones, 2018), "verifying traces".
"""

from __future__ import annotations

import functools
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from crossdeps.config.index_options import gather_index_options
from crossdeps.derived import DerivedCache
from crossdeps.errors import CrossdepsError, InputError
from crossdeps.fs import hash_bytes, hash_input
from crossdeps.index.cache import IndexCache
from crossdeps.index.page_states import PageState, find_changed
from crossdeps.version import __version__

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from crossdeps.index.client import IndexClient
    from crossdeps.pipeline.request import Settings
    from crossdeps.pipeline.session import Session
    from crossdeps.target.model import Target

T = TypeVar("T")

_STANDARD_INPUT = "-"
# Whatever these say, a result is the same.
_IRRELEVANT = frozenset({
    "connection", "offline", "refresh", "cache", "no_cache", "force", "dry_run",
})  # fmt: skip
_PACKAGE_DIRECTORIES = ("site-packages", "dist-packages")


class Trace(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a run has read, with the digest of each content.

    :param files: the SHA-256 of each by absolute path
    :param absent: paths that were looked for and did not exist
    :param variables: the SHA-256 of environment variables by name; None for those that are not set
    :param pages: of indexes
    :param exclude_newer: the cut-off of upload times in ISO 8601; not a part of the key, because
        each run that counts it back from now would add another result
    """

    files: dict[str, str]
    absent: tuple[str, ...] = ()
    variables: dict[str, str | None] = {}
    pages: tuple[PageState, ...] = ()
    exclude_newer: str = ""


def recall(
    session: Session, kind: str, key: str, decoder: msgspec.msgpack.Decoder[tuple[Trace, T]]
) -> T | None:
    """Return the result of an earlier run; None if there is none that holds still.

    :param key: result of :func:`make_key`
    """
    if session.settings.refresh or not key:
        return None
    data = DerivedCache(session.cache).read(kind, key)
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
    trace = trace_session(session) if key else None
    # A file may have been changed while it was read.
    if trace is None or not _files_hold(trace):
        return
    try:
        data = msgspec.msgpack.encode((trace, result))
    except UnicodeEncodeError:  # a path that is not UTF-8
        return
    DerivedCache(session.cache).write(kind, key, data)


def make_key(
    session: Session,
    targets: Sequence[Target],
    *others: object,
    relevant: Collection[str] | None = None,
) -> str:
    """Return the key of what *session* makes for *targets*.

    :param others: what else decides about the result; made of types that msgspec encodes
    :param relevant: names of the settings that decide about it; None for those that may
    :returns: empty if there is none, and nothing is remembered: the installed code is not in files
        of its own, or a path is not UTF-8
    """
    configured = session.configured
    try:
        parts = [
            __version__,
            _identify_code(),
            # What relative paths are relative to.
            [os.getcwd(), os.path.expanduser("~")],  # noqa: PTH109, PTH111 - texts
            session.request,
            targets,
            _select_settings(session.settings, relevant),
            [configured.options.specified, configured.warnings, _check_connection(session)],
            others,
        ]
        return msgspec.json.encode(parts, enc_hook=repr, order="deterministic").decode()
    except (OSError, UnicodeEncodeError):
        return ""


def _check_connection(session: Session) -> tuple[str, ...]:
    """Return the warnings about how to connect, or the error that a run is about to meet.

    Neither is about what an index says, so that a connection is no part of a key otherwise.
    """
    try:
        return gather_index_options(
            session.environment.variables,
            command_line=session.settings.index,
            connection=session.settings.connection,
            configured=session.configured,
            isolated=session.settings.isolated,
        ).warnings
    except InputError as error:
        return ("error", error.message, *error.context)


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


@functools.cache
def _identify_code() -> tuple[tuple[str, int, int], ...]:
    """Return what identifies this Python, and the code of crossdeps and of its dependencies.

    A version does not tell a checkout from another. A directory that holds dependencies changes
    with every installation of one.

    :raises OSError: if the code is not in files of its own
    """
    dependencies = os.path.dirname(os.path.dirname(msgspec.__file__))  # noqa: PTH120 - a text
    directories = [path for path in map(str, sys.path) if path.endswith(_PACKAGE_DIRECTORIES)]
    found = [(sys.version, 0, 0)]
    found += [
        (path, os.stat(path).st_mtime_ns, 0)  # noqa: PTH116 - a text
        for path in (dependencies, *directories)
        if os.path.isdir(path)  # noqa: PTH112 - a text
    ]
    waiting = [os.path.dirname(os.path.dirname(__file__))]  # noqa: PTH120 - a text
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if not entry.is_dir():
                    stat = entry.stat()
                    found.append((entry.name, stat.st_mtime_ns, stat.st_size))
                elif entry.name != "__pycache__":
                    waiting.append(entry.path)
    return tuple(found)


def trace_session(session: Session) -> Trace | None:
    """Return the trace of what *session* has read.

    :returns: None if something was read that cannot be read again, or has no digest: standard
        input, directories and repositories to build
    """
    inputs = session.inputs
    if not _is_reproducible(session):
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
        absent=inputs.absent,
        variables={
            name: None if value is None else _hash_variable(value)
            for name, value in session.environment.read.items()
        },
        pages=pages,
        exclude_newer=_exclude_newer(session),
    )


def _is_reproducible(session: Session) -> bool:
    """Whether the same pages and files give the same result again, as far as is known.

    Not if something was built, nor if the cache failed, which has a warning of its own.
    """
    opened = vars(session)  # what was used of it
    index, builder, store = (opened.get(name) for name in ("index", "builder", "store"))
    return (
        (index is None or _keeps_all(index))
        and (builder is None or not builder.has_built)
        and (store is None or not store.warnings)
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
        for page in pages:  # reading the head of a page has marked it as used
            if page.kind == "metadata":
                cache.touch_metadata(page.key, page.digest)
    if not changed or session.settings.offline:
        return not changed
    try:
        # A cache that fails has a warning, which the run that follows gives.
        return session.index.are_unchanged(changed) and _keeps_all(session.index)
    except CrossdepsError:  # the run that follows meets it again, and explains it
        return False


def _keeps_all(index: IndexClient) -> bool:
    return index.cache is not None and index.cache.is_usable


def _ignore(_warning: str) -> None:
    """Ignore a warning about the cache, which the client of the index gives too."""


def _files_hold(trace: Trace) -> bool:
    is_same = all(hash_input(Path(path)) == sha256 for path, sha256 in trace.files.items())
    return is_same and not any(map(os.path.exists, trace.absent))


def _variables_hold(trace: Trace, variables: Mapping[str, str]) -> bool:
    for name, digest in trace.variables.items():
        value = variables.get(name)
        if digest != (None if value is None else _hash_variable(value)):
            return False
    return True


def _hash_variable(value: str) -> str:
    """Return the digest of a value, which may be a secret."""
    return hash_bytes(value.encode("utf-8", "surrogateescape"))
