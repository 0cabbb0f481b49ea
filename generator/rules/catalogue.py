"""Every code that a user can meet: what it means, why it matters, how to mend it."""

from __future__ import annotations

from typing import Final

from generator.lint.rollouts import lint as _lint
from generator.lint.rollouts.registry import RULES as BUNDLE_RULES
from generator.rules import judge as _judge
from generator.rules.entry import Entry
from generator.rules.pins import PINS
from generator.rules.proofs import PROOFS
from generator.rules.registry import RULES
from generator.rules.rendered import RENDERED
from generator.rules.spinnaker import UNSAID
from generator.rules.structural import STRUCTURAL

__all__ = ["CATALOGUE", "Entry"]

_REGISTERED = (_judge.MODULES, _lint.RULE_MODULES)
"""Importing them registers their rules."""


def _catalogue() -> dict[str, Entry]:
    entries = [Entry(rule.code, rule.severity, rule.title, rule.why, rule.fix) for rule in RULES.values()]
    entries += [
        Entry(
            rule.code,
            rule.severity,
            rule.title,
            _why(rule.check.__doc__, rule.origin),
            rule.hint,
        )
        for rule in BUNDLE_RULES.values()
    ]
    entries += [*STRUCTURAL, *PROOFS, *RENDERED, *PINS, *UNSAID.values()]
    codes = [entry.code for entry in entries]
    if len(set(codes)) != len(codes):
        raise ValueError(
            f"codes with two meanings: {sorted({code for code in codes if codes.count(code) > 1})}"
        )
    return {entry.code: entry for entry in sorted(entries, key=lambda entry: entry.code)}


def _why(text: str | None, origin: str) -> str:
    """A rule's reason, and where the controller enforces it."""
    return f"{' '.join((text or '').split())} Source: {origin}."


CATALOGUE: Final[dict[str, Entry]] = _catalogue()
"""Entries by code, sorted."""
