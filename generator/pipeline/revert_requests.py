"""Requests to revert or halt a version: from a person, an aborted rollout, or a failed daily watch."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from generator.render.alerts import WATCH_FAILED
from generator.source.errors import CliError
from generator.source.line import one_line

SCHEMA: Final = "sluice/abort/v1"
_LONGEST_REASON: Final = 300
_MODEL: Final = re.compile(r"[a-z][a-z0-9-]*/[a-z][a-z0-9-]*")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class RevertRequest:
    """A request to revert a version, or to halt it.

    Args:
        model: team/model.
        reason: one line.
        digest: of the rejected version; empty for the current one.
        halt: put the version in quarantine, and leave it where it runs.
    """

    model: str
    reason: str
    digest: str = ""
    halt: bool = False


def from_person(model: str | None, reason: str | None, *, halt: bool = False) -> RevertRequest:
    """Return the request of a command line.

    Raises:
        CliError: something is missing.
    """
    if not model:
        raise CliError("name a model: sluice revert TEAM/MODEL --reason TEXT")
    if not reason or not reason.strip():
        raise CliError("give a reason with --reason: it is recorded in platform.yaml with the digest")
    return RevertRequest(model, shortened(reason), halt=halt)


def from_webhook(file: str) -> list[RevertRequest]:
    """Return the requests in a notification, plain or inside a repository host's event.

    An aborted rollout is one revert; Alertmanager's alerts on failed watches halt each version.

    Args:
        file: a path, or `-` for standard input.

    Raises:
        CliError: it is not such a notification.
    """
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CliError(f"{file} is not valid JSON: {error}") from error
    for _ in range(2):
        if isinstance(document, dict) and isinstance(document.get("client_payload"), dict):
            document = document["client_payload"]
    if _is_alerts(document):
        return [_checked(file, request) for request in _failed_watches(document)]
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise CliError(
            f"{file} is neither a notification of an abort (`schema: {SCHEMA}`) nor one of Alertmanager (`alerts`)"
        )
    where = _text(document, "environment")
    reason = _text(document, "reason") or "the rollout was aborted"
    reason = f"aborted in {where}: {reason}" if where else reason
    return [_checked(file, RevertRequest(_text(document, "model"), reason, _text(document, "digest")))]


def shortened(text: str) -> str:
    """Return a reason as one printable line of limited length."""
    clean = one_line(text)
    return clean if len(clean) <= _LONGEST_REASON else clean[: _LONGEST_REASON - 1].rstrip() + "…"


def _checked(file: str, request: RevertRequest) -> RevertRequest:
    """Return a checked request, with its reason on one line.

    Raises:
        CliError: the model or the digest is invalid.
    """
    if not _MODEL.fullmatch(request.model) or not _DIGEST.fullmatch(request.digest):
        raise CliError(f"{file} has no model (team/model) or no digest (sha256:…)")
    return replace(request, reason=shortened(request.reason))


def _text(document: dict[str, Any], key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else ""


# Alertmanager's webhook, version 4 (Alertmanager, docs/configuration.md)


def _is_alerts(document: object) -> bool:
    """Return whether a document is a notification of Alertmanager, complete or only its alerts."""
    return (
        isinstance(document, dict) and "schema" not in document and isinstance(document.get("alerts"), list)
    )


def _failed_watches(document: dict[str, Any]) -> Iterator[RevertRequest]:
    """Yield one request for each version whose watch failed, in any number of environments."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for alert in document["alerts"]:
        labels, notes = _texts(alert, "labels"), _texts(alert, "annotations")
        if labels.get("alertname") != WATCH_FAILED or not _is_firing(alert):
            continue
        name = f"{labels.get('team', '')}/{labels.get('model', '')}"
        environments = found.setdefault((name, notes.get("digest", "")), {})
        environments.setdefault(labels.get("environment", "?"), notes.get("gates", "its gates"))
    for (name, digest), environments in found.items():
        gates = " and ".join(dict.fromkeys(environments.values()))
        places = " and ".join(sorted(environments))
        reason = f"the daily watch in {places}: on fresh data it no longer passes {gates}"
        yield RevertRequest(name, reason, digest, halt=True)


def _is_firing(alert: Any) -> bool:
    return isinstance(alert, dict) and alert.get("status", "firing") == "firing"


def _texts(alert: Any, key: str) -> dict[str, str]:
    value = alert.get(key) if isinstance(alert, dict) else None
    pairs = value.items() if isinstance(value, dict) else ()
    return {name: text for name, text in pairs if isinstance(name, str) and isinstance(text, str)}
