"""What a newcomer meets first: a repository without models, a file in the wrong place, a command that has no work."""

from __future__ import annotations

import shutil

import pytest

from tests.unit.cli.edits import change

LISTS = (("plan", "--all"), ("status",), ("validate",))


@pytest.mark.parametrize("arguments", LISTS, ids=" ".join)
def test_a_repository_without_models_is_no_silence(repository, sluice, arguments):
    for folder in (repository / "specs").iterdir():
        if folder.is_dir():
            shutil.rmtree(folder)
    assert "`sluice new TEAM/MODEL` writes the first spec" in sluice(*arguments).stderr


@pytest.mark.parametrize("arguments", LISTS, ids=" ".join)
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
