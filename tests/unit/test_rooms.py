"""Dependencies between rooms point downwards only."""

from __future__ import annotations

import ast
import subprocess
import sys
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

SHARED = {"dataclass"}
"""The module next to the rooms that any of them may import."""


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
    return found - SHARED


@pytest.mark.parametrize("room", sorted(BELOW))
def test_a_room_imports_only_rooms_below_it(room):
    files = sorted((PACKAGE / room).rglob("*.py"))
    assert files
    for file in files:
        assert imports(file) <= allowed(room), file


def test_there_is_no_other_room():
    assert {folder.name for folder in PACKAGE.iterdir() if any(folder.rglob("*.py"))} == set(BELOW)


def test_commands_do_not_import_commands():
    """What two commands share is in a room below; only the table of commands and a group know their parts."""
    parts = {"group", "options", "usage_hints", "foreign_options"}
    for file in sorted((PACKAGE / "cli").glob("*.py")):
        tree = ast.parse(file.read_text())
        found = {
            name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("generator.cli")
            for name in (
                [alias.name for alias in node.names] if node.module == "generator.cli" else [node.module]
            )
        }
        others = {name.removeprefix("generator.cli.") for name in found} - parts
        allowed_here = {"gates": {"gates_cluster", "gates_sign"}, "main": {"completion"}}.get(
            file.stem, set()
        )
        assert others <= allowed_here, file


def test_the_path_of_a_request_in_the_documents_is_the_path_of_a_request():
    command = [sys.executable, "-m", "tests.tools.walk"]
    done = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, text=True, check=True)
    page = (PACKAGE.parent / "docs/rooms.md").read_text()
    assert f"```text\n{done.stdout}```\n" in page, done.stdout
