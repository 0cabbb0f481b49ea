"""One metric of a template: its arguments filled in, its truth table, its counters, and the steps that need them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Final

from generator.dataclass import dataclass
from generator.lint.conditions import Rejected, TruthTable, Unsupported, parse, truth_table
from generator.lint.conditions.truth_table import Shape
from generator.lint.controller import OLD_CONDITIONS, ControllerVersion, int_value, is_templated
from generator.lint.objects import Body, Object, as_list, as_map, as_text, each, has
from generator.lint.placement import Objects
from generator.lint.rollout import CANARY, Moment, Rollout, Use
from generator.lint.rules.arguments import Instantiation, declared, fill, known_values, names, reach, tags
from generator.promql import regexps
from generator.promql.absent_events import AbsentEvents, absent_events
from generator.promql.expressions import filter_of
from generator.promql.expressions import parse as parse_query
from generator.promql.quotients import floor_of, may_be_infinite, quotients
from generator.promql.selectors import INSTANT_RATES, RATES, Selector, selectors_of
from generator.promql.tokens import QuerySyntaxError, Tokens, tokenize
from generator.source.document import Path

_STEPS: Final[Path] = (*CANARY, "steps")

_FALLBACK: Final = re.compile(r"\bor\s+(?:on\s*\(\s*\)\s*)?vector\(\s*([0-9.]+)\s*\)\s*$", re.IGNORECASE)
_SCALAR_QUERY: Final = re.compile(r"\s*(?:scalar\(|\d+(?:\.\d+)?\s*$)")
_AGGREGATE: Final = re.compile(
    r"\b(?:sum|avg|min|max|count|histogram_quantile|scalar|vector|quantile|stddev)\s*[(b]"
)
_SPLIT: Final = re.compile(r"\bby\s*\(\s*(?!le\s*\))[^)\s]|\bwithout\s*\(|\btopk|\bbottomk", re.IGNORECASE)


@dataclass(frozen=True)
class MetricContext:
    """The context of rules about one metric.

    Args:
        document: the template.
        body: the metric, with the arguments that the tree shows.
        path: its place in the template.
        declared: names of the arguments that may be in braces.
        versions: controller versions to satisfy.
        objects: the tree.
        uses: the Rollouts of the tree that use this form of the metric, and where.
        moments: when they use it.
    """

    document: Object
    body: Body
    path: Path
    declared: frozenset[str]
    versions: tuple[ControllerVersion, ...]
    objects: Objects
    uses: tuple[tuple[Rollout, Use], ...] = ()
    moments: frozenset[Moment] = frozenset()

    @cached_property
    def name(self) -> str:
        """Its name."""
        return as_text(self.body.get("name"))

    @cached_property
    def provider(self) -> str:
        """The field of its provider, empty unless there is exactly one."""
        found = [name for name, value in as_map(self.body.get("provider")).items() if value is not None]
        return found[0] if len(found) == 1 else ""

    @cached_property
    def settings(self) -> Body:
        """The settings of its provider."""
        return as_map(as_map(self.body.get("provider")).get(self.provider))

    @cached_property
    def query(self) -> str:
        """The query of its provider, empty when there is none."""
        return as_text(self.settings.get("query"))

    @cached_property
    def success(self) -> str:
        """The success condition, empty when there is none."""
        return as_text(self.body.get("successCondition"))

    @cached_property
    def failure(self) -> str:
        """The failure condition, empty when there is none."""
        return as_text(self.body.get("failureCondition"))

    @cached_property
    def condition_path(self) -> Path:
        """The path of the condition that a finding points at."""
        return (*self.path, "successCondition" if self.success else "failureCondition")

    @cached_property
    def effective_count(self) -> int | None:
        """The number of measurements, None for a metric without an end (`EffectiveCount`)."""
        if count := int_value(self.body.get("count")):
            return count
        return None if self.body.get("interval") else 1

    def has_tags(self, value: object) -> bool:
        """Return whether a value still has arguments in braces."""
        return bool(tags(value))

    def limit(self, name: str) -> int:
        """Return a limit as the controller reads it."""
        return int_value(self.body.get(name))

    def is_literal(self, *fields: str) -> bool:
        """Return whether none of these fields has an argument that the tree does not show."""
        return not any(is_templated(self.body.get(field)) for field in fields)

    @cached_property
    def shape(self) -> Shape | None:
        """The shape of the provider's results, None when only the cluster knows it."""
        if self.provider == "prometheus":
            if has(self.settings, "rangeQuery"):
                return "points"
            return "number" if _SCALAR_QUERY.match(self.query) else "series"
        shapes: dict[str, Shape] = {"datadog": "number or nil", "graphite": "points"}
        return shapes.get(self.provider)

    @cached_property
    def is_filtered(self) -> bool:
        """Whether the query shows only values on one side of a limit: then no data is a verdict, too."""
        try:
            found = filter_of(parse_query(self.query)) if self.provider == "prometheus" else None
        except QuerySyntaxError:
            return False
        return found is not None and not found.truth

    @cached_property
    def tables(self) -> dict[ControllerVersion, TruthTable]:
        """The truth table for each version; none when the conditions or the results cannot be evaluated."""
        if self.shape is None or not (self.success or self.failure):
            return {}
        if not self.is_literal("successCondition", "failureCondition"):
            return {}
        found: dict[ControllerVersion, TruthTable] = {}
        for version in self.versions:
            try:
                found[version] = truth_table(self.success, self.failure, self.shape, version)
            except Unsupported:
                continue
        return found

    @cached_property
    def table(self) -> TruthTable | None:
        """The truth table of the oldest version, for rules on what all versions do alike."""
        return next(iter(self.tables.values()), None)

    @cached_property
    def not_evaluated(self) -> str:
        """The reason why the conditions cannot be evaluated, empty when they can be or there are none."""
        conditions = [text for text in (self.success, self.failure) if text]
        if not conditions:
            return ""
        if not self.is_literal("successCondition", "failureCondition"):
            return "a condition contains an argument whose value is not in the tree"
        try:
            for text in conditions:
                parse(text)
            if self.shape is None:
                return "the shape of the result depends on what the provider answers"
            for version in self.versions:
                truth_table(self.success, self.failure, self.shape, version)
        except Unsupported as outside:
            return f"a condition uses {outside}, which Sluice does not evaluate"
        except Rejected:
            return ""
        return ""

    def unreadable(self) -> Iterator[tuple[str, ControllerVersion, str]]:
        """Yield the conditions that a controller version cannot parse: field, version, reason."""
        for field in ("successCondition", "failureCondition"):
            text = as_text(self.body.get(field))
            for version in self.versions if text and self.is_literal(field) else ():
                try:
                    parse(text, chained=version not in OLD_CONDITIONS)
                except Rejected as error:
                    yield field, version, str(error)
                except Unsupported:
                    continue

    @cached_property
    def fallback(self) -> float | None:
        """The value that `or vector(x)` at the end of a query gives when data is missing."""
        match = _FALLBACK.search(self.query)
        try:
            return float(match[1]) if match and self.provider == "prometheus" else None
        except ValueError:
            return None

    @cached_property
    def counters(self) -> frozenset[str]:
        """The counters in a Prometheus query, the parts of a histogram as one; none when it cannot be read."""
        _, selectors = _read(self.query if self.provider == "prometheus" else "")
        return frozenset(selector.source[0] for selector in selectors if selector.metric)

    @cached_property
    def absent_events(self) -> list[AbsentEvents]:
        """The events without which a Prometheus query has no result."""
        tokens, selectors = _read(self.query if self.provider == "prometheus" else "")
        return absent_events(tokens, list(selectors)) if tokens else []

    @cached_property
    def may_be_infinite(self) -> bool:
        """Whether a Prometheus query may divide something by zero; yes when it divides and cannot be read."""
        tokens, selectors = _read(self.query if self.provider == "prometheus" else "")
        return may_be_infinite(tokens, selectors) if tokens else "/" in self.query

    @cached_property
    def query_words(self) -> frozenset[str]:
        """The words and signs of a Prometheus query, without texts; none when it cannot be read."""
        tokens, _ = _read(self.query if self.provider == "prometheus" else "")
        items = zip(tokens.items, tokens.words, strict=True) if tokens else ()
        return frozenset(word for token, word in items if token.kind != "string")

    @cached_property
    def floors(self) -> list[tuple[float, str]]:
        """The floor of each denominator that counts requests, and the function that counts them."""
        tokens, _ = _read(self.query if self.provider == "prometheus" else "")
        found = []
        for quotient in quotients(tokens) if tokens else ():
            counted = {tokens.word(i) for i in quotient.below} & (RATES | INSTANT_RATES) if tokens else set()
            floor = floor_of(tokens, quotient.below) if tokens else None
            if floor is not None and counted:
                found.append((floor, min(counted)))
        return found

    @cached_property
    def may_be_several(self) -> bool:
        """Whether a PromQL query may give several series, as far as its text shows."""
        query = self.query.strip()
        if not query or is_templated(query[:2] + query[-2:]):
            return False
        return not _AGGREGATE.search(query) or bool(_SPLIT.search(query))


