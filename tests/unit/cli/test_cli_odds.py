"""`sluice odds` on trees that others wrote."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from generator.cli.main import cli
from tests.unit.odds.trees.trees import ERRORS, canary

KNOWN = ["--rps", "50", "--baseline", "error=1%"]


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "rollout.yaml").write_text(canary(ERRORS, 'successCondition: "result[0] < 0.02"'))
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(cli.get_command(None, "odds"), [str(one) for one in arguments])


def test_the_text_says_what_it_is_worth(tree):
    done = run(tree, *KNOWN)
    assert done.exit_code == 0
    for part in (
        "Rollout shop/cart",
        "10% 10m, 50% 10m",
        "errors / requests of the new version over 2m",
        "1 of 1 metric recognized",
    ):
        assert part in done.output


def test_json_has_the_numbers(tree):
    document = json.loads(run(tree, *KNOWN, "--format", "json").output)
    (release,) = document["releases"]
    (metric,) = release["metrics"]
    assert document["schema"] == "sluice/odds/v1"
    assert 0 < metric["false_rollback"]["low"] <= metric["false_rollback"]["high"] < 1
    assert [harm["times"] for harm in metric["harms"]] == [1.5, 2, 5]
    assert metric["measures"]["limit"] == 0.02


@pytest.mark.parametrize("baseline", ["error", "error=x", "error=0", "=5%"])
def test_a_baseline_that_is_not_one_is_refused(tree, baseline):
    assert run(tree, "--baseline", baseline).exit_code != 0


def test_a_tree_without_releases_is_refused(tmp_path):
    (tmp_path / "service.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata: {name: cart}\n")
    done = run(tmp_path)
    assert done.exit_code != 0
