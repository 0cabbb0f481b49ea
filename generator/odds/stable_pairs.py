"""Stable against stable: how often the guards of a plan would have fired on two groups of pods of one version.

Windows of the past, one from each hour and as long as a rollout, are split: some pods play the canary, as close to the
weights of the steps as whole pods allow, the others the stable version. This shows whether a history breaks what the
promise of a test assumes: requests that depend on each other, retries, pods that differ. It can't show unequal loads,
cold pods or the router; all groups here are warm and take their requests from one Service.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

from generator.dataclass import dataclass
from generator.odds.calibration import MINUTE_S, History, PodCounts, resampled, versions_at_once
from generator.plan.guards import Comparison, Limit
from generator.plan.measurements import LIMIT_FAILURES
from generator.plan.values import Plan
from generator.source.canonical import sha256_of
from generator.spec.calibration import Estimate, Fired, StableAgainstStable
from generator.stats.delay import mask_dead_time
from generator.stats.sequential import boundary, event_llr

_SPLITS: Final = 8
_STRIDE: Final = 60  # minutes between the starts of two windows
_LARGEST: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Tried:
    """One split of one window.

    Args:
        day: day of its start.
        peaks: largest evidence of each comparison, in units of its boundary, undivided by a design effect.
        limited: whether a limit failed more often than it forgives.
    """

    day: int
    peaks: tuple[float, ...]
    limited: bool

    def fired(self, design_effect: float) -> bool:
        """Return whether any guard fired."""
        return self.limited or any(peak >= design_effect for peak in self.peaks)


def promise_digest(plan: Plan) -> str:
    """Return the digest of what decides how often guards fire: weights, holds, and each guard's change and risk."""
    guards = [
        [guard.name, guard.ratio, guard.alpha] if isinstance(guard, Comparison) else [guard.name, guard.limit]
        for guard in plan.guards
    ]
    steps = [[step.weight, step.hold] for _, step in plan.rollout.weight_steps]
    return sha256_of({"guards": guards, "steps": steps})


def fired_as_planned(plan: Plan) -> Fired | None:
    """Return how often the guards of a plan fired, if its calibration tried exactly them."""
    pairs = plan.calibration.stable_against_stable if plan.calibration else None
    if pairs is None or pairs.guards != promise_digest(plan):
        return None
    return next((one for one in pairs.fired if one.design_effect == plan.design_effect), None)


def tried_windows(plan: Plan, history: History, seed: int = 1) -> Iterator[Tried]:
    """Yield every split of every window in which one version had all requests, from at least two pods."""
    guards = [guard for guard in plan.guards if guard.name in history.counts]
    length = sum(_minutes(step.hold) for _, step in plan.rollout.weight_steps)
    if not guards or not length:
        return
    several = [0]
    for count in versions_at_once(history, guards[0].name):
        several.append(several[-1] + (count > 1))
    for start in range(0, history.minutes - length + 1, _STRIDE):
        pods = _whole(history, [guard.name for guard in guards], start, start + length)
        if len(pods) < 2 or several[start + length] > several[start]:
            continue
        for split in range(_SPLITS):
            Random(f"{seed}/{start}/{split}").shuffle(pods)  # noqa: S311 - equal seeds give equal splits
            yield _tried(plan, history, guards, pods, start)


def _minutes(seconds: float) -> int:
    return round(seconds / MINUTE_S)


def _whole(history: History, guards: Sequence[str], start: int, end: int) -> list[str]:
    """Return the pods whose counts are known in every minute of a window, in order."""

    def known(counts: PodCounts | None) -> bool:
        if counts is None or math.isnan(sum(counts.events[start:end])):
            return False
        return sum(counts.requests[start:end]) > 0

    pods = history.counts[guards[0]]
    return sorted(pod for pod in pods if all(known(history.counts[name].get(pod)) for name in guards))


def _tried(plan: Plan, history: History, guards: Sequence[object], pods: Sequence[str], start: int) -> Tried:
    peaks, limited = [], False
    for guard in guards:
        if isinstance(guard, Comparison):
            counts = [history.counts[guard.name][pod] for pod in pods]
            peaks.append(_peak(plan, guard, counts, start))
        elif isinstance(guard, Limit):
            counts = [history.counts[guard.name][pod] for pod in pods]
            limited = limited or _fails(plan, guard, counts, start)
    return Tried(history.day(start), tuple(peaks), limited)


