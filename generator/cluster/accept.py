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
from generator.lint import CODES, Code, Object, Problem, Violation, declare
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
declare(
    Code(
        "VER170",
        "error",
        "the cluster refuses an object",
        why="A schema, a CEL rule, an admission policy or Pod Security refused the object in a dry run. The sync will "
        "be refused for the same reason.",
        remedy="Change the field that the server's message names.",
    ),
    Code(
        "VER171",
        "error",
        "the cluster does not serve the kind of an object",
        why="The definition of the kind, or this version of it, is not installed: the sync stops at this object.",
        remedy="Install the controller's definitions, or render for the version that is installed.",
    ),
    Code(
        "VER172",
        "warning",
        "a namespace does not exist in the cluster",
        why="Objects in it could not be checked, neither by schemas nor by the policies of the namespace.",
        remedy="Apply the namespace first, then verify again.",
    ),
    Code(
        "VER173",
        "error",
        "the user may not run a dry run",
        why="A dry run needs the same rights as the change itself; without them the object was not checked.",
        remedy="Use a context whose user may patch these objects: a dry run stores nothing.",
    ),
)

_STEP: Final = re.compile(r"\.?([^.\[\]]+)|\[([^\]]*)\]")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the server said of one object; `answer` is None where it does not serve the kind."""

    item: Object
    answer: Answer | None


def refusals(objects: Sequence[Object], server: Server) -> Iterator[Violation]:
    """Yield what an API server refuses of the objects of a tree, in their order.

    An object without a namespace is sent to `default`.

    Raises:
        ClusterError: the server cannot be reached.
    """
    named = [item for item in objects if item.name and item.kind and item.body.get("apiVersion")]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        verdicts = list(pool.map(lambda item: _ask(server, item), named))
    reported: set[tuple[object, ...]] = set()
    for verdict in verdicts:
        found = _violation(verdict)
        if found is not None and found[0] not in reported:
            reported.add(found[0])
            yield found[1]


def _ask(server: Server, item: Object) -> Verdict:
    api_version = str(item.body["apiVersion"])
    kind = server.kind(api_version, item.kind)
    if kind is None:
        return Verdict(item, None)
    path = path_of(api_version, kind, item.namespace or "default", item.name)
    return Verdict(item, server.request("PATCH", path, _DRY_RUN, dict(item.body), _APPLY))


def _violation(verdict: Verdict) -> tuple[tuple[object, ...], Violation] | None:
    """Return the violation of a refusal, and the part of it that is reported only once."""
    item, answer = verdict.item, verdict.answer
    kind = f"{item.body.get('apiVersion')} {item.kind}"
    if answer is None:
        problem = Problem(("kind",), f"the cluster does not serve {kind}")
        return ("VER171", kind), Violation(item, CODES["VER171"], problem)
    if answer.ok:
        return None
    missing = _NO_NAMESPACE.match(answer.message)
    if missing and answer.status == 404:
        message = f"the namespace {missing[1]} is not in the cluster, so the objects in it were not checked"
        problem = Problem(("metadata", "namespace"), message)
        return ("VER172", missing[1]), Violation(item, CODES["VER172"], problem)
    if answer.status == 403 and _NO_RIGHT.search(answer.message):
        return ("VER173", kind, item.namespace), Violation(item, CODES["VER173"], Problem((), answer.message))
    problem = Problem(_place(answer), f"the cluster refuses {item}: {answer.message}")
    return ("VER170", item), Violation(item, CODES["VER170"], problem)


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
