"""Odds of the offline gates: the chances of their verdicts on a slightly bad model and on a good one."""

from __future__ import annotations

import math
from typing import Any

from generator.dataclass import dataclass
from generator.plan.values import Gate, Plan
from generator.spec.gates import is_share
from generator.stats.normal import normal_cdf, normal_quantile
from generator.stats.offline import Chances, share_chances

POINTS = 0.02
_RATE, _ALPHA = 0.5, 0.05


@dataclass(frozen=True, slots=True)
class GateOdds:
    """Odds of one gate.

    Args:
        name: the gate.
        rows: rows of the test set, or of the smallest group when groups are compared.
        passes_if_2_points_too_bad: chance that a model two points on the wrong side of the limit passes.
        fails_if_2_points_better: chance that a good model fails: two points on the right side, or a fair one.
        undecided_if_2_points_better: chance that its verdict is inconclusive, which blocks it too.
    """

    name: str
    rows: int
    passes_if_2_points_too_bad: float
    fails_if_2_points_better: float
    undecided_if_2_points_better: float


def gate_odds(plan: Plan, *, guaranteed: bool = False) -> tuple[GateOdds, ...]:
    """Return the odds of the gates that have them: shares of a known number of rows, and demographic parity.

    Args:
        plan: the plan.
        guaranteed: intervals are Clopper and Pearson's, which strict tiers require.
    """
    groups = {name: len(values) for name, values in plan.server.groups}
    found = (_gate(gate, groups, guaranteed=guaranteed) for gate in plan.gates)
    return tuple(odds for odds in found if odds is not None)


def share_odds(
    config: dict[str, Any], rows: int, *, guaranteed: bool = False
) -> tuple[Chances, Chances] | None:
    """Return the chances for a share two points on the wrong and two points on the right side of its limit.

    Args:
        config: `atLeast` or `atMost`, fractions; with both, the bound that lets more bad models pass counts.
        rows: rows of the test set.
        guaranteed: intervals are Clopper and Pearson's.
    """
    found = []
    for bound, mirrored in (("atLeast", False), ("atMost", True)):
        limit = config.get(bound)
        if not isinstance(limit, (int, float)) or not 0 < limit < 1:
            continue
        # An upper limit on a share is a lower one on the rest.
        floor = 1 - limit if mirrored else limit
        bad, good = max(floor - POINTS, 0.0), min(floor + POINTS, 1.0)
        found.append(
            (
                share_chances(floor, rows, bad, guaranteed=guaranteed),
                share_chances(floor, rows, good, guaranteed=guaranteed),
            )
        )
    return max(found, key=lambda pair: pair[0].passes, default=None)


def parity_odds(limit: float, rows: int, groups: int) -> tuple[Chances, Chances]:
    """Return the chances for a demographic parity difference two points too large, and for none at all.

    Normal approximation with groups of the same size and a selection rate of one half, the worst case. The interval of
    a pair has level 1 - 0.05 / pairs. Several pairs are combined by Bonferroni's inequality, which understates the
    chances of a good model.

    Args:
        limit: the largest difference allowed.
        rows: rows of each group.
        groups: how many there are, at least 2.
    """
    pairs = groups * (groups - 1) // 2
    spread = math.sqrt(2 * _RATE * (1 - _RATE) / rows)
    half = -normal_quantile(_ALPHA / pairs / 2) * spread
    bad_passes = normal_cdf((-POINTS - half) / spread)
    bad_fails = 1 - normal_cdf((half - POINTS) / spread)
    good_fails = min(1.0, pairs * 2 * normal_cdf(-(limit + half) / spread))
    waits = min(1.0, pairs * 2 * normal_cdf(-(limit - half) / spread))
    good_passes = max(0.0, 1 - waits)
    return (
        Chances(bad_passes, bad_fails, max(0.0, 1 - bad_passes - bad_fails)),
        Chances(good_passes, good_fails, max(0.0, 1 - good_passes - good_fails)),
    )


def _gate(gate: Gate, groups: dict[str, int], *, guaranteed: bool) -> GateOdds | None:
    config = gate.config
    if (
        gate.kind == "fairness"
        and config["fairness"] == "demographic-parity-difference"
        and config.get("atMost")
    ):
        rows = config["minGroup"]
        most = max(max(2, groups.get(name, 2)) for name in config["sensitive"])
        pair: tuple[Chances, Chances] | None = parity_odds(config["atMost"], rows, most)
    elif gate.kind == "metric" and config.get("rows") and is_share(config["metric"]):
        rows = config["rows"]
        pair = share_odds(config, rows, guaranteed=guaranteed)
    else:
        return None
    if pair is None:
        return None
    bad, good = pair
    return GateOdds(gate.name, rows, bad.passes, good.fails, good.inconclusive)
