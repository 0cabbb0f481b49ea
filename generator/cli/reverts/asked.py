"""What a revert is asked for: by a person, by the webhook of an aborted rollout, or by that of a failed watch."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from generator.cli.reverts.alerts import failed_watches, is_alerts
from generator.source.errors import CliError
from generator.source.line import one_line

SCHEMA: Final = "sluice/abort/v1"
_REASON: Final = 300
_MODEL = re.compile(r"[a-z][a-z0-9-]*/[a-z][a-z0-9-]*")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A revert.

    Args:
        model: team/model.
        reason: one line.
        digest: of the version that was rejected; empty for whatever is there.
        halt: only halt: quarantine, and leave the version where it runs.
    """

    model: str
    reason: str
    digest: str = ""
    halt: bool = False


def from_person(model: str | None, reason: str | None, *, halt: bool = False) -> Asked:
    """What the command line says.

    Raises:
        CliError: something is missing.
    """
    if not model:
        raise CliError("name a model: sluice revert TEAM/MODEL --reason TEXT")
    if not reason or not reason.strip():
        raise CliError("say why with --reason: it stays in platform.yaml beside the digest")
    return Asked(model, short(reason), halt=halt)


def from_webhook(file: str) -> list[Asked]:
    """What a notification says, bare or as a host of repositories hands it on.

    An aborted rollout is one revert; of Alertmanager's alerts, each version whose watch failed is halted.

    Args:
        file: a path, or `-` for standard input.

    Raises:
        CliError: it is no such notification.
    """
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CliError(f"{file} is no JSON: {error}") from error
    for _ in range(2):
        if isinstance(document, dict) and isinstance(document.get("client_payload"), dict):
            document = document["client_payload"]
    if is_alerts(document):
        return [
            _named(file, Asked(model, reason, digest, halt=True))
            for model, digest, reason in failed_watches(document)
        ]
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise CliError(
            f"{file} is no notification of an abort, nor of Alertmanager: "
            f"its `schema` is not {SCHEMA}, and it has no list `alerts`"
        )
    where = _text(document, "environment")
    said = _text(document, "reason") or "the rollout was aborted"
    reason = f"aborted in {where}: {said}" if where else said
    return [_named(file, Asked(_text(document, "model"), reason, _text(document, "digest")))]


def _named(file: str, asked: Asked) -> Asked:
    """The same with a reason that fits a line.

    Raises:
        CliError: it names nothing that could be reverted.
    """
    if not _MODEL.fullmatch(asked.model) or not _DIGEST.fullmatch(asked.digest):
        raise CliError(f"{file} names no model (team/model) and digest (sha256:…)")
    return replace(asked, reason=short(asked.reason))


def short(text: str) -> str:
    """A reason as a line of a file: printable, on one line, not too long."""
    clean = one_line(text)
    return clean if len(clean) <= _REASON else clean[: _REASON - 1].rstrip() + "…"


def _text(document: dict[str, Any], key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else ""
