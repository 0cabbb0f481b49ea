"""Ceilings and what a tier requires."""

from __future__ import annotations

from tests.unit.rules.cases_ceilings import CASES as CEILING_CASES
from tests.unit.rules.repository import DIGEST, ERRORS
from tests.unit.rules.samples import (
    ACCEPT,
    BLUE_GREEN,
    CEILINGS,
    COHORT,
    CTR_LIMIT,
    DRIFT,
    HOT_FIX,
    IMAGE,
    LOCKED,
    OTHER_FILES,
    OUTLIVED,
    REJECTED,
    RELEASED,
    REQUIRES,
    SHADOW,
    WAIVER,
    Case,
    G,
    S,
    steps,
)

_STAFF = [{"header": "x-cohort", "exact": "staff", "share": "1%"}]
_UNBOUND = {"digest": DIGEST, "resolved": "table:seen@lake"}


def _reads(current: dict[str, str] | str, **locked: object) -> dict[str, object]:
    return {
        "spec.gates": [{**DRIFT, "tool": "ks", "drift": {**DRIFT["drift"], "current": current}}],  # type: ignore[dict-item]
        "lock.data": {**LOCKED, **locked},
        "platform.gates": {"engines": {"lake": "trino"}},
    }


_TABLE = _reads({"table": "seen", "engine": "lake"}, **{"table:seen@lake": _UNBOUND})

