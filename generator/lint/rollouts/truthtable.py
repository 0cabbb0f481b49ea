"""What the conditions of a metric decide about good, bad and missing data, as a truth table."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.lint.conditions import Rejected, TruthTable, Unsupported, parse, truth_table
from generator.lint.conditions.truth_table import Shape
from generator.lint.controller import ControllerVersion
from generator.lint.go_values import is_templated
from generator.lint.rollouts.model import as_text
from generator.lint.rollouts.view import MetricContext

_FALLBACK = re.compile(r"\bor\s+(?:on\s*\(\s*\)\s*)?vector\(\s*([0-9.]+)\s*\)\s*$", re.IGNORECASE)
_SCALAR_QUERY = re.compile(r"\s*(?:scalar\(|\d+(?:\.\d+)?\s*$)")
_AGGREGATE = re.compile(
    r"\b(?:sum|avg|min|max|count|histogram_quantile|scalar|vector|quantile|stddev)\s*[(b]"
)
_SPLIT = re.compile(r"\bby\s*\(\s*(?!le\s*\))[^)\s]|\bwithout\s*\(|\btopk|\bbottomk", re.IGNORECASE)


def conditions(ctx: MetricContext) -> tuple[str, str]:
    """The success and the failure condition."""
    return as_text(ctx.body.get("successCondition")), as_text(ctx.body.get("failureCondition"))


def shape_of(ctx: MetricContext) -> Shape | None:
    """Return the shape of the provider's results, None when only the cluster knows it."""
    if ctx.provider == "prometheus":
        query = as_text(ctx.settings.get("query"))
        return "number" if _SCALAR_QUERY.match(query) else "series"
    shapes: dict[str, Shape] = {"datadog": "number or nil", "graphite": "series"}
    return shapes.get(ctx.provider)


def tables(ctx: MetricContext) -> Iterator[tuple[ControllerVersion, TruthTable]]:
    """The truth table for each version; nothing where the conditions or the results cannot be judged."""
    success, failure = conditions(ctx)
    shape = shape_of(ctx)
    if shape is None or not (success or failure) or is_templated(success) or is_templated(failure):
        return
    for version in ctx.versions:
        try:
            yield version, truth_table(success, failure, shape, version)
        except Unsupported:
            continue


def unjudged(ctx: MetricContext) -> str:
    """Why the conditions cannot be judged, empty where they can be or there are none."""
    success, failure = conditions(ctx)
    if not (success or failure):
        return ""
    if is_templated(success) or is_templated(failure):
        return "a condition holds an argument that only the run knows"
    try:
        for text in filter(None, (success, failure)):
            parse(text)
        if (shape := shape_of(ctx)) is None:
            return "the shape of the result is known in the cluster only"
        for version in ctx.versions:
            truth_table(success, failure, shape, version)
    except Unsupported as outside:
        return f"a condition uses {outside}, which is not simulated"
    except Rejected:
        return ""
    return ""


def broken(ctx: MetricContext) -> Iterator[tuple[str, ControllerVersion, str]]:
    """Conditions that a controller version cannot read at all: field, version, reason."""
    for field in ("successCondition", "failureCondition"):
        text = as_text(ctx.body.get(field))
        for version in ctx.versions if text and not is_templated(text) else ():
            try:
                parse(text, chained=version != "1.9")
            except Rejected as error:
                yield field, version, str(error)
            except Unsupported:
                continue


def fallback(ctx: MetricContext) -> float | None:
    """The value that `or vector(x)` at the end of a query puts in the place of missing data."""
    match = _FALLBACK.search(as_text(ctx.settings.get("query")))
    try:
        return float(match[1]) if match and ctx.provider == "prometheus" else None
    except ValueError:
        return None


def may_be_several(ctx: MetricContext) -> bool:
    """Whether a PromQL query may give several series as far as its text shows (`promql` knows better)."""
    query = as_text(ctx.settings.get("query"))
    if not query or is_templated(query.strip()[:2] + query.strip()[-2:]):
        return False
    return not _AGGREGATE.search(query) or bool(_SPLIT.search(query))
