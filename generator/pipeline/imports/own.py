"""Releases that Sluice rendered: model, lock, gates and tests are read back from the bundle itself."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from generator.lint import Object, Objects, TreeMetric, as_list, as_map, as_text, each
from generator.odds.trees.values import Known
from generator.pipeline.imports.account import Account
from generator.pipeline.imports.family import TEMPLATE, Family
from generator.plan.names import SPLIT, Names
from generator.promql.selectors import Selector, selectors_of
from generator.promql.tokens import QuerySyntaxError, tokenize
from generator.spec.gates import gate_of
from generator.spec.lock import LockedModel
from generator.spec.units import duration, percent

_REF: Final = "sluice.dev/model-ref"
_LOG_RATIO: Final = re.compile(r"\) \* \(?(-?[0-9.]+(?:e-?[0-9]+)?)\)?\n")
THRESHOLD: Final = re.compile(r"result\[0\] >= ([0-9.]+)")
_ERRORS: Final = "bentoml_service_request_total"
_BUCKETS: Final = "bentoml_service_request_duration_seconds_bucket"
_OUTCOMES: Final = "sluice_outcomes_total"
_WAIVER: Final = "sluice.dev/waiver."
_TERMS: Final = re.compile(r"(?P<reason>.+) \((?P<role>[a-z0-9-]+), until (?P<until>\d{4}-\d\d-\d\d)\)")
_LOGARITHM: Final = 100.0
_DAY_S: Final = 86400.0
"""Larger numbers than those that Sluice writes: logarithms in tests, and bounds of a histogram (seconds)."""
_EVIDENCE: Final = re.compile(r"-evidence-\d+$")


def read_own(family: Family, objects: Objects, accounts: Mapping[int, Account]) -> None:
    """Write `model` and `gates` of the spec, and remember the lock, if the release is one that Sluice rendered."""
    annotations = as_map(as_map(family.main.get(*TEMPLATE, "metadata")).get("annotations"))
    if _REF not in annotations:
        return
    near = objects.near(family.main.item).of("argoproj.io", "Workflow")
    for workflow in (
        one
        for one in near
        if one.name.startswith(f"{family.name}-gates-") and one.namespace == family.namespace
    ):
        release = _release(workflow)
        lock = as_map(as_map(release.get("lock")).get("model"))
        if isinstance(release.get("framework"), str) and _is_lock(release["lock"]):
            account = accounts[id(workflow)]
            family.spec["model"] = {"ref": lock["ref"], "framework": release["framework"]}
            family.lock = dict(as_map(release["lock"]))
            family.spec["gates"] = list(_gates(account))
            family.others += [
                accounts[id(one)]
                for one in objects.all
                if one.labels.get("sluice.dev/model") == family.name and one.namespace == family.namespace
                if accounts[id(one)] not in family.accounts
            ]
            account.take(("spec", "arguments", "parameters"), "model")
            at = (*TEMPLATE, "metadata", "annotations", _REF)
            family.main.take(at, "model.ref")
            return


def _release(workflow: Object) -> Mapping[str, Any]:
    """Return the parameter that describes the release to its gates."""
    for _, one in each(as_map(workflow.spec.get("arguments")).get("parameters"), ()):
        if one.get("name") == "release":
            return _document(one.get("value"))
    return {}


def _is_lock(lock: object) -> bool:
    """Return whether this has the model of a lock: a tree may only look like one of Sluice's."""
    try:
        LockedModel.model_validate(as_map(lock).get("model"))
    except ValidationError:
        return False
    return True


def _is_gate(gate: Mapping[str, Any]) -> bool:
    try:
        gate_of(gate)
    except ValidationError:
        return False
    return True