def metrics_of(
    template: Object,
    found: list[Instantiation],
    versions: tuple[ControllerVersion, ...],
    objects: Objects,
) -> Iterator[MetricContext]:
    """Yield every metric of a template, once for each form that the arguments of its uses give it."""
    own = declared([template])
    uses = found or [Instantiation(known_values(own, []), frozenset(names(own)))]
    for path, metric in each(template.spec.get("metrics"), ("spec", "metrics")):
        forms: dict[str, list[tuple[Instantiation, Body]]] = {}
        for use in uses:
            body = fill(metric, use.values)
            text = json.dumps(body, skipkeys=True, default=str)
            forms.setdefault(text, []).append((use, body))
        for alike in forms.values():
            use, body = alike[-1]
            moments = frozenset(one.moment for one, _ in alike if one.moment)
            users = tuple(one.use for one, _ in alike if one.use)
            yield MetricContext(template, body, path, use.declared, versions, objects, users, moments)


def metrics_of_use(
    objects: Objects, rollout: Rollout, use: Use, versions: tuple[ControllerVersion, ...]
) -> Iterator[MetricContext]:
    """Yield the metrics of a run that decide something, with the arguments of one use; dry runs are left out."""
    templates, _ = reach(objects.near(rollout.object), rollout.object.namespace, use.refs)
    args = declared(templates)
    values, known = known_values(args, use.args), frozenset(names(args))
    dry = [as_text(as_map(item).get("metricName")) for item in as_list(use.body.get("dryRun"))]
    for template in templates:
        for path, metric in each(template.spec.get("metrics"), ("spec", "metrics")):
            body = as_map(fill(metric, values))
            name = as_text(body.get("name"))
            if not any(regexps.matches(pattern, name, whole=False) for pattern in dry):
                yield MetricContext(template, body, path, known, versions, objects)


