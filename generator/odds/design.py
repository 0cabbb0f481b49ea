"""Finds the schedule of a canary: weights and holds that keep power and budgets with least exposure or in least time.

A best-first search over a grid. A node is the first steps of a schedule. The requests that a bad version answers by the
end of these steps, all of them if it is not caught by then, are at most those that it answers over any schedule that
starts with them; so the first complete schedule that leaves the queue is the best of the grid (A*; Hart, Nilsson and
Raphael, IEEE Transactions on Systems Science and Cybernetics 4, 1968). Stops are computed at a few looks of each step;
the odds that are shown come from `odds_of`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import field
from functools import cache
from heapq import heappop, heappush
from itertools import count
from typing import Final, Literal

from generator.dataclass import dataclass
from generator.odds.odds import PlanOdds, latency_s, odds_of, sequential_test
from generator.plan.exposure import weight_share
from generator.plan.guards import Comparison
from generator.plan.load import comparable_weights
from generator.plan.values import Plan
from generator.spec.ceilings import Ceilings
from generator.stats.passage import Sprt
from generator.stats.sequential import (
    NO_EVIDENCE,
    Evidence,
    crossing_probability,
    llr_drift,
    raised_boundary,
)
from generator.stats.timeline import looks_until

Goal = Literal["exposure", "time"]
Steps = tuple[tuple[int, float], ...]
"""Weights (whole percent) and holds (seconds)."""

_M, _H, _D = 60.0, 3600.0, 86_400.0
ROUND_HOLDS: Final = tuple(
    [n * _M for n in (1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 90)]
    + [n * _H for n in (2, 3, 4, 5, 6, 8, 10, 12, 18, 24, 36)]
    + [n * _D for n in (2, 3, 4, 5, 7)]
)
"""Round holds for suggestions, in seconds, ascending."""
WIDENING: Final = 5.0
"""The largest growth of a weight before bad versions are caught."""
FIRST_CAUGHT: Final = 0.5
"""The share of bad versions that the first step should catch."""
_ROUND_WEIGHTS: Final = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 75)
_UNITS_S: Final = (5 * _M, 15 * _M, _H, 4 * _H, _D)
_FINE: Final = 24  # multiples of one unit in the longest time
_LEAST_HOLD_S: Final = 300.0
_LOOKS: Final = 16  # computed in each step
_ALL: Final = 100


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the team accepts.

    Args:
        power: smallest share of bad versions that each guard must catch.
        longest_s: longest sum of the holds of all weight steps.
        max_exposed: largest mean number of requests that a bad version may answer; None for any.
        goal: what is minimized.
    """

    power: float
    longest_s: float
    max_exposed: float | None
    goal: Goal


@dataclass(frozen=True, slots=True)
class Grid:
    """The schedules that are compared.

    Args:
        weights: whole percent, ascending.
        holds: seconds, ascending.
        first: largest first weight.
        increase: largest increase in percentage points, also of the last one, to 100%.
        last: smallest last weight.
        steps: largest number of weight steps.
    """

    weights: tuple[int, ...]
    holds: tuple[float, ...]
    first: int = _ALL
    increase: int = _ALL
    last: int = 1
    steps: int = 3


def grid_of(plan: Plan, ceilings: Ceilings, longest_s: float) -> Grid:
    """Return the grid of a plan: round holds, and weights that its router and its pods can make.

    The last weight is at least that of the plan: odds don't show whether the pods can take a larger jump.
    """
    written = plan.rollout.weights
    weights = sorted(set(_makeable(plan)) | set(written))
    shortest = max(ceilings.shortest_hold or 0.0, _LEAST_HOLD_S)
    allowed = ceilings.first_weight or _ALL
    unit = next((unit for unit in _UNITS_S if unit * _FINE >= longest_s), _UNITS_S[-1])
    holds = sorted({*ROUND_HOLDS, *(unit * n for n in range(1, _FINE))})
    return Grid(
        weights=tuple(weights),
        holds=tuple(hold for hold in holds if shortest <= hold <= longest_s),
        first=max((w for w in weights if weight_share(plan, w) <= allowed / _ALL + 1e-9), default=0),
        increase=ceilings.largest_increase or _ALL,
        last=max(written, default=1),
        steps=max(3, len(written)),
    )


