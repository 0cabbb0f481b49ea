"""Compares the queries of a tree with the series that Prometheus has: does each selector return data now?

A guard whose selector matches nothing never fires. Labels differ with the scrape configuration: without
`honor_labels` a target's own label wins and the scraped one becomes `exported_<name>`, federation adds labels, and
tenancy proxies rewrite `namespace`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from generator.cluster.prometheus import Prometheus
from generator.dataclass import dataclass
from generator.lint import CODES, Code, Object, Problem, Violation, as_map, declare, each
from generator.promql.regexps import matches
from generator.promql.selectors import selectors_of
from generator.promql.series import Matcher, Series
from generator.promql.text import quote
from generator.promql.tokens import QuerySyntaxError, tokenize
from generator.source.document import Path
from generator.source.finding import Severity
from generator.source.suggest import nearest

_AT_ONCE: Final = 8
_VARIABLE_RANGE: Final = re.compile(r"\[\$[^\[\]]*\]")
_FILLED_IN: Final = re.compile(r"\{\{|\$")
# Series with these labels appear with the first event, such as the first failed request.
_EVENTS: Final = re.compile(r"code|status|reason|phase", re.IGNORECASE)
# External labels of the replicas of one Prometheus: of the Prometheus operator, of Thanos, Cortex and Mimir.
_REPLICAS: Final = ("prometheus_replica", "replica", "__replica__")
_TEMPLATES: Final = frozenset({"AnalysisTemplate", "ClusterAnalysisTemplate"})
_WEIGHTY: Final = _TEMPLATES | {"ScaledObject"}
_Labels = dict[str, str]
_Matchers = tuple[Matcher, ...]
_Ask = Callable[[str], list[_Labels]]

declare(
    Code(
        "VER174",
        "error",
        "a query selects series that Prometheus does not have",
        why="The metric is not scraped, its rules are not loaded, or its labels differ. A guard without data "
        "never fires, each step waits for a person, an autoscaler keeps its minimum, and an alert stays silent.",
        remedy="Deploy the model first if it is new. Otherwise change the scrape configuration or the query, so that "
        "the labels match.",
        example="""
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: guards, namespace: shop}
spec:
  metrics:
    - name: errors
      provider: {prometheus: {address: "http://prometheus:9090", query: 'sum(increase(errors{namespace="shop"}[5m]))'}}
$ sluice verify --prometheus http://prometheus.example.com .
""",
    ),
    Code(
        "VER175",
        "error",
        "the server evaluates queries differently from Prometheus",
        why="VictoriaMetrics' `increase()` also counts the step from the last sample before the window: the strata of "
        "a sequential test overlap, and the odds do not hold. A Thanos querier leaves out stores that do not "
        "answer: missing data looks like a version without events.",
        remedy="Let guards query a Prometheus. Start the Thanos querier with `--no-query.partial-response`.",
        example="""
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: guards, namespace: shop}
spec:
  metrics:
    - name: errors
      provider: {prometheus: {address: "http://vmselect:8481", query: 'sum(increase(errors{namespace="shop"}[5m]))'}}
$ sluice verify --prometheus http://vmselect.example.com .
""",
        source="VictoriaMetrics 1.146 and Thanos 0.42, tried with all queries of a release: docs/world-report.md",
    ),
    Code(
        "VER178",
        "error",
        "the server has every series several times",
        why="Two replicas of Prometheus scrape the same pods, and this server has the series of both: a sum counts "
        "every request and every event twice, so the evidence of a guard grows twice as fast as it may.",
        remedy="Query one of the replicas, or a server that removes duplicates (Thanos: --query.replica-label; Mimir: "
        "HA tracker).",
        example="""
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: guards, namespace: shop}
spec:
  metrics:
    - name: errors
      provider: {prometheus: {address: "http://global:9090", query: 'sum(increase(errors{namespace="shop"}[5m]))'}}
