"""Near misses: for each condition of a rule an input that meets all its other conditions."""

from __future__ import annotations

from typing import Any

from tests.unit.rules.repository import CTR, DIGEST, ERRORS, STEPS
from tests.unit.rules.samples import (
    ACCURACY,
    BLUE_GREEN,
    CEILINGS,
    COHORT,
    CTR_LIMIT,
    DRIFT,
    FAIR,
    KEDA,
    LOCKED,
    NONE_ROUTER,
    REQUIRES,
    ROUTER,
    SHADOW,
    SLOW,
    STAGING,
    WAIVER,
    G,
    S,
    measured,
    steps,
)

_LISTED = [{"header": "x-cohort", "exact": "staff", "share": "0.01%"}]
_NO_TRAFFIC = {"spec.traffic": {"designEffect": 2}}
_BLUE = {"spec.rollout": BLUE_GREEN}
_TWO_ENVIRONMENTS = {
    "platform.environments.staging": STAGING,
    "platform.environments.production.requires": ["staging"],
    "spec.replicas": 20,
}
_LIMITED = {**BLUE_GREEN, "guards": [{"metric": "error-rate", "limit": "5%"}]}
_CEILING = {"metric": "error-rate", "baseline": "0.5%", "limit": "5%", "name": "ceiling"}
_RATIO = {"name": "parity", "fairness": "demographic-parity-ratio", "sensitive": ["gender"], "atLeast": 0.8}
_BUDGET = {"platform.teams.shop.budget": {"monthly": "900 EUR"}}
_CUSTOM = {"name": "own", "custom": "registry.example.com/own@sha256:" + "1" * 64, "args": ["{{a}}"]}

