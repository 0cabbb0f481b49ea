"""A plan as a Spinnaker pipeline: what it says, what it refuses to say, and that Kayenta's own words are used."""

from __future__ import annotations

import copy
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from generator.cli.main import cli
from generator.plan.repository import Repository
from generator.plan.resolve import Planned, no_digest, resolve
from generator.render.environment import Templates
from generator.render.spinnaker import tables
from generator.render.spinnaker.kayenta import canary_config
from generator.render.spinnaker.pipeline import Accounts, pipeline
from generator.report.codes import all_codes
from generator.rules.spinnaker import unsupported_features
from generator.spec.rollout import Canary
from tests import golden

SPEC = """\
apiVersion: sluice.dev/v1alpha1
kind: Model
metadata: {name: ranker, team: shop, owner: shop@example.com}
spec:
  tier: basic
  model: {ref: "mlflow:ranker/3", framework: sklearn}
  traffic: {minRps: 200}
  outcomes: {ctr: {kind: ratio, event: click, baseline: 4%, delay: 0s}}
  autoscaling: {min: 2, max: 6}
  rollout:
    strategy: canary
    noData: fail
    steps:
      - {weight: 5%, hold: 60m}
      - {approve: product}
      - {weight: 50%, hold: 30m}
    guards:
      - {outcome: ctr, detect: {drop: 10%}}
      - {metric: error-rate, baseline: 1%, detect: {rise: 100%}}
      - {metric: slow-rate, slowerThan: 250ms, baseline: 2%, detect: {rise: 50%}}
"""
GUARD = "      - {outcome: ctr, detect: {drop: 10%}}\n"
CTR = "delay: 0s"
GATES = "  gates: [{name: accuracy, metric: accuracy, atLeast: 0.9}]\n"
FAIR = "{fairness: demographic-parity-difference, sensitive: [gender], atMost: 0.1}"
ATTRIBUTES = "  service: {attributes: {gender: [female, male]}, positive: [1]}\n  rollout:\n"


def repository(root: Path, spec: str = SPEC, router: str = "gateway-api") -> Repository:
    source = golden.CASES / f"canary-{router}" / "specs"
    (root / "specs/shop").mkdir(parents=True)
    (root / "specs/platform.yaml").write_text((source / "platform.yaml").read_text())
    (root / "specs/shop/ranker.lock.yaml").write_text((source / "shop/ranker.lock.yaml").read_text())
    (root / "specs/shop/ranker.yaml").write_text(spec)
    return Repository(root)


def planned(root: Path, spec: str = SPEC, router: str = "gateway-api") -> Planned:
    found = repository(root, spec, router)
    (entry,) = found.entries
    resolved = resolve(found, entry, no_digest)
    assert [f.message for f in [*found.findings, *resolved.findings]] == []
    (plan,) = resolved.plans
    return plan


def made(root: Path, router: str = "gateway-api") -> dict[str, Any]:
    plan = planned(root, router=router).plan
    assert isinstance(plan.rollout, Canary)
    return pipeline(plan, Templates(), Accounts("kubernetes", "prometheus"))


@pytest.mark.parametrize("router", ["gateway-api", "istio"])
def test_pipeline_and_configuration_are_what_spinnaker_reads(router, tmp_path):
    found = made(tmp_path, router)
    assert tables.pipeline_problems(found) == []
    assert (
        tables.problems(tables.CANARY_CONFIG, canary_config(planned(tmp_path / "b", router=router).plan))
        == []
    )


def test_weights_holds_and_approvals_are_the_plans(tmp_path):
    stages = made(tmp_path)["stages"]
    assert [stage["name"] for stage in stages if stage["type"] in {"kayentaCanary", "manualJudgment"}] == [
        "Canary 1: 5%", "Approval 2", "Canary 3: 50%",
    ]  # fmt: skip
    assert [s["canaryConfig"]["lifetimeDuration"] for s in stages if s["type"] == "kayentaCanary"] == [
        "PT60M",
        "PT30M",
    ]
    weights = [
        [backend["weight"] for rule in item["spec"]["rules"] for backend in rule["backendRefs"]]
        for stage in stages
        for item in stage.get("manifests", [])
        if item["kind"] == "HTTPRoute"
    ]
    assert weights == [[95, 5], [100, 0], [50, 50], [100, 0], [100, 0]]


