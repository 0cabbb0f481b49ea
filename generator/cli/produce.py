"""From stale models to bundles: resolve, judge, render."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from generator.cli.judging import judge_model
from generator.cli.session import BENTO_TEMPLATES, Session
from generator.cli.spread import spread
from generator.cli.terminal import progress
from generator.cli.work import GATES, USED, Request, Shared, Work, model_paths, survey_images
from generator.output.bundle import Bundle
from generator.output.errors import OutputError
from generator.output.folder import open_root
from generator.output.lock import Notice, locked
from generator.output.report import WriteReport
from generator.output.write import write_within
from generator.plan.build import gate_prefix
from generator.plan.entries import Entry
from generator.plan.repository import Repository
from generator.plan.resolve import Planned, Resolved, resolve
from generator.render.admission import render_admission
from generator.render.argocd import render_application, render_platform_application, render_project
from generator.render.bento import render_bento
from generator.render.bundle import render_bundle
from generator.render.environment import Templates
from generator.render.gate_images import GateImages, gate_images
from generator.render.outputs.gates import used_images
from generator.render.platform import render_overview, render_team
from generator.rules.judge import judge_all
from generator.rules.odds import odds_annotations
from generator.source.finding import Finding
from generator.spec.platform import PlatformSpec


@dataclass
class Producer:
    """Turns models into bundles.

    Args:
        repository: with a valid platform.
        templates: what is rendered with.
        today: waivers and acceptances expire.
        resolved: what became of each model so far.
    """

    repository: Repository
    templates: Templates
    today: datetime.date
    resolved: dict[Entry, Resolved] = field(default_factory=dict)

    def resolve(self, entry: Entry) -> list[Finding]:
        """Plan and judge one model.

        Returns:
            Its findings; with an error among them it can't be rendered.
        """
        found = resolve(self.repository, entry, self._bento_templates)
        self.resolved[entry] = found
        found.findings += judge_model(found, self.repository, self.today)
        return found.findings

    @property
    def _bento_templates(self) -> str:
        return self.templates.digest(BENTO_TEMPLATES)

    def bundles(self, work: Work, entries: Iterable[Entry]) -> Iterator[Bundle]:
        """The stale bundles of some models, rendered as they are asked for."""
        for entry in entries:
            plans = {planned.plan.identity.environment: planned for planned in self.resolved[entry].plans}
            for path, (kind, environment) in model_paths(entry, work.environments).items():
                if path not in work.models[entry]:
                    continue
                files = self._files(kind, plans, environment)
                yield Bundle(path, files, work.inputs[entry])

    def _files(self, kind: str, plans: Mapping[str, Planned], environment: str) -> dict[str, str]:
        planned = plans[environment] if environment else next(iter(plans.values()))
        if kind == "model":
            return render_bundle(planned.plan, self.templates, odds_annotations(planned.plan))
        if kind == "application":
            return render_application(planned.plan, self.templates)
        files = render_bento(planned.plan.bento, self.templates)
        files["IMAGE"] = f"{planned.plan.image.repository}:{planned.plan.image.tag}\n"
        gates = gate_images(planned.plan, self.templates)
        used = sorted({gates.reference(name) for item in plans.values() for name in used_images(item.plan)})
        return files | ({USED: "".join(f"{reference}\n" for reference in used)} if used else {})


@dataclass(frozen=True, slots=True)
class Product:
    """What a render came to.

    Args:
        findings: all of them; a model with an error among its own is left as it is on disk.
        producer: holds the plans; None when the platform can't be used.
        work: what was stale.
        good: models that can be rendered.
    """

    findings: list[Finding]
    producer: Producer | None
    work: Work
    good: tuple[Entry, ...]

    @property
    def knows_all(self) -> bool:
        """Whether it is known which models and environments there are: only then may anything be pruned."""
        return self.producer is not None and not any(finding.code == "SRC101" for finding in self.findings)

    @property
    def exit_code(self) -> int:
        """1 when anything was refused."""
        return int(any(finding.severity == "error" for finding in self.findings))

    def bundles(self) -> Iterator[Bundle]:
        """Everything that is stale and can be rendered, rendered as it is asked for."""
        yield from self._shared()
        yield from self._images()
        if self.producer is not None:
            yield from self.producer.bundles(self.work, self.good)

    def write(self, root: Path, notice: Notice) -> list[WriteReport]:
        """Write it all; above a few hundred models with one process a core."""
        with locked(root, notice) as top:
            reports = [write_within(top, self._shared()), write_within(top, self._images())]
            if self.producer is not None:
                reports += spread(self.good, self._write_some(self.producer, root))
        return reports

    def _shared(self) -> Iterator[Bundle]:
        if self.producer is not None and self.producer.repository.platform is not None:
            yield from shared_bundles(
                self.producer.repository.platform, self.producer.templates, self.work.shared
            )

    def _images(self) -> Iterator[Bundle]:
        platform = self.producer.repository.platform if self.producer else None
        if self.producer is None or platform is None:
            return
        gates = GateImages(gate_prefix(platform), platform.images.base, self.producer.templates)
        for image in sorted(self.work.images):
            yield Bundle(f"{GATES}/{image}", gates.files(image), self.work.image_inputs)

    def _write_some(self, producer: Producer, root: Path) -> Callable[[Sequence[Entry]], WriteReport]:
        def write_some(entries: Sequence[Entry]) -> WriteReport:
            top = open_root(root)
            if top is None:
                raise OutputError(f"can't open {root}: it vanished")
            with top:
                return write_within(top, producer.bundles(self.work, entries))

        return write_some


def produce(session: Session, request: Request, work: Work) -> Product:
    """Resolve and judge what is stale."""
    repository = Repository(session.root)
    platform = repository.platform
    findings = [*session.discovered[1], *repository.findings]
    if platform is None:
        return Product(findings, None, work, ())
    producer = Producer(repository, session.templates, session.today)
    with progress(list(work.models), "planning") as entries:
        for entry in entries:
            findings += producer.resolve(entry)
    findings += _together(producer, request, work)
    bad = {f.place.file for f in findings if f.severity == "error"}
    good = tuple(
        e for e in work.models if producer.resolved[e].plans and not _refused(producer.resolved[e], bad)
    )
    for entry in good:
        plans = [planned.plan for planned in producer.resolved[entry].plans]
        work.used[entry] = frozenset(name for plan in plans for name in used_images(plan))
    survey_images(request, work)
    once = {(f.code, f.place, f.message): f for f in findings}
    return Product(sorted(once.values(), key=Finding.sort_key), producer, work, good)


def _refused(resolved: Resolved, bad: set[str]) -> bool:
    return resolved.document.file in bad or any(f.severity == "error" for f in resolved.findings)


def _together(producer: Producer, request: Request, work: Work) -> list[Finding]:
    """Rules over all models of the teams that something changed in."""
    teams = {entry.team for entry in work.models}
    for entry in request.entries:
        if entry.team in teams and entry not in producer.resolved:
            producer.resolve(entry)
    return judge_all(list(producer.resolved.values()), producer.repository, producer.today)


def shared_bundles(
    platform: PlatformSpec, templates: Templates, wanted: Mapping[Shared, dict[str, str]]
) -> Iterator[Bundle]:
    """The stale bundles that belong to no model."""
    for shared, inputs in wanted.items():
        if shared.kind == "project":
            files = render_project(platform, shared.environment, shared.team, templates)
        elif shared.kind == "team":
            files = render_team(platform, shared.environment, shared.team, templates)
        elif shared.kind == "admission":
            files = render_admission(platform, shared.environment, templates)
        elif shared.kind == "overview":
            files = render_overview(platform, shared.environment, templates)
        else:
            files = render_platform_application(platform, shared.environment, templates)
        yield Bundle(shared.path, files, inputs)