def _number(text: str, largest: float) -> float | None:
    """Return the number in a text; None for a larger one and for another text."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) <= largest else None


def _document(text: object) -> Mapping[str, Any]:
    try:
        return as_map(json.loads(as_text(text)))
    except (ValueError, RecursionError):
        return {}


def _gates(account: Account) -> Any:
    for path, template in each(account.get("spec", "templates"), ("spec", "templates")):
        for at, task in each(as_map(template.get("dag")).get("tasks"), (*path, "dag", "tasks")):
            parameters = as_list(as_map(task.get("arguments")).get("parameters"))
            for number, one in enumerate(parameters):
                gate = dict(_document(as_map(one).get("value"))) if as_map(one).get("name") == "gate" else {}
                found = _written({key: value for key, value in gate.items() if value is not False})
                if _is_gate(found):
                    account.take((*at, "arguments", "parameters", number), f"gates.{found['name']}")
                    yield found


def _written(value: Any) -> Any:
    """Return a value of a gate as a spec has it, without the digests that are added to it."""
    if isinstance(value, dict):
        return {key: _written(below) for key, below in value.items() if not key.endswith("Digest")}
    return value


def own_guard(family: Family, metric: TreeMetric, known: Known) -> dict[str, Any] | None:
    """Return the guard of a sequential test that Sluice rendered, None for another metric."""
    names = Names(family.name)
    if metric.template.name not in {names.guards, names.watch}:
        return None
    ratio = _LOG_RATIO.search(metric.query)
    guard = _watched(metric.query) if ratio is not None else {}
    logarithm = _number(ratio[1], _LOGARITHM) if ratio else None
    if logarithm is None or not guard:
        return None
    outcome = guard.get("outcome", "")
    if metric.name in known.baselines and not outcome:
        guard["baseline"] = percent(known.baselines[metric.name])
    change = round(math.exp(logarithm) - 1, 9)
    guard["detect"] = {"rise": percent(change)} if change > 0 else {"drop": percent(-change)}
    if outcome:
        _outcome(family, outcome, known, better="lower" if change > 0 else "higher")
    return guard


def _watched(query: str) -> dict[str, Any]:
    """Return the keys of a guard that name what the query of a test counts; none for another query."""
    for one in selectors(query):
        labels = {label: value for label, _, value in one.matchers}
        if one.metric == _OUTCOMES:
            return {"outcome": labels.get("outcome", "")}
        if one.metric == _BUCKETS and "le" in labels:
            bound = _number(labels["le"], _DAY_S)
            return (
                {} if bound is None or bound <= 0 else {"metric": "slow-rate", "slowerThan": duration(bound)}
            )
        if one.metric == _ERRORS:
            return {"metric": "error-rate"}
    return {}


def selectors(query: str) -> Iterator[Selector]:
    """Yield the selectors of a query that name a metric; nothing for a query that does not parse."""
    try:
        yield from (one for one in selectors_of(tokenize(query)) if one.metric)
    except QuerySyntaxError:
        return


def _outcome(family: Family, name: str, known: Known, *, better: str) -> None:
    why = f"no manifest shows how often the stable version has it (--baseline {name}=…)"
    base = known.baselines.get(name)
    shown = percent(base) if base is not None else family.assume(f"outcomes.{name}.baseline", "5%", why)
    family.assume(
        f"outcomes.{name}.delay", "0s", "no manifest has the time between a prediction and the event"
    )
    event = family.assume(
        f"outcomes.{name}.event", name, "no manifest has the name of the event that clients send"
    )
    outcome = {"kind": "ratio", "event": event, "baseline": shown}
    family.spec.setdefault("outcomes", {})[name] = outcome | ({"better": better} if better == "lower" else {})


def own_risk(metrics: list[TreeMetric]) -> dict[str, str] | None:
    """Return the risk of false rollbacks that the thresholds of some tests of one release share out."""
    found = [THRESHOLD.search(metric.failure) for metric in metrics]
    thresholds = {match[1] for match in found if match is not None}
    if len(thresholds) != 1 or None in found:
        return None
    threshold = _number(thresholds.pop(), _LOGARITHM)
    share = 0.0 if threshold is None else len(metrics) / math.exp(threshold)
    return {"falseRollback": percent(round(share, 6))} if 0 < share < 1 else None


def own_no_data(metrics: Iterable[TreeMetric]) -> dict[str, str]:
    """Return `noData` of the rollout: where missing evidence fails, its metrics have no condition that excludes it."""
    found = [one for one in metrics if _EVIDENCE.search(one.template.name) and one.name != SPLIT]
    return {"noData": "fail"} if found and not any(one.failure for one in found) else {}


def own_waivers(family: Family, team: str) -> Iterator[dict[str, Any]]:
    """Yield the waivers that a release names, as the platform has them, each for the version that is locked."""
    digest = as_map(family.lock.get("model")).get("digest")
    gates = {gate["name"]: gate_of(gate).kind for gate in family.spec.get("gates", ())}
    for name, value in family.main.item.annotations.items():
        terms, gate = _TERMS.fullmatch(as_text(value)), name.removeprefix(_WAIVER)
        if not name.startswith(_WAIVER) or terms is None or gate not in gates or digest is None:
            continue
        family.main.take(("metadata", "annotations", name), "platform: waivers")
        yield {
            "model": f"{team}/{family.name}",
            "gate": gate,
            "kind": gates[gate],
            "digest": digest,
            "reason": terms["reason"],
            "approvedBy": terms["role"],
            "until": terms["until"],
        }
