"""Runs scenarios in the running cluster, each in its own process, two at a time; what they disturb decides the order.

python -m tests.cluster.phases FILE...
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

_PYTEST = [sys.executable, "-m", "pytest", "-v", "-s", "-p", "no:cacheprovider"]
# Scenarios that need an empty cluster, and those that do not affect one that runs at the same time: the API server, namespaces of the kernel.
_EMPTY, _ASIDE = ("scenario_13",), ("scenario_00", "scenario_90")
# What stops the programs that others measure with, and what is judged without Prometheus.
_DISTURBING = ("scenario_05_prometheus", "scenario_11", "scenario_15_cohort")
_UNDISTURBED = ("scenario_07", "scenario_06", "scenario_10")
# The longest first, so that nothing is left running alone at the end; scenarios that count seconds run alone.
_LONGEST = ("scenario_03", "scenario_04", "scenario_17", "scenario_16")
_COUNTING = ("scenario_08",)


@dataclass(frozen=True)
class Queue:
    """Files that are run in this order, so many at a time."""

    files: Sequence[str]
    workers: int = 1


def rounds(files: Sequence[str]) -> list[tuple[Queue, ...]]:
    """Queues that run side by side; one round after the other."""

    def named(*starts: str) -> list[str]:
        return [file for start in starts for file in files if Path(file).name.startswith(start)]

    apart = {*named(*_EMPTY, *_ASIDE, *_DISTURBING, *_UNDISTURBED)}
    longest, counting = named(*_LONGEST), named(*_COUNTING)
    rest = [file for file in files if file not in {*apart, *longest, *counting}]
    return [
        (Queue(named(*_EMPTY)), Queue(named(*_ASIDE))),
        (Queue([*longest, *rest], workers=2),),
        (Queue(counting),),
        (Queue(named(*_DISTURBING)), Queue(named(*_UNDISTURBED))),
    ]


def main(files: Sequence[str]) -> int:
    """Run them; the worst exit code."""
    if len(files) == 1:
        return subprocess.run([*_PYTEST, *files]).returncode
    return max(code for queues in rounds(files) for code in _side_by_side(queues))


def _side_by_side(queues: Sequence[Queue]) -> list[int]:
    pools = [ThreadPoolExecutor(queue.workers) for queue in queues]
    try:
        running = [
            pool.submit(_run, file) for pool, queue in zip(pools, queues, strict=True) for file in queue.files
        ]
        return [one.result() for one in running]
    finally:  # Ctrl-C: nothing more is begun
        for pool in pools:
            pool.shutdown(cancel_futures=True)


def _run(file: str) -> int:
    began = time.monotonic()
    done = subprocess.run([*_PYTEST, file], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    verdict = "failed" if done.returncode else "passed"
    # Whole, when it is over: mixed lines of two scenarios are hard to read.
    print(f"{done.stdout}\n{Path(file).stem} {verdict} in {time.monotonic() - began:.0f} s\n", flush=True)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
