"""Imports of InferenceServices: what the language can say is in the spec, and the rest is left over with a reason."""

from __future__ import annotations

import pytest
import yaml

from generator.odds.trees.values import Known
from generator.pipeline.imports.tree import Settings, import_tree
from tests.unit.pipeline.imports.trees import ISTIO

HEAD = (
    "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: iris, namespace: shop}\n"
)
MODEL = f"""{HEAD}spec:
  predictor:
    minReplicas: 2
    maxReplicas: 6
    scaleMetric: cpu
    scaleTarget: 70
    canaryTrafficPercent: 10
    serviceAccountName: reader
    timeout: 60
    model:
      modelFormat: {{name: sklearn, version: "1"}}
      protocolVersion: v2
      runtime: kserve-mlserver
      storageUri: s3://models/iris/7
      resources: {{requests: {{cpu: 500m, memory: 1Gi}}, limits: {{memory: 1Gi}}}}
      env: [{{name: LOG_LEVEL, value: info}}]
"""
CONTAINER = f"""{HEAD}spec:
  predictor:
    minReplicas: 0
    containers:
      - {{name: agent, image: registry.example.com/agent:1}}
      - name: kserve-container
        image: registry.example.com/shop/iris:3
        ports: [{{containerPort: 9000, protocol: TCP}}]
        args: [--model, /mnt]
        readinessProbe: {{httpGet: {{path: /v2/health/ready, port: 9000}}}}
        resources: {{requests: {{cpu: "1", memory: 2Gi}}}}
"""


@pytest.fixture
def imported(tmp_path):
    def of(text, *, example=True):
        (tmp_path / "tree.yaml").write_text(text)
        return import_tree(
            tmp_path, None, Settings("models", None, None, Known(), example_lock=example, build=False)
        )

    return of


def spec_of(found, name="iris"):
    return yaml.safe_load(found.files[f"specs/shop/{name}.yaml"])["spec"]


def left(found):
    return {
        ".".join(map(str, leaf.path)): leaf.mark.why
        for leaf in found.leaves
        if leaf.mark.status == "leftover"
    }


def errors(found):
    return [one for one in found.findings if one.severity == "error"]


def test_a_model_of_a_framework_becomes_a_spec_that_renders(imported):
    found = imported(MODEL)
    assert errors(found) == []
    spec = spec_of(found)
    assert (spec["model"]["ref"], spec["model"]["framework"]) == ("s3://models/iris/7", "sklearn")
    assert spec["autoscaling"] == {"min": 2, "max": 6, "cpu": "70%"}
    assert spec["resources"] == {"cpu": "500m", "memory": "1Gi"}
    assert spec["service"]["env"] == [{"name": "LOG_LEVEL", "value": "info"}]
    assert spec["rollout"]["steps"] == [{"weight": "10%", "hold": "1m"}, {"approve": "approver"}]
    (compared,) = found.compared
    assert "Rollout" in {pair.after.kind for pair in compared.pairs}
    rest = left(found)
    assert {name for name in rest if name.startswith("spec.")} == {
        "spec.predictor.serviceAccountName",
        "spec.predictor.timeout",
        "spec.predictor.model.modelFormat.version",
        "spec.predictor.model.protocolVersion",
        "spec.predictor.model.runtime",
    }
    assert all(rest.values())


def test_the_digest_of_a_file_is_never_made_up_without_a_word(imported):
    made_up = imported(MODEL)
    assert any(one.key == "model.sha256" and "made up" in one.why for one in made_up.models[0].assumed)
    found = imported(MODEL, example=False)
    assert "sha256" not in spec_of(found)["model"]
    assert [one for one in errors(found) if "needs a digest" in one.message]


def test_a_container_becomes_a_spec_that_serves_it(imported):
    found = imported(CONTAINER)
    assert errors(found) == []
    spec = spec_of(found)
    assert spec["serve"]["image"] == "registry.example.com/shop/iris:3"
    assert (spec["serve"]["port"], spec["serve"]["probes"]) == (9000, {"ready": "/v2/health/ready"})
    assert spec["replicas"] == 1
    assert spec["rollout"]["steps"] == [{"weight": "50%", "hold": "10m"}]
    rest = left(found)
    assert "starts it" in rest["spec.predictor.containers.1.args.0"]
    assert "always has a pod" in rest["spec.predictor.minReplicas"]
    assumed = {one.key for one in found.models[0].assumed}
    assert {"serve.path", "rollout.steps"} <= assumed


@pytest.mark.parametrize(("old", "ref"), [
    ("xgboost: {storageUri: 's3://models/x', resources: {requests: {cpu: 100m}}}", "s3://models/x"),
    ("model: {modelFormat: {name: huggingface}, storageUri: 'hf://acme/bert:abc1'}", "hf:acme/bert@abc1"),
    ("model: {modelFormat: {name: mlflow}, storageUri: 'oci://registry.example.com/m:1'}", "oci://registry.example.com/m:1"),
])  # fmt: skip
def test_other_forms_of_a_model(imported, old, ref):
    assert spec_of(imported(f"{HEAD}spec: {{predictor: {{{old}}}}}"))["model"]["ref"] == ref


@pytest.mark.parametrize(("predictor", "reason"), [
    ("predictor: {tensorflow: {storageUri: 's3://m'}}", "neither a container nor a model"),
    ("predictor: {model: {modelFormat: {name: sklearn}, storageUri: 'gs://m'}}", "is at gs://m"),
    ("predictor: {model: {modelFormat: {name: sklearn}, storage: {key: x}}}", "no storageUri"),
    ("predictor: {sklearn: {storageUri: 's3://m'}}, transformer: {containers: [{image: a}]}", "a transformer"),
])  # fmt: skip
def test_what_a_spec_cannot_say_is_refused_and_left_over(imported, predictor, reason):
    found = imported(f"{HEAD}spec: {{{predictor}}}")
    ((_, why),) = found.refused
    assert reason in why
    assert found.models == []
    assert {leaf.mark.status for leaf in found.leaves} == {"leftover"}


@pytest.mark.parametrize("share", [0, 100, -3, 400])
def test_a_share_that_is_no_weight_is_left_over(imported, share):
    found = imported(MODEL.replace("canaryTrafficPercent: 10", f"canaryTrafficPercent: {share}"))
    assert spec_of(found)["rollout"]["steps"] == [{"weight": "50%", "hold": "10m"}]
    assert "spec.predictor.canaryTrafficPercent" in left(found)


def test_it_takes_the_router_of_the_other_releases(imported):
    found = imported(f"{ISTIO}\n---\n{MODEL.replace('namespace: shop', 'namespace: iris-team')}")
    platform = yaml.safe_load(found.files["specs/platform.yaml"])["spec"]
    assert platform["environments"]["production"]["router"]["kind"] == "istio"
    assert found.refused == []
