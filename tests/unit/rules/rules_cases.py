"""For each rule an input that trips it, and a near miss that does not."""

from __future__ import annotations

import rules_cases_odds
import rules_cases_plan
import rules_cases_routing
import rules_cases_tier
import rules_cases_together
import rules_cases_values
from rules_samples import Case

_MODULES = (
    rules_cases_tier,
    rules_cases_plan,
    rules_cases_routing,
    rules_cases_odds,
    rules_cases_together,
    rules_cases_values,
)
CASES: tuple[Case, ...] = tuple(case for module in _MODULES for case in module.CASES)
