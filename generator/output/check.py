"""Compare a tree with what would be rendered, and write nothing."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from generator.output.bundle import LEDGER, Bundle
from generator.output.compare import Action
from generator.output.report import CheckReport, in_order
from generator.output.stamp import ledger_key
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
    root: str | os.PathLike[str], bundles: Iterable[Bundle], *, orphaned: Iterable[str] = ()
) -> CheckReport:
    """Compare a tree, byte by byte, with what would be rendered.

    Args:
        root: output root.
        bundles: the bundles as they would be written.
        orphaned: paths of bundles that nothing renders any more, as `orphans` found them.

    Raises:
        OutputError: something can't be read.
    """
    names: defaultdict[str, list[str]] = defaultdict(list)
    findings, keys = [], []
    for path, changes, _ in survey(root, bundles, orphaned):
        for name, action in (*changes.actions.items(), (LEDGER, changes.ledger)):
            names[_KINDS.get(action, "identical")].append(f"{path}/{name}")
        names["orphaned"] += (f"{path}/{name}" for name in changes.temporaries)
        if changes.finding:
            findings.append(changes.finding)
        if changes.settled:
            keys.append(ledger_key(path, changes.record.encode()))
    listed = {kind: tuple(sorted(names[kind])) for kind in dict.fromkeys(_KINDS.values())}
    return CheckReport(**listed, findings=in_order(findings), files=len(names["identical"]), keys=tuple(keys))
