"""Guards of a plan: every kind becomes one of the three types, and each type has its words."""

from __future__ import annotations

import pytest

from generator.plan.guards import Comparison, Limit, Parity
from generator.plan.measurements import Clock
from generator.plan.values import Plan
from generator.spec.guards import KINDS, GuardBase
from generator.spec.guards.base import Counts, Gauge, GaugeGuard, ParityGuard, RatioGuard
from tests.system.repositories import LOCK, MODEL, PLATFORM, resolve_one, small

COUNTS = Counts("server", "requests_total", "errors_total", bucket_s=0.25)
COMMON = {"name": "g", "kind": "slow-rate", "subject": "slow-rate", "no_data": "pause", "index": 0}
CLOCK = Clock(scrape_s=10.0, interval_s=30.0)


def comparison(**changed: object) -> Comparison:
    values = {"counted": COUNTS, "ratio": 1.5, "more_is_worse": True, "baseline": 0.02, "delay_s": 0.0}
    return Comparison(**{**COMMON, **values, "alpha": 0.05, "mask_s": 0.0, **changed})


def limit(signal: Counts | Gauge, bound: float, *, more_is_worse: bool = True) -> Limit:
    return Limit(**COMMON, signal=signal, limit=bound, more_is_worse=more_is_worse)


def plan(tmp_path, guards: str) -> Plan:
    """The plan of a small canary with these guards."""
    text = MODEL.replace("steps:", f"guards: [{guards}]\n    steps:")
    found = resolve_one(small(tmp_path, text, PLATFORM, LOCK))
    assert found.findings == []
    return found.plans[0].plan


def test_every_kind_is_a_ratio_a_gauge_or_a_parity():
    for kind in KINDS.values():
        assert issubclass(kind, GuardBase)
        assert sum(issubclass(kind, form) for form in (RatioGuard, GaugeGuard, ParityGuard)) == 1


@pytest.mark.parametrize(
    ("guard", "text"),
    [
        (comparison(), "slow-rate above 250ms: a rise of 50% from the 2% baseline, compared with stable"),
        (comparison(ratio=0.9, baseline=None), "slow-rate above 250ms: a drop of 10%, compared with stable"),
        (limit(COUNTS, 0.05), "slow-rate above 250ms: at most 5%"),
        (limit(Gauge("model", "age", "seconds"), 900.0), "slow-rate: at most 15m"),
        (limit(Gauge("pod", "memory", "bytes"), 3 * 2.0**29), "slow-rate: at most 1536Mi"),
        (limit(Gauge("pod", "hits", "share"), 0.8, more_is_worse=False), "slow-rate: at least 80%"),
        (limit(Gauge("pod", "queue"), 12.5), "slow-rate: at most 12.5"),
        (
            Parity(**COMMON, limit=0.1, attributes=(("gender", ("a", "b")), ("age", ("c", "d")))),
            "slow-rate by gender, age: at most 0.1",
        ),
    ],
)
def test_what_a_guard_stops_a_release_for(guard, text):
    assert guard.describe() == text
    assert text.endswith(guard.threshold) or f"a {guard.threshold} from" in text or "compared" in text


def test_only_comparisons_with_planned_traffic_and_parities_ask_for_evidence():
    assert comparison().asks_evidence(100.0)
    assert not comparison().asks_evidence(None)
    assert not comparison(no_data="pass").asks_evidence(100.0)
    parity = Parity(**COMMON, limit=0.1, attributes=())
    assert parity.asks_evidence(None)
    assert not Parity(**{**COMMON, "no_data": "pass"}, limit=0.1, attributes=()).asks_evidence(None)


def test_when_guards_are_first_measured():
    assert comparison().first_s(CLOCK) == 0
    assert limit(COUNTS, 0.05).first_s(CLOCK) == 5 * 30 + 2 * 10
    assert limit(Gauge("pod", "queue"), 1.0).first_s(CLOCK) == 2 * 10
    assert Parity(**COMMON, limit=0.1, attributes=()).first_s(CLOCK) == 2 * 10
    assert Parity(**COMMON, limit=0.1, attributes=()).interval_s(CLOCK) == 5 * 30
    assert comparison().interval_s(CLOCK) == limit(COUNTS, 0.05).interval_s(CLOCK) == 30


def test_comparisons_share_the_risk_and_limits_spend_none_of_it(tmp_path):
    guards = (
        "{metric: error-rate, detect: {rise: 100%}}, {metric: error-rate, name: most, limit: 5%}, "
        "{metric: slow-rate, slowerThan: 1s, detect: {rise: 50%}}"
    )
    first, bare, second = plan(tmp_path, guards).guards
    assert isinstance(bare, Limit)
    assert (first.alpha, second.alpha) == (0.025, 0.025)
    assert (first.index, bare.index, second.index) == (0, 1, 2)
    assert second.bound_s == 1.0
