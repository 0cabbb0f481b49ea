"""The sequential test over a whole rollout: weights change, and the mask leaves evidence out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from generator.dataclass import dataclass
from generator.stats.domain import not_negative, open_probability, positive
from generator.stats.sequential import (
    NO_EVIDENCE,
    Evidence,
    boundary,
    crossing_probability,
    llr_drift,
    raised_boundary,
)
from generator.stats.timeline import Rollout, Stop, look_blocks, looks_until


@dataclass(frozen=True, slots=True)
class Sprt:
    """An event-share test as it is rendered.

    Args:
        baseline: event probability of the stable version, strictly between 0 and 1.
        ratio: the change the test is for.
        alpha: false rollbacks allowed to this test (already divided when several share a budget).
        mask_s: seconds left out after the birth of the canary and after every change of weight.
        design_effect: what the evidence is divided by, >= 1.
        look_s: time between looks, seconds.
    """

    baseline: float
    ratio: float
    alpha: float
    mask_s: float = 0.0
    design_effect: float = 1.0
    look_s: float = 60.0

    def __post_init__(self) -> None:
        open_probability("baseline", self.baseline)
        open_probability("alpha", self.alpha)
        not_negative("mask", self.mask_s)
        positive("look interval", self.look_s)
        llr_drift(0.0, 0.0, self.baseline, self.ratio, self.ratio, design_effect=self.design_effect)

    @property
    def level(self) -> float:
        """The evidence that rolls back."""
        return boundary(self.alpha)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A phase as the test sees it: evidence before it, its rate, when the mask lifts, and whether it counts."""

    weight: float
    start_s: float
    end_s: float
    before: Evidence
    rate: Evidence
    mask_until_s: float
    counts: bool

    def evidence(self, time_s: float) -> Evidence:
        """Return the evidence by a time of this phase, seconds since the first weight."""
        return self.before.after(self.rate, max(0.0, time_s - max(self.start_s, self.mask_until_s)))


def stretches(mask_s: float, rollout: Rollout, drift: Callable[[float], Evidence]) -> Iterator[Stretch]:
    """Yield the phases with the evidence they add; an unchanged weight needs no new mask.

    Args:
        mask_s: seconds left out after every change of weight.
        rollout: the rollout.
        drift: evidence per second at a weight.
    """
    start, mask_until, weight = 0.0, 0.0, math.nan
    before = NO_EVIDENCE
    for phase in rollout.phases:
        if phase.duration_s == 0.0:
            continue
        if phase.weight != weight:
            weight, mask_until = phase.weight, start + mask_s
        rate = drift(weight) if phase.counts else NO_EVIDENCE
        end = start + phase.duration_s
        stretch = Stretch(weight, start, end, before, rate, mask_until, phase.counts)
        yield stretch
        start, before = stretch.end_s, stretch.evidence(stretch.end_s)


def _changed(test: Sprt, rollout: Rollout, true_ratio: float) -> Iterator[Stretch]:
    """Yield the phases of a canary that changes the baseline by `true_ratio`."""

    def drift(weight: float) -> Evidence:
        return llr_drift(
            rollout.rps, weight, test.baseline, true_ratio, test.ratio, design_effect=test.design_effect
        )

    return stretches(test.mask_s, rollout, drift)


def _crossed(test: Sprt, stretch: Stretch, time_s: float) -> float:
    """Return P(the evidence has reached the level by now), as if all looks were those of this phase."""
    level = raised_boundary(test.level, stretch.rate, test.look_s)
    return crossing_probability(stretch.evidence(time_s), level)


def sprt_stops(test: Sprt, rollout: Rollout, true_ratio: float) -> list[Stop]:
    """Return the probability of a rollback at each look (each block of looks beyond 256 in a phase, see `look_blocks`).

    Increments of the running maximum of the crossing probability, mean and variance of the evidence summed
    over the unmasked time of the phases so far ("information time"). Looks fall on multiples of `look_s`.

    Args:
        test: the test.
        rollout: the rollout.
        true_ratio: event rate of the canary over the baseline; for 1 see `false_alarm`, which is exact there.

    Raises:
        ValueError: an argument is outside its domain.
    """
    best = 0.0
    stops = []
    for stretch in _changed(test, rollout, true_ratio):
        look = looks_until(stretch.start_s, test.look_s)
        for size in look_blocks(looks_until(stretch.end_s, test.look_s) - look):
            first, look = look + 1, look + size
            reached = max(best, _crossed(test, stretch, look * test.look_s)) if stretch.counts else best
            stops.append(Stop(first * test.look_s, look * test.look_s, reached - best))
            best = reached
    return stops


def sprt_reached(test: Sprt, rollout: Rollout, true_ratio: float) -> float:
    """Return the probability of a rollback by the end, from the last look of each phase only."""
    best = 0.0
    for stretch in _changed(test, rollout, true_ratio):
        look = looks_until(stretch.end_s, test.look_s)
        if stretch.counts and look > looks_until(stretch.start_s, test.look_s):
            best = max(best, _crossed(test, stretch, look * test.look_s))
    return best


def first_evidence_s(mask_s: float, look_s: float, rollout: Rollout) -> float | None:
    """Return the time of the first look at which a test can have evidence; None if no look has any.

    A stratum that ends with the mask is counted, so this is the first look at which `sprt_stops` gives a rollback any
    probability, or the look before it.

    Args:
        mask_s: seconds left out after every change of weight.
        look_s: time between looks, seconds.
        rollout: the rollout.
    """
    for stretch in stretches(mask_s, rollout, _some_evidence):
        first = looks_until(stretch.start_s, look_s) + 1
        if not stretch.before.mean:
            first = max(first, math.ceil(stretch.mask_until_s / look_s - _SLACK))
        possible = stretch.counts and (stretch.before.mean or stretch.rate.mean)
        if possible and first <= looks_until(stretch.end_s, look_s):
            return first * look_s
    return None


_SLACK = 1e-9


def _some_evidence(weight: float) -> Evidence:
    """Return some evidence per second; none where one version has all the traffic."""
    return Evidence(1.0, 1.0) if 0.0 < weight < 1.0 else NO_EVIDENCE
