"""A status as text and as JSON (`sluice/status/v1`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from generator.cluster.rollout_status import RolloutStatus
from generator.pipeline.status import StatusRow, next_commands, waits
from generator.plan.promotion import standing
from generator.plan.release_key import release_key
from generator.report.characters import width
from generator.report.tables import Screen, Table, shell_lines

SCHEMA: Final = "sluice/status/v1"
_SHORT: Final = len("sha256:") + 12


def text(rows: Sequence[StatusRow], screen: Screen) -> str:
    """Return one block for each model and environment."""
    return "\n".join("".join(f"{line}\n" for line in _lines(row, screen)) for row in rows)


def as_json(rows: Sequence[StatusRow]) -> str:
    """Return all that is known, for programs."""
    document = {"schema": SCHEMA, "models": [_plain(row) for row in rows]}
    return json.dumps(document, indent=2) + "\n"


def _lines(row: StatusRow, screen: Screen) -> Iterator[str]:
    identity = row.plan.identity
    yield from screen.title(f"{identity.team}/{identity.model} in {identity.environment}")
    yield from screen.body([Table.of((f"{label:<8}", text) for label, text in _facts(row))])
    for words, command in next_commands(row):
        yield from _next(words, command, screen)


def _facts(row: StatusRow) -> Iterator[tuple[str, str]]:
    """Yield what is known, with a label where it is about another part."""
    version = row.plan.version
    gates = (f"{name} {verdict}" for name, verdict in row.gates)
    yield "git", f"version {version.label} ({version.digest[:_SHORT]}), image {_image(row)}"
    yield "gates", ", ".join(gates) or "no evidence in git"
    for index, words in enumerate(waits(row)):
        yield "" if index else "entry", words
    if not row.queried:
        return
    if row.sync is None:
        yield "Argo CD", "no Application found"
    else:
        revision = f" at {row.sync.revision[:12]}" if row.sync.revision else ""
        yield "Argo CD", f"{row.sync.sync}, {row.sync.health}{revision}"
        if row.sync.error:
            yield "", row.sync.error
    if row.rollout is not None:
        yield from _live(row.rollout)
    if row.differs:
        yield "DIFFERS", row.differs


def _live(live: RolloutStatus) -> Iterator[tuple[str, str]]:
    yield "cluster", f"{live.phase}{f': {live.message}' if live.message else ''}"
    place = []
    if live.step is not None and live.steps:
        place.append(f"step {min(live.step + 1, live.steps)} of {live.steps}")
    if live.weight is not None:
        place.append(f"{live.weight}% of traffic to the new version")
    if place:
        yield "", ", ".join(place)
    stable = f"stable {live.stable.version or '?'} ({live.stable.pods or '0/0'} pods)"
    moving = live.desired.digest != live.stable.digest
    yield "", f"{stable}{f', new {live.desired.version}' if moving else ''}"
    for item in live.verdicts:
        value = f" {item.value}" if item.value else ""
        reason = f": {item.message}" if item.message else ""
        yield "verdict", f"{item.metric} {item.phase}{value}{reason}"


def _next(words: str, command: str, screen: Screen) -> Iterator[str]:
    """Yield a command that a person can run; one that is too long for its line can still be copied."""
    whole = f"  next      {words}: {command}"
    if screen.limit is None or width(whole) <= screen.limit:
        yield whole
        return
    yield from screen.body([f"next      {words}:"])
    yield from shell_lines(command, screen.limit, "    ")


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
        "promotion": {
            "standing": standing(plan),
            "key": release_key(plan),
            "kept": plan.promotion.key if plan.promotion else None,
            "since": row.since or None,
            "lacks": list(row.lacks),
        },
        "differs": row.differs,
        "commands": [{"what": words, "command": command} for words, command in next_commands(row)],
    }  # fmt: skip
