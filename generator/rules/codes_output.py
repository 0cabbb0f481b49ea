"""Codes of `output`, which may not import the engine: ledgers."""

from __future__ import annotations

from generator.lint.engine import Code, declare

declare(
    Code(
        "OUT101",
        "warning",
        "a ledger is damaged",
        "The ledger lists the files that Sluice wrote; without it nothing in its folder is deleted.",
        "Run `sluice render`, then remove leftover files by hand.",
        example="""
$ sluice render
$ perl -pi -e s/rollout/rolled/ rendered/production/shop/ranker/.sluice
$ sluice render
""",
    ),
)
