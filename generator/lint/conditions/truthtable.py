"""What the conditions of a metric decide about good, bad and missing data, as a truth table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from generator.lint.conditions import syntax
from generator.lint.conditions.expression import Kind, Phase, Result, verdict
from generator.lint.conditions.govalues import is_templated
from generator.lint.conditions.tree import Rejected, Unsupported
from generator.lint.rollouts.model import as_text
from generator.lint.rollouts.view import MetricContext, Version

_LITERAL = re.compile(r"\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+")
_FALLBACK = re.compile(r"\bor\s+(?:on\s*\(\s*\)\s*)?vector\(\s*([0-9.]+)\s*\)\s*$", re.IGNORECASE)
_SCALAR_QUERY = re.compile(r"\s*(?:scalar\(|\d+(?:\.\d+)?\s*$)")
_AGGREGATE = re.compile(
    r"\b(?:sum|avg|min|max|count|histogram_quantile|scalar|vector|quantile|stddev)\s*[(b]"
)
_SPLIT = re.compile(r"\bby\s*\(\s*(?!le\s*\))[^)\s]|\bwithout\s*\(|\btopk|\bbottomk", re.IGNORECASE)
_MARGIN = 0.01


@dataclass(frozen=True, slots=True)
class Table:
    """The phases that the conditions of one metric give.

    Args:
        finite: by value, for one series with that value.
        nan: one series without a number; None where the provider has no such result.
        infinite: one series of +Inf.
        empty: no series, or no value at all.
        mixed: two series, a good and a bad one, in both orders; empty where there is no good or no bad value.
    """

    finite: dict[float, Phase]
    nan: Phase | None
    infinite: Phase | None
    empty: Phase | None
    mixed: tuple[Phase, ...]

    def phases(self) -> set[Phase]:
        """All phases that a number can get."""
        return set(self.finite.values())


def conditions(ctx: MetricContext) -> tuple[str, str]:
    """The success and the failure condition."""
    return as_text(ctx.body.get("successCondition")), as_text(ctx.body.get("failureCondition"))


def result_kind(ctx: MetricContext) -> Kind | None:
    """The kind of result that the provider hands over, None where only the cluster knows."""
    if ctx.provider == "prometheus":
        query = as_text(ctx.settings.get("query"))
        return "scalar" if _SCALAR_QUERY.match(query) else "vector"
    return {"datadog": "scalar", "graphite": "vector"}.get(ctx.provider)  # type: ignore[return-value]  # two kinds


def tables(ctx: MetricContext) -> Iterator[tuple[Version, Table]]:
    """The truth table for each version; nothing where the conditions or the results cannot be judged."""
    success, failure = conditions(ctx)
    kind = result_kind(ctx)
    if kind is None or not (success or failure) or is_templated(success) or is_templated(failure):
        return
    for version in ctx.versions:
        try:
            yield version, _table(success, failure, kind, ctx.provider, version)
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
            syntax.parse(text)
        if (kind := result_kind(ctx)) is None:
            return "the shape of the result is known in the cluster only"
        for version in ctx.versions:
            _table(success, failure, kind, ctx.provider, version)
    except Unsupported as outside:
        return f"a condition uses {outside}, which is not simulated"
    except Rejected:
        return ""
    return ""


def broken(ctx: MetricContext) -> Iterator[tuple[str, Version, str]]:
    """Conditions that a controller version cannot read at all: field, version, reason."""
    for field in ("successCondition", "failureCondition"):
        text = as_text(ctx.body.get(field))
        for version in ctx.versions if text and not is_templated(text) else ():
            try:
                syntax.parse(text, chained=version != "1.9")
            except Rejected as error:
                yield field, version, str(error)
            except Unsupported:
                continue


@lru_cache(maxsize=4096)
def _table(success: str, failure: str, kind: Kind, provider: str, version: Version) -> Table:
    def phase(*values: float) -> Phase:
        value = list(values) if kind == "vector" else values[0]
        return verdict(success, failure, Result(kind, value), version)

    nilable = provider == "datadog"
    finite = {value: phase(value) for value in _grid(f"{success} {failure}")}
    good = next((value for value, p in finite.items() if p == "Successful"), None)
    bad = next((value for value, p in finite.items() if p in {"Failed", "Inconclusive"}), None)
    both = kind == "vector" and good is not None and bad is not None
    empty: Phase | None = None
    if kind == "vector" or nilable:
        missing = Result("vector", []) if kind == "vector" else Result("nil", None)
        empty = verdict(success, failure, missing, version)
    return Table(
        finite=finite,
        nan=None if nilable else phase(float("nan")),
        infinite=None if nilable else phase(float("inf")),
        empty=empty,
        mixed=(phase(good, bad), phase(bad, good)) if both and good is not None and bad is not None else (),
    )


def _grid(text: str) -> tuple[float, ...]:
    literals = {float(number) for number in _LITERAL.findall(text)} | {0.0, 1.0}
    near = {value * factor for value in literals for factor in (1 - _MARGIN, 1.0, 1 + _MARGIN, 0.1, 10.0)}
    between = {(a + b) / 2 for a in literals for b in literals}
    return tuple(sorted(near | between | {-1.0, -1e6, 1e9} | {-value for value in literals}))


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
