"""Every rule has a tree that trips it and one that just does not."""

from __future__ import annotations

import bundle_cases_analysis
import bundle_cases_references
import bundle_cases_rollout
import bundle_cases_syncs
import pytest
from bundle_samples import TEMPLATE, http_route, rollout, service, tree

from generator.lint.rollouts.lint import lint
from generator.lint.rollouts.registry import RULES

CASES = [
    *bundle_cases_rollout.CASES,
    *bundle_cases_references.CASES,
    *bundle_cases_analysis.CASES,
    *bundle_cases_syncs.CASES,
]


def problems(case, side):
    return lint(tree(*side, file=case.file), controller=case.controller, complete=case.complete)


@pytest.mark.parametrize("case", CASES, ids=[f"{case.code}-{i}" for i, case in enumerate(CASES)])
def test_a_rule_trips_and_just_misses(case):
    tripped = [p for p in problems(case, case.trips) if p.code == case.code]
    assert tripped
    assert {p.severity for p in tripped} == {RULES[case.code].severity}
    assert any(p.path[len(p.path) - len(case.at) :] == case.at for p in tripped)
    assert [p for p in problems(case, case.misses) if p.code == case.code] == []


def test_every_rule_has_a_case():
    assert {case.code for case in CASES} == set(RULES)


def test_every_rule_explains_itself():
    for rule in RULES.values():
        assert rule.title
        assert rule.origin
        assert rule.hint.endswith(".")


def test_a_good_bundle_has_nothing_to_say():
    route = http_route(("model-stable", "model-canary"))
    bundle = [rollout(), TEMPLATE, service(), service("model-canary"), route]
    assert lint(tree(*bundle), complete=True) == []


@pytest.mark.parametrize("name", bundle_cases_syncs.FINE)
def test_syncs_that_are_fine_have_nothing_to_hear(name):
    problems = lint(tree(*bundle_cases_syncs.FINE[name], file="shop/model/all.yaml"))
    assert [problem for problem in problems if problem.code.startswith("SYN")] == []


@pytest.mark.parametrize("case", CASES, ids=[f"{case.code}-{i}" for i, case in enumerate(CASES)])
def test_paths_lead_somewhere(case):
    bodies = case.trips
    for problem in problems(case, bodies):
        value = bodies[problem.source.index]
        for part in problem.path[:-1]:
            assert isinstance(value, dict | list), problem
            value = value[part] if isinstance(value, list) else value.get(part, {})
