"""Builds of earlier runs: what was written and reported, written again from the store.

A zip is the same as before, and its SHA-256 proves it: nothing else needs to be verified again. One
that is there already is left as it is. For a directory, the wheels are verified.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from crossdeps.bundle.model import Bundle
from crossdeps.bundle.staging import Written
from crossdeps.errors import IntegrityError, OutputError
from crossdeps.fs import current_directory, hash_bytes, hash_file
from crossdeps.pipeline.artifact import check_output, describe_artifact, remember_output
from crossdeps.pipeline.remembered import Trace, recall, remember
from crossdeps.pipeline.request import Lock
from crossdeps.pipeline.runtime import find_runtime_packages
from crossdeps.report.build import KeptReport, keep_report, restore_findings, restore_packages
from crossdeps.report.model import Report
from crossdeps.requirements.pylock import DEFAULT_LOCK, parse_pylock
from crossdeps.target.runtimes import ProvidedProject

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from packaging.pylock import Pylock

    from crossdeps.bundle.model import Layout
    from crossdeps.bundle.zip_layout import ZipLayout
    from crossdeps.pipeline.request import Settings
    from crossdeps.pipeline.session import Session
    from crossdeps.target.model import Target

_KIND: Final = "builds3"


class KeptBuild(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a build made.

    :param content: the layout of a zip or the entries of a directory, encoded: what is unchanged is
        not written
    :param count: number of files
    :param size: bytes of the zip, or of all files of the directory
    :param sha256: of the zip, in hex
    :param unzipped: bytes of all files
    :param sources: digest of the user's source, as :func:`read_source_state` returns it
    :param lock: text of the lock that the requirements were resolved to; empty if one was given
    """

    content: msgspec.Raw
    count: int
    size: int
    sha256: str
    unzipped: int
    sources: str
    lock: str
    report: KeptReport


_DECODER: Final = msgspec.msgpack.Decoder(tuple[Trace, KeptBuild])


def recall_build(session: Session, target: Target, key: str) -> Report | None:
    """Write the artifact that an earlier run wrote, if this one would make the same.

    :param key: of the build
    :returns: None if there is no such run, the store no longer has the same wheels, or the output
        cannot be written
    """
    settings = session.settings
    output = settings.layout.output
    if output is None or not _is_memorable(settings):
        return None
    kept = recall(session, _KIND, key, _DECODER)
    if kept is None or kept.sources != read_source_state(settings.layout):
        return None
    try:
        written = _find_unchanged(kept, output) or _write(kept, output, session)
    except (IntegrityError, OutputError, msgspec.MsgspecError):
        # A wheel was damaged, or a file cannot be read or written: a build finds which, fetches a
        # wheel again, and says what is wrong with the others.
        return None
    if written is None:
        return None
    return Report(
        target=target,
        artifact=describe_artifact(settings, written, entries=kept.count, unzipped=kept.unzipped),
        read_lock=_lock_reader(session, kept.lock),
        packages=restore_packages(kept.report),
        findings=restore_findings(kept.report),
        removed=kept.report.removed,
        source_left_out=kept.report.source_left_out,
        provided=_find_provided(kept.report.left_out, session, target),
        indexes=kept.report.indexes,
        warnings=kept.report.warnings,
        notes=kept.report.notes,
    )


def _find_unchanged(kept: KeptBuild, output: Path) -> Written | None:
    """Return the zip at *output* if it is the same already, after setting its time to now.

    Tools such as make compare the time with those of the inputs.
    """
    if not kept.sha256:
        return None
    try:
        found = output.lstat()
        if not (stat.S_ISREG(found.st_mode) and found.st_size == kept.size):
            return None
        if hash_file(output) != kept.sha256:
            return None
        os.utime(output)
    except OSError:  # it does not exist, or writing reports the error
        return None
    return Written(path=output, size=kept.size, sha256=kept.sha256)


