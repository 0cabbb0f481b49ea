"""Requests to revert or halt a version: from a person, an aborted rollout, or a failed daily watch."""

from __future__ import annotations

import json
import re
import sys
from contextlib import nullcontext
from dataclasses import field
from pathlib import Path
from typing import Any, Final

from generator.dataclass import dataclass
from generator.render.alerts import WATCH_FAILED
from generator.source.errors import CliError
from generator.source.line import one_line

SCHEMA: Final = "sluice/abort/v1"
_LONGEST_REASON: Final = 300
_LONGEST_BODY: Final = 10_000_000
_LONGEST_NAME: Final = 200
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?=T)")
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
        notified: a program sent it, and may send it again.
        day: when that happened (ISO 8601); empty if the notification does not say so.
        environment: where a rollout was aborted; empty for the whole model.
    """

    model: str
    reason: str
    digest: str = ""
    halt: bool = False
    notified: bool = False
    day: str = ""
    environment: str = ""


@dataclass(frozen=True, slots=True)
class Notification:
    """The requests in a notification, and why parts of it are none.

    Args:
        requests: one for each version.
        refused: one line for each alert that can't be understood.
    """

    requests: tuple[RevertRequest, ...]
    refused: tuple[str, ...] = ()


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


def from_webhook(file: str) -> Notification:
    """Return the requests in a notification, plain or inside a repository host's event.

    An aborted rollout is one revert; Alertmanager's alerts on failed watches halt each version. An alert that can't be
    understood keeps no other from being one.

    Args:
        file: a path, or `-` for standard input.

    Raises:
        CliError: it is not such a notification.
    """
    document = read_notification(file)
    if _is_alerts(document):
        return _failed_watches(document["alerts"])
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise CliError(
            f"{file} is neither a notification of an abort (`schema: {SCHEMA}`) nor one of Alertmanager (`alerts`)"
        )
    model, digest = _text(document, "model"), _text(document, "digest")
    if _missing(model, digest):
        raise CliError(f"{file} has no model (team/model) or no digest (sha256:…)")
    where = _text(document, "environment")
    reason = _text(document, "reason") or "the rollout was aborted"
    reason = shortened(f"aborted in {where}: {reason}" if where else reason)
    request = RevertRequest(
        model, reason, digest, notified=True, day=_day(_text(document, "at")), environment=where
    )
    return Notification((request,))


def read_notification(file: str) -> Any:
    """Return the JSON document in a file, or what a repository host's event around it contains.

    Raises:
        CliError: it is not JSON, or too large.
    """
    try:
        stream = sys.stdin if file == "-" else Path(file).open(encoding="utf-8")  # noqa: SIM115
        with stream if file != "-" else nullcontext(stream):
            text = stream.read(_LONGEST_BODY + 1)
        if len(text) > _LONGEST_BODY:
            raise CliError(f"{file} is longer than {_LONGEST_BODY // 1_000_000} MB")
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CliError(f"{file} is not valid JSON: {error}") from error
    for _ in range(2):
        if isinstance(document, dict) and isinstance(document.get("client_payload"), dict):
            document = document["client_payload"]
    return document


def shortened(text: str) -> str:
    """Return a reason as one printable line of limited length."""
    clean = one_line(text)
    return clean if len(clean) <= _LONGEST_REASON else clean[: _LONGEST_REASON - 1].rstrip() + "…"


def as_code(text: str) -> str:
    """Return text from elsewhere as code that means nothing to a git host: in Markdown, and in a commit message.

    Code is enough in Markdown. A commit message is plain text, in which hosts look for `[skip ci]`, mentions, numbers
    of issues and addresses; these are taken apart.
    """
    plain = one_line(text).replace("`", "'").replace("[", "(").replace("]", ")")
    plain = re.sub(r"@(?=\w)", "@ ", plain)
    plain = re.sub(r"(?i)([#!]|\bgh-)(?=\d)", r"\1 ", plain)
    plain = re.sub(r"://(?=\S)", ":// ", plain)
    return f"`{re.sub(r'(?i)www[.]', 'www ', plain)}`"


def _missing(model: str, digest: str) -> str:
    """Return which part of a request is missing or invalid; empty if none is."""
    if len(model) > _LONGEST_NAME or not _MODEL.fullmatch(model):
        return "no model (team/model)"
    return "" if _DIGEST.fullmatch(digest) else "no digest (sha256:…)"


def _day(text: str) -> str:
    """Return the day of a time (RFC 3339); empty for anything else."""
    found = _DAY.match(text)
    return found[0] if found else ""


def _text(document: dict[str, Any], key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else ""


# Alertmanager's webhook, version 4 (Alertmanager, docs/configuration.md)


def _is_alerts(document: object) -> bool:
    """Return whether a document is a notification of Alertmanager, complete or only its alerts."""
    return (
        isinstance(document, dict) and "schema" not in document and isinstance(document.get("alerts"), list)
    )


def _failed_watches(alerts: list[Any]) -> Notification:
    """Return one request for each version whose watch failed, in any number of environments."""
    found: dict[tuple[str, str], _Watch] = {}
    refused = []
    for number, alert in enumerate(alerts, 1):
        labels, notes = _texts(alert, "labels"), _texts(alert, "annotations")
        if labels.get("alertname") != WATCH_FAILED or not _is_firing(alert):
            continue
        name, digest = f"{labels.get('team', '')}/{labels.get('model', '')}", notes.get("digest", "")
        missing = _missing(name, digest)
        if missing:
            refused.append(f"alert {number} ({as_code(name[:_LONGEST_NAME])}) has {missing}")
            continue
        watch = found.setdefault((name, digest), _Watch())
        watch.gates.setdefault(labels.get("environment", "?"), notes.get("gates", "its gates"))
        watch.day = max(watch.day, _day(_text(alert, "startsAt")))
    requests = (watch.request(name, digest) for (name, digest), watch in found.items())
    return Notification(tuple(requests), tuple(refused))


@dataclass
class _Watch:
    """What alerts say about the watch of one version: the failed gates by environment, and the last day."""

    gates: dict[str, str] = field(default_factory=dict)
    day: str = ""

    def request(self, name: str, digest: str) -> RevertRequest:
        """Return the request to halt the version."""
        gates = " and ".join(dict.fromkeys(self.gates.values()))
        places = " and ".join(sorted(self.gates))
        reason = shortened(f"the daily watch in {places}: on fresh data it no longer passes {gates}")
        return RevertRequest(name, reason, digest, halt=True, notified=True, day=self.day)


def _is_firing(alert: Any) -> bool:
    return isinstance(alert, dict) and alert.get("status", "firing") == "firing"


def _texts(alert: Any, key: str) -> dict[str, str]:
    value = alert.get(key) if isinstance(alert, dict) else None
    pairs = value.items() if isinstance(value, dict) else ()
    return {name: text for name, text in pairs if isinstance(name, str) and isinstance(text, str)}
