"""Admission policies refuse what Sluice would refuse, and let in what it renders."""

from __future__ import annotations

import copy
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


POLICIES = policies()


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
    "no approval": (
        lambda r: canary(r).update(steps=[{"setWeight": 1}, {"pause": {"duration": "2h"}}]),
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
    "a shadow first": lambda r: canary(r).update(steps=[{"setWeight": 0}, {"setWeight": 1}, {"pause": {}}]),
    "a cohort first": lambda r: canary(r).update(
        steps=[{"setHeaderRoute": {"name": "cohort"}}, {"setWeight": 1}, {"pause": {}}]
    ),
    "the standard tier by tag": lambda r: (
        pod(r)["metadata"]["labels"].update({"sluice.dev/tier": "standard"}),
        image(r, "registry.example.com/models/risk/fraud:12"),
        canary(r).update(steps=[{"setWeight": 25}, {"pause": {"duration": "1h"}}]),
    ),
    "a blue-green that waits": lambda r: r["spec"].update(
        strategy={"blueGreen": {"activeService": "a", "autoPromotionEnabled": False}}
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
