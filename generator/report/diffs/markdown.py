"""A comparison for a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from generator.report.diffs.compare import Comparison, Difference
from generator.report.diffs.groups import Group, groups
from generator.report.diffs.text import shared, shared_rows, size, some
from generator.report.markdown import cell, fold, row
from generator.spec.quantities import plural


def markdown(compared: Comparison, against: str) -> str:
    """Return the groups, then every model, folded."""
    head = f"## {cell(size(compared) if compared.differ else 'Nothing differs')} from {cell(against)}\n"
    if not compared.differ:
        return head
    by_model = [fold(name, "\n".join(told)) for name, told in details(compared.found)]
    return "\n".join([head, radius(compared), *by_model])


def radius(compared: Comparison) -> str:
    """Return the table of differences that several models share, and of bundles of no model; templates below it."""
    out = [row(("how many", "what", "how", "environments", "which")), row(("---:", *["---"] * 4), raw=True)]
    found = groups(compared.found)
    out += [_group(group) for group in found if group.lost]
    out += [row(("the platform", change.key, change.how, "", "")) for change in compared.policies]
    out += [_group(group) for group in found if not group.lost]
    out += [row(line) for line in shared_rows(compared)]
    if compared.templates:
        names = ", ".join(compared.templates)
        out += ["", f"Templates of this repository that differ: {cell(names)}"]
    return "\n".join(out) + "\n"


def _group(group: Group) -> str:
    models = plural(len(group.models), "model")
    return row((models, group.label, group.how, ", ".join(group.environments), some(group.models)))


def details(found: Sequence[Difference]) -> Iterator[tuple[str, list[str]]]:
    """Yield each model with its differences as lines of text."""
    for name, of_model in groupby(found, key=lambda difference: difference.name):
        told = []
        for texts, members in shared(list(of_model)):
            told += [
                ", ".join(filter(None, (m.environment for m in members))),
                *(f"  {line.text}" for line in texts),
            ]
        yield name, told
