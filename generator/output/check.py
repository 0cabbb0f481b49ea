"""Compare a tree with what would be rendered, and write nothing."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from generator.output.bundle import LEDGER, Bundle
from generator.output.compare import Action
from generator.output.probe import Probe
from generator.output.report import CheckReport, in_order
from generator.output.survey import survey

_KINDS: Final[dict[Action, str]] = {
    "create": "missing",
    "update": "stale",
    "overwrite": "edited",
    "keep": "edited",
    "delete": "orphaned",
    "foreign": "foreign",
}


def check(
    root: str | os.PathLike[str],
    bundles: Iterable[Bundle],
    *,
    fresh: Iterable[Probe] = (),
    orphaned: Iterable[str] = (),
) -> CheckReport:
    """Tell how a tree differs from what would be rendered.

    Args:
        root: output root.
        bundles: the bundles that had to be rendered to know.
        fresh: probes of those that had not; only their foreign files matter.
        orphaned: paths of bundles that nothing renders any more, as `orphans` found them.

    Raises:
        OutputError: something can't be read.
    """
    names: defaultdict[str, set[str]] = defaultdict(set)
    findings = []
    for path, changes, _ in survey(root, bundles, orphaned):
        for name, action in (*changes.actions.items(), (LEDGER, changes.ledger)):
            names[_KINDS.get(action, "")].add(f"{path}/{name}")
        names["orphaned"].update(f"{path}/{name}" for name in changes.temporaries)
        if changes.finding:
            findings.append(changes.finding)
    names["foreign"].update(*(probe.foreign for probe in fresh))
    listed = {
        kind: tuple(sorted(names[kind])) for kind in ("missing", "stale", "edited", "orphaned", "foreign")
    }
    return CheckReport(**listed, findings=in_order(findings))
