"""Guards from the metrics of a release: what a query measures, and where its verdict changes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from generator.lint import TreeMetric, as_map, as_text, each
from generator.odds.trees.odds import release_odds
from generator.odds.trees.values import Known, MetricOdds
from generator.odds.trees.verdicts import UnreadConditionError, verdicts_of
from generator.pipeline.imports.account import Account
from generator.pipeline.imports.family import Family
from generator.pipeline.imports.own import own_guard, own_no_data, own_risk, selectors
from generator.pipeline.imports.shadow import own_parity
from generator.plan.names import Names
from generator.spec.units import duration, percent

_PROXIES: Final = re.compile(
    r"(istio|envoy|nginx|traefik|haproxy|contour|kong|linkerd|response|gloo|apisix|skipper|aws|gotk)_"
)
_STATUS: Final = re.compile(r"[2-5](\.\.|\.\*|xx|\d\d|\[)")
_COUNTER: Final = re.compile(r"_(total|count)$")
_MILLISECONDS: Final = re.compile(r"milliseconds|_ms_")
_SECONDS_AT_MOST: Final = 10
_LATENCY: Final = "http_request_duration_seconds"
_REQUESTS: Final = "http_requests_total"
_LABEL: Final = "code"
_DECIDING: Final = (
    "name",
    "successCondition",
    "failureCondition",
    "provider",
    "templateRef",
    "thresholdRange",
    "query",
)
"""The fields of a metric that a guard replaces."""


def read_guards(family: Family, known: Known) -> None:
    """Write `rollout.guards`, `serve.metrics` and `traffic.minRps` of the spec."""
    odds = release_odds(family.release, known)
    kept: dict[tuple[str, str, str], dict[str, Any]] = {}
    refused: set[int] = set()
    for one in odds.metrics:
        own = own_guard(family, one.metric, known) if "model" in family.spec else None
        guard, why = (
            (own, "")
            if own
            else _guard(one, known, switched="watch" in family.spec["rollout"] or _switches(family))
        )
        account = _account(family, one.metric)
        if account is None:
            continue
        if guard is None and "model" in family.spec:
            continue  # Sluice renders the same again
        if guard is None:
            account.leave(one.metric.path, why, "a guard of your own (docs/adding.md), or leave it out")
            refused.add(id(account))
            continue
        key = (
            guard.get("metric") or guard["outcome"],
            guard.get("slowerThan", ""),
            "detect" if "detect" in guard else "limit",
        )
        same = kept.setdefault(key, guard)
        if same is not guard and "limit" in same and _share(guard["limit"]) < _share(same["limit"]):
            same["limit"] = guard["limit"]
        _take(account, one.metric, f"rollout.guards[{list(kept).index(key)}]")
    guards = list(kept.values())
    _name_apart(guards)
    names = {Names(family.name).guards, Names(family.name).watch} if "model" in family.spec else set()
    guards += own_parity(family, [one.metric for one in odds.metrics if one.metric.template.name in names])
    if guards:
        family.spec["rollout"]["guards"] = guards
    _arguments(family, refused)
    if "serve" in family.spec:
        _metrics(family, [one.metric for one in odds.metrics], guards)
    else:
        family.spec["rollout"] |= _own_settings(family, [one.metric for one in odds.metrics], known)
    if known.rps is not None:
        rps = int(known.rps) if known.rps.is_integer() else known.rps
        family.spec.setdefault("traffic", {})["minRps"] = rps


def _own_settings(family: Family, metrics: list[TreeMetric], known: Known) -> dict[str, Any]:
    """Return `risk` and `noData` of a rollout that Sluice rendered."""
    risk = own_risk([one for one in metrics if own_guard(family, one, known)])
    return {**({"risk": risk} if risk else {}), **own_no_data(metrics)}


def _switches(family: Family) -> bool:
    return bool(family.spec["rollout"]["strategy"] == "blue-green")


def _share(text: str) -> float:
    return float(text.rstrip("%"))


def _name_apart(guards: list[dict[str, Any]]) -> None:
    """Name the guards whose metric another one has, too."""
    for number, guard in enumerate(guards):
        if sum(one.get("metric") == guard.get("metric") for one in guards) > 1:
            guard["name"] = f"{guard['metric']}-{number + 1}"


def _account(family: Family, metric: TreeMetric) -> Account | None:
    return next((one for one in (*family.analyses, family.main) if one.item is metric.template), None)


def _guard(one: MetricOdds, known: Known, *, switched: bool) -> tuple[dict[str, Any] | None, str]:
    """Return the guard that watches the same, or why there is none."""
    measure = one.measure
    refused = _refused(one)
    if refused:
        return None, refused
    event = {"error": "error-rate", "slow": "slow-rate"}.get(measure.event)
    if event is None:
        return (
            None,
            f"no guard counts {measure.event or 'this'}: declare an outcome, or write a guard of your own",
        )
    guard: dict[str, Any] = {"metric": event}
    edge = _edge(one)
    if event == "slow-rate":
        bound = _bound(one, edge)
        if bound is None:
            return None, "it has no single limit that is a time"
        guard["slowerThan"] = bound
    base = next(
        (known.baselines[key] for key in (one.metric.name, measure.event) if key in known.baselines), None
    )
    if base is not None:
        guard["baseline"] = percent(base)
    if (
        measure.kind == "comparison"
        and measure.sign == "/"
        and edge is not None
        and edge > 1
        and not switched
    ):
        guard["detect"] = {"rise": percent(edge - 1)}
        return guard, ""
    if measure.kind in ("share", "quantile") and one.limit is not None and 0 < one.limit < 1:
        guard["limit"] = percent(one.limit)
        return guard, ""
    return None, "it has no single limit between 0 and 100%"


def _refused(one: MetricOdds) -> str:
    """Return why a guard would not decide as a metric does; empty where one can."""
    if one.measure.kind == "unknown":
        return f"not recognized: {one.measure.reason or one.why}"
    if one.metric.dry_run:
        return "its verdict is ignored (dryRun), and a guard decides"
    if one.metric.moment == "pre":
        return "it measures before the switch, when no user meets the new version"
    if any(trap == "fails good values" for trap, _ in one.traps):
        return "it fails when there are few events, and a guard fails when there are many"
    return ""


def _edge(one: MetricOdds) -> float | None:
    try:
        edges = verdicts_of(one.metric, one.measure.fallback).edges
    except UnreadConditionError:
        return None
    return edges[0] if len(edges) == 1 else None


def _bound(one: MetricOdds, edge: float | None) -> str | None:
    """Return the time beyond which a request is slow: the limit of a quantile, or the bucket of a share."""
    value = edge
    if one.measure.kind != "quantile":
        bucket = re.search(r'le="([0-9.]+)"', one.metric.query)
        value = float(bucket[1]) if bucket else None
    if value is None or value <= 0:
        return None
    thousandths = bool(_MILLISECONDS.search(one.metric.query)) or value > _SECONDS_AT_MOST
    return duration(value / 1000 if thousandths else value)


def _take(account: Account, metric: TreeMetric, key: str) -> None:
    if account.item.kind != "Canary":
        account.take(("metadata", "name"), key)
    for name in _DECIDING:
        if account.get(*metric.path, name) is not None:
            account.take((*metric.path, name), key)


def _arguments(family: Family, refused: set[int]) -> None:
    """Take the arguments of queries that became guards, and the places that name their templates."""
    for account in family.analyses:
        if id(account) not in refused and account.get("spec", "args") is not None:
            account.take(("spec", "args"), "rollout.guards")
    if family.release.tool != "Argo Rollouts":
        return
    taken = {account.item.name for account in family.analyses if id(account) not in refused}
    strategy = ("spec", "strategy")
    for path, use in _uses(as_map(family.main.get(*strategy)), strategy):
        for at, ref in each(use.get("templates"), (*path, "templates")):
            if as_text(ref.get("templateName")) in taken:
                family.main.take(at, "rollout.guards")
        if use.get("args") and not refused:
            family.main.take((*path, "args"), "rollout.guards")
        if "startingStep" in use:
            why = "guards measure from the first step with requests on"
            family.main.leave((*path, "startingStep"), why, "`sluice plan` shows when they start")


def _uses(
    value: Any, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    """Yield everything in a strategy that names templates, with its path."""
    if isinstance(value, Mapping):
        if "templates" in value:
            yield path, value
        for key, below in value.items():
            yield from _uses(below, (*path, str(key)))
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from _uses(below, (*path, number))


def _metrics(family: Family, metrics: list[TreeMetric], guards: list[dict[str, Any]]) -> None:
    """Write what the container exports, as far as the queries show it."""
    read = [one for metric in metrics for one in selectors(metric.query) if not _PROXIES.match(one.metric)]
    counters = [one for one in read if _COUNTER.search(one.metric) and "duration" not in one.metric]
    statuses = {
        label
        for one in counters
        for label, _, value in one.matchers
        if _STATUS.match(value) and label != "le"
    }
    found: dict[str, Any] = {}
    if counters:
        found["requests"] = {"metric": counters[0].metric}
    else:
        why = "no query of the tree reads a counter of the container itself, and guards need one"
        found["requests"] = {"metric": family.assume("serve.metrics.requests.metric", _REQUESTS, why)}
    label = min(statuses, default=_LABEL)
    found["errors"] = {"label": label}
    if not statuses:
        family.assume(
            "serve.metrics.errors.label", _LABEL, "no query of the tree shows which label has the status"
        )
    if any(guard["metric"] == "slow-rate" for guard in guards):
        buckets = [one.metric.removesuffix("_bucket") for one in read if one.metric.endswith("_bucket")]
        seconds = [name for name in buckets if not _MILLISECONDS.search(f"{name}_")]
        why = "guards on latency need a histogram in seconds that the container exports"
        name = seconds[0] if seconds else family.assume("serve.metrics.latency.metric", _LATENCY, why)
        found["latency"] = {"metric": name}
    family.spec["serve"]["metrics"] = found
