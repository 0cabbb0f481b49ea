"""Canaries and offline gates whose odds refute them."""

from __future__ import annotations

from tests.unit.rules.repository import CTR, ERRORS
from tests.unit.rules.samples import (
    ACCURACY,
    BLUE_GREEN,
    CTR_LIMIT,
    DRIFT,
    FAIR,
    LOCKED,
    NONE_ROUTER,
    PARITY,
    REQUIRES,
    ROUTER,
    SHADOW,
    SLOW,
    STAGING,
    Case,
    G,
    S,
    measured,
    steps,
)

TWENTY_PODS = {"spec.replicas": 20}
LISTED = [{"header": "x-cohort", "exact": "staff", "share": "0.1%"}]


def cohort_step(hold: str, **more: object) -> dict[str, object]:
    return {"cohort": {"header": "x-cohort", "exact": "staff"}, "hold": hold, **more}


CEILING = {"metric": "error-rate", "baseline": "0.5%", "limit": "5%", "name": "ceiling"}
"""A limit whose first verdict comes after 390 s: a full window, two scrapes, and one more measurement."""

IMAGE = "registry.example.com/own@sha256:" + "1" * 64

RISES = {"outcome": "ctr", "detect": {"rise": "10%"}}
RARE = {"spec.outcomes.ctr.better": "lower", G: [{"outcome": "ctr", "limit": "8%"}]}

