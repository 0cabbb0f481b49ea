"""A record of a release that passed, and edits of it."""

from __future__ import annotations

from typing import Any

from generator.gates.records import sealed_record
from generator.spec.release_record import RecordFile
from tests.unit.rules.repository import edited

KEY = "sha256:" + "b" * 64
END = "2026-11-20T12:00:00Z"
_METRIC = {"verdict": "Successful", "failed": 0, "inconclusive": 0, "errors": 0}
PASSED: dict[str, Any] = {
    "subject": {
        "model": "shop/ranker",
        "environment": "staging",
        "version": "7",
        "releaseKey": KEY,
        "modelDigest": "sha256:" + "a" * 64,
        "image": "registry.example.com/models/shop/ranker:7-0123456789ab",
        "bundle": "1d896ed71d96edfe",
    },
    "rollout": {"namespace": "shop-staging", "name": "ranker", "uid": "u-1", "revision": 2, "podHash": "6f9"},
    "phase": "Healthy",
    "aborted": False,
    "current": True,
    "firstRelease": False,
    "start": "2026-11-20T10:00:00Z",
    "end": END,
    "steps": {"planned": 3, "skipped": [], "promoteFull": False},
    "runs": [
        {
            "name": "ranker-6f9-2",
            "kind": "background",
            "step": None,
            "verdict": "Successful",
            "start": "2026-11-20T10:00:00Z",
            "metrics": [{**_METRIC, "name": "ctr", "successful": 100, "last": "[-1.5]"}],
        },
        {
            "name": "ranker-6f9-2-2",
            "kind": "step",
            "step": 2,
            "verdict": "Successful",
            "start": "2026-11-20T11:00:00Z",
            "metrics": [{**_METRIC, "name": "ctr", "successful": 1, "last": "[36000]"}],
        },
    ],
    "traffic": [{"weight": 5, "seconds": 3600.0, "canary": 36000, "stable": 684000}],
    "power": {
        "seen": 0.93,
        "byGuard": {"ctr": 0.93},
        "promised": {"ctr": "99.9%"},
        "least": 0.5,
        "unknown": "",
    },
    "exposed": 36000,
    "promised": {"false-rollback": "5.0%", "exposed-requests": "31383"},
    "waivers": {},
    "pauses": [],
    "controllers": {"argo-rollouts": "1.10"},
    "sluice": "0.2.0",
}


def sample(edits: dict[str, Any] | None = None) -> RecordFile:
    """The record that passed, with values at dotted paths replaced (`...`: null), and sealed."""
    fields = edited(PASSED, edits or {})
    return sealed_record({key: None if value is ... else value for key, value in fields.items()})