def _arms(plan: Plan, pods: int, start: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield weight, number of pods that play the canary, and first and last minute of each step."""
    for _, step in plan.rollout.weight_steps:
        end = start + _minutes(step.hold)
        yield step.weight, min(pods - 1, max(1, round(pods * step.weight / 100))), start, end
        start = end


def _peak(plan: Plan, guard: Comparison, pods: Sequence[PodCounts], start: int) -> float:
    """Return the largest evidence against pods that are as good as the others, in units of the boundary."""
    evidence = peak = 0.0
    masked, before = math.ceil(mask_dead_time(guard.mask_s) / MINUTE_S), 0
    for weight, size, first, last in _arms(plan, len(pods), start):
        if not plan.takes_evidence(guard, weight):
            continue
        canary, stable = pods[:size], pods[size:]
        for minute in range(first + (masked if size != before else 0), last):
            evidence += event_llr(
                sum(pod.events[minute] for pod in canary),
                sum(pod.requests[minute] for pod in canary),
                sum(pod.events[minute] for pod in stable),
                sum(pod.requests[minute] for pod in stable),
                guard.ratio,
            )
            peak = max(peak, evidence)
        before = size
    return peak / boundary(guard.alpha)


def _fails(plan: Plan, guard: Limit, pods: Sequence[PodCounts], start: int) -> bool:
    """Return whether a limit fails more often than it forgives, measured every minute over its window."""
    window, failures = max(1, _minutes(plan.clock.window_s)), 0
    for _, size, first, last in _arms(plan, len(pods), start):
        for end in range(max(first, start + window), last):
            requests = sum(sum(pod.requests[end - window : end]) for pod in pods[:size])
            events = sum(sum(pod.events[end - window : end]) for pod in pods[:size])
            beyond = (
                events > guard.limit * requests if guard.more_is_worse else events < guard.limit * requests
            )
            failures += requests > 0 and beyond
    return failures > LIMIT_FAILURES


def fired(tried: Sequence[Tried], effect: float, independent: int) -> Estimate:
    """Return the share of the windows in which a guard fired, with its interval.

    With n windows that do not overlap, and none that fired, 1 - 0.05^(1/n) is the upper bound of 95%.
    """
    days: dict[int, list[float]] = {}
    for one in tried:
        day = days.setdefault(one.day, [0.0, 0.0])
        day[0] += one.fired(effect)
        day[1] += 1
    found = resampled(list(days.values()), lambda sums: sums[0] / sums[1])
    if found is None:
        raise ValueError("no window was tried")
    least = 1 - 0.05 ** (1 / max(1, independent))
    return Estimate(value=found.value, low=found.low, high=max(found.high, least))


def effect_that_holds(tried: Sequence[Tried], promised: float) -> float | None:
    """Return the smallest design effect, in tenths, at which the guards fire as rarely as promised; None for none."""
    allowed = math.floor(promised * len(tried) + 1e-9)
    peaks = sorted((math.inf if one.limited else max(one.peaks, default=0.0) for one in tried), reverse=True)
    if allowed >= len(peaks):
        return 1.0
    if peaks[allowed] >= _LARGEST:
        return None
    return max(1.0, (math.floor(10 * peaks[allowed]) + 1) / 10)


def stable_against_stable(plan: Plan, promised: float, tried: Sequence[Tried]) -> StableAgainstStable | None:
    """Return how often the guards fired, as the plan is and with the design effect that keeps the promise."""
    if not tried:
        return None
    length = sum(_minutes(step.hold) for _, step in plan.rollout.weight_steps)
    windows = len(tried) // _SPLITS
    independent = max(1, windows * _STRIDE // max(length, _STRIDE))
    effects = {plan.design_effect}
    if fired(tried, plan.design_effect, independent).value > promised:
        effects |= {found for found in (effect_that_holds(tried, promised),) if found is not None}
    return StableAgainstStable(
        guards=promise_digest(plan),
        windows=windows,
        days=len({one.day for one in tried}),
        promised=promised,
        fired=[Fired(design_effect=one, share=fired(tried, one, independent)) for one in sorted(effects)],
    )