NEAR_MISSES: dict[str, tuple[dict[str, Any], ...]] = {
    "CAN102": (
        {"spec.traffic.minRps": 20, G: [{"metric": "error-rate", "baseline": "20%", "detect": {"rise": "100%"}}]},
    ),
    "CAN103": ({"spec.rollout": _LIMITED}, {G: [CTR, FAIR]}),
    "CAN105": (
        {**_NO_TRAFFIC, G: [CTR_LIMIT]},  # unknown traffic
        {"spec.traffic.minRps": 6, G: [CTR]},  # no limit
        {"spec.traffic.minRps": 6, G: [CTR_LIMIT], S: steps((34, "2h"), (50, "2h"))},  # enough at a larger weight
    ),
    "CAN107": (
        {**_NO_TRAFFIC, G: [FAIR]},  # no guard needs traffic
        {**_NO_TRAFFIC, **_BLUE},  # no odds at all
        {f"{G}.0": {"outcome": "ctr", "detect": {"drop": "100%"}}},  # PLAN504
        {"spec.rollout.risk": {"power": "100%"}},  # PLAN506
    ),
    "CAN108": (_BLUE,),
    "CAN109": (
        {"platform.environments.staging": STAGING, "spec.replicas": 20},  # nothing requires it
        {**_TWO_ENVIRONMENTS, **_NO_TRAFFIC},
        {**_TWO_ENVIRONMENTS, **_BLUE},
        {**_TWO_ENVIRONMENTS, G: [FAIR]},  # no odds to mislead
    ),
    "CAN216": (
        {G: [_CEILING], S: [*steps((5, "1m")), {"approve": "boss"}, *steps((25, "1m"))]},  # as long as a person takes
        {G: [_CEILING], S: [{**COHORT[0], "hold": "6m"}, *steps((25, "30s"))]},  # measured with the cohort already
        {"spec.rollout": {**_LIMITED, "watch": "1m"}},  # the old pods stay until it has decided
        {G: [{**FAIR, "noData": "pass"}], S: steps((25, "30s"))},
        {G: [_CEILING], S: steps((25, "0s"))},  # PLAN502
        {"spec.replicas": 4, G: [ERRORS, SLOW], S: steps((5, "60m"), (25, "60m"))},  # CAN213
        {G: [ERRORS, _CEILING], S: steps((5, "30s"), (25, "6m"))},
    ),
    "CAN215": (_BLUE, {S: steps((2, "4h"), (6, "1h")), f"{CEILINGS}.largestIncrease": "50%"}),  # TIER321
    "PLAN518": (
        {"spec.rollout.risk": {"power": "40%"}, f"{CEILINGS}.power": "80%"},  # TIER323
        {"spec.rollout.risk": {"falseRollback": "30%"}, f"{CEILINGS}.falseRollback": "5%"},  # TIER302
    ),
    "CAN110": (
        {G: [{"outcome": "ctr", "limit": "3.6%"}]},  # no comparison
        {G: [CTR, {"metric": "error-rate", "baseline": "4%", "limit": "3.6%"}]},  # of another metric
    ),
    "CAN111": (
        {"spec.outcomes.ctr.baseline": "0.1%", G: [CTR_LIMIT]},  # more are better: none is a failure
        {G: [{"metric": "error-rate", "baseline": "0.001%", "limit": "1%"}]},  # the server counts errors itself
        {**_NO_TRAFFIC, "spec.outcomes.ctr.better": "lower", G: [{"outcome": "ctr", "limit": "8%"}]},
    ),
    "CAN112": (
        {**measured(0.06), f"{G}.0": {"outcome": "ctr", "detect": {"drop": "15%"}}},  # measured for other guards
        {**measured(0.06), "spec.traffic.designEffect": 2.4},  # with which the promise held
        {"calibration.off_peak_rps": 5000.0},  # nothing was tried
        {**measured(0.06), "calibration.environment": "staging"},
    ),
    "CAN140": (
        {"spec.traffic.minRps": 40_000, "spec.outcomes.ctr.delay": None},  # nothing is late
        {"spec.traffic.minRps": 40_000, G: [ERRORS]},
        {
            "spec.traffic.minRps": 40_000,
            "spec.outcomes.ctr.better": "lower",
            f"{G}.0": {"outcome": "ctr", "detect": {"rise": "10%"}},
        },
        _NO_TRAFFIC,
    ),
    "CAN141": (
        {"spec.outcomes.ctr.delay": "21m", G: [ERRORS]},
        {"spec.outcomes.ctr.delay": "21m", **_BLUE},
        {"spec.outcomes.ctr.delay": "21m", f"{S}.1.hold": "0s"},  # PLAN502
    ),
    "CAN151": (
        {ROUTER: NONE_ROUTER, **_BLUE},
        {ROUTER: NONE_ROUTER, S: [{"approve": "boss"}]},  # no weights
        {"spec.replicas": 2},
    ),
    "CAN152": ({G: [ERRORS, CTR_LIMIT]}, _BLUE),
    "CAN210": (
        {S: steps((5, "10m"))},  # no second weight
        {f"{S}.0.hold": "20m", G: [FAIR]},
    ),
    "CAN211": ({"spec.rollout.risk": {"maxExposed": 25_000}, **_NO_TRAFFIC, G: [FAIR]},),
    "CAN212": ({S: steps((4, "4h"), (25, "1h"))}, {S: steps((4, "60m"), (20, "1h"))}),
    "GATE301": ({"spec.gates": [{**ACCURACY}]},),
    "GATE302": ({"spec.gates": [{**DRIFT, "tool": "ks"}], "lock.data": LOCKED},),
    "GATE303": ({"spec.gates": [{"name": "a", "metric": "auc", "atLeast": 0.8, "rows": 900}]},),
    "GATE310": ({"spec.gates": [{**_RATIO, "minGroup": 30}]},),
    "GATE321": ({"spec.gates": [DRIFT], "lock.data": LOCKED},),
    "GATE322": ({"spec.gates": [{**DRIFT, "tool": "psi"}], "lock.data": LOCKED},),
    "GATE331": ({"spec.gates": [_CUSTOM], "platform.tiers.standard.evidence": ["git"]},),
    "PLAN531": (
        {"lock.model.by": "sluice 0.1.0", "platform.tiers.standard.requires.packageHashes": True},
        {"lock.model.by": "sluice 0.1.0", "lock.image": {"digest": DIGEST, "bento": "0" * 12}},
    ),
    "PLAN501": ({S: [*steps((5, "2h")), {"approve": "boss"}, *steps((25, "1h"))]}, _BLUE),
    "PLAN502": ({S: [*steps((5, "2h")), {"approve": "boss"}, *steps((25, "1h"))]}, {"spec.rollout": _LIMITED}),
    "PLAN505": ({"spec.replicas": 5},),
    "PLAN512": (
        {"spec.service.env": [{"name": "A", "secret": {"name": "s", "key": "k"}}]},
        {"spec.service.env": [{"name": "A", "value": "2"}]},
    ),
    "ROUTE602": (
        {ROUTER: {"kind": "traefik"}},
        {"platform.controllers": {"gateway-api-plugin": "0.12", "gateway-api": "1.1"}},  # no cohort
        {
            ROUTER: {"kind": "istio", "gateway": "public", "namespace": "gateways"},
            "platform.controllers": {"gateway-api-plugin": "0.12", "gateway-api": "1.1"},
            S: COHORT,
        },
    ),
    "CAN214": (
        {S: COHORT},  # a cohort of unknown size
        {**_NO_TRAFFIC, G: [FAIR], "platform.cohorts": _LISTED, S: COHORT},
        {"platform.cohorts": _LISTED, S: [{**COHORT[0], "requests": 10}, *COHORT[1:]]},
    ),
    "ROUTE603": ({f"{ROUTER}.implementation": "linkerd"},),
    "ROUTE604": (
        {f"{ROUTER}.implementation": "contour"},
        {"spec.rollout.shadow": {**SHADOW, "percent": "99%"}},
    ),
    "ROUTE605": (
        {f"{ROUTER}.implementation": "kong"},
        {f"{ROUTER}.implementation": "kgateway", "spec.rollout.shadow": SHADOW},
    ),
    "ROUTE607": (
        {ROUTER: NONE_ROUTER, "spec.autoscaling": {"min": 20, "max": 40}, **_BLUE},
        {"spec.autoscaling": {"min": 20, "max": 40}},
    ),
    "ROUTE609": (
        {"platform.controllers": {"kubernetes": "1.34"}, "spec.autoscaling": KEDA, **_BLUE},
        {"platform.controllers": {"kubernetes": "1.34"}, "spec.autoscaling": KEDA, ROUTER: NONE_ROUTER},
        {"platform.controllers": {"kubernetes": "1.34"}, "spec.autoscaling": KEDA, S: steps((12, "2h"), (50, "1h"))},
        {"platform.controllers": {"kubernetes": "1.34"}},
        {"platform.controllers": {"keda": "2.17"}, "spec.autoscaling": {"min": 2, "max": 3}},  # an HPA
        {"spec.autoscaling": KEDA},
    ),
    "TIER301": ({f"{CEILINGS}.firstWeight": "100%", **_BLUE},),
    "TIER302": ({f"{CEILINGS}.falseRollback": "5%", **_BLUE},),
    "TIER303": ({f"{CEILINGS}.longestRollout": "1m", **_BLUE},),
    "TIER308": (_BLUE, {f"{CEILINGS}.maxExposed": 1, **_NO_TRAFFIC, G: [FAIR]}),
    "TIER309": ({f"{CEILINGS}.maxExposed": 50_000, **_NO_TRAFFIC, **_BLUE}, _NO_TRAFFIC, {G: []}),
    "TIER321": (
        {f"{CEILINGS}.largestIncrease": "50%", f"{CEILINGS}.firstWeight": "5%", **_BLUE},  # TIER301
        {f"{CEILINGS}.largestIncrease": "50%"},
    ),
    "TIER322": ({S: steps((5, "1s"), (50, "1h"))},),
    "TIER323": ({"spec.rollout.risk": {"power": "10%"}},),
    "TIER314": ({f"{G}.1": {**ERRORS, "noData": "fail"}},),
    "WAIV702": (
        {
            "platform.waivers": [{**WAIVER, "model": "shop/sorter", "gate": "unit-test"}],
        },  # another model, which has no waiver of this rule
    ),
    "WAIV707": (
        {"platform.waivers": [{**WAIVER, "kind": None, "gate": "none"}]},  # WAIV702
        {"platform.waivers": [{**WAIVER, "kind": None, "model": "shop/sorter"}]},
    ),
    "WAIV708": (
        {"platform.waivers": [{**WAIVER, "kind": None, "digest": DIGEST[:-1] + "b"}]},  # WAIV707
        {"platform.waivers": [{**WAIVER, "kind": "drift", "model": "shop/sorter"}]},
    ),
    "WAIV706": ({"platform.quarantine": []},),
    "PLAT904": (_BLUE,),
    "PLAT908": ({"platform.environments.staging": STAGING, "spec.replicas": 20},),
    "PLAT909": ({**_BUDGET, "platform.prices": None}, {"platform.prices": {"cpuHour": "1 USD"}}),
    "PLAT910": (_BUDGET, {"platform.prices": None}),
    "PLAT930": (
        {"platform.gates": {"inputs": {"url": "http://10.1.2.3:9000/{digest}.tgz"}}},
        {"platform.gates": {"inputs": {"claim": "gate-inputs"}}},
    ),
    "PLAT931": ({"platform.controllers": {"kubernetes": "1.28"}, "platform.admission": "none"},),
    "PLAT942": ({"platform.freezes": [{"environments": ["production"], "cron": "0 16 * * 5", "duration": "1h", "reason": "x"}]},),
    "PLAT943": ({"platform.freezes": [{"environments": ["production"], "cron": "0 16 1 * *", "duration": "30d", "reason": "x"}]},),
    "PLAT944": (
        {"platform.namespaces": "adopt", "platform.environments.production.namespaces": "managed", "platform.environments.production.namespaceLabels": {"mesh": "enabled"}},
        {"platform.environments.staging": STAGING, "platform.environments.staging.namespaces": "adopt", "platform.teams.shop.quota": {"cpu": "400", "memory": "800Gi"}},
    ),
    "PLAT947": (
        {"platform.environments.production.mesh": {"kind": "istio"}, "platform.environments.production.namespaceLabels": {"istio-injection": "enabled"}},
        {"platform.namespaces": "adopt", "platform.environments.production.namespaceLabels": {"istio-injection": "enabled"}},
    ),
    "PLAT914": ({"platform.gates": {"inputs": {"s3": "gates/{digest}.tgz"}}},),
    "PLAT917": (
        {"platform.teams.shop.notify": {"email": ["a@example.com"]}, "platform.notifications": {"email": {"host": "smtp.example.com", "from": "s@example.com"}}},
    ),
    "TIER312": (
        {f"{REQUIRES}.approvals": [], S: steps((5, "2h"), (50, "1h"))},
        {f"{REQUIRES}.approvals": ["boss"], S: [*STEPS[:2], {"approve": "boss"}, STEPS[2]]},
    ),
}  # fmt: skip
"""Edits of the sample repository by the code that they must not trip."""
