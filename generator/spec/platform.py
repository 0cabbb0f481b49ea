"""The platform: settings that all models share, and the limits they must keep. Owned by the platform team."""

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from generator.source.suggest import did_you_mean
from generator.spec.environment import Budget, Controllers, Environment, Namespaces, Quota, Revision
from generator.spec.exemptions import HotFix, Quarantine, Waiver
from generator.spec.freezes import Freeze
from generator.spec.gate_pods import GatePods
from generator.spec.indexes import Index
from generator.spec.monitoring import Monitoring
from generator.spec.network import ModelDestination
from generator.spec.notifications import Notifications, Notify, RecordAccess
from generator.spec.pod import GpuKind, Pod
from generator.spec.prometheus import Prometheus
from generator.spec.record import Record
from generator.spec.rings import RingOf, by_cluster, rings_of, where_written
from generator.spec.rollout import Cohort
from generator.spec.service import Scalar
from generator.spec.signers import Signer
from generator.spec.tier import Tier
from generator.spec.types import (
    Digest,
    Host,
    Key,
    Line,
    Name,
    PackageName,
    Percent,
    Price,
    Refresh,
    Registry,
    RelativePath,
    SourceRepository,
)  # fmt: skip

if TYPE_CHECKING:
    from generator.source.document import Path


class Git(Record):
    """The repository that Argo CD reads."""

    repo: SourceRepository = Field(
        description="address of this repository", examples=["https://git.example.com/acme/models.git"]
    )
    revision: Revision = Field("main", description="branch or tag")
    root: RelativePath | None = Field(
        None,
        description="folder with specs/ below the top of the repository; leave it out if that is the top",
        examples=["ml/models"],
    )
    path: RelativePath = Field("rendered", description="folder of the rendered files, next to specs/")

    def from_top(self, path: str) -> str:
        """Return a path next to specs/ as Argo CD and code hosts write it: below the top of the repository."""
        return f"{self.root}/{path}" if self.root else path


class KnownCohort(Cohort):
    """A cohort whose size is known."""

    share: Percent = Field(
        description="largest share of live requests that carry the header", examples=["1%"]
    )


class Team(Record):
    """A team, its tiers and its limits."""

    owners: list[Line] = Field(
        min_length=1, description="contacts, who are also the code owners of its folder"
    )
    tiers: list[Name] = Field(min_length=1, description="tiers its models may use")
    quota: Quota | None = Field(None, description="resources it may use in one environment")
    budget: Budget | None = Field(None, description="monthly budget")
    egress: list[ModelDestination] = Field(
        [],
        description="what its models may reach, in addition to DNS; default: nothing",
        examples=[[{"namespace": "features", "ports": [6379], "models": ["recommender"]}]],
    )
    feedback_from: list[Name] = Field(
        [], description="namespaces whose pods may send feedback to its models, in addition to its own"
    )
    notify: Notify | None = Field(None, description="who gets notifications about its releases")
    hosts: list[Host] = Field(
        [],
        description="host names that its models may use outside of its domain, TEAM.<domain of the environment>",
        examples=[["recommendations.example.com"]],
    )


class Prices(Record):
    """Prices of resources, for budgets."""

    cpu_hour: Price | None = Field(None, description="one core for one hour")
    memory_hour: Price | None = Field(None, description="one GiB for one hour")
    gpu_hour: Price | None = Field(None, description="one GPU for one hour")


