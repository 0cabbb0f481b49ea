"""The controller's own code sets the weights and cohorts of what is rendered for it, where no such router runs here."""

from __future__ import annotations

import json

import pytest
import yaml

from tests import golden
from tests.oracle.client import VERSIONS, ask

pytestmark = pytest.mark.slow  # builds the oracle on first use

WEIGHTS = [0, 5, 50, 100, 0]


def rendered(case):
    """The Rollout, the other objects, and the Ingresses of a golden case."""
    items = [yaml.safe_load(text) for name, text in golden.files(case).items() if name.endswith(".yaml")]
    (rollout,) = (item for item in items if item["kind"] == "Rollout")
    return rollout, items, [item for item in items if item["kind"] == "Ingress"]


def states(version, case):
    """The Ingresses after each weight, by name; those of feedback and of git are the same before and after."""
    rollout, items, ingresses = rendered(case)
    references = {"op": "references", "rollout": rollout, "objects": items}
    weights = {"op": "weights", "rollout": rollout, "objects": ingresses, "weights": WEIGHTS}
    refused, accepted, answer = ask(version, [{"op": "rollout", "rollout": rollout}, references, weights])
    assert refused == accepted == {"errors": []}
    return answer["states"], {item["metadata"]["name"]: item for item in ingresses}


@pytest.mark.parametrize("version", VERSIONS)
def test_nginx_gets_an_ingress_with_the_weight(version):
    found, ours = states(version, "canary-nginx")
    for weight, state in zip(WEIGHTS, found, strict=True):
        canary = state.pop("ranker-ranker-canary")
        prefix = "nginx.ingress.kubernetes.io/canary"
        assert canary["metadata"]["annotations"] == {prefix: "true", f"{prefix}-weight": str(weight)}
        spec = json.dumps(ours["ranker"]["spec"]).replace("ranker-stable", "ranker-canary")
        assert canary["spec"] == json.loads(spec)
        assert {name: item["spec"] for name, item in state.items()} == {
            name: item["spec"] for name, item in ours.items()
        }


@pytest.mark.parametrize("version", VERSIONS)
def test_alb_gets_the_weights_in_the_annotation_that_argo_cd_ignores(version):
    """Weight 0 is what git has, to the letter: the controller's first write changes nothing."""
    found, ours = states(version, "canary-alb")
    action, managed = (
        "alb.ingress.kubernetes.io/actions.weights",
        "rollouts.argoproj.io/managed-alb-annotations",
    )
    for weight, state in zip(WEIGHTS, found, strict=True):
        annotations = state["ranker"]["metadata"]["annotations"]
        assert json.loads(annotations.pop(managed)) == {"ranker": [action]}
        written = annotations[action]
        groups = json.loads(written)["ForwardConfig"]["TargetGroups"]
        shares = {group["ServiceName"]: group["Weight"] for group in groups}
        assert shares == {"ranker-canary": weight, "ranker-stable": 100 - weight}
        mine = ours["ranker"]["metadata"]["annotations"]
        assert annotations == {**mine, action: written}
        assert (written == mine[action]) == (weight == 0)
        assert state["ranker"]["spec"] == ours["ranker"]["spec"]
        assert state["ranker-feedback"]["spec"] == ours["ranker-feedback"]["spec"]


@pytest.mark.parametrize("version", VERSIONS)
def test_istio_gets_weights_and_a_cohort_that_only_the_header_limits(version):
    """What `plan` says of cohorts on Istio: the controller's route has neither the path of ours nor its time limit."""
    items = [
        yaml.safe_load(text) for name, text in golden.files("canary-istio").items() if name.endswith(".yaml")
    ]
    (rollout,) = (item for item in items if item["kind"] == "Rollout")
    (ours,) = (
        item for item in items if item["kind"] == "VirtualService" and item["metadata"]["name"] == "ranker"
    )
    question = {"op": "routes", "rollout": rollout, "objects": [ours]}
    calls = ["cohort", "5", "0", "5", "end", "0"]
    (answer,) = ask(version, [{**question, "calls": calls}])
    states = [state["spec"].pop("http") for state in answer["states"]]
    shares = [{one["destination"]["host"]: one["weight"] for one in state[-1]["route"]} for state in states]
    weights = [0, 5, 0, 5, 5, 0]
    assert shares == [{"ranker-stable": 100 - weight, "ranker-canary": weight} for weight in weights]
    cohort = {
        "name": "cohort",
        "match": [{"headers": {"x-cohort": {"exact": "internal"}}}],
        "route": [{"weight": 100, "destination": {"host": "ranker-canary", "port": {"number": 80}}}],
    }
    assert [state[:-1] for state in states] == [[cohort]] * 4 + [[]] * 2
    assert all({**state[-1], "route": []} == {**ours["spec"]["http"][0], "route": []} for state in states)
    assert states[-1] == ours["spec"]["http"], "an abort leaves what git has"
    ours["spec"].pop("http")
    assert all(state["spec"] == ours["spec"] for state in answer["states"])
