"""`sluice new`: a spec that is valid as it is written."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from itertools import product
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from generator.cli.main import cli
from generator.report.schemas import schema_text
from generator.source.reader import read
from generator.spec.frameworks import FRAMEWORKS

TEAMS = {"standard": "shop", "high-traffic": "shop", "regulated": "risk"}


def errors(sluice, model: str) -> list[str]:
    """Errors in the spec itself; the team's quota is for all its models, and no spec can give the pushed image."""
    findings = json.loads(sluice("validate", model, "--format", "json").stdout)["findings"]
    own = [
        f for f in findings if f["severity"] == "error" and f["place"]["file"].startswith(f"specs/{model}.")
    ]
    return [f["message"] for f in own if "digest" not in f["message"]]


SWITCHES = {"standard"}
CHOICES = [
    pair for pair in product(TEAMS, ("canary", "blue-green")) if pair[1] == "canary" or pair[0] in SWITCHES
]


@pytest.mark.parametrize(("tier", "strategy"), CHOICES)
def test_a_new_spec_is_valid_in_every_tier_and_strategy(repository, sluice, tier, strategy):
    name = f"{TEAMS[tier]}/fresh"
    flags = ("--tier", tier, "--strategy", strategy, "--ref", "mlflow:fresh@champion", "--example-lock")
    done = sluice("new", name, *flags)
    assert done.exit_code == 0, done.stderr
    # What is still to do is also among the next steps; the other tiers' first specs have no gates.
    missing = {
        "sluice gates run": "no evidence yet for `parity`, `drift`",
        "sluice pin --packages": "the tier `regulated` requires the packages of the service by hash",
    }
    assert errors(sluice, name) == (list(missing.values()) if tier == "regulated" else [])
    assert {f"{step} {name}" in done.stdout for step in missing} == {tier == "regulated"}
    spec = repository / "specs" / f"{name}.yaml"
    jsonschema.Draft202012Validator(json.loads(schema_text("model"))).validate(read(spec).data)
    assert len(spec.read_text().splitlines()) <= 30
    plan = sluice("plan", name, "--format", "json")
    assert plan.exit_code == 0, plan.stderr
    assert {p["release"]["strategy"] for p in json.loads(plan.stdout)["plans"]} == {strategy}


@pytest.mark.parametrize("tier", sorted(TEAMS.keys() - SWITCHES))
def test_a_switch_is_refused_where_the_tier_allows_only_a_part_of_the_users(repository, sluice, tier):
    name = f"{TEAMS[tier]}/fresh"
    done = sluice("new", name, "--tier", tier, "--strategy", "blue-green", "--yes")
    assert done.exit_code == 2
    assert f"the tier `{tier}` allows" in done.stderr
    assert not (repository / "specs" / f"{name}.yaml").exists()


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_framework(repository, sluice, framework):
    assert sluice("new", "shop/fresh", "--yes", "--framework", framework, "--example-lock").exit_code == 0
    assert errors(sluice, "shop/fresh") == []


def test_without_a_lock_validate_asks_for_it(repository, sluice):
    done = sluice("new", "shop/fresh", "--yes")
    assert "sluice plan shop/fresh" in done.stdout
    assert "LOCK201" in sluice("validate", "shop/fresh").stdout


def test_models_by_address_bring_their_digest(repository, sluice):
    flags = ("shop/fresh", "--ref", "s3://models/fresh.onnx", "--framework", "onnx")
    refused = sluice("new", *flags)
    assert refused.exit_code == 2
    assert "--sha256" in refused.stderr
    assert sluice("new", *flags, "--sha256", "short").exit_code == 2
    assert sluice("new", *flags, "--sha256", "a" * 64).exit_code == 0
    assert read(repository / "specs/shop/fresh.yaml").data["spec"]["model"]["sha256"] == "a" * 64


