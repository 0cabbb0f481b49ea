"""Environments: the clusters that models run in, their routers, and what each of them has for itself."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal, NamedTuple

from pydantic import Field

from generator.routers import IMPLEMENTATIONS, ROUTERS
from generator.spec.network import Cidr, Destination
from generator.spec.pod import LabelName, LabelValue, Pod
from generator.spec.prometheus import PrometheusAccess
from generator.spec.promotion import Proof, Requirements
from generator.spec.record import Choice, Record
from generator.spec.types import (
    Cpu,
    Host,
    Line,
    Memory,
    ModelName,
    Name,
    Price,
    Registry,
    ReleaseVersion,
    Url,
)

Namespaces = Literal["managed", "adopt"]
"""Whose the namespaces of teams are: Sluice renders them, or others run in them too."""
Revision = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,200}$")]


class Controllers(Record):
    """Versions of the controllers in the clusters; rendered objects depend on them."""

    argo_rollouts: ReleaseVersion = Field("1.10", alias="argo-rollouts", description="Argo Rollouts")
    argo_cd: ReleaseVersion = Field("3.6", alias="argo-cd", description="Argo CD")
    argo_workflows: ReleaseVersion = Field("3.7", alias="argo-workflows", description="Argo Workflows")
    gateway_api_plugin: ReleaseVersion = Field(
        "0.15", alias="gateway-api-plugin", description="Gateway API plugin of Argo Rollouts"
    )
    gateway_api: ReleaseVersion = Field("1.4", alias="gateway-api", description="CRDs of the Gateway API")
    kubernetes: ReleaseVersion = Field("1.36", description="Kubernetes")
    keda: ReleaseVersion = Field("2.18", description="KEDA, where models use it")

    def of(self, own: "OwnControllers | None") -> "Controllers":
        """Return them with the versions that an environment has for itself."""
        if own is None:
            return self
        found = {name: getattr(own, name) for name in OwnControllers.model_fields}
        return self.model_copy(
            update={name: version for name, version in found.items() if version is not None}
        )


class OwnControllers(Record):
    """Versions of the controllers of one environment that differ from the platform's."""

    argo_rollouts: ReleaseVersion | None = Field(None, alias="argo-rollouts", description="Argo Rollouts")
    argo_cd: ReleaseVersion | None = Field(None, alias="argo-cd", description="Argo CD")
    argo_workflows: ReleaseVersion | None = Field(None, alias="argo-workflows", description="Argo Workflows")
    gateway_api_plugin: ReleaseVersion | None = Field(
        None, alias="gateway-api-plugin", description="Gateway API plugin of Argo Rollouts"
    )
    gateway_api: ReleaseVersion | None = Field(
        None, alias="gateway-api", description="CRDs of the Gateway API"
    )
    kubernetes: ReleaseVersion | None = Field(None, description="Kubernetes")
    keda: ReleaseVersion | None = Field(None, description="KEDA")


class OwnArgoCd(Record):
    """Argo CD of one environment."""

    namespace: Name | None = Field(None, description="its namespace; default: `argocdNamespace`")
    cluster: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$")] | None = Field(
        None, description="name of the cluster in Argo CD, for destinations by name; default: by `server`"
    )
    labels: dict[LabelName, LabelValue] = Field(
        {},
        description="labels of Applications and AppProjects",
        examples=[{"example.com/cost-center": "search"}],
    )
    applications: dict[ModelName, Name] = Field(
        {},
        description="names of Applications that exist, by model; default: `<environment>-<team>-<model>`",
        examples=[{"shop/recommender": "recommendations"}],
    )
    projects: dict[Name, Name] = Field(
        {},
        description="names of AppProjects, by team; default: `<environment>-<team>`",
        examples=[{"shop": "shop-models"}],
    )
    automated: bool = Field(True, description="Argo CD syncs by itself; false: people sync")
    prune: bool = Field(True, description="an automated sync removes what is no longer in git")
    self_heal: bool = Field(True, description="an automated sync takes back changes in the cluster")

    def application(self, environment: str, team: str, model: str) -> str:
        """Return the name of a model's Application."""
        return self.applications.get(f"{team}/{model}", f"{environment}-{team}-{model}")

    def project(self, environment: str, team: str) -> str:
        """Return the name of a team's AppProject."""
        return self.projects.get(team, f"{environment}-{team}")


if TYPE_CHECKING:
    _RouterKind = str
    _Implementation = str
else:
    _RouterKind = Literal[tuple(ROUTERS)]
    _Implementation = Literal[IMPLEMENTATIONS]


