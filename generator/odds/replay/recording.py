"""Read files of recorded counters; every mistake in a file is a finding.

A CSV file has the header `time,guard,arm,requests,events`; a JSON file is a list of objects with these keys.

    time      seconds (since 1970, or since anything), or an ISO 8601 time with its zone
    guard     name of a guard of the plan
    arm       `canary` or `stable`
    requests  value of the counter of requests at that time; a lower value than before is a restart
    events    value of the counter of events: clicks, errors, slow requests
    pods      number of pods of that arm; only for guards that compare versions under equal load

The rows of one guard and arm are in order of time, one for each scrape; counters are summed over the pods. A gap of
several scrapes hides what was counted in it, in a replay as in a query over one minute.
"""

from __future__ import annotations

import csv
import datetime
import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, Final

from generator.dataclass import dataclass
from generator.odds.replay.counters import Arm, ArmCounters, Counter, Gauge, Pair, Recording, milliseconds
from generator.source.finding import Finding, Place

COLUMNS: Final = ("time", "guard", "arm", "requests", "events")
PODS: Final = "pods"
_ARMS: Final[tuple[Arm, Arm]] = ("canary", "stable")
_MAX_FINDINGS = 20  # a broken export has the same mistake in every line


@dataclass(frozen=True, slots=True)
class Row:
    """One sample as written, and its place; `line` is 0 in JSON, `path` is empty in CSV."""

    values: Mapping[str, Any]
    line: int
    path: str


@dataclass
class _Samples:
    times: list[int] = field(default_factory=list)
    requests: list[float] = field(default_factory=list)
    events: list[float] = field(default_factory=list)
    pods: list[float] = field(default_factory=list)


class _Unusable(Exception):  # noqa: N818 - never leaves this module
    """Code, message, hint and line of a mistake after which reading stops."""


def read_recording(
    path: Path, shown: str, guards: Sequence[str], loads: Collection[str] = ()
) -> tuple[Recording, list[Finding]]:
    """Read a file of recorded counters.

    Args:
        path: the file; JSON if its name ends in `.json`, otherwise CSV.
        shown: the path to show in findings.
        guards: names of the guards in the schedule; each needs samples.
        loads: names of those that need the number of pods.

    Returns:
        The recording and the findings; a recording with findings is incomplete.
    """
    reader = _Reader(shown, guards, loads)
    needed = (*COLUMNS, PODS) if loads else COLUMNS
    try:
        rows = _json_rows(path, needed) if path.suffix.lower() == ".json" else _csv_rows(path, needed)
        for row in rows:
            reader.add(row)
        reader.check_guards()
    except _Unusable as error:
        code, message, hint, line = error.args
        reader.findings.append(Finding(code, "error", message, hint, Place(shown, line)))
    return reader.recording(), reader.findings


def recorded_guards(path: Path) -> list[str]:
    """Return the guards that a file of recorded counters names, sorted; none if it can't be read."""
    try:
        rows = _json_rows(path, COLUMNS) if path.suffix.lower() == ".json" else _csv_rows(path, COLUMNS)
        return sorted({str(row.values["guard"]) for row in rows})
    except _Unusable:
        return []


def _csv_rows(path: Path, needed: Sequence[str]) -> Iterator[Row]:
    with _opened(path) as stream:
        lines = csv.reader(stream, strict=True)
        try:
            header = [name.strip() for name in next(lines, [])]
            _check_columns(header, needed, 1)
            for values in lines:
                if not values:
                    continue
                if len(values) != len(header):
                    message = f"this line has {len(values)} values, but the header has {len(header)}"
                    hint = "write one value for each column"
                    raise _Unusable("RPL102", message, hint, lines.line_num)
                yield Row(dict(zip(header, values, strict=True)), lines.line_num, "")
        except (csv.Error, UnicodeDecodeError) as error:
            raise _unreadable(error, "save it as UTF-8 text with commas", lines.line_num) from error


def _json_rows(path: Path, needed: Sequence[str]) -> Iterator[Row]:
    with _opened(path) as stream:
        try:
            found = json.load(stream)
        except (ValueError, RecursionError) as error:
            raise _unreadable(error, "write a JSON list of objects", getattr(error, "lineno", 0)) from error
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise _Unusable(
            "RPL102", "this is not a list of objects", f"write objects with {', '.join(COLUMNS)}", 0
        )
    for position, item in enumerate(found):
        _check_columns(list(item), needed, 0)
        yield Row(item, 0, f"[{position}]")


def _opened(path: Path) -> Any:
    try:
        return path.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise _Unusable("RPL101", f"it can't be read: {error.strerror}", "check the path", 0) from error


def _unreadable(error: Exception, hint: str, line: int) -> _Unusable:
    return _Unusable("RPL101", f"it can't be read: {' '.join(str(error).split())}", hint, line)


