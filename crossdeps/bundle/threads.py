"""Work that several threads share: zlib, hashlib and reading files release the interpreter lock."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")


def run_in_threads(
    work: Callable[[Iterator[T]], object], items: Iterable[T], *, threads: int
) -> None:
    """Call *work* in as many as *threads* threads, the current one among them.

    Each call gets an iterator; together these yield every item once, in order. After an exception
    they end early; the first exception is raised when all calls have returned.
    """
    pending = deque(items)
    errors: list[BaseException] = []

    def take() -> Iterator[T]:
        with contextlib.suppress(IndexError):  # none is left
            while True:
                yield pending.popleft()

    def run() -> None:
        try:
            work(take())
        except BaseException as error:  # noqa: BLE001 - raised below
            errors.append(error)
            pending.clear()

    others = [
        threading.Thread(target=run, name="crossdeps-read", daemon=True)
        for _ in range(min(threads, len(pending)) - 1)
    ]
    for thread in others:
        thread.start()
    run()
    for thread in others:
        thread.join()
    if errors:
        raise errors[0]