class Router(Record):
    """The router that splits live traffic."""

    kind: _RouterKind = Field(description="router of live requests; none: the numbers of pods decide")
    gateway: Name | None = Field(
        None, description="Gateway (gateway-api, istio) that routes attach to", examples=["public"]
    )
    namespace: Name | None = Field(
        None, description="namespace of that Gateway, of Traefik or of ingress-nginx"
    )
    implementation: _Implementation | None = Field(
        None,
        description="program that implements the Gateway, which decides whether requests can be mirrored",
    )
    proxy_namespace: Name | None = Field(
        None,
        description="namespace of its proxies, whose requests models accept; default: that of the Gateway "
        "and, with envoy-gateway, envoy-gateway-system",
        examples=["istio-ingress"],
    )
    section: Name | None = Field(
        None, description="listener of the Gateway that routes attach to; default: all that accept them"
    )
    port: int | None = Field(None, ge=1, le=65_535, description="port of the Gateway that routes attach to")
    entry_points: list[Name] = Field(["web"], min_length=1, description="Traefik entry points")
    ingress_class: Name | None = Field(
        None, description="class of Ingresses (nginx, alb); default: the kind of the router"
    )
    annotations: dict[LabelName, Line] = Field(
        {},
        description="annotations of Ingresses (nginx, alb)",
        examples=[{"alb.ingress.kubernetes.io/scheme": "internal"}],
    )
    tls_secret: Name | None = Field(
        None, description="Secret in the team's namespace with the certificate of Ingresses (nginx)"
    )
    group: Name | None = Field(
        None, description="group of Ingresses that share a load balancer (alb)", examples=["models"]
    )
    proxy_ranges: list[Cidr] = Field(
        [],
        description="addresses whose requests models accept, where no pods send them: subnets of a load balancer (alb)",
        examples=[["10.0.0.0/20"]],
    )

    @property
    def proxies(self) -> frozenset[str]:
        """Return the namespaces that requests come from; empty if unknown."""
        if self.proxy_namespace:
            return frozenset({self.proxy_namespace})
        return ROUTERS[self.kind].proxies(self.namespace, self.implementation)


class MeshKind(NamedTuple):
    """What a kind of service mesh needs of a namespace.

    Args:
        namespace: that of its control plane, by default.
        ports: TCP ports of the control plane that sidecars connect to; without them no pod becomes ready.
        labels: labels of a namespace whose pods get sidecars.
        annotations: annotations of such a namespace.
    """

    namespace: str
    ports: tuple[int, ...]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


# Istio 1.28, "Application Requirements": 15012 is discovery and certificates. Linkerd 2.18, "Using NetworkPolicy":
# 8080 is identity, 8086 destinations, 8090 policies.
MESHES: Final[Mapping[str, MeshKind]] = {
    "istio": MeshKind("istio-system", (15_012,), {"istio-injection": "enabled"}, {}),
    "linkerd": MeshKind("linkerd", (8080, 8086, 8090), {}, {"linkerd.io/inject": "enabled"}),
}
INJECTED_BY: Final = frozenset({"istio-injection", "istio.io/rev", "linkerd.io/inject"})
"""Labels and annotations with which a mesh gives sidecars to the pods of a namespace."""


class Mesh(Record):
    """A service mesh with sidecars in all pods of an environment."""

    kind: Literal["istio", "linkerd"] = Field(description="the mesh")
    namespace: Name | None = Field(
        None, description="namespace of its control plane; default: istio-system or linkerd"
    )
    revision: LabelValue | None = Field(
        None, description="revision of Istio that injects; default: the default one", examples=["1-28"]
    )

    @property
    def labels(self) -> dict[str, str]:
        """Labels of the namespaces of teams."""
        if self.kind == "istio" and self.revision:
            return {"istio.io/rev": self.revision}
        return dict(MESHES[self.kind].labels)

    @property
    def annotations(self) -> dict[str, str]:
        """Annotations of the namespaces of teams."""
        return dict(MESHES[self.kind].annotations)

    @property
    def control_plane(self) -> Destination:
        """What the sidecars of all pods must reach."""
        known = MESHES[self.kind]
        return Destination(namespace=self.namespace or known.namespace, ports=list(known.ports))


class Quota(Record):
    """Resources of a team in one environment, canaries included."""

    cpu: Cpu = Field(description="CPU cores", examples=["40"])
    memory: Memory = Field(description="memory", examples=["80Gi"])
    gpu: int = Field(0, ge=0, description="GPUs")
    storage: Memory = Field("500Gi", description="local (ephemeral) storage of its pods")
    objects: int = Field(
        500,
        ge=10,
        le=100_000,
        description="most objects of each kind: pods, jobs, Services, Secrets and others",
    )


