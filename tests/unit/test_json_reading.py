"""JSON of others may nest a hundred thousand brackets: every place that reads it says what happens then."""

from __future__ import annotations

import ast
from pathlib import Path

import generator

FOLDER = Path(generator.__file__).parent
OWN = {
    "cluster/artifacts/formats.py": "its caller, `facts_of`, takes any file of a model, and says nothing about a deep one",
    "gates/environments.py": "the report of a tool, which an adapter of Sluice wrote",
    "lint/kinds/definitions.py": "a file of this package",
    "lint/shapes.py": "what was dumped on the same line",
    "lint/values.py": "its callers handle it, with the depth that it refuses itself",
    "render/outputs/analysis.py": "an example that the plan made",
    "render/trial.py": "an example that the plan made",
    "report/mcp_server.py": "what this package printed",
    "report/plan_output.py": "what this package printed",
    "routers/base.py": "an annotation that this package rendered",
}


def unguarded(text: str) -> list[int]:
    """The lines that read JSON outside of a `try` whose handlers name RecursionError."""
    tree, found = ast.parse(text), []
    guarded: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Try):
            handled = {
                name.id
                for one in node.handlers
                if one.type
                for name in ast.walk(one.type)
                if isinstance(name, ast.Name)
            }
            if "RecursionError" in handled:
                guarded |= {id(inner) for part in node.body for inner in ast.walk(part)}
    for node in ast.walk(tree):
        call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and ast.unparse(node.func)
        if call in {"json.loads", "json.load", "tomllib.loads", "tomllib.load"} and id(node) not in guarded:
            found.append(node.lineno)
    return found


def test_whoever_reads_json_says_what_happens_when_it_is_too_deep() -> None:
    found = {
        path.relative_to(FOLDER).as_posix(): lines
        for path in sorted(FOLDER.rglob("*.py"))
        if (lines := unguarded(path.read_text()))
    }
    assert {name: lines for name, lines in found.items() if name not in OWN} == {}
    assert set(OWN) == set(found)  # none is listed that needs no reason


def test_the_reader_of_this_test_sees_what_is_missing() -> None:
    assert unguarded("import json\njson.loads(x)") == [2]
    assert unguarded("import json\ntry:\n    json.loads(x)\nexcept ValueError:\n    pass") == [3]
    assert unguarded("import json\ntry:\n    pass\nexcept RecursionError:\n    json.loads(x)") == [5]
    assert not unguarded(
        "import json\ntry:\n    json.loads(x)\nexcept (ValueError, RecursionError):\n    pass"
    )