def _makeable(plan: Plan) -> Iterator[int]:
    """Yield round weights, and those near them that allow comparing latencies; without a router, whole pods."""
    fewest = max(1, plan.capacity.min_replicas)
    if not plan.routing.router.splits_requests:
        yield from {_ALL * pods // fewest for pods in range(1, fewest)}
        return
    yield from _ROUND_WEIGHTS
    if any(map(plan.compares_loads, plan.guards)):
        alike = comparable_weights(fewest, max(fewest, plan.capacity.max_replicas))
        for weight in _ROUND_WEIGHTS if alike else ():
            yield min(alike, key=lambda one: abs(one - weight))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A schedule that keeps what is accepted.

    Args:
        steps: its weights and holds.
        exposed: mean number of requests that a bad version answers, over the harms that the guards watch for.
        held_s: sum of the holds.
    """

    steps: Steps
    exposed: float
    held_s: float


@dataclass(frozen=True, slots=True)
class _Course:
    """One guard against a bad version, up to some time: evidence, probability of a stop, requests answered by stops."""

    evidence: Evidence = NO_EVIDENCE
    reached: float = 0.0
    answered: float = 0.0


@dataclass(frozen=True, slots=True)
class _Node:
    steps: Steps
    courses: tuple[_Course, ...]
    end_s: float
    served: float

    @property
    def exposed(self) -> float:
        """The mean number of requests that a bad version answers by now, each harm as likely as the others."""
        sums = (one.answered + (1 - one.reached) * self.served for one in self.courses)
        return math.fsum(sums) / len(self.courses)


@dataclass
class _Search:
    plan: Plan
    grid: Grid
    accepted: Accepted
    guards: tuple[Comparison, ...]
    tests: tuple[Sprt, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.tests = tuple(sequential_test(self.plan, guard) for guard in self.guards)
        self._latency = latency_s(self.plan)
        self._rps = self.plan.min_rps or 0.0
        self.takes = cache(lambda at, weight: self.plan.takes_evidence(self.guards[at], weight))
        self._rate = cache(self._rate_of)

    def _rate_of(self, at: int, weight: int) -> tuple[Evidence, float]:
        """Return the evidence per second of a bad version, and the boundary for looks."""
        test = self.tests[at]
        rate = llr_drift(
            self._rps, weight / _ALL, test.baseline, test.ratio, test.ratio, design_effect=test.design_effect
        )
        return rate, raised_boundary(test.level, rate, test.look_s)

    def best(self) -> Iterator[Candidate]:
        """Yield schedules, the best one first."""
        order = count()
        queue: list[tuple[tuple[float, float], int, _Node, bool]] = []
        heappush(
            queue, ((0.0, 0.0), next(order), _Node((), (_Course(),) * len(self.guards), 0.0, 0.0), False)
        )
        while queue:
            _, _, node, complete = heappop(queue)
            if complete:
                yield Candidate(node.steps, node.exposed, node.end_s)
                continue
            for grown in self._grown(node):
                heappush(queue, (self._value(grown), next(order), grown, False))
                if self._keeps(grown):
                    heappush(queue, (self._value(grown), next(order), grown, True))

    def _value(self, node: _Node) -> tuple[float, float]:
        """Return the value to minimize; if exposures agree in three digits, the shorter schedule is better."""
        exposed = float(f"{node.exposed:.3g}")
        return (exposed, node.end_s) if self.accepted.goal == "exposure" else (node.end_s, exposed)

    def _grown(self, node: _Node) -> Iterator[_Node]:
        """Yield a node with one more step, for each weight and hold that may follow."""
        if len(node.steps) == self.grid.steps or not self._may_grow(node):
            return
        for weight in self._next_weights(node):
            for hold in self.grid.holds:
                if node.end_s + hold > self.accepted.longest_s + 1e-9:
                    break
                yield self._extended(node, weight, hold)

    def _may_grow(self, node: _Node) -> bool:
        """Return whether the first step, if there is one, catches its share (CAN210)."""
        if len(node.steps) != 1:
            return True
        return all(self._caught(node, FIRST_CAUGHT))

    def _caught(self, node: _Node, share: float) -> Iterator[bool]:
        weight = node.steps[-1][0]
        for at, course in enumerate(node.courses):
            if self.takes(at, weight):
                yield course.reached >= share

    def _next_weights(self, node: _Node) -> Iterator[int]:
        before = node.steps[-1][0] if node.steps else 0
        most = before + self.grid.increase if node.steps else self.grid.first
        if node.steps and not all(self._caught(node, self.accepted.power)):
            most = min(most, math.floor(WIDENING * before + 1e-9))
        return (weight for weight in self.grid.weights if before < weight <= most)

    def _keeps(self, node: _Node) -> bool:
        """Return whether a schedule may end here."""
        weight, limit = node.steps[-1][0], self.accepted.max_exposed
        if weight < self.grid.last or _ALL - weight > self.grid.increase:
            return False
        return all(
            course.reached >= self.accepted.power
            and (limit is None or course.answered <= limit * course.reached)
            for course in node.courses
        )

    def _extended(self, node: _Node, weight: int, hold: float) -> _Node:
        courses = tuple(
            self._watched(at, course, node, weight, hold) for at, course in enumerate(node.courses)
        )
        served = node.served + self._rps * weight / _ALL * hold
        return _Node((*node.steps, (weight, hold)), courses, node.end_s + hold, served)

    def _watched(self, at: int, course: _Course, node: _Node, weight: int, hold: float) -> _Course:
        """Return the course of one guard with one more step; every new weight starts a new mask."""
        test, end = self.tests[at], node.end_s + hold
        if not self.takes(at, weight):
            return course
        rate, level = self._rate(at, weight)
        first, last = looks_until(node.end_s, test.look_s), looks_until(end, test.look_s)
        open_s = node.end_s + test.mask_s
        reached, answered, before = course.reached, course.answered, first
        for look in _spread(first, last):
            time = look * test.look_s
            evidence = course.evidence.after(rate, max(0.0, time - open_s))
            now = max(reached, crossing_probability(evidence, level))
            stop = 0.5 * (before + 1 + look) * test.look_s + self._latency
            answered += (now - reached) * (node.served + self._rps * weight / _ALL * (stop - node.end_s))
            reached, before = now, look
        return _Course(course.evidence.after(rate, max(0.0, end - open_s)), reached, answered)


def _spread(first: int, last: int) -> list[int]:
    """Return at most 16 of the looks after `first`, denser at the beginning, the last one included."""
    span = last - first
    return (
        sorted({first + max(1, span * part * part // _LOOKS**2) for part in range(1, _LOOKS + 1)})
        if span
        else []
    )


def expected_exposure(odds: PlanOdds) -> float | None:
    """Return the mean number of requests that a bad version answers by the end of the last step, over all harms.

    Each harm that a guard compares is as likely as the others; None without such a guard.
    """
    means = [
        found.power * (found.exposed_mean or 0.0) + (1 - found.power) * found.exposed_if_missed
        for _, found in odds.comparisons
    ]
    return math.fsum(means) / len(means) if means else None


def priced_guards(plan: Plan) -> tuple[Comparison, ...]:
    """Return the guards that a schedule is designed for: those that compare with stable and have odds."""
    odds = odds_of(plan)
    return tuple(guard for guard, _ in odds.comparisons) if odds else ()


def designs(plan: Plan, grid: Grid, accepted: Accepted) -> Iterator[Candidate]:
    """Yield the schedules that keep what is accepted, the best one first; none without a guard that has odds."""
    guards = priced_guards(plan)
    if guards:
        yield from _Search(plan, grid, accepted, guards).best()
