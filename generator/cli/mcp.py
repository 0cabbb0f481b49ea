"""`sluice mcp`: plans, odds and incidents of a repository for an assistant."""

from __future__ import annotations

from pathlib import Path

import click

from generator.cli.options import root_option


@click.command("mcp")
@root_option
def command(root: Path | None) -> None:
    """Answer an assistant's questions about a repository, read-only.

    A server of the Model Context Protocol on standard input and output, which clients start. Its tools are plan, odds,
    explain, why_rolled_back and verify. They write nothing, open no connection, and read no path outside of the
    repository. A repository without specs is the current folder, or the one that --root names. Needs the extra:
    `pip install 'sluicegate[mcp]'`.
    """
    from generator.plan.model_files import find_root
    from generator.report.mcp_server import serve

    here = (root or find_root(Path.cwd()) or Path.cwd()).resolve()
    serve(here)
