"""Other rooms see of the linter what `generator.lint` exports, and load no more of it than they use."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import generator.lint as door

PACKAGE = Path(door.__file__).parents[1]
# Rules on specs register with the engine itself; a pipeline of Spinnaker is checked with the notation for types.
INSIDE = {
    "rules": {"generator.lint.engine"},
    "render/spinnaker": {
        "generator.lint.kinds",
        "generator.lint.kinds.notation",
        "generator.lint.kinds.scalars",
    },
}
ROOMS = sorted(
    folder.name for folder in PACKAGE.iterdir() if (folder / "__init__.py").exists() and folder.name != "lint"
)


def imports(file: Path) -> set[tuple[str, str]]:
    """The modules of the linter that a file imports from, with the names."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("generator.lint"):
            found |= {(node.module, alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names if alias.name.startswith("generator.lint")}
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_goes_through_the_door(room):
    for file in (PACKAGE / room).rglob("*.py"):
        inside = INSIDE.get(file.parent.relative_to(PACKAGE).as_posix(), set())
        for module, name in imports(file):
            assert name in door.__all__ if module == "generator.lint" else module in inside, file


def test_everything_that_is_exported_is_there():
    assert {name for name in door.__all__ if not hasattr(door, name)} == set()
    with pytest.raises(AttributeError):
        _ = door.nothing


@pytest.mark.parametrize(
    ("command", "unwanted"),
    [
        ("import generator.lint", {"generator.lint.engine", "pydantic_core", "yaml"}),
        ("from generator.lint import check", {"generator.lint.verification", "generator.lint.tree"}),
        (
            "from generator.lint import measure_vector",
            {"generator.lint.kinds", "generator.lint.engine", "yaml"},
        ),
        ("from generator.cli.main import run", {"generator.lint"}),
    ],
)
def test_no_more_is_loaded_than_is_used(command, unwanted):
    script = f"import sys; {command}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert unwanted.isdisjoint(done.stdout.split())
