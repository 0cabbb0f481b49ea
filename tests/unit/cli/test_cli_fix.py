"""`validate --fix` over mutated specs: it repairs where the finding is, loosens nothing, and ends."""

from __future__ import annotations

import io
import itertools
import json
import sys
from pathlib import Path

import pytest
import yaml

from generator.cli.main import cli
from generator.spec.types import seconds
from tests.system.repositories import examples

SPEC = "specs/shop/recommender.yaml"
MUTATIONS = [
    {"minRps": rps, "hold": hold, "weight": weight}
    for rps, hold, weight in itertools.product((2, 40, 300), ("1m", "20m", "6h"), ("1%", "5%", "40%"))
]
STAGING = [{"minRps": 1}, {"minRps": 30}, {"minRps": 100_000}]


def mutated(root: Path, *, minRps: float, hold: str, weight: str) -> Path:  # noqa: N803 - keys of the spec
    path = root / SPEC
    data = yaml.safe_load(path.read_text())
    data["spec"]["traffic"]["minRps"] = minRps
    step = next(step for step in data["spec"]["rollout"]["steps"] if "weight" in step)
    step["hold"], step["weight"] = hold, weight
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    return root


@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_a_fix_loosens_nothing_and_ends(mutation, tmp_path):
    root = mutated(examples(tmp_path), **mutation)
    before, found = spec(root), findings(root)
    run(root, "validate", "shop/recommender", "--fix")
    after, left = spec(root), findings(root)
    assert {key: value for key, value in after["spec"].items() if key != "rollout"} == {
        key: value for key, value in before["spec"].items() if key != "rollout"
    }
    rollouts = [part["spec"]["rollout"] for part in (before, after)]
    assert rollouts[0].get("guards") == rollouts[1].get("guards")
    for old, new in zip(rollouts[0]["steps"], rollouts[1]["steps"], strict=True):
        assert old.keys() == new.keys()
        if "hold" in old:
            assert seconds(new["hold"]) >= seconds(old["hold"])
        if "weight" in old:
            assert float(new["weight"].rstrip("%")) <= float(old["weight"].rstrip("%"))
    assert left <= found  # as places, not as texts
    run(root, "validate", "shop/recommender", "--fix")
    assert spec(root) == after


@pytest.mark.parametrize("traffic", STAGING, ids=str)
def test_a_finding_of_one_environment_does_not_change_another(traffic, tmp_path):
    root = examples(tmp_path)
    path = root / SPEC
    data = yaml.safe_load(path.read_text())
    data["spec"].setdefault("environments", {})["staging"] = {"traffic": traffic}
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    run(root, "validate", "--fix")
    assert {key: value for key, value in spec(root)["spec"].items() if key != "environments"} == {
        key: value for key, value in data["spec"].items() if key != "environments"
    }


def test_an_absolute_limit_stays_absolute_and_gates_keep_their_evidence(tmp_path):
    """CAN103 and GATE310 show an edit; only a person can decide whether it is the same protection."""
    root = examples(tmp_path)
    path = root / SPEC
    data = yaml.safe_load(path.read_text())
    data["spec"]["rollout"]["guards"].append(
        {"metric": "error-rate", "baseline": "0.5%", "limit": "0.6%", "name": "ceiling"}
    )
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    run(root, "validate", "shop/recommender", "--fix")
    assert spec(root)["spec"]["rollout"]["guards"] == data["spec"]["rollout"]["guards"]


def spec(root: Path) -> dict:
    return yaml.safe_load((root / SPEC).read_text())


def findings(root: Path) -> set[tuple[str, str]]:
    """Code and path of each error and warning."""
    report = json.loads(run(root, "validate", "shop/recommender", "--format", "json"))
    return {(found["code"], found["path"]) for found in report["findings"] if found["severity"] != "info"}


def run(root: Path, *command: str) -> str:
    stream = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr(sys, "stdout", stream)
        patch.setattr(sys, "stderr", io.StringIO())
        with pytest.raises(SystemExit) as ended:
            cli.main(list(command))
    assert ended.value.code in {0, 1}
    return stream.getvalue()
