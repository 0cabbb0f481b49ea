"""Codes of `output`, which may not import the engine: ledgers, and files that nothing renders."""

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
    Code(
        "OUT102",
        "error",
        "a file among the rendered files comes from no spec",
        "Argo CD applies what it finds in a folder, some files change how it reads the folder, and builds copy whole "
        "folders. So everything below `git.path` must be rendered, except notes: regular files that end in `.md` or "
        "`.txt`. Folders that a build copies, below `bentos/` and `gates/`, hold no notes either.",
        "Remove the file, or move it out of the folder of rendered files.",
        example="""
$ sluice render
$ cp rendered/production/shop/ranker/rollout-main.yaml rendered/production/shop/ranker/second.yaml
$ sluice render --check
""",
    ),
)
