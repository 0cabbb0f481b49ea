"""The odds of a plan: what its guards do to a good and to a bad version, computed before the merge."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from typing import Final, assert_never

from generator.dataclass import dataclass
from generator.plan.exposure import EVERYBODY
from generator.plan.guards import Comparison, Guard, Limit, Parity
from generator.plan.measurements import LIMIT_FAILURES
from generator.plan.split import SplitCheck, split_checks
from generator.plan.values import Plan
from generator.spec.quantities import share_down, share_up
from generator.spec.rollout import BlueGreen, Canary
from generator.stats.delay import mask_dead_time
from generator.stats.normal import normal_cdf
from generator.stats.odds import GuardOdds, family_false_rollback, sprt_odds, threshold_odds
from generator.stats.passage import Sprt, sprt_stops
from generator.stats.runs import run_stops
from generator.stats.split import SHIFT
from generator.stats.timeline import Detection, Phase, Rollout, detection
from generator.stats.windows import WindowGuard, window_looks

LATENCY_S: Final = 5.0
"""Seconds from a verdict to the last request: reconcile and push of the route; 0.4 to 1.2 s on a busy test cluster."""
# A limit declares no change to detect: its odds are those of a change of this size.
_PRICED: Final = 0.1


@dataclass(frozen=True, slots=True)
class PlanOdds:
    """Odds of a whole rollout.

    Args:
        guards: each guard with odds, and its odds.
        unpriced: name of each guard without odds, and the reason.
        false_rollback: chance that any guard rolls a good version back; None when no guard has odds.
        planned_requests: canary requests by the end of each weight step.
        promised: alphas of the sequential tests without odds: their bound needs neither traffic nor baseline.
        uncounted: names of the other guards without odds, whose false rollbacks are unknown.
        later: names of the guards that take no evidence from the first weight step.
    """

    guards: tuple[tuple[Comparison | Limit, GuardOdds], ...]
    unpriced: tuple[tuple[str, str], ...]
    false_rollback: float | None
    planned_requests: tuple[float, ...]
    promised: tuple[float, ...] = ()
    uncounted: tuple[str, ...] = ()
    later: tuple[str, ...] = ()

    @property
    def comparisons(self) -> tuple[tuple[Comparison, GuardOdds], ...]:
        """The guards that compare with the stable version, with their odds."""
        return tuple((guard, odds) for guard, odds in self.guards if isinstance(guard, Comparison))

    @property
    def false_rollback_bound(self) -> float:
        """The upper bound of the chance that a good version is rolled back, without the guards in `uncounted`.

        The sum of the guards' alphas by Ville's inequality (see `stats.sequential`); a limit counts with its odds.
        `false_rollback` is an estimate: in simulations, guards on rare events fire slightly more often.
        """
        chances = (
            guard.alpha if isinstance(guard, Comparison) else odds.false_rollback
            for guard, odds in self.guards
        )
        return min(1.0, math.fsum((*chances, *self.promised)))

    @property
    def power(self) -> float | None:
        """The smallest power among the guards; None when no guard has odds."""
        return min((odds.power for _, odds in self.guards), default=None)

    @property
    def power_first_step(self) -> float | None:
        """The same by the end of the first weight step, among the guards that take evidence from it."""
        first = [odds.power_by_step[0] for guard, odds in self.guards if guard.name not in self.later]
        return min(first, default=0.0 if self.guards else None)

    @property
    def exposed(self) -> float | None:
        """The largest mean exposure among the guards; None when no guard has odds."""
        found = [odds.exposed_mean for _, odds in self.guards if odds.exposed_mean is not None]
        return max(found, default=None)

    @property
    def worst_exposed(self) -> float | None:
        """The same, or all planned requests if no guard would stop the canary; None without traffic."""
        planned = self.planned_requests[-1] if self.planned_requests else 0.0
        return self.exposed or planned or None


def phases(rollout: Canary | BlueGreen) -> tuple[Phase, ...]:
    """Return the weight steps as phases; approvals are left out, since they may last any time."""
    return tuple(Phase(step.weight / 100, step.hold) for _, step in rollout.weight_steps)


def odds_of(plan: Plan) -> PlanOdds | None:
    """Return the odds of a canary; None for a blue-green, which has no version to compare with."""
    if plan.rollout.strategy != "canary":
        return None
    steps = phases(plan.rollout)
    priced, unpriced, promised, uncounted = [], [], [], []
    for guard in plan.guards:
        reason = _unpriceable(plan, guard, steps)
        if not (reason or isinstance(guard, Parity)):
            priced.append((guard, price(plan, guard, steps)))
            continue
        unpriced.append((guard.name, reason))
        if isinstance(guard, Comparison) and 0 < guard.alpha < 1:
            promised.append(guard.alpha)
        else:
            uncounted.append(guard.name)
    family = family_false_rollback([odds.false_rollback for _, odds in priced]) if priced else None
    planned = Rollout(steps, plan.min_rps or 0.0).planned_requests
    first = plan.rollout.weights[:1]
    later = [
        guard.name for guard in plan.guards for weight in first if not plan.takes_evidence(guard, weight)
    ]
    return PlanOdds(
        tuple(priced), tuple(unpriced), family, planned, tuple(promised), tuple(uncounted), tuple(later)
    )


def odds_annotations(plan: Plan) -> dict[str, str]:
    """Return power, false rollback and exposure as annotations: a shorter hold shows in the diff as lost power."""
    odds = odds_of(plan)
    if odds is None or not odds.guards:
        return {}
    out = {"sluice.dev/false-rollback": f"{_fixed(share_up(odds.false_rollback_bound))}{not_counted(odds)}"}
    for guard, found in odds.guards:
        out[f"sluice.dev/power.{guard.name}"] = _fixed(share_down(found.power))
    if odds.exposed is not None:
        out["sluice.dev/exposed-requests"] = str(math.ceil(odds.exposed))
    return out


def not_counted(odds: PlanOdds) -> str:
    """Return a remark about the guards that the bound on false rollbacks leaves out; empty when there are none."""
    return f", {', '.join(odds.uncounted)} not counted" if odds.uncounted else ""


@dataclass(frozen=True, slots=True)
class SplitOdds:
    """What the check of the split does to one step.

    Args:
        check: the check.
        false_pause: chance that it stops a correct split.
        caught: chance that it stops a share that is `SHIFT` times too large or too small, whichever chance is
            smaller; None without declared traffic.
    """

    check: SplitCheck
    false_pause: float
    caught: float | None


def split_odds(plan: Plan) -> tuple[SplitOdds, ...]:
    """Return the odds of every check of the split, at the declared traffic; skipped ones stop nothing."""
    return tuple(_split_odds(check) for check in split_checks(plan))


def _split_odds(check: SplitCheck) -> SplitOdds:
    test, planned = check.test, check.planned
    if check.skipped:
        return SplitOdds(check, 0.0, 0.0)
    if planned is None:
        return SplitOdds(check, test.alpha, None)
    wrong = (test.share * SHIFT, test.share / SHIFT)
    return SplitOdds(
        check, test.stops(planned, test.share), min(test.stops(planned, share) for share in wrong)
    )


@dataclass(frozen=True, slots=True)
class CohortOdds:
    """What is expected of one step with a cohort.

    Args:
        position: position of the step.
        header: the header of the cohort.
        share: share of all requests that belong to it, as the platform lists it; None where it does not.
        requests: requests of the cohort in the step, at the declared traffic; None where they are not known.
        needed: requests without which the release waits for a person.
        false_pause: chance that a good release waits, by a normal approximation; None where it is not known.
    """

    position: int
    header: str
    share: float | None
    requests: float | None
    needed: int
    false_pause: float | None


def cohort_odds(plan: Plan) -> tuple[CohortOdds, ...]:
    """Return the odds of every step with a cohort."""
    found, shares = [], iter(plan.cohort_shares)
    for position, step in plan.rollout.cohort_steps:
        listed = next(shares)
        share = listed if listed < EVERYBODY else None
        requests = share * plan.min_rps * step.hold if share is not None and plan.min_rps else None
        pause = None
        if requests is not None:
            from generator.promql.bounds import CohortRequests

            others = (plan.min_rps or 0.0) * step.hold - requests
            seen = CohortRequests(step.hold, plan.weight_before(position) / 100, plan.design_effect)
            counted = seen.of(requests + seen.weight * others, (1 - seen.weight) * others)
            spread = math.sqrt(plan.design_effect * (requests + seen.weight * others))
            pause = normal_cdf((step.requests - counted) / spread)
        header = step.cohort.header
        found.append(CohortOdds(position, header, share, requests, step.requests, pause))
    return tuple(found)


def _fixed(share: str) -> str:
    """Return a share with one decimal, as annotations have always had it."""
    return share if "." in share else share.replace("%", ".0%")


def _unpriceable(plan: Plan, guard: Guard, steps: tuple[Phase, ...]) -> str:
    """Return why a guard has no odds; empty when it has.

    `rules` reports changes and risks for which there is no test (a drop of 100%, a risk of 0%).
    """
    if guard.unpriced or isinstance(guard, Parity):
        return guard.unpriced
    if not plan.min_rps:
        return "`traffic.minRps` is not declared"
    if guard.baseline is None:
        return "its `baseline` is not declared"
    if not 0 < guard.baseline < 1:
        return "its `baseline` is 0% or 100%, so no test can detect a change"
    if not sum(step.duration_s for step in steps):
        return "no step has a weight and a hold"
    ratio = guard.ratio if isinstance(guard, Comparison) else priced_ratio(guard)
    if ratio <= 0 or ratio == 1 or guard.baseline * ratio > 1:
        return "its `baseline` can't change that much"
    if not 0 < plan.rollout.risk.power < 1 or (isinstance(guard, Comparison) and not 0 < guard.alpha < 1):
        return "its risk must be above 0% and below 100%"
    return ""


def why_no_odds(plan: Plan, guard: Guard, ratio: float) -> str:
    """Return why it is not known how a guard of a canary stops a change; empty when it is.

    Args:
        plan: the plan.
        guard: one of its guards.
        ratio: the true change of the event rate.
    """
    reason = _unpriceable(plan, guard, phases(plan.rollout))
    if reason or isinstance(guard, Parity):
        return reason
    if guard.more_is_worse != (ratio > 1):
        return f"its guard watches for a {'rise' if guard.more_is_worse else 'drop'}"
    return "its `baseline` can't change that much" if (guard.baseline or 0.0) * ratio > 1 else ""


def price(plan: Plan, guard: Comparison | Limit, steps: tuple[Phase, ...]) -> GuardOdds:
    """Return the odds of one guard over some phases, which may differ from those of the plan.

    Raises:
        ValueError: it has none; `odds_of` lists such guards under `unpriced`.
    """
    rollout, power = Rollout(steps, plan.min_rps or 0.0), plan.rollout.risk.power
    match guard:
        case Comparison():
            return _sprt(
                counted(plan, guard, rollout), sequential_test(plan, guard), latency_s(plan), power=power
            )
        case Limit():
            ratio, window = priced_ratio(guard), window_guard(plan, guard)
            return _threshold(rollout, window, guard.baseline or 0.0, ratio, latency_s(plan), power=power)
        case _:
            assert_never(guard)


def stopped(
    plan: Plan, guard: Comparison | Limit, steps: tuple[Phase, ...], ratio: float
) -> Detection | None:
    """Return when one guard stops a version with a change, which need not be the one to detect; None without odds.

    Args:
        plan: the plan.
        guard: one of its guards.
        steps: its phases.
        ratio: the true change of the event rate, on the bad side.
    """
    if _unpriceable(plan, guard, steps) or (guard.baseline or 0.0) * ratio > 1:
        return None
    rollout = Rollout(steps, plan.min_rps or 0.0)
    if isinstance(guard, Comparison):
        rollout = counted(plan, guard, rollout)
        stops = sprt_stops(sequential_test(plan, guard), rollout, ratio)
    else:
        looks = window_looks(window_guard(plan, guard), rollout, (guard.baseline or 0.0) * ratio)
        stops = run_stops(looks, LIMIT_FAILURES)
    return detection(rollout, stops, latency_s(plan))


def counted(plan: Plan, guard: Comparison, rollout: Rollout) -> Rollout:
    """Return a rollout in which the phases without evidence for a guard are marked: pods with unequal loads."""
    steps = (
        replace(phase, counts=plan.takes_evidence(guard, round(100 * phase.weight)))
        for phase in rollout.phases
    )
    return replace(rollout, phases=tuple(steps))


def sequential_test(plan: Plan, guard: Comparison) -> Sprt:
    """Return the test of a comparison, as it is rendered."""
    return Sprt(
        baseline=guard.baseline or 0.0,
        ratio=guard.ratio,
        alpha=guard.alpha,
        mask_s=masked_s(plan, guard),
        design_effect=plan.design_effect,
        look_s=plan.clock.interval_s,
    )


def masked_s(plan: Plan, guard: Comparison) -> float:
    """Return the seconds after each change of weight from which a comparison takes no evidence."""
    loads = plan.clock.stratum_window_s if plan.compares_loads(guard) else 0.0
    return max(mask_dead_time(guard.mask_s), loads)


def window_guard(plan: Plan, guard: Limit) -> WindowGuard:
    """Return the measurements of a limit on a ratio; an empty window counts as a failure."""
    return WindowGuard(
        limit=guard.limit,
        bound="at_most" if guard.more_is_worse else "at_least",
        window_s=plan.clock.window_s,
        interval_s=plan.clock.interval_s,
        failure_limit=LIMIT_FAILURES,
        first_look_s=guard.first_s(plan.clock),
        design_effect=plan.design_effect,
    )


def latency_s(plan: Plan) -> float:
    """Return the seconds from sufficient evidence to the last request of the canary.

    The evidence in a subquery may be one stratum and one scrape old.
    """
    return LATENCY_S + plan.clock.interval_s + plan.clock.scrape_s


def priced_ratio(guard: Limit) -> float:
    """Return the change that the odds of a limit are for: 10%, or the largest possible one if that is smaller."""
    if not guard.more_is_worse:
        return 1 - _PRICED
    return min(1 + _PRICED, 1 / (guard.baseline or 1.0))


_sprt = lru_cache(maxsize=4096)(sprt_odds)
_threshold = lru_cache(maxsize=4096)(threshold_odds)
