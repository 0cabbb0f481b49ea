"""What the conditions of a metric must say about a result without data, by provider."""

from __future__ import annotations

import re
from typing import Final

from generator.lint.rules.metric import MetricContext

_LOOSE: Final = re.compile(r"\|\||\?|\bor\b")
"""Operators that bind less than `&&`."""
_DATA_FIRST: Final = {
    "number or nil": ("!isNil(result)", "isNil(result)"),
    "points": ("len(result) > 0", "len(result) == 0"),
    "series": ("len(result) == 1", "len(result) != 1"),
}
"""For each kind of result: what a successCondition requires first, and what a failureCondition fails on first."""
_RESULT: Final = re.compile(r"(?<!default\()(?<!isNil\()\bresult\b")


def data_required(ctx: MetricContext) -> str:
    """Return what a condition of this provider must require; empty for the usual remedy."""
    if ctx.shape == "number or nil":
        return "Begin with `!isNil(result) &&`, or with `isNil(result) ||` in a failureCondition."
    return "Require `len(result) > 0`." if ctx.shape == "points" or ctx.may_be_several else ""


def data_first(ctx: MetricContext) -> str:
    """Return conditions of this provider that require data first: without data a measurement fails.

    The type of nil is compared before anything is evaluated, so `result != nil && result < 1` is an Error for nil;
    what `default()` returns has no type (utils/evaluate/evaluate.go, and expr, checker.go).
    """
    required, absent = _DATA_FIRST.get(ctx.shape or "", ("", ""))
    if not required:
        return ""
    success, failure = ctx.success, ctx.failure
    reason = ""
    if ctx.shape == "number or nil":
        success, failure = (_RESULT.sub("default(result, 0)", text) for text in (success, failure))
        reason = "; `result != nil` in front of the comparison is not enough: comparing nil is an Error"
    parts = []
    if success:
        parts.append(f"`{required} && {f'({success})' if _LOOSE.search(success) else success}`")
    if failure:
        shown = f"`{absent} || {f'({failure})' if '?' in failure else failure}`"
        parts.append(shown + (" as failureCondition" if success else ""))
    return f"write {', and '.join(parts)}{reason}"