class Images(Record):
    """Base images of models and gates."""

    base: Annotated[str, Field(pattern=r"^[a-z0-9][A-Za-z0-9._/:-]*(@sha256:[0-9a-f]{64})?$")] = Field(
        "docker.io/library/python:3.11-slim", description="base of the models' images"
    )
    gpu: Annotated[str, Field(pattern=r"^[a-z0-9][A-Za-z0-9._/:-]*(@sha256:[0-9a-f]{64})?$")] | None = Field(
        None, description="base of the images of models whose pods have GPUs; default: `base`"
    )
    gates: Annotated[str, Field(pattern=r"^[a-z0-9][A-Za-z0-9._/:-]*(@sha256:[0-9a-f]{64})?$")] | None = (
        Field(None, description="prefix of the gate images; default: the registry")
    )
    from_source: list[PackageName] = Field(
        [],
        description="packages of services that may be built from source, which runs their code where packages are "
        "resolved and where images are built; all others are installed as wheels",
        examples=[["docopt"]],
    )
    digests: dict[Line, Digest] = Field(
        {},
        description="digests of base images, gate images and images of CI, by name and tag; `sluice pin --platform` "
        "writes them",
    )

    def by_digest(self, reference: str) -> str:
        """Return an image by digest, if there is one for exactly this name and tag."""
        digest = self.digests.get(reference)
        return f"{reference}@{digest}" if digest else reference


class Secrets(Record):
    """The store from which the External Secrets Operator fetches the Secrets that specs refer to."""

    store: Name = Field(description="name of the store", examples=["vault"])
    kind: Literal["ClusterSecretStore", "SecretStore"] = Field(
        "ClusterSecretStore", description="whether the store is one of the cluster or of a namespace"
    )
    key: Annotated[str, Field(pattern=r"^(?:[A-Za-z0-9._/-]|\{(?:team|environment|model|secret)\})+$")] = (
        Field("{team}/{environment}/{secret}", description="path of a Secret in the store")
    )
    refresh: Refresh = Field(3600.0, description="how often the operator fetches new values", examples=["1h"])


