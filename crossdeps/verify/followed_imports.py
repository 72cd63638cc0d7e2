"""Follows the imports of the user's source from the handler on, in the order in which they run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from crossdeps.verify.module_names import containing_packages, iterate_parents
from crossdeps.verify.python_source import Import, read_events
from crossdeps.verify.search_path import PathChange
from crossdeps.verify.target_syntax import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from crossdeps.bundle.model import Entry
    from crossdeps.verify.model import Handler
    from crossdeps.verify.modules import Missing, ModuleIndex
    from crossdeps.verify.python_source import Events, Timing


class SourceFile(msgspec.Struct, frozen=True, kw_only=True):
    """A source file of the user.

    :param module: dotted name
    :param timing: ``startup`` if importing the handler imports it, ``optional`` if that may fail
        without harm, ``deferred`` if the source alone doesn't tell
    :param missing: the imports that will fail, with what they will not find
    :param error: why it cannot be parsed
    """

    entry: Entry
    module: str
    timing: Timing
    imports: tuple[Import, ...] = ()
    missing: tuple[tuple[Import, Missing], ...] = ()
    error: SourceError | None = None


def read_sources(
    modules: ModuleIndex, *, handler: Handler, imported_only: bool
) -> tuple[SourceFile, ...]:
    """Read each source file of the user once, those that run at startup first.

    :param imported_only: leave out what the handler doesn't import
    :raises ArtifactReadError: if a file cannot be read
    """
    reader = SourceReader(modules)
    reader.follow([handler.module], "startup")
    reader.follow(reader.optional, "optional")
    if not imported_only or not reader.frames:
        reader.read_remaining()
    return tuple(reader.finish(frame) for frame in reader.frames)


class Frame:
    """A file that is being read, as far as its imports were followed."""

    def __init__(self, entry: Entry, module: str, timing: Timing) -> None:
        self.entry = entry
        self.module = module
        self.timing = timing
        self.events: Events | None = None
        self.error: SourceError | None = None
        self.fails = False
        self.imports: list[tuple[Import, Missing | None]] = []


class SourceReader:
    """Reads source files, following their imports.

    :param accepts: whether a module is read, by its name and its file; the user's are by default
    """

    def __init__(
        self, modules: ModuleIndex, accepts: Callable[[str, Entry], bool] | None = None
    ) -> None:
        self.frames: list[Frame] = []
        self.optional: list[str] = []
        """Modules whose import may fail without harm."""
        self._modules = modules
        self._accepts = accepts or (lambda _, entry: modules.is_users(entry))
        self._read: set[str] = set()

    def follow(self, names: Iterable[str], timing: Timing) -> None:
        """Read the modules *names*, and what they import when they are imported."""
        stack = self._open(names, timing)
        while stack:
            frame = stack[-1]
            event = self._advance(frame)
            if event is None:
                stack.pop()
            elif isinstance(event, PathChange):
                self._modules.change_path(event)
                frame.fails = False
            else:
                missing = self._modules.find_missing(event)
                frame.imports.append((event, missing))
                frame.fails = missing is not None
                if event.timing == "startup" and event.module:
                    stack += self._open(event.dotted_names, timing)
                elif event.timing == "optional" and event.module:
                    self.optional += event.dotted_names

    def _open(self, names: Iterable[str], timing: Timing) -> list[Frame]:
        """Make frames for what was not read yet: the first to be read comes last."""
        opened: list[Frame] = []
        for module in names:
            for name in iterate_parents(module):
                entry = self._modules.find_entry(name)
                if entry is not None and self._is_new(name, entry):
                    self._read.add(entry.path)
                    opened.append(Frame(entry, name, timing))
        self.frames += opened
        return opened[::-1]

    def _is_new(self, module: str, entry: Entry) -> bool:
        is_unread = entry.path not in self._read and entry.path.endswith(".py")
        return is_unread and self._accepts(module, entry)

    def _advance(self, frame: Frame) -> Import | PathChange | None:
        """Read *frame* up to the next event; None at its end."""
        try:
            if frame.events is not None:
                return frame.events.send(frame.fails)
            events = read_events(
                self._modules.read(frame.entry),
                package=containing_packages(frame.module, frame.entry.path),
                python=self._modules.target.python,
                location=self._modules.locate(frame.entry),
            )
            if isinstance(events, SourceError):
                frame.error = events
                return None
            frame.events = events
            return next(events)
        except StopIteration:
            return None
        except RecursionError:
            frame.error = SourceError(message="too deeply nested", line=None, certain=False)
            return None

    def read_remaining(self) -> None:
        """Read all files that were not read yet."""
        for module, entry in sorted(self._modules.user_modules.items()):
            if self._is_new(module, entry):
                self._read.add(entry.path)
                frame = Frame(entry, module, "deferred")
                self.frames.append(frame)
                while (event := self._advance(frame)) is not None:
                    frame.fails = False
                    if isinstance(event, Import):
                        missing = self._modules.find_missing(event)
                        frame.imports.append((event, missing))
                        frame.fails = missing is not None

    def finish(self, frame: Frame) -> SourceFile:
        """Return what was read. What runs later finds the directories that were added since."""
        found = [
            (item, missing if item.timing == "startup" else self._modules.find_missing(item))
            for item, missing in frame.imports
            if missing is not None
        ]
        return SourceFile(
            entry=frame.entry,
            module=frame.module,
            timing=frame.timing,
            imports=tuple(item for item, _ in frame.imports) if frame.error is None else (),
            missing=tuple((item, missing) for item, missing in found if missing),
            error=frame.error,
        )
