"""The first lines of a comment: what a merge breaks, starts, applies at once and takes away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from generator.report.diffs.compare import Comparison, Difference, applies
from generator.report.diffs.text import some
from generator.report.markdown import cell
from generator.report.overview import OpenWaiver
from generator.spec.quantities import plural


def consequences(found: Comparison, broken: Mapping[str, str], expired: Sequence[OpenWaiver]) -> list[str]:
    """Return lines in Markdown, the worst first.

    Args:
        found: what differs.
        broken: why models can't be rendered, by team/model.
        expired: waivers that have expired.
    """
    return [
        f"- {line}"
        for line in (*_broken(broken), *_lost(found, expired), *_releases(found), *_at_once(found))
    ]


def _broken(broken: Mapping[str, str]) -> Iterator[str]:
    if broken:
        why = [f"{cell(name)} ({cell(reason)})" for name, reason in sorted(broken.items())]
        yield f"**{plural(len(broken), 'model')} can't be rendered:** {some(why)}"


def _lost(found: Comparison, expired: Sequence[OpenWaiver]) -> Iterator[str]:
    """Yield hosts, guards, models and waivers that are gone; a model under another name is not gone."""
    renamed = _renamed(found.found)
    for old, new in renamed.items():
        yield (
            f"**renamed:** {cell(old)} is {cell(new)} now: its objects are new, and its first release is not analyzed"
        )
    for name, group in groupby(found.found, key=lambda one: one.name):
        of_model = list(group)
        if name not in renamed and any(one.status == "removed" for one in of_model):
            where = ", ".join(one.environment for one in of_model if one.status == "removed")
            pods = sum(one.pods for one in of_model if one.status == "removed")
            yield f"**removed:** {cell(name)} in {cell(where)}: {plural(pods, 'pod')} are deleted on merge"
    hosts = [f"{host} ({one.name})" for one in found.found for host in one.lost_hosts]
    if hosts:
        yield f"**hosts that answer no more:** {cell(some(hosts))}"
    guards = [f"{harm.guard} of {one.name} in {one.environment}" for one in found.found for harm in one.lost]
    if guards:
        yield f"**guards that are gone:** {cell(some(guards))}"
    if expired:
        texts = [f"{one.gate} of {one.model}, on {one.until}" for one in expired]
        yield f"**waivers that expired:** {cell(some(texts))}"


def _renamed(found: Sequence[Difference]) -> dict[str, str]:
    """Return models that are gone and come back under another name with the same bytes."""
    added = {one.artifact: one.name for one in found if one.status == "added"}
    return {
        one.name: added[one.artifact] for one in found if one.status == "removed" and one.artifact in added
    }


def _releases(found: Comparison) -> Iterator[str]:
    starting = [one for one in found.found if one.starts_release]
    held = sum(1 for one in found.found if one.held and not one.starts_release)
    if starting:
        by_place: dict[str, list[str]] = {}
        for one in starting:
            by_place.setdefault(one.environment, []).append(one.name)
        where = "; ".join(f"{place}: {some(names)}" for place, names in by_place.items())
        yield f"**{plural(len(starting), 'release')} start{'s' if len(starting) == 1 else ''}** on merge: {cell(where)}"
    elif found.found:
        yield "no release starts"
    if held:
        yield f"{plural(held, 'release')} wait{'s' if held == 1 else ''} for a promotion"


def _at_once(found: Comparison) -> Iterator[str]:
    """Yield what everybody gets as soon as it is synced."""
    at_once: dict[str, list[str]] = {}
    for one in found.found:
        if one.status == "changed":
            for change in one.changes:
                if applies(change) == "at once":
                    at_once.setdefault(change.label, []).append(f"{one.name} in {one.environment}")
    if at_once:
        changes = "; ".join(f"{label} ({some(names)})" for label, names in at_once.items())
        yield f"**at once, to everybody:** {cell(changes)}"
