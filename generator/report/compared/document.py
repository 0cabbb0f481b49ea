"""A comparison for programs, and its JSON Schema."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, get_args

from generator.odds.key_metrics import KeyMetrics
from generator.plan.describe import Topic
from generator.report.compared.compare import Comparison, Difference, Status
from generator.report.compared.groups import groups
from generator.report.compared.shared import Status as SharedStatus
from generator.report.formats.json_schema import closed

SCHEMA = "sluice/diff/v1"


def document(compared: Comparison, against: dict[str, str]) -> str:
    """The comparison as JSON; equal comparisons give equal bytes.

    Args:
        compared: what differs.
        against: what it is compared with: `revision` and `commit`, or `cluster`.
    """
    bundles = [difference for difference in compared.found if difference.status != "unreadable"]
    told = {
        "schema": SCHEMA,
        "against": against,
        "models": compared.models,
        "environments": compared.environments,
        "bundles_changed": len(bundles),
        "templates": list(compared.templates),
        "shared_bundles": compared.shared_total,
        "shared_bundles_changed": len(compared.shared),
        "shared": [
            {**asdict(one), "team": one.team or None, "files": list(one.files)} for one in compared.shared
        ],
        "groups": [
            {
                "what": group.label,
                "how": group.text,
                "models": list(group.models),
                "environments": list(group.environments),
            }
            for group in groups(compared.found)
        ],
        "differences": [_difference(difference) for difference in compared.found],
    }
    return json.dumps(told, indent=2, allow_nan=False) + "\n"


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        "team": difference.team,
        "model": difference.model,
        "environment": difference.environment or None,
        "status": difference.status,
        "reason": difference.reason or None,
        "changes": [asdict(change) for change in difference.changes],
        "numbers": {"old": _numbers(difference.old), "new": _numbers(difference.new)},
    }


def _numbers(figures: KeyMetrics | None) -> dict[str, Any] | None:
    return None if figures is None else asdict(figures) | {"approvals": list(figures.approvals)}


def diff_schema() -> dict[str, Any]:
    """What a diff document holds; keys change only with `sluice/diff/v1`."""
    text, maybe = {"type": "string"}, {"type": ["string", "null"]}
    texts, count = {"type": "array", "items": text}, {"type": "integer", "minimum": 0}
    change = closed(
        topic={"enum": list(get_args(Topic))},
        item={**text, "description": "Which one of several; empty where there is one."},
        field={**text, "description": "Name of the value; empty where a whole item came or went."},
        old={**maybe, "description": "Null when there was none."},
        new={**maybe, "description": "Null when there is none any more."},
    )
    number = {"type": ["number", "null"]}
    figures = closed(
        planned_s=number, approvals=texts, power=number, power_first_step=number, false_rollback=number,
        exposed=number, pods_peak=count, monthly=number, currency=text, gates=count, waived=count,
    )  # fmt: skip
    figures["type"] = ["object", "null"]
    difference = closed(
        team=text,
        model=text,
        environment=maybe,
        status={"enum": list(get_args(Status))},
        reason={**maybe, "description": "Why one side can't be planned."},
        changes={"type": "array", "items": change},
        numbers=closed(old=figures, new=figures),
    )
    return {
        "description": "What differs between two states of a repository. Shares are fractions, times are seconds.",
        **closed(
            schema={"const": SCHEMA},
            against={"type": "object", "additionalProperties": text},
            models={**count, "description": "Models there are now."},
            environments={**count, "description": "Environments there are now."},
            bundles_changed=count,
            templates={**texts, "description": "The repository's own templates that differ."},
            shared_bundles={
                **count,
                "description": "Bundles that belong to no model there are now; 0 where they were not compared.",
            },
            shared_bundles_changed=count,
            shared={
                "type": "array",
                "items": closed(
                    environment=text,
                    team={**maybe, "description": "Null for the platform's own."},
                    kind=text,
                    status={"enum": list(get_args(SharedStatus))},
                    files=texts,
                ),
                "description": "Those that differ.",
            },
            groups={
                "type": "array",
                "items": closed(what=text, how=text, models=texts, environments=texts),
                "description": "Equal differences, told once, the widest first.",
            },
            differences={"type": "array", "items": difference},
        ),
    }
