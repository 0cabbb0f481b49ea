"""What a newcomer meets first: a repository without models, a file in the wrong place, a command that has no work."""

from __future__ import annotations

import shutil

import pytest

from tests.unit.cli.edits import change

LISTS = (("plan", "--all"), ("status",), ("validate",), ("pin",))


@pytest.mark.parametrize("arguments", LISTS, ids=" ".join)
def test_a_repository_without_models_is_no_silence(repository, sluice, arguments):
    for folder in (repository / "specs").iterdir():
        if folder.is_dir():
            shutil.rmtree(folder)
    assert "`sluice new TEAM/MODEL` writes the first spec" in sluice(*arguments).stderr


@pytest.mark.parametrize("arguments", LISTS[:3], ids=" ".join)
def test_nothing_is_said_about_a_repository_with_models(repository, sluice, arguments):
    assert "sluice new" not in sluice(*arguments).output


@pytest.mark.parametrize("arguments", LISTS[:2], ids=" ".join)
def test_a_list_of_all_models_names_the_files_that_it_lacks(repository, sluice, arguments):
    (repository / "specs/shop/old").mkdir()
    shutil.copy(repository / "specs/shop/recommender.yaml", repository / "specs/shop/old/ranker.yaml")
    assert "specs/shop/old/ranker.yaml: this file is not read" in sluice(*arguments).stderr


def test_a_status_without_the_cluster_says_so(repository, sluice):
    assert "--cluster" in sluice("status").stderr
    assert "--cluster" not in sluice("status", "--format", "json").stderr


def test_a_simulation_names_the_guards_that_need_a_baseline(repository, sluice):
    guarded = "approve: manual, guards: [{metric: error-rate, limit: 5%}]"
    change(repository, "support/ticket-classifier.yaml", "approve: manual", guarded)
    change(repository, "support/ticket-classifier.yaml", "  rollout:", "  traffic: {minRps: 5}\n  rollout:")
    done = sluice("replay", "support/ticket-classifier", "--simulate", "drop=10%")
    assert done.stderr == "Error: no guard can be simulated: declare the `baseline` of error-rate\n"


def test_a_picture_is_written_like_every_other_file(repository, sluice):
    done = sluice(
        "replay", "shop/recommender", "--simulate", "drop=10%", "--format", "svg", "--output", "release.svg"
    )
    assert (done.exit_code, done.stderr) == (0, "wrote release.svg\n")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("gates", "rnu"), "no such command: `rnu`; did you mean `run`?"),
        (("ci", "help"), "no such command: `help`; did you mean `--help`?"),
        (("ci", "lint"), "ci --help` lists all commands"),
        (("statsu",), "no such command: `statsu`; did you mean `status`?"),
    ],
)
def test_an_unknown_command_gets_a_hint_in_every_group(sluice, arguments, hint):
    done = sluice(*arguments)
    assert (done.exit_code, hint in done.stderr) == (2, True)


@pytest.mark.parametrize("group", ["gates", "ci"])
def test_the_list_of_subcommands_is_not_cut_off_on_80_columns(sluice, group):
    assert "..." not in sluice(group, "--help", env={"COLUMNS": "80"}).stdout.partition("Commands:")[2]


def test_a_gate_that_almost_never_errs_is_not_shown_as_0_1_percent(repository, sluice):
    text = " ".join(sluice("plan", "support/ticket-classifier", "--full").stdout.split())
    assert "a model 2 points worse than the limit passes in under 0.1% of all runs" in text


def test_an_audit_of_a_day_without_models_names_the_day(committed, sluice):
    day = sluice("audit", "--at", "2001-02-03").stderr
    moment = sluice("audit", "--at", "2001-02-03T04:05:00+00:00").stderr
    assert "Error: no model was in git on 2001-02-03\n" in day
    assert "Error: no model was in git at 2001-02-03 04:05 UTC\n" in moment


def test_the_time_after_an_approval_is_on_one_line(repository, sluice):
    text = sluice("plan", "risk/fraud", "--full", "--env", "production", env={"COLUMNS": "80"}).stdout
    assert " + 0s " in text.replace("\n", "  ")
    assert not [line for line in text.splitlines() if line.rstrip().endswith("approval by model-risk +")]


def test_a_release_that_compares_nothing_has_no_odds_instead_of_unknown_ones(repository, sluice):
    rows = {line.split(" ")[0]: line for line in sluice("plan", "--all").stdout.splitlines()}
    assert rows["support/ticket-classifier"].count("no odds") == 2
    assert "no odds" not in rows["shop/recommender"]
