"""`sluice plan`: what a release will do, for people and for programs."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import click

from generator.cli.formats import render
from generator.cli.judging import judge_model
from generator.cli.sections import Section, sections
from generator.cli.sections.schema import SCHEMA
from generator.cli.session import Refused, Session, open_session, root_option, select_one
from generator.cli.terminal import emit, has_color, note
from generator.plan.entries import Entry
from generator.plan.resolve import Planned, resolve
from generator.source.finding import Finding

_BOLD, _END = "\x1b[1m", "\x1b[0m"


@click.command("plan")
@click.argument("spec", type=click.Path())
@click.option(
    "--env", "environment", metavar="NAME", help="One environment; default: all, in the platform's order."
)
@click.option(
    "--format",
    "fmt",
    type=click.Choice(("text", "markdown", "json")),
    default="text",
    show_default=True,
    help="Form.",
)
@root_option
def command(spec: str, environment: str | None, fmt: str, root: Path | None) -> None:
    """Tell what a release will do, minute by minute.

    SPEC is the spec, or TEAM/MODEL. Told are: the timeline with who can stop what, what an abort does on this router,
    what is not covered, who may do what, and every value with the line that decided it.
    """
    session = open_session(root)
    entry = select_one(session, spec)
    told = [sections(planned) for planned in plans(session, entry, environment)]
    emit({"json": _json, "markdown": _markdown, "text": _text}[fmt](entry, told))


def plans(session: Session, entry: Entry, environment: str | None) -> list[Planned]:
    """The plans of one model, or of it in one environment; its findings end the command, with exit code 1.

    Raises:
        Refused: there is no such environment.
    """
    platform = session.repository.platform
    if platform is None:
        _stop(session.repository.findings)
        raise AssertionError("unreachable: findings stop the command")
    if environment is not None and environment not in platform.environments:
        from generator.plan.references import did_you_mean

        raise Refused(
            f"there is no environment {environment}; {did_you_mean(environment, list(platform.environments))}"
        )
    resolved = resolve(session.repository, entry, session.bento_templates)
    if any(finding.severity == "error" for finding in resolved.findings):
        _stop(resolved.findings)
    judged = judge_model(resolved, session.repository, session.today)
    if any(finding.severity == "error" for finding in judged):
        note(f"{entry.name} breaks rules and can't be rendered like this: see `sluice validate {entry.name}`")
    return [planned for planned in resolved.plans if environment in {None, planned.plan.identity.environment}]


def _stop(findings: list[Finding]) -> None:
    click.echo(render(findings, "text", color=has_color(sys.stderr)), nl=False, err=True, color=True)
    click.get_current_context().exit(1)


def _json(entry: Entry, told: list[list[Section]]) -> str:
    del entry
    document = {"schema": SCHEMA, "plans": [{section.key: section.data for section in plan} for plan in told]}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _markdown(entry: Entry, told: list[list[Section]]) -> str:
    """For a pull request: what a reviewer weighs is open, the rest is folded."""
    parts = []
    for plan in told:
        environment = next(section.data["environment"] for section in plan if section.key == "release")
        parts.append(f"## {entry.name} in {environment}\n")
        for section in plan:
            body = _fenced("\n".join(section.lines))
            if section.key in _OPEN:
                parts.append(f"### {section.title}\n\n{body}")
            else:
                parts.append(f"<details><summary>{section.title}</summary>\n\n{body}\n</details>\n")
    return "\n".join(parts)


def _fenced(text: str) -> str:
    """A code block that no text can end early."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}text\n{text}\n{fence}\n"


_OPEN = frozenset({"release", "timeline", "odds", "cost"})


def _text(entry: Entry, told: list[list[Section]]) -> str:
    return "\n".join(_plan(entry, plan) for plan in told)


def _plan(entry: Entry, plan: list[Section]) -> str:
    environment = next(section.data["environment"] for section in plan if section.key == "release")
    color = has_color(sys.stdout)
    parts = [_heading(f"{entry.name} in {environment}", color=color)]
    for section in plan:
        body = "".join(f"  {line}".rstrip() + "\n" for line in section.lines)
        parts.append(f"{_heading(section.title, color=color)}{body}")
    return "\n".join(parts)


def _heading(title: str, *, color: bool) -> str:
    return f"{_BOLD}{title}{_END}\n" if color else f"{title}\n"
