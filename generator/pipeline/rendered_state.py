"""Compares what is rendered in git with what the specs give, for commands that show something else: one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from generator.output.bundle import is_path
from generator.output.report import CheckReport
from generator.pipeline.session import Session
from generator.plan.model_files import PLATFORM, SPECS
from generator.source.errors import UserError
from generator.spec.quantities import plural

_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class RenderedState:
    """The outcome.

    Args:
        line: one sentence; empty when nothing was ever rendered.
        agrees: whether what was compared is what the specs give.
    """

    line: str
    agrees: bool


def rendered_state(session: Session, models: Sequence[str] = ()) -> RenderedState:
    """Compare the rendered files of some models, or everything below `git.path`, with what the specs give.

    Bundles that this machine's cache knows from an earlier run are compared by hash, others are rendered.

    Args:
        session: the repository.
        models: `team/model` of each; empty for everything, with files that no spec asks for.
    """
    from generator.output.freshness import Stamp
    from generator.pipeline.render import plan_render
    from generator.pipeline.stale import render_request
    from generator.render.identity import code_digest

    folder = session.platform_inputs.folder
    if not (session.root / folder).is_dir():
        return RenderedState("", agrees=True)
    if session.repository.platform is None:
        line = f"{folder}/ was not compared with the specs: {SPECS}/{PLATFORM} has errors"
        return RenderedState(line, agrees=False)
    try:
        request = render_request(session, models)
        stamp = Stamp.read(request.output, code_digest(session.templates))
        plan = plan_render(session, replace(request, known=stamp.keys))
        report = plan.check()
    except UserError as error:
        return RenderedState(f"{folder}/ was not compared with the specs: {error.message}", agrees=False)
    differences = _differences(report, folder)
    if plan.failed:
        differences.append("models with errors were not compared")
    if differences:
        return RenderedState(
            f"{folder}/ is not what the specs give: {', '.join(differences)}; `sluice render --check` shows all",
            agrees=False,
        )
    bundles = plan.fresh.bundles + len(report.keys)
    return RenderedState(f"{folder}/ is what the specs give: {bundles:,} bundles compared", agrees=True)


def _differences(report: CheckReport, folder: str) -> list[str]:
    """Return the numbers of differences; old and forged files look alike, since ledgers can be forged."""
    foreign, other = len(report.foreign), report.differing
    found = []
    if foreign:
        found.append(f"{plural(foreign, 'file')} from no spec{_named(report.foreign, folder)}")
    if other:
        found.append(f"{plural(len(other), 'file')} out of date or edited{_named(other, folder)}")
    if report.findings:
        found.append(plural(len(report.findings), "damaged ledger"))
    return found


def _named(paths: Sequence[str], folder: str) -> str:
    """Return the first names; odd ones are left out, since the line is also printed as Markdown."""
    shown = [f"{folder}/{path}" for path in paths if is_path(path)][:_NAMED]
    more = ", …" if len(shown) < len(paths) else ""
    return f" ({', '.join(shown)}{more})" if shown else ""
