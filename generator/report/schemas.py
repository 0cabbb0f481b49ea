"""JSON Schemas of everything that people write and programs read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from generator.report.formats import findings_json
from generator.report.sections.schema import plan_schema
from generator.spec.schema import (
    BASE,
    DRAFT,
    evidence_schema,
    identified,
    lock_schema,
    model_schema,
    platform_schema,
)


def _plan() -> dict[str, Any]:
    return identified("plan", "The plans of one model", plan_schema())


def _diff() -> dict[str, Any]:
    from generator.report.compared.document import diff_schema

    return identified("diff", "What differs between two states of a repository", diff_schema())


def _findings() -> dict[str, Any]:
    return {"$schema": DRAFT, "$id": f"{BASE}/findings.json", **findings_json.schema()}


SCHEMAS: Final[Mapping[str, Callable[[], dict[str, Any]]]] = {
    "model": model_schema,
    "platform": platform_schema,
    "lock": lock_schema,
    "evidence": evidence_schema,
    "plan": _plan,
    "diff": _diff,
    "findings": _findings,
}
"""What builds each schema, by the name that `sluice schema` knows."""


def schema_text(name: str) -> str:
    """Return one schema as a file (draft 2020-12); the same bytes every time."""
    return json.dumps(SCHEMAS[name](), indent=2, ensure_ascii=True) + "\n"
