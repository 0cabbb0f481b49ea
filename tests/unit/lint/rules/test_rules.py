"""Every rule has a tree that trips it and one that just does not."""

from __future__ import annotations

import pytest

from generator.lint.engine import CODES, load
from generator.lint.verification import run_rules
from tests.unit.lint.rules import (
    cases_analysis,
    cases_references,
    cases_rollout,
    cases_strangers,
    cases_syncs,
)
from tests.unit.lint.rules.samples import TEMPLATE, http_route, rollout, service, tree

CASES = [
    *cases_rollout.CASES,
    *cases_references.CASES,
    *cases_analysis.CASES,
    *cases_syncs.CASES,
    *cases_strangers.CASES,
]


def problems(case, side):
    return run_rules(tree(*side, file=case.file), case.controller, complete=case.complete)


@pytest.mark.parametrize("case", CASES, ids=[f"{case.code}-{i}" for i, case in enumerate(CASES)])
def test_a_rule_trips_and_just_misses(case):
    tripped = [p for p in problems(case, case.trips) if p.code.code == case.code]
    assert tripped
    assert {p.severity for p in tripped} == {CODES[case.code].severity}
    assert any(p.path[len(p.path) - len(case.at) :] == case.at for p in tripped)
    assert [p for p in problems(case, case.misses) if p.code.code == case.code] == []


def test_every_rule_has_a_case():
    load("generator.lint.rules")
    own = {code for code in CODES if code[:3] in {"ROL", "ANA", "CAP", "SYN"}}
    assert {case.code for case in CASES} >= own


def test_a_good_bundle_has_no_finding():
    route = http_route(("model-stable", "model-canary"))
    bundle = [rollout(), TEMPLATE, service(), service("model-canary"), route]
    assert run_rules(tree(*bundle), complete=True) == []


@pytest.mark.parametrize("name", cases_syncs.FINE)
def test_good_syncs_have_no_finding(name):
    problems = run_rules(tree(*cases_syncs.FINE[name], file="shop/model/all.yaml"))
    assert [problem for problem in problems if problem.code.code.startswith("SYN")] == []


@pytest.mark.parametrize("case", CASES, ids=[f"{case.code}-{i}" for i, case in enumerate(CASES)])
def test_paths_lead_somewhere(case):
    bodies = case.trips
    for problem in problems(case, bodies):
        value = bodies[problem.object.index]
        for part in problem.path[:-1]:
            assert isinstance(value, dict | list), problem
            value = value[part] if isinstance(value, list) else value.get(part, {})
