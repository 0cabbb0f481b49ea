"""Hints for usage errors: the option, value, command or model that was probably meant."""

from __future__ import annotations

import pytest

from generator.cli.main import COMMANDS
from generator.cli.usage_hints import COMMANDS as THEIRS


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


def test_an_option_that_resembles_nothing_has_no_hint(repository, sluice):
    done = sluice("render", "--zzz")
    assert done.exit_code == 2
    assert "id you mean" not in done.stderr


def test_the_words_of_other_programs_lead_to_commands_and_are_none():
    assert THEIRS.keys() - COMMANDS.keys() == {"--version"}
    words = [word for theirs in THEIRS.values() for word in theirs.split()]
    assert len(words) == len(set(words))
    assert not set(words) & COMMANDS.keys()
