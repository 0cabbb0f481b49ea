"""`sluice revert`: prepare a branch that reverts a model after an abort, or halts it after a failed watch."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli.options import root_option
from generator.pipeline.session import Session, open_session
from generator.pipeline.terminal import emit, emit_messages, note
from generator.source.errors import CliError, UserError

if TYPE_CHECKING:
    from generator.pipeline.revert import Branch
    from generator.pipeline.revert_requests import Notification, RevertRequest

_MOST_BRANCHES = 50


@click.command("revert")
@click.argument("model", required=False)
@click.option("--reason", metavar="TEXT", help="Why; it is recorded with the rejected version.")
@click.option(
    "--env", "environment", metavar="NAME",
    help="Only this environment, to the release before: its lock and its bundle; it must require another environment.",
)  # fmt: skip
@click.option(
    "--from-webhook", "webhook", metavar="FILE",
    help="The notification of an abort, or Alertmanager's about a failed watch; - for standard input.",
)  # fmt: skip
@click.option("--with-spec", is_flag=True, help="Restore the whole spec, not only its model reference.")
@click.option(
    "--quarantine-only", "halt", is_flag=True, help="Keep the version where it runs; refuse it everywhere else."
)  # fmt: skip
@click.option("--quiet", is_flag=True, help="Print the names of the branches and nothing else.")
@root_option
def command(
    model: str | None, reason: str | None, environment: str | None, webhook: str | None, root: Path | None, *,
    with_spec: bool, halt: bool, quiet: bool,
) -> None:  # fmt: skip
    """Roll a model back to its previous version.

    The change is committed to a new branch without touching the work tree: the previous lock and evidence from git,
    the spec's reference, the rejected version in quarantine, everything rendered. With --quarantine-only, and after a
    failed watch, the branch has only the quarantine: the version stays where it runs and is blocked from other
    environments. With --env, only the lock and the release of that environment are restored, and the quarantine is in
    the team's folder, so the team merges it alone. Nothing is pushed or merged. If git already has another version,
    there is nothing to do, and --quiet prints nothing. Each alert of a notification is handled by itself. Exit code 1:
    some could not be, and are named.
    """
    from generator.pipeline.revert_requests import from_person, from_webhook

    if webhook is not None and (model or reason or halt):
        raise CliError(
            "--from-webhook already has model and reason; remove MODEL, --reason and --quarantine-only"
        )
    if halt and with_spec:
        raise CliError("--quarantine-only restores nothing; remove --with-spec")
    if environment is not None and (webhook is not None or halt or with_spec):
        raise CliError("--env takes one environment back; use it with MODEL and --reason only")
    session = open_session(root)
    if environment is not None:
        from generator.pipeline.revert_environment import revert_environment

        request = from_person(model, reason)
        emit(_shown(revert_environment(session, request.model, environment, request.reason), quiet=quiet))
        return
    if webhook is None:
        branch = _made(session, from_person(model, reason, halt=halt), with_spec=with_spec)
        emit(_shown(branch, quiet=quiet))
        return
    failures = _notified(session, from_webhook(webhook), with_spec=with_spec, quiet=quiet)
    for failure in failures:
        note(f"Error: {failure}")
    click.get_current_context().exit(int(bool(failures)))


def _notified(session: Session, found: Notification, *, with_spec: bool, quiet: bool) -> list[str]:
    """Make the branches of a notification, each by itself; return why others could not be made."""
    failures, made = list(found.refused), 0
    if not found.requests and not failures:
        note("no watch failed: there is nothing to halt")
    for request in found.requests:
        if made == _MOST_BRANCHES:
            failures.append(f"{request.model}: a notification makes at most {made} branches; send it again")
            continue
        try:
            branch = _made(session, request, with_spec=with_spec)
        except UserError as error:
            failures.append(f"{request.model}: {error}")
            continue
        made += branch is not None
        emit(_shown(branch, quiet=quiet))
    return failures


def _shown(branch: Branch | None, *, quiet: bool) -> str:
    if branch is None:
        return ""
    return f"{branch.name}\n" if quiet else _report(branch)


def _made(session: Session, request: RevertRequest, *, with_spec: bool) -> Branch | None:
    from generator.pipeline.revert import BrokenRulesError, make_branch
    from generator.report.formats import render
    from generator.report.tables import Screen

    try:
        if request.environment:
            from generator.pipeline.revert_environment import is_gated, revert_notified

            if is_gated(session, request.environment):
                return revert_notified(session, request)
        return make_branch(session, request, whole_spec=with_spec)
    except BrokenRulesError as error:
        shown = render(error.findings, "text", screen=Screen.of_messages(sys.stderr))
        emit_messages(shown)
        raise


def _report(branch: Branch) -> str:
    details = "".join(f"  {line}\n" for line in branch.details)
    return (
        f"{branch.name} ({branch.commit[:12]}): {branch.title}\n{details}  quarantine: {branch.quarantine}\n"
        f"next: git push origin {branch.name}, and a pull request\n"
    )