def test_a_failed_analysis_takes_the_weight_back_and_ends_the_pipeline(tmp_path):
    stages = {stage["name"]: stage for stage in made(tmp_path)["stages"]}
    judged, back, on = (stages[name] for name in ("Canary 1: 5%", "Roll back 1: 5%", "Continue 1: 5%"))
    assert judged["continuePipeline"] is True
    assert back["requisiteStageRefIds"] == on["requisiteStageRefIds"] == [judged["refId"]]
    assert "Canary 1: 5%" in back["stageEnabled"]["expression"]
    assert "!= 'SUCCEEDED'" in back["stageEnabled"]["expression"]
    assert "== 'SUCCEEDED'" in on["preconditions"][0]["context"]["expression"]
    assert on["completeOtherBranchesThenFail"] is True
    assert on["continuePipeline"] is False
    assert stages["Approval 2"]["requisiteStageRefIds"] == [on["refId"]]


def test_both_arms_are_told_apart_by_what_the_queries_ask_for(tmp_path):
    plan = planned(tmp_path).plan
    assert isinstance(plan.rollout, Canary)
    objects = [
        item
        for stage in pipeline(plan, Templates(), Accounts("k", "p"))["stages"]
        for item in stage.get("manifests", [])
    ]
    arms = {}
    for item in objects:
        if item["kind"] == "Deployment":
            template = item["spec"]["template"]
            (container,) = template["spec"]["containers"]
            (served,) = [entry["value"] for entry in container["env"] if entry["name"] == "SLUICE_SERVED_BY"]
            arms[item["metadata"]["name"]] = (served, template["metadata"]["labels"]["sluice.dev/role"])
            selector = item["spec"]["selector"]["matchLabels"]
            services = [s for s in objects if s["kind"] == "Service" and s["spec"]["selector"] == selector]
            assert [s["metadata"]["name"] for s in services] == [item["metadata"]["name"]]
    assert arms == {"ranker-stable": ("stable", "stable"), "ranker-canary": ("canary", "canary")}
    queries = [metric["query"]["customInlineTemplate"] for metric in canary_config(plan)["metrics"]]
    for query in queries:
        assert re.search(r'(served_by|sluice_dev_role)="\$\{scope\}"', query)
        assert "pod_template_hash" not in query
    (monitor,) = [item for item in objects if item["kind"] == "PodMonitor"]
    targets = {rule.get("targetLabel") for rule in monitor["spec"]["podMetricsEndpoints"][0]["relabelings"]}
    assert "sluice_dev_role" in targets


def test_the_autoscaler_scales_what_is_there(tmp_path):
    objects = [item for stage in made(tmp_path)["stages"] for item in stage.get("manifests", [])]
    (scaler,) = [item for item in objects if item["kind"] == "HorizontalPodAutoscaler"]
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "ranker-stable"}
    assert scaler["spec"]["scaleTargetRef"] == target
    stable, canary = (
        [i for i in objects if i["metadata"]["name"] == f"ranker-{arm}" and i["kind"] == "Deployment"]
        for arm in ("stable", "canary")
    )
    assert "replicas" not in stable[0]["spec"]
    assert canary[0]["spec"]["replicas"] == 2


def test_every_query_is_promql(tmp_path):
    metrics = canary_config(planned(tmp_path).plan)["metrics"]
    rules = [
        {"record": f"query:{number}", "expr": metric["query"]["customInlineTemplate"].removeprefix("PromQL:")}
        for number, metric in enumerate(metrics)
    ]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    program = ["promtool", "check", "rules", "rules.yaml"]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_metric_says_what_its_guard_says(tmp_path):
    found = {
        m["name"]: m["analysisConfigurations"]["canary"]
        for m in canary_config(planned(tmp_path).plan)["metrics"]
    }
    assert found["ctr"]["direction"] == "decrease"
    assert found["ctr"]["effectSize"] == {"allowedDecrease": pytest.approx(0.9)}
    assert found["error-rate"]["effectSize"] == {"allowedIncrease": pytest.approx(2.0)}
    assert found["slow-rate"]["effectSize"] == {"allowedIncrease": pytest.approx(1.5)}
    assert all(item["critical"] and item["mustHaveData"] for item in found.values())


