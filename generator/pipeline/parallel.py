"""One piece of work over all cores, for repositories where that pays."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Literal, TypeVar

T = TypeVar("T")
R = TypeVar("R")

# Below this a second process costs more than it brings.
ENOUGH = 200


def parallel_map(
    items: Sequence[T], work: Callable[[Sequence[T]], Iterable[R]], processes: int = 0
) -> Iterator[R]:
    """Do some work on all items, in forked processes that share what this one already knows.

    Args:
        items: what to work on; each process gets every n-th.
        work: called with some of the items; what it yields travels here one by one, so keep that small.
        processes: how many; 0 for one a core, or one where there is too little to do.

    Returns:
        What the processes yield, as it arrives.

    Raises:
        Exception: the first exception of any process, as it was raised there, once all others are done.
    """
    wanted = processes or (min(len(os.sched_getaffinity(0)), 8) if len(items) >= ENOUGH else 1)
    if wanted == 1 or "fork" not in multiprocessing.get_all_start_methods():
        yield from work(items)
        return
    fork = multiprocessing.get_context("fork")
    running: list[tuple[Connection, BaseProcess]] = []
    try:
        for index in range(wanted):
            ours, theirs = fork.Pipe(duplex=False)
            process: BaseProcess = fork.Process(target=_child, args=(theirs, work, items[index::wanted]))
            process.start()
            theirs.close()
            running.append((ours, process))
        yield from _answers([ours for ours, _ in running])
    except BaseException:
        # Nobody listens any more; what a writer leaves behind when it is ended, the next run repairs.
        for _, process in running:
            process.terminate()
        raise
    finally:
        for ours, process in running:
            process.join()
            ours.close()


def _child(answer: Connection, work: Callable[[Sequence[T]], Iterable[R]], items: Sequence[T]) -> None:
    try:
        for found in work(items):
            answer.send(("found", found))
        answer.send(("done", None))
    except Exception as error:  # noqa: BLE001 - it is raised again in the parent
        answer.send(("failed", error))


def _answers(waiting: list[Connection]) -> Iterator[Any]:
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
        answer: tuple[Literal["found", "done", "failed"], Any] = connection.recv()
    except EOFError:
        return "failed", RuntimeError("a worker process was killed; run again, what it wrote is whole")
    return answer
