"""Evaluates the models of stale bundles, renders them, and writes or compares the files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from generator.dataclass import dataclass
from generator.output.bundle import Bundle
from generator.output.check import check
from generator.output.compare import contents
from generator.output.folder import Folder, open_root
from generator.output.freshness import Stamp
from generator.output.report import CheckReport, WriteReport, WriteSummary
from generator.output.survey import Survey, survey
from generator.output.write import Notice, Writer, locked, prune
from generator.pipeline.bundles import (
    KINDS,
    BundleId,
    Source,
    bundle_inputs,
    image_bundles,
    model_bundles,
    render,
    shared_bundles,
)
from generator.pipeline.session import Session
from generator.pipeline.stale import (
    FreshBundles,
    RenderRequest,
    StaleBundles,
    count,
    find_stale,
    fresh_bundles,
    gate_images_on_disk,
    image_inputs,
    model_names,
)
from generator.plan.inputs import file_digest, model_inputs
from generator.plan.model_files import PLATFORM, SPECS, ModelFiles
from generator.source.errors import UserError
from generator.source.finding import Finding, unique_findings

if TYPE_CHECKING:
    from generator.plan.values import Plan

R = TypeVar("R")
_UNREADABLE = "SRC101"


@dataclass(frozen=True, slots=True)
class ModelJob:
    """One model to render.

    Args:
        entry: the model.
        inputs: of its bundles.
        bundles: its bundles to render.
        packed: its plans from the evaluation; empty to plan it again.
    """

    entry: ModelFiles
    inputs: Mapping[str, str]
    bundles: tuple[BundleId, ...]
    packed: bytes = b""


@dataclass(frozen=True)
class RenderPlan:
    """The actions of a run, before anything is rendered or written.

    Args:
        session: the repository and its templates.
        request: the user's request.
        findings: all of them; the files of a model with an error stay unchanged.
        models: the models to render.
        shared: other bundles to render, with their inputs.
        fresh: what is up to date.
        expected: paths of all bundles that there should be.
        prunes: whether bundles that are not expected are deleted.
    """

    session: Session
    request: RenderRequest
    findings: tuple[Finding, ...] = ()
    models: tuple[ModelJob, ...] = ()
    shared: Mapping[BundleId, Mapping[str, str]] = field(default_factory=dict)
    fresh: FreshBundles = field(default_factory=FreshBundles)
    expected: frozenset[str] = frozenset()
    prunes: bool = False

    @cached_property
    def outside(self) -> Survey:
        """What is on disk outside the expected bundles; nothing if only some models are rendered."""
        if not self.prunes:
            return Survey()
        return survey(self.request.output, self.request.environment, self.expected)

    @cached_property
    def left_out(self) -> tuple[str, ...]:
        """The paths of bundles that a check can't compare, because their model has errors."""
        if not self.prunes or self.request.known is not None:
            return ()
        covered = {bundle.path for job in self.models for bundle in job.bundles}
        covered.update(bundle.path for bundle in self.shared)
        return tuple(sorted(self.expected - covered))

    @property
    def failed(self) -> bool:
        """Whether anything was refused."""
        return any(finding.severity == "error" for finding in self.findings)

    def renders(self, entry: ModelFiles) -> bool:
        """Check whether all bundles of a model are rendered, not only the build files of its image."""
        return any(job.entry == entry and len(job.bundles) > 1 for job in self.models)

    def images_only(self) -> RenderPlan:
        """Return the part with the build files of images, in which a missing image digest is not an error."""
        from generator.rules.requirements import NOT_PUSHED

        models = tuple(replace(job, bundles=job.bundles[-1:]) for job in self.models)
        findings = tuple(finding for finding in self.findings if finding.code not in NOT_PUSHED)
        return replace(self, models=models, findings=findings, shared={}, prunes=False)

    def bundles(self) -> Iterator[Bundle]:
        """Render everything, one bundle after the other."""
        yield from self._shared_bundles()
        for job in self.models:
            yield from self._model_bundles(job)
        self._refuse_changed_platform()

    def contents(self) -> dict[str, bytes]:
        """Render everything, and return the content of each file by its path below the output root."""
        return {
            f"{bundle.path}/{name}": data
            for bundle in self.bundles()
            for name, data in contents(bundle).items()
        }

    def check(self) -> CheckReport:
        """Render everything and compare it with the files on disk; many models with one process per core."""
        output = self.request.output

        def check_some(jobs: Sequence[ModelJob]) -> Iterator[CheckReport]:
            return (check(output, self._model_bundles(job)) for job in jobs)

        shared = check(output, self._shared_bundles(), self.outside)
        report = CheckReport.sum([shared, *self._in_parallel(check_some, "Checking")])
        self._refuse_changed_platform()
        return report

    def write(self, notice: Notice) -> WriteSummary:
        """Delete orphaned bundles, then render and write; many models with one process per core.

        With templates of the repository everything is rendered once before the first file is written: one that fails
        on the last model would leave a tree that is half old and half new.

        Raises:
            TemplateError: a template of the repository fails.
        """
        if self.session.templates.own_digest():
            self._try_all()
        output, total = self.request.output, WriteSummary()
        total.add(WriteReport(foreign=tuple(self.outside.foreign)))
        if self.outside.untidy:
            total.add(prune(output, self.request.environment, self.expected, notice))
        with locked(output, notice) as top:
            total.add(_write_all(top, self._shared_bundles()))
            for report in self._in_parallel(self._write_some, "Rendering"):
                total.add(report)
        self._refuse_changed_platform()
        return total

    def _try_all(self) -> None:
        """Render everything, and keep nothing."""

        def try_some(jobs: Sequence[ModelJob]) -> Iterator[int]:
            return (sum(1 for _ in self._model_bundles(job)) for job in jobs)

        sum(1 for _ in self._shared_bundles())
        sum(self._in_parallel(try_some, "Trying templates"))

    def remember(self, stamp: Stamp, keys: Collection[bytes]) -> None:
        """Save which bundles are up to date; bundles that this run did not cover stay known.

        Args:
            stamp: of the output root.
            keys: of the ledgers that were written, or found to be what they should be.
        """
        seen = self.fresh.keys.union(keys)
        stamp.save(seen if self.request.covers_all else seen | stamp.keys)

    def _write_some(self, jobs: Sequence[ModelJob]) -> Iterator[WriteReport]:
        top = open_root(self.request.output)
        if top is None:
            raise UserError(f"can't open {self.request.output}: it was deleted")
        with top:
            for job in jobs:
                yield _write_all(top, self._model_bundles(job))

    def _in_parallel(self, work: Callable[[Sequence[ModelJob]], Iterator[R]], label: str) -> Iterator[R]:
        with self.session.work_on(self.models, work, label) as found:
            yield from found

    @cached_property
    def _source(self) -> Source:
        platform = self.session.repository.platform
        if platform is None:
            raise ValueError("a valid platform is required to render")
        models = model_names(self.session.entries)
        from generator.pipeline.held import release_in_git

        def in_git(plan: Plan) -> Mapping[str, str]:
            return release_in_git(self.session.rendered, plan)

        return Source(platform, self.session.templates, self.session.bentos, in_git=in_git, models=models)

    def _shared_bundles(self) -> Iterator[Bundle]:
        for bundle, inputs in self.shared.items():
            yield render(bundle, self._source, inputs)

    def _model_bundles(self, job: ModelJob) -> Iterator[Bundle]:
        """Render the bundles of one model.

        Raises:
            UserError: its files changed since they were evaluated.
        """
        source = replace(self._source, plans=self._plans(job))
        self._refuse_changes(job)
        for bundle in job.bundles:
            yield render(bundle, source, bundle_inputs(job.entry, bundle, job.inputs))

    def _refuse_changes(self, job: ModelJob) -> None:
        """Check that all inputs of a model are as they were when it was evaluated.

        Raises:
            UserError: one of them changed.
        """
        now = model_inputs(job.entry, self.session.platform_inputs)
        changed = [key for key, digest in now.items() if job.inputs.get(key) != digest]
        if changed:
            files = {"spec": job.entry.spec, "lock": job.entry.lock, "evidence": job.entry.evidence}
            shown = files.get(changed[0], f"the {changed[0]} of {job.entry.name}")
            raise UserError(f"{shown} changed during rendering", "run the command again")

    def _refuse_changed_platform(self) -> None:
        """Check that the platform file is as it was read.

        Raises:
            UserError: it changed.
        """
        if file_digest(self.session.root / SPECS / PLATFORM) != self.session.platform_inputs.digest:
            raise UserError(f"{SPECS}/{PLATFORM} changed during rendering", "run the command again")

    def _plans(self, job: ModelJob) -> dict[str, Plan]:
        from generator.pipeline.evaluate import unpack

        if job.packed:
            return unpack(job.packed)
        plans = [planned.plan for planned in self.session.resolve(job.entry).plans]
        return {plan.identity.environment: plan for plan in plans}


