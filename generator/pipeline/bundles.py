"""All kinds of bundles in one table: path, scope, and renderer.

An unchanged repository is compared without rendering anything, so rows import their renderer when it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Final, Literal

from generator.dataclass import dataclass
from generator.output.bundle import Bundle
from generator.plan.inputs import PlatformInputs, promotion_input
from generator.plan.model_files import ModelFiles
from generator.source.errors import UserError

if TYPE_CHECKING:
    from generator.plan.values import Plan
    from generator.render.bento import Bentos
    from generator.render.environment import Templates
    from generator.spec.platform import PlatformSpec

BENTOS: Final = "bentos"
GATE_LIST: Final = "GATES"
"""The file in a bento that lists the gate images of its model, one per line."""

Scope = Literal["model", "team", "environment", "image"]
"""The scope of one bundle of a kind: a model (in one environment or all), a team, an environment, a gate image."""


@dataclass(frozen=True, slots=True)
class BundleId:
    """One bundle.

    Args:
        kind: a key of `KINDS`.
        environment: where it is applied; empty if all environments share it.
        team: its team; empty for the platform.
        name: the model or the gate image, if there is one.
    """

    kind: str
    environment: str = ""
    team: str = ""
    name: str = ""

    @property
    def path(self) -> str:
        """Folder below the output root."""
        return KINDS[self.kind].path.format(environment=self.environment, team=self.team, name=self.name)


def _nothing(plan: Plan) -> Mapping[str, str]:
    del plan
    return {}


@dataclass(frozen=True, slots=True)
class Source:
    """The inputs of bundles.

    Args:
        platform: the platform.
        templates: ours, with the platform team's overrides.
        bentos: the rendered services.
        plans: of the bundles' model, by environment; empty for other bundles.
        in_git: reads the release that a gated environment has in git: text by file name.
        models: `team/model` of every model of the repository.
    """

    platform: PlatformSpec
    templates: Templates
    bentos: Bentos
    plans: Mapping[str, Plan] = field(default_factory=dict)
    in_git: Callable[[Plan], Mapping[str, str]] = _nothing
    models: tuple[str, ...] = ()

    @property
    def any_plan(self) -> Plan:
        """A plan of the model, for values that are the same in all environments."""
        return next(iter(self.plans.values()))


def _always(platform: PlatformInputs, environment: str) -> bool:
    del platform, environment
    return True


@dataclass(frozen=True, slots=True)
class BundleKind:
    """A row of the table.

    Args:
        path: folder below the output root.
        scope: of one bundle of this kind.
        render: text by file name.
        wanted: whether an environment has this bundle, for kinds without a model.
        closed: whether a build copies the whole folder; see `Bundle`.
        lists_models: whether the names of all models are among its inputs.
        bare: whether its ledger names no inputs; see `Bundle`.
    """

    path: str
    scope: Scope
    render: Callable[[Source, BundleId], dict[str, str]]
    wanted: Callable[[PlatformInputs, str], bool] = _always
    closed: bool = False
    lists_models: bool = False
    bare: bool = False


def _model(source: Source, bundle: BundleId) -> dict[str, str]:
    from generator.odds.odds import odds_annotations
    from generator.render.bundle import render_bundle

    plan = source.plans[bundle.environment]
    if plan.bento is not None:
        source.bentos.trace(plan.bento)  # the image tag has the digest of these rendered templates
    odds = odds_annotations(plan)
    if plan.promotion is None:
        return render_bundle(plan, source.templates, odds)
    from generator.render.held import render_promoted

    return render_promoted(plan, source.templates, odds, source.in_git)


def _application(source: Source, bundle: BundleId) -> dict[str, str]:
    from generator.render.argocd import render_application

    return render_application(source.plans[bundle.environment], source.templates)


def _bento(source: Source, bundle: BundleId) -> dict[str, str]:
    from generator.render.gate_images import gate_images
    from generator.render.outputs.gates import used_images
    from generator.render.trial import TRIAL_FACTS, trial_facts

    del bundle
    plan = source.any_plan
    gates = gate_images(plan, source.templates)
    used = sorted({gates.reference(name) for each in source.plans.values() for name in used_images(each)})
    files = source.bentos.files(plan.bento) if plan.bento is not None else {}
    if plan.bento is not None:
        files["IMAGE"] = f"{plan.pushed.repository}:{plan.image.tag}\n"
    files[TRIAL_FACTS] = trial_facts(source.plans.values())
    return files | ({GATE_LIST: "".join(f"{reference}\n" for reference in used)} if used else {})


def _gate_image(source: Source, bundle: BundleId) -> dict[str, str]:
    from generator.plan.build import base_image, gate_prefix
    from generator.render.gate_images import GateImages

    prefix, base = gate_prefix(source.platform), base_image(source.platform)
    return GateImages(prefix, base, source.templates).files(bundle.name)


def _project(source: Source, bundle: BundleId) -> dict[str, str]:
    from generator.render.argocd import render_project

    return render_project(
        source.platform.at(bundle.environment), bundle.environment, bundle.team, source.templates
    )


def _team(source: Source, bundle: BundleId) -> dict[str, str]:
    from generator.render.platform import render_team

    return render_team(
        source.platform.at(bundle.environment), bundle.environment, bundle.team, source.templates
    )


def _platform(source: Source, bundle: BundleId) -> dict[str, str]:
    from generator.render.argocd import render_platform_application

    return render_platform_application(
        source.platform.at(bundle.environment), bundle.environment, source.templates
    )


def _root(source: Source, bundle: BundleId) -> dict[str, str]:
    from generator.render.root import render_root

    return render_root(
        source.platform.at(bundle.environment), bundle.environment, source.models, source.templates
    )


def _admission(source: Source, bundle: BundleId) -> dict[str, str]:
    from generator.render.admission import render_admission

    return render_admission(source.platform.at(bundle.environment), bundle.environment, source.templates)


def _rollout_notices(source: Source, bundle: BundleId) -> dict[str, str]:
    from generator.render.notifications import render_rollout_notices

    return render_rollout_notices(
        source.platform.at(bundle.environment), bundle.environment, source.templates
    )


def _argocd_notices(source: Source, bundle: BundleId) -> dict[str, str]:
    from generator.render.notifications import render_argocd_notices

    return render_argocd_notices(source.platform.at(bundle.environment), bundle.environment, source.templates)


def _overview(source: Source, bundle: BundleId) -> dict[str, str]:
    from generator.render.platform import render_overview

    return render_overview(source.platform.at(bundle.environment), bundle.environment, source.templates)


def _recorder(source: Source, bundle: BundleId) -> dict[str, str]:
    from generator.render.platform import render_recorder

    return render_recorder(source.platform, bundle.environment, source.templates)


KINDS: Final[Mapping[str, BundleKind]] = {
    "model": BundleKind("{environment}/{team}/{name}", "model", _model),
    # The platform owns this folder: nothing in it may change with a release of a team, not even the ledger.
    "application": BundleKind(
        "{environment}/argocd/applications/{team}/{name}", "model", _application, bare=True
    ),
    "root": BundleKind("{environment}/argocd/root", "environment", _root, lists_models=True, bare=True),
    "bento": BundleKind("bentos/{team}/{name}", "model", _bento, closed=True),
    "project": BundleKind("{environment}/argocd/projects/{team}", "team", _project),
    "team": BundleKind("{environment}/platform/{team}", "team", _team),
    "platform": BundleKind("{environment}/argocd/platform", "environment", _platform),
    "admission": BundleKind(
        "{environment}/platform/admission", "environment", _admission, PlatformInputs.has_admission
    ),
    "overview": BundleKind(
        "{environment}/platform/overview", "environment", _overview, PlatformInputs.has_dashboards
    ),
    "recorder": BundleKind(
        "{environment}/platform/records", "environment", _recorder, PlatformInputs.has_records
    ),
    "rollout-notices": BundleKind(
        "{environment}/platform/notifications",
        "environment",
        _rollout_notices,
        PlatformInputs.has_rollout_notices,
    ),
    "argocd-notices": BundleKind(
        "{environment}/argocd/notifications",
        "environment",
        _argocd_notices,
        PlatformInputs.has_argocd_notices,
    ),
    "gate-image": BundleKind("gates/{name}", "image", _gate_image, closed=True),
}


def model_bundles(entry: ModelFiles, environments: Sequence[str]) -> list[BundleId]:
    """Return the bundles of one model; the last, without an environment, has the build files of its image."""
    return [
        *(BundleId("model", name, entry.team, entry.model) for name in environments),
        *(BundleId("application", name, entry.team, entry.model) for name in environments),
        BundleId("bento", "", entry.team, entry.model),
    ]


def shared_bundles(platform: PlatformInputs, environments: Iterable[str]) -> Iterator[BundleId]:
    """Yield the bundles of environments and teams, which belong to no model."""
    for environment in environments:
        for name, kind in KINDS.items():
            if kind.scope == "environment" and kind.wanted(platform, environment):
                yield BundleId(name, environment)
            elif kind.scope == "team":
                yield from (BundleId(name, environment, team) for team in platform.names("teams"))


def image_bundles(images: Iterable[str]) -> list[BundleId]:
    """Return the bundles with the build files of some gate images."""
    return [BundleId("gate-image", name=image) for image in sorted(images)]


def render(bundle: BundleId, source: Source, inputs: Mapping[str, str]) -> Bundle:
    """Render one bundle; its inputs include the platform team's templates that it used.

    Raises:
        TemplateError: a template of the platform team is invalid.
        RenderError: one of our templates is invalid.
        UserError: Argo CD would not apply a file.
    """
    kind = KINDS[bundle.kind]
    with source.templates.tracing() as used:
        files = kind.render(source, bundle)
        overrides = source.templates.own_digest(used)
    _refuse_marker(bundle, files)
    recorded = {**inputs, "overrides": overrides} if overrides and not kind.bare else inputs
    return Bundle(bundle.path, files, recorded, closed=kind.closed, bare=kind.bare)


def bundle_inputs(entry: ModelFiles, bundle: BundleId, inputs: Mapping[str, str]) -> Mapping[str, str]:
    """Return the inputs of one bundle of a model: those of all of them, and the lock of its environment."""
    return {**inputs, **promotion_input(entry, bundle.environment)} if bundle.kind == "model" else inputs


def _refuse_marker(bundle: BundleId, files: Mapping[str, str]) -> None:
    """Refuse a text that Argo CD obeys, which may come from a template or from a value in several parts.

    Raises:
        UserError: a file contains it.
    """
    from generator.source.reader import MARKER

    for name, text in files.items():
        if MARKER in text:
            message = f"Argo CD would not apply {bundle.path}/{name}: it contains `{MARKER}`"
            raise UserError(message, "remove it from the template or the value that it comes from")
