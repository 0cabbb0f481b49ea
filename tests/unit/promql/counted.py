"""What the guards of the spec language count, as the queries of these tests read it."""

from __future__ import annotations

from generator.promql.series import Matcher, Proportion
from generator.promql.served import Served, bucket
from generator.spec.guards.base import Counts
from generator.spec.guards.error_rate import ErrorRateGuard
from generator.spec.guards.outcome import OutcomeGuard
from generator.spec.guards.slow_rate import SlowRateGuard

DETECT = {"detect": {"rise": "10%"}}


def outcome(served: Served, name: str) -> Proportion:
    return _own(served, OutcomeGuard.model_validate({"outcome": name, **DETECT}).counts())


def errors(served: Served) -> Proportion:
    return _server(served, ErrorRateGuard.model_validate({"metric": "error-rate", **DETECT}).counts())


def slow(served: Served, bound_s: float) -> Proportion:
    told = {"metric": "slow-rate", "slowerThan": f"{round(bound_s * 1000)}ms", **DETECT}
    return _server(served, SlowRateGuard.model_validate(told).counts())


def _own(served: Served, counts: Counts) -> Proportion:
    return served.own(counts.requests, counts.events, *_labels(counts))


def _server(served: Served, counts: Counts) -> Proportion:
    return served.server(counts.requests, counts.events, *_labels(counts), complement=counts.complement)


def _labels(counts: Counts) -> list[Matcher]:
    labels = [Matcher(label, value, operator) for label, operator, value in counts.labels]
    return [*labels, bucket(counts.bucket_s)] if counts.bucket_s else labels
