"""Numbers against bounds, three-valued: what is no number, or might be on either side, never passes."""

from __future__ import annotations

from collections.abc import Mapping

from generator.gates.canonical import fixed
from generator.gates.consistency import verdict_of
from generator.spec.evidence import Bound, Interval, Measure, Verdict
from generator.stats import binomial

_SIGNS = {"atLeast": "at least", "atMost": "at most"}


def measure(
    name: str,
    value: float | None,
    bound: Bound,
    threshold: float,
    *,
    interval: binomial.Interval | None = None,
    samples: Mapping[str, int] | None = None,
    parts: Mapping[str, Mapping[str, float]] | None = None,
    details: Mapping[str, float | str] | None = None,
    doubt: str = "",
    remark: str = "",
) -> Measure:
    """Judge one number.

    Pass when the value and its whole interval keep to the threshold, fail when the whole interval misses it, else
    inconclusive.

    Args:
        name: what was measured.
        value: the estimate; None and NaN are inconclusive.
        bound: which way the threshold bounds it.
        threshold: the bound.
        interval: its confidence interval.
        samples: sample sizes by what was counted.
        parts: numbers of each group.
        details: what else the tool said.
        doubt: why neither a pass nor a failure is to be believed; empty when they are.
        remark: what a reader should know besides, appended to the reason.
    """
    low, high = (fixed(interval.low), fixed(interval.high)) if interval else (None, None)
    raw = Measure(
        name=name,
        value=fixed(value),
        interval=Interval(low=low, high=high) if low is not None and high is not None else None,
        bound=bound,
        threshold=threshold,
        samples=dict(samples or {}),
        parts={key: {k: fixed(v) or 0.0 for k, v in item.items()} for key, item in (parts or {}).items()},
        details={k: v if isinstance(v, str) else fixed(v) or 0.0 for k, v in (details or {}).items()},
        verdict="inconclusive",
        reason="-",
    )
    verdict, reason = _judge(raw, doubt)
    return raw.model_copy(update={"verdict": verdict, "reason": f"{reason}; {remark}" if remark else reason})


def _judge(raw: Measure, doubt: str) -> tuple[Verdict, str]:
    if raw.value is None:
        return "inconclusive", doubt or f"{raw.name} is not a number"
    limit = f"{_SIGNS[raw.bound]} {raw.threshold:.6g}"
    said = f"{raw.name} is {raw.value:.6g}"
    if raw.interval:
        said += f" ({raw.interval.low:.4g} to {raw.interval.high:.4g})"
    if doubt:
        return "inconclusive", f"{said}, but {doubt}"
    found = verdict_of(raw)
    if found == "inconclusive":
        return found, f"{said}: the interval contains the limit, {raw.threshold:.6g}"
    return found, f"{said}, {limit}" if found == "pass" else f"{said}, not {limit}"
