"""The published definitions of kinds: `definitions.jsonl`, read one line at a time.

The file is written by `make kinds` (tests/tools/kinds) from the custom resource definitions and OpenAPI documents
that the projects publish. Its first line is the index of kinds; every other line is one node, a JSON Schema whose
sub-schemas are numbers of other lines, so that what kinds and versions share stands there once.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

Node = dict[str, Any]

_FILE: Final = Path(__file__).with_name("definitions.jsonl")
_LINES: Final = _FILE.read_text(encoding="utf-8").splitlines()


class Kind(NamedTuple):
    """Where the definitions of a kind are.

    Args:
        project: whose kind it is, such as `argo-rollouts`.
        cluster: its objects live outside any namespace.
        roots: minor version of the project -> the number of the node, the default version first.
    """

    project: str
    cluster: bool
    roots: dict[str, int]


KINDS: Final = {
    (api_version, kind): Kind(*row)
    for api_version, rows in json.loads(_LINES[0]).items()
    for kind, row in rows.items()
}
"""Every kind with a definition, by apiVersion and kind."""


@cache
def node(number: int) -> Node:
    """Return one node of the file."""
    found: Node = json.loads(_LINES[number])
    return found


def root(api_version: str, kind: str, version: str = "") -> int:
    """Return the number of a kind's node.

    Args:
        api_version: such as `argoproj.io/v1alpha1`.
        kind: such as `Rollout`.
        version: minor version of its project; empty for the default. For one that the file does not have, the
            newest one before it stands in, or the oldest.

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
