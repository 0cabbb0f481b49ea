"""The published definitions of kinds: the file `definitions.txt`, of which a check reads the lines that it needs.

`make kinds` (tests/tools/kinds) writes the file from the custom resource definitions and OpenAPI documents that the
projects publish. A line of its head is a kind; every other line is a node with its digest, a JSON Schema whose
sub-schemas are digests of other lines. What kinds and versions share is there once, and a new version adds few lines.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

Node = dict[str, Any]


class Kind(NamedTuple):
    """The place of a kind's definitions.

    Args:
        project: whose kind it is, such as `argo-rollouts`.
        cluster: its objects live outside any namespace.
        roots: minor version of the project -> the digest of the node, the default version first.
    """

    project: str
    cluster: bool
    roots: dict[str, str]


_HEAD, _NODES = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").split("\n\n")
_LINES: Final = dict(line.split(" ", 1) for line in _NODES.splitlines())
KINDS: Final = {
    (api_version, kind): Kind(*json.loads(row))
    for api_version, kind, row in (line.split(" ", 2) for line in _HEAD.splitlines())
}
"""Every kind with a definition, by apiVersion and kind."""


@cache
def node(digest: str) -> Node:
    """Return one node of the file."""
    found: Node = json.loads(_LINES[digest])
    return found


def root(api_version: str, kind: str, version: str = "") -> str:
    """Return the digest of a kind's node.

    Args:
        api_version: such as `argoproj.io/v1alpha1`.
        kind: such as `Rollout`.
        version: version of its project; empty for the default. For one that the file does not have, the
            newest one before it is used, or the oldest.

    Raises:
        KeyError: there is no such kind.
    """
    roots = KINDS[api_version, kind].roots
    if not version:
        return next(iter(roots.values()))
    older = [known for known in roots if _minor(known) <= _minor(version)]
    return roots[max(older, key=_minor) if older else min(roots, key=_minor)]


def _minor(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])
