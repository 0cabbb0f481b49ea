"""A comparison for programs (`sluice/diff/v1`)."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import cast

from generator.odds.key_metrics import KeyMetrics
from generator.plan.changes import Change
from generator.report.diffs import records
from generator.report.diffs.compare import Comparison, Difference, applies
from generator.report.diffs.groups import groups


def document(compared: Comparison, against: dict[str, str]) -> str:
    """Return the comparison as JSON; equal comparisons give equal bytes.

    Args:
        compared: what differs.
        against: what it is compared with: `revision` and `commit`, or `cluster`.
    """
    bundles = [difference for difference in compared.found if difference.status != "unreadable"]
    content: records.DiffDocument = {
        "schema": records.DIFF,
        "against": against,
        "models": compared.models,
        "environments": compared.environments,
        "bundles_changed": len(bundles),
        "templates": list(compared.templates),
        "shared_bundles": compared.shared_total,
        "shared_bundles_changed": len(compared.shared),
        "shared": [
            {
                "environment": one.environment,
                "team": one.team or None,
                "kind": one.kind,
                "status": one.status,
                "files": list(one.files),
            }
            for one in compared.shared
        ],
        "policies": [
            {"key": one.key, "old": one.old, "new": one.new, "direction": one.direction or None}
            for one in compared.policies
        ],
        "groups": [
            {
                "what": group.label,
                "how": group.text,
                "direction": group.direction or None,
                "models": list(group.models),
                "environments": list(group.environments),
            }
            for group in groups(compared.found)
        ],
        "differences": [_difference(difference) for difference in compared.found],
    }
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def _difference(difference: Difference) -> records.DifferenceRecord:
    return {
        "team": difference.team,
        "model": difference.model,
        "environment": difference.environment or None,
        "status": difference.status,
        "reason": difference.reason or None,
        "starts_release": difference.starts_release,
        "held": difference.held or None,
        "changes": [_change(difference, change) for change in difference.changes],
        "harms": [cast("records.HarmRecord", asdict(harm)) for harm in difference.harms],
        "numbers": {"old": _numbers(difference.old), "new": _numbers(difference.new)},
    }


def _change(difference: Difference, change: Change) -> records.ChangeRecord:
    return {
        "topic": change.topic,
        "item": change.item,
        "field": change.field,
        "old": change.old,
        "new": change.new,
        "direction": difference.direction(change) or None,
        "applies": applies(change) or None,
    }


def _numbers(figures: KeyMetrics | None) -> records.KeyMetricsRecord | None:
    if figures is None:
        return None
    return cast("records.KeyMetricsRecord", asdict(figures) | {"approvals": list(figures.approvals)})
