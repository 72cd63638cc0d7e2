"""Tasks that a few threads run ahead of time, or that run at once when the result is needed."""

from __future__ import annotations

import copy
import queue
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

from crossdeps.errors import CrossdepsError
from crossdeps.system_errors import start_threads

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Task(Generic[T]):
    """A function that is called once, by the first thread that reaches it."""

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._started = threading.Lock()
        self._future: Future[T] = Future()

    @property
    def is_started(self) -> bool:
        """Whether the function was called; it may not have returned yet."""
        return self._started.locked()

    def run(self) -> None:
        """Call the function, unless it was called before; its error is raised by :meth:`result`."""
        if not self._started.acquire(blocking=False):
            return
        try:
            self._future.set_result(self._function())
        except BaseException as error:  # noqa: BLE001 - raised by result()
            self._future.set_exception(error)

    def result(self) -> T:
        """Return the result: run the task here, or wait for the thread that runs it.

        :raises BaseException: what the function raised
        """
        self.run()
        try:
            return self._future.result()
        except CrossdepsError as error:
            # Callers add context to an error, so that each gets its own copy.
            raise copy.copy(error) from error.__cause__


class Workers:
    """Daemon threads, which end with the process whatever they wait for.

    Where the system allows no threads, a task runs when its result is needed.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._queue: queue.SimpleQueue[Task[object] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._closed = False

    def submit(self, task: Task[T]) -> None:
        """Queue *task*, unless the workers are closed."""
        with self._lock:
            if self._closed:
                return
            if len(self._threads) < self._count:
                thread = threading.Thread(target=self._work, name="crossdeps-index", daemon=True)
                if start_threads([thread]):
                    self._threads.append(thread)
        self._queue.put(task)  # type: ignore[arg-type] # the queue ignores results

    def _work(self) -> None:
        while (task := self._queue.get()) is not None:
            if not self._closed:
                task.run()

    def close(self) -> None:
        """Drop the tasks that have not started; those that have, end by themselves."""
        with self._lock:
            self._closed = True
        for _ in self._threads:
            self._queue.put(None)
