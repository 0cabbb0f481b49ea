"""Golden cases byte for byte, and what must be true of every object in them."""

from __future__ import annotations

import ast
import math
import re
import shutil
from functools import cache
from typing import Any

import pytest
import ryaml
import yaml

from generator.lint.kinds import check
from generator.promql.conditions import Condition
from generator.routers import ROUTERS
from tests import golden
from tests.unit.promql.controller import verdict

CASES = golden.cases()
BUNDLES = [case for case in CASES if case != "spinnaker"]  # pipelines hold objects inside of stages


@cache
def objects(case: str) -> dict[str, Any]:
    """Kubernetes objects of a case as git keeps them, by path."""
    return {
        name: yaml.load(text, Loader=yaml.CSafeLoader)
        for name, text in golden.kept(case).items()
        if name.endswith(".yaml") and not name.startswith("bentos/")
    }


def of_kind(case: str, kind: str) -> dict[str, Any]:
    return {name: item for name, item in objects(case).items() if item["kind"] == kind}


def spec(case: str) -> Any:
    return yaml.safe_load((golden.CASES / case / "specs/shop/ranker.yaml").read_text())["spec"]


def metrics(case: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{case}/{name}: {metric['name']}", metric)
        for name, item in of_kind(case, "AnalysisTemplate").items()
        for metric in item["spec"]["metrics"]
    ]


def test_every_router_and_strategy_has_a_case():
    assert {f"{s}-{r}" for r in ROUTERS for s in ("canary", "bluegreen")} <= set(CASES)
    assert {
        "autoscaling-hpa",
        "autoscaling-keda",
        "environments",
        "secrets-gates",
        "secrets-external",
        "custom",
        "spinnaker",
        "whole",
    } <= set(CASES)


@pytest.mark.parametrize("case", CASES)
def test_bytes(case):
    assert golden.differences(case) == [], "run `make golden`, and look at what it changes"


