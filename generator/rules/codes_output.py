"""Codes of `output`, which may not import the engine: ledgers."""

from __future__ import annotations

from generator.lint.engine import Code, declare

declare(
    Code(
        "OUT101",
        "warning",
        "a damaged ledger",
        "The ledger says which files are ours: without it nothing is deleted.",
        "Render again; files that are left over can then be removed by hand.",
    ),
)