EDITS: dict[str, tuple[str, str, str]] = {
    "SPIN102": ("    steps:\n", "    shadow: {percent: 5%, hold: 1h}\n    steps:\n", "gateway-api"),
    "SPIN103": (
        "    steps:\n",
        "    steps:\n      - {cohort: {header: x, exact: y}, hold: 10m}\n",
        "gateway-api",
    ),
    "SPIN104": (GUARD, GUARD + "      - {name: most, metric: error-rate, limit: 5%}\n", "gateway-api"),
    "SPIN105": ("  rollout:\n", ATTRIBUTES, "gateway-api"),
    "SPIN106": ("", "", "none"),
    "SPIN203": ("noData: fail", "noData: pause", "gateway-api"),
    "SPIN204": (CTR, "delay: 60s", "gateway-api"),
    "SPIN205": ("  rollout:\n", GATES + "  rollout:\n", "gateway-api"),
}


@pytest.mark.parametrize("code", EDITS)
def test_what_cannot_be_said_is_told(code, tmp_path):
    before, after, router = EDITS[code]
    spec = SPEC.replace(before, after) if before else SPEC
    if code == "SPIN105":
        spec = spec.replace(GUARD, f"{GUARD}      - {FAIR}\n")
    found = unsupported_features(planned(tmp_path / "a", spec, router))
    (finding, *_) = [item for item in found if item.code == code]
    assert finding.severity == all_codes()[code].severity
    assert finding.place.line > 0
    assert code not in {item.code for item in unsupported_features(planned(tmp_path / "b"))}


def test_what_is_always_lost_is_always_told(tmp_path):
    assert [item.code for item in unsupported_features(planned(tmp_path))] == ["SPIN201", "SPIN202"]


def test_a_blue_green_and_a_canary_without_guards_are_refused(tmp_path):
    head = SPEC.partition("  rollout:")[0]
    green = head + "  rollout: {strategy: blue-green, approve: manual}\n"
    assert [item.code for item in unsupported_features(planned(tmp_path / "a", green))] == ["SPIN101"]
    bare = SPEC.partition("    guards:")[0]
    assert [item.code for item in unsupported_features(planned(tmp_path / "b", bare))] == ["SPIN107"]


def run(root: Path, *more: str) -> tuple[int, str]:
    arguments = ["shop/ranker", "--root", str(root), "--output", str(root / "out"), *more]
    done = CliRunner().invoke(cli, ["spinnaker", *arguments])
    return done.exit_code, done.output


def test_the_command_writes_two_files_and_says_what_is_lost(tmp_path):
    repository(tmp_path)
    code, said = run(tmp_path, "--account", "prod")
    assert code == 0, said
    assert "SPIN201" in said
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["live.shop.ranker.canary.json", "live.shop.ranker.pipeline.json"]
    found = json.loads((tmp_path / "out" / names[1]).read_text())
    assert {stage["account"] for stage in found["stages"] if "account" in stage} == {"prod"}
    first = (tmp_path / "out" / names[1]).read_bytes()
    assert run(tmp_path, "--account", "prod")[0] == 0
    assert (tmp_path / "out" / names[1]).read_bytes() == first


def test_the_command_writes_nothing_when_something_is_refused(tmp_path):
    repository(tmp_path, SPEC, "none")
    code, said = run(tmp_path)
    assert code == 1
    assert "SPIN106" in said
    assert not (tmp_path / "out").exists()


SPOILT: list[tuple[str, Any]] = [
    ("an unknown key", lambda d: d["stages"][0].update(manifest=[])),
    ("a missing account", lambda d: d["stages"][0].pop("account")),
    ("an unknown type", lambda d: d["stages"][2].update(type="deployManifests")),
    ("a stage that is not there", lambda d: d["stages"][3].update(requisiteStageRefIds=["99"])),
    ("two of one reference", lambda d: d["stages"][1].update(refId="1")),
    ("a score above 100", lambda d: d["stages"][3]["canaryConfig"]["scoreThresholds"].update({"pass": 101})),
]


@pytest.mark.parametrize(("name", "spoil"), SPOILT, ids=[name for name, _ in SPOILT])
def test_the_tables_see_what_spinnaker_would_ignore(name, spoil, tmp_path):
    found = copy.deepcopy(made(tmp_path))
    spoil(found)
    assert len(tables.pipeline_problems(found)) >= 1, name


def test_the_golden_case_is_what_spinnaker_reads():
    files = {name: json.loads(text) for name, text in golden.files("spinnaker").items()}
    assert sorted(name.split(".", 1)[1] for name in files) == [
        *["shop.ranker.canary.json"] * 2, *["shop.ranker.pipeline.json"] * 2,
    ]  # fmt: skip
    for name, document in files.items():
        wrong = (
            tables.pipeline_problems(document)
            if "pipeline" in name
            else tables.problems(tables.CANARY_CONFIG, document)
        )
        assert wrong == []
