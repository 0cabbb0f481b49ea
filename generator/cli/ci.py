"""`sluice ci`: the workflows of a repository's CI, and the data that they need."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click

from generator.cli.group import CommandGroup
from generator.cli.options import json_option, require_check, root_option
from generator.pipeline.session import Session, open_session
from generator.pipeline.terminal import emit, note
from generator.source.errors import CliError
from generator.source.files import has_link, text_of
from generator.spec.quantities import plural

F = TypeVar("F", bound=Callable[..., Any])


def _writing_options(command: F) -> F:
    check = click.option("--check", is_flag=True, help="Write nothing. Exit code 1: a file is out of date.")
    force = click.option(
        "--force", is_flag=True, help="Replace files that were edited or that Sluice did not write."
    )
    return check(force(json_option(root_option(command))))


@click.group("ci", cls=CommandGroup)
def command() -> None:
    """Write CI workflows: checks, comments, images, promotions and reverts."""


@command.command("github")
@_writing_options
def github(root: Path | None, fmt: str, *, check: bool, force: bool) -> None:
    """Write workflows for GitHub Actions."""
    _write(open_session(root), "github", fmt, check=check, force=force)


@command.command("gitlab")
@_writing_options
def gitlab(root: Path | None, fmt: str, *, check: bool, force: bool) -> None:
    """Write the pipeline for GitLab CI/CD."""
    _write(open_session(root), "gitlab", fmt, check=check, force=force)


@command.command("images")
@click.option(
    "--format",
    "fmt",
    type=click.Choice(("text", "json", "gitlab")),
    default="text",
    show_default=True,
    help="Form.",
)
@root_option
def images(fmt: str, root: Path | None) -> None:
    """List the models whose image is not in their lock yet.

    Each line has TEAM/MODEL and the model's resolved reference. The JSON format is the input of a job matrix; the
    GitLab format is a pipeline with separate jobs for each image.
    """
    from generator.pipeline.ci_files import gitlab_images, missing_images

    session = open_session(root)
    found = missing_images(session)
    if fmt == "json":
        emit(json.dumps([asdict(image) for image in found]) + "\n")
    elif fmt == "gitlab":
        emit(gitlab_images(found, session.templates, session.platform))
    else:
        emit("".join(f"{image.model}\t{image.resolved}\n" for image in found))


@command.command("promotions")
@root_option
def promotions(root: Path | None) -> None:
    """List what may be promoted where, for the scripts of CI.

    The release of each model in each environment that requires others.

    Each line has, with tabs between them: TEAM/MODEL, environment, its standing (waiting, held, promoted, rejected),
    the release key, the required environments, auto or person, and the reviewers.
    """
    from generator.pipeline.promotions import candidates

    session = open_session(root)
    session.require_platform()
    emit("".join(candidate.line for candidate in candidates(session)))


@command.command("promotion")
@click.argument("model")
@click.option("--env", "environment", metavar="NAME", required=True, help="The environment.")
@click.option("--against", metavar="REV", help="The branch that the change goes to; default: HEAD.")
@root_option
def promotion(model: str, environment: str, against: str | None, root: Path | None) -> None:
    """Print the text of a pull request that promotes MODEL.

    In Markdown: what runs now and next, and the records.
    """
    from generator.pipeline.selection import select_one
    from generator.report.diffs.revision import HEAD, at_revision
    from generator.report.promotion import promotion_body

    session = open_session(root)
    session.require_platform(environment)
    entry = select_one(session, model)
    with at_revision(session, against or HEAD) as before:
        old = next((one for one in before.session.entries if one.name == entry.name), None)
        plans = before.session.resolve(old).plans if old else []
        found = [one.plan for one in plans if one.plan.identity.environment == environment]
    emit(promotion_body(session, entry, environment, found[0] if found else None))


def _write(session: Session, host: str, fmt: str, *, check: bool, force: bool) -> None:
    from generator.pipeline.atomic_write import write_files
    from generator.pipeline.ci_files import files_on, is_unedited

    require_check(fmt, check=check)
    wanted, top = files_on(host, session), session.top
    linked = [path for path in wanted if has_link(top, top / path)]
    if linked:
        message = f"{linked[0]} is reached through a link, so another folder decides what CI runs"
        raise CliError(message, "remove the link, and run the command again")
    found = {path: text_of(top / path) for path in wanted}
    stale = {path: text for path, text in wanted.items() if found[path] != text}
    up_to_date = f"the {host} files are up to date\n"
    if check:
        texts = {path: found[path] for path in stale}
        listed = "".join(f"out of date: {path}\n" for path in stale) or up_to_date
        emit(_checked(texts, len(wanted)) if fmt == "json" else listed)
        click.get_current_context().exit(int(bool(stale)))
    edited = [path for path in stale if (top / path).exists() and not is_unedited(found[path] or "")]
    if edited and not force:
        for path in edited:
            note(f"edited, or not written by Sluice: {path}")
        hint = "compare with `sluice templates --show`, then use --force to replace them"
        raise CliError(f"nothing was written: {plural(len(edited), 'file')} would lose what is in it", hint)
    write_files(top, {path: text.encode() for path, text in stale.items()})
    emit("".join(f"wrote {path}\n" for path in stale) or up_to_date)


def _checked(stale: Mapping[str, str | None], wanted: int) -> str:
    """Return the JSON of a check.

    Args:
        stale: text of the files that are out of date, by path; None where there is none.
        wanted: how many files there should be.
    """
    from generator.pipeline.ci_files import is_unedited
    from generator.report.checks import State, as_json

    def state(text: str | None) -> State:
        if text is None:
            return "missing"
        return "stale" if is_unedited(text) else "edited"

    states = {path: state(text) for path, text in stale.items()}
    return as_json(states, ok=not stale, compared=wanted - len(stale))
