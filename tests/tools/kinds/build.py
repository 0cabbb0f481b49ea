"""Writes `generator/lint/kinds/definitions.txt` from what the projects publish: `make kinds`.

Needs Go and its module proxy; the same modules give the same bytes. Prints which fields came and went.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from math import inf
from pathlib import Path
from typing import Final

from tests.tools.kinds.convert import Node
from tests.tools.kinds.gather import Found, GoError, kinds_of
from tests.tools.kinds.sources import KUBERNETES, PROJECTS, Project

TARGET: Final = Path(__file__).resolve().parents[3] / "generator" / "lint" / "kinds" / "definitions.txt"
DIGEST: Final = 6
"""Characters of a digest."""
LARGE: Final = 80
"""Fields, with all below it, of a record that is compiled by itself, and when it first occurs."""


class Pack:
    """The nodes of the file: each once, by its digest."""

    def __init__(self) -> None:
        self.nodes: dict[str, str] = {}
        self._weights: dict[str, float] = {}

    def add(self, node: Node) -> str:
        """Add a node with everything below it; return its digest."""
        flat = dict(node)
        below: list[str] = []
        if "properties" in flat:
            flat["properties"] = {name: self.add(inner) for name, inner in sorted(flat["properties"].items())}
            below += flat["properties"].values()
        for key in ("items", "values"):
            if key in flat:
                flat[key] = self.add(flat[key])
                below.append(flat[key])
        weight = inf if "same" in flat else sum(self._weights[digest] for digest in below)
        if "properties" in flat:
            weight += len(below)
            flat |= {"large": True} if weight > LARGE else {}
        return self._line(json.dumps(flat, sort_keys=True, separators=(",", ":"), ensure_ascii=False), weight)

    def _line(self, line: str, weight: float) -> str:
        digest = base64.b32encode(hashlib.sha256(line.encode()).digest()).decode()[:DIGEST].lower()
        if self.nodes.setdefault(digest, line) != line:
            raise ValueError(f"two nodes have the digest {digest}: make digests longer")
        self._weights[digest] = weight
        return digest


def pack(found: Iterable[tuple[Project, str, Found]]) -> str:
    """Return the text of the file: of every kind, with its project and the minor version."""
    lines = Pack()
    kinds: dict[str, tuple[str, bool, dict[str, str]]] = {}
    for project, minor, (api_version, kind, cluster, root) in found:
        row = kinds.setdefault(f"{api_version} {kind}", (project.name, cluster, {}))
        row[2][minor] = lines.add(root)
    head = [f"{name} {json.dumps(row, separators=(',', ':'))}" for name, row in kinds.items()]
    return "\n".join([*head, "", *(f"{digest} {line}" for digest, line in lines.nodes.items())]) + "\n"


def unpack(text: str) -> dict[tuple[str, str, str], Node]:
    """Return every definition of a file's text by apiVersion, kind and minor version of its project."""
    head, _, body = text.partition("\n\n")
    lines = dict(line.split(" ", 1) for line in body.splitlines())
    return {
        (api_version, kind, minor): _whole(lines, digest)
        for api_version, kind, row in (line.split(" ", 2) for line in head.splitlines())
        for minor, digest in json.loads(row)[2].items()
    }


def _whole(lines: dict[str, str], digest: str) -> Node:
    node: Node = json.loads(lines[digest])
    node.pop("large", None)
    if "properties" in node:
        node["properties"] = {name: _whole(lines, below) for name, below in node["properties"].items()}
    for key in ("items", "values"):
        if key in node:
            node[key] = _whole(lines, node[key])
    return node


def published() -> Iterator[tuple[Project, str, Found]]:
    """Yield every kind of every version that is known, the default version of a project first."""
    for project in (KUBERNETES, *PROJECTS):
        for minor in project.versions:
            for found in sorted(kinds_of(project, minor), key=lambda found: found[:2]):
                yield project, minor, found


def fields_of(node: Node, path: str) -> Iterator[str]:
    """Yield the path of every field of a definition."""
    for below in (node[key] for key in ("items", "values") if key in node):
        yield from fields_of(below, path)
    for name, below in node.get("properties", {}).items():
        yield f"{path}.{name}"
        yield from fields_of(below, f"{path}.{name}")


def main() -> None:
    """Write the file and print what differs from the one before."""
    before = TARGET.read_text(encoding="utf-8") if TARGET.exists() else ""
    after = pack(published())
    TARGET.write_text(after, encoding="utf-8", newline="\n")
    old, new = (
        {
            path
            for (_, kind, minor), node in unpack(text).items()
            for path in fields_of(node, f"{kind} {minor}")
        }
        for text in (before, after)
    )
    for sign, paths in (("-", old - new), ("+", new - old)):
        for path in sorted(path for path in paths if path.rpartition(".")[0] not in paths):
            print(sign, path)
    print(f"{TARGET.name}: {len(after.splitlines())} lines, {len(after.encode())} bytes")


if __name__ == "__main__":
    try:
        main()
    except GoError as error:
        sys.exit(str(error))