class Budget(Record):
    """The budget of a team."""

    monthly: Price = Field(
        description="per month: for all environments, or for the one that names the team",
        examples=["2500 EUR"],
    )


class OwnTeam(Record):
    """What a team may use in one environment."""

    quota: Quota | None = Field(None, description="resources; default: `quota` of the team")
    budget: Budget | None = Field(
        None, description="monthly budget for this environment, in addition to that for all environments"
    )


class Ring(Proof):
    """One of several clusters of an environment; what a release must show before it is for the cluster before."""

    name: Name = Field(description="name of the ring, which follows that of its environment", examples=["eu"])
    server: Url = Field(description="API server: its address in Argo CD")
    router: Router | None = Field(None, description="its router; default: that of the environment")
    domain: Host | None = Field(None, description="its domain; default: that of the environment")
    api_server: list[Destination] | None = Field(
        None, description="its addresses of the API server; default: those of the environment"
    )


class Environment(Choice):
    """One environment in which models run."""

    one_of: ClassVar = ("server", "rings")
    server: Url | None = Field(
        None,
        description="API server: its address in Argo CD",
        examples=["https://kubernetes.default.svc"],
    )
    rings: list[Ring] | None = Field(
        None,
        description="clusters that get a release one after the other, the next when it has proven itself in the one "
        "before; in place of `server`",
        examples=[
            [
                {"name": "canary", "server": "https://canary.example.com"},
                {"name": "eu", "server": "https://eu.example.com", "soak": "2h"},
            ]
        ],
    )
    router: Router = Field(description="router that splits live traffic")
    api_server: list[Destination] = Field(
        [],
        description="addresses of the API server as pods see it, for the executor of gates; default: private "
        "addresses, ports 443 and 6443",
        examples=[[{"cidr": "10.96.0.1/32", "ports": [443]}]],
    )
    requires: Requirements = Field(
        [],
        description="environments in which a release must have proven itself before it is promoted to this one; "
        "a list, or what each record must show",
        examples=[["staging"], {"staging": {"soak": "24h", "maxAge": "14d"}}],
    )
    domain: Host | None = Field(
        None,
        description="domain of the default host names model.team.domain",
        examples=["models.example.com"],
    )
    namespace: Annotated[
        str,
        Field(
            pattern=r"^(?:[a-z0-9]|\{team\}|\{environment\})(?:(?:[a-z0-9-]|\{team\}|\{environment\})*(?:[a-z0-9]|\{team\}|\{environment\}))?$"
        ),
    ] = Field(
        "{team}-{environment}",
        description="namespace of a team in this environment",
        examples=["{team}-{environment}"],
    )
    pod: Pod = Field(Pod.model_construct(), description="what all pods of models have in this environment")
    registry: Registry | None = Field(
        None,
        description="registry that this environment pulls from: a mirror of the platform's, which images are pushed to",
    )
    prometheus: PrometheusAccess | None = Field(None, description="its Prometheus; default: the platform's")
    controllers: OwnControllers | None = Field(
        None, description="its versions of controllers; default: the platform's"
    )
    revision: Revision | None = Field(
        None, description="branch or tag that Argo CD reads for it; default: `git.revision`"
    )
    argocd: OwnArgoCd = Field(OwnArgoCd.model_construct(), description="its Argo CD")
    namespaces: Namespaces | None = Field(
        None, description="whose the namespaces of teams are here; default: `namespaces` of the platform"
    )
    mesh: Mesh | None = Field(
        None,
        description="service mesh with sidecars: namespaces ask for them, and network policies open its control plane",
        examples=[{"kind": "istio"}],
    )
    namespace_labels: dict[LabelName, LabelValue] = Field(
        {}, description="labels of the namespaces of teams", examples=[{"example.com/cost-center": "search"}]
    )
    namespace_annotations: dict[LabelName, Line] = Field(
        {}, description="annotations of the namespaces of teams"
    )
    teams: dict[Name, OwnTeam] = Field(
        {},
        description="quotas and budgets of teams in this environment",
        examples=[{"shop": {"quota": {"cpu": "8", "memory": "16Gi"}}}],
    )

    @property
    def proofs(self) -> dict[str, Proof]:
        """What the record of each required environment must show."""
        return self.requires if isinstance(self.requires, dict) else {name: Proof() for name in self.requires}

    @property
    def cluster(self) -> str:
        """The server in one spelling: two environments of one cluster must not differ by case, port 443 or a slash."""
        return normal_server(self.address)

    @property
    def address(self) -> str:
        """The address of the API server; empty for an environment with rings, of which each has its own."""
        return self.server or ""


def normal_server(address: str) -> str:
    """Return the address of an API server in one spelling."""
    return address.lower().rstrip("/").removesuffix(":443")
