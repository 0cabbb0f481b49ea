"""What a call does, noted while it does it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from generator.output.bundle import LEDGER
from generator.output.compare import Action, Changes
from generator.output.report import WriteReport, in_order
from generator.output.stamp import ledger_key
from generator.source.finding import Finding

Verb = Literal["created", "updated", "overwritten", "identical", "deleted", "kept_edited"]

_VERBS: Final[dict[Action, Verb]] = {
    "create": "created",
    "update": "updated",
    "overwrite": "overwritten",
    "identical": "identical",
    "delete": "deleted",
    "keep": "kept_edited",
}


@dataclass(slots=True)
class Journal:
    """Collects what is done to many bundles.

    Changes are noted before they are made: when a bundle has to be tried again, what the second try finds
    identical stays what the first one made of it.
    """

    verbs: dict[str, Verb] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)
    keys: list[bytes] = field(default_factory=list)

    def note(self, path: str, changes: Changes) -> None:
        """Note all changes of a bundle."""
        self.note_finding(changes)
        for name, action in (*changes.actions.items(), (LEDGER, changes.ledger)):
            if action == "identical":
                self.verbs.setdefault(f"{path}/{name}", "identical")
            elif action in _VERBS:
                self.verbs[f"{path}/{name}"] = _VERBS[action]

    def note_rendered(self, path: str, changes: Changes) -> None:
        """Note that a bundle now holds what was rendered."""
        self.keys.append(ledger_key(path, changes.record.encode()))

    def note_finding(self, changes: Changes) -> None:
        """Note only that the ledger of a bundle is damaged, if it is."""
        if changes.finding:
            self.findings.setdefault(changes.finding.place.file, changes.finding)

    def report(self) -> WriteReport:
        """Sum it up."""
        return WriteReport(
            created=self._paths("created"),
            updated=self._paths("updated"),
            overwritten=self._paths("overwritten"),
            deleted=self._paths("deleted"),
            kept_edited=self._paths("kept_edited"),
            identical=len(self._paths("identical")),
            findings=in_order(self.findings.values()),
            keys=tuple(self.keys),
        )

    def _paths(self, verb: Verb) -> tuple[str, ...]:
        return tuple(sorted(path for path, done in self.verbs.items() if done == verb))
