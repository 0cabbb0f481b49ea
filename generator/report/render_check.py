"""What `sluice render --check` found, as JSON (`sluice/check/v1`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from generator.output.report import CheckReport
from generator.pipeline.render import RenderPlan
from generator.pipeline.repository_state import RepositoryState
from generator.report import checks
from generator.report.checks import State
from generator.source.files import text_of

_KINDS: Final[dict[str, State]] = {
    "missing": "missing",
    "stale": "stale",
    "edited": "edited",
    "orphaned": "orphaned",
    "foreign": "foreign",
    "notes": "note",
}
"""The kinds of files in the report of a tree."""


def as_json(plan: RenderPlan, report: CheckReport, around: RepositoryState | None, *, ok: bool) -> str:
    """Return the document.

    Args:
        plan: what was rendered.
        report: how the tree differs from it.
        around: the files around the bundles; None if they were not compared.
        ok: the exit code is 0.
    """
    top = plan.session.top
    states = dict(_of_tree(plan, report, _below(top, plan.request.output)))
    states |= dict(_of_repository(top, around)) if around else {}
    return checks.as_json(states, ok=ok, compared=report.files, findings=[*plan.findings, *report.findings])


def _of_tree(plan: RenderPlan, report: CheckReport, folder: str) -> Iterator[tuple[str, State]]:
    yield from ((f"{folder}/{path}", "not-compared") for path in plan.left_out)
    for kind, state in _KINDS.items():
        yield from ((f"{folder}/{path}", state) for path in getattr(report, kind))


def _of_repository(top: Path, around: RepositoryState) -> Iterator[tuple[str, State]]:
    for path in around.outdated:
        yield path, "missing" if text_of(top / path) is None else "stale"
    yield from ((path, "orphaned") for path in around.removed)
    yield from ((path, "edited") for path in around.edited)


def _below(top: Path, output: Path) -> str:
    try:
        return output.resolve().relative_to(top.resolve()).as_posix()
    except ValueError:
        return output.resolve().as_posix()
