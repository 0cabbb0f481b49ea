"""Writes the figures of `docs/statistics.md`: designed schedules in simulation, guards on histories without a change.

`python -m tests.figures` takes about two minutes; equal code gives equal figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import mean, stdev

from scipy.stats import t

from generator.odds.calibration import design_effect
from generator.odds.design import Accepted, designs, expected_exposure, grid_of
from generator.odds.odds import odds_of
from generator.odds.replay.simulate import Share, scenario, simulate, simulated_guards
from generator.odds.stable_pairs import stable_against_stable, tried_windows
from generator.plan.repository import Repository
from generator.plan.resolve import no_digest, resolve
from generator.plan.values import Plan
from generator.report.replays.schedule import schedule_of
from generator.spec.calibration import Estimate
from generator.spec.ceilings import Ceilings
from generator.spec.quantities import count_up, share_down, share_up, time_span
from tests.unit.odds.histories import World, simulated
from tests.unit.plan.rollouts import weight_step, with_steps

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/statistics.md"
_RUNS, _BATCH = 400, 50
_WORLDS = {
    "independent requests, daily cycle": World(days=30),
    "5% of the minutes with three times the traffic": World(days=30, bursts=0.05),
    "all rates drift by 50% in the month": World(days=30, drift=0.5),
    "users with 2 requests of the same outcome": World(days=30, cluster=2),
    "users with 4 requests of the same outcome": World(days=30, cluster=4),
    "pods whose rates differ by 3% for good": World(days=30, uneven=0.03),
    "pods whose rates differ by 5% for good": World(days=30, uneven=0.05),
}


def _recommender() -> tuple[Plan, Ceilings]:
    repository = Repository(ROOT)
    entry = next(entry for entry in repository.entries if entry.model == "recommender")
    plan = resolve(repository, entry, no_digest).plans[-1].plan
    platform = repository.platform
    assert platform is not None
    return plan, platform.tiers[plan.identity.tier].ceilings


def _designs() -> Iterator[str]:
    plan, ceilings = _recommender()
    longest = plan.rollout.held_s
    found = {"by hand": plan}
    for goal in ("exposure", "time"):
        accepted = Accepted(ceilings.power or 0.8, longest, ceilings.max_exposed, goal)
        best = next(designs(plan, grid_of(plan, ceilings, longest), accepted))
        found[f"least {goal}"] = with_steps(plan, [weight_step(*step) for step in best.steps])
    yield "| schedule | steps | time | exposed on average | drop of 10% caught: odds | simulated | exposed: odds | simulated |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, one in found.items():
        yield _design(name, one)


def _design(name: str, plan: Plan) -> str:
    odds = odds_of(plan)
    assert odds is not None
    schedule = schedule_of(plan)
    guards = simulated_guards(plan, schedule)
    ratios = scenario("ctr:drop=10%", guards)
    ran = [
        simulate(plan, schedule, guards, ratios, range(at, at + _BATCH), 1) for at in range(0, _RUNS, _BATCH)
    ]
    caught = Share(sum(one.by_guard["ctr"].share.count for one in ran), _RUNS)
    low, high = (caught.value + sign * 1.96 * caught.stderr for sign in (-1, 1))
    ctr = next(found for guard, found in odds.comparisons if guard.name == "ctr")
    steps = ", ".join(f"{step.weight}% {time_span(step.hold)}" for _, step in plan.rollout.weight_steps)
    interval = f"{share_down(max(0.0, low))} to {share_up(min(1.0, high))}"
    means = [one.by_guard["ctr"].exposed_mean or 0.0 for one in ran]
    spread = t.ppf(0.975, len(means) - 1) * stdev(means) / len(means) ** 0.5
    average, by_odds = (count_up(value or 0.0) for value in (expected_exposure(odds), ctr.exposed_mean))
    seen = f"{count_up(mean(means) - spread)} to {count_up(mean(means) + spread)}"
    time = time_span(plan.rollout.held_s)
    return f"| {name} | {steps} | {time} | {average} | {share_down(ctr.power)} | {interval} | {by_odds} | {seen} |"


def _histories() -> Iterator[str]:
    plan, _ = _recommender()
    odds = odds_of(plan)
    assert odds is not None
    yield "| history of 30 days | a guard fired | design effect of the clicks | proposed | a guard fired with it |"
    yield "|---|---|---|---|---|"
    for name, world in _WORLDS.items():
        history = simulated(world)
        found = stable_against_stable(plan, odds.false_rollback_bound, list(tried_windows(plan, history)))
        assert found is not None
        effect = design_effect(history, "ctr")
        assert effect is not None
        kept = found.fired[-1] if len(found.fired) > 1 else None
        proposed = (f"{kept.design_effect:g}", _share(kept.share)) if kept else ("-", "-")
        counts = f"{effect.value:.2f} ({effect.low:.2f} to {effect.high:.2f})"
        yield f"| {name} | {_share(found.fired[0].share)} | {counts} | {' | '.join(proposed)} |"


def _share(found: Estimate) -> str:
    return f"{share_up(found.value)} ({share_down(found.low)} to {share_up(found.high)})"


def main() -> None:
    """Write the tables between their marks."""
    text = PAGE.read_text()
    for name, lines in (("designs", _designs()), ("histories", _histories())):
        marks = (f"<!-- {name}: python -m tests.figures -->\n", f"<!-- end of {name} -->")
        before, rest = text.split(marks[0])
        rows = "".join(f"{line}\n" for line in lines)
        text = before + marks[0] + rows + marks[1] + rest.split(marks[1])[1]
    PAGE.write_text(text)


if __name__ == "__main__":
    main()
