"""A status as text and as JSON (`sluice/status/v1`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from generator.pipeline.status import StatusRow, next_commands

SCHEMA: Final = "sluice/status/v1"
_SHORT: Final = len("sha256:") + 12


def text(rows: Sequence[StatusRow]) -> str:
    """One block a model and environment."""
    return "\n".join("".join(f"{line.rstrip()}\n" for line in _lines(row)) for row in rows)


def as_json(rows: Sequence[StatusRow]) -> str:
    """All that is known, for programs."""
    document = {"schema": SCHEMA, "models": [_plain(row) for row in rows]}
    return json.dumps(document, indent=2) + "\n"


def _lines(row: StatusRow) -> Iterator[str]:
    plan = row.plan
    yield f"{plan.identity.team}/{plan.identity.model} in {plan.identity.environment}"
    yield f"  git       version {plan.version.label} ({plan.version.digest[:_SHORT]}), image {_image(row)}"
    yield f"  gates     {', '.join(f'{name} {verdict}' for name, verdict in row.gates) or 'no evidence in git'}"
    if not row.queried:
        return
    if row.sync is not None:
        revision = f" at {row.sync.revision[:12]}" if row.sync.revision else ""
        yield f"  Argo CD   {row.sync.sync}, {row.sync.health}{revision}"
        if row.sync.error:
            yield f"            {row.sync.error}"
    else:
        yield "  Argo CD   no Application that can be seen"
    if row.rollout is not None:
        yield from _live(row)
    if row.differs:
        yield f"  DIFFERS   {row.differs}"
    for words, command in next_commands(row):
        yield f"  next      {words}: {command}"


def _live(row: StatusRow) -> Iterator[str]:
    live = row.rollout
    if live is None:
        return
    yield f"  cluster   {live.phase}{f': {live.message}' if live.message else ''}"
    place = (
        [f"step {min(live.step + 1, live.steps)} of {live.steps}"]
        if live.step is not None and live.steps
        else []
    )
    place += [f"{live.weight}% of traffic to the new version"] if live.weight is not None else []
    if place:
        yield f"            {', '.join(place)}"
    stable = f"stable {live.stable.version or '?'} ({live.stable.pods or '0/0'} pods)"
    moving = live.desired.digest != live.stable.digest
    yield f"            {stable}{f', new {live.desired.version}' if moving else ''}"
    for item in live.verdicts:
        said = f": {item.message}" if item.message else ""
        yield f"  verdict   {item.metric} {item.phase}{f' {item.value}' if item.value else ''}{said}"


def _image(row: StatusRow) -> str:
    digest = row.plan.image.digest
    return digest[:_SHORT] if digest else "by tag"


def _plain(row: StatusRow) -> dict[str, Any]:
    plan, live = row.plan, row.rollout
    return {
        "model": f"{plan.identity.team}/{plan.identity.model}",
        "environment": plan.identity.environment,
        "git": {
            "version": plan.version.label,
            "digest": plan.version.digest,
            "image": plan.image.reference,
            "gates": dict(row.gates),
        },
        "argocd": row.sync and {
            "sync": row.sync.sync,
            "health": row.sync.health,
            "revision": row.sync.revision,
            "error": row.sync.error,
        },
        "cluster": live and {
            "phase": live.phase,
            "message": live.message,
            "step": live.step,
            "steps": live.steps,
            "weight": live.weight,
            "aborted": live.aborted,
            "pauses": list(live.pauses),
            "stable": {"version": live.stable.version, "digest": live.stable.digest},
            "wanted": {"version": live.desired.version, "digest": live.desired.digest},
            "verdicts": [
                {"metric": v.metric, "phase": v.phase, "value": v.value, "message": v.message, "run": v.run}
                for v in live.verdicts
            ],
        },
        "differs": row.differs,
        "commands": [{"what": words, "command": command} for words, command in next_commands(row)],
    }  # fmt: skip
