"""Compares what is rendered in git with what the specs give, for commands that show something else: one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generator.dataclass import dataclass
from generator.output.bundle import is_path
from generator.pipeline.session import Session
from generator.plan.model_files import PLATFORM, SPECS
from generator.source.errors import UserError
from generator.spec.quantities import plural

if TYPE_CHECKING:
    from generator.output.freshness import Stamp
    from generator.output.report import CheckReport
    from generator.pipeline.stale import RenderRequest

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

    Bundles that this machine's cache knows from an earlier run are compared by hash. Others are rendered, and then
    known, except those of named models that were rendered from other inputs: they are out of date anyway.

    Args:
        session: the repository.
        models: `team/model` of each; empty for everything, with files that no spec asks for.
    """
    from generator.output.freshness import Stamp
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
        request = replace(request, known=stamp.keys)
        known = _known_state(session, request, folder) if models else None
        return known or _compared(session, request, stamp, folder)
    except UserError as error:
        return RenderedState(f"{folder}/ was not compared with the specs: {error.message}", agrees=False)


def _known_state(session: Session, request: RenderRequest, folder: str) -> RenderedState | None:
    """Return the state of some models if nothing has to be rendered for it; these imports are cheap."""
    from generator.pipeline.bundles import KINDS, bundle_inputs, image_bundles, model_bundles
    from generator.pipeline.stale import find_stale, fresh_bundles, gate_images_on_disk, image_inputs

    stale = find_stale(session, request)
    old = [
        bundle.path
        for entry, inputs in stale.models.items()
        for bundle in model_bundles(entry, session.rendered_in(entry, stale.environments))
        if not KINDS[bundle.kind].bare
        and _is_old(request.output, bundle.path, bundle_inputs(entry, bundle, inputs))
    ]
    if old:
        return _differing([f"{plural(len(old), 'bundle')} out of date{_named(old, folder)}"], folder)
    covered = filter(request.covers, session.entries)
    names = {name for entry in covered for name in gate_images_on_disk(request.output, entry)}
    images = dict.fromkeys(image_bundles(names), image_inputs(session.platform_inputs))
    fresh = fresh_bundles(request, images)
    if stale.models or len(fresh) < len(images):
        return None
    return _agreeing(stale.fresh.bundles + len(fresh), folder)


def _is_old(output: Path, path: str, inputs: Mapping[str, str]) -> bool:
    from generator.output.folder import open_root
    from generator.output.freshness import names_other_inputs

    top = open_root(output)
    if top is None:
        return False
    with top:
        return names_other_inputs(top, path, inputs)


def _compared(session: Session, request: RenderRequest, stamp: Stamp, folder: str) -> RenderedState:
    """Render what the stamp does not know, and compare it with the files."""
    from generator.pipeline.render import plan_render

    plan = plan_render(session, request)
    report = plan.check()
    plan.remember(stamp, report.keys)
    differences = _differences(report, folder)
    if plan.failed:
        differences.append("models with errors were not compared")
    if differences:
        return _differing(differences, folder)
    return _agreeing(plan.fresh.bundles + len(report.keys), folder)


def _differing(differences: Sequence[str], folder: str) -> RenderedState:
    found = ", ".join(differences)
    return RenderedState(
        f"{folder}/ is not what the specs give: {found}; `sluice render --check` shows all", agrees=False
    )


def _agreeing(bundles: int, folder: str) -> RenderedState:
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
