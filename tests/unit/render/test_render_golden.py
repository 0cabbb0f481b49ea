"""Golden cases byte for byte, and what must be true of every object in them."""

from __future__ import annotations

import ast
import math
import re
import shutil
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import ryaml
import yaml

import generator
from generator.lint.kinds import check
from generator.promql.conditions import Condition
from generator.routers import ROUTERS
from tests import golden
from tests.tools import variables
from tests.unit.promql.controller import verdict

CASES = golden.cases()
BUNDLES = [case for case in CASES if case != "spinnaker"]  # pipelines hold objects inside of stages


@cache
def objects(case: str) -> dict[str, Any]:
    """The rendered Kubernetes objects of a case, by path."""
    return {
        name: yaml.load(text, Loader=yaml.CSafeLoader)
        for name, text in golden.files(case).items()
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
        "shared-namespace",
        "custom",
        "spinnaker",
        "whole",
    } <= set(CASES)


KEPT = golden.kept()
EXPECTED = golden.outputs({case: golden.files(case) for case in CASES})
VARIABLES = variables.page(golden.VARIABLES)


def test_the_page_about_variables_is_what_templates_get():
    assert variables.PAGE.read_text() == VARIABLES, "run `make golden`"


@pytest.mark.parametrize("name", sorted(KEPT | EXPECTED))
def test_bytes(name):
    assert KEPT.get(name) == EXPECTED.get(name), "run `make golden`, and review what it changes"


def test_every_rendered_file_is_kept_under_its_own_name():
    labels = [line for text in EXPECTED.values() for line in text.splitlines() if line.startswith("=== ")]
    named = [label.removeprefix("=== ") for label in labels if "/" in label and ", like " not in label]
    files = [f"{case}/{name}".replace("shop/ranker/", "") for case in CASES for name in golden.files(case)]
    assert sorted(named) == sorted(files)
    assert len(set(named)) == len(named)


@pytest.fixture
def copied(monkeypatch, tmp_path):
    """A copy of two cases, each with its own templates."""
    for case in ("canary-istio", "canary-gateway-api"):
        shutil.copytree(golden.CASES / case / "specs", tmp_path / case / "specs")
    monkeypatch.setattr(golden, "CASES", tmp_path)
    monkeypatch.setattr(golden, "OUTPUTS", tmp_path / "outputs" / "rendered")
    golden.write()
    return tmp_path


TEMPLATES = {
    "kubernetes/service.yaml.j2": "models/service.yaml.txt",
    "kubernetes/configmap.yaml.j2": "models/configmap.yaml.txt",
    "kubernetes/analysistemplate.yaml.j2": "models/analysistemplate.yaml.txt",
    "kubernetes/rollout-canary.yaml.j2": "models/rollout-canary.yaml.txt",
    "kubernetes/virtualservice.yaml.j2": "models/virtualservice.yaml.txt",
    "argocd/application.yaml.j2": "argocd/application.yaml.txt",
}


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_change_of_one_template_changes_one_file_and_is_named(template, copied, capsys):
    ours = (Path(generator.__file__).parents[1] / "templates" / template).read_text()
    for case in golden.cases():
        own = copied / case / "templates" / template
        own.parent.mkdir(parents=True)
        own.write_text(ours + "# one line more\n")
    name = f"outputs/rendered/{TEMPLATES[template]}"
    before = (copied / name).read_text()
    assert golden.main(["--check"]) == 1
    assert capsys.readouterr().out.splitlines() == [name]
    assert golden.main([]) == 0
    after = (copied / name).read_text()
    whole = sum(
        line.startswith("=== ") and ", like " not in line and "/" not in line for line in after.splitlines()
    )
    more = "\n# one line more\n"  # not as the context of a difference
    assert after.count(more) - before.count(more) == whole
    assert golden.main(["--check"]) == 0


def test_bento_templates_do_not_change_what_runs_them(copied):
    template = Path(generator.__file__).parents[1] / "templates/bento/counters.py.j2"
    for case in golden.cases():
        own = copied / case / "templates/bento/counters.py.j2"
        own.parent.mkdir(parents=True)
        own.write_text(template.read_text() + "# one line more\n")
    assert golden.differences() == []  # these cases keep no bento, and no digest of one


