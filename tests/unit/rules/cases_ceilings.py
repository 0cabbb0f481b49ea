"""Ways around the ceilings of a tier: by strategy, cohort, pods, order of steps, missing numbers and loose thresholds.

docs/tiers.md lists each of them with the test that tries it.
"""

from __future__ import annotations

from typing import Any

from tests.unit.rules.repository import CTR, ERRORS, STEPS
from tests.unit.rules.samples import (
    BLUE_GREEN,
    CEILINGS,
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
    Case,
    G,
    S,
    steps,
)

_STRATEGY = "spec.rollout.strategy"
_EVERY_USER = {"cohort": {"header": "user-agent", "regex": ".*"}, "hold": "5h"}
_STAFF = {"cohort": {"header": "X-Cohort", "exact": "staff"}, "hold": "10m"}
_LISTED = {"header": "x-cohort", "exact": "staff", "share": "1%"}
_FIRST = {f"{CEILINGS}.firstWeight": "5%"}
_BLUE = {"spec.rollout": BLUE_GREEN}
_PODS = {ROUTER: NONE_ROUTER, "spec.replicas": 20, "spec.autoscaling": None}
_INPUTS = {"x": {"type": "number"}, "y": {"type": "number"}}
_APPROVED = {f"{REQUIRES}.approvals": ["boss"]}
_BOSS = {"approve": "boss"}
_COPY = {name: text.replace("a.csv", "b.csv") for name, text in LOCKED["a.csv"].items()}


def bounds(kind: str, **values: object) -> dict[str, Any]:
    return {f"{CEILINGS}.gates.{kind}": values}


def guard_bounds(kind: str, **values: object) -> dict[str, Any]:
    return {f"{CEILINGS}.guards": {kind: values}}


def gate(**changes: object) -> dict[str, Any]:
    return {"spec.gates": [{"name": "judge", **changes}]}


def parity(**changes: object) -> dict[str, Any]:
    return {"spec.gates": [{**PARITY, "minGroup": 200, **changes}]}


def ratio(least: float) -> dict[str, Any]:
    found = {
        "name": "parity",
        "fairness": "demographic-parity-ratio",
        "sensitive": ["gender"],
        "minGroup": 200,
    }
    return {"spec.gates": [{**found, "atLeast": least}]}


def drift(**changes: object) -> dict[str, Any]:
    return {
        "spec.gates": [{**DRIFT, "tool": "ks", "rows": 5000, **changes}],
        "lock.data": LOCKED,
        "spec.service.inputs": _INPUTS,
    }


def blue(**changes: object) -> dict[str, Any]:
    return {"spec.rollout": {**BLUE_GREEN, **changes}}