def _write_all(top: Folder, bundles: Iterator[Bundle]) -> WriteReport:
    """Write bundles as they are rendered, so that only one is in memory."""
    writer = Writer(top)
    for bundle in bundles:
        writer.write(bundle)
    return writer.report()


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The result of an evaluation; the defaults are those of a run without anything to evaluate."""

    findings: tuple[Finding, ...] = ()
    jobs: tuple[ModelJob, ...] = ()
    images: Mapping[ModelFiles, frozenset[str]] = field(default_factory=dict)
    usable: bool = True

    @property
    def knows_all(self) -> bool:
        """Whether all models and environments are known, so that orphaned bundles can be deleted."""
        return self.usable and not any(finding.code == _UNREADABLE for finding in self.findings)


def plan_render(session: Session, request: RenderRequest) -> RenderPlan:
    """Find stale bundles, evaluate their models, and decide what to render and delete."""
    stale = find_stale(session, request)
    outcome = _evaluate(session, request, stale)
    if not outcome.usable:
        return RenderPlan(session, request, outcome.findings, fresh=stale.fresh)
    images = {
        entry: outcome.images[entry]
        if entry in outcome.images
        else gate_images_on_disk(request.output, entry)
        for entry in session.entries
    }
    covered = {image for entry in filter(request.covers, images) for image in images[entry]}
    wanted = dict.fromkeys(image_bundles(covered), image_inputs(session.platform_inputs))
    fresh_images = fresh_bundles(request, wanted)
    stale_images = {bundle: inputs for bundle, inputs in wanted.items() if bundle not in fresh_images}
    if stale_images:
        from generator.spec.gate_tools import IMAGES

        stale_images = {bundle: inputs for bundle, inputs in stale_images.items() if bundle.name in IMAGES}
    expected = frozenset(bundle.path for bundle in _all_bundles(session, stale.environments, images))
    prunes = request.selected is None and outcome.knows_all
    # A list without the models of an unreadable folder would make Argo CD delete them.
    shared = {
        b: inputs for b, inputs in stale.shared.items() if outcome.knows_all or not KINDS[b.kind].lists_models
    }
    return RenderPlan(
        session,
        request,
        outcome.findings,
        outcome.jobs,
        {**shared, **stale_images},
        FreshBundles.sum([stale.fresh, count(fresh_images.values())]),
        expected,
        prunes,
    )


def _all_bundles(
    session: Session, environments: Sequence[str], images: Mapping[ModelFiles, frozenset[str]]
) -> Iterator[BundleId]:
    for entry in session.entries:
        yield from model_bundles(entry, session.rendered_in(entry, environments))
    yield from shared_bundles(session.platform_inputs, environments)
    yield from image_bundles({image for names in images.values() for image in names})


def _evaluate(session: Session, request: RenderRequest, stale: StaleBundles) -> _Outcome:
    """Evaluate stale models; imported here, since these imports would dominate a run without changes."""
    strays = session.strays
    if stale.none and not strays:
        return _Outcome()
    from generator.pipeline.evaluate import evaluate_models
    from generator.plan.derived import RESERVED_ENVIRONMENTS, RESERVED_TEAMS
    from generator.rules.requirements import NOT_PUSHED

    repository = session.repository
    if repository.platform is None:
        return _Outcome((*strays, *repository.findings), usable=False)
    evaluations, fleet = evaluate_models(session, stale.models, "Planning", request.environment)
    own = (finding for one in evaluations for finding in one.findings)
    findings = unique_findings([*strays, *repository.findings, *own, *fleet])
    bad = {finding.place.file for finding in findings if finding.severity == "error"}
    taken = repository.platform.environments.keys() & RESERVED_ENVIRONMENTS
    jobs, images = [], {}
    for one in evaluations:
        waits = one.lacks_only(NOT_PUSHED)
        if taken or one.entry.team in RESERVED_TEAMS:  # its folder would be one of Sluice's own
            continue
        if one.entry in stale.models and one.file(session.root) not in bad and (one.can_be_rendered or waits):
            images[one.entry] = one.images
            rendered = () if waits else session.rendered_in(one.entry, stale.environments)
            bundles = model_bundles(one.entry, rendered)
            jobs.append(ModelJob(one.entry, stale.models[one.entry], tuple(bundles), one.packed))
    return _Outcome(tuple(findings), tuple(jobs), images)
