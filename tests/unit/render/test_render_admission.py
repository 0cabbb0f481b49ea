"""Admission policies refuse what Sluice would refuse, and let in what it renders."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.lint.kinds import check
from generator.plan.repository import Repository
from generator.render.admission import render_admission
from generator.render.environment import Templates
from generator.spec.platform import PlatformFile
from tests import golden
from tests.unit.render.admission_cel import Policy

ROOT = Path(__file__).resolve().parents[3]
NAMESPACE = {"metadata": {"annotations": {"sluice.dev/tiers": "standard,regulated"}}}
PINNED = "registry.example.com/models/risk/fraud@sha256:" + "e" * 64


def platform(**changes: Any) -> Any:
    data = copy.deepcopy(Repository(ROOT).platform_document.data)
    data["spec"].update(changes)
    return PlatformFile.model_validate(data).spec


def policies(**changes: Any) -> list[Policy]:
    files = render_admission(platform(**changes), "production", Templates())
    objects = [yaml.safe_load(text) for text in files.values()]
    assert [item for item in objects if check(item)] == []
    return [Policy(item["spec"]) for item in objects if item["kind"] == "ValidatingAdmissionPolicy"]


COHORTS = [
    {"header": "x-cohort", "exact": "staff", "share": "0.5%"},
    {"header": "X-Large", "exact": "yes", "share": "30%"},
]
POLICIES = policies(cohorts=COHORTS)


def refused(new: Any, old: Any = None, namespace: Any = NAMESPACE) -> list[str]:
    rollout = new["kind"] == "Rollout"
    judges = POLICIES if rollout else POLICIES[:1]
    return [message for policy in judges for message in policy.refuses(new, namespace, old)]


def rendered(path: str) -> Any:
    return yaml.safe_load((ROOT / "rendered/production" / path).read_text())


def fraud(edit: Callable[[Any], object] = lambda _: None) -> Any:
    item = rendered("risk/fraud/rollout-main.yaml")
    item["spec"]["template"]["spec"]["containers"][0]["image"] = PINNED
    edit(item)
    return item


def pod(item: Any) -> Any:
    return item["spec"]["template"]


def canary(item: Any) -> Any:
    return item["spec"]["strategy"]["canary"]


def image(item: Any, text: str) -> None:
    pod(item)["spec"]["containers"][0]["image"] = text


def switch(item: Any, **changes: Any) -> None:
    item["spec"]["strategy"] = {"blueGreen": {"activeService": "a", **changes}}


def held(weight: int, hold: object = "2h") -> list[Any]:
    return [{"setWeight": weight}, {"pause": {"duration": hold}}]


def release(item: Any, steps: list[Any]) -> None:
    """Replace the steps; the analysis starts with the first one."""
    canary(item).update(steps=steps)
    canary(item)["analysis"]["startingStep"] = 0


def cohort(item: Any, header: str, at: int = 0, *, hold: str = "1h", more: Any = (), **value: str) -> None:
    match = [{"headerName": header, "headerValue": value}, *more]
    route = [{"setHeaderRoute": {"name": "cohort", "match": match}}, {"pause": {"duration": hold}}]
    steps = [*held(1), {"pause": {}}, *held(50)]
    release(item, [*steps[:at], *route, {"setHeaderRoute": {"name": "cohort"}}, *steps[at:]])


def in_parts(item: Any, part: str) -> None:
    """A cohort whose route is written ten times in its hold."""
    match = [{"headerName": "x-cohort", "headerValue": {"exact": "staff"}}]
    route = [{"setHeaderRoute": {"name": "cohort", "match": match}}, {"pause": {"duration": part}}]
    release(item, [*route * 10, {"setHeaderRoute": {"name": "cohort"}}, *held(1), {"pause": {}}, *held(50)])


def test_what_is_rendered_is_let_in():
    seen = 0
    for path in sorted((ROOT / "rendered/production").glob("*/*/*.yaml")):
        item = yaml.safe_load(path.read_text())
        if item["kind"] in {"Rollout", "Deployment"}:
            team = path.parent.parent.name
            namespace = rendered(f"platform/{team}/namespace-main.yaml")
            if team == "risk":
                image(item, PINNED)
            assert refused(item, namespace=namespace) == [], path
            seen += 1
    assert seen >= 4


BAD: dict[str, tuple[Callable[[Any], object], str]] = {
    "no tier": (lambda r: pod(r)["metadata"]["labels"].pop("sluice.dev/tier"), "sluice.dev/tier"),
    "a tier of others": (
        lambda r: pod(r)["metadata"]["labels"].update({"sluice.dev/tier": "high-traffic"}),
        'says "high-traffic"; tiers of this namespace: standard, regulated',
    ),
    "no pod template": (lambda r: r["spec"].pop("template"), "sluice.dev/tier"),
    "an image by tag": (lambda r: image(r, "registry.example.com/models/risk/fraud:12"), "by digest"),
    "a digest cut short": (lambda r: image(r, PINNED[:-1]), "by digest"),
    "a second container by tag": (
        lambda r: pod(r)["spec"]["containers"].append({"name": "b", "image": "busybox"}),
        "by digest",
    ),
    "an init container by tag": (
        lambda r: pod(r)["spec"].update(initContainers=[{"name": "b", "image": "busybox"}]),
        "by digest",
    ),
    "no gate key": (lambda r: pod(r)["metadata"]["annotations"].pop("sluice.dev/gate-key"), "gate-key"),
    "no annotations": (lambda r: pod(r)["metadata"].pop("annotations"), "gate-key"),
    "an empty gate key": (
        lambda r: pod(r)["metadata"]["annotations"].update({"sluice.dev/gate-key": ""}),
        "gate-key",
    ),
    "a first weight above the ceiling": (
        lambda r: canary(r).update(steps=[{"setWeight": 2}, {"pause": {}}]),
        "the first weight of the tier regulated is at most 1 of 100",
    ),
    "no steps": (lambda r: canary(r).pop("steps"), "first weight"),
    "weights of another scale": (lambda r: canary(r)["trafficRouting"].update(maxTrafficWeight=10), "first weight"),
    "a switch": (lambda r: switch(r, autoPromotionEnabled=False, postPromotionAnalysis={"templates": []}), "a blue-green switch is 100 of 100"),
    "a switch that exposes all requests": (lambda r: switch(r, autoPromotionEnabled=False), "a switch exposes all of them"),
    "few pods without a router": (lambda r: (canary(r).pop("trafficRouting"), r["spec"].update(replicas=3)), "first weight"),
    "an autoscaler without a router": (lambda r: (canary(r).pop("trafficRouting"), r["spec"].pop("replicas")), "first weight"),
    "a router that routes nothing": (lambda r: canary(r).update(trafficRouting={"managedRoutes": []}), "first weight"),
    "a window without steps": (lambda r: r["spec"].update(rollbackWindow={"revisions": 5}), "first weight"),
    "an experiment with a weight": (
        lambda r: canary(r)["steps"].insert(4, {"experiment": {"templates": [{"name": "a", "weight": 90}]}}),
        "first weight",
    ),
    "a step of a plugin": (lambda r: canary(r)["steps"].insert(4, {"plugin": {"name": "a/b"}}), "first weight"),
    "a cohort of all users": (lambda r: cohort(r, "user-agent", regex=".*"), "only cohorts that the platform lists"),
    "a cohort after the first weight": (lambda r: cohort(r, "user-agent", 2, regex=".*"), "only cohorts that the platform lists"),
    "a listed header with another value": (lambda r: cohort(r, "x-cohort", prefix="s"), "only cohorts that the platform lists"),
    "a large cohort": (lambda r: cohort(r, "x-large", exact="yes"), "only cohorts that the platform lists"),
    "a second match": (
        lambda r: cohort(r, "x-cohort", more=[{"headerName": "accept", "headerValue": {"regex": ".*"}}], exact="staff"),
        "only cohorts that the platform lists",
    ),
    "a jump to all users": (lambda r: canary(r).update(steps=[*held(1), {"pause": {}}]), "adds at most 50 of 100"),
    "a jump between two weights": (lambda r: canary(r).update(steps=[*held(1), {"pause": {}}, *held(70)]), "adds at most 50 of 100"),
    "a step of a second": (lambda r: canary(r).update(steps=[*held(1, "1s"), {"pause": {}}, *held(50)]), "held for 3600 seconds"),
    "a step of a number": (lambda r: canary(r).update(steps=[*held(1, 3599), {"pause": {}}, *held(50)]), "held for 3600 seconds"),
    "a weight without a hold": (lambda r: canary(r).update(steps=[*held(1), {"pause": {}}, {"setWeight": 20}, *held(50)]), "held for"),
    "a cohort in parts that are too short together": (lambda r: in_parts(r, "3s"), "held for"),
    "a cohort of a second": (lambda r: cohort(r, "x-cohort", hold="1s", exact="staff"), "held for"),
    "no analysis": (lambda r: canary(r).pop("analysis"), "demands guards"),
    "an analysis of nothing": (lambda r: canary(r)["analysis"].update(templates=[]), "demands guards"),
    "an analysis that starts late": (lambda r: canary(r)["analysis"].update(startingStep=20), "demands guards"),
    "too many steps": (lambda r: canary(r).update(steps=[*canary(r)["steps"], *[{"pause": {"duration": "1h"}}] * 240]), "at most 240 steps"),
    "an approval before any traffic": (
        lambda r: release(r, [{"pause": {}}, *held(1), *held(50)]), "demands an approval"
    ),
    "an approval before a hold": (
        lambda r: release(r, [{"setWeight": 1}, {"pause": {}}, *held(50)]), "demands an approval"
    ),
    "an approval at half of the traffic": (
        lambda r: release(r, [*held(1), *held(50), {"pause": {}}]), "demands an approval"
    ),
    "no approval": (
        lambda r: release(r, [{"setWeight": 1}, {"pause": {"duration": "2h"}}]),
        "demands an approval",
    ),
    "a blue-green that switches itself": (
        lambda r: r["spec"].update(strategy={"blueGreen": {"activeService": "a"}}),
        "demands an approval",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_refused(name):
    edit, said = BAD[name]
    messages = refused(fraud(edit))
    assert any(said in message for message in messages), messages


GOOD: dict[str, Callable[[Any], object]] = {
    "as it is": lambda _: None,
    "a shadow first": lambda r: release(r, [{"setWeight": 0}, *held(1), {"pause": {}}, *held(50)]),
    "the end of a cohort first": lambda r: release(
        r, [{"setHeaderRoute": {"name": "cohort"}}, *held(1), {"pause": {}}, *held(50)]
    ),
    "a cohort in parts": lambda r: in_parts(r, "6m"),
    "a listed cohort": lambda r: cohort(r, "X-Cohort", exact="staff"),
    "a large cohort after the first weight": lambda r: cohort(r, "x-large", 2, exact="yes"),
    "holds in seconds": lambda r: release(r, [*held(1, 3600), {"pause": {}}, *held(50, "90m")]),
    "an approval that is the hold of a weight": lambda r: release(
        r, [*held(1), {"setWeight": 10}, {"pause": {}}, *held(50)]
    ),
    "many pods without a router": lambda r: (
        canary(r).pop("trafficRouting"),
        r["spec"].update(replicas=200),
    ),
    "the standard tier by tag": lambda r: (
        pod(r)["metadata"]["labels"].update({"sluice.dev/tier": "standard"}),
        image(r, "registry.example.com/models/risk/fraud:12"),
        release(r, [{"setWeight": 25}, {"pause": {"duration": "1h"}}]),
    ),
    "a switch in a tier that allows it": lambda r: (
        pod(r)["metadata"]["labels"].update({"sluice.dev/tier": "standard"}),
        switch(r),
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_let_in(name):
    assert refused(fraud(GOOD[name])) == []


def test_a_namespace_without_tiers_lets_nothing_in():
    assert refused(fraud(), namespace={"metadata": {}})


def test_a_controller_may_note_what_it_likes_on_an_old_release():
    old = fraud(lambda r: image(r, "fraud:12"))
    new = copy.deepcopy(old)
    new["metadata"]["annotations"]["rollout.argoproj.io/revision"] = "7"
    assert refused(new, old) == []
    new["spec"]["replicas"] = 9
    assert refused(new, old)


OTHERS: dict[str, Callable[[Any], object]] = {
    "pods of another model": lambda d: pod(d)["metadata"]["labels"].update(
        {"app.kubernetes.io/name": "fraud"}
    ),
    "no name of the pods": lambda d: pod(d)["metadata"]["labels"].pop("app.kubernetes.io/name"),
    "a Deployment that is not a shadow": lambda d: (
        d["metadata"].update(name="fraud"),
        pod(d)["metadata"]["labels"].update({"app.kubernetes.io/name": "fraud"}),
    ),
    "a StatefulSet": lambda d: d.update(kind="StatefulSet"),
    "a DaemonSet": lambda d: d.update(kind="DaemonSet"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_live_requests_go_to_rollouts_only(name):
    item = rendered("risk/fraud/deployment-shadow.yaml")
    image(item, PINNED)
    OTHERS[name](item)
    assert any("the name of their object" in message for message in refused(item)), name
    (resources,) = [
        rule["resources"]
        for rule in POLICIES[0].spec["matchConstraints"]["resourceRules"]
        if rule["apiGroups"] == ["apps"]
    ]
    assert item["kind"].lower() + "s" in resources


def test_a_rollout_may_not_take_the_pods_of_another_one():
    item = fraud(lambda r: pod(r)["metadata"]["labels"].update({"app.kubernetes.io/name": "scorer"}))
    assert any("the name of their object" in message for message in refused(item))


def test_a_shadow_is_held_to_its_images():
    item = rendered("risk/fraud/deployment-shadow.yaml")
    image(item, PINNED)
    assert refused(item) == []
    image(item, "busybox")
    assert refused(item)


def test_a_platform_without_demands_has_policies_that_compile():
    tiers = {"standard": {}}
    for policy in policies(tiers=tiers, waivers=[]):
        item = fraud(GOOD["the standard tier by tag"])
        canary(item)["steps"] = [{"setWeight": 100}]
        assert policy.refuses(item, NAMESPACE) == []
        switch(item)
        assert policy.refuses(item, NAMESPACE) == []


def test_the_page_lists_cases_that_are_tried():
    page = (ROOT / "docs/tiers.md").read_text().partition("## In the cluster")[2]
    rows = re.findall(r"^\| [^|]*\| [^|]*\| `([^`]+)` \|$", page, re.MULTILINE)
    assert len(rows) >= 12
    assert set(rows) <= BAD.keys()


def test_warn_tells_and_lets_in():
    files = render_admission(platform(admission="warn"), "production", Templates())
    bindings = [yaml.safe_load(text) for name, text in files.items() if "binding" in name]
    assert [item["spec"]["validationActions"] for item in bindings] == [["Warn", "Audit"]] * 2


def test_none_renders_nothing():
    assert render_admission(platform(admission="none"), "production", Templates()) == {}


def test_each_binding_names_a_policy_and_the_namespaces_of_its_environment():
    files = golden.files("whole")
    found = [yaml.safe_load(text) for name, text in files.items() if "/platform/admission/" in name]
    names = {item["metadata"]["name"] for item in found if item["kind"] == "ValidatingAdmissionPolicy"}
    bindings = [item["spec"] for item in found if item["kind"] == "ValidatingAdmissionPolicyBinding"]
    assert {item["policyName"] for item in bindings} == names
    assert names
    spaces = [yaml.safe_load(text) for name, text in files.items() if name.endswith("namespace-main.yaml")]
    for item in bindings:
        wanted = item["matchResources"]["namespaceSelector"]["matchLabels"].items()
        assert any(wanted <= space["metadata"]["labels"].items() for space in spaces)