@lru_cache(maxsize=1024)
def _read(query: str) -> tuple[Tokens | None, tuple[Selector, ...]]:
    """Return the tokens and selectors of a query, None and nothing when it is not PromQL."""
    try:
        tokens = tokenize(query)
    except QuerySyntaxError:
        return None, ()
    return tokens, tuple(selectors_of(tokens))


def required_elsewhere(ctx: MetricContext) -> bool:
    """Return whether every Rollout that uses a metric also requires enough of what it counts.

    With a background metric that is before every weight: between each weight and the next, a step that does not succeed
    without data. Otherwise it is the same run, or a step before the next weight.
    """
    wanted = ctx.counters
    return bool(ctx.uses and wanted) and all(
        _requires(ctx, rollout, use, wanted) or _required_in_steps(ctx, rollout, use, wanted)
        for rollout, use in ctx.uses
    )


def _required_in_steps(ctx: MetricContext, rollout: Rollout, use: Use, wanted: frozenset[str]) -> bool:
    spans = list(_spans(rollout))
    if use.moment == "background":
        watched = [span for span, weight in spans if weight > 0]
    elif use.path[: len(_STEPS)] == _STEPS:
        index = int(use.path[len(_STEPS)])
        watched = [[i for i in span if i >= index] for span, _ in spans if index in span]
    else:
        watched = []
    steps = {other.path[len(_STEPS)]: other for other in rollout.uses if other.moment == "step"}
    return bool(watched) and all(
        any(_requires(ctx, rollout, steps[i], wanted) for i in span if i in steps) for span in watched
    )


def _spans(rollout: Rollout) -> Iterator[tuple[list[int], int]]:
    """Yield the positions of the steps from each weight to the one before the next, with that weight."""
    span: list[int] = []
    weight = 0
    for i, (_, step) in enumerate(rollout.steps):
        if has(step, "setWeight"):
            yield span, weight
            span, weight = [], int_value(step["setWeight"])
        span.append(i)
    yield span, weight


def _requires(ctx: MetricContext, rollout: Rollout, use: Use, wanted: frozenset[str]) -> bool:
    """Return whether a run has a metric of one of these counters that does not succeed without data."""
    for metric in metrics_of_use(ctx.objects, rollout, use, ctx.versions):
        tables = metric.tables.values() if metric.counters & wanted else ()
        if tables and all(table.empty not in {"Successful", None} for table in tables):
            return True
    return False
