"""Names that lead from one object to another: to an object of the tree, or nobody knows where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.lint.kinds.codes import Issue, issue
from generator.lint.kinds.links import references
from generator.lint.kinds.objects import Object, Objects, Reference, as_map, as_text, together
from generator.source.suggest import misspelt

# A ready cluster has these without anybody writing them down.
_ALWAYS_THERE: Final = frozenset(
    {("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt"), ("AppProject", "default")}
)


def check(objects: Objects) -> Iterator[Issue]:
    """Follow every reference of a tree."""
    for item in objects.all:
        for reference in dict.fromkeys(references(item)):
            if reference.name and objects.get(*reference[1:]) is None:
                yield from _broken(objects, item, reference)


def _broken(objects: Objects, item: Object, reference: Reference) -> Iterator[Issue]:
    """An error when the folder holds objects of that kind, so that the name is the mistake; else a note."""
    path, group, kind, namespace, name = reference
    if (kind, name) in _ALWAYS_THERE or (kind == "Secret" and _promised(objects, namespace, name)):
        return
    here = objects.beside(item, group, kind, namespace)
    where = f" in namespace {namespace}" if namespace else ""
    if here:
        near = misspelt(name, [other.name for other in here])
        guess = f"; did you mean {near}?" if near else f"; there is {', '.join(o.name for o in here[:4])}"
        yield issue(
            item.document, path, "VER150", f"{item} names {kind} {name}, which is not there{where}{guess}"
        )
    else:
        yield issue(
            item.document, path, "VER151", f"{item} names {kind} {name}, which is not in the tree{where}"
        )


def _promised(objects: Objects, namespace: str, name: str) -> bool:
    """Whether an ExternalSecret makes the Secret, under its own name unless it says another."""
    made = objects.of("external-secrets.io", "ExternalSecret")
    near = [item for item in made if together(item.namespace, namespace)]
    return any((as_text(as_map(item.spec.get("target")).get("name")) or item.name) == name for item in near)
