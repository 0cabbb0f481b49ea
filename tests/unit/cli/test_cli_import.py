"""`sluice import`: what it prints, what it writes, and when it refuses."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from generator.cli.main import cli
from generator.report.schemas import SCHEMAS
from tests.unit.pipeline.imports.trees import GATEWAY, SWITCH


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/tickets.yaml").write_text(SWITCH)
    return tmp_path / "tree"


def run(*arguments):
    return CliRunner().invoke(cli.get_command(None, "import"), [str(one) for one in arguments])


def written(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_it_writes_specs_and_leftovers_and_then_refuses_to_overwrite_them(tree, tmp_path):
    done = run(tree, "--to", tmp_path / "out/specs", "--example-lock")
    assert done.exit_code == 0, done.output
    assert written(tmp_path / "out") == [
        "leftovers/tree/tickets.yaml",
        "specs/platform.yaml",
        "specs/shop/tickets.lock.yaml",
        "specs/shop/tickets.yaml",
    ]
    assert "values of 3 objects" in done.output
    before = (tmp_path / "out/specs/shop/tickets.yaml").read_text()
    again = run(tree, "--to", tmp_path / "out")
    assert again.exit_code != 0
    assert "exists" in str(again.exception)
    assert (tmp_path / "out/specs/shop/tickets.yaml").read_text() == before


def test_a_diff_writes_nothing(tree, tmp_path):
    done = run(tree, "--to", tmp_path / "out", "--diff")
    assert "+kind: Model" in done.output
    assert not (tmp_path / "out").exists()


def test_an_existing_platform_stays_and_its_team_gets_the_spec(tree, tmp_path):
    assert run(tree, "--to", tmp_path / "out", "--example-lock").exit_code == 0
    platform = (tmp_path / "out/specs/platform.yaml").read_text()
    (tmp_path / "claims.yaml").write_text(SWITCH.replace("tickets", "claims"))
    done = run(tmp_path / "claims.yaml", "--to", tmp_path / "out", "--example-lock", "--format", "json")
    assert json.loads(done.output)["files"] == [
        "leftovers/claims.yaml",
        "specs/shop/claims.lock.yaml",
        "specs/shop/claims.yaml",
    ]
    assert (tmp_path / "out/specs/platform.yaml").read_text() == platform


def test_json_has_every_value_and_the_odds_of_both(tmp_path):
    (tmp_path / "cart.yaml").write_text(GATEWAY)
    done = run(tmp_path / "cart.yaml", "--to", tmp_path / "out", "--diff", "--format", "json", "--rps", "50")
    document = json.loads(done.output)
    assert list(Draft202012Validator(SCHEMAS["import"]()).iter_errors(document)) == []
    assert {one["of"] for one in document["odds"]} == {"tree", "plan"}
    assert {one["status"] for one in document["values"]} == {"imported", "leftover"}
    assert "hunter2" not in done.output
    (weight,) = [
        one for one in document["values"] if one["path"] == "spec.strategy.canary.steps[0].setWeight"
    ]
    assert weight["key"] == "rollout.steps[0]"


def test_a_file_with_a_secret_is_named_and_not_copied(tmp_path):
    (tmp_path / "cart.yaml").write_text(GATEWAY)
    done = run(tmp_path / "cart.yaml", "--to", tmp_path / "out", "--diff")
    assert "because it has a Secret: cart.yaml" in done.output


def test_a_tree_without_a_release_is_refused(tmp_path):
    (tmp_path / "service.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata: {name: cart}\n")
    done = run(tmp_path, "--to", tmp_path / "out")
    assert "no Rollout" in str(done.exception)


def test_a_release_that_is_refused_gives_exit_code_1(tree, tmp_path):
    (tree / "tickets.yaml").write_text(SWITCH.replace("containerPort: 8080", "containerPort: 80"))
    assert run(tree, "--to", tmp_path / "out", "--diff").exit_code == 1


@pytest.mark.parametrize("fmt", ["text", "json"])
def test_names_of_others_are_never_printed_raw(fmt, tree, tmp_path):
    bad = SWITCH.replace("name: tickets,", 'name: "a\\u202eb\\x1b[31m\\n::error::PWN",').replace(
        "app: tickets", 'app: "x\\u202e"'
    )
    (tree / "tickets.yaml").write_text(bad)
    done = run(tree, "--to", tmp_path / "out", "--diff", "--full", "--format", fmt)
    assert "not imported" in done.output or fmt == "json"
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", done.output)
    assert not re.search(r"^\s*::", done.output, re.MULTILINE)


def test_a_tree_of_which_nothing_is_imported_has_no_next_step(tmp_path):
    (tmp_path / "tree.yaml").write_text(
        "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {name: cart, namespace: shop}\n"
        "spec: {targetRef: {kind: Deployment, name: cart}, analysis: {interval: 1m, stepWeight: 10}}\n"
    )
    done = run(tmp_path / "tree.yaml", "--to", tmp_path / "out")
    assert done.exit_code == 1
    assert "wrote no spec, and 1 in leftovers/" in done.output
    assert "next:" not in done.output
    assert "first sync" not in done.output
