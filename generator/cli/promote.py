"""`sluice promote`: let a proven release into an environment that requires others."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli.options import report_option, root_option
from generator.pipeline.selection import select
from generator.pipeline.session import Session, open_session
from generator.pipeline.terminal import emit
from generator.source.errors import CliError

if TYPE_CHECKING:
    from generator.spec.platform import PlatformSpec


@click.command("promote")
@click.argument("model", nargs=-1, type=click.Path())
@click.option("--to", "environment", metavar="ENVIRONMENT", help="The environment; it is required.")
@click.option("--reason", metavar="TEXT", help="Why; it is recorded in the lock.")
@click.option("--hotfix", is_flag=True, help="Without proof, for a day, as far as the tier allows it.")
@click.option("--adopt", is_flag=True, help="Record the release that is in git from before there were locks.")
@click.option(
    "--check", "only_check", is_flag=True, help="Write nothing; check the promotions of a change, for CI."
)
@click.option("--against", metavar="REV", help="With --check: the branch that the change goes to.")
@report_option
@click.option("--by", metavar="NAME", help="Who promotes it; default: the author that git would name.")
@root_option
def command(
    model: tuple[str, ...], environment: str | None, reason: str | None, by: str | None, against: str | None, fmt: str,
    root: Path | None, *, hotfix: bool, adopt: bool, only_check: bool,
) -> None:  # fmt: skip
    """Let a proven release into an environment that requires others.

    MODEL is a spec, or TEAM/MODEL; with --adopt, several or none for all. The records of the required environments
    must prove the release of the spec: the same release key, a verdict and a power as required, and the soak over.
    Only the lock of the environment is written, `<model>.<environment>.lock.yaml`; `sluice render` then lets the
    release in. With --check --against REV, nothing is written: exit code 1 means that a promotion of this change may
    not be merged now. To point a spec at another version of its model, use `sluice pin MODEL --version VERSION`.
    """
    from generator.pipeline.promote import PromotionRequest, author, promote

    session = open_session(root)
    if only_check or against:
        _check(
            session, against, fmt, only_check=only_check, others=bool(model or environment or hotfix or adopt)
        )
        return
    platform = session.require_platform()
    if environment is None or environment not in platform.environments:
        raise _unclear(model, environment, platform)
    if not model and not adopt:
        raise CliError("name the model to promote", f"`sluice promote TEAM/MODEL --to {environment}`")
    request = PromotionRequest(environment, by or author(session.root), reason, hotfix, adopt)
    names = []
    for entry in select(session, model).entries:
        done = promote(session, entry, request)
        if done.changed:
            names.append(entry.name)
            emit(f"{done.file}: version {done.version} ({done.key[:19]}) may enter {environment}\n")
        else:
            emit(f"{done.file} lets version {done.version} in already\n")
    if names and not adopt:
        emit(f"next: sluice render {' '.join(names)}, and commit both\n")


def _check(session: Session, against: str | None, fmt: str, *, only_check: bool, others: bool) -> None:
    """Report why promotions of a change may not be merged."""
    from generator.pipeline.promote import now_utc
    from generator.pipeline.promotion_check import check_promotions
    from generator.report.formats import render
    from generator.report.tables import Screen

    if against is None or not only_check or others:
        raise CliError(
            "--check and --against belong together", "sluice promote --check --against origin/main"
        )
    findings = check_promotions(session, against, now_utc())
    text = render(findings, fmt, screen=Screen.of_messages(sys.stdout), root=session.root)
    emit(text, commands=fmt == "github")
    click.get_current_context().exit(int(any(finding.severity == "error" for finding in findings)))


def _unclear(model: tuple[str, ...], environment: str | None, platform: PlatformSpec) -> CliError:
    """Return the error about a missing or unknown environment, which may be a version of the model."""
    name, *others = (*model, "TEAM/MODEL")[:2] if len(model) < 2 else model
    version = environment or (others[0] if len(model) > 1 else "")
    pin = f"`sluice pin {name} --version {version or 'VERSION'}` points its spec at another version"
    if environment is None:
        hint = f"write `sluice promote {name} --to {' or '.join(platform.environments)}`; {pin}"
        return CliError("the environment is missing", hint)
    return CliError(
        f"no such environment: `{environment}`", f"{platform.like_environment(environment)}; {pin}"
    )
