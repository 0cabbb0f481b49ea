"""Hints for usage errors: the option, value, command or model that was probably meant."""

from __future__ import annotations

import pytest

from generator.cli.foreign_options import COMMANDS as THEIRS
from generator.cli.main import COMMANDS


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["plan", "shop/recommender", "--environment", "production"], "Did you mean '--env'?"),
        (["plan", "shop/recommender", "-e", "production"], "Did you mean '--env'?"),
        (["plan", "shop/recommender", "-v"], "Did you mean '--full'?"),
        (["render", "--dry-run"], "Did you mean '--diff'?"),
        (["render", "--out", "x"], "Did you mean '--output'?"),
        (["render", "-o", "x"], "Did you mean '--output'?"),
        (["pin", "--timeout", "30s"], "It is a number of seconds: '30'."),
        (["plan", "shop/recommender", "--format", "jsn"], "Did you mean 'json'?"),
        (
            ["plan", "shop/recommender", "production"],
            "`production` is an environment, not a model: write `--env",
        ),
        (["plan", "shop/recommender.yaml"], "did you mean shop/recommender?"),
        (["pin", "bentoml:recommender:1"], "did you mean shop/recommender?"),
        (["render", "--env", "prod"], "did you mean `production`?"),
        (["render", "--env", "stage"], "did you mean `staging`?"),
        (["deploy", "shop/recommender"], "did you mean `render`?"),
        (["rollback", "shop/recommender"], "did you mean `revert`?"),
        (["lint"], "did you mean `validate`?"),
        (["version"], "did you mean `--version`?"),
        (["help", "apply"], "did you mean `render`?"),
        (["template"], "did you mean `templates`?"),
    ],
)
def test_what_was_meant_is_shown(repository, sluice, arguments, said):
    done = sluice(*arguments)
    assert done.exit_code == 2
    assert said in done.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        # An option that is an argument here, or is not needed.
        ("new churn --team shop", "Write `sluice new shop/churn`."),
        ("new shop/churn --name churn --yes", "Write `sluice new shop/churn --yes`."),
        ("new --name churn", "Write `sluice new TEAM/churn`."),
        ("plan --model shop/recommender --full", "Write `sluice plan shop/recommender --full`."),
        ("plan --model=shop/recommender", "Write `sluice plan shop/recommender`."),
        ("pin --model mlflow:recommender/3", "`model.ref` of its spec"),
        ("pin --force", "overwrites the lock. Write `sluice pin`."),
        ("render --all", "Without a path, `render` covers all models. Write `sluice render`."),
        ("render --no-prune shop", "Write `sluice render shop`."),
        ("validate shop --env production", "covers every environment. Write `sluice validate shop`."),
        ("revert shop/recommender --to 12", "`sluice pin MODEL --version` chooses one."),
        ("schema --format json", "prints JSON. Write `sluice schema`."),
        # The whole line with our option.
        ("plan --env production shop/recommender --diff", "shop/recommender --against REV`."),
        ("diff --from main", "Write `sluice diff --against main`."),
        ("plan shop/recommender --json", "Write `sluice plan shop/recommender --format json`."),
        ("-v plan", "Options follow their command. Write `sluice plan --full`."),
        ("--env production render", "Write `sluice render --env production`."),
        ("--quiet render", "Leave it out. Write `sluice render`."),
        ("promote shop/recommender", "write `sluice promote shop/recommender --to staging or production`"),
        ("plan shop/recommender --output plan.md", "> plan.txt"),
        ("render --root specs", "did you mean --root .?"),
        ("promote --model shop/recommender --to 13", "Write `sluice promote shop/recommender --to 13`."),
        ("promote shop/recommender 13", "`sluice pin shop/recommender --version 13` points its spec"),
        ("plan shop/recommender -o html", "Write `sluice plan shop/recommender --format html`."),
        ("new shop churn --yes", "write `sluice new shop/churn --yes`"),
        ("templates service", "write `sluice templates --show service`"),
        ("verify --env production", "such as `sluice verify rendered/production`"),
        ("new shop/churn --yes --strategy rolling", "Did you mean 'canary'?"),
        ("schema spec", "Did you mean 'model'?"),
        # Words that are not models.
        (
            "plan shop/recommender/production",
            "an environment is an option: `shop/recommender --env production`",
        ),
        ("plan HEAD~1", "`HEAD~1` is a revision of git, not a model"),
        ("plan risk/fraud,shop/recommender", "separate models by blanks: risk/fraud shop/recommender"),
        ("gates run", "for example `sluice gates run risk/fraud`"),
        ("sluice plan", "leave out the second `sluice`"),
        ("destroy", "delete the files of the model in specs/"),
        ("init .", "`sluice new TEAM/MODEL` adds a model"),
        ("verify rendered", "`sluice render` writes the rendered files"),
        ("explain can-107x", "did you mean CAN107"),
        ("explain 514", "did you mean PLAN514?"),
    ],
)
def test_the_hint_repeats_the_line_corrected(repository, sluice, line, said):
    done = sluice(*line.split())
    assert done.exit_code == 2
    assert said in done.stderr


def test_an_option_that_resembles_nothing_has_no_hint(repository, sluice):
    done = sluice("render", "--zzz")
    assert done.exit_code == 2
    assert "id you mean" not in done.stderr
    assert (
        "`render` has --env, --output, --check, --diff, --bentos, --against, --format, --root." in done.stderr
    )


def test_the_words_of_other_programs_lead_to_commands_and_are_none():
    assert THEIRS.keys() - COMMANDS.keys() == {"--version"}
    words = [word for theirs in THEIRS.values() for word in theirs.split()]
    assert len(words) == len(set(words))
    assert not set(words) & COMMANDS.keys()
