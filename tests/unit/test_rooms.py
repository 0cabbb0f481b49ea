"""Dependencies between rooms point downwards only."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "generator"
BELOW = {
    "source": set(),
    "routers": {"source"},
    "spec": {"routers"},
    "plan": {"spec", "stats"},
    "stats": set(),
    "promql": set(),
    "history": {"plan"},
    "output": {"source"},
    "lint": {"promql", "routers"},
    "odds": {"plan", "promql", "stats", "lint"},
    "gates": {"plan", "stats"},
    "rules": {"odds", "lint"},
    "render": {"plan", "promql", "stats", "lint"},
    "cluster": {"plan", "lint", "odds", "history"},
    "pipeline": {"render", "rules", "gates", "output", "history", "cluster"},
    "report": {"pipeline"},
}
BELOW |= {"cli": set(BELOW), "api": {"pipeline"}}


def allowed(room: str) -> set[str]:
    """A room, what it may import, and what that may import."""
    found, todo = {room}, [room]
    while todo:
        for lower in BELOW[todo.pop()] - found:
            found.add(lower)
            todo.append(lower)
    return found


def imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        found |= {name.split(".")[1] for name in names if name.startswith("generator.")}
    return found


@pytest.mark.parametrize("room", sorted(BELOW))
def test_a_room_imports_only_rooms_below_it(room):
    files = sorted((PACKAGE / room).rglob("*.py"))
    assert files
    for file in files:
        assert imports(file) <= allowed(room), file


def test_there_is_no_other_room():
    assert {folder.name for folder in PACKAGE.iterdir() if any(folder.rglob("*.py"))} == set(BELOW)