EXPOSURE = (
    Case("TIER301", {**_FIRST, **_BLUE}, {**_FIRST}, _STRATEGY),
    Case(
        "TIER301",
        {**_FIRST, **_BLUE, "spec.rollout": {**BLUE_GREEN, "approve": "boss", "watch": "1s"}},
        {f"{CEILINGS}.firstWeight": "100%", **_BLUE},
        _STRATEGY,
    ),
    Case(  # a header that every client sends
        "TIER301",
        {**_FIRST, S: [_EVERY_USER, *STEPS]},
        {**_FIRST, S: [_STAFF, *STEPS], "platform.cohorts": [_LISTED]},
        f"{S}[0].cohort",
    ),
    Case(  # the same header with another value, comparison or a share above the ceiling
        "TIER301",
        {**_FIRST, S: [{**_STAFF, "cohort": {"header": "x-cohort", "exact": "Staff"}}, *STEPS], "platform.cohorts": [_LISTED]},
        {**_FIRST, S: [_STAFF, *STEPS], "platform.cohorts": [{**_LISTED, "share": "5%"}]},
        f"{S}[0].cohort",
    ),
    Case(
        "TIER301",
        {**_FIRST, S: [{**_STAFF, "cohort": {"header": "x-cohort", "prefix": "staff"}}, *STEPS], "platform.cohorts": [_LISTED]},
        {**_FIRST, S: [_STAFF, *STEPS], "platform.cohorts": [{**_LISTED, "header": "X-COHORT"}]},
        f"{S}[0].cohort",
    ),
    Case(
        "TIER301",
        {**_FIRST, S: [_STAFF, *STEPS], "platform.cohorts": [{**_LISTED, "share": "6%"}]},
        {**_FIRST, S: [_STAFF, *STEPS], "platform.cohorts": [_LISTED]},
        f"{S}[0].cohort",
    ),
    Case(  # after the first weight
        "TIER301",
        {**_FIRST, S: [STEPS[0], _EVERY_USER, *STEPS[1:]]},
        {**_FIRST, S: [STEPS[0], _STAFF, *STEPS[1:]], "platform.cohorts": [{**_LISTED, "share": "50%"}]},
        f"{S}[1].cohort",
    ),
    Case(  # a small cohort does not excuse the first weight
        "TIER301",
        {**_FIRST, S: [_STAFF, *steps((6, "1h"), (50, "1h"))], "platform.cohorts": [_LISTED]},
        {**_FIRST, S: [_STAFF, *steps((5, "1h"), (50, "1h"))], "platform.cohorts": [_LISTED]},
        f"{S}[1].weight",
    ),
    Case(  # 5% of four pods are 25%
        "TIER301",
        {**_FIRST, **_PODS, "spec.replicas": 4},
        {**_FIRST, **_PODS},
        f"{S}[0].weight",
    ),
    Case(  # an autoscaler that starts with one pod, or that may run 21
        "TIER301",
        {**_FIRST, **_PODS, "spec.autoscaling": {"min": 1, "max": 20}},
        {**_FIRST, **_PODS, "spec.autoscaling": {"min": 20, "max": 20}},
        f"{S}[0].weight",
    ),
    Case(
        "TIER301",
        {**_FIRST, **_PODS, "spec.autoscaling": {"min": 20, "max": 21}},
        {**_FIRST, **_PODS, "spec.autoscaling": {"min": 40, "max": 40}},
        f"{S}[0].weight",
    ),
    Case(  # stricter in general, looser where it counts
        "TIER301",
        {**_FIRST, "spec.environments": {"production": {"rollout": {"steps": steps((6, "1h"), (50, "1h"))}}}},
        {**_FIRST, "spec.environments": {"production": {"rollout": {"steps": steps((5, "1h"), (50, "1h"))}}}},
        "spec.environments.production.rollout.steps[0].weight",
    ),
    Case(
        "TIER321",
        {f"{CEILINGS}.largestIncrease": "50%", S: steps((5, "2h"), (56, "1h"))},
        {f"{CEILINGS}.largestIncrease": "50%", S: steps((5, "2h"), (55, "1h"))},
        f"{S}[1].weight",
    ),
    Case(  # everybody after one small step
        "TIER321",
        {f"{CEILINGS}.largestIncrease": "50%", S: steps((5, "2h"), (49, "1h"))},
        {f"{CEILINGS}.largestIncrease": "50%", S: steps((5, "2h"), (50, "1h"))},
        S,
    ),
    Case("TIER321", {f"{CEILINGS}.largestIncrease": "99%", **_BLUE}, {f"{CEILINGS}.largestIncrease": "100%", **_BLUE}, _STRATEGY),
    Case(
        "TIER321",
        {f"{CEILINGS}.largestIncrease": "50%", S: [STEPS[0], _EVERY_USER, *STEPS[1:]]},
        {f"{CEILINGS}.largestIncrease": "50%", S: [STEPS[0], _STAFF, *STEPS[1:]], "platform.cohorts": [_LISTED]},
        f"{S}[1].cohort",
    ),
    Case(  # the route of a cohort is removed, so it does not raise the weight before the next step
        "TIER321",
        {f"{CEILINGS}.largestIncrease": "50%", "platform.cohorts": [{**_LISTED, "share": "45%"}], S: [STEPS[0], _STAFF, *steps((90, "1h"))]},
        {f"{CEILINGS}.largestIncrease": "50%", "platform.cohorts": [{**_LISTED, "share": "45%"}], S: [STEPS[0], _STAFF, *steps((55, "1h"))]},
        f"{S}[2].weight",
    ),
    Case("TIER322", {f"{CEILINGS}.shortestHold": "20m", f"{S}.1.hold": "19m"}, {f"{CEILINGS}.shortestHold": "20m"}, f"{S}[1].hold"),
    Case(
        "TIER322",
        {f"{CEILINGS}.shortestHold": "10m", S: [{**_STAFF, "hold": "9m"}, *STEPS]},
        {f"{CEILINGS}.shortestHold": "10m", S: [_STAFF, *STEPS]},
        f"{S}[0].hold",
    ),
    Case(
        "TIER322",
        {f"{CEILINGS}.shortestHold": "10m", "spec.rollout.shadow": {**SHADOW, "hold": "1s"}},
        {f"{CEILINGS}.shortestHold": "10m", "spec.rollout.shadow": SHADOW},
        "spec.rollout.shadow.hold",
    ),
    Case(
        "TIER322",
        {f"{CEILINGS}.shortestHold": "10m", **blue(watch="1s")},
        {f"{CEILINGS}.shortestHold": "10m", **blue(watch="10m")},
        "spec.rollout.watch",
    ),
    Case(  # the default of ten minutes
        "TIER322",
        {f"{CEILINGS}.shortestHold": "11m", **_BLUE},
        {f"{CEILINGS}.shortestHold": "10m", **_BLUE},
        "spec.rollout.watch",
    ),
    Case("TIER308", {f"{CEILINGS}.maxExposed": 100_000_000, **_BLUE}, _BLUE, _STRATEGY),
    Case(  # a cohort answers requests, too: 200 rps for five hours are 3,600,000
        "TIER308",
        {f"{CEILINGS}.maxExposed": 3_600_000, S: [_EVERY_USER, *STEPS]},
        {f"{CEILINGS}.maxExposed": 3_650_000, S: [_EVERY_USER, *STEPS]},
        S,
    ),
    Case("TIER309", {f"{CEILINGS}.maxExposed": 100_000_000, G: []}, {f"{CEILINGS}.maxExposed": 50_000}, G),
    Case("TIER309", {f"{CEILINGS}.maxExposed": 100_000_000, G: [FAIR]}, {f"{CEILINGS}.maxExposed": 50_000, G: [CTR, FAIR]}, G),
    Case(
        "TIER309",
        {f"{CEILINGS}.maxExposed": 100_000_000, G: [{**ERRORS, "baseline": None}]},
        {f"{CEILINGS}.maxExposed": 50_000, G: [ERRORS]},
        G,
    ),
    Case(
        "TIER323",
        {f"{CEILINGS}.power": "80%", "spec.rollout.risk": {"power": "10%"}},
        {f"{CEILINGS}.power": "80%", "spec.rollout.risk": {"power": "80%"}},
        "spec.rollout.risk.power",
    ),
    Case(
        "TIER323",
        {f"{CEILINGS}.power": "50%", S: steps((5, "1s"))},
        {f"{CEILINGS}.power": "50%"},
        f"{G}[0]",
    ),
    Case("TIER323", {f"{CEILINGS}.power": "50%", G: [CTR_LIMIT]}, {f"{CEILINGS}.power": "50%", G: [CTR, CTR_LIMIT]}, G),
    Case("TIER323", {f"{CEILINGS}.power": "50%", **_BLUE}, _BLUE, _STRATEGY),
)  # fmt: skip

