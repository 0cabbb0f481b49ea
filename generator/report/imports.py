"""What an import found: the account of every value, the differences, and the odds of both, as text and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, Literal, TypedDict

from generator.cluster.dry_run import SyncPreview
from generator.lint import FieldChange
from generator.odds.key_metrics import format_figures
from generator.pipeline.imports.account import Leaf
from generator.pipeline.imports.comparison import Compared, Pair
from generator.pipeline.imports.tree import TreeImport
from generator.report.diffs.compare import Difference
from generator.report.diffs.live import sync_differences
from generator.report.diffs.text import SGR
from generator.report.diffs.text import lines as difference_lines
from generator.report.tables import Screen, Table
from generator.report.trees.words import headline
from generator.source.document import dotted
from generator.source.line import visible
from generator.spec.quantities import plural

IMPORT: Final = "sluice/import/v1"
_SHOWN: Final = 4
_LONG: Final = 50
_FIGURES: Final = ("planned time", "power", "false rollback, at most", "requests exposed if bad")


class LeafRecord(TypedDict):
    """One value of an object of the tree."""

    file: str
    object: str
    path: str
    value: str
    status: Literal["imported", "default", "leftover"]
    key: str | None
    why: str | None
    where: str | None


class ChangeRecord(TypedDict):
    """One field that a sync would change, add or remove."""

    model: str
    environment: str
    object: str
    field: str
    old: str | None
    new: str | None
    direction: Literal["looser", "stricter"] | None


class AssumedRecord(TypedDict):
    """A value of a file that the tree does not show."""

    file: str
    key: str
    value: str
    why: str


class OddsRecord(TypedDict):
    """The odds of a release as it is in the tree, or as it would be rendered; in words."""

    release: str
    of: Literal["tree", "plan"]
    text: str


class FindingRecord(TypedDict):
    """What is wrong with a written file."""

    code: str
    severity: str
    place: str
    message: str
    hint: str


class ImportDocument(TypedDict):
    """What `sluice import` found."""

    schema: Literal["sluice/import/v1"]
    models: list[str]
    refused: dict[str, str]
    files: list[str]
    assumed: list[AssumedRecord]
    values: list[LeafRecord]
    changes: list[ChangeRecord]
    odds: list[OddsRecord]
    findings: list[FindingRecord]
    unread: list[str]


def document(found: TreeImport) -> str:
    """Return everything as JSON."""
    content: ImportDocument = {
        "schema": IMPORT,
        "models": [f"{model.team}/{model.name}" for model in found.models],
        "refused": {str(release.object): why for release, why in found.refused},
        "files": sorted(found.files),
        "assumed": [
            {"file": file, "key": key, "value": value, "why": why}
            for file, key, value, why in _assumed(found)
        ],
        "values": [_leaf(leaf) for leaf in found.leaves],
        "changes": [change for one in found.compared for change in _changes(one)],
        "odds": list(_odds(found)),
        "findings": [
            {
                "code": f.code,
                "severity": f.severity,
                "place": str(f.place),
                "message": f.message,
                "hint": f.hint,
            }
            for f in found.findings
        ],
        "unread": list(found.unread),
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _leaf(leaf: Leaf) -> LeafRecord:
    mark = leaf.mark
    return {
        "file": leaf.item.file.name,
        "object": str(leaf.item),
        "path": dotted(leaf.path),
        "value": _value(leaf),
        "status": mark.status,
        "key": mark.key or None,
        "why": mark.why or None,
        "where": mark.where or None,
    }


def _value(leaf: Leaf) -> str:
    """Return a value as text; never that of a Secret."""
    if leaf.item.kind == "Secret" and leaf.path[:1] in (("data",), ("stringData",)):
        return "(secret)"
    return leaf.value if isinstance(leaf.value, str) else json.dumps(leaf.value)


def _assumed(found: TreeImport) -> Iterator[tuple[str, str, str, str]]:
    for one in found.assumed:
        yield "specs/platform.yaml", one.key, one.value, one.why
    for model in found.models:
        for one in model.assumed:
            yield f"{model.path}.yaml", one.key, one.value, one.why


def _changes(compared: Compared) -> Iterator[ChangeRecord]:
    for difference in _differences(compared, full=True):
        for change in difference.changes:
            yield {
                "model": difference.name,
                "environment": compared.environment,
                "object": change.item,
                "field": change.field,
                "old": change.old,
                "new": change.new,
                "direction": difference.direction(change) or None,
            }


def _differences(compared: Compared, *, full: bool) -> Iterator[Difference]:
    """Yield what a sync would change; without `full` no fields and objects that only Sluice has."""
    found = [SyncPreview(pair.after, tuple(_kept(pair, full=full))) for pair in compared.pairs]
    shown = [one for one in found if one.fields]
    yield from sync_differences(compared.team, compared.model, compared.environment, shown)


def _kept(pair: Pair, *, full: bool) -> Iterator[FieldChange]:
    return (one for one in pair.fields if full or one.live is not None)


def _odds(found: TreeImport) -> Iterator[OddsRecord]:
    for release in found.before.releases if found.before else ():
        yield {"release": str(release.release.object), "of": "tree", "text": headline(release)}
    for name, environment, figures in found.after:
        shown = format_figures(figures)
        text = "; ".join(f"{key}: {shown[key]}" for key in _FIGURES)
        yield {"release": f"{name} in {environment}", "of": "plan", "text": text}


def text(found: TreeImport, screen: Screen, *, full: bool) -> str:
    """Return everything as text.

    Args:
        found: the import.
        screen: where it is shown.
        full: also show fields that only Sluice has, and every value that is left over.
    """
    lines: list[str] = []
    lines += screen.title("Imported")
    lines += screen.body(_models(found))
    for title, blocks in (("Assumed: the tree does not show it", list(_assumptions(found))),):
        lines += ["", *screen.title(title), *screen.body(blocks)] if blocks else []
    if found.models:
        lines += [
            "",
            *screen.title("What the first sync would change"),
            *_difference_lines(found, screen, full=full),
        ]
    left = [leaf for leaf in found.leaves if leaf.mark.status == "leftover"]
    lines += [
        "",
        *screen.title(f"Left over: {plural(len(left), 'value')}"),
        *screen.body(_left(left, full=full)),
    ]
    lines += ["", *screen.title("Odds"), *screen.body(_odds_rows(found))]
    if found.findings:
        lines += ["", *screen.title("Findings"), *screen.body(_findings(found))]
    lines += ["", *screen.body(_summary(found, left), "")]
    return "".join(f"{line}\n" for line in lines)


def _models(found: TreeImport) -> Iterator[str | Table]:
    rows = [
        (
            f"{model.path}.yaml",
            visible(str(member.family.main.item)),
            member.home.environment,
            visible(str(member.family.main.item.place(()))),
        )
        for model in found.models
        for member in model.members
    ]
    if rows:
        yield Table.of(rows)
    for release, why in found.refused:
        yield visible(f"not imported: {release.object}: {why}")
    for one in found.unread:
        yield f"not read: {visible(one)}"


def _assumptions(found: TreeImport) -> Iterator[str]:
    for _, key, value, why in dict.fromkeys(_assumed(found)):
        yield f"{key}: {visible(value)} ({visible(why)})"


def _difference_lines(found: TreeImport, screen: Screen, *, full: bool) -> Iterator[str]:
    for compared in found.compared:
        yield from screen.body([visible(f"{compared.team}/{compared.model}, {compared.environment}")])
        for difference in _differences(compared, full=full):
            for line in difference_lines(difference):
                if not line.text.startswith("so "):
                    yield from screen.body(
                        [visible(line.text.removeprefix("live "))], "    ", SGR[line.direction]
                    )
        fields = sum(1 for pair in compared.pairs for one in pair.fields if one.live is None and pair.before)
        new = [pair.after.kind for pair in compared.pairs if pair.before is None]
        if not full:
            text = f"and {plural(fields, 'field')} that only Sluice writes (--full)"
            yield from screen.body([text], "    ")
        if new:
            yield from screen.body([f"new objects: {', '.join(dict.fromkeys(new))}"], "    ")


def _left(left: Sequence[Leaf], *, full: bool) -> Iterator[str]:
    """Yield what is left over, by object and reason: the values, why, and where they could go."""
    if not left:
        yield "nothing"
    whole = {id(leaf.item) for leaf in left if leaf.path == ("kind",)}
    groups: dict[tuple[str, str, str], list[Leaf]] = {}
    for leaf in left:
        name = leaf.item.kind if id(leaf.item) in whole and not full else str(leaf.item)
        groups.setdefault((name, leaf.mark.why, leaf.mark.where), []).append(leaf)
    for (name, why, where), leaves in groups.items():
        yield visible(f"{name}: {_values(leaves, full=full)}")
        yield f"    {visible(why)}{f'; {where}' if where else ''}"


def _values(leaves: Sequence[Leaf], *, full: bool) -> str:
    objects = {str(leaf.item): leaf for leaf in leaves}
    if len(leaves) > _SHOWN and not full:
        count = plural(len(leaves), "value")
        return f"{plural(len(objects), 'object')}, {count}" if len(objects) > 1 else count
    return ", ".join(f"{dotted(leaf.path)} ({_shortened(_value(leaf))})" for leaf in leaves)


def _shortened(value: str) -> str:
    text = visible(value)
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"


def _odds_rows(found: TreeImport) -> Iterator[Table]:
    names = {"tree": "today", "plan": "as a spec"}
    yield Table.of(
        [(visible(one["release"]), names[one["of"]], visible(one["text"])) for one in _odds(found)]
    )


def _findings(found: TreeImport) -> Iterator[str]:
    for one in found.findings:
        if one.severity != "info":
            yield visible(f"{one.severity} {one.code} {one.place}: {one.message}; {one.hint}")


def _summary(found: TreeImport, left: Sequence[Leaf]) -> Iterator[str]:
    for name in dict.fromkeys(leaf.item.file.name for leaf in left if leaf.item.kind == "Secret"):
        yield visible(f"not copied to leftovers/, because it has a Secret: {name}")
    count = Counter(leaf.mark.status for leaf in found.leaves)
    objects = len({id(leaf.item) for leaf in found.leaves})
    yield (
        f"{plural(len(found.leaves), 'value')} of {plural(objects, 'object')}: {count['imported']:,} imported, "
        f"{count['default']:,} {'default' if count['default'] == 1 else 'defaults'}, {len(left):,} left over"
    )
