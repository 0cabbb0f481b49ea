"""For each rule an input that trips it, and a near miss that does not."""

from __future__ import annotations

from tests.unit.rules import (
    cases_fleet,
    cases_indexes,
    cases_odds,
    cases_plan,
    cases_pods,
    cases_routing,
    cases_tier,
    cases_values,
)
from tests.unit.rules.samples import Case

_MODULES = (
    cases_tier,
    cases_plan,
    cases_pods,
    cases_routing,
    cases_odds,
    cases_fleet,
    cases_values,
    cases_indexes,
)
CASES: tuple[Case, ...] = tuple(case for module in _MODULES for case in module.CASES)