CASES = (
    Case("TIER301", {f"{CEILINGS}.firstWeight": "4%"}, {f"{CEILINGS}.firstWeight": "5%"}, f"{S}[0].weight"),
    Case(
        "TIER301",
        {f"{CEILINGS}.firstWeight": "50%", S: [COHORT[0]], G: [], "platform.cohorts": _STAFF},
        {
            f"{CEILINGS}.firstWeight": "50%",
            S: [COHORT[0], *steps((50, "1h"))],
            G: [],
            "platform.cohorts": _STAFF,
        },
        S,
    ),
    Case(
        "TIER302",
        {f"{CEILINGS}.falseRollback": "4%"},
        {f"{CEILINGS}.falseRollback": "5%"},
        "spec.rollout.risk.falseRollback",
    ),
    Case(
        "TIER302",
        {f"{CEILINGS}.falseRollback": "5%", G: [{"outcome": "ctr", "limit": "3.6%"}]},
        {f"{CEILINGS}.falseRollback": "5%", G: [CTR_LIMIT]},
        G,
    ),
    Case("TIER303", {f"{CEILINGS}.longestRollout": "99m"}, {f"{CEILINGS}.longestRollout": "100m"}, S),
    Case(
        "TIER303",
        {f"{CEILINGS}.longestRollout": "25h", "spec.rollout.shadow": SHADOW},
        {f"{CEILINGS}.longestRollout": "25h40m", "spec.rollout.shadow": SHADOW},
        S,
    ),
    Case(
        "TIER304",
        {f"{CEILINGS}.replicas": 3, "spec.replicas": 4},
        {f"{CEILINGS}.replicas": 4, "spec.replicas": 4},
        "spec.replicas",
    ),
    Case(
        "TIER304",
        {f"{CEILINGS}.replicas": 8, "spec.autoscaling": {"min": 2, "max": 9}},
        {f"{CEILINGS}.replicas": 8, "spec.autoscaling": {"min": 2, "max": 8}},
        "spec.autoscaling.max",
    ),
    Case(
        "TIER305",
        {f"{CEILINGS}.cpu": "1", "spec.resources.cpu": "1001m"},
        {f"{CEILINGS}.cpu": "1", "spec.resources.cpu": "1000m"},
        "spec.resources.cpu",
    ),
    Case(
        "TIER306",
        {f"{CEILINGS}.memory": "1Gi", "spec.resources.memory": "1025Mi"},
        {f"{CEILINGS}.memory": "1Gi", "spec.resources.memory": "1024Mi"},
        "spec.resources.memory",
    ),
    Case(
        "TIER310",
        {
            **_reads({"data": "b.csv"}),
            "platform.gates": {"resources": {"memory": "9Gi"}},
            f"{CEILINGS}.gates": {"resources": {"memory": "8Gi"}},
        },
        {
            **_reads({"data": "b.csv"}),
            "platform.gates": {"resources": {"memory": "8Gi"}},
            f"{CEILINGS}.gates": {"resources": {"memory": "8192Mi"}},
        },
        "spec.gates[0]",
    ),
    Case(
        "TIER310",
        {**_reads({"data": "b.csv"}), f"{CEILINGS}.gates": {"resources": {"cpu": "400m"}}},
        {**_reads({"data": "b.csv"}), f"{CEILINGS}.gates": {"resources": {"cpu": "500m", "scratch": "10Gi"}}},
        "spec.gates[0]",
    ),
    Case(
        "TIER310",
        {**_reads({"data": "b.csv"}), f"{CEILINGS}.gates": {"resources": {"scratch": "9Gi"}}},
        {**_reads("b.csv"), f"{CEILINGS}.gates": {"resources": {"scratch": "9Gi"}}},
        "spec.gates[0]",
    ),
    Case(
        "TIER310",
        {**_reads({"data": "b.csv"}), f"{CEILINGS}.gates": {"resources": {"scratch": "9Gi"}}},
        {
            **_reads({"data": "b.csv"}),
            f"{CEILINGS}.gates": {"resources": {"scratch": "9Gi"}},
            "platform.tiers.standard.evidence": ["git"],
        },
        "spec.gates[0]",
    ),
    Case(
        "TIER307",
        {f"{CEILINGS}.gpu": 0, "spec.resources.gpu": 1},
        {f"{CEILINGS}.gpu": 1, "spec.resources.gpu": 1},
        "spec.resources.gpu",
    ),
    Case("TIER308", {f"{CEILINGS}.maxExposed": 20000}, {f"{CEILINGS}.maxExposed": 50000}, S),
    Case(
        "TIER308",
        {f"{CEILINGS}.maxExposed": 50000, "spec.rollout.risk": {"maxExposed": 50001}},
        {f"{CEILINGS}.maxExposed": 50000, "spec.rollout.risk": {"maxExposed": 50000}},
        "spec.rollout.risk.maxExposed",
    ),
    Case(
        "TIER309",
        {f"{CEILINGS}.maxExposed": 50000, "spec.traffic": {"designEffect": 2}},
        {f"{CEILINGS}.maxExposed": 50000, "spec.traffic": {"designEffect": 2, "minRps": 400}},
        "spec.traffic.minRps",
    ),
    *CEILING_CASES,
    Case("TIER311", {f"{REQUIRES}.gates": ["metric"]}, {f"{REQUIRES}.gates": ["tests"]}, "spec.gates"),
    Case(
        "TIER312",
        {f"{REQUIRES}.approvals": ["boss"], S: [*steps((5, "2h"), (50, "1h")), {"approve": "boss"}]},
        {f"{REQUIRES}.approvals": ["boss"], S: [*steps((5, "2h")), {"approve": "boss"}, *steps((50, "1h"))]},
        S,
    ),
    Case(
        "TIER312",
        {f"{REQUIRES}.approvals": ["boss"], "spec.rollout": BLUE_GREEN},
        {f"{REQUIRES}.approvals": ["boss"], "spec.rollout": {**BLUE_GREEN, "approve": "boss"}},
        "spec.rollout.approve",
    ),
    Case("TIER313", {f"{REQUIRES}.imageDigest": True}, {f"{REQUIRES}.imageDigest": False}, "image"),
    Case(
        "TIER341",
        {f"{REQUIRES}.packageHashes": True},
        {f"{REQUIRES}.packageHashes": False},
        "spec.model.framework",
    ),
    Case(
        "TIER343",
        {f"{REQUIRES}.boundData": True, **_TABLE},
        {f"{REQUIRES}.boundData": False, **_TABLE},
        "spec.gates[0].drift.current",
    ),
    Case(
        "TIER343",
        {f"{REQUIRES}.boundData": True, **_TABLE},
        {f"{REQUIRES}.boundData": True, **_reads({"data": "b.csv"})},
        "spec.gates[0].drift.current",
    ),
    Case(
        "TIER343",
        {f"{REQUIRES}.boundData": True, **_TABLE},
        {
            f"{REQUIRES}.boundData": True,
            **_reads({"delta": "seen@4"}, **{"delta:seen@4": {**_UNBOUND, "resolved": "delta:seen@4"}}),
        },
        "spec.gates[0].drift.current",
    ),
    Case(
        "TIER314",
        {"spec.rollout.noData": "pass"},
        {"spec.rollout.noData": "fail"},
        "spec.rollout.noData",
    ),
    Case(
        "TIER314",
        {f"{G}.1": {**ERRORS, "noData": "pass"}},
        {f"{G}.1": {**ERRORS, "noData": "pass"}, f"{REQUIRES}.noData": ["pause", "pass"]},
        f"{G}[1].noData",
    ),
    Case(
        "WAIV701",
        {"platform.waivers": [{**WAIVER, "until": "2026-11-22"}]},
        {"platform.waivers": [WAIVER]},
        "spec.gates[0].name",
    ),
    Case(
        "WAIV702",
        {"platform.waivers": [{**WAIVER, "gate": "unit-test"}]},
        {"platform.waivers": [WAIVER]},
        "spec.waivers[0].gate",
    ),
    Case(
        "WAIV707",
        {"platform.waivers": [{**WAIVER, "kind": None}]},
        {"platform.waivers": [WAIVER]},
        "spec.waivers[0]",
    ),
    Case(
        "WAIV707",
        {"platform.waivers": [{**WAIVER, "digest": None}]},
        {"platform.waivers": [WAIVER]},
        "spec.waivers[0]",
    ),
    Case(
        "WAIV708",
        {"platform.waivers": [{**WAIVER, "kind": "fairness"}]},
        {"platform.waivers": [WAIVER]},
        "spec.waivers[0].kind",
    ),
    Case(
        "WAIV708",
        {"platform.waivers": [{**WAIVER, "digest": OUTLIVED["digest"]}]},
        {"platform.waivers": [WAIVER]},
        "spec.waivers[0].digest",
    ),
    Case(
        "WAIV708",
        {"platform.waivers": [{**WAIVER, "configuration": DIGEST}]},
        {"platform.waivers": [WAIVER]},
        "spec.waivers[0].configuration",
    ),
    Case(
        "WAIV703",
        {"spec.accept": [{**ACCEPT, "until": "2026-11-22"}]},
        {"spec.accept": [ACCEPT]},
        "spec.accept[0].until",
        "warning",
    ),
    Case(
        "WAIV704",
        {"spec.accept": [{**ACCEPT, "code": "CAN199"}]},
        {"spec.accept": [ACCEPT]},
        "spec.accept[0].code",
    ),
    Case(
        "WAIV704",
        {"spec.accept": [{**ACCEPT, "code": "TIER301"}]},
        {"spec.accept": [{**ACCEPT, "code": "CAN212"}]},
        "spec.accept[0].code",
    ),
    Case(
        "WAIV704",
        {"spec.accept": [ACCEPT], f"{REQUIRES}.imageDigest": True},
        {"spec.accept": [{**ACCEPT, "code": "CAN210"}], f"{REQUIRES}.imageDigest": True},
        "spec.accept[0].code",
    ),
    Case(
        "WAIV709",
        {"platform.hotFixes": [{**HOT_FIX, "until": "2026-11-22"}]},
        {"platform.hotFixes": [HOT_FIX]},
        "spec.hotFixes[0].until",
        "warning",
    ),
    Case(
        "WAIV709",
        {"platform.hotFixes": [{**HOT_FIX, "until": "2026-11-25"}]},
        {"platform.hotFixes": [{**HOT_FIX, "until": "2026-11-24"}]},
        "spec.hotFixes[0].until",
    ),
    Case(
        "WAIV709",
        {"platform.hotFixes": [{**HOT_FIX, "digest": DIGEST[:-1] + "b"}]},
        {"platform.hotFixes": [{**HOT_FIX, "model": "shop/sorter"}]},
        "spec.hotFixes[0].digest",
        "warning",
    ),
    Case(
        "WAIV709",
        {"platform.hotFixes": [HOT_FIX], "spec.rollout.guards": []},
        {"spec.rollout.guards": []},
        "spec.hotFixes[0]",
    ),
    Case(
        "WAIV705",
        {"platform.quarantine": [REJECTED]},
        {"platform.quarantine": [{**REJECTED, "digest": DIGEST[:-1] + "b"}]},
        "model.digest",
    ),
    Case(  # under another name
        "WAIV705",
        {"platform.quarantine": [{**REJECTED, "model": "risk/fraud"}]},
        {"platform.quarantine": [{**REJECTED, "released": RELEASED}]},
        "model.digest",
    ),
    Case(  # released once, rejected again
        "WAIV705",
        {"platform.quarantine": [{**REJECTED, "released": RELEASED}, REJECTED]},
        {"platform.quarantine": [{**REJECTED, "released": RELEASED}] * 2},
        "model.digest",
    ),
    Case(  # halted: it may stay where it runs
        "WAIV705",
        {"platform.quarantine": [{**REJECTED, "running": ["production"]}]},
        {"platform.quarantine": [{**REJECTED, "running": ["production"], "released": RELEASED}]},
        "model.digest",
        "warning",
    ),
    Case(  # halted somewhere else
        "WAIV705",
        {"platform.quarantine": [{**REJECTED, "running": ["staging"]}]},
        {"platform.quarantine": [{**REJECTED, "running": ["staging"], "released": RELEASED}]},
        "model.digest",
    ),
    Case(  # the image of a rejected version, next to a good model's digest
        "WAIV705",
        {"platform.quarantine": [OTHER_FILES], "lock.image": {"digest": IMAGE, "bento": "0" * 12}},
        {
            "platform.quarantine": [{**OTHER_FILES, "released": RELEASED}],
            "lock.image": {"digest": IMAGE, "bento": "0" * 12},
        },
        "image.digest",
    ),
    Case(  # another image than the rejected one
        "WAIV705",
        {"platform.quarantine": [OTHER_FILES], "lock.image": {"digest": IMAGE, "bento": "0" * 12}},
        {
            "platform.quarantine": [OTHER_FILES],
            "lock.image": {"digest": DIGEST[:-1] + "e", "bento": "0" * 12},
        },
        "image.digest",
    ),
    Case(  # an entry without an image, and a lock without one
        "WAIV705",
        {"platform.quarantine": [OTHER_FILES, REJECTED]},
        {"platform.quarantine": [OUTLIVED]},
        "model.digest",
    ),
    Case(  # halted, and here it is another model
        "WAIV705",
        {"platform.quarantine": [{**REJECTED, "model": "risk/fraud", "running": ["production"]}]},
        {"platform.quarantine": [{**REJECTED, "digest": DIGEST[:-1] + "b", "running": ["production"]}]},
        "model.digest",
    ),
    Case(
        "WAIV706",
        {"platform.quarantine": [{**OUTLIVED, "running": ["production"]}]},
        {"platform.quarantine": [{**REJECTED, "running": ["production"]}]},
        "spec.quarantine[0].running",
        "warning",
    ),
    Case(  # refused for good by a later entry
        "WAIV706",
        {
            "platform.quarantine": [
                OUTLIVED,
                {**OUTLIVED, "digest": DIGEST[:-1] + "c", "running": ["production"]},
            ]
        },
        {"platform.quarantine": [{**OUTLIVED, "running": ["production"]}, OUTLIVED]},
        "spec.quarantine[1].running",
        "warning",
    ),
)
