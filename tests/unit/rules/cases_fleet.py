"""The platform, and models side by side."""

from __future__ import annotations

from typing import Any

from tests.unit.rules.repository import PLATFORM
from tests.unit.rules.samples import STAGING, TWO, WAIVER, Case

_LISTED = {"platform.teams.shop.hosts": ["a.example.com"]}
_EU = {"name": "eu", "server": "https://eu.example.com"}
_US = {"name": "us", "server": "https://us.example.com"}


def _rings(*rings: dict[str, str]) -> dict[str, Any]:
    return {
        "platform.environments.production.server": None,
        "platform.environments.production.rings": list(rings),
        "spec.replicas": 20,
    }


_TWO_TEAMS = {"platform.teams.ads": {"owners": ["x@example.com"], "tiers": ["standard"]}}
_HOLIDAYS = {
    "environments": ["production"],
    "from": "2026-11-22T00:00",
    "to": "2026-11-24T06:00",
    "reason": "sale",
}
_WEEKENDS = {"environments": ["production"], "cron": "0 16 * * 5", "duration": "64h", "reason": "weekend"}
_DOMAIN = "shop.production.models.internal"
_SAME_CLUSTER = PLATFORM["environments"]["production"]  # type: ignore[index]

_QUOTA = {"platform.teams.shop.quota": {"cpu": "80", "memory": "80Gi"}}
_IN_CLUSTER = {"platform.tiers.standard.evidence": ["cluster"], "spec.replicas": 4}
TEAM = {"owners": ["x@example.com"], "tiers": ["standard"]}
CASES = (
    Case(
        "TEAM801",
        {"platform.teams.shop.quota": {"cpu": "4999m", "memory": "80Gi"}},
        {"platform.teams.shop.quota": {"cpu": "5", "memory": "80Gi"}},
        "spec.teams.shop.quota.cpu",
        models=TWO,
    ),
    Case(
        "TEAM801",
        {"platform.teams.shop.quota": {"cpu": "80", "memory": "80Gi"}, "spec.resources.gpu": 1},
        {"platform.teams.shop.quota": {"cpu": "80", "memory": "80Gi", "gpu": 4}, "spec.resources.gpu": 1},
        "spec.teams.shop.quota.gpu",
    ),
    Case(
        "TEAM801",
        {**_QUOTA, "platform.teams.shop.quota.storage": f"{8 + 11 - 1}Gi", **_IN_CLUSTER},
        {**_QUOTA, "platform.teams.shop.quota.storage": f"{8 + 11}Gi", **_IN_CLUSTER},
        "spec.teams.shop.quota.storage",
    ),
    Case(
        "TEAM801",
        {**_QUOTA, "platform.teams.shop.quota.objects": 12, "spec.replicas": 6},
        {**_QUOTA, "platform.teams.shop.quota.objects": 13, "spec.replicas": 6},
        "spec.teams.shop.quota.objects",
    ),
    Case(
        "TEAM802",
        {"platform.teams.shop.budget": {"monthly": "24 EUR"}},
        {"platform.teams.shop.budget": {"monthly": "25 EUR"}},
        "spec.teams.shop.budget.monthly",
    ),
    Case(
        "TEAM802",
        {"platform.teams.shop.budget": {"monthly": "30 EUR"}, "spec.autoscaling": {"min": 2, "max": 3}},
        {"platform.teams.shop.budget": {"monthly": "40 EUR"}, "spec.autoscaling": {"min": 2, "max": 3}},
        "spec.teams.shop.budget.monthly",
        "warning",
    ),
    Case("TEAM803", {"spec.traffic.hosts": ["a.example.com"], **_LISTED}, {}, "spec.traffic.hosts[0]", models=TWO),
    Case(  # in two environments of one cluster
        "TEAM803",
        {"spec.traffic.hosts": ["a.example.com"], **_LISTED, "platform.environments.staging": _SAME_CLUSTER},
        {"platform.environments.staging": _SAME_CLUSTER},
        "spec.traffic.hosts[0]",
    ),
    Case(  # the default host of another model, which does not use it
        "TEAM803",
        {"spec.traffic.hosts": [f"sorter.{_DOMAIN}", f"x.{_DOMAIN}"]},
        {},
        "spec.traffic.hosts[0]",
        models=("ranker", "sorter"),
    ),
    Case("TEAM804", {"spec.traffic.hosts": ["login.example.com"]}, {"spec.traffic.hosts": [f"x.{_DOMAIN}"]}, "spec.traffic.hosts[0]"),
    Case("TEAM804", {"spec.traffic.hosts": ["a.example.com"]}, {"spec.traffic.hosts": ["a.example.com"], **_LISTED}, "spec.traffic.hosts[0]"),
    Case("TEAM804", {"spec.traffic.hosts": ["x.a.example.com"], **_LISTED}, {"spec.traffic.hosts": [_DOMAIN]}, "spec.traffic.hosts[0]"),
    Case("TEAM804", {"spec.traffic.hosts": [f"my{_DOMAIN}"]}, {"spec.traffic.hosts": [f"my.{_DOMAIN}"]}, "spec.traffic.hosts[0]"),
    Case("TEAM804", {"spec.traffic.hosts": [f"x.{_DOMAIN}.example.com"]}, {"spec.traffic.hosts": [f"x.y.{_DOMAIN}"]}, "spec.traffic.hosts[0]"),
    Case("TEAM804", {"spec.traffic.hosts": [f"xn--shp-hna.{_DOMAIN}"]}, {"spec.traffic.hosts": [f"xn-shp.{_DOMAIN}"]}, "spec.traffic.hosts[0]"),
    Case(  # for one environment only
        "TEAM804",
        {"spec.environments": {"production": {"traffic": {"hosts": ["argocd.example.com"]}}}},
        {"spec.environments": {"production": {"traffic": {"hosts": [f"x.{_DOMAIN}"]}}}},
        "spec.environments.production.traffic.hosts[0]",
    ),
    Case(
        "TEAM805",
        {"platform.environments.staging": {**_SAME_CLUSTER, "domain": _DOMAIN}},
        {"platform.environments.staging": {**_SAME_CLUSTER, "domain": f"x{_DOMAIN}"}},
        "spec.teams.shop",
    ),
    Case(
        "TEAM805",
        {"platform.teams.ads": {"owners": ["x"], "tiers": ["standard"], "hosts": [f"x.{_DOMAIN}"]}},
        {"platform.teams.ads": {"owners": ["x"], "tiers": ["standard"], "hosts": ["x.example.com"]}},
        "spec.teams.ads.hosts[0]",
    ),
    Case(  # production-shop, from two sides
        "NAME407",
        {
            "platform.environments.production-shop": _SAME_CLUSTER,
            "platform.teams.shop-ads": {"owners": ["x"], "tiers": ["standard"]},
            "platform.teams.ads": {"owners": ["x"], "tiers": ["standard"]},
        },
        {
            "platform.environments.production-eu": _SAME_CLUSTER,
            "platform.teams.shop-ads": {"owners": ["x"], "tiers": ["standard"]},
            "platform.teams.ads": {"owners": ["x"], "tiers": ["standard"]},
        },
        "spec.teams.ads",
    ),
    Case(
        "NAME408",
        {"spec.traffic.names": {"service": "recs"}},
        {"spec.traffic.hosts": []},
        "spec.traffic.names.service",
        models=TWO,
    ),
    Case(  # what the other model gets after a change of its strategy
        "NAME408",
        {"spec.environments": {"production": {"traffic": {"names": {"newService": "sorter-preview"}}}}},
        {"spec.traffic.hosts": []},
        "spec.environments.production.traffic.names.newService",
        models=TWO,
    ),
    Case(
        "PLAT901",
        {"platform.waivers": [{**WAIVER, "model": "shop/rankers"}]},
        {"platform.waivers": [WAIVER]},
        "spec.waivers[0].model",
    ),
    Case(
        "PLAT902",
        {"platform.waivers": [WAIVER, WAIVER]},
        {"platform.waivers": [WAIVER, {**WAIVER, "model": "shop/sorter"}]},
        "spec.waivers[1]",
        models=TWO,
    ),
    Case(
        "PLAT903",
        {"platform.teams.shop.tiers": ["standard", "standart"]},
        {"platform.teams.shop.tiers": ["standard", "standard"]},
        "spec.teams.shop.tiers[1]",
    ),
    Case(
        "PLAT904",
        {"platform.environments.production.requires": ["staging"]},
        {
            "platform.environments.production.requires": ["staging"],
            "platform.environments.staging": STAGING,
            "spec.replicas": 20,
        },
        "spec.environments.production.requires[0]",
    ),
    Case(
        "PLAT905",
        {
            "platform.environments.staging": {**STAGING, "requires": ["production"]},
            "platform.environments.production.requires": ["staging"],
            "spec.replicas": 20,
        },
        {
            "platform.environments.staging": STAGING,
            "platform.environments.production.requires": ["staging"],
            "spec.replicas": 20,
        },
        "spec.environments.staging.requires[0]",
    ),
    Case(
        "PLAT906",
        {"platform.tiers.spare": {"defaults": {"rollout": {"risk": {"falseRollbacks": "5%"}}}}},
        {"platform.tiers.spare": {"defaults": {"rollout": {"risk": {"falseRollback": "5%"}}}}},
        "spec.tiers.spare.defaults.rollout.risk.falseRollbacks",
    ),
    Case(
        "PLAT906",
        {"platform.tiers.spare": {"defaults": {"rollout": {"watch": "soon"}}}},
        {"platform.tiers.spare": {"defaults": {"rollout": {"watch": "5m"}}}},
        "spec.tiers.spare.defaults.rollout.watch",
    ),
    Case(
        "PLAT907",
        {"platform.tiers.spare": {"defaults": {"tier": "spare"}}},
        {"platform.tiers.spare": {"defaults": {"replicas": 3}}},
        "spec.tiers.spare.defaults.tier",
    ),
    Case(
        "PLAT908",
        {"platform.environments.production.namespace": "models"},
        {"platform.environments.production.namespace": "models-{team}"},
        "spec.environments.production.namespace",
    ),
    Case(
        "PLAT908",
        {
            "platform.environments.production.namespace": "{team}",
            "spec.replicas": 20,
            "platform.environments.staging": {
                **STAGING,
                "server": "https://kubernetes.default.svc",
                "namespace": "{team}",
            },
        },
        {
            "platform.environments.production.namespace": "{team}",
            "spec.replicas": 20,
            "platform.environments.staging": {**STAGING, "namespace": "{team}"},
        },
        "spec.environments.staging.namespace",
    ),
    Case(
        "PLAT908",
        {"platform.environments.production.namespace": "{team}", "platform.teams.argo-rollouts": TEAM},
        {"platform.environments.production.namespace": "{team}", "platform.teams.argo-rolls": TEAM},
        "spec.environments.production.namespace",
    ),
    Case(
        "PLAT908",
        {"platform.environments.production.namespace": "{team}-system", "platform.teams.envoy-gateway": TEAM},
        {"platform.environments.production.namespace": "{team}-systems", "platform.teams.envoy-gateway": TEAM},
        "spec.environments.production.namespace",
    ),
    Case(
        "PLAT908",
        {"platform.environments.production.namespace": "kube-{team}"},
        {"platform.environments.production.namespace": "kub-{team}"},
        "spec.environments.production.namespace",
    ),
    Case(
        "PLAT908",
        {
            "platform.environments.production.namespace": "{team}",
            "spec.replicas": 20,
            "platform.environments.staging": {
                **STAGING,
                "server": "https://Kubernetes.default.svc:443/",
                "namespace": "{team}",
            },
        },
        {
            "platform.environments.production.namespace": "{team}",
            "spec.replicas": 20,
            "platform.environments.staging": {**STAGING, "namespace": "{team}"},
        },
        "spec.environments.staging.namespace",
    ),
    Case(
        "PLAT930",
        {"platform.gates": {"inputs": {"url": "https://store.example.com/{digest}.tgz"}}},
        {"platform.gates": {"inputs": {"url": "https://store.minio.svc/{digest}.tgz"}}},
        "spec.gates.inputs.url",
        severity="warning",
    ),
    Case(
        "PLAT930",
        {"platform.gates": {"inputs": {"s3": "{digest}.tgz"}}},
        {
            "platform.gates": {
                "inputs": {"s3": "{digest}.tgz"},
                "egress": [{"namespace": "minio", "ports": [9000]}],
            }
        },
        "spec.gates.inputs.s3",
        severity="warning",
    ),
    Case(
        "PLAT931",
        {"platform.controllers": {"kubernetes": "1.26"}, "platform.admission": "none"},
        {"platform.controllers": {"kubernetes": "1.27"}, "platform.admission": "none"},
        "spec.controllers.kubernetes",
    ),
    Case(
        "PLAT909",
        {"platform.teams.shop.budget": {"monthly": "900 USD"}},
        {"platform.teams.shop.budget": {"monthly": "900 EUR"}},
        "spec.teams.shop.budget.monthly",
    ),
    Case(
        "PLAT909",
        {"platform.prices": {"cpuHour": "1 EUR", "gpuHour": "1 USD"}},
        {"platform.prices": {"cpuHour": "1 EUR", "gpuHour": "1 EUR"}},
        "spec.prices",
    ),
    Case(
        "PLAT910",
        {"platform.teams.shop.budget": {"monthly": "900 EUR"}, "platform.prices": None},
        {"platform.prices": None},
        "spec.teams.shop.budget",
        "warning",
    ),
    Case(
        "PLAT911",
        {"platform.controllers": {"kubernetes": "1.29"}},
        {"platform.controllers": {"kubernetes": "1.30.2"}},
        "spec.controllers.kubernetes",
    ),
    Case(
        "PLAT911",
        {"platform.controllers": {"kubernetes": "1.9"}},
        {"platform.controllers": {"kubernetes": "1.9"}, "platform.admission": "none"},
        "spec.controllers.kubernetes",
    ),
    Case(
        "PLAT912",
        {"platform.prometheus.address": "https://scrape:Tr0ub4dor@prometheus.example.com"},
        {"platform.prometheus.address": "https://prometheus.example.com"},
        "spec.prometheus.address",
    ),
    Case(
        "PLAT913",
        {"platform.teams.shop.owners": ["a@b.example", "the shop team"]},
        {"platform.teams.shop.owners": ["a@b.example", "@acme/shop-team"]},
        "spec.teams.shop.owners[1]",
        "warning",
    ),
    Case("PLAT915", {**_TWO_TEAMS, "platform.owners": []}, _TWO_TEAMS, "spec.owners", "warning"),
    Case("PLAT915", {**_TWO_TEAMS, "platform.owners": ["the team"]}, {"platform.owners": []}, "spec.owners", "warning"),
    Case("PLAT913", {"platform.owners": ["@"]}, {"platform.owners": ["@a"]}, "spec.owners[0]", "warning"),
    Case(
        "PLAT914",
        {"platform.gates": {"daily": "14:30", "inputs": {"s3": "gates/{digest}.tgz"}}},
        {"platform.gates": {"daily": "14:30", "inputs": {"claim": "inputs"}}},
        "spec.gates.daily",
    ),
    Case("PLAT919", {"git": True, "platform.git.root": "ml"}, {"git": True}, "spec.git.root"),
    Case("PLAT919", {"git": True, "platform.git.root": "ml"}, {"platform.git.root": "ml"}, "spec.git.root"),
    *(
        Case("PLAT946", _rings(*rings), _rings(_EU, _US), f"spec.environments.production.rings{path}")
        for rings, path in (
            ((_EU,), ""),
            ((_EU, {**_US, "name": "eu"}), "[1].name"),
            ((_EU, {**_US, "server": "https://EU.example.com:443/"}), "[1].server"),
            (({**_EU, "soak": "1h"}, _US), "[0].soak"),
        )
    ),
    Case(
        "PLAT946",
        {**_rings(_EU, _US), "platform.environments.production-us": STAGING},
        {**_rings(_EU, _US), "platform.environments.production-asia": STAGING, "spec.replicas": 20},
        "spec.environments.production.rings[1].name",
    ),
    Case(
        "PLAT920",
        {"platform.monitoring": {"retention": "30d", "alerts": {}}},
        {"platform.monitoring": {"retention": "31d", "alerts": {}}},
        "spec.monitoring.retention",
    ),
    Case(
        "PLAT920",
        {"platform.monitoring": {"retention": "7d"}},
        {"platform.monitoring": {"retention": "8d"}},
        "spec.monitoring.retention",
    ),
    Case(
        "PLAT917",
        {"platform.teams.shop.notify": {"slack": ["shop-ml"]}},
        {
            "platform.teams.shop.notify": {"slack": ["shop-ml"]},
            "platform.notifications": {"slack": {"token": "slack-token"}},
        },
        "spec.teams.shop.notify.slack",
    ),
    Case(
        "PLAT917",
        {"platform.teams.shop.notify": {"webhooks": ["pager"]}, "platform.notifications": {}},
        {
            "platform.teams.shop.notify": {"webhooks": ["pager"]},
            "platform.notifications": {"webhooks": {"pager": {"url": "https://pager.example.com"}}},
        },
        "spec.teams.shop.notify.webhooks[0]",
    ),
    Case(
        "PLAT941",
        {"platform.freezes": [{**_HOLIDAYS, "environments": ["production", "prod"]}]},
        {"platform.freezes": [_HOLIDAYS]},
        "spec.freezes[0].environments[1]",
    ),
    Case(
        "PLAT942",
        {"platform.freezes": [{**_HOLIDAYS, "to": "2026-11-22T23:59"}]},
        {"platform.freezes": [_HOLIDAYS]},
        "spec.freezes[0]",
        "warning",
    ),
    Case(
        "PLAT943",
        {"platform.freezes": [_HOLIDAYS, {**_WEEKENDS, "duration": "7d"}]},
        {"platform.freezes": [_HOLIDAYS, _WEEKENDS]},
        "spec.freezes[1].duration",
    ),
    Case(
        "PLAT901",
        {"platform.environments.production.argocd": {"applications": {"shop/rankr": "ranking"}}},
        {"platform.environments.production.argocd": {"applications": {"shop/ranker": "ranking"}}},
        "spec.environments.production.argocd.applications.shop/rankr",
    ),
    Case(
        "PLAT944",
        {"platform.namespaces": "adopt", "platform.environments.production.namespaceLabels": {"mesh": "enabled"}},
        {"platform.environments.production.namespaceLabels": {"mesh": "enabled"}},
        "spec.environments.production.namespaceLabels",
        "warning",
    ),
    Case(
        "PLAT944",
        {"platform.environments.production.namespaces": "adopt", "platform.environments.production.namespaceAnnotations": {"example.com/mesh": "enabled"}},
        {"platform.environments.production.namespaces": "adopt"},
        "spec.environments.production.namespaceAnnotations",
        "warning",
    ),
    Case("PLAT944", {"platform.namespaces": "adopt", **_QUOTA}, _QUOTA, "spec.teams.shop.quota", "warning"),
    Case(
        "PLAT944",
        {"platform.namespaces": "adopt", "platform.environments.production.teams": {"shop": {"quota": {"cpu": "80", "memory": "80Gi"}}}},
        {"platform.namespaces": "adopt", "platform.environments.production.teams": {"shop": {}}},
        "spec.environments.production.teams.shop.quota",
        "warning",
    ),
    Case(
        "PLAT948",
        {"platform.environments.production.argocd": {"projects": {"shopp": "shop-models"}}},
        {"platform.environments.production.argocd": {"projects": {"shop": "shop-models"}}},
        "spec.environments.production.argocd.projects.shopp",
    ),
    Case(  # two teams would share a project
        "NAME407",
        {**_TWO_TEAMS, "platform.environments.production.argocd": {"projects": {"shop": "production-ads"}}},
        {**_TWO_TEAMS, "platform.environments.production.argocd": {"projects": {"shop": "production-shops"}}},
        "spec.teams.ads",
    ),
    Case(
        "PLAT948",
        {"platform.environments.production.teams": {"shopp": {}}},
        {"platform.environments.production.teams": {"shop": {}}},
        "spec.environments.production.teams.shopp",
    ),
    Case(
        "TEAM801",
        {**_QUOTA, "platform.environments.production.teams": {"shop": {"quota": {"cpu": "1", "memory": "80Gi"}}}},
        {"platform.teams.shop.quota": {"cpu": "1", "memory": "80Gi"}, "platform.environments.production.teams": {"shop": {"quota": {"cpu": "80", "memory": "80Gi"}}}},
        "spec.environments.production.teams.shop.quota.cpu",
    ),
    Case(
        "TEAM802",
        {"platform.environments.production.teams": {"shop": {"budget": {"monthly": "20 EUR"}}}},
        {"platform.environments.staging": {**STAGING, "teams": {"shop": {"budget": {"monthly": "20 EUR"}}}}, "spec.environments": {"staging": {"replicas": 1}}, "spec.replicas": 4},
        "spec.environments.production.teams.shop.budget.monthly",
    ),
    *(
        Case(
            "PLAT947",
            {f"platform.environments.production.{key}": {label: value}},
            {f"platform.environments.production.{key}": {label: off}},
            f"spec.environments.production.{key}.{label}",
        )
        for key, label, value, off in (
            ("namespaceLabels", "istio-injection", "enabled", "disabled"),
            ("namespaceLabels", "istio.io/rev", "1-28", "false"),
            ("namespaceAnnotations", "linkerd.io/inject", "enabled", "disabled"),
        )
    ),
)  # fmt: skip
