"""The round trip: what Sluice rendered is imported, and renders the same releases again."""

from __future__ import annotations

import re
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


def test_a_shadow_is_left_over(again):
    left = [leaf for leaf in again.leaves if leaf.item.name == "fraud" and leaf.mark.status == "leftover"]
    assert any("setWeight" in leaf.path and leaf.value == 0 for leaf in left)
    assert {leaf.item.kind for leaf in left} >= {"Rollout", "HTTPRoute"}


def test_namespaces_that_sluice_made_stay_its_own(again):
    platform = yaml.safe_load(again.files["specs/platform.yaml"])["spec"]
    assert "namespaces" not in platform
    assert platform["registry"] == "registry.example.com/models"
    assert sorted(platform["tiers"]) == ["high-traffic", "regulated", "standard"]