CASES = (
    Case(
        "CAN213",
        {"spec.replicas": 4, G: [CTR, ERRORS, SLOW], S: steps((5, "60m"), (25, "60m"))},
        {"spec.replicas": 4, G: [CTR, ERRORS, SLOW], S: steps((5, "60m"), (23, "60m"))},
        f"{G}[2]",
    ),
    Case(
        "CAN101",
        {G: [{"outcome": "ctr", "limit": "3.6%"}]},
        {G: [{"outcome": "ctr", "limit": "3%"}]},
        f"{G}[0]",
    ),
    Case("CAN102", {"spec.traffic.minRps": 20}, {"spec.traffic.minRps": 120}, f"{G}[0].detect"),
    Case(
        "CAN102",
        {"spec.traffic.minRps": 60, S: steps((5, "60m"), (25, "20m"))},
        {"spec.traffic.minRps": 60, S: steps((5, "60m"), (25, "20m")), "spec.rollout.risk": {"power": "20%"}},
        f"{G}[0].detect",
        "warning",
    ),
    Case(
        "CAN103",
        {f"{G}.1": {"metric": "error-rate", "limit": "5%"}},
        {G: [CTR, ERRORS, {"metric": "error-rate", "limit": "5%", "name": "disaster"}]},
        f"{G}[1].limit",
        "warning",
    ),
    Case(
        "CAN103",
        {f"{G}.1": {"metric": "error-rate", "limit": "5%"}, f"{REQUIRES}.imageDigest": True},
        {f"{REQUIRES}.imageDigest": True},
        f"{G}[1].limit",
    ),
    Case("CAN103", {G: [{"outcome": "ctr", "limit": "3%"}]}, {G: [CTR]}, f"{G}[0].limit", "warning"),
    Case(
        "CAN105",
        {G: [CTR, CTR_LIMIT | {"name": "floor"}], "spec.traffic.minRps": 6},
        {G: [CTR, CTR_LIMIT | {"name": "floor"}], "spec.traffic.minRps": 7},
        f"{G}[1].limit",
        "warning",
    ),
    Case(
        "CAN105",
        {G: [CTR_LIMIT], "spec.traffic.minRps": 1.3},
        {G: [CTR], "spec.traffic.minRps": 1.3},
        f"{G}[0].limit",
    ),
    Case("CAN107", {"spec.traffic": {"designEffect": 2}}, {}, "spec.traffic.minRps", "warning"),
    Case(
        "CAN107",
        {f"{G}.1": {"metric": "error-rate", "detect": {"rise": "100%"}}},
        {f"{G}.1": ERRORS},
        f"{G}[1].baseline",
        "warning",
    ),
    Case("CAN108", {G: []}, {G: [FAIR]}, "spec.rollout.guards"),
    Case(
        "CAN108",
        {G: [], S: [*steps((5, "60m")), {"approve": "boss"}, *steps((50, "20m"))]},
        {G: [FAIR]},
        "spec.rollout.guards",
        "warning",
    ),
    Case(
        "CAN109",
        {
            "platform.environments.staging": STAGING,
            "platform.environments.production.requires": ["staging"],
            **TWENTY_PODS,
        },
        {
            "platform.environments.staging": STAGING,
            "platform.environments.production.requires": ["staging"],
            "spec.environments": {"staging": {"traffic": {"minRps": 200}}},
            **TWENTY_PODS,
        },
        "spec.traffic.minRps",
        "info",
    ),
    Case(
        "CAN216",
        {G: [ERRORS, CEILING], S: steps((5, "1m"), (25, "5m29s"))},
        {G: [ERRORS, CEILING], S: steps((5, "1m"), (25, "5m30s"))},
        f"{G}[1]",
        "warning",
    ),
    Case(
        "CAN216",
        {G: [CEILING], S: steps((25, "6m29s"))},
        {G: [CEILING], S: steps((25, "6m30s"))},
        f"{G}[0]",
    ),
    Case(  # a person before the first step waits before anything is measured
        "CAN216",
        {G: [CEILING], S: [{"approve": "boss"}, *steps((25, "6m29s"))]},
        {G: [CEILING], S: [*steps((25, "6m29s")), {"approve": "boss"}]},
        f"{G}[0]",
    ),
    Case(  # without declared traffic a canary without a guard is a warning, too
        "CAN216",
        {"spec.traffic": {"designEffect": 2}, G: [CEILING], S: steps((25, "6m29s"))},
        {"spec.traffic": {"designEffect": 2}, G: [CEILING], S: steps((25, "6m30s"))},
        f"{G}[0]",
        "warning",
    ),
    Case(  # a guard of the shadow has decided before
        "CAN216",
        {G: [CEILING], S: steps((25, "6m29s")), "spec.rollout.shadow": SHADOW},
        {G: [CEILING], S: steps((25, "6m30s")), "spec.rollout.shadow": SHADOW},
        f"{G}[0]",
        "warning",
    ),
    Case(  # outcomes arrive a minute late, so five minutes are masked after each change of weight
        "CAN216",
        {G: [CTR], S: steps((5, "4m59s"), (25, "4m59s"))},
        {G: [CTR], S: steps((5, "4m59s"), (25, "5m1s"))},
        f"{G}[0]",
    ),
    Case(  # nothing is measured while only people are waited for
        "CAN216",
        {G: [CEILING], S: [{"approve": "boss"}]},
        {G: [CEILING], S: [{"approve": "boss"}, *steps((25, "10m"))]},
        f"{G}[0]",
    ),
    Case(  # without the proof of a parity at the end of each step
        "CAN216",
        {G: [{**FAIR, "noData": "pass"}], S: steps((25, "29s"))},
        {G: [FAIR], S: steps((25, "29s"))},
        f"{G}[0]",
    ),
    Case(
        "CAN110",
        {G: [CTR, {"outcome": "ctr", "limit": "3.6%", "name": "floor"}]},
        {G: [CTR, {"outcome": "ctr", "limit": "3.5%", "name": "floor"}]},
        f"{G}[1].limit",
        "warning",
    ),
    Case("CAN112", measured(0.06), measured(0.05), "spec.traffic.designEffect", "warning"),
    Case("CAN112", measured(0.06, kept=0.06), measured(0.05, kept=0.06), G, "warning"),
    Case(
        "CAN111",
        {**RARE, "spec.outcomes.ctr.baseline": "0.1%"},
        {**RARE, "spec.outcomes.ctr.baseline": "0.2%"},
        f"{G}[0]",
        "warning",
    ),
    Case(
        "CAN111",
        {**RARE, "spec.outcomes.ctr.baseline": "0.01%", G: [RISES]},
        {**RARE, "spec.outcomes.ctr.baseline": "0.02%", G: [RISES]},
        f"{G}[0]",
        "warning",
    ),
    Case("CAN140", {"spec.traffic.minRps": 40_000}, {"spec.traffic.minRps": 400}, f"{S}[0].weight"),
    Case(
        "CAN140",
        {G: [{"outcome": "ctr", "limit": "3.25%"}]},
        {G: [{"outcome": "ctr", "limit": "3.2%"}]},
        f"{G}[0].limit",
    ),
    Case(
        "CAN141",
        {"spec.outcomes.ctr.delay": "301s"},
        {"spec.outcomes.ctr.delay": "300s"},
        f"{S}[1].hold",
        "warning",
    ),
    Case("CAN141", {"spec.outcomes.ctr.delay": "21m"}, {"spec.outcomes.ctr.delay": "4m"}, f"{S}[1].hold"),
    Case("CAN151", {ROUTER: NONE_ROUTER, "spec.replicas": 19}, {}, f"{S}[0].weight"),
    Case("CAN151", {ROUTER: NONE_ROUTER, "spec.replicas": 20}, {"spec.replicas": 2}, S, "warning"),
    Case(
        "CAN152",
        {"spec.rollout": {**BLUE_GREEN, "guards": [ERRORS]}},
        {"spec.rollout": {**BLUE_GREEN, "guards": [{"metric": "error-rate", "limit": "5%"}]}},
        f"{G}[0]",
    ),
    Case(
        "CAN152",
        {"spec.rollout": {**BLUE_GREEN, "guards": [CTR_LIMIT]}},
        {"spec.rollout": {**BLUE_GREEN, "guards": [{"metric": "error-rate", "limit": "5%"}]}},
        f"{G}[0]",
        "warning",
    ),
    Case("CAN210", {f"{S}.0.hold": "20m"}, {f"{S}.0.hold": "45m"}, f"{S}[0].hold", "warning"),
    Case(
        "CAN210",
        {S: steps((5, "10m"), (25, "3h"))},
        {S: steps((5, "10m"), (25, "3h")), G: [ERRORS]},
        f"{S}[0].hold",
    ),
    Case(  # below 5%, but before a step that is not steep
        "CAN210",
        {S: steps((5, "10m"), (24, "3h"))},
        {S: steps((5, "4h"), (24, "3h"))},
        f"{S}[0].hold",
        "warning",
    ),
    Case(
        "CAN211",
        {"spec.rollout.risk": {"maxExposed": 25_000}},
        {"spec.rollout.risk": {"maxExposed": 32_000}},
        "spec.rollout.risk.maxExposed",
    ),
    Case(
        "CAN212",
        {S: steps((4, "60m"), (25, "1h"))},
        {S: steps((5, "45m"), (25, "1h"))},
        f"{S}[1].weight",
        "warning",
    ),
    Case(
        "CAN215",
        {S: steps((2, "4h"), (6, "1h"))},
        {S: steps((2, "4h"), (20, "1h"))},
        f"{S}[1].weight",
        "warning",
    ),
    Case(
        "CAN214",
        {"platform.cohorts": LISTED, S: [cohort_step("5m"), *steps((5, "60m"))]},
        {"platform.cohorts": LISTED, S: [cohort_step("20m"), *steps((5, "60m"))]},
        f"{S}[0].hold",
        "warning",
    ),
    Case(
        "CAN214",  # at a weight, chance explains some of the requests
        {"platform.cohorts": LISTED, S: [*steps((5, "60m")), cohort_step("20m"), *steps((25, "60m"))]},
        {"platform.cohorts": LISTED, S: [*steps((5, "60m")), cohort_step("20h"), *steps((25, "60m"))]},
        f"{S}[1].hold",
        "warning",
    ),
    Case(
        "GATE301",
        {"spec.gates": [{**ACCURACY, "rows": 500}]},
        {"spec.gates": [{**ACCURACY, "rows": 1200}]},
        "spec.gates[0].rows",
        "warning",
    ),
    Case(
        "GATE301",
        {"spec.gates": [{**ACCURACY, "rows": 100}]},
        {"spec.gates": [{**ACCURACY, "metric": "recall", "rows": 100}]},
        "spec.gates[0].rows",
        "warning",
    ),
    Case(
        "GATE302",
        {"spec.gates": [ACCURACY]},
        {"spec.gates": [{**ACCURACY, "rows": 5000}]},
        "spec.gates[0]",
        "warning",
    ),
    Case(
        "GATE302",
        {"spec.gates": [{**DRIFT, "tool": "psi"}], "lock.data": LOCKED},
        {"spec.gates": [{**DRIFT, "tool": "psi", "rows": 5000}], "lock.data": LOCKED},
        "spec.gates[0]",
        "warning",
    ),
    Case(
        "GATE303",
        {"spec.gates": [{"name": "a", "metric": "auc", "against": "champion", "rows": 900}]},
        {"spec.gates": [{"name": "a", "metric": "auc", "against": "champion", "rows": 900, "paired": True}]},
        "spec.gates[0].against",
        "warning",
    ),
    Case(
        "GATE310",
        {"spec.gates": [{**PARITY, "minGroup": 192}]},
        {"spec.gates": [{**PARITY, "minGroup": 193}]},
        "spec.gates[0].minGroup",
        "warning",
    ),
    Case(
        "GATE310",
        {"spec.gates": [{**PARITY, "atMost": 0.5, "minGroup": 29}]},
        {"spec.gates": [{**PARITY, "atMost": 0.5, "minGroup": 30}]},
        "spec.gates[0].minGroup",
    ),
    Case(
        "GATE330",
        {"spec.gates": [{"name": "own", "custom": "python checks/own.py"}]},
        {"spec.gates": [{"name": "own", "custom": IMAGE}]},
        "spec.gates[0].custom",
    ),
    Case(
        "GATE330",
        {"spec.gates": [{"name": "own", "custom": "python checks/own.py"}]},
        {
            "spec.gates": [{"name": "own", "custom": "python checks/own.py"}],
            "platform.tiers.standard.evidence": ["git"],
        },
        "spec.gates[0].custom",
    ),
    Case(
        "GATE331",
        {"spec.gates": [{"name": "own", "custom": IMAGE, "args": ["a", "{{b}}"]}]},
        {"spec.gates": [{"name": "own", "custom": IMAGE, "args": ["a", "{b}"]}]},
        "spec.gates[0].args[1]",
    ),
    Case(
        "GATE321",
        {"spec.gates": [{**DRIFT, "atMost": 0.027}], "lock.data": LOCKED},
        {"spec.gates": [{**DRIFT, "atMost": 0.028}], "lock.data": LOCKED},
        "spec.gates[0].atMost",
        "warning",
    ),
    Case(
        "GATE321",
        {"spec.gates": [{**DRIFT, "atMost": 0.006}], "lock.data": LOCKED},
        {"spec.gates": [{**DRIFT, "atMost": 0.006, "tool": "psi"}], "lock.data": LOCKED},
        "spec.gates[0].atMost",
    ),
    Case(
        "GATE322",
        {"spec.gates": [{**DRIFT, "tool": "psi", "rows": 150}], "lock.data": LOCKED},
        {"spec.gates": [{**DRIFT, "tool": "psi", "rows": 300}], "lock.data": LOCKED},
        "spec.gates[0].rows",
        "warning",
    ),
    Case(
        "GATE322",
        {"spec.gates": [{**DRIFT, "tool": "psi", "rows": 80}], "lock.data": LOCKED},
        {"spec.gates": [{**DRIFT, "tool": "ks", "rows": 80}], "lock.data": LOCKED},
        "spec.gates[0].rows",
    ),
)
