"""`sluice gates sign` and `verify-signature`: sign the documents next to a spec, and show who signed them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli.options import report_option, root_option
from generator.pipeline.selection import select, select_one
from generator.pipeline.session import open_session
from generator.pipeline.terminal import emit, note
from generator.source.errors import CliError

if TYPE_CHECKING:
    from generator.source.finding import Finding


_KINDS = ("evidence", "lock", "record")
_APPROVAL = "promotion"


@click.command("sign")
@click.argument("spec", type=click.Path())
@click.option(
    "--key", required=True, type=click.Path(path_type=Path, dir_okay=False, exists=True), metavar="FILE",
    help="Private Ed25519 key without a passphrase: of OpenSSH, or in PEM.",
)  # fmt: skip
@click.option(
    "--document",
    "kinds",
    multiple=True,
    type=click.Choice([*_KINDS, _APPROVAL]),
    help="What to sign; default: what exists, without promotions.",
)
@click.option("--env", "environment", metavar="NAME", help="With --document promotion: the environment.")
@click.option(
    "--format", "form", type=click.Choice(["ssh", "dsse"]), default="dsse", show_default=True,
    help="Form of the signature: a DSSE envelope with an in-toto statement, or an SSH signature.",
)  # fmt: skip
@root_option
def sign(
    spec: str, key: Path, kinds: tuple[str, ...], environment: str | None, form: str, root: Path | None
) -> None:
    """Sign the evidence, the lock and the records of SPEC.

    A signature of a promotion approves it, so it is made by name only: --document promotion --env ENVIRONMENT.

    An SSH signature can also be made by `ssh-keygen -Y sign`, with a key in an agent; --format ssh shows its namespace.
    """
    from generator.pipeline.signing import sign_documents

    if (_APPROVAL in kinds) != (environment is not None):
        raise CliError(
            "--document promotion and --env belong together", "name the environment that is approved"
        )
    session = open_session(root)
    session.require_platform(environment)
    for line in sign_documents(session, select_one(session, spec), key, kinds or _KINDS, form, environment):
        note(line)


@click.command("verify-signature")
@click.argument("paths", nargs=-1, type=click.Path())
@report_option
@root_option
def verify_signature(paths: tuple[str, ...], fmt: str, root: Path | None) -> None:
    """Verify signatures and show who signed.

    PATH is a spec, a team's folder, or TEAM/MODEL; default: all. Exit code 1: a signature is invalid or does not count,
    or one that a tier requires is missing.
    """
    from generator.pipeline.signing import verified
    from generator.report.formats import render
    from generator.report.tables import Screen

    session = open_session(root)
    session.require_platform()
    entries = select(session, paths).entries
    findings: list[Finding] = []
    for entry in entries:
        signed, problems = verified(session, entry)
        findings += problems
        if fmt == "text":
            for item in signed:
                emit(f"{entry.name}: {item}\n")
    if findings or fmt != "text":
        emit(render(findings, fmt, screen=Screen.of_messages(sys.stdout), checked=len(entries)))
    if any(finding.severity == "error" for finding in findings):
        click.get_current_context().exit(1)
