"""Plans compared with a cluster."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from generator.cluster.dry_run import AT_ONCE, SyncPreview, preview_sync
from generator.cluster.server import connect
from generator.lint import FieldChange, Object
from generator.odds.odds import odds_annotations
from generator.pipeline.session import Session
from generator.plan.changes import Change
from generator.plan.model_files import ModelFiles
from generator.plan.resolve import Planned
from generator.render.bundle import render_bundle
from generator.report.diffs.compare import Comparison, Difference
from generator.report.diffs.records import Status

_LONG: Final = 90
# Names of rendered fields for reviewers.
_WORDS: Final = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"spec\.template\.metadata\.labels\.app\.kubernetes\.io/version", "model version"),
        (r"spec\.template\.metadata\.annotations\.sluice\.dev/model-(digest|ref)", r"model \1"),
        (r"spec\.template\.spec\.containers\[model\]\.image", "image"),
        (r"spec\.template\.spec\.containers\[model\]\.resources\.(requests|limits)\.(\w+)", r"\2 \1"),
        (r"spec\.strategy\.canary\.steps\[(\d+)\]\.setWeight", r"weight at steps[\1]"),
        (r"spec\.strategy\.canary\.steps\[(\d+)\]\.pause\.duration", r"hold at steps[\1]"),
        (r"spec\.strategy\.canary\.(steps\[\d+\](?: \(live\))?)", r"\1"),
        (r"spec\.metrics\[([^\[\]]+)\]\.(success|failure)Condition", r"threshold of \1 (\2)"),
        (r"spec\.metrics\[([^\[\]]+)\]\.provider\.prometheus\.query", r"query of \1"),
        (r"spec\.metrics\[([^\[\]]+)\](.*)", r"guard \1\2"),
        (r"spec\.(min|max)Replicas", r"\1 replicas"),
        (r"spec\.replicas", "replicas"),
        (r"metadata\.annotations\.sluice\.dev/power\.(.*)", r"power of \1"),
        (r"metadata\.annotations\.sluice\.dev/(.*)", r"\1"),
        (r"spec\.template\.metadata\.annotations\.sluice\.dev/gate-key", "gate key"),
    )
)


def with_cluster(
    session: Session,
    entries: Sequence[ModelFiles],
    environment: str,
    kubeconfig: Path | None,
    context: str | None,
) -> tuple[Comparison, str]:
    """Return what a sync of some models would change in an environment's cluster, and the server's address.

    Raises:
        ClusterError: the server can't be queried.
    """
    server = connect(kubeconfig, context, AT_ONCE)
    differences: list[Difference] = []
    for entry in entries:
        resolved = session.resolve(entry)
        error = next((finding for finding in resolved.findings if finding.severity == "error"), None)
        if error:
            reason = f"it can't be planned: {error.place}: {error.message}"
            differences.append(Difference(entry.team, entry.model, environment, "unreadable", reason=reason))
            continue
        planned = next(p for p in resolved.plans if p.plan.identity.environment == environment)
        found = preview_sync(_objects(session, planned), server)
        differences += sync_differences(entry.team, entry.model, environment, found)
    return Comparison(len(entries), 1, differences), server.address


def _objects(session: Session, planned: Planned) -> list[Object]:
    import yaml

    plan = planned.plan
    files = render_bundle(plan, session.templates, odds_annotations(plan))
    return [
        Object.read(yaml.load(text, Loader=yaml.CSafeLoader))
        for name, text in files.items()
        if name.endswith(".yaml")
    ]


def sync_differences(
    team: str, model: str, environment: str, found: Sequence[SyncPreview]
) -> Iterator[Difference]:
    """Yield what a sync of one model would change, and what could not be compared."""
    changes = tuple(change for one in found for change in _changes(one))
    if changes:
        whole = all(not field.path for one in found for field in one.fields) and all(
            one.fields for one in found
        )
        pods = any(
            field.path.startswith("spec.template")
            for one in found
            if one.item.kind == "Rollout"
            for field in one.fields
        )
        status: Status = "added" if whole else "changed"
        yield Difference(team, model, environment, status, changes, starts_release=whole or pods)
    for one in found:
        if one.reason:
            reason = f"{one.item}: {one.reason}"
            yield Difference(team, model, environment, "unreadable", reason=reason)


def _changes(found: SyncPreview) -> Iterator[Change]:
    for field in found.fields:
        item = f"{found.item.kind} {found.item.name}"
        if not field.path:
            yield Change("live", item, "", None, "it is not in the cluster yet")
        else:
            yield Change("live", item, _called(field), _shown(field.live), _shown(field.rendered))


def _called(field: FieldChange) -> str:
    for pattern, words in _WORDS:
        if pattern.fullmatch(field.path):
            return pattern.sub(words, field.path)
    return field.path


def _shown(value: Any) -> str | None:
    """Return a value on one line; for a long text its length and the start of its digest."""
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    if len(text) <= _LONG and "\n" not in text:
        return text
    return f"text of {len(text)} characters ({hashlib.sha256(text.encode()).hexdigest()[:8]})"
