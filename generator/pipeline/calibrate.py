"""Calibrates a model: reads its history from Prometheus, writes the file next to the spec, and proposes values."""

from __future__ import annotations

import datetime as dt
import math
from array import array
from collections.abc import Iterator, Sequence
from typing import Any, Final

import yaml

from generator.cluster.prometheus import Prometheus
from generator.dataclass import dataclass
from generator.odds.calibration import (
    MINUTE_S,
    History,
    PodCounts,
    baseline,
    delay_s,
    design_effect,
    hours_of_week,
    increments,
    pod_load,
    requests_per_user,
)
from generator.odds.odds import odds_of
from generator.odds.stable_pairs import stable_against_stable, tried_windows
from generator.pipeline.atomic_write import write_file
from generator.pipeline.proposal import Change, Proposal, propose
from generator.pipeline.session import Session
from generator.plan.guards import Guard
from generator.plan.model_files import ModelFiles
from generator.plan.resolve import Planned
from generator.plan.values import Plan
from generator.render.metrics import counted
from generator.source.canonical import sha256_of
from generator.source.errors import CliError
from generator.spec.calibration import CalibrationFile, Estimate, Fired, MeasuredGuard
from generator.spec.units import duration, percent

_OFF: Final = 0.1  # relative difference below which a declared value is as good as the measured one


