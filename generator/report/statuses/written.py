"""A status as text and as JSON (`sluice/status/v1`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from generator.report.statuses.beside import Beside, commands

SCHEMA: Final = "sluice/status/v1"
_SHORT: Final = len("sha256:") + 12


def text(rows: Sequence[Beside]) -> str:
    """One block a model and environment."""
    return "\n".join("".join(f"{line.rstrip()}\n" for line in _lines(row)) for row in rows)


def as_json(rows: Sequence[Beside]) -> str:
    """All that is known, for programs."""
    document = {"schema": SCHEMA, "models": [_plain(row) for row in rows]}
    return json.dumps(document, indent=2) + "\n"


def _lines(row: Beside) -> Iterator[str]:
    plan = row.plan
    yield f"{plan.identity.team}/{plan.identity.model} in {plan.identity.environment}"
    yield f"  git       version {plan.version.label} ({plan.version.digest[:_SHORT]}), image {_image(row)}"
    yield f"  gates     {', '.join(f'{name} {verdict}' for name, verdict in row.gates) or 'no evidence in git'}"
    if not row.asked:
        return
    if row.synced is not None:
        revision = f" at {row.synced.revision[:12]}" if row.synced.revision else ""
        yield f"  Argo CD   {row.synced.sync}, {row.synced.health}{revision}"
        if row.synced.error:
            yield f"            {row.synced.error}"
    else:
        yield "  Argo CD   no Application that can be seen"
    if row.live is not None:
        yield from _live(row)
    if row.differs:
        yield f"  DIFFERS   {row.differs}"
    for words, command in commands(row):
        yield f"  next      {words}: {command}"


def _live(row: Beside) -> Iterator[str]:
    live = row.live
    if live is None:
        return
    yield f"  cluster   {live.phase}{f': {live.message}' if live.message else ''}"
    place = (
        [f"step {min(live.step + 1, live.steps)} of {live.steps}"]
        if live.step is not None and live.steps
        else []
    )
    place += [f"{live.weight} % of traffic to the new version"] if live.weight is not None else []
    if place:
        yield f"            {', '.join(place)}"
    stable = f"stable {live.stable.version or '?'} ({live.stable.pods or '0/0'} pods)"
    moving = live.wanted.digest != live.stable.digest
    yield f"            {stable}{f', new {live.wanted.version}' if moving else ''}"
    for item in live.verdicts:
        said = f": {item.message}" if item.message else ""
        yield f"  verdict   {item.metric} {item.phase}{f' {item.value}' if item.value else ''}{said}"


def _image(row: Beside) -> str:
    digest = row.plan.image.digest
    return digest[:_SHORT] if digest else "by tag"


def _plain(row: Beside) -> dict[str, Any]:
    plan, live = row.plan, row.live
    return {
        "model": f"{plan.identity.team}/{plan.identity.model}",
        "environment": plan.identity.environment,
        "git": {
            "version": plan.version.label,
            "digest": plan.version.digest,
            "image": plan.image.reference,
            "gates": dict(row.gates),
        },
        "argocd": row.synced and {
            "sync": row.synced.sync,
            "health": row.synced.health,
            "revision": row.synced.revision,
            "error": row.synced.error,
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
            "wanted": {"version": live.wanted.version, "digest": live.wanted.digest},
            "verdicts": [
                {"metric": v.metric, "phase": v.phase, "value": v.value, "message": v.message, "run": v.run}
                for v in live.verdicts
            ],
        },
        "differs": row.differs,
        "commands": [{"what": words, "command": command} for words, command in commands(row)],
    }  # fmt: skip
