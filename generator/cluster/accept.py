"""Asks an API server whether it would accept objects as they are written: a dry run, strict about fields.

Each object is sent as `kubectl apply --server-side --dry-run=server --validate=strict` sends it: schemas, CEL rules of
custom resources, admission policies and Pod Security judge it, nothing is stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from generator.cluster.server import Answer, Server, path_of
from generator.lint.kinds.codes import Issue, issue
from generator.lint.kinds.objects import Document, Object, object_of
from generator.source.document import Path

AT_ONCE: Final = 8
_DRY_RUN: Final = {
    "dryRun": "All",
    "fieldValidation": "Strict",
    "fieldManager": "sluice-verify",
    "force": "true",
}
_APPLY: Final = "application/apply-patch+yaml"
# What authorization says, unlike admission, which answers 403 as well.
_NO_RIGHT: Final = re.compile(r'is forbidden: User "[^"]*" cannot ')
_NO_NAMESPACE: Final = re.compile(r'^namespaces "([^"]*)" not found$')
_UNKNOWN_FIELD: Final = re.compile(
    r'(?:unknown|duplicate) field "([^"]+)"|^.*?\): (\.[^:]+): field not declared'
)
_STEP: Final = re.compile(r"\.?([^.\[\]]+)|\[([^\]]*)\]")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the server said of one object; `answer` is None where it does not serve the kind."""

    item: Object
    answer: Answer | None


def refusals(documents: Sequence[Document], server: Server) -> Iterator[Issue]:
    """What an API server refuses of the objects of a tree, in their order.

    An object without a namespace is asked for in `default`.

    Raises:
        ClusterError: the server can't be asked.
    """
    items = [object_of(document) for document in documents]
    named = [item for item in items if item.name and item.kind and item.body.get("apiVersion")]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        verdicts = list(pool.map(lambda item: _ask(server, item), named))
    told: set[tuple[str, ...]] = set()
    for verdict in verdicts:
        found = _issue(verdict)
        if found is not None and found[0] not in told:
            told.add(found[0])
            yield found[1]


def _ask(server: Server, item: Object) -> Verdict:
    api_version = str(item.body["apiVersion"])
    kind = server.kind(api_version, item.kind)
    if kind is None:
        return Verdict(item, None)
    path = path_of(api_version, kind, item.namespace or "default", item.name)
    return Verdict(item, server.request("PATCH", path, _DRY_RUN, dict(item.body), _APPLY))


def _issue(verdict: Verdict) -> tuple[tuple[str, ...], Issue] | None:
    """The issue of a refusal, and what of it is told only once."""
    item, answer = verdict.item, verdict.answer
    document, kind = item.document, f"{item.body.get('apiVersion')} {item.kind}"
    if answer is None:
        return ("VER171", kind), issue(document, ("kind",), "VER171", f"the cluster does not serve {kind}")
    if answer.ok:
        return None
    missing = _NO_NAMESPACE.match(answer.message)
    if missing and answer.status == 404:
        message = f"namespace {missing[1]} is not in the cluster, so nothing in it was judged"
        return ("VER172", missing[1]), issue(document, ("metadata", "namespace"), "VER172", message)
    if answer.status == 403 and _NO_RIGHT.search(answer.message):
        return ("VER173", kind, item.namespace), issue(document, (), "VER173", answer.message)
    message = f"the cluster refuses {item}: {answer.message}"
    where = (document.file, str(document.index), str(document.prefix))
    return ("VER170", *where), issue(document, _place(answer), "VER170", message)


def _place(answer: Answer) -> Path:
    """The path of the first field that a refusal names."""
    details = answer.body.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    for cause in causes or ():
        if cause.get("field"):
            return _path(str(cause["field"]))
    found = _UNKNOWN_FIELD.search(answer.message)
    return _path(found[1] or found[2]) if found else ()


def _path(field: str) -> Path:
    """`spec.rules[0].name` or `metadata.labels[a.b/c]` as keys and positions."""
    steps = (name or key for name, key in _STEP.findall(field))
    return tuple(int(step) if step.isdigit() else step for step in steps)