def test_a_change_is_named(monkeypatch, tmp_path, capsys):
    case = "bluegreen-none"
    for name, text in golden.kept(case).items():
        path = tmp_path / case / "rendered" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    shutil.copytree(golden.CASES / case / "specs", tmp_path / case / "specs")
    monkeypatch.setattr(golden, "CASES", tmp_path)
    assert golden.main(["--check"]) == 0
    changed = next((tmp_path / case).rglob("rollout-main.yaml"))
    changed.write_text(changed.read_text() + "#\n")
    assert golden.main(["--check"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{case}/{changed.relative_to(tmp_path / case).as_posix()}"
    ]
    assert golden.main([]) == 0
    assert golden.main(["--check"]) == 0
    assert golden.main(["--what"]) == 2


@pytest.mark.parametrize("case", BUNDLES)
def test_two_readers_agree_on_every_file(case):
    for name, text in golden.kept(case).items():
        if name.endswith(".yaml"):
            assert yaml.safe_load(text) == ryaml.loads(text), name
            assert len(list(yaml.safe_load_all(text))) == 1, name


@pytest.mark.parametrize("case", BUNDLES)
def test_every_object_is_valid(case):
    found = objects(case)
    assert found
    assert {name: check(item) for name, item in found.items() if check(item)} == {}


@pytest.mark.parametrize("case", BUNDLES)
def test_every_file_is_text_with_ended_lines(case):
    for name, text in golden.kept(case).items():
        assert text.endswith("\n"), name
        assert not text.endswith("\n\n"), name
        assert "\r" not in text, name
        assert "\t" not in text, name
        assert all(line == line.rstrip() for line in text.splitlines()), name
        if name.endswith(".py"):
            ast.parse(text)


SECONDS = {"h": 3600, "m": 60, "s": 1}


def seconds(text: str) -> int:
    return int(text[:-1]) * SECONDS[text[-1]]


def steps(case: str) -> list[dict[str, Any]]:
    (item,) = of_kind(case, "Rollout").values()
    return item["spec"]["strategy"]["canary"]["steps"]


CANARIES = [
    case for case in BUNDLES if spec(case)["rollout"]["strategy"] == "canary" and case != "environments"
]
GREENS = [case for case in BUNDLES if spec(case)["rollout"]["strategy"] == "blue-green"]


@pytest.mark.parametrize("case", CANARIES)
def test_a_step_has_one_key(case):
    assert steps(case)
    assert all(len(step) == 1 for step in steps(case))


@pytest.mark.parametrize("case", CANARIES)
def test_weights_holds_and_approvals_are_those_of_the_spec(case):
    """In the controller's words: a weight, then its pause; an approval is a pause without end."""
    told: list[tuple[str, int | str]] = []
    weight = "match"
    for step in steps(case):
        ((verb, body),) = step.items()
        if verb == "setWeight" and body:
            told.append(("weight", body))
        elif verb == "setHeaderRoute" and "match" in body:
            told.append(("cohort", body[weight][0]["headerValue"]["exact"]))
        elif verb == "pause":
            told.append(("approve", 0) if body == {} else ("hold", seconds(body["duration"])))
    expected: list[tuple[str, int | str]] = []
    for step in spec(case)["rollout"]["steps"]:
        if "approve" in step:
            expected.append(("approve", 0))
        else:
            expected.append(
                ("weight", int(step["weight"][:-1]))
                if "weight" in step
                else ("cohort", step["cohort"]["exact"])
            )
            expected.append(("hold", seconds(step["hold"])))
    assert told == expected


@pytest.mark.parametrize("case", CANARIES)
def test_a_header_route_is_managed_and_taken_away_again(case):
    (item,) = of_kind(case, "Rollout").values()
    routed = [step["setHeaderRoute"] for step in steps(case) if "setHeaderRoute" in step]
    traffic = item["spec"]["strategy"]["canary"].get("trafficRouting", {})
    managed = {route["name"] for route in traffic.get("managedRoutes", [])}
    assert {route["name"] for route in routed} == managed
    assert [bool(route.get("match")) for route in routed] == [True, False] * (len(routed) // 2)


@pytest.mark.parametrize("case", GREENS)
def test_blue_green_says_what_the_spec_says(case):
    (item,) = of_kind(case, "Rollout").values()
    told, wanted = item["spec"]["strategy"]["blueGreen"], spec(case)["rollout"]
    assert told["autoPromotionEnabled"] is (wanted.get("approve", "automatic") == "automatic")
    assert told["previewReplicaCount"] == wanted.get("preview", {}).get("replicas", 1)
    assert ("postPromotionAnalysis" in told) == bool(wanted.get("guards"))


@pytest.mark.parametrize("case", BUNDLES)
def test_every_analysis_that_is_named_is_there_and_every_one_there_is_named(case):
    for folder in {name.rpartition("/")[0] for name in of_kind(case, "Rollout")}:
        here = {name: item for name, item in objects(case).items() if name.rpartition("/")[0] == folder}
        text = golden.kept(case)[f"{folder}/rollout-main.yaml"]
        named = set(re.findall(r"templateName:? ?\"?:? ?\"?([a-z0-9-]+)", text))
        there = {item["metadata"]["name"] for item in here.values() if item["kind"] == "AnalysisTemplate"}
        assert named == there


@pytest.mark.parametrize("case", BUNDLES)
def test_the_rollout_is_in_the_last_wave_and_nothing_is_a_hook(case):
    for name, item in objects(case).items():
        annotations = item["metadata"].get("annotations", {})
        assert "argocd.argoproj.io/hook" not in annotations, name
        if item["kind"] in {"Application", "AppProject"} or "/platform/" in name:
            continue
        wave = int(annotations["argocd.argoproj.io/sync-wave"])
        expected = {"Rollout": 1, "HorizontalPodAutoscaler": 1, "ScaledObject": 1, "Workflow": -1}.get(
            item["kind"], 0
        )
        assert wave == expected, name


@pytest.mark.parametrize("case", BUNDLES)
def test_replicas_are_left_to_an_autoscaler(case):
    scaled = of_kind(case, "HorizontalPodAutoscaler") | of_kind(case, "ScaledObject")
    for item in of_kind(case, "Rollout").values():
        assert ("replicas" in item["spec"]) == (not scaled)


# What a metric is told when there is nothing to tell, and what it must then say.
SILENCE: dict[str, list[float]] = {"none": [], "NaN": [math.nan], "+Inf": [math.inf], "-Inf": [-math.inf]}
METRICS = [
    (label, metric)
    for case in BUNDLES
    for label, metric in metrics(case)
    if "prometheus" in metric["provider"]
]


def condition(metric: dict[str, Any]) -> Condition:
    return Condition(metric.get("successCondition"), metric.get("failureCondition"))


@pytest.mark.parametrize(("label", "metric"), METRICS, ids=[label for label, _ in METRICS])
def test_conditions_never_fail_to_answer(label, metric):
    judged = condition(metric)
    assert judged.success or judged.failure
    for result in (*SILENCE.values(), [0.5], [-1e9], [1e9], [0.0, 1.0]):
        assert verdict(judged, result) != "Error", result


@pytest.mark.parametrize(("label", "metric"), METRICS, ids=[label for label, _ in METRICS])
def test_no_data_is_never_a_pass_at_the_end_of_a_step(label, metric):
    """A background test of harm passes in silence, and then a finite metric asks for the evidence."""
    judged = condition(metric)
    said = {name: verdict(judged, result) for name, result in SILENCE.items()}
    assert said["NaN"] != "Successful"
    if "evidence" in label or "limit" in label or "watch:" in label.replace("-watch.yaml", ""):
        assert set(said.values()) <= {"Failed", "Inconclusive"}
    assert said["+Inf"] != "Successful"
    both = {verdict(judged, [low]) for low in (-1e9, 1e9)}
    assert "Successful" in both
    assert both & {"Failed", "Inconclusive"}


@pytest.mark.parametrize(("label", "metric"), METRICS, ids=[label for label, _ in METRICS])
def test_limits_are_written_out(label, metric):
    assert {"failureLimit", "inconclusiveLimit", "consecutiveErrorLimit", "interval"} <= set(metric)
    background = label.partition(": ")[0].endswith("analysistemplate-guards.yaml")
    assert ("count" in metric) != background


@pytest.mark.parametrize("case", BUNDLES)
def test_a_canary_with_background_guards_asks_for_evidence_after_every_weight(case):
    if case not in CANARIES or not spec(case)["rollout"].get("guards"):
        return
    weighted = [index for index, step in enumerate(steps(case)) if step.get("setWeight")]
    assert weighted
    for index in weighted:
        assert [next(iter(step)) for step in steps(case)[index + 1 : index + 3]] == ["pause", "analysis"]


def fetches(case: str, name: str) -> dict[str, Any]:
    """What the External Secrets Operator puts into a Secret, by key; empty where nobody fetches it."""
    for item in of_kind(case, "ExternalSecret").values():
        if item["spec"]["target"]["name"] == name:
            return {entry["secretKey"]: entry for entry in item["spec"]["data"]}
    return {}


def test_a_secret_of_the_store_is_fetched_by_reference_under_a_name_of_what_it_is():
    found = of_kind("secrets-external", "ExternalSecret").values()
    assert len(found) == 2
    for item in found:
        assert re.fullmatch("ranker-(feature-store|database)-[0-9a-f]{8}", item["metadata"]["name"])
        assert item["spec"]["secretStoreRef"] == {"name": "vault", "kind": "ClusterSecretStore"}
        role = item["metadata"]["name"].removeprefix("ranker-")[:-9]
        assert {entry["remoteRef"]["key"] for entry in item["spec"]["data"]} == {f"shop/live/ranker/{role}"}
    assert of_kind("secrets-gates", "ExternalSecret") == {}


@pytest.mark.parametrize("case", BUNDLES)
def test_a_plain_variable_is_configuration_and_a_secret_is_a_reference(case):
    asked = spec(case).get("service", {}).get("env", [])
    for name, item in of_kind(case, "Rollout").items():
        (container,) = item["spec"]["template"]["spec"]["containers"]
        config = objects(case)[f"{name.rpartition('/')[0]}/configmap-config.yaml"]
        assert container["envFrom"] == [{"configMapRef": {"name": config["metadata"]["name"]}}]
        for variable in asked:
            if "secret" in variable:
                (found,) = [entry for entry in container["env"] if entry["name"] == variable["name"]]
                wanted = variable["secret"]
                reference = found["valueFrom"]["secretKeyRef"]
                fetched = fetches(case, reference["name"])
                if fetched:
                    assert {"secretKey": wanted["key"]}.items() <= fetched[reference["key"]].items()
                    assert fetched[reference["key"]]["remoteRef"].get("version") == wanted.get("version")
                else:
                    assert reference == wanted
                assert variable["name"] not in config["data"]
            else:
                assert config["data"][variable["name"]] == variable["value"]