APPROVALS = (
    Case(  # before any traffic
        "TIER312",
        {**_APPROVED, S: [_BOSS, *STEPS]},
        {**_APPROVED, S: [STEPS[0], _BOSS, *STEPS[1:]]},
        S,
    ),
    Case(  # before the first measurement
        "TIER312",
        {**_APPROVED, S: [*steps((5, "59s")), _BOSS, *STEPS[1:]]},
        {**_APPROVED, S: [*steps((5, "60s")), _BOSS, *STEPS[1:]]},
        S,
    ),
    Case(  # at half of the traffic
        "TIER312",
        {**_APPROVED, S: [*STEPS, _BOSS]},
        {**_APPROVED, S: [*steps((5, "1h"), (49, "1h")), _BOSS]},
        S,
    ),
    Case(  # once everybody who sends a header has it
        "TIER312",
        {**_APPROVED, S: [_EVERY_USER, _BOSS, *STEPS]},
        {**_APPROVED, S: [_STAFF, _BOSS, *STEPS], "platform.cohorts": [_LISTED]},
        S,
    ),
    Case(  # 26% of one pod are all of it
        "TIER312",
        {**_APPROVED, **_PODS, "spec.replicas": 1, S: [*steps((26, "1h")), _BOSS]},
        {**_APPROVED, **_PODS, S: [*steps((26, "1h")), _BOSS]},
        S,
    ),
    Case(  # another role, at the right time
        "TIER312",
        {**_APPROVED, S: [STEPS[0], {"approve": "intern"}, *STEPS[1:]]},
        {**_APPROVED, S: [STEPS[0], {"approve": "intern"}, _BOSS, *STEPS[1:]]},
        S,
    ),
    Case(
        "TIER326",
        {"platform.tiers.strict": {"models": ["shop/ranker"]}, "platform.teams.shop.tiers": ["standard", "strict"]},
        {"platform.tiers.standard.models": ["shop/ranker"]},
        "spec.tier",
    ),
    Case(
        "PLAN516",
        {"spec.service.attributes": {"gender": ["male", "other"]}},
        {"spec.service.attributes": {"gender": ["female", "male", "other"], "age": ["a", "b"]}},
        "spec.service.attributes.gender",
    ),
    Case(
        "PLAT918",
        {"platform.tiers.standard.models": ["shop/rankers"]},
        {"platform.tiers.standard.models": ["shop/ranker"]},
        "spec.tiers.standard.models[0]",
    ),
    Case(
        "TIER315",
        {f"{REQUIRES}.guards": ["error-rate"], G: [CTR]},
        {f"{REQUIRES}.guards": ["error-rate"]},
        G,
    ),
    Case(  # a guard of the shadow does not protect users
        "TIER315",
        {f"{REQUIRES}.guards": ["fairness"], "spec.rollout.shadow": SHADOW},
        {f"{REQUIRES}.guards": ["fairness"], G: [CTR, FAIR]},
        G,
    ),
    Case(  # after a switch there is nothing to compare with
        "TIER315",
        {f"{REQUIRES}.guards": ["error-rate"], **_BLUE},
        {f"{REQUIRES}.guards": ["error-rate"], **blue(guards=[{"metric": "error-rate", "limit": "5%"}])},
        G,
    ),
    Case(  # a metric without a bound of the tier meets no requirement
        "TIER311",
        {f"{REQUIRES}.gates": ["metric"], **bounds("metric", atLeast={"accuracy": 0.8}), **gate(metric="made_up", atLeast=0, rows=900)},
        {f"{REQUIRES}.gates": ["metric"], **bounds("metric", atLeast={"accuracy": 0.8}), **gate(metric="accuracy", atLeast=0.9, rows=900)},
        "spec.gates",
    ),
    Case(
        "TIER311",
        {f"{REQUIRES}.gates": ["metric"], **bounds("metric", atLeast={"accuracy": 0.8}), **gate(metric="accuracy", atMost=0.99, rows=900)},
        {f"{REQUIRES}.gates": ["metric"], **bounds("metric", noWorseBy="1pp"), **gate(metric="auc", against="champion", noWorseBy="1pp", rows=900)},
        "spec.gates",
    ),
)  # fmt: skip

