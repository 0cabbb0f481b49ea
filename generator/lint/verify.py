"""`sluice verify`: any tree of rendered files, ours or hand-written, checked without a cluster.

The shape of every object (tables, and the official clients where installed), names that lead nowhere,
selectors and ports that do not meet, the graphs of Workflows, objects that stand twice. What the Rollouts
controller demands beyond that comes in from outside, as rules of the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Final

from generator.lint.kinds import check, clients, delivery, references, selectors, workflow_graph, workloads
from generator.lint.kinds.codes import Issue, issue
from generator.lint.kinds.mistake import Mistake, Sort, dotted
from generator.lint.kinds.objects import Document, Object, Objects
from generator.lint.tree import Positions, Tree, read_tree
from generator.source.finding import Finding, Place

Rule = Callable[[Sequence[Document]], Iterable[Issue]]
"""A check from outside: gets every object of the tree, gives issues with codes of its own."""

_CODES: Final[dict[Sort, str]] = {
    "unknown-kind": "VER110",
    "unknown-field": "VER111",
    "missing": "VER112",
    "type": "VER113",
    "value": "VER114",
    "null": "VER115",
    "choice": "VER116",
}
# Findings that another one at the same place may explain already: the clients repeat the tables, our
# references repeat rules of the caller that know more.
_YIELDING: Final = frozenset({"VER120", "VER121", "VER150", "VER151", "VER152"})


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found in a tree.

    Args:
        findings: sorted by place.
        unchecked: what could not be checked, in sentences.
        files: how many files were read.
        objects: how many Kubernetes objects they hold.
    """

    findings: tuple[Finding, ...]
    unchecked: tuple[str, ...]
    files: int
    objects: int


def verify(root: FilePath, extra_rules: Iterable[Rule] = ()) -> Verification:
    """Verify every YAML and JSON file below a folder, or one file.

    Args:
        root: the folder or the file.
        extra_rules: further checks over all objects of the tree; where one of them has an issue at a path, a
            reference finding of our own there is left out.

    Returns:
        The findings and what was not checked. Bad input is never an exception.
    """
    tree = read_tree(root)
    objects = Objects(tree.documents)
    unchecked = [f"{file} {reason}" for file, reason in tree.ignored]
    given = [found for rule in extra_rules for found in rule(tree.documents)]
    issues = [*tree.issues, *given, *_shapes(tree.documents), *_names(objects), *_relations(objects)]
    issues += clients.check(objects, unchecked)
    unchecked += _unknown_kinds(issues)
    findings = sorted(_placed(tree, _once(issues)), key=Finding.sort_key)
    return Verification(tuple(findings), tuple(unchecked), len(tree.texts), len(tree.documents))


def _shapes(documents: Iterable[Document]) -> Iterator[Issue]:
    for document in documents:
        for problem in check(document.body):
            yield _shape(document, problem)


def _shape(document: Document, problem: Mistake) -> Issue:
    on_key = problem.sort in ("unknown-field", "null", "choice")
    message = str(problem) if problem.sort != "unknown-kind" else problem.message
    return issue(document, problem.path, _CODES[problem.sort], message, on_key=on_key)


def _relations(objects: Objects) -> Iterator[Issue]:
    yield from references.check(objects)
    yield from delivery.check(objects)
    yield from selectors.check(objects)
    yield from workloads.check_resources(objects)
    yield from workflow_graph.check(objects)


def _names(objects: Objects) -> Iterator[Issue]:
    """Objects that stand twice, and namespaces written in some objects of a folder but not in all."""
    seen: dict[tuple[str, str, str, str], Object] = {}
    folders: dict[str, dict[bool, Object]] = {}
    for item in objects.all:
        key = (item.group, item.kind, "" if item.cluster_wide else item.namespace, item.name)
        first = seen.setdefault(key, item)
        if first is not item and item.name:
            where = f"{first.document.file}" if first.document.file != item.document.file else "this file"
            message = f"{item} stands in {where} already"
            yield issue(item.document, ("metadata", "name"), "VER140", message)
        if item.cluster_wide and item.namespace:
            message = f"{item.kind} {item.name} is cluster-wide"
            yield issue(item.document, ("metadata", "namespace"), "VER141", message, on_key=True)
        elif not item.cluster_wide and item.name:
            folders.setdefault(item.folder, {}).setdefault(bool(item.namespace), item)
    for mixed in (found for found in folders.values() if len(found) == 2):
        message = f"{mixed[False]} has no namespace, unlike {mixed[True]} beside it"
        yield issue(mixed[False].document, ("metadata", "name"), "VER142", message)


def _unknown_kinds(issues: Iterable[Issue]) -> list[str]:
    kinds: dict[str, int] = {}
    for found in issues:
        if found.code == "VER110":
            body = found.document.body
            name = f"{body.get('apiVersion')} {body.get('kind')}"
            kinds[name] = kinds.get(name, 0) + 1
    return [
        f"the fields of {name} ({count} in the tree): no table knows this kind"
        for name, count in kinds.items()
    ]


def _once(issues: Sequence[Issue]) -> Iterator[Issue]:
    """Each mistake once: what only repeats another issue at the same path is left out."""
    firm = {(found.document, found.path) for found in issues if found.code not in _YIELDING}
    seen: set[tuple[Document, tuple[str | int, ...], str]] = set()
    for found in issues:
        repeated = found.code in _YIELDING and (found.document, found.path) in firm
        mark = (found.document, found.path, found.message)
        if not repeated and mark not in seen:
            seen.add(mark)
            yield found


def _placed(tree: Tree, issues: Iterable[Issue]) -> Iterator[Finding]:
    """Findings with their place; a file is read a second time, with positions, only when it has one."""
    positions: dict[str, Positions] = {}
    for found in issues:
        document = found.document
        text = tree.texts.get(document.file)
        place, excerpt = found.place or Place(document.file), ""
        if text is not None:
            if document.file not in positions:
                positions[document.file] = Positions(document.file, text)
            whole = (*document.prefix, *found.path)
            place = found.place or positions[document.file].place(document.index, whole, key=found.on_key)
            excerpt = positions[document.file].excerpt(place.line)
        yield Finding(
            code=found.code,
            severity=found.severity,
            message=found.message,
            hint=found.hint,
            place=place,
            path=dotted((*document.prefix, *found.path)),
            excerpt=excerpt,
        )
