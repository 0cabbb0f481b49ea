"""One piece of work over all cores, for repositories where that pays."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

# Below this a second process costs more than it brings.
ENOUGH = 200


def spread(items: Sequence[T], work: Callable[[Sequence[T]], R], processes: int = 0) -> list[R]:
    """Do some work on all items, in forked processes that share what this one already knows.

    Args:
        items: what to work on; each process gets every n-th.
        work: called with some of the items; what it returns travels back, so keep that small.
        processes: how many; 0 for one a core, or one where there is too little to do.

    Raises:
        Exception: the first exception of any process, as it was raised there.
    """
    wanted = processes or (min(len(os.sched_getaffinity(0)), 8) if len(items) >= ENOUGH else 1)
    if wanted == 1 or "fork" not in multiprocessing.get_all_start_methods():
        return [work(items)] if items else []
    fork = multiprocessing.get_context("fork")
    running = []
    for index in range(wanted):
        ours, theirs = fork.Pipe(duplex=False)
        process = fork.Process(target=_child, args=(theirs, work, items[index::wanted]))
        process.start()
        theirs.close()
        running.append((process, ours))
    answers = [_answer(ours) for _, ours in running]
    for process, _ in running:
        process.join()
    return [_unwrap(answer) for answer in answers]


def _child(answer: Connection, work: Callable[[Sequence[T]], R], items: Sequence[T]) -> None:
    try:
        answer.send((True, work(items)))
    except Exception as error:  # noqa: BLE001 - it is raised again in the parent
        answer.send((False, error))


def _answer(connection: Connection) -> tuple[bool, object]:
    try:
        found: tuple[bool, object] = connection.recv()
    except EOFError:
        return False, RuntimeError("a worker process was killed; run again, what it wrote is whole")
    return found


def _unwrap(answer: tuple[bool, object]) -> R:  # type: ignore[type-var]
    fine, value = answer
    if not fine and isinstance(value, BaseException):
        raise value
    return value  # type: ignore[return-value]
