"""Spreads work over all cores, for repositories that are large enough."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from generator.output.platform_support import cores

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

T = TypeVar("T")
R = TypeVar("R")

ENOUGH: Final = 200
"""Below this number of items a second process costs more than it saves."""
_MOST: Final = 8


def parallel_map(
    items: Sequence[T], work: Callable[[Sequence[T]], Iterable[R]], processes: int = 0
) -> Iterator[R]:
    """Apply a function to all items, in forked processes that share the memory of this one.

    Args:
        items: what to work on; each process gets every n-th.
        work: called with some of the items; its results are sent back one by one, so they should be small.
        processes: how many; 0 for one per core, or one if there is too little to do.

    Returns:
        The results of the processes, as they arrive.

    Raises:
        Exception: the first exception of any process, when all others are done.
    """
    wanted = processes or (min(cores(), _MOST) if len(items) >= ENOUGH else 1)
    if wanted == 1 or not _can_fork():
        return iter(work(items))
    return _forked([items[index::wanted] for index in range(wanted)], work)


def _can_fork() -> bool:
    return hasattr(os, "fork")


def _forked(shares: Sequence[Sequence[T]], work: Callable[[Sequence[T]], Iterable[R]]) -> Iterator[R]:
    import multiprocessing

    fork = multiprocessing.get_context("fork")
    running: list[tuple[Connection, BaseProcess]] = []
    try:
        for share in shares:
            ours, theirs = fork.Pipe(duplex=False)
            process: BaseProcess = fork.Process(target=_child, args=(theirs, work, share))
            process.start()
            theirs.close()
            running.append((ours, process))
        yield from _receive_all([ours for ours, _ in running])
    except BaseException:
        # The results are no longer read; the next run repairs what a killed writer leaves.
        for _, process in running:
            process.terminate()
        raise
    finally:
        for ours, process in running:
            process.join()
            ours.close()


def _child(results: Connection, work: Callable[[Sequence[T]], Iterable[R]], items: Sequence[T]) -> None:
    try:
        for found in work(items):
            results.send(("found", found))
        results.send(("done", None))
    except Exception as error:  # noqa: BLE001 - it is raised again in the parent
        results.send(("failed", error))


def _receive_all(waiting: list[Connection]) -> Iterator[Any]:
    from multiprocessing.connection import Connection, wait

    failures: list[BaseException] = []
    while waiting:
        for connection in wait(waiting):
            if not isinstance(connection, Connection):
                continue
            kind, value = _receive(connection)
            if kind == "found":
                yield value
                continue
            waiting.remove(connection)
            if isinstance(value, BaseException):
                failures.append(value)
    if failures:
        raise failures[0]


def _receive(connection: Connection) -> tuple[Literal["found", "done", "failed"], Any]:
    try:
        result: tuple[Literal["found", "done", "failed"], Any] = connection.recv()
    except EOFError:
        message = "a worker process was killed; run the command again (files that it wrote are complete)"
        return "failed", RuntimeError(message)
    return result