THRESHOLDS = (
    Case("TIER324", {**bounds("tests", atLeast=20), **gate(junit="a.xml", atLeast=19)}, {**bounds("tests", atLeast=20), **gate(junit="a.xml", atLeast=20)}, "spec.gates[0].atLeast"),
    Case("TIER324", {**bounds("tests", atLeast=20)}, {}, "spec.gates[0].atLeast"),
    Case("TIER324", {**bounds("fairness", atMost=0.1), **parity(atMost=0.11)}, {**bounds("fairness", atMost=0.1), **parity()}, "spec.gates[0].atMost"),
    Case("TIER324", {**bounds("fairness", atLeast=0.8), **ratio(0.79)}, {**bounds("fairness", atLeast=0.8), **ratio(0.8)}, "spec.gates[0].atLeast"),
    Case("TIER324", {**bounds("fairness", atMost=0.1), **ratio(0.01)}, {**bounds("fairness", atMost=0.1, atLeast=0.01), **ratio(0.01)}, "spec.gates[0].atLeast"),
    Case("TIER324", {**bounds("fairness", atLeast=0.8), **parity(atMost=0.9)}, {**bounds("fairness", atMost=0.9, atLeast=0.8), **parity(atMost=0.9)}, "spec.gates[0].atMost"),
    Case(  # the bound turned round
        "TIER324",
        {**bounds("fairness", atMost=0.1, atLeast=0.8), **parity(fairness="demographic-parity-ratio")},
        {**bounds("fairness", atMost=0.1, atLeast=0.8), **parity()},
        "spec.gates[0].atMost",
    ),
    Case(
        "TIER324",
        {**bounds("fairness", atMost=0.1), **parity(atMost=None, atLeast=0.5)},
        {**bounds("fairness", atMost=0.1, atLeast=0.8), **ratio(0.8)},
        "spec.gates[0].atLeast",
    ),
    Case(  # groups too small to decide
        "TIER324",
        {**bounds("fairness", minGroup=1000), **parity(minGroup=1001)},
        {**bounds("fairness", minGroup=1000), **parity(minGroup=1000)},
        "spec.gates[0].minGroup",
    ),
    Case(
        "TIER324",
        {**bounds("fairness", sensitive=["gender", "age"]), **parity(), "platform.attributes.age": ["a", "b"]},
        {**bounds("fairness", sensitive=["gender"]), **parity(), "platform.attributes.age": ["a", "b"]},
        "spec.gates",
    ),
    Case("TIER324", {**bounds("drift", atMost={"ks": 0.15}), **drift(atMost=0.16)}, {**bounds("drift", atMost={"ks": 0.15}), **drift(atMost=0.15)}, "spec.gates[0].atMost"),
    Case(  # a tool that is not listed keeps its default
        "TIER324",
        {**bounds("drift", atMost={"ks": 0.15}), **drift(tool="psi", atMost=1000000)},
        {**bounds("drift", atMost={"ks": 0.15}), **drift(tool="psi", atMost=0.2)},
        "spec.gates[0].atMost",
    ),
    Case("TIER324", {**bounds("drift", alpha=0.01), **drift(alpha=0.0001)}, {**bounds("drift", alpha=0.01), **drift(alpha=0.01)}, "spec.gates[0].alpha"),
    Case(
        "TIER324",
        {**bounds("drift", features="100%"), **drift(drift={**DRIFT["drift"], "features": ["x"]})},  # type: ignore[dict-item]
        {**bounds("drift", features="100%"), **drift()},
        "spec.gates[0].drift.features",
    ),
    Case(  # a service that declares no inputs
        "TIER324",
        {**bounds("drift", features="50%"), **drift(), "spec.service.inputs": {}},
        {**bounds("drift", features="50%"), **drift(drift={**DRIFT["drift"], "features": ["x"]})},  # type: ignore[dict-item]
        "spec.gates[0].drift.features",
    ),
    Case(
        "TIER324",
        {**bounds("explain", atMost=0.2), **gate(explain={"reference": "a.csv", "current": "b.csv"}, atMost=0.3), "lock.data": LOCKED},
        {**bounds("explain", atMost=0.2), **gate(explain={"reference": "a.csv", "current": "b.csv"}, atMost=0.2), "lock.data": LOCKED},
        "spec.gates[0].atMost",
    ),
    Case(
        "TIER324",
        {**bounds("metric", atLeast={"accuracy": 0.8}), **gate(metric="accuracy", atLeast=0.1, rows=900)},
        {**bounds("metric", atLeast={"accuracy": 0.8}), **gate(metric="f1", atLeast=0.1, rows=900)},
        "spec.gates[0].atLeast",
    ),
    Case(
        "TIER324",
        {**bounds("metric", atMost={"log_loss": 0.7}), **gate(metric="log_loss", atMost=9000)},
        {**bounds("metric", atMost={"log_loss": 0.7}), **gate(metric="log_loss", atMost=0.7)},
        "spec.gates[0].atMost",
    ),
    Case(
        "TIER324",
        {**bounds("metric", noWorseBy="2%"), **gate(metric="auc", against="champion", noWorseBy="2pp", rows=900)},
        {**bounds("metric", noWorseBy="2pp"), **gate(metric="auc", against="champion", noWorseBy="2%", rows=900)},
        "spec.gates[0].noWorseBy",
    ),
    Case(
        "TIER324",
        {**bounds("metric", noWorseBy="2%"), **gate(metric="auc", against="champion", noWorseBy="50%", rows=900)},
        {**bounds("metric", noWorseBy="2%"), **gate(metric="auc", against="champion", noWorseBy="2%", rows=900)},
        "spec.gates[0].noWorseBy",
    ),
    Case(  # a window that is compared with itself, under another name
        "GATE305",
        {**drift(drift={**DRIFT["drift"], "current": "a.csv"})},  # type: ignore[dict-item]
        {**drift()},
        "spec.gates[0].drift.current",
    ),
    Case(
        "GATE305",
        {**drift(), "lock.data": {"a.csv": LOCKED["a.csv"], "b.csv": _COPY}},
        {**drift()},
        "spec.gates[0].drift.current",
    ),
    Case(
        "TIER325",
        {**guard_bounds("error-rate", limit="2%"), f"{G}.1": {**ERRORS, "baseline": "2.1%"}},
        {**guard_bounds("error-rate", limit="2%"), f"{G}.1": {**ERRORS, "baseline": "2%"}},
        f"{G}[1].detect",
    ),
    Case(
        "TIER325",
        {**guard_bounds("outcome", detect="20%"), f"{G}.0": {"outcome": "ctr", "detect": {"drop": "99.9%"}}},
        {**guard_bounds("outcome", detect="20%"), f"{G}.0": {"outcome": "ctr", "detect": {"drop": "20%"}}},
        f"{G}[0].detect",
    ),
    Case(
        "TIER325",
        {**guard_bounds("error-rate", detect="100%"), f"{G}.1": {**ERRORS, "detect": {"rise": "101%"}}},
        {**guard_bounds("error-rate", detect="100%")},
        f"{G}[1].detect",
    ),
    Case(
        "TIER325",
        {**guard_bounds("error-rate", limit="5%"), f"{G}.1": {"metric": "error-rate", "limit": "6%"}},
        {**guard_bounds("error-rate", limit="5%"), f"{G}.1": {"metric": "error-rate", "limit": "5%"}},
        f"{G}[1].limit",
    ),
    Case(  # a limit instead of a change
        "TIER325",
        {**guard_bounds("outcome", detect="50%"), f"{G}.0": {"outcome": "ctr", "limit": "1.9%"}},
        {**guard_bounds("outcome", detect="50%"), f"{G}.0": CTR_LIMIT},
        f"{G}[0].limit",
    ),
    Case(
        "TIER325",
        {**guard_bounds("error-rate", detect="100%"), f"{G}.1": {"metric": "error-rate", "limit": "50%"}},
        {**guard_bounds("error-rate", detect="100%"), f"{G}.1": {"metric": "error-rate", "baseline": "0.5%", "limit": "1%"}},
        f"{G}[1].limit",
    ),
    Case(
        "TIER325",
        {**guard_bounds("slow-rate", slowerThan="200ms"), f"{G}.1": SLOW},
        {**guard_bounds("slow-rate", slowerThan="250ms"), f"{G}.1": SLOW},
        f"{G}[1].slowerThan",
    ),
    Case(  # so short that every request is slow
        "TIER325",
        {**guard_bounds("slow-rate", slowerThan="1s"), f"{G}.1": {**SLOW, "slowerThan": "9ms"}},
        {**guard_bounds("slow-rate", slowerThan="1s"), f"{G}.1": {**SLOW, "slowerThan": "10ms"}},
        f"{G}[1].slowerThan",
    ),
    Case(
        "TIER325",
        {**guard_bounds("fairness", atMost=0.1), G: [CTR, {**FAIR, "atMost": 0.11}]},
        {**guard_bounds("fairness", atMost=0.1), G: [CTR, FAIR]},
        f"{G}[1].atMost",
    ),
    Case(  # in the shadow
        "TIER325",
        {**guard_bounds("fairness", atMost=0.05), "spec.rollout.shadow": SHADOW},
        {**guard_bounds("fairness", atMost=0.1), "spec.rollout.shadow": SHADOW},
        "spec.rollout.shadow.guards[0].atMost",
    ),
    Case(  # for one environment only
        "TIER325",
        {
            **guard_bounds("outcome", detect="20%"),
            "spec.environments": {"production": {"rollout": {"guards": [{"outcome": "ctr", "detect": {"drop": "90%"}}]}}},
        },
        {
            **guard_bounds("outcome", detect="20%"),
            "spec.environments": {"production": {"rollout": {"guards": [CTR]}}},
        },
        "spec.environments.production.rollout.guards[0].detect",
    ),
    Case(  # nothing measured is not a pass
        "TIER314",
        {"spec.environments": {"production": {"rollout": {"noData": "pass"}}}},
        {"spec.environments": {"production": {"rollout": {"noData": "fail"}}}},
        "spec.environments.production.rollout.noData",
    ),
)  # fmt: skip

CASES = (*EXPOSURE, *APPROVALS, *THRESHOLDS)
