"""Routers."""

from __future__ import annotations

from tests.unit.rules.samples import ALB, COHORT, KEDA, NGINX, NONE_ROUTER, ROUTER, SHADOW, Case, S

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
    *(
        Case("ROUTE602", {ROUTER: router, S: COHORT}, {ROUTER: router}, f"{S}[0].cohort")
        for router in (NGINX, ALB)
    ),
    *(
        Case(
            "ROUTE603",
            {ROUTER: router, "spec.rollout.shadow": SHADOW},
            {ROUTER: router},
            "spec.rollout.shadow",
        )
        for router in (NGINX, ALB)
    ),
    *(
        Case(
            "ROUTE606",
            {ROUTER: {**ALB, key: unset}},
            {ROUTER: ALB},
            f"spec.environments.production.router.{key}",
        )
        for key, unset in (("group", None), ("proxyRanges", []))
    ),
    Case(
        "ROUTE610",
        {ROUTER: NGINX},
        {ROUTER: ALB},
        "spec.environments.production.router.kind",
        "warning",
    ),
    *(
        Case(
            "ROUTE611",
            {ROUTER: {**router, key: bad}},
            {ROUTER: {**router, key: good}},
            f"spec.environments.production.router.{at}",
            severity,
        )
        for router, key, bad, good, at, severity in (
            (NGINX, "group", "models", None, "group", "warning"),
            (
                NGINX,
                "annotations",
                {"nginx.ingress.kubernetes.io/canary": "true"},
                {"nginx.ingress.kubernetes.io/proxy-body-size": "8m"},
                "annotations.nginx.ingress.kubernetes.io/canary",
                "error",
            ),
            (
                ALB,
                "annotations",
                {"argocd.argoproj.io/sync-wave": "5"},
                {"alb.ingress.kubernetes.io/scheme": "internal"},
                "annotations.argocd.argoproj.io/sync-wave",
                "error",
            ),
            (ALB, "proxyRanges", ["10.0.0.1/20"], ["10.0.0.0/20"], "proxyRanges[0]", "error"),
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