$ sluice verify --prometheus http://global.example.com .
""",
        source="Prometheus 3.5, docs/configuration (external_labels); Thanos 0.42, docs/components/query.md",
    ),
)


@dataclass(frozen=True, slots=True)
class Missing:
    """A selector without data.

    Args:
        series: the selector without the matchers of single events; values that a release fills in match anything.
        nearest: labels of the nearest series, with its name; empty when no series has the metric or the labels.
        names: metrics that have its labels, the most similar names first.
    """

    series: Series
    nearest: _Labels
    names: tuple[str, ...]

    @property
    def message(self) -> str:
        """What is missing."""
        return f"Prometheus has no data for {self.series}"

    @property
    def hint(self) -> str:
        """What is there instead."""
        if self.names:
            return f"no series is named `{self.series.metric}`; metrics with these labels: {', '.join(self.names)}"
        if not self.nearest:
            return ""
        labels = ",".join(
            f"{name}={quote(value)}" for name, value in sorted(self.nearest.items()) if name != "__name__"
        )
        return f"the nearest series is {self.series.metric}{{{labels}}}: {'; '.join(self._differences())}"

    def _differences(self) -> Iterator[str]:
        for matcher in self.series.matchers:
            own, wanted = self.nearest.get(matcher.label), str(matcher.value)
            if _agrees(matcher, own or ""):
                continue
            elsewhere = sorted(name for name, value in self.nearest.items() if wanted and value == wanted)
            where = f", but `{elsewhere[0]}` is `{wanted}`" if elsewhere else ""
            yield (f"`{matcher.label}` is `{own}`" if own else f"it has no label `{matcher.label}`") + where


def missing_series(objects: Sequence[Object], server: Prometheus) -> Iterator[Violation]:
    """Yield every selector of an object that has no data now, once for each object.

    Raises:
        HttpError: the server can't be queried.
    """
    yield from _differences(objects, server)
    found = [
        (item, path, series)
        for item in objects
        for path, query in _queries(item)
        for series in _series(query)
    ]
    wanted = list(dict.fromkeys(series for _, _, series in found))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        missing = dict(
            zip(wanted, pool.map(lambda series: _missing(series, server.labels), wanted), strict=True)
        )
    told: set[object] = set()
    for item, path, series in found:
        gap = missing[series]
        key = id(item), _lasting(series) if ":" not in series.metric else "recorded by rules"
        if (
            item.kind in _WEIGHTY
            and not gap
            and (copies := _copies(series, server.labels))
            and "copies" not in told
        ):
            told.add("copies")
            yield Violation(item, CODES["VER178"], Problem(path, *copies))
        if gap and key not in told:
            told.add(key)
            severity: Severity = "error" if item.kind in _WEIGHTY else "warning"
            yield Violation(item, CODES["VER174"], Problem(path, gap.message, gap.hint, severity=severity))


def headers_of(objects: Sequence[Object]) -> dict[str, str]:
    """Return the headers that the guards of a tree send, such as that of a tenant, without those from Secrets.

    A header with several values is left out: the tree is for several tenants.
    """
    values: dict[str, set[str]] = {}
    for item in objects:
        for _, metric in each(item.spec.get("metrics"), ()) if item.kind in _TEMPLATES else ():
            provider = as_map(as_map(metric.get("provider")).get("prometheus"))
            for _, header in each(provider.get("headers"), ()):
                values.setdefault(str(header.get("key")), set()).add(str(header.get("value")))
    single = {key: next(iter(found)) for key, found in values.items() if len(found) == 1}
    return {key: value for key, value in single.items() if "{{" not in value}


def _differences(objects: Sequence[Object], server: Prometheus) -> Iterator[Violation]:
    """Yield how the server differs from Prometheus, at the first query of a guard or an autoscaler."""
    weighty = ((item, path) for item in objects if item.kind in _WEIGHTY for path, _ in _queries(item))
    found = next(weighty, None)
    if found is None:
        return
    item, path = found
    if server.is_victoriametrics():
        message = (
            "this server is VictoriaMetrics: its `increase()` counts differently, so the odds do not hold"
        )
        yield Violation(item, CODES["VER175"], Problem(path, message, "let guards query a Prometheus"))
    if server.leaves_stores_out():
        message = "this Thanos querier answers even if a store does not: missing data looks like no events"
        hint = "start it with `--no-query.partial-response`"
        yield Violation(item, CODES["VER175"], Problem(path, message, hint))


def _queries(item: Object) -> Iterator[tuple[Path, str]]:
    """Yield the queries of an object and their paths: of guards, evidence, alerts, autoscalers and dashboards."""
    spec: Any = item.spec
    for path, query in (*_of_metrics(spec), *_of_rules(spec), *_of_triggers(spec), *_of_dashboards(item)):
        if isinstance(query, str):
            yield path, query


def _of_metrics(spec: Any) -> Iterator[tuple[Path, Any]]:
    for path, metric in each(spec.get("metrics"), ("spec", "metrics")):
        prometheus = as_map(as_map(metric.get("provider")).get("prometheus"))
        yield (*path, "provider", "prometheus", "query"), prometheus.get("query")


def _of_rules(spec: Any) -> Iterator[tuple[Path, Any]]:
    for group, rules in each(spec.get("groups"), ("spec", "groups")):
        for path, rule in each(rules.get("rules"), (*group, "rules")):
            yield (*path, "expr"), rule.get("expr")


def _of_triggers(spec: Any) -> Iterator[tuple[Path, Any]]:
    for path, trigger in each(spec.get("triggers"), ("spec", "triggers")):
        if trigger.get("type") == "prometheus":
            yield (*path, "metadata", "query"), as_map(trigger.get("metadata")).get("query")


def _of_dashboards(item: Object) -> Iterator[tuple[Path, Any]]:
    data = as_map(item.body.get("data")) if item.kind == "ConfigMap" else {}
    for name, text in data.items():
        if not isinstance(text, str) or '"panels"' not in text:
            continue
        try:
            panels = as_map(json.loads(text)).get("panels")
        except (ValueError, RecursionError):
            continue
        for _, panel in each(panels, ()):
            for _, target in (*each(panel.get("targets"), ()), *_of_row(panel)):
                yield ("data", name), target.get("expr")


def _of_row(panel: Any) -> Iterator[tuple[Path, Any]]:
    """Yield the targets of the panels inside a row."""
    for _, inner in each(panel.get("panels"), ()):
        yield from each(inner.get("targets"), ())


def _series(query: str) -> Iterator[Series]:
    """Yield the selectors of a query; other rules report invalid PromQL."""
    try:
        selectors = list(selectors_of(tokenize(_VARIABLE_RANGE.sub("[5m]", query))))
    except QuerySyntaxError:
        return
    for selector in selectors:
        if selector.metric:
            yield Series(selector.metric, tuple(_matcher(*matcher) for matcher in selector.matchers))


def _matcher(label: str, sign: Any, value: str) -> Matcher:
    """Return a matcher; a value that a release or a dashboard fills in matches anything."""
    return Matcher(label, "", "!=") if _FILLED_IN.search(value) else Matcher(label, value, sign)


def _missing(series: Series, ask: _Ask) -> Missing | None:
    """Return what is known about a selector without data; None if it has data, or will have after the first event."""
    lasting = _lasting(series)
    if ask(f"group({series})") or (lasting != series and ask(f"group({lasting})")):
        return None
    near = _nearest(series.metric, lasting.matchers, ask)
    return Missing(lasting, near, () if near else _names(series.metric, lasting.matchers, ask))


def _copies(series: Series, ask: _Ask) -> tuple[str, str] | None:
    """Return a message and a hint about series that differ in the name of a replica only; None without such."""
    for label in _REPLICAS:
        found = ask(f"topk(1, count without ({label}) ({series}) > 1)")
        if found:
            shown = Series(series.metric, tuple(Matcher(*pair) for pair in sorted(found[0].items())))
            message = f"several series differ only in `{label}`: {shown}"
            return message, f"query one replica, or a server that removes duplicates by `{label}`"
    return None


def _lasting(series: Series) -> Series:
    """Return a selector without the matchers that select some events."""
    return Series(series.metric, tuple(matcher for matcher in series.matchers if not _narrows(matcher)))


def _narrows(matcher: Matcher) -> bool:
    """Return whether a matcher selects some events, which need not have happened yet."""
    return (matcher.operator in {"!=", "!~"} and matcher.value != "") or bool(_EVENTS.search(matcher.label))


def _nearest(metric: str, matchers: _Matchers, ask: _Ask) -> _Labels:
    """Return the labels of a series of the metric that differs as little as possible."""
    without_one = [tuple(other for other in matchers if other is not matcher) for matcher in matchers]
    for left in (*without_one, ()):
        found = ask(f"topk(1, {Series(metric, left)})")
        if found:
            return found[0]
    return {}


def _names(metric: str, matchers: _Matchers, ask: _Ask) -> tuple[str, ...]:
    """Return names of metrics that have these labels, the most similar first."""
    selective = [matcher for matcher in matchers if matcher.operator == "=" and matcher.value]
    if not selective:
        return ()
    found = ask("group by (__name__) ({" + ",".join(map(str, selective)) + "})")
    names = sorted(labels["__name__"] for labels in found if "__name__" in labels)
    return tuple((nearest(metric, names, 3) or names)[:3])


def _agrees(matcher: Matcher, value: str) -> bool:
    text = str(matcher.value)
    if matcher.operator in {"=", "!="}:
        return (value == text) == (matcher.operator == "=")
    return matches(text, value) == (matcher.operator == "=~")