def _write(kept: KeptBuild, output: Path, session: Session) -> Written | None:
    """Write what was made.

    :returns: None if the store no longer has the same wheels
    """
    from crossdeps.bundle.write import write_directory, write_zip_layout  # noqa: PLC0415 - loads much

    settings = session.settings
    checked = check_output(settings)
    if kept.sha256:
        from crossdeps.bundle.zip_layout import decode_layout  # noqa: PLC0415 - as above

        layout = decode_layout(kept.content)
        paths = _find_files(layout, session)
        if paths is None:
            return None
        written = write_zip_layout(
            layout,
            paths,
            output,
            expected_sha256=kept.sha256,
            force=settings.force,
            checked=checked,
            progress=session.progress,
        )
        remember_output(settings, written)
        return written
    from crossdeps.bundle.stored_entries import decode_entries, restore_entries  # noqa: PLC0415 - for directories only

    entries = decode_entries(kept.content)
    wheels = [wheel for wheel in session.store.find_all(entries.wheels) if wheel]
    if len(wheels) < len(entries.wheels):
        return None
    bundle = Bundle(kind="planned", entries=restore_entries(entries, wheels))
    return write_directory(
        bundle, output, force=settings.force, checked=checked, progress=session.progress
    )


def _find_provided(
    names: tuple[str, ...], session: Session, target: Target
) -> tuple[ProvidedProject, ...]:
    if not names:
        return ()
    from packaging.utils import NormalizedName  # noqa: PLC0415 - with --provided only

    projects = find_runtime_packages(session.settings, target).projects
    return tuple(
        projects.get(name, ProvidedProject(name=name, role="dependency"))
        for name in map(NormalizedName, names)
    )


def remember_build(
    session: Session,
    key: str,
    report: Report,
    bundle: Bundle,
    layout: ZipLayout | None,
    *,
    sources: str,
) -> None:
    """Keep what a build made, if it is a function of what can be compared.

    :param key: of the build
    :param layout: of a zip
    :param sources: digest of the user's source before it was read
    """
    settings = session.settings
    is_same = sources == read_source_state(settings.layout)
    if not (_is_memorable(settings) and is_same):
        return
    lock = ""
    if not isinstance(session.request, Lock):
        from crossdeps.resolution.lock.writer import dump  # noqa: PLC0415 - for requirements only

        lock = dump(report.lock)
    from crossdeps.bundle.stored_entries import store_entries  # noqa: PLC0415 - as the writers

    try:
        content = msgspec.msgpack.encode(layout or store_entries(bundle.entries))
    except UnicodeEncodeError:  # the path of a file of the user is not UTF-8
        return
    kept = KeptBuild(
        content=msgspec.Raw(content),
        count=len(bundle.entries),
        size=report.artifact.size,
        sha256=report.artifact.sha256,
        unzipped=report.artifact.unzipped,
        sources=sources,
        lock=lock,
        report=keep_report(report),
    )
    remember(session, _KIND, key, kept)


def _is_memorable(settings: Settings) -> bool:
    return not (settings.dry_run or settings.layers or settings.no_cache)


def read_source_state(layout: Layout) -> str:
    """Return a digest of the user's source: of the path, mode and content of each file of it.

    :returns: hex; empty if there is no source
    :raises InputError: if a source cannot be read
    """
    if not layout.sources:
        return ""
    from crossdeps.bundle.sources import read_sources  # noqa: PLC0415 - for source only

    source = read_sources(layout)
    files = [(entry.path, entry.mode, entry.size, entry.sha256) for entry in source.entries]
    # The others may name a path that is not UTF-8.
    told = [repr(each) for each in (*source.warnings, *source.notes, *source.left_out)]
    return hash_bytes(msgspec.msgpack.encode((files, told)))


def _find_files(layout: ZipLayout, session: Session) -> Sequence[Path] | None:
    """Return the path of each file of *layout*; None if the store lacks a wheel."""
    paths = []
    for file in layout.files:
        path = session.store.link(file.sha256) if file.is_wheel else Path(file.name)
        if path is None:
            return None
        paths.append(path)
    return paths


def _lock_reader(session: Session, text: str) -> Callable[[], Pylock]:
    """Return what reads the lock of a build.

    :param text: of the lock; empty if one was given
    """
    if isinstance(session.request, Lock):
        path, directory = session.request.path, session.request.directory
        # Now, since the file may change until it is parsed.
        given = session.request.text or path.read_bytes().decode()
        return lambda: parse_pylock(given, str(path), directory or str(path.absolute().parent))
    directory = str(current_directory())
    return lambda: parse_pylock(text, DEFAULT_LOCK, directory)