def test_the_first_line_names_the_schema_for_editors(repository, sluice):
    sluice("new", "shop/fresh", "--yes")
    first = (repository / "specs/shop/fresh.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../docs/schema/model.json"


def test_nothing_is_overwritten(repository, sluice):
    before = (repository / "specs/shop/recommender.yaml").read_bytes()
    done = sluice("new", "shop/recommender", "--yes")
    assert done.exit_code == 2
    assert "already exists" in done.stderr
    assert (repository / "specs/shop/recommender.yaml").read_bytes() == before


def test_a_lock_that_is_there_keeps_the_spec_from_being_written(repository, sluice):
    (repository / "specs/shop/fresh.lock.yaml").write_text("mine")
    assert sluice("new", "shop/fresh", "--yes", "--example-lock").exit_code == 2
    assert not (repository / "specs/shop/fresh.yaml").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fresh", "--yes"], "write TEAM/MODEL: `sluice new shop/fresh` (teams: shop, support, risk)"),
        (["Fresh_v2", "--yes"], "`sluice new shop/fresh-v2`"),
        (["shop/Fresh", "--yes"], "did you mean `shop/fresh`?"),
        (["Shop/Fresh Model", "--yes"], "did you mean `shop/fresh-model`?"),
        (["shop/a/b", "--yes"], "did you mean `shop/a-b`?"),
        (["../x", "--yes"], "is not TEAM/MODEL"),
        (["shop/x\n", "--yes"], "did you mean `shop/x`?"),
        (["shpo/fresh", "--yes"], "did you mean `shop/fresh`?"),
        (["data/fresh", "--yes"], "teams: shop, support, risk"),
        (["shop/fresh", "--yes", "--tier", "regulated"], "its tiers: high-traffic, standard"),
        (["shop/fresh", "--yes", "--tier", "hihg-traffic"], "did you mean `high-traffic`?"),
        (["shop"], "`shop` is a team; write TEAM/MODEL, for example `sluice new shop/churn`"),
        (["specs/shop/Fresh.yaml", "--yes"], "did you mean `shop/fresh`?"),
        (["shop", "fresh"], "Got unexpected extra argument (fresh); write `sluice new shop/fresh`"),
        ([], "Missing argument 'TEAM/MODEL'; for example `sluice new shop/churn`"),
        (["shop/fresh", "--framework", "scikit-learn"], "Did you mean 'sklearn'?"),
        (["shop/fresh", "--strategy", "bluegreen"], "Did you mean 'blue-green'?"),
        (["shop/fresh"], "--ref"),
        (["shop/fresh", "--ref", "nowhere"], "a reference to a model starts with bentoml:"),
        (["shop/fresh", "--ref", "models:/fresh/3"], 'write `"mlflow:fresh/3"`'),
        (["shop/fresh", "--ref", "./fresh.joblib"], "a file on this machine can't be referenced"),
        (["shop/fresh", "--ref", "bentoml:fresh"], "for example `bentoml:fresh:1`"),
        (
            ["shop/recommender", "--yes"],
            "already exists; edit it, or write only a lock: `sluice new shop/recommender --ex",
        ),
    ],
)
def test_wrong_usage_is_refused(repository, sluice, arguments, said):
    before = sorted(Path(repository).rglob("*"))
    done = sluice("new", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert sorted(Path(repository).rglob("*")) == before


def test_a_broken_platform_is_named(repository, sluice):
    (repository / "specs/platform.yaml").write_text("[]")
    done = sluice("new", "shop/fresh", "--yes")
    assert done.exit_code == 2
    assert "specs/platform.yaml" in done.stderr


def test_questions_are_asked_on_a_terminal(repository, monkeypatch):
    runner = CliRunner()
    monkeypatch.setattr("generator.cli.new.is_terminal", lambda _: True)
    done = runner.invoke(cli, ["new", "shop/fresh"], input="standard\nmlflow:fresh/3\nxgboost\nblue-green\n")
    assert done.exit_code == 0, done.output
    spec = read(repository / "specs/shop/fresh.yaml").data["spec"]
    assert (spec["tier"], spec["model"]["framework"]) == ("standard", "xgboost")
    assert (spec["model"]["ref"], spec["rollout"]["strategy"]) == ("mlflow:fresh/3", "blue-green")


def test_a_wrong_answer_is_asked_again(repository, monkeypatch):
    monkeypatch.setattr("generator.cli.new.is_terminal", lambda _: True)
    answers = [
        "gold",
        "standard",
        "./fresh.pkl",
        "bentoml:fresh",
        "s3://models/fresh.onnx",
        "short",
        "A" * 64,
    ]
    done = CliRunner().invoke(cli, ["new", "shop/fresh"], input="\n".join([*answers, "onnx", "canary", ""]))
    assert done.exit_code == 0, done.output
    assert "can't be referenced" in done.output
    assert "has no version" in done.output
    assert "64 hexadecimal digits" in done.output
    spec = read(repository / "specs/shop/fresh.yaml").data["spec"]
    assert spec["model"] == {"ref": "s3://models/fresh.onnx", "framework": "onnx", "sha256": "a" * 64}


def test_an_existing_file_is_found_before_any_question(repository, monkeypatch):
    monkeypatch.setattr("generator.cli.new.is_terminal", lambda _: True)
    done = CliRunner().invoke(cli, ["new", "shop/recommender"], input="")
    assert done.exit_code == 2
    assert "Tier" not in done.output


def steps_of(output: str) -> list[list[str]]:
    """The commands that an output prints as next steps, as a shell would read them."""
    lines = output.partition("next:\n")[2].splitlines()
    return [shlex.split(line, comments=True)[1:] for line in lines]


@pytest.mark.parametrize("flags", [(), ("--example-lock",), ("--strategy", "blue-green")])
def test_every_printed_step_works_as_printed(tmp_path, monkeypatch, sluice, flags):
    monkeypatch.chdir(tmp_path)
    assert sluice("init", "demo").exit_code == 0
    monkeypatch.chdir(tmp_path / "demo")
    done = sluice("new", "shop/churn", "--yes", *flags)
    assert done.exit_code == 0, done.stderr
    steps = steps_of(done.stdout)
    assert [step[0] for step in steps] == ["new", "validate", "plan", "render"][
        bool(flags[:1] == ("--example-lock",)) :
    ]
    for step in steps:
        ran = sluice(*step)
        assert ran.exit_code == 0, (step, ran.stdout, ran.stderr)
        for further in steps_of(ran.stdout):
            assert sluice(*further).exit_code == 0, further


def test_an_example_lock_for_a_spec_that_exists(repository, sluice):
    lock = repository / "specs/risk/fraud.lock.yaml"
    before = read(lock).data
    lock.unlink()
    done = sluice("new", "risk/fraud", "--example-lock")
    assert done.exit_code == 0, done.stderr
    after = read(lock).data
    assert after["model"]["ref"] == before["model"]["ref"]
    assert set(after["data"]) == set(before["data"])
    assert sluice("new", "risk/fraud", "--example-lock").exit_code == 2


def test_a_spec_without_a_reference_gets_no_lock(repository, sluice):
    (repository / "specs/shop/empty.yaml").write_text("spec: {}\n")
    done = sluice("new", "shop/empty", "--example-lock")
    assert done.exit_code == 2
    assert "has no `model.ref`" in done.stderr


def test_yes_asks_nothing(repository, monkeypatch):
    monkeypatch.setattr("generator.cli.new.is_terminal", lambda _: True)
    done = CliRunner().invoke(cli, ["new", "shop/fresh", "--yes"], input="")
    assert done.exit_code == 0
    assert read(repository / "specs/shop/fresh.yaml").data["spec"]["model"]["ref"] == "bentoml:fresh:1"


def test_a_platform_team_may_have_its_own_first_spec(repository, sluice):
    (repository / "templates" / "new").mkdir(parents=True)
    (repository / "templates" / "new" / "spec.yaml.j2").write_text("ours: {{ model }}\n")
    sluice("new", "shop/fresh", "--yes")
    assert (repository / "specs/shop/fresh.yaml").read_text() == "ours: fresh\n"


def test_a_custom_model_gets_a_class_and_its_test(repository, sluice):
    done = sluice("new", "shop/fresh-rank", "--yes", "--custom", "--example-lock")
    assert done.exit_code == 0, done.output
    assert errors(sluice, "shop/fresh-rank") == []
    spec = read(repository / "specs/shop/fresh-rank.yaml", repository).data["spec"]["model"]
    assert (spec["framework"], spec["load"]) == ("custom", "fresh_rank:Model")
    folder = repository / "models/shop/fresh-rank"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, str(folder)]
    tested = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "3 passed" in tested.stdout


def test_a_class_is_for_custom_models_only(repository, sluice):
    done = sluice("new", "shop/fresh", "--yes", "--custom", "--framework", "onnx")
    assert (done.exit_code, "not for onnx" in done.stderr) == (2, True)
    assert not (repository / "models").exists()


def test_a_bento_of_the_team_has_routes(repository, sluice):
    assert sluice("new", "shop/fresh", "--yes", "--framework", "bento").exit_code == 0
    source = read(repository / "specs/shop/fresh.yaml", repository).data["spec"]["model"]
    assert source == {
        "ref": "dvc:fresh.bento",
        "framework": "bento",
        "load": "fresh:Model",
        "endpoints": ["/predict"],
    }
