"""A bento that a team has built: its routes get the traffic, and guards read all of them or one."""

from __future__ import annotations

import re

import pytest
import yaml

from generator.render.bundle import render_bundle
from generator.render.environment import Templates
from tests.system.repositories import LOCK, MODEL, codes, resolve_one, small
from tests.unit.plan.test_plan_resolve import locked

REF = "dvc:ranker.bento"
OWN = f'ref: "{REF}", framework: bento, load: "service:Ranker", endpoints: [/rank, /v1.0/similar]'
GUARDS = """    guards:
      - {metric: error-rate, baseline: 0.5%, detect: {rise: 100%}}
      - {metric: slow-rate, endpoint: /v1.0/similar, slowerThan: 250ms, baseline: 2%, detect: {rise: 50%}}
    steps:"""


def written(source: str) -> str:
    """The spec of a model from another source."""
    text = MODEL.replace('ref: "mlflow:ranker/3", framework: sklearn', source)
    assert text != MODEL
    return text


def test_its_routes_get_the_traffic_and_guards_read_all_of_them_or_one(tmp_path):
    spec = written(OWN).replace("    steps:", GUARDS)
    resolved = resolve_one(small(tmp_path, spec, lock=locked(REF)))
    assert codes(resolved) == []
    plan = resolved.plans[0].plan
    files = render_bundle(plan, Templates(None), {})
    rules = yaml.safe_load(files["httproute-main.yaml"])["spec"]["rules"]
    assert [rule["matches"][0]["path"]["value"] for rule in rules] == ["/rank", "/v1.0/similar"]
    metrics = yaml.safe_load(files["analysistemplate-guards.yaml"])["spec"]["metrics"]
    routes = {
        metric["name"]: set(re.findall(r"endpoint(=~?\"[^\"]*\")", metric["provider"]["prometheus"]["query"]))
        for metric in metrics
    }
    assert routes["error-rate"] == {'=~"/rank|/v1\\\\.0/similar"'}
    assert routes["slow-rate-v1-0-similar"] == {'="/v1.0/similar"'}


@pytest.mark.parametrize(
    ("source", "ref", "message"),
    [
        (OWN.replace(", endpoints: [/rank, /v1.0/similar]", ""), REF, "the routes of the bento"),
        (OWN.replace(REF, "bentoml:ranker:3"), "bentoml:ranker:3", "a bento is released from its export"),
        (
            'ref: "mlflow:ranker/3", framework: custom, load: "calls:Model"',
            "",
            "`calls` is the name of a module",
        ),
        ('ref: "mlflow:ranker/3", framework: onnx, load: "calls:Model"', "", "`load` is for the frameworks"),
    ],
)
def test_what_a_source_lacks_is_a_finding(source, ref, message, tmp_path):
    resolved = resolve_one(small(tmp_path, written(source), lock=locked(ref) if ref else LOCK))
    found = [finding for finding in resolved.findings if finding.code == "REF207"]
    assert [finding.message for finding in found if finding.message.startswith(message)]
