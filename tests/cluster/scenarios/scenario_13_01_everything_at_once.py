"""Scenarios 1 and 13: an empty cluster gets the whole repository at once; gates come first, then everything is healthy.

One Application is applied by hand, the one that `sluice init` writes; all others, their projects, namespaces, policies and
three models of three teams follow from git.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from pathlib import Path

from generator.plan.values import Plan
from tests.cluster import gate_images, gated, report
from tests.cluster.client import Api, Object
from tests.cluster.layout import Layout
from tests.cluster.release import Release
from tests.cluster.waiting import TooLateError, until
from tests.cluster.whole import Whole

_ENVIRONMENT = "s13"
_TESTS = {"name": "unit-tests", "junit": "reports/junit.xml", "atLeast": 20}
_GATES = {
    "shop/recommender": gated.accuracy(0.9),
    "support/ticket-classifier": {
        "tier": gated.TIER,
        "gates": [_TESTS],
        "rollout": {"strategy": "blue-green"},
    },
    "risk/fraud": {**gated.accuracy(0.9), "gates": [*gated.accuracy(0.9)["gates"], _TESTS]},
}
_LONGEST_S = 700


def test_the_whole_repository(layout: Layout, api: Api, tmp_path: Path) -> None:
    whole = Whole(api, tmp_path, _ENVIRONMENT)
    plans = whole.write(_GATES)
    said = {plan.identity.path: whole.sluice("plan", "--full", _name(plan)).stdout for plan in plans}
    whole.publish()
    began = time.time()
    whole.bootstrap()
    for plan in plans:
        _provide_inputs(layout, api, plan)
    roots = (f"sluice-{_ENVIRONMENT}{role}" for role in ("", "-projects", "-applications"))
    wanted = {*roots, f"{_ENVIRONMENT}-platform", *(_application(plan) for plan in plans)}
    ends: dict[str, float] = {}

    def done() -> bool:
        found = whole.applications()
        for name, state in found.items():
            if state == ("Synced", "Healthy"):
                ends.setdefault(name, time.time() - began)
        return found.keys() == wanted and all(state == ("Synced", "Healthy") for state in found.values())

    try:
        until("everything healthy", done, _LONGEST_S, 0.5)
    except TooLateError:
        print(whole.told())
        raise
    waits = {plan.identity.path: _gates_first(api, plan) for plan in plans}
    runs = [run for plan in plans for run in _analyses(api, plan)]
    quiet_s = _steady(whole)
    report.figures(
        "1 first release of three models",
        {
            f"{path}: seconds from the end of its gates to its Rollout": f"{wait:.0f}"
            for path, wait in waits.items()
        }
        | {"analysis runs": len(runs)},
    )
    report.figures(
        "13 everything at once",
        {f"{name} healthy after": f"{seconds:.0f} s" for name, seconds in sorted(ends.items())}
        | {"seconds without another sync": f"{quiet_s:.0f}"},
    )
    for path, text in said.items():
        assert re.search(r"first release is never\s+analysed", text), f"{path}\n{text}"
    assert runs == []  # plan said so
    assert all(wait >= 0 for wait in waits.values())
    whole.remove()


def _name(plan: Plan) -> str:
    return f"{plan.identity.team}/{plan.identity.model}"


def _application(plan: Plan) -> str:
    return f"{_ENVIRONMENT}-{plan.identity.team}-{plan.identity.model}"


def _provide_inputs(layout: Layout, api: Api, plan: Plan) -> None:
    """Storage comes from who runs the cluster: as soon as there is a namespace to put the claim into."""
    space, digest = plan.identity.namespace, plan.version.digest.removeprefix("sha256:")
    until(f"namespace {space}", lambda: api.find(f"/api/v1/namespaces/{space}"), 300)
    Release(layout, api, _name(plan), _ENVIRONMENT).provide_keys(plan)
    folder = gate_images.provide_claim(layout, api, space)
    reports = {
        "metrics.json": gate_images.metrics(digest, 0.97),
        "reports/junit.xml": gate_images.junit(digest, 25),
    }
    gate_images.put(folder, digest, reports)


def _gates_first(api: Api, plan: Plan) -> float:
    """Seconds between the end of the gates, which all passed, and the creation of the Rollout."""
    (workflow,) = gated.workflows(api, plan.identity.namespace)
    assert workflow["status"]["phase"] == "Succeeded"
    rollout = gated.released(api, plan)
    assert rollout is not None
    assert rollout["spec"]["template"]["metadata"]["annotations"]["sluice.dev/gate-key"] == plan.gate_key
    return _time(rollout["metadata"]["creationTimestamp"]) - _time(workflow["status"]["finishedAt"])


def _time(text: str) -> float:
    return dt.datetime.fromisoformat(text).timestamp()


def _analyses(api: Api, plan: Plan) -> list[Object]:
    return api.items(f"/apis/argoproj.io/v1alpha1/namespaces/{plan.identity.namespace}/analysisruns")


def _steady(whole: Whole) -> float:
    """Nothing is synced again: everything stays as it is for a while."""
    began = time.time()

    def over() -> bool:
        states = set(whole.applications().values())
        assert states == {("Synced", "Healthy")}, whole.told()
        return time.time() > began + 15

    until("a steady time", over, 30, 0.5)
    return time.time() - began
