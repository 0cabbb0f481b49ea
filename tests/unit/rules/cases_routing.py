"""Routers."""

from __future__ import annotations

from tests.unit.rules.samples import COHORT, KEDA, NONE_ROUTER, ROUTER, SHADOW, Case, S

CASES = (
    Case("ROUTE602", {ROUTER: {"kind": "traefik"}, S: COHORT}, {S: COHORT}, f"{S}[0].cohort"),
    *(
        Case(
            "ROUTE602",
            {"platform.controllers": {key: old}, S: COHORT},
            {"platform.controllers": {key: new}, S: COHORT},
            f"{S}[0].cohort",
            severity,
        )
        for key, old, new, severity in (
            ("gateway-api-plugin", "0.12", "0.15", "error"),
            ("gateway-api-plugin", "0.14.1", "0.15.0", "warning"),
            ("gateway-api", "1.1", "1.2", "error"),
        )
    ),
    Case(
        "ROUTE603",
        {f"{ROUTER}.implementation": "linkerd", "spec.rollout.shadow": SHADOW},
        {f"{ROUTER}.implementation": "cilium", "spec.rollout.shadow": SHADOW},
        "spec.rollout.shadow",
    ),
    Case(
        "ROUTE603",
        {ROUTER: NONE_ROUTER, "spec.replicas": 20, "spec.rollout.shadow": SHADOW},
        {ROUTER: {"kind": "traefik"}, "spec.rollout.shadow": SHADOW},
        "spec.rollout.shadow",
    ),
    Case(
        "ROUTE604",
        {f"{ROUTER}.implementation": "contour", "spec.rollout.shadow": {**SHADOW, "percent": "99%"}},
        {f"{ROUTER}.implementation": "contour", "spec.rollout.shadow": {**SHADOW, "percent": "100%"}},
        "spec.rollout.shadow.percent",
    ),
    Case(
        "ROUTE605",
        {f"{ROUTER}.implementation": None, "spec.rollout.shadow": SHADOW},
        {f"{ROUTER}.implementation": None, "spec.rollout.shadow": {**SHADOW, "percent": "100%"}},
        "spec.rollout.shadow.percent",
        "warning",
    ),
    Case(
        "ROUTE606",
        {f"{ROUTER}.gateway": None},
        {ROUTER: {"kind": "traefik"}},
        "spec.environments.production.router.gateway",
    ),
    Case(
        "ROUTE607",
        {ROUTER: NONE_ROUTER, "spec.autoscaling": {"min": 20, "max": 40}},
        {ROUTER: NONE_ROUTER, "spec.replicas": 20},
        "spec.autoscaling",
        "warning",
    ),
    Case(
        "ROUTE609",
        {"platform.controllers": {"kubernetes": "1.34"}, "spec.autoscaling": {**KEDA, "max": 10}},
        {"platform.controllers": {"kubernetes": "1.34"}, "spec.autoscaling": {**KEDA, "max": 9}},
        "spec.autoscaling",
        "warning",
    ),
    Case(
        "ROUTE609",
        {"platform.controllers": {"kubernetes": "1.34"}, "spec.autoscaling": {"min": 2, "max": 3}},
        {"platform.controllers": {"kubernetes": "1.35"}, "spec.autoscaling": {"min": 2, "max": 3}},
        "spec.autoscaling",
        "warning",
    ),
    Case(
        "ROUTE608",
        {ROUTER: {"kind": "traefik"}, "platform.controllers": {"argo-rollouts": "1.9.3"}},
        {ROUTER: {"kind": "traefik"}, "platform.controllers": {"argo-rollouts": "1.10.2"}},
        "spec.controllers.argo-rollouts",
        "warning",
    ),
)
