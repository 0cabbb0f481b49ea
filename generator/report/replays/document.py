"""The document of `sluice replay --format json`; keys change only with the version of its schema."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from generator.odds.replay.expected import Expected
from generator.odds.replay.simulate import Aborts, Share, Simulated
from generator.plan.values import Plan
from generator.report.replays.schedule import Replayed
from generator.stats.timeline import Detection

SCHEMA: Final = "sluice/replay/v1"


def replay_document(replayed: Replayed) -> dict[str, Any]:
    """Return a replay: times are seconds since the first weight, weights whole percent."""
    course = replayed.course
    return {
        **_head(replayed.plan, replayed.skipped),
        "outcome": course.outcome,
        "at_s": course.at_s,
        "guard": course.guard or None,
        "reason": course.reason,
        "step": course.step,
        "exposed": replayed.exposed,
        "weights": [asdict(held) for held in course.held],
        "looks": [
            {**asdict(measurement), "result": [*map(_value, measurement.result)]}
            for measurement in course.measurements
        ],
    }


def simulation_document(
    plan: Plan, scenario: str, seed: int, found: Simulated, odds: Expected | None, skipped: Sequence[str]
) -> dict[str, Any]:
    """Return a simulation with its odds: shares are fractions, times seconds."""
    return {
        **_head(plan, skipped),
        "scenario": scenario,
        "runs": found.runs,
        "seed": seed,
        "outcomes": {outcome: _share(share) for outcome, share in found.outcomes.items()},
        "whole": {"simulated": _aborts(found.whole), "odds": _odds(odds.whole if odds else None)},
        "guards": [
            {"name": name, "simulated": _aborts(aborts), "odds": _odds(odds.by_guard[name] if odds else None)}
            for name, aborts in found.by_guard.items()
        ],
    }


def _head(plan: Plan, skipped: Sequence[str]) -> dict[str, Any]:
    identity = plan.identity
    named = {"model": f"{identity.team}/{identity.model}", "environment": identity.environment}
    return {"schema": SCHEMA, **named, "skipped": list(skipped)}


def _value(value: float) -> float | str:
    """Return a number that JSON can have: NaN and infinity become text."""
    return value if math.isfinite(value) else str(value)


def _share(share: Share) -> dict[str, float]:
    return {"share": share.value, "stderr": share.stderr}


def _aborts(found: Aborts) -> dict[str, Any]:
    times = {"detect_mean_s": found.mean_s, "detect_p90_s": found.p90_s, "exposed_mean": found.exposed_mean}
    return {"rolled_back": _share(found.share), **times}


def _odds(found: Detection | None) -> dict[str, Any] | None:
    if found is None:
        return None
    times = {"detect_mean_s": found.mean_s, "detect_p90_s": found.p90_s, "exposed_mean": found.exposed}
    return {"rolled_back": found.probability, **times}
