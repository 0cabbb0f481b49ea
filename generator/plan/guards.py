"""Guards as written to guards as judged: names, baselines, shares of the risk, masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from generator.plan.bento import HELD_SCRAPES
from generator.plan.strategy import Guard, NoDataPolicy
from generator.spec.guards.base import Detect, GuardBase
from generator.spec.guards.fairness import FairnessGuard
from generator.spec.guards.outcome import OutcomeGuard
from generator.spec.model import ModelSpec
from generator.spec.platform import PlatformSpec
from generator.spec.units import duration, percent

# A Job metric's name must survive in `<run uid>.<metric>.<n>`, 63 characters (argo-rollouts metricproviders/job).
LONGEST_NAME = 23
# The mask looks back twice this many mean delays and a half: facts of statistics.md 3.4 (2B >= 5 mean delays).
_DELAYS = 2.5


def guards(
    spec: ModelSpec, platform: PlatformSpec, written: Sequence[GuardBase], no_data: NoDataPolicy
) -> tuple[Guard, ...]:
    """The guards of one rollout; those that compare with stable share the risk of a false rollback equally."""
    compared = sum(1 for guard in written if getattr(guard, "detect", None))
    alpha = spec.rollout.risk.false_rollback / max(compared, 1)
    attributes = {**platform.attributes, **spec.service.attributes}
    mask = _least_mask_s(platform)
    return tuple(
        _guard(spec, item, index, alpha, no_data, attributes, mask) for index, item in enumerate(written)
    )


def _least_mask_s(platform: PlatformSpec) -> float:
    """Look-back of the mask of outcomes that are not late at all.

    A pod that is told of a version's outcomes for the first time holds them back, and shows them all at once
    (`HeldCounter` in the bento). Until then a good version looks as if nobody liked it. Twice the look-back leaves out
    every stratum that sees requests without their outcomes, or the outcomes that were held.
    """
    scrape = platform.prometheus.scrape_interval
    stratum = max(platform.prometheus.look_interval, 4 * scrape) + scrape
    return ((HELD_SCRAPES + 2) * scrape + stratum) / 2


def guard_name(written: GuardBase) -> str:
    """Name of a guard's metric: its own, or what it watches."""
    subject = "parity" if isinstance(written, FairnessGuard) else written.subject
    name = written.name or subject.lower().replace("_", "-").strip("-") or written.kind
    return name[:LONGEST_NAME].strip("-")


def _guard(
    spec: ModelSpec,
    written: GuardBase,
    index: int,
    alpha: float,
    no_data: NoDataPolicy,
    attributes: dict[str, list[Any]],
    least_mask_s: float,
) -> Guard:
    outcome = spec.outcomes.get(written.outcome) if isinstance(written, OutcomeGuard) else None
    delay = outcome.delay if outcome else 0.0
    counts, compared = written.counts(), getattr(written, "detect", None)
    return Guard(
        name=guard_name(written),
        kind=written.kind,
        subject=written.subject,
        counts=counts,
        ratio=_ratio(compared),
        limit=written.at_most if isinstance(written, FairnessGuard) else getattr(written, "limit", None),
        at_most=outcome is None or outcome.better == "lower",
        baseline=outcome.baseline if outcome else getattr(written, "baseline", None),
        delay_s=delay,
        bound_s=counts.bucket_s if counts else 0.0,
        attributes=_attributes(written, attributes),
        no_data=written.no_data or no_data,
        alpha=alpha,
        mask_s=max(_DELAYS * delay, least_mask_s) if outcome and compared else 0.0,
        index=index,
    )


def _ratio(detect: Detect | None) -> float | None:
    if detect is None:
        return None
    return 1 - detect.drop if detect.drop is not None else 1 + (detect.rise or 0.0)


def _attributes(
    written: GuardBase, declared: dict[str, list[Any]]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    names = getattr(written, "sensitive", ())
    return tuple((name, tuple(dict.fromkeys(map(str, declared.get(name, ()))))) for name in names)


def metric_names(written: GuardBase) -> tuple[str, ...]:
    """Names of the metrics that a guard as written becomes: one, or one for each sensitive attribute."""
    name = guard_name(written)
    if isinstance(written, FairnessGuard):
        return tuple(attribute_metric(name, attribute) for attribute in written.sensitive)
    return (name,)


def attribute_metric(guard: str, attribute: str) -> str:
    """Name of the metric of one sensitive attribute of a fairness guard."""
    name = f"{guard}-{attribute}".lower().replace("_", "-")
    return name[:LONGEST_NAME].strip("-")


def judges(guard: Guard) -> str:
    """What a guard stops a release for, in words."""
    slow = f" above {duration(guard.bound_s)}" if guard.bound_s else ""
    if guard.ratio is not None:
        change = "drop" if guard.ratio < 1 else "rise"
        usual = f" of {percent(guard.baseline)}" if guard.baseline is not None else ""
        return f"{guard.subject}{slow}: a {change} of {percent(abs(1 - guard.ratio))}{usual} against stable"
    bound = "at most" if guard.at_most else "at least"
    groups = f" by {', '.join(name for name, _ in guard.attributes)}" if guard.attributes else ""
    limit = f"{guard.limit:g}" if guard.kind == "fairness" else percent(guard.limit or 0.0)
    return f"{guard.subject}{slow}{groups}: {bound} {limit}"
