"""`sluice explain`: what a finding means, why it is one, and how to fix it."""

from __future__ import annotations

import click

from generator.pipeline.terminal import emit
from generator.report.codes import all_codes
from generator.source.errors import CliError
from generator.source.suggest import nearest


@click.command("explain")
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """Explain a finding and how to fix it.

    CODE stands in brackets in front of the finding, such as REF202; without it all codes are listed.
    """
    emit(_one(code.upper()) if code else _all())


def _one(code: str) -> str:
    codes = all_codes()
    entry = codes.get(code)
    if entry is None:
        near = nearest(code, codes, 3)
        hint = f"did you mean {' or '.join(near)}?" if near else "`sluice explain` lists all codes"
        raise CliError(f"{code} is no code of a finding; {hint}")
    return f"{entry.code} ({entry.severity}): {entry.title}\n\nWhy: {entry.why}\n\nFix: {entry.remedy}\n"


def _all() -> str:
    codes = all_codes()
    width = max(map(len, codes))
    return "".join(f"{code:<{width}}  {entry.severity:<7}  {entry.title}\n" for code, entry in codes.items())
