"""Every rule has an input that trips it, and a near miss that does not."""

from __future__ import annotations

from typing import Any

import pytest

import generator.rules.evaluate  # noqa: F401 - loads every rule
from generator.lint.engine import rules
from generator.rules.context import Context, FleetContext
from tests.unit.rules.cases import CASES
from tests.unit.rules.near_misses import NEAR_MISSES
from tests.unit.rules.repository import Sample
from tests.unit.rules.samples import Case

_IDS = [f"{case.code}-{index}" for index, case in enumerate(CASES)]


@pytest.mark.parametrize("case", CASES, ids=_IDS)
def test_trip(case: Case, tmp_path):
    found = [f for f in Sample(tmp_path, case.trip, case.models).findings() if f.code == case.code]
    assert case.at in {f.path for f in found}, [(f.path, f.message) for f in found]
    finding = next(f for f in found if f.path == case.at)
    assert finding.severity == case.severity
    assert finding.message
    assert finding.hint
    assert finding.place.line > 0


@pytest.mark.parametrize("case", CASES, ids=_IDS)
def test_near_miss(case: Case, tmp_path):
    findings = Sample(tmp_path, case.near, case.models).findings()
    assert [(f.path, f.message) for f in findings if f.code == case.code] == []


_NEAR = [(code, edits) for code, all_edits in NEAR_MISSES.items() for edits in all_edits]


@pytest.mark.parametrize(("code", "edits"), _NEAR, ids=[f"{code}-{i}" for i, (code, _) in enumerate(_NEAR)])
def test_near_miss_of_one_condition(code: str, edits: dict[str, Any], tmp_path):
    assert [(f.path, f.message) for f in Sample(tmp_path, edits).findings() if f.code == code] == []


def test_every_rule_has_a_case():
    known = {rule.code.code for scope in (Context, FleetContext) for rule in rules(scope)}
    assert len(known) > 80
    assert {case.code for case in CASES} == known


def test_the_sample_itself_has_no_findings(tmp_path):
    assert [(f.code, f.message) for f in Sample(tmp_path, {}).findings()] == []
