"""Compares numbers with bounds, with three verdicts: what is not a number, or may be on either side, never passes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pydantic import ValidationError

from generator.gates.errors import NoVerdictError, describe
from generator.source.line import one_line
from generator.spec.evidence import Bound, Interval, Measure, Verdict
from generator.stats import binomial
from generator.stats.offline import verdict

_DIGITS: Final = 12
LONGEST_REASON: Final = 500
_ROUNDING: Final = 1e-9
_SIGNS: Final = {"atLeast": "at least", "atMost": "at most"}
_WORST: Final[tuple[Verdict, ...]] = ("fail", "inconclusive", "pass")


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst verdict (fail, then inconclusive, then pass); inconclusive for none."""
    found = set(verdicts)
    return next((verdict for verdict in _WORST if verdict in found), "inconclusive")


def deciding_reasons(measures: Sequence[Measure]) -> str:
    """Return the reasons of the measures that decide a verdict, on one line; empty for none."""
    verdict = worst(item.verdict for item in measures)
    return one_line("; ".join(item.reason for item in measures if item.verdict == verdict))[:LONGEST_REASON]


def rounded(value: float | None) -> float | None:
    """Return a number to twelve significant digits, so that the last bits of a processor don't matter.

    None for infinite numbers and NaN.
    """
    if value is None or not math.isfinite(value):
        return None
    found = float(f"{value:.{_DIGITS}g}")
    return 0.0 if found == 0.0 else found  # avoids minus zero


def contains_value(measure: Measure) -> bool:
    """Return whether a measure's interval contains its value, up to rounding; true without an interval."""
    if measure.interval is None or measure.value is None:
        return True
    slack = _ROUNDING * max(1.0, abs(measure.value))
    return measure.interval.low - slack <= measure.value <= measure.interval.high + slack


def verdict_of(measure: Measure) -> Verdict:
    """Return the verdict of a measure's value and interval on its threshold.

    It is inconclusive without a value, and if the interval does not contain the value.
    """
    if measure.value is None or not contains_value(measure):
        return "inconclusive"
    ends = [measure.value]
    if measure.interval is not None:
        ends += [measure.interval.low, measure.interval.high]
    hull = binomial.Interval(min(ends), max(ends))
    return verdict(hull, measure.threshold, at_least=measure.bound == "atLeast")


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
    """Compare one number with its bound.

    Pass when the value and its whole interval meet the threshold, fail when the whole interval misses it, else
    inconclusive.

    Args:
        name: what was measured.
        value: the estimate; None and NaN are inconclusive.
        bound: which way the threshold bounds it.
        threshold: the bound.
        interval: its confidence interval.
        samples: sample sizes by name.
        parts: numbers of each group.
        details: further numbers of the tool.
        doubt: why the result can't be trusted; empty when it can.
        remark: a note that is appended to the reason.

    Raises:
        NoVerdictError: a name or a number from the data can't be part of evidence, such as a group with a line end.
    """
    low, high = (rounded(interval.low), rounded(interval.high)) if interval else (None, None)
    try:
        raw = Measure(
            name=name,
            value=rounded(value),
            interval=Interval(low=low, high=high) if low is not None and high is not None else None,
            bound=bound,
            threshold=threshold,
            samples=dict(samples or {}),
            parts={
                key: {k: rounded(v) or 0.0 for k, v in item.items()} for key, item in (parts or {}).items()
            },
            details={k: v if isinstance(v, str) else rounded(v) or 0.0 for k, v in (details or {}).items()},
            verdict="inconclusive",
            reason="-",
        )
    except ValidationError as error:
        raise NoVerdictError(f"`{one_line(name)}` can't be part of evidence: {describe(error)}") from error
    if not doubt and not contains_value(raw):
        doubt = "its interval does not contain it"
    found = "inconclusive" if doubt else verdict_of(raw)
    reason = _reason(raw, found, doubt)
    return raw.model_copy(update={"verdict": found, "reason": f"{reason}; {remark}" if remark else reason})


def _reason(raw: Measure, found: Verdict, doubt: str) -> str:
    if raw.value is None:
        return doubt or f"{raw.name} is not a number"
    text = f"{raw.name} is {raw.value:.6g}"
    if raw.interval:
        text += f" ({raw.interval.low:.4g} to {raw.interval.high:.4g})"
    if doubt:
        return f"{text}, but {doubt}"
    if found == "inconclusive":
        return f"{text}: the interval contains the limit, {raw.threshold:.6g}"
    limit = f"{_SIGNS[raw.bound]} {raw.threshold:.6g}"
    return f"{text}, {limit}" if found == "pass" else f"{text}, not {limit}"
