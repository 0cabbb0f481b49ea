"""What Alertmanager's webhook says of failed watches: its form is version 4 of docs/configuration.md there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generator.render.alerts import WATCH_FAILED


def is_alerts(document: object) -> bool:
    """Whether a document is a notification of Alertmanager, with all of it or only its alerts."""
    return (
        isinstance(document, dict) and "schema" not in document and isinstance(document.get("alerts"), list)
    )


def failed_watches(document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Model (team/model), digest and reason of each version whose watch failed, whatever else is told.

    One version may fail in several environments: it is told once, with all of them. Nothing of this is trusted yet.
    """
    found: dict[tuple[str, str], dict[str, str]] = {}
    for alert in document["alerts"]:
        labels, notes = (_texts(alert, key) for key in ("labels", "annotations"))
        if labels.get("alertname") != WATCH_FAILED or not _fires(alert):
            continue
        name = f"{labels.get('team', '')}/{labels.get('model', '')}"
        where = found.setdefault((name, notes.get("digest", "")), {})
        where.setdefault(labels.get("environment", "?"), notes.get("gates", "its gates"))
    for (name, digest), where in found.items():
        gates = " and ".join(dict.fromkeys(where.values()))
        places = " and ".join(sorted(where))
        yield name, digest, f"the daily watch in {places}: on fresh data it no longer passes {gates}"


def _fires(alert: Any) -> bool:
    return isinstance(alert, dict) and alert.get("status", "firing") == "firing"


def _texts(alert: Any, key: str) -> dict[str, str]:
    value = alert.get(key) if isinstance(alert, dict) else None
    pairs = value.items() if isinstance(value, dict) else ()
    return {name: text for name, text in pairs if isinstance(name, str) and isinstance(text, str)}
