"""All names that are put together from the names of environments, teams and models, and those that are taken already.

Two of them that are equal, in one place, would be one object, branch or folder with two owners.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from generator.dataclass import dataclass
from generator.plan.build import gate_prefix
from generator.plan.model_files import ModelFiles
from generator.spec.gate_tools import IMAGES
from generator.spec.platform import PlatformSpec

RESERVED_TEAMS: Final = frozenset(
    {
        "admission",
        "argocd",
        "bentos",
        "default",
        "gates",
        "notifications",
        "overview",
        "platform",
        "records",
        *IMAGES,
    }
)
"""Folders of the rendered tree that belong to the platform; CODEOWNERS gives a team every `rendered/*/<team>/`."""
RESERVED_ENVIRONMENTS: Final = frozenset({"bentos", "gates"})
"""Folders of the rendered tree that belong to no environment."""
TAKEN_IN_NAMESPACES: Final = (("ServiceAccount", "default"), ("ServiceAccount", "sluice-gates"))
"""Objects that each namespace of a team has: of Kubernetes, and templates/platform/*-gates.yaml.j2."""

# Kind and suffix of each object of a model; `Pods` are the pods that a Service selects by their name.
_OBJECTS: Final = (
    ("Rollout", ("",)),
    ("Service", ("", "-stable", "-canary", "-active", "-preview", "-shadow", "-feedback")),
    ("Secret", ("-feedback",)),
    ("ExternalSecret", ("-feedback",)),
    ("Pods", ("", "-shadow")),
    ("AnalysisTemplate", ("-guards", "-watch", "-preview", "-shadow-watch", "-shadow-evidence")),
    ("CronWorkflow", ("-recheck",)),
    ("TraefikService", ("", "-shadow")),
    ("route", ("", "-feedback", "-shadow")),
    ("ServiceAccount", ("",)),
    ("HorizontalPodAutoscaler", ("",)),
)
# KEDA creates the autoscaler of a ScaledObject under this name (KEDA 2.20, apis/keda/v1alpha1/scaledobject_types.go).
_KEDA: Final = "keda-hpa-"


@dataclass(frozen=True, slots=True)
class Owner:
    """What a name is made for; parts that it does not depend on are empty. All empty: the platform itself."""

    environment: str = ""
    team: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class DerivedName:
    """One name.

    Args:
        kind: kind of the object, in words that follow "the".
        scope: where it must be unique; equal names of a kind in different scopes are different objects.
        name: the name.
        owner: what it is made for.
    """

    kind: str
    scope: str
    name: str
    owner: Owner


def derived_names(platform: PlatformSpec, models: Iterable[ModelFiles]) -> Iterator[DerivedName]:
    """Yield every derived name: of the platform, of each environment, of each team even without models, of models."""
    yield from _of_platform(platform)
    for environment, settings in platform.environments.items():
        for team in platform.teams:
            name = settings.argocd.project(environment, team)
            yield DerivedName("AppProject", "Argo CD", name, Owner(environment, team))
    entries = tuple(models)
    for team in dict.fromkeys(entry.team for entry in entries):
        for kind, name in TAKEN_IN_NAMESPACES:
            yield DerivedName(kind, _namespaces(team), name, Owner("", team))
    for entry in entries:
        yield from _of_model(platform, entry)


def object_names(kind: str, model: str) -> set[str]:
    """Return the names that objects of a kind may get from the name of a model."""
    return {f"{model}{suffix}" for suffix in dict(_OBJECTS)[kind]}


def _namespaces(team: str) -> str:
    """Return the scope of a team's namespaces, which hold the same objects in every environment."""
    return f"the namespaces of {team}"


def _of_platform(platform: PlatformSpec) -> Iterator[DerivedName]:
    yield DerivedName("AppProject", "Argo CD", "default", Owner())
    for environment in platform.environments:
        owner = Owner(environment)
        yield DerivedName("AppProject", "Argo CD", f"{environment}-platform", owner)
        yield DerivedName("Application", "Argo CD", f"{environment}-platform", owner)
        # templates/init/bootstrap.yaml.j2 and templates/argocd/application-root.yaml.j2
        for suffix in ("", "-projects"):
            yield DerivedName("AppProject", "Argo CD", f"sluice-{environment}{suffix}", owner)
        for suffix in ("", "-projects", "-applications"):
            yield DerivedName("Application", "Argo CD", f"sluice-{environment}{suffix}", owner)
    for image in IMAGES:
        yield DerivedName("image", "the registry", f"{gate_prefix(platform)}/{image}", Owner())


def _of_model(platform: PlatformSpec, entry: ModelFiles) -> Iterator[DerivedName]:
    team, model = entry.team, entry.model
    owner = Owner("", team, model)
    # The services of BentoML, and the branches `sluice/image-…`, `sluice/quarantine-…` and `sluice/revert-…`.
    yield DerivedName("bento", "all teams", f"{team}-{model}", owner)
    yield DerivedName("branch", "git", f"sluice/image-{team}-{model}", owner)
    yield DerivedName("image", "the registry", f"{platform.registry}/{team}/{model}", owner)
    for environment, settings in platform.environments.items():
        name = settings.argocd.application(environment, team, model)
        yield DerivedName("Application", "Argo CD", name, Owner(environment, team, model))
    scope = _namespaces(team)
    for kind, suffixes in _OBJECTS:
        for suffix in suffixes:
            yield DerivedName(kind, scope, f"{model}{suffix}", owner)
    yield DerivedName("HorizontalPodAutoscaler", scope, f"{_KEDA}{model}", owner)
