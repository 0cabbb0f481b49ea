"""Renders `try.json`: what a trial of a service sends, and which series it must export."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any, Final

from generator.plan.container import Container
from generator.plan.values import Plan, Server
from generator.promql.metric import Metric
from generator.promql.selectors import selectors_of
from generator.promql.tokens import tokenize
from generator.render.metrics import live_metrics, shadow_metrics
from generator.render.outputs.workload import renames
from generator.source.quantity import quantity_amount

TRIAL_FACTS: Final = "try.json"
"""The file in a bento."""
_BY_SCRAPE: Final = frozenset({"namespace", "rollouts_pod_template_hash", "sluice_dev_role", "job", "pod"})
"""Labels that the scrape adds; the service exports none of them."""
_OTHERS: Final = ("up", "kube_", "container_", "rollout_")
"""Starts of the names of metrics that something other than the service exports."""


def trial_facts(plans: Iterable[Plan]) -> str:
    """Return the facts about one model in all environments: the tightest limits, and the series of all guards."""
    every = tuple(plans)
    plan = every[-1]
    identity = plan.identity
    series = {
        json.dumps(found["labels"]) + found["metric"]: found for each in every for found in _series(each)
    }
    bounds = {(guard.name, guard.bound_s) for each in every for guard in each.guards if guard.bound_s}
    facts = {
        "model": f"{identity.team}/{identity.model}",
        **_served(plan.server),
        "startup_s": min(each.capacity.startup_s for each in every),
        "memory": min(round(quantity_amount(each.capacity.memory)) for each in every),
        "cpu": min(float(quantity_amount(each.capacity.cpu)) for each in every),
        "rps_per_pod": max(_rps_per_pod(each) for each in every),
        "slower_than": sorted(bounds),
        "series": [series[key] for key in sorted(series)],
        "env": {variable.name: variable.value for variable in plan.env if variable.value is not None},
        "secrets": [variable.name for variable in plan.env if variable.secret],
    }
    return json.dumps(facts, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def _served(server: Server) -> dict[str, Any]:
    """Return where a client sends requests, and what they may hold."""
    where = {
        "path": server.path,
        "ready": server.ready,
        "metrics": server.metrics_path,
        "timeout_s": server.timeout_s,
    }
    if isinstance(server, Container) or server.endpoints:
        nothing: dict[str, Any] = {"columns": [], "attributes": {}, "events": [], "max_rows": 1, "threads": 1}
        body = json.loads(server.example) if server.example else None
        rules = [asdict(rule) for rule in renames(server)] if isinstance(server, Container) else []
        return {**where, **nothing, "examples": [], "body": body, "renames": rules}
    return {
        **where,
        "columns": [asdict(column) for column in server.inputs],
        "examples": list(server.examples),
        "attributes": {name: str(dict(server.groups)[name][0]) for name in server.attributes_beside_rows},
        "events": list(server.event_names),
        "max_rows": server.max_rows,
        "threads": server.threads,
        "body": None,
        "renames": [],
    }


def _rps_per_pod(plan: Plan) -> float:
    return round((plan.min_rps or 0.0) / max(1, plan.capacity.min_replicas), 3)


def _series(plan: Plan) -> Iterator[dict[str, Any]]:
    """Yield the series that the queries of guards select, by the labels that the service itself exports."""
    for metric in _queries(plan):
        for selector in selectors_of(tokenize(metric.query)):
            if selector.metric and not selector.metric.startswith(_OTHERS):
                scraped = _BY_SCRAPE if plan.bento is not None else _BY_SCRAPE | {"model", "served_by"}
                labels = [list(matcher) for matcher in selector.matchers if matcher[0] not in scraped]
                yield {
                    "guard": metric.guard,
                    "metric": selector.metric,
                    "labels": [_own(*matcher) for matcher in labels if not _events(*matcher)],
                }


def _queries(plan: Plan) -> Iterator[Metric]:
    yield from live_metrics(plan)
    if plan.rollout.shadow is not None:
        yield from shadow_metrics(plan, plan.rollout.shadow, "shadow")[0]


def _events(label: str, sign: str, value: str) -> bool:
    """Return whether a matcher selects some events, such as failed requests, which need not have happened."""
    del label
    return sign in {"!=", "!~"} and value != ""


def _own(label: str, sign: str, value: str) -> tuple[str, str, str]:
    """Return a matcher that any version satisfies."""
    return (label, "!=", "") if label == "served_by" else (label, sign, value)