def test_superfluous_and_missing_files_are_named(copied, capsys):
    (copied / "outputs/rendered/models/extra.txt").write_text("")
    (copied / "outputs/rendered/models/service.yaml.txt").unlink()
    assert golden.main(["--check"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "outputs/rendered/models/extra.txt",
        "outputs/rendered/models/service.yaml.txt",
    ]
    assert golden.main(["--what"]) == 2


def texts(*bodies):
    return {"a": {}, **{f"case-{i}": {"live/shop/ranker/x-main.yaml": body} for i, body in enumerate(bodies)}}


def test_like_texts_are_kept_as_differences():
    lines = [f"line {i}\n" for i in range(20)]
    other = [*lines[:10], "other\n", *lines[11:]]
    kept = golden.outputs(texts("".join(lines), "".join(other), "".join(lines), "short\n"))[
        "models/x.yaml.txt"
    ]
    assert kept.splitlines()[:2] == ["=== case-0/live/x-main.yaml", "=== case-2/live/x-main.yaml"]
    assert "like case-0/live/x-main.yaml, but:\n@@\n line 9\n-line 10\n+other\n line 11\n" in kept
    assert kept.endswith("\nshort\n")


def test_the_same_difference_at_another_place_is_another_text():
    lines = ["a\n", "b\n", *[f"{i}\n" for i in range(9)], "a\n", "b\n"]
    first, second = ["a\n", "x\n", *lines[1:]], [*lines[:-1], "x\n", lines[-1]]
    kept = [golden.outputs(texts("".join(lines), "".join(other))) for other in (first, second)]
    assert kept[0] != kept[1]


@pytest.mark.parametrize("case", BUNDLES)
def test_two_readers_agree_on_every_file(case):
    for name, text in golden.files(case).items():
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
    for name, text in golden.files(case).items():
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


_BOTH = ("environments", "shared-namespace")
"""Cases with a canary in one environment and a switch in another."""
CANARIES = [case for case in BUNDLES if spec(case)["rollout"]["strategy"] == "canary" and case not in _BOTH]
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
            cohort = ("cohort", body[weight][0]["headerValue"]["exact"])
            if cohort not in told:
                told += [cohort, ("hold", 0)]
        elif verb == "pause" and len(told) > 1 and told[-2][0] == "cohort":
            told[-1] = (
                "hold",
                int(told[-1][1]) + seconds(body["duration"]),
            )  # in parts, with the route before each
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
    assert [key for key, _ in groupby(bool(route.get("match")) for route in routed)] == [True, False] * bool(
        routed
    )


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
        text = golden.files(case)[f"{folder}/rollout-main.yaml"]
        named = set(re.findall(r"templateName:? ?\"?:? ?\"?([a-z0-9-]+)", text))
        there = {item["metadata"]["name"] for item in here.values() if item["kind"] == "AnalysisTemplate"}
        assert named == there


@pytest.mark.parametrize("case", BUNDLES)
def test_the_rollout_is_in_the_last_wave_and_nothing_is_a_hook(case):
    for name, item in objects(case).items():
        annotations = item["metadata"].get("annotations", {})
        assert "argocd.argoproj.io/hook" not in annotations, name
        shared = {"platform", "notifications"} & {*name.split("/")}
        if item["kind"] in {"Application", "AppProject"} or shared:
            continue
        wave = int(annotations["argocd.argoproj.io/sync-wave"])
        expected = _WAVES.get(item["kind"], 0)
        assert wave == expected, name


_WAVES = {"Rollout": 1, "HorizontalPodAutoscaler": 1, "ScaledObject": 1, "Ingress": 1, "Workflow": -1}


@pytest.mark.parametrize("case", BUNDLES)
def test_replicas_are_left_to_an_autoscaler(case):
    scaled = of_kind(case, "HorizontalPodAutoscaler") | of_kind(case, "ScaledObject")
    for item in of_kind(case, "Rollout").values():
        assert ("replicas" in item["spec"]) == (not scaled)


# The result of a metric without data, and its expected verdict.
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
    """What the External Secrets Operator puts into a Secret, by key; empty if it is not fetched."""
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
