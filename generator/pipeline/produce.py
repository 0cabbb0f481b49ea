"""From stale models to bundles: judge, then plan again and render, one model at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from generator.odds.odds import odds_annotations
from generator.output.bundle import Bundle
from generator.output.check import check
from generator.output.errors import OutputError
from generator.output.folder import open_root
from generator.output.lock import Notice, locked
from generator.output.report import CheckReport, WriteReport
from generator.output.write import write_within
from generator.pipeline.judgements import judge_models
from generator.pipeline.session import Session
from generator.pipeline.spread import spread
from generator.pipeline.terminal import progress
from generator.pipeline.work import BENTOS, GATES, USED, Request, Shared, Work, model_paths, survey_images
from generator.pipeline.written import Written
from generator.plan.build import gate_prefix
from generator.plan.entries import Entry
from generator.plan.inputs import file_digest
from generator.plan.resolve import Planned
from generator.render.admission import render_admission
from generator.render.argocd import render_application, render_platform_application, render_project
from generator.render.bento import bento_templates
from generator.render.bundle import render_bundle
from generator.render.environment import Templates
from generator.render.gate_images import GateImages, gate_images
from generator.render.notifications import render_argocd_notices, render_rollout_notices
from generator.render.outputs.gates import used_images
from generator.render.platform import render_overview, render_team
from generator.rules.requirements import NO_DIGEST
from generator.source.finding import Finding
from generator.spec.platform import PlatformSpec


@dataclass(frozen=True, slots=True)
class Product:
    """What a render came to.

    Plans are not kept: each model is planned again when it is rendered, which costs less than the memory of them all.

    Args:
        findings: all of them; a model with an error among its own is left as it is on disk.
        session: the repository and what it is rendered with.
        work: what was stale.
        good: models that can be rendered.
        waiting: models that lack nothing but the digest of their image: what it is built from is rendered.
    """

    findings: list[Finding]
    session: Session
    work: Work
    good: tuple[Entry, ...]
    waiting: tuple[Entry, ...] = ()

    @property
    def knows_all(self) -> bool:
        """Whether it is known which models and environments there are: only then may anything be pruned."""
        usable = self.session.repository.platform is not None
        return usable and not any(finding.code == "SRC101" for finding in self.findings)

    @property
    def exit_code(self) -> int:
        """1 when anything was refused."""
        return int(any(finding.severity == "error" for finding in self.findings))

    def bundles(self) -> Iterator[Bundle]:
        """Everything that is stale and can be rendered, rendered as it is asked for."""
        yield from self._shared()
        yield from self._images()
        for entry in (*self.good, *self.waiting):
            yield from model_bundles(self.session, self.work, entry)

    def bentos(self) -> Product:
        """Only what images are built from; that a model waits for the digest of its image is no error then."""
        models = {entry: _bento(entry, paths) for entry, paths in self.work.models.items()}
        work = replace(self.work, models=models, shared={}, images=set(), orphaned=())
        left = [finding for finding in self.findings if finding.code != NO_DIGEST]
        return replace(self, findings=left, work=work)

    def write(self, root: Path, notice: Notice) -> Written:
        """Write it all; above a few hundred models with one process a core."""
        total = Written()
        with locked(root, notice) as top:
            total.add([write_within(top, self._shared()), write_within(top, self._images())])
            models = (*self.good, *self.waiting)
            written = spread(models, self._write_some(root))
            with progress(written, len(models), "Rendering") as found:
                total.add(found)
        return total

    def check(self, root: Path) -> CheckReport:
        """Compare it all with what is on disk; above a few hundred models with one process a core."""
        orphaned = self.work.orphaned if self.knows_all else ()
        reports = [check(root, (*self._shared(), *self._images()), orphaned=orphaned)]
        models = (*self.good, *self.waiting)

        def check_some(entries: Sequence[Entry]) -> Iterator[CheckReport]:
            return (check(root, model_bundles(self.session, self.work, entry)) for entry in entries)

        with progress(spread(models, check_some), len(models), "Checking") as found:
            return CheckReport.sum([*reports, *found])

    def _shared(self) -> Iterator[Bundle]:
        platform = self.session.repository.platform
        if platform is not None:
            yield from shared_bundles(platform, self.session.templates, self.work.shared)

    def _images(self) -> Iterator[Bundle]:
        platform = self.session.repository.platform
        if platform is not None:
            gates = GateImages(gate_prefix(platform), platform.images.base, self.session.templates)
            for image in sorted(self.work.images):
                with self.session.templates.tracing() as used:
                    files = gates.files(image)
                inputs = _with_overrides(self.session.templates, self.work.image_inputs, used)
                yield Bundle(f"{GATES}/{image}", files, inputs)

    def _write_some(self, root: Path) -> Callable[[Sequence[Entry]], Iterator[WriteReport]]:
        def write_some(entries: Sequence[Entry]) -> Iterator[WriteReport]:
            top = open_root(root)
            if top is None:
                raise OutputError(f"can't open {root}: it vanished")
            with top:
                for entry in entries:
                    yield write_within(top, model_bundles(self.session, self.work, entry))

        return write_some


def produce(session: Session, request: Request, work: Work) -> Product:
    """Judge what is stale."""
    repository = session.repository
    platform = repository.platform
    findings = [*session.discovered[1], *repository.findings]
    if platform is None:
        return Product(findings, session, work, ())
    judged, together = judge_models(session, work.models, "Planning", request.environment)
    findings += [finding for one in judged for finding in one.findings] + together
    bad = {f.place.file for f in findings if f.severity == "error"}
    sound = [one for one in judged if one.entry in work.models and one.file(request.root) not in bad]
    good = [one for one in sound if one.can_be_rendered]
    waiting = [one for one in sound if one.lacks_only(NO_DIGEST)]
    work.used.update({one.entry: one.images for one in (*good, *waiting)})
    survey_images(request, work)
    work.models.update({one.entry: _bento(one.entry, work.models[one.entry]) for one in waiting})
    once = {(f.code, f.place, f.message): f for f in findings}
    return Product(
        sorted(once.values(), key=Finding.sort_key),
        session,
        work,
        tuple(one.entry for one in good),
        tuple(one.entry for one in waiting),
    )


def _bento(entry: Entry, paths: set[str]) -> set[str]:
    """What of some bundles an image is built from."""
    return paths & {f"{BENTOS}/{entry.team}/{entry.model}"}


def model_bundles(session: Session, work: Work, entry: Entry) -> Iterator[Bundle]:
    """The stale bundles of one model.

    Raises:
        OutputError: its files are not those any more that were judged.
    """
    resolved, templates = session.resolve(entry), session.templates
    for key, file in (("spec", entry.spec), ("lock", entry.lock), ("evidence", entry.evidence)):
        if file_digest(file) != work.inputs[entry][key]:
            raise OutputError(f"{file} changed while it was rendered; run again")
    plans = {planned.plan.identity.environment: planned for planned in resolved.plans}
    for path, (kind, environment) in model_paths(entry, work.environments).items():
        if path not in work.models[entry]:
            continue
        with templates.tracing() as used:
            files = _files(session, kind, plans, environment)
        if kind != "application":  # the tag of the image is that of what the bento's templates give
            used |= set(bento_templates(next(iter(plans.values())).plan.bento).values())
        yield Bundle(path, files, _with_overrides(templates, work.inputs[entry], used))


def _with_overrides(
    templates: Templates, inputs: Mapping[str, str], used: Iterable[str]
) -> Mapping[str, str]:
    """Add the platform team's own templates to the inputs of a bundle, where they took part in it."""
    overrides = templates.own_digest(used)
    return {**inputs, "overrides": overrides} if overrides else inputs


