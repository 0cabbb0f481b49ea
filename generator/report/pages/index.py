"""The page of a whole repository: every team and model, open waivers, budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from generator.odds.key_metrics import format_figures
from generator.odds.track_record import TrackRecord
from generator.render.environment import Templates
from generator.report.overview import OpenWaiver, Overview
from generator.report.track_record import ended
from generator.spec.platform import PlatformSpec
from generator.spec.quantities import money_up, plural

TEMPLATE = "pages/index.html.j2"


def index_page(
    platform: PlatformSpec,
    name: str,
    rows: Sequence[Overview],
    waivers: Sequence[OpenWaiver],
    tracks: Mapping[str, TrackRecord],
    templates: Templates,
    *,
    today: str,
    changed: Mapping[str, str],
    against: str,
) -> str:
    """Return the page as HTML.

    Args:
        platform: the platform.
        name: its name.
        rows: all models, sorted.
        waivers: open waivers, and those that have expired.
        tracks: the track record of each model that has one, by team/model.
        templates: the templates.
        today: the date that days left count from (ISO 8601).
        changed: what a change does to models, by team/model: `changed`, `new` or `starts a release`.
        against: what the plans are compared with; empty for nothing.
    """
    by_team: dict[str, list[Overview]] = {team: [] for team in sorted(platform.teams)}
    for row in rows:
        by_team.setdefault(row.team, []).append(row)
    context = {
        "name": name,
        "today": today,
        "models": len(rows),
        "environments": list(platform.environments),
        "waivers": waivers,
        "expired": sum(1 for waiver in waivers if waiver.days < 0),
        "against": against,
        "changed": len(changed),
        "teams": [_team(platform, team, found, tracks, changed) for team, found in by_team.items()],
        "judged": sum(1 for row in rows if row.state == "pass"),
        "unplanned": sum(1 for row in rows if row.reason),
    }
    return templates.render(TEMPLATE, context)


def _team(
    platform: PlatformSpec,
    name: str,
    rows: Sequence[Overview],
    tracks: Mapping[str, TrackRecord],
    changed: Mapping[str, str],
) -> dict[str, Any]:
    team = platform.teams.get(name)
    return {
        "name": name,
        "owners": ", ".join(team.owners) if team else "unknown to the platform",
        "budget": _budget(platform, name, rows),
        "models": [
            {**_model(row, tracks.get(row.name)), "changed": changed.get(row.name, "")} for row in rows
        ],
    }


def _budget(platform: PlatformSpec, name: str, rows: Sequence[Overview]) -> dict[str, Any]:
    """Return the monthly cost of all models of a team between releases, and its budget."""
    known = [row.monthly for row in rows if row.monthly is not None]
    currency = next((row.figures.currency for row in rows if row.figures and row.figures.currency), "")
    if not known or not currency:
        return {}
    spent, team = sum(known), platform.teams.get(name)
    budget = team.budget.monthly if team and team.budget else None
    if budget is None or budget.currency != currency or not budget.amount:
        return {"text": f"{money_up(spent, currency)} a month, no budget", "share": None, "over": False}
    share = spent / budget.amount
    text = f"{money_up(spent, currency)} of {money_up(budget.amount, currency)} a month ({share * 100:.0f}%)"
    return {"text": text, "share": f"{min(share, 1.0) * 100:.1f}", "over": share > 1}


def _model(row: Overview, track: TrackRecord | None) -> dict[str, Any]:
    numbers = format_figures(row.figures) if row.figures else {}
    return {
        "name": row.model,
        "href": f"{row.team}/{row.model}/index.html",
        "reason": row.reason,
        "tier": row.tier,
        "strategy": row.strategy,
        "version": row.version,
        "weights": row.weights,
        "planned": numbers.get("planned time", ""),
        "power": numbers.get("power", ""),
        "exposed": numbers.get("requests exposed if bad", ""),
        "gates": row.gates,
        "state": row.state,
        "judged": row.judged,
        "waived": ", ".join(row.waived),
        "track": _track(track) if track else "",
        "last": ended(track.last) if track and track.last else "",
        "aborted": bool(track and track.last and track.last.aborted),
    }


def _track(track: TrackRecord) -> str:
    """Describe in a few words how a model's releases ended."""
    false, through = track.false_rollbacks.cases, track.got_through + track.unrecorded
    parts = [plural(track.releases, "release"), f"{track.aborted} aborted"]
    parts += [f"{false} of them falsely"] if false else []
    parts += [f"{through} taken back later"] if through else []
    return ", ".join(parts)
