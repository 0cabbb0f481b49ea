"""The round trip: what Sluice rendered is imported, and renders the same releases again."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml

from generator.odds.trees.values import Known
from generator.pipeline.imports.tree import Settings, import_tree

ROOT = Path(__file__).resolve().parents[4]
KNOWN = Known(200.0, {"ctr": 0.04, "error-rate": 0.005, "slow-rate": 0.02})
# What no manifest has: the delay of an outcome, and the columns of the model, which are part of the release key.
UNKNOWN = re.compile(
    r"metadata\.annotations\.sluice\.dev/(bundle|release-key)"
    r"|spec\.template\.metadata\.annotations\.sluice\.dev/release-key"
    r"|spec\.metrics\[ctr\]\.provider\.prometheus\.query"
    r"|spec\.metrics\[smoke\]\.provider\.job\.spec\.template\.spec\.containers\[smoke\]\.args\[3\]"
)


@pytest.fixture(scope="module")
def again():
    return import_tree(
        ROOT / "rendered", None, Settings("models", None, None, KNOWN, example_lock=True, build=False)
    )


def written(path):
    return yaml.safe_load((ROOT / "specs" / path).read_text())["spec"]


def test_all_examples_are_imported_in_both_environments(again):
    assert not again.refused
    assert not [one for one in again.findings if one.severity == "error"]
    assert sorted((one.team, one.model, one.environment) for one in again.compared) == [
        (team, model, environment)
        for team, model in (("risk", "fraud"), ("shop", "recommender"), ("support", "ticket-classifier"))
        for environment in ("production", "staging")
    ]


@pytest.mark.parametrize("model", ["recommender", "ticket-classifier"])
def test_the_same_release_is_rendered(again, model):
    for compared in (one for one in again.compared if one.model == model):
        assert [pair.after.name for pair in compared.pairs if pair.before is None] == []
        changed = [(str(pair.after), one.path) for pair in compared.pairs for one in pair.fields]
        assert [one for one in changed if not UNKNOWN.fullmatch(one[1])] == []


def test_what_is_measured_and_required_is_read_back(again):
    spec = yaml.safe_load(again.files["specs/shop/recommender.yaml"])["spec"]
    own = written("shop/recommender.yaml")
    assert spec["rollout"]["steps"] == [
        {**step, "hold": step["hold"].replace("60m", "1h")} for step in own["rollout"]["steps"]
    ]
    assert sorted(map(str, spec["rollout"]["guards"])) == sorted(map(str, own["rollout"]["guards"]))
    assert spec["rollout"]["risk"] == {"falseRollback": "5%"}
    assert [gate["name"] for gate in spec["gates"]] == [gate["name"] for gate in own["gates"]]
    assert spec["model"] == own["model"]
    lock = yaml.safe_load(again.files["specs/shop/recommender.lock.yaml"])["model"]
    assert (
        lock["digest"]
        == yaml.safe_load((ROOT / "specs/shop/recommender.lock.yaml").read_text())["model"]["digest"]
    )


# A suite of expectations is a file next to the spec, and its digest is in the gate key and the name of the Workflow.
SUITE = re.compile(
    r"(spec\.template\.)?metadata\.annotations\.sluice\.dev/gate-key"
    r"|spec\.template\.metadata\.annotations\.sluice\.dev/release-key"
)


@pytest.fixture(scope="module")
def fraud(tmp_path_factory):
    tree = tmp_path_factory.mktemp("tree")
    for name in ("argocd", "platform", "risk"):
        shutil.copytree(ROOT / "rendered/production" / name, tree / "production" / name)
    known = Known(120.0, {"error-rate": 0.005})
    return import_tree(tree, None, Settings("models", None, None, known, example_lock=True, build=False))


def test_a_shadow_its_guards_and_its_waiver_are_read_back(fraud):
    assert [one for one in fraud.findings if one.severity == "error"] == []
    spec = yaml.safe_load(fraud.files["specs/risk/fraud.yaml"])["spec"]
    own = written("risk/fraud.yaml")["rollout"]["shadow"]
    assert spec["rollout"]["shadow"] == {**own, "hold": "1d"}
    assert spec["rollout"]["noData"] == "fail"
    attributes = yaml.safe_load((ROOT / "specs/platform.yaml").read_text())["spec"]["attributes"]
    assert spec["service"]["attributes"] == attributes
    (waiver,) = yaml.safe_load(fraud.files["specs/platform.yaml"])["spec"]["waivers"]
    (own,) = yaml.safe_load((ROOT / "specs/platform.yaml").read_text())["spec"]["waivers"]
    kept = ("model", "gate", "kind", "reason", "approvedBy", "until")
    assert [waiver[key] for key in kept] == [str(own[key]) for key in kept]
    lock = yaml.safe_load(fraud.files["specs/risk/fraud.lock.yaml"])
    own_lock = yaml.safe_load((ROOT / "specs/risk/fraud.lock.yaml").read_text())
    assert lock["model"]["digest"] == own_lock["model"]["digest"] == waiver["digest"]
    assert {ref: one["digest"] for ref, one in lock["data"].items()} == {
        ref: one["digest"] for ref, one in own_lock["data"].items()
    }


def test_the_same_release_with_a_shadow_is_rendered(fraud):
    (compared,) = fraud.compared
    new = [pair.after for pair in compared.pairs if pair.before is None]
    assert [one.kind for one in new] == ["Workflow"]
    changed = [(str(pair.after), one.path) for pair in compared.pairs if pair.before for one in pair.fields]
    assert [one for one in changed if not (UNKNOWN.fullmatch(one[1]) or SUITE.fullmatch(one[1]))] == []
    assert (
        "Deployment risk-production/fraud-shadow",
        "spec.template.metadata.annotations.sluice.dev/gate-key",
    ) in changed


def test_a_tree_without_made_up_locks_has_the_model_and_no_data(tmp_path):
    for name in ("platform", "risk"):
        shutil.copytree(ROOT / "rendered/production" / name, tmp_path / "production" / name)
    found = import_tree(
        tmp_path, None, Settings("models", None, None, Known(), example_lock=False, build=False)
    )
    lock = yaml.safe_load(found.files["specs/risk/fraud.lock.yaml"])
    assert sorted(lock) == ["model", "schema"]


def test_namespaces_that_sluice_made_stay_its_own(again):
    platform = yaml.safe_load(again.files["specs/platform.yaml"])["spec"]
    assert "namespaces" not in platform
    assert platform["registry"] == "registry.example.com/models"
    assert sorted(platform["tiers"]) == ["high-traffic", "regulated", "standard"]


LOOKALIKES = [
    ("workflow-gates", r'\\"atMost\\": 0.1', r'\\"atMost\\": 1' + "0" * 400),
    ("workflow-gates", r'\\"atMost\\": 0.1', r'\\"atMost\\": NaN'),
    ("workflow-gates", r'\\"name\\": \\"parity\\"', r'\\"name\\": [1]'),
    ("workflow-gates", r'\\"tool\\": \\"fairlearn\\"', r'\\"tool\\": \\"\\ud800\\"'),
    ("workflow-gates", r'\\"framework\\": \\"xgboost\\"', r'\\"framework\\": [1]'),
    ("workflow-gates", r'\\"ref\\": \\"mlflow', r'\\"rev\\": \\"mlflow'),
    ("workflow-gates", r'"{\\"framework\\"', '"' + "[" * 3000 + r'{\\"framework\\"'),
    ("analysistemplate-guards", r'le="[0-9.]+"', 'le="slow"'),
    ("analysistemplate-guards", r'le="[0-9.]+"', 'le="-1"'),
    ("analysistemplate-guards", r'le="[0-9.]+"', 'le="9e99"'),
    ("analysistemplate-guards", r"result\[0\] >= [0-9.]+", "result[0] >= 1.2.3"),
    ("analysistemplate-guards", r"result\[0\] >= [0-9.]+", "result[0] >= 99999"),
    ("analysistemplate-guards", r"\) \* (\(?)-?[0-9.]+\n", r") * \g<1>1.2.3\n"),
    ("analysistemplate-guards", r"\) \* (\(?)-?[0-9.]+\n", r") * \g<1>99999\n"),
]


@pytest.mark.parametrize("number", range(len(LOOKALIKES)))
def test_what_only_looks_like_a_bundle_of_sluice_is_imported_as_any_other(tmp_path, number):
    """The values of a tree are not trusted because of their names, and stop nothing."""
    file, old, new = LOOKALIKES[number]
    team = "risk/fraud" if file == "workflow-gates" else "shop/recommender"
    shutil.copytree(ROOT / "rendered/production" / team, tmp_path / team)
    path = tmp_path / team / f"{file}.yaml"
    text = path.read_text()
    path.write_text(re.sub(old, new, text))
    assert path.read_text() != text
    found = import_tree(tmp_path, None, Settings("models", None, None, KNOWN, example_lock=True, build=False))
    assert [name for name in found.files if name.startswith("specs/")] or found.refused
