"""Work in several processes: all of it arrives, and a failure in one is reported once the others are done."""

from __future__ import annotations

import os
import signal

import pytest

from generator.pipeline.parallel import parallel_map


def test_everything_arrives_from_every_process():
    found = list(parallel_map(range(100), lambda some: ((os.getpid(), item) for item in some), 3))
    assert sorted(item for _, item in found) == list(range(100))
    assert len({process for process, _ in found}) == 3
    assert os.getpid() not in {process for process, _ in found}


def test_little_work_stays_here():
    assert list(parallel_map(range(3), lambda some: ((os.getpid(), item) for item in some))) == [
        (os.getpid(), item) for item in range(3)
    ]


def test_an_exception_travels_once_the_others_are_done(tmp_path):
    def work(some):
        for item in some:
            if item == 0:
                raise ValueError("the first")
            (tmp_path / str(item)).touch()
            yield item

    with pytest.raises(ValueError, match="the first"):
        list(parallel_map(range(20), work, 2))
    assert sorted(int(path.name) for path in tmp_path.iterdir()) == list(range(1, 20, 2))


def test_a_process_that_is_killed_is_an_error():
    def work(some):
        os.kill(os.getpid(), signal.SIGKILL)
        yield from some

    with pytest.raises(RuntimeError, match="killed"):
        list(parallel_map(range(4), work, 2))


def test_when_nobody_listens_any_more_the_processes_end():
    def work(some):
        while True:
            yield from ((os.getpid(), item) for item in some)

    running = parallel_map(range(4), work, 2)
    process, _ = next(running)
    running.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
