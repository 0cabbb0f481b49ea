"""Pieces of specs and platforms that the cases of the rules share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.unit.rules.repository import DIGEST, STEPS

BLUE_GREEN = {"strategy": "blue-green", "approve": "manual"}
NONE_ROUTER = {"kind": "none"}
NGINX = {"kind": "nginx", "namespace": "ingress-nginx"}
ALB = {"kind": "alb", "group": "models", "proxyRanges": ["10.0.0.0/20"]}
KEDA = {"kind": "keda", "min": 4, "max": 20, "rpsPerPod": 50}
FAIR = {"fairness": "demographic-parity-difference", "sensitive": ["gender"], "atMost": 0.1}
SHADOW = {"percent": "20%", "hold": "24h", "guards": [FAIR]}
CTR_LIMIT = {"outcome": "ctr", "limit": "2%"}
SLOW = {"metric": "slow-rate", "slowerThan": "250ms", "baseline": "2%", "detect": {"rise": "50%"}}
COHORT = [{"cohort": {"header": "x-cohort", "exact": "staff"}, "hold": "10m"}, *STEPS]
ROUTER = "platform.environments.production.router"
CEILINGS = "platform.tiers.standard.ceilings"
REQUIRES = "platform.tiers.standard.requires"
WAIVER = {
    "model": "shop/ranker",
    "gate": "unit-tests",
    "kind": "tests",
    "digest": DIGEST,
    "reason": "r",
    "approvedBy": "boss",
    "until": "2026-11-23",
}
REJECTED = {"model": "shop/ranker", "digest": DIGEST, "reason": "bad", "since": "2026-11-20"}
OUTLIVED = {**REJECTED, "digest": DIGEST[:-1] + "b"}
IMAGE = "sha256:" + "e1" * 32
OTHER_FILES = {**OUTLIVED, "image": IMAGE}
RELEASED = {"by": "boss", "reason": "the events were lost, not the clicks", "at": "2026-11-22"}
HOT_FIX = {
    "model": "shop/ranker",
    "digest": DIGEST,
    "reason": "r",
    "approvedBy": "boss",
    "until": "2026-11-23",
}
ACCEPT = {"code": "CAN107", "reason": "r", "until": "2026-11-23"}
ACCURACY = {"name": "accuracy", "metric": "accuracy", "atLeast": 0.92}
PARITY = {"name": "parity", **FAIR}
DRIFT = {"name": "drift", "drift": {"reference": "a.csv", "current": "b.csv", "features": ["x", "y"]}}
LOCKED = {
    name: {"digest": digest, "resolved": f"{name}#sha256={digest.removeprefix('sha256:')}"}
    for name, digest in (("a.csv", DIGEST), ("b.csv", DIGEST[:-1] + "b"))
}
CONTAINER = {
    "spec.model": None,
    "spec.serve": {
        "image": "registry.example.com/shop/ranker:7",
        "metrics": {
            "requests": {"metric": "http_requests_total"},
            "outcomes": {"ctr": {"metric": "clicks_total"}},
        },
    },
    "spec.service": {"timeout": "2s"},
    "lock.model": {
        "ref": "oci://registry.example.com/shop/ranker:7",
        "resolved": f"oci://registry.example.com/shop/ranker@{DIGEST}",
        "version": "a" * 12,
        "digest": DIGEST,
        "at": "2026-11-23T00:00:00Z",
        "by": "test",
    },
}
STAGING = {"server": "https://other.example.com", "router": {"kind": "none"}}
TWO = ("ranker", "sorter")
TEAM = {"metadata.team": "t" * 30, "platform.teams." + "t" * 30: {"owners": ["x"], "tiers": ["standard"]}}


def measured(low: float, kept: float = 0.04) -> dict[str, object]:
    """A calibration of the sample's guards: fired in 12% of the windows, at least so often; and with a design effect."""
    shares = [(1.0, 0.12, low), (2.4, kept, 0.02)]
    pairs = {
        "guards": "6d804f22d049bc8516a30cfb90b26cf9e2adfbffd5014e1c68477156835e759e",
        "windows": 300,
        "days": 28,
        "promised": 0.05,
        "fired": [
            {"design_effect": effect, "share": {"value": share, "low": least, "high": 0.2}}
            for effect, share, least in shares
        ],
    }
    return {"calibration.stable_against_stable": pairs}


def steps(*pairs: tuple[int, str]) -> list[dict[str, str]]:
    return [{"weight": f"{weight}%", "hold": hold} for weight, hold in pairs]


@dataclass(frozen=True)
class Case:
    """Edits of the sample repository that trip a rule, and edits that nearly do.

    `at` is the key path of the finding; `models` are the models of the repository, all with the edits.
    """

    code: str
    trip: dict[str, Any]
    near: dict[str, Any]
    at: str
    severity: str = "error"
    models: tuple[str, ...] = ("ranker",)


G = "spec.rollout.guards"
S = "spec.rollout.steps"
