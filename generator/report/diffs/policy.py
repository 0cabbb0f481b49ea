"""The rules of the platform that differ: what it requires of every model, and exemptions from that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from generator.dataclass import dataclass
from generator.plan.inputs import plain_environments
from generator.report.diffs.direction import Strictness, of_rule

_DEFAULTS: Final = {"noData": ["fail", "pause"], "evidence": ["git", "cluster"]}


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """One rule that differs.

    Args:
        key: its key in the platform's `spec`, such as `tiers.standard.ceilings.firstWeight`.
        old: the value before, as written; None for none.
        new: the value now.
        direction: looser, stricter, or neither.
    """

    key: str
    old: str | None
    new: str | None
    direction: Strictness

    @property
    def how(self) -> str:
        """Both values and the direction, on one line."""
        values = f"{self.old or 'none'} → {self.new or 'none'}"
        return f"{values} ({self.direction})" if self.direction else values


def policy_changes(old: Any, new: Any) -> tuple[PolicyChange, ...]:
    """Return the rules that differ between two platform files, looser ones first.

    Args:
        old: the plain values of the older file.
        new: those of the newer one.
    """
    before, after = dict(_rules(old)), dict(_rules(new))
    found = [
        PolicyChange(key, _text(was), _text(now), of_rule(key, was, now))
        for key in dict.fromkeys((*after, *before))
        for was, now in [(before.get(key), after.get(key))]
        if was != now
    ]
    order = ("looser", "", "stricter")
    return tuple(sorted(found, key=lambda change: order.index(change.direction)))


def tier_changes(old: Any, new: Any) -> tuple[PolicyChange, ...]:
    """Return the rules that differ between two tiers, as plain values of the platform file; their keys begin there."""
    before, after = ({"spec": {"tiers": {"": tier}}} for tier in (old, new))
    found = policy_changes(before, after)
    return tuple(replace(change, key=change.key.removeprefix("tiers..")) for change in found)


def _rules(platform: Any) -> Iterator[tuple[str, Any]]:
    spec = _mapping(_mapping(platform).get("spec"))
    for name, tier in _mapping(spec.get("tiers")).items():
        for key in ("ceilings", "requires"):
            yield from _leaves(f"tiers.{name}.{key}", _mapping(tier).get(key))
        yield f"tiers.{name}.requires.noData", _list(_mapping(tier).get("requires"), "noData")
        yield f"tiers.{name}.evidence", _list(tier, "evidence")
        yield f"tiers.{name}.models", _list(tier, "models")
    for name, environment in plain_environments(spec).items():
        needed = _mapping(environment).get("requires")
        yield f"environments.{name}.requires", sorted(needed) if isinstance(needed, (list, dict)) else None
        yield from _leaves(f"environments.{name}.requires", {k: v for k, v in _mapping(needed).items() if v})
    for name, team in _mapping(spec.get("teams")).items():
        yield f"teams.{name}.tiers", _list(team, "tiers")
    for key in ("waivers", "hotFixes", "freezes"):
        yield key, [_text(entry) for entry in _mapping(spec).get(key) or []] or None
    refused = [entry for entry in spec.get("quarantine") or [] if not _mapping(entry).get("released")]
    yield "quarantine", [f"{entry['model']} {entry['digest']}" for entry in refused] or None


def _leaves(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(f"{key}.{name}", inner)
    elif value is not None and not key.endswith(".noData"):
        yield key, value


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(parent: Any, key: str) -> Any:
    return _mapping(parent).get(key, _DEFAULTS.get(key))


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_text(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "yes" if value is True else "no" if value is False else str(value)
