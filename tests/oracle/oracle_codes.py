"""Which of our errors the controller's own checks must agree with, and why the others are beyond them."""

from __future__ import annotations

import generator.lint.rollouts.lint  # noqa: F401 - registers every rule
from generator.lint.rollouts.registry import RULES

# What the controller's validation of one object does not say, though the rule is an error of ours.
BEYOND_VALIDATION = {
    "ROL104": "the controller notices an unreadable kind of workloadRef when it looks the object up",
    "ROL113": "the API server drops an unknown field before the controller sees it",
}
BEYOND_RUN_CHECKS = {
    "ANA306": "is about Rollouts; ANA316 says the same of the run that they start",
    "ANA308": "conditions are compiled at the first measurement",
    "ANA309": "the address is used at the first measurement",
    "ANA310": "the Job is created at the first measurement",
    "ANA312": "the API server drops an unknown field before the controller sees it",
    "ANA317": "the Job is created at the first measurement",
}
BEYOND_REFERENCES = {
    "ROL208": "which virtual router a virtual service of App Mesh uses is looked up in the cluster",
}
# Of ROL201: the controller does not look up the routes of a plugin, so the bundles use one without routes.
VALIDATION = {code for code in RULES if code.startswith("ROL1")} - set(BEYOND_VALIDATION)
RUN_CHECKS = {code for code in RULES if code.startswith("ANA3")} - set(BEYOND_RUN_CHECKS)
REFERENCES = {code for code in RULES if "ROL201" <= code <= "ROL215"} - set(BEYOND_REFERENCES)
