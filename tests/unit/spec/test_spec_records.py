"""Records of the spec language as classes."""

from __future__ import annotations

import ast
from pathlib import Path

import generator.spec

FOLDER = Path(generator.spec.__file__).parent


def defines_records(tree: ast.Module) -> bool:
    bases = {ast.unparse(base) for node in tree.body if isinstance(node, ast.ClassDef) for base in node.bases}
    return bool(bases & {"Record", "Choice"})


def test_modules_of_records_do_not_postpone_annotations():
    """Pydantic would compile each postponed annotation at every start."""
    trees = {file: ast.parse(file.read_text()) for file in FOLDER.rglob("*.py")}
    records = [file for file, tree in trees.items() if defines_records(tree)]
    assert len(records) > 20
    for file in records:
        imported = {node.module for node in trees[file].body if isinstance(node, ast.ImportFrom)}
        assert "__future__" not in imported, file
