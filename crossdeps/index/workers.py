"""Work done ahead by a few threads, or at once by whoever needs its result first."""

from __future__ import annotations

import copy
import queue
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

from crossdeps.errors import CrossdepsError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Task(Generic[T]):
    """Work that is done once, by the first thread that comes to it."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._begun = threading.Lock()
        self._future: Future[T] = Future()

    def run(self) -> None:
        """Do the work, unless somebody does or did; its error waits in the result."""
        if not self._begun.acquire(blocking=False):
            return
        try:
            self._future.set_result(self._work())
        except BaseException as error:  # noqa: BLE001 - kept for whoever asks for the result
            self._future.set_exception(error)

    def result(self) -> T:
        """The result: worked for here if nobody has begun, else waited for.

        :raises BaseException: what the work raised
        """
        self.run()
        try:
            return self._future.result()
        except CrossdepsError as error:
            # Callers add where they were to an error; each gets one of its own.
            raise copy.copy(error) from error.__cause__


class Workers:
    """Threads that end with the process, whatever they are waiting for."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._queue: queue.SimpleQueue[Task[object] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._closed = False

    def submit(self, task: Task[T]) -> None:
        """Have *task* run some time, unless the workers are closed."""
        with self._lock:
            if self._closed:
                return
            if len(self._threads) < self._count:
                thread = threading.Thread(target=self._work, name="crossdeps-index", daemon=True)
                self._threads.append(thread)
                thread.start()
        self._queue.put(task)  # type: ignore[arg-type] # results don't matter to the queue

    def _work(self) -> None:
        while (task := self._queue.get()) is not None:
            if not self._closed:
                task.run()

    def close(self) -> None:
        """Drop what hasn't begun; what has, ends by itself."""
        with self._lock:
            self._closed = True
        for _ in self._threads:
            self._queue.put(None)