def _check_columns(names: Sequence[str], needed: Sequence[str], line: int) -> None:
    missing = [name for name in needed if name not in names]
    unknown = [name for name in names if name not in (*COLUMNS, PODS)]
    if missing or unknown or len(set(names)) != len(names):
        problems = [f"missing: {', '.join(missing)}"] if missing else []
        problems += [f"unknown: {', '.join(unknown)}"] if unknown else []
        message = f"wrong columns ({'; '.join(problems) or 'one occurs twice'})"
        raise _Unusable("RPL102", message, f"write the columns {','.join(needed)}", line)


class _Reader:
    """Collects samples and findings row by row."""

    def __init__(self, shown: str, guards: Sequence[str], loads: Collection[str]) -> None:
        self._shown, self._guards, self._loads = shown, guards, loads
        self._samples: dict[tuple[str, Arm], _Samples] = {}
        self.findings: list[Finding] = []

    def add(self, row: Row) -> None:
        """Add one sample, or report what is wrong with it."""
        guard, arm = row.values["guard"], row.values["arm"]
        time, requests, events = (_VALUES[name](row.values[name]) for name in ("time", "requests", "events"))
        pods = _count(row.values.get(PODS)) if guard in self._loads else 0.0
        if guard not in self._guards:
            self._report(row, "guard", guard, f"one of {', '.join(self._guards)}")
        elif arm not in _ARMS:
            self._report(row, "arm", arm, "canary or stable")
        elif time is None:
            expected = "seconds, or a time with its zone: 2026-11-23T10:00:00Z"
            self._report(row, "time", row.values["time"], expected)
        elif requests is None or events is None:
            name = "requests" if requests is None else "events"
            self._report(row, name, row.values[name], "a number of at least 0")
        elif pods is None:
            self._report(row, PODS, row.values.get(PODS), "the number of pods of this arm")
        else:
            samples = self._samples.setdefault((guard, arm), _Samples())
            self._append(row, samples, time, (requests, events, pods))

    def _append(self, row: Row, samples: _Samples, time_s: float, values: tuple[float, float, float]) -> None:
        time = milliseconds(time_s)
        if samples.times and time <= samples.times[-1]:
            message = "this sample is not later than the previous one of its guard and arm"
            hint = "sort the rows by time, with one row for each time"
            self._find("RPL104", message, hint, row.line, row.path)
            return
        samples.times.append(time)
        samples.requests.append(values[0])
        samples.events.append(values[1])
        samples.pods.append(values[2])

    def check_guards(self) -> None:
        """Report guards and arms without samples: a missing series is not a series of zeros."""
        if self.findings:
            return
        for guard in self._guards:
            missing = [arm for arm in _ARMS if (guard, arm) not in self._samples]
            if missing:
                of = "" if len(missing) == len(_ARMS) else f" of the {missing[0]} arm"
                message = f"there is no sample{of} of the guard {guard}"
                hint = "record it too; write every sample of a counter that does not change, a missing one is not 0"
                self._find("RPL105", message, hint, 0, "")

    def recording(self) -> Recording:
        """Return the counters that have been read."""
        return Recording(
            {name: Pair(self._side(name, "canary"), self._side(name, "stable")) for name in self._guards}
        )

    def _side(self, guard: str, arm: Arm) -> ArmCounters:
        samples = self._samples.get((guard, arm), _Samples())
        pods = Gauge(samples.times, samples.pods) if guard in self._loads else None
        return ArmCounters(
            Counter(samples.times, samples.requests), Counter(samples.times, samples.events), pods
        )

    def _report(self, row: Row, column: str, value: Any, expected: str) -> None:
        path = f"{row.path}.{column}" if row.path else column
        self._find("RPL103", f"`{value}` is not valid for `{column}`", f"write {expected}", row.line, path)

    def _find(self, code: str, message: str, hint: str, line: int, path: str) -> None:
        self.findings.append(Finding(code, "error", message, hint, Place(self._shown, line), path))
        if len(self.findings) >= _MAX_FINDINGS:
            message = f"{_MAX_FINDINGS} mistakes; the rest of the file was not read"
            raise _Unusable("RPL101", message, "correct these first", line)


def parse_time(value: Any) -> float | None:
    """Return the seconds of a number or of an ISO 8601 time with its zone; None for anything else."""
    number = _number(value)
    if number is not None or not isinstance(value, str):
        return number
    try:
        time = datetime.datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return time.timestamp() if time.tzinfo else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and abs(number) < _LARGEST else None


def _count(value: Any) -> float | None:
    number = _number(value)
    return number if number is not None and number >= 0 else None


_LARGEST = 1e15
_VALUES: Final = {"time": parse_time, "requests": _count, "events": _count}
