"""Times, memory and CPU of a service, and what to set."""

from __future__ import annotations

import math

from report import MIB, Load, Report, cause, mebibytes, milliseconds
from server import Server, cpu, memory, send

ROOM = 1.3  # memory above the peak that was seen
SLOWER = 3  # how much slower a start may be in the cluster
MANY = 100  # rows in a large request
MOST_THREADS = 64


def measure(server: Server, rows: list, report: Report, seconds: float) -> None:
    """Measure one client, eight, and one that sends many rows; the memory is the largest that was seen."""
    report.memory_at_start = report.memory_at_most = memory(server)
    many = min(server.facts["max_rows"], MANY)
    for clients, size in ((1, 1), (8, 1), (1, many)):
        requests = [[rows[(start + n) % len(rows)] for n in range(size)] for start in range(clients)]
        shape = f"{clients} client{'s' * (clients > 1)} with {size} row{'s' * (size > 1)} a request"
        before = cpu(server)
        times, failed, took = send(server, requests, seconds)
        used, now = cpu(server), memory(server)
        report.memory_at_most = max(now, report.memory_at_most or 0) if now else None
        if failed or not times:
            report.wrong(
                "measure",
                f"{shape}: {failed} of {failed + len(times)} requests failed",
                cause(server.text())[1],
            )
        if not times:
            continue
        times.sort()
        each = round((used - before) / len(times), 6) if used and before is not None else None
        p50, p99 = (round(times[math.ceil(len(times) * share) - 1], 6) for share in (0.5, 0.99))
        report.load.append(
            Load(clients, size, len(times), failed, round(len(times) * size / took, 1), p50, p99, each)
        )


def propose(facts: dict, report: Report) -> None:
    """Compare what was measured with what the spec says."""
    if report.memory_at_most:
        _memory(facts["memory"], report.memory_at_most, report)
    if report.startup_s and report.startup_s * SLOWER > facts["startup_s"]:
        reason = f"it took {report.startup_s:.1f} s here, and starts in a cluster are slower"
        report.set("service.startup", f"{math.ceil(report.startup_s * SLOWER / 10) * 10}s", reason)
    if report.load:
        _speed(facts, report.load[0], report)


def _memory(limit: int, most: int, report: Report) -> None:
    fits = mebibytes(math.ceil(most * ROOM / MIB / 64) * 64 * MIB)
    if most > limit:
        message = f"the service used {mebibytes(most)}, and a pod is killed above {mebibytes(limit)}"
        report.wrong("measure", message, f"set `resources.memory: {fits}`")
    elif most * ROOM > limit or most * 3 < limit:
        report.set(
            "resources.memory", fits, f"it used {mebibytes(most)}, and the limit is {mebibytes(limit)}"
        )


def _speed(facts: dict, alone: Load, report: Report) -> None:
    """Compare times with the bounds of guards, and CPU time with threads and cores."""
    for guard, bound in facts["slower_than"]:
        counts = f"the guard {guard} counts answers slower than {milliseconds(bound)}"
        if alone.p50_s > bound:
            message = f"{counts}, and with one client half of them take more than {milliseconds(alone.p50_s)}"
            report.wrong("measure", message, "raise `slowerThan`, or make the model faster")
        elif alone.p99_s > bound:
            report.notes.append(
                f"{counts}; with one client 1 of 100 takes more than {milliseconds(alone.p99_s)}"
            )
    if not alone.cpu_s:
        return
    waits = alone.p50_s / alone.cpu_s
    useful = min(MOST_THREADS, round(waits * max(1.0, facts["cpu"])))
    if waits > 2 and useful > facts["threads"]:
        reason = (
            f"a request takes {milliseconds(alone.p50_s)}, and computes {milliseconds(alone.cpu_s)} of that"
        )
        report.set("service.threads", str(useful), reason)
    needed = facts["rps_per_pod"] * alone.cpu_s
    if needed > facts["cpu"]:
        reason = f"{facts['rps_per_pod']:g} requests a second need {needed:.2f} cores, it requests {facts['cpu']:g}"
        report.set("resources.cpu", f"{math.ceil(needed * 10) * 100}m", reason)