@dataclass(frozen=True, slots=True)
class Wrong:
    """A declared value that the history contradicts.

    Args:
        change: where it is in the merged spec, and the proposed value.
        declared: the declared value, as text; empty when there is none.
        origin: where the proposed value comes from.
        alone: the plan with only this change; None where the tier wrote the value.
    """

    change: Change
    declared: str
    origin: str
    alone: Planned | None


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The result.

    Args:
        planned: the plan as it is.
        file: what the history says.
        wrong: declared values that it contradicts.
        proposal: the spec with all proposed values; None when nothing is wrong.
    """

    planned: Planned
    file: CalibrationFile
    wrong: tuple[Wrong, ...]
    proposal: Proposal | None


def read_history(plan: Plan, server: Prometheus, start_s: float, end_s: float, users: str = "") -> History:
    """Read the counts of every pod in every minute, for each guard on two counters.

    Args:
        plan: the plan.
        server: the server.
        start_s: start of the history, seconds since 1970.
        end_s: its end.
        users: selector of a counter of users, with the pods' labels; empty for none.

    Raises:
        HttpError: the server does not answer.
        CliError: it has no series of this model.
    """
    start_s = math.ceil(start_s / MINUTE_S) * MINUTE_S
    minutes = int((end_s - start_s) // MINUTE_S)
    counts: dict[str, dict[str, PodCounts]] = {}
    versions: dict[str, str] = {}
    for guard in plan.guards:
        if guard.counts is None:
            continue
        proportion, arms = counted(plan, guard.counts)
        found: list[dict[str, array[float]]] = []
        for series in (proportion.requests, proportion.events):
            grown = _growth(server, str(series), arms.label, start_s, minutes)
            versions.update({pod: version for pod, (version, _) in grown.items()})
            found.append({pod: each for pod, (_, each) in grown.items()})
        if not found[0]:
            raise CliError(f"Prometheus has no series for the guard {guard.name}: `{proportion.requests}`")
        requests, events = found
        none = array("d", [math.nan]) * minutes
        counts[guard.name] = {
            pod: PodCounts(asked, _events(asked, events.get(pod, none), complement=proportion.complement))
            for pod, asked in requests.items()
        }
    if not counts:
        raise CliError("no guard of this model reads two counters, so there is no history to read")
    if not users:
        return History(start_s, minutes, counts, versions)
    seen = [each for _, each in _growth(server, users, "pod", start_s, minutes).values()]
    if not seen:
        raise CliError(f"Prometheus has no series of users: `{users}`")
    new = [math.fsum(count for count in minute if count > 0) for minute in zip(*seen, strict=True)]
    return History(start_s, minutes, counts, versions, new)


def _growth(
    server: Prometheus, series: str, label: str, start_s: float, minutes: int
) -> dict[str, tuple[str, array[float]]]:
    """Return the value of a label, and the growth of the counters in each minute, by pod."""
    query = f"sum by (pod, instance, {label}) ({series})"
    found = {}
    for pairs, samples in server.series(query, start_s, start_s + minutes * MINUTE_S, MINUTE_S).items():
        labels = dict(pairs)
        pod = labels.get("pod") or labels.get("instance") or ""
        found[pod] = labels.get(label, ""), increments(samples, round(start_s * 1000), minutes)
    return found


def _events(asked: array[float], happened: array[float], *, complement: bool) -> array[float]:
    """Return the events; a counter of events that is missing where requests are known had none yet."""
    if complement:
        return array("d", (max(0.0, n - x) for n, x in zip(asked, happened, strict=True)))
    pairs = zip(asked, happened, strict=True)
    return array("d", (0.0 if math.isnan(x) and not math.isnan(n) else x for n, x in pairs))


def calibrate(session: Session, entry: ModelFiles, planned: Planned, history: History) -> Calibrated:
    """Return what a history says about a model, and what to change."""
    plan = planned.plan
    totals = {name: history.totals(name) for name in history.counts}
    busiest = max(totals, key=lambda name: math.fsum(totals[name][0]))
    hours = hours_of_week(history, totals[busiest][0])
    known = [hour for hour in hours if hour > 0]
    guards = {}
    for guard in plan.guards:
        if guard.name in totals:
            requests, events = totals[guard.name]
            reported = guard.kind == "outcome"
            guards[guard.name] = MeasuredGuard(
                baseline=baseline(history, requests, events),
                delay_s=delay_s(history, requests, events) if reported else None,
                design_effect=design_effect(history, guard.name),
            )
    odds = odds_of(plan)
    tried = list(tried_windows(plan, history))
    pairs = stable_against_stable(plan, odds.false_rollback_bound, tried) if odds else None
    content = {
        "schema": "sluice/calibration/v1",
        "model": entry.name,
        "environment": plan.identity.environment,
        "start": _moment(history.start_s),
        "end": _moment(history.start_s + history.minutes * MINUTE_S),
        "off_peak_rps": min(known, default=None),
        "hours": [hour if hour >= 0 else 0.0 for hour in hours],
        "pod_rps": _plain(pod_load(history, busiest)),
        "requests_per_user": _plain(requests_per_user(history, totals[busiest][0])),
        "guards": {name: _plain(found) for name, found in guards.items()},
        "stable_against_stable": _plain(pairs),
    }
    file = written(content)
    wrong = tuple(_wrong(session, entry, planned, file))
    changes = [one.change for one in wrong if one.alone is not None]
    proposal = propose(session, entry, planned, changes) if changes else None
    return Calibrated(planned, file, wrong, proposal)


def _plain(record: Estimate | MeasuredGuard | Any) -> Any:
    return None if record is None else record.model_dump(exclude_none=True)


def _moment(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC).isoformat().replace("+00:00", "Z")


def written(content: dict[str, Any]) -> CalibrationFile:
    """Return the file with this content, four digits of each number, and its digest."""
    rounded = {key: value for key, value in _rounded(content).items() if value is not None}
    file = CalibrationFile.model_validate({**rounded, "digest": "0" * 64})
    plain = file.model_dump(by_alias=True, exclude_none=True, exclude={"digest"})
    return file.model_copy(update={"digest": sha256_of(plain)})


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def write_calibration(entry: ModelFiles, file: CalibrationFile) -> None:
    """Write the file next to the spec.

    Raises:
        CliError: it can't be written.
    """
    data = file.model_dump(by_alias=True, exclude_none=True)
    head = f"# Written by `sluice calibrate {entry.name}`; commit it with the spec.\n"
    text = yaml.safe_dump(data, sort_keys=False, width=110, default_flow_style=None)
    write_file(entry.calibration, (head + text).encode())


def _wrong(session: Session, entry: ModelFiles, planned: Planned, file: CalibrationFile) -> Iterator[Wrong]:
    """Yield the declared values that the history contradicts."""
    for change, declared, origin in _contradicted(planned.plan, file):
        try:
            alone = propose(session, entry, planned, [change]).planned
        except CliError:
            alone = None
        yield Wrong(change, declared, origin, alone)


def _contradicted(plan: Plan, file: CalibrationFile) -> Iterator[tuple[Change, str, str]]:
    rps = file.off_peak_rps
    if rps is not None and (plan.min_rps is None or abs(rps / plan.min_rps - 1) > _OFF):
        declared = "" if plan.min_rps is None else f"{plan.min_rps:g}"
        origin = f"median of the quietest hour, {quietest(file, rps)}"
        yield (("spec", "traffic", "minRps"), _down(rps)), declared, origin
    for guard in plan.guards:
        found = file.guards.get(guard.name)
        if found is not None:
            yield from _of_guard(guard, found)
    yield from _effect(plan, file)


def quietest(file: CalibrationFile, rps: float) -> str:
    """Name the hour of the week with this many requests per second."""
    hour = file.hours.index(rps)
    return f"{('Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun')[hour // 24]} {hour % 24:02}:00 UTC"


def _of_guard(guard: Guard, found: MeasuredGuard) -> Iterator[tuple[Change, str, str]]:
    base = ("spec", "outcomes", guard.subject) if guard.kind == "outcome" else (
        "spec", "rollout", "guards", guard.index,
    )  # fmt: skip
    rate = found.baseline
    if rate is not None and rate.value > 0 and _differs(guard.baseline, rate):
        declared = "" if guard.baseline is None else percent(guard.baseline)
        interval = f"{percent(rate.low)} to {percent(rate.high)}"
        value = percent(float(f"{rate.value:.2g}"))
        yield ((*base, "baseline"), value), declared, f"events per request: {interval}"
    delay = found.delay_s
    if delay is not None and _differs(guard.delay_s, delay) and abs(delay.value - guard.delay_s) > 5:
        value = duration(float(f"{delay.value:.2g}"))
        interval = f"{duration(round(delay.low))} to {duration(round(delay.high))}"
        yield ((*base, "delay"), value), duration(guard.delay_s), f"lag of events behind requests: {interval}"


def _differs(declared: float | None, found: Estimate) -> bool:
    """Return whether a declared value is outside of the interval, and off by more than a tenth."""
    if declared is None:
        return True
    return not found.low <= declared <= found.high and abs(found.value - declared) > _OFF * max(
        declared, 1e-9
    )


def _effect(plan: Plan, file: CalibrationFile) -> Iterator[tuple[Change, str, str]]:
    """Yield the design effect: the one that keeps the promise, or else that of the counts if it is clearly larger."""
    path, declared = ("spec", "traffic", "designEffect"), f"{plan.design_effect:g}"
    pairs = file.stable_against_stable
    kept = _kept(pairs.fired, pairs.promised) if pairs else None
    if kept is not None and kept.design_effect > plan.design_effect:
        yield (path, kept.design_effect), declared, "stable against stable: keeps the promised false rollback"
        return
    effects = [
        (found.design_effect, name) for name, found in file.guards.items() if found.design_effect is not None
    ]
    largest = max(effects, key=lambda one: one[0].low, default=None)
    if largest is not None and pairs is None and largest[0].low > (1 + _OFF) * plan.design_effect:
        value = math.ceil(10 * largest[0].value) / 10
        yield (
            (path, value),
            declared,
            f"counts of {largest[1]} per pod: {largest[0].low:.2f} to {largest[0].high:.2f}",
        )


def _kept(fired: Sequence[Fired], promised: float) -> Fired | None:
    """Return the first design effect at which the guards fired as rarely as promised."""
    return next((one for one in fired if one.share.value <= promised), None)


def _down(value: float) -> float | int:
    """Round down to two digits."""
    unit = 10 ** (math.floor(math.log10(value)) - 1)
    rounded = math.floor(value / unit + 1e-9) * unit
    return round(rounded) if rounded >= 1 else float(f"{rounded:.2g}")