class PlatformSpec(Record):
    """Settings that all models share."""

    git: Git = Field(description="the repository that Argo CD reads")
    registry: Registry = Field(
        description="registry that images are pushed to", examples=["registry.example.com/models"]
    )
    prometheus: Prometheus = Field(description="Prometheus that guards query")
    controllers: Controllers = Field(
        Controllers.model_construct(), description="versions of the controllers in the clusters"
    )
    written: dict[Name, Environment] = Field(
        alias="environments", min_length=1, description="environments in which models run"
    )
    tiers: dict[Name, Tier] = Field(min_length=1, description="classes of models")
    teams: dict[Name, Team] = Field(min_length=1, description="teams that release models")
    attributes: dict[Key, list[Scalar]] = Field(
        {}, description="sensitive attributes and their values, for all models"
    )
    cohorts: list[KnownCohort] = Field(
        [],
        description="cohorts whose size is known; any other cohort counts as all users",
        examples=[[{"header": "x-cohort", "exact": "staff", "share": "0.5%"}]],
    )
    waivers: list[Waiver] = Field([], description="exemptions from gates")
    hot_fixes: list[HotFix] = Field(
        [], description="versions that may go out faster than their tier allows, for a day"
    )
    freezes: list[Freeze] = Field(
        [],
        description="times in which nothing is promoted to an environment; reverts are never held back",
        examples=[
            [
                {
                    "environments": ["production"],
                    "from": "2026-12-20T00:00",
                    "to": "2027-01-04T06:00",
                    "zone": "Europe/Berlin",
                    "reason": "peak season",
                }
            ]
        ],
    )
    quarantine: list[Quarantine] = Field(
        [],
        description="versions that were rejected after their release; each is refused until it is released by name",
    )
    signers: list[Signer] = Field([], description="keys and identities that sign evidence and locks")
    owners: list[Line] = Field(
        [], description="code owners of the platform's files", examples=[["@acme/platform"]]
    )
    prices: Prices = Field(Prices.model_construct(), description="prices of resources")
    monitoring: Monitoring = Field(Monitoring.model_construct(), description="how Prometheus finds the pods")
    images: Images = Field(Images.model_construct(), description="base images of models and gates")
    indexes: dict[Name, Index] = Field(
        {},
        description="package indexes that specs name in `service.indexes`",
        examples=[
            {
                "internal": {
                    "url": "https://packages.example.com/simple",
                    "packages": ["acme-features"],
                    "login": True,
                }
            }
        ],
    )
    gates: GatePods = Field(GatePods.model_construct(), description="how gates run in the cluster")
    pod: Pod = Field(Pod.model_construct(), description="what all pods of models have")
    gpus: dict[Name, GpuKind] = Field(
        {},
        description="kinds of GPUs that specs name in `resources.gpuKind`",
        examples=[{"l4": {"nodeSelector": {"nvidia.com/gpu.product": "NVIDIA-L4"}}}],
    )
    argocd_namespace: Name = Field("argocd", description="namespace of Argo CD")
    secrets: Secrets | None = Field(
        None,
        description="External Secrets Operator; default: none, the Secrets already exist in the namespaces",
    )
    notifications: Notifications | None = Field(
        None, description="notifications about aborts, approvals and failed syncs; default: none"
    )
    records: RecordAccess | None = Field(
        None,
        description="a ServiceAccount in each environment with which CI reads releases that have ended; default: none, "
        "as notifications need no access",
        examples=[{"namespace": "argo-rollouts"}],
    )
    admission: Literal["deny", "warn", "none"] = Field(
        "deny",
        description="what the API server does with a release that bypasses Sluice; none: no policies are rendered",
    )

    namespaces: Namespaces = Field(
        "managed",
        description="managed: Sluice renders the namespaces of teams, with limits for everything in them; adopt: they "
        "exist, and what Sluice renders selects only pods of models and gates",
    )

    @cached_property
    def rings(self) -> dict[str, RingOf]:
        """Every ring, by its name as an environment, such as `production-eu`."""
        return rings_of(self.written)

    @cached_property
    def environments(self) -> dict[str, Environment]:
        """The environments of which each has one cluster: a ring is one of them."""
        return by_cluster(self.written, self.rings)

    def at(self, environment: str) -> "PlatformSpec":
        """Return the platform as one environment sees it, with what that has for itself."""
        own = self.environments.get(environment)
        if own is None:
            return self
        if environment in self._views:
            return self._views[environment]
        changed: dict[str, Any] = {
            "registry": own.registry or self.registry,
            "prometheus": self.prometheus.reached(own.prometheus),
            "controllers": self.controllers.of(own.controllers),
            "namespaces": own.namespaces or self.namespaces,
            "argocd_namespace": own.argocd.namespace or self.argocd_namespace,
            "teams": {
                name: team.model_copy(update={"quota": own.teams[name].quota or team.quota})
                if name in own.teams
                else team
                for name, team in self.teams.items()
            },
            "git": self.git.model_copy(update={"revision": own.revision or self.git.revision}),
        }
        return self._views.setdefault(environment, self.model_copy(update=changed))

    @cached_property
    def _views(self) -> "dict[str, PlatformSpec]":
        return {}

    def where_written(self, path: "Path") -> "Path":
        """Return the path in the file of a value of `environments`, which may belong to a ring."""
        return where_written(self.written, self.rings, path)

    def like_environment(self, name: str) -> str:
        """Return a hint about a name that is not one of `environments`; an environment with rings has its rings."""
        rings = [ring for ring, place in self.rings.items() if place.environment == name]
        if rings:
            return f"`{name}` has rings: write {' or '.join(rings)}"
        return did_you_mean(name.replace("/", "-"), self.environments, "environments")

    def whole(self, environment: str) -> str:
        """Return the environment that a ring is part of, and any other environment as it is."""
        ring = self.rings.get(environment)
        return ring.environment if ring else environment


class PlatformMetadata(Record):
    """The name of the platform."""

    name: Name = Field(description="name of the platform")


class PlatformFile(Record):
    """The platform: environments, tiers, teams, policy."""

    api_version: Literal["sluice.dev/v1alpha1"] = Field(description="version of the spec language")
    kind: Literal["Platform"] = Field(description="kind of the file")
    metadata: PlatformMetadata = Field(description="name of the platform")
    spec: PlatformSpec = Field(description="settings that all models share")
