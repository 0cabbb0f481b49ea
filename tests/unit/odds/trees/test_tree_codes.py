"""The codes of `sluice odds`: the example of each trips it, and what to write instead does not."""

from __future__ import annotations

import pytest

from generator.lint import read_releases
from generator.odds.trees.odds import tree_odds
from generator.odds.trees.values import Known
from generator.report.codes import all_codes, files_of
from generator.report.trees.findings import findings_of

OURS = [code for code in all_codes() if code.startswith("ODDS")]
# What fails good values stops good versions, too.
ALSO = {"ODDS104": {"ODDS102"}, "ODDS105": {"ODDS102"}}


def found_in(tmp_path, example):
    ((_, text),) = files_of(example)
    lines = text.splitlines(keepends=True)
    assert lines[-1] == "$ sluice odds . --rps 50 --baseline error=1%\n"
    (tmp_path / "rollout.yaml").write_text("".join(lines[:-1]))
    found = tree_odds(read_releases(tmp_path), Known(50.0, {"error": 0.01}))
    return {finding.code for finding in findings_of(found)}


@pytest.mark.parametrize("name", OURS)
def test_an_example_trips_its_code_and_what_to_write_instead_none(tmp_path, name):
    code = all_codes()[name]
    assert found_in(tmp_path, code.example) == {name} | ALSO.get(name, set())
    assert found_in(tmp_path, code.instead) == set()
