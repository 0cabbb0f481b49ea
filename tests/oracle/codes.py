"""Which of our errors the controller's own checks must agree with, and why the others are beyond them."""

from __future__ import annotations

from generator.lint.engine import CODES, load

load("generator.lint.rules")

# What the controller's validation of one object does not check, although the rule is an error of ours.
BEYOND_VALIDATION = {
    "ROL104": "the controller notices an unusable kind of workloadRef when it looks the object up",
}
BEYOND_RUN_CHECKS = {
    "ANA306": "is about Rollouts; ANA316 is the same for the run that they start",
    "ANA308": "conditions are compiled at the first measurement",
    "ANA309": "the address is used at the first measurement",
    "ANA310": "the Job is created at the first measurement",
    "ANA317": "the Job is created at the first measurement",
}
BEYOND_REFERENCES = {
    "ROL208": "which virtual router a virtual service of App Mesh uses is looked up in the cluster",
}
# The types of values are part of every check: the controller cannot decode an object with a wrong one.
TYPE = "VER113"
# Of ROL201: the controller does not look up the routes of a plugin, so the bundles use one without routes.
VALIDATION = {code for code in CODES if code.startswith("ROL1")} - set(BEYOND_VALIDATION) | {TYPE, "VER130"}
RUN_CHECKS = {code for code in CODES if code.startswith("ANA3")} - set(BEYOND_RUN_CHECKS) | {TYPE}
REFERENCES = {code for code in CODES if "ROL201" <= code <= "ROL215"} - set(BEYOND_REFERENCES)