def _files(session: Session, kind: str, plans: Mapping[str, Planned], environment: str) -> dict[str, str]:
    templates = session.templates
    planned = plans[environment] if environment else next(iter(plans.values()))
    if kind == "model":
        return render_bundle(planned.plan, templates, odds_annotations(planned.plan))
    if kind == "application":
        return render_application(planned.plan, templates)
    files = session.bentos.files(planned.plan.bento)
    files["IMAGE"] = f"{planned.plan.image.repository}:{planned.plan.image.tag}\n"
    gates = gate_images(planned.plan, templates)
    used = sorted({gates.reference(name) for item in plans.values() for name in used_images(item.plan)})
    return files | ({USED: "".join(f"{reference}\n" for reference in used)} if used else {})


def shared_bundles(
    platform: PlatformSpec, templates: Templates, wanted: Mapping[Shared, dict[str, str]]
) -> Iterator[Bundle]:
    """The stale bundles that belong to no model."""
    for shared, inputs in wanted.items():
        with templates.tracing() as used:
            files = _shared_files(platform, templates, shared)
        yield Bundle(shared.path, files, _with_overrides(templates, inputs, used))


def _shared_files(platform: PlatformSpec, templates: Templates, shared: Shared) -> dict[str, str]:
    if shared.kind == "project":
        return render_project(platform, shared.environment, shared.team, templates)
    if shared.kind == "team":
        return render_team(platform, shared.environment, shared.team, templates)
    render = {
        "admission": render_admission,
        "rollout-notices": render_rollout_notices,
        "argocd-notices": render_argocd_notices,
        "overview": render_overview,
        "platform": render_platform_application,
    }[shared.kind]
    return render(platform, shared.environment, templates)
