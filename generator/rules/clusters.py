"""Rules on the clusters of a platform: namespaces, network, and the declared version of Kubernetes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydantic.alias_generators import to_snake

from generator.lint.engine import Problem, rule
from generator.plan.build import namespace_of
from generator.plan.egress import inputs_destination
from generator.routers.argo_rollouts import minor
from generator.rules.context import FleetContext
from generator.spec.environment import INJECTED_BY

_OLDEST: Final = (1, 27)
_OF_KUBERNETES: Final = "kube-"
# Where their own instructions install the controllers that bundles rely on.
_OF_CONTROLLERS: Final = frozenset(
    {
        "cert-manager",
        "envoy-gateway-system",
        "external-secrets",
        "ingress-nginx",
        "istio-system",
        "keda",
        "traefik",
    }
)


@rule(
    "PLAT908",
    "error",
    "a namespace is shared by teams or environments, or used by something else",
    scope=FleetContext,
    why="Quotas, network policies and access rights apply to a namespace: in a shared one no team's limits hold.",
    remedy="Use {team} in the pattern, and {environment} if one cluster has several.",
    example="# specs/platform.yaml\nspec: {environments: {production: {namespace: models}}}",
    instead="# specs/platform.yaml\nspec: {environments: {production: {namespace: 'models-{team}'}}}",
)
def namespaces(context: FleetContext) -> Iterator[Problem]:
    """Check that each team has a namespace to itself in each environment of a cluster."""
    taken: dict[tuple[str, str], tuple[str, str]] = {}
    others = _others(context)
    for name, environment in context.platform.environments.items():
        path = ("spec", "environments", name, "namespace")
        if "{team}" not in environment.namespace:
            message = f"the namespace `{environment.namespace}` is the same for every team"
            yield Problem(path, message, f"write `{environment.namespace}-{{team}}`")
            continue
        for team in context.platform.teams:
            found = namespace_of(context.platform, name, team)
            first = taken.setdefault((environment.cluster, found), (name, team))
            if first != (name, team):
                message = (
                    f"`{found}` would be the namespace of {team} in {name} and of {first[1]} in {first[0]}"
                )
                yield Problem(path, message, "add {environment}: both environments are in one cluster")
            elif found.startswith(_OF_KUBERNETES) or found in others:
                message = (
                    f"`{found}` would be the namespace of {team} in {name}, but is used by something else"
                )
                yield Problem(path, message, "add a prefix or a suffix")


def _others(context: FleetContext) -> set[str]:
    """Return the namespaces of the platform's own components."""
    platform = context.platform
    routers = {item.router.namespace for item in platform.environments.values() if item.router.namespace}
    proxies = {name for item in platform.environments.values() for name in item.router.proxies}
    monitoring = platform.monitoring
    shared = {
        platform.argocd_namespace,
        monitoring.namespace,
        monitoring.rollouts.namespace,
        monitoring.workflows.namespace,
    }
    if platform.notifications:
        shared.add(platform.notifications.namespace)
    return {"default", *_OF_CONTROLLERS, *routers, *proxies, *shared}


@rule(
    "PLAT944",
    "warning",
    "an adopted namespace is not Sluice's to label or to limit",
    scope=FleetContext,
    why="Sluice renders no Namespace and no quota where others run, so these settings reach no cluster: models still "
    "have to fit into the quota, but nothing enforces it.",
    remedy="Remove the setting, or give models separate namespaces with `namespaces: managed`.",
    example="""
# specs/platform.yaml
spec: {namespaces: adopt, environments: {production: {namespaceLabels: {mesh: enabled}}}}
""",
    instead="# specs/platform.yaml\nspec: {environments: {production: {namespaceLabels: {mesh: enabled}}}}",
)
def adopted(context: FleetContext) -> Iterator[Problem]:
    """Check that nothing is said of namespaces and their limits where Sluice renders neither."""
    platform = context.platform
    found = {name: platform.at(name).namespaces == "adopt" for name in platform.environments}
    for name in (name for name, adopts in found.items() if adopts):
        for key in ("namespaceLabels", "namespaceAnnotations"):
            if getattr(platform.environments[name], to_snake(key)):
                message = f"`{key}` is not rendered: the namespaces of {name} are adopted"
                yield Problem(
                    ("spec", "environments", name, key), message, "set it where the namespace is made"
                )
        for team in (team for team, own in platform.environments[name].teams.items() if own.quota):
            path = ("spec", "environments", name, "teams", team, "quota")
            message = f"the quota of {team} is not rendered: the namespaces of {name} are adopted"
            yield Problem(platform.where_written(path), message, "set it where the namespaces are made")
    for team in platform.teams if all(found.values()) else ():
        if platform.teams[team].quota:
            message = f"the quota of {team} is not rendered: all its namespaces are adopted"
            yield Problem(("spec", "teams", team, "quota"), message, "set it where the namespaces are made")


@rule(
    "PLAT947",
    "error",
    "pods get sidecars that can't reach their mesh",
    scope=FleetContext,
    why="Network policies deny what they do not list, and the control plane of a mesh is not listed: a sidecar waits "
    "for its configuration for ever, so no pod of a model becomes ready.",
    remedy="Write `mesh` for the environment, which renders the label and opens the control plane.",
    example="""
# specs/platform.yaml
spec: {environments: {production: {namespaceLabels: {istio-injection: enabled}}}}
""",
    instead="# specs/platform.yaml\nspec: {environments: {production: {mesh: {kind: istio}}}}",
    source="Istio 1.28, Application Requirements (ports of istiod); Linkerd 2.18, Using NetworkPolicy",
)
def meshes(context: FleetContext) -> Iterator[Problem]:
    """Check that namespaces ask for the sidecars of a mesh by `mesh`, not by a label alone."""
    for name, environment in context.platform.environments.items():
        if environment.mesh or context.platform.at(name).namespaces == "adopt":
            continue
        for key in ("namespaceLabels", "namespaceAnnotations"):
            for label, value in getattr(environment, to_snake(key)).items():
                if label in INJECTED_BY and value not in {"disabled", "false"}:
                    path = context.platform.where_written(("spec", "environments", name, key, label))
                    kind = "linkerd" if "linkerd" in label else "istio"
                    revision = f", revision: {value}" if label == "istio.io/rev" else ""
                    message = f"`{label}: {value}` gives pods of {name} a sidecar that can't reach its mesh"
                    yield Problem(path, message, f"write `mesh: {{kind: {kind}{revision}}}` in its place")


@rule(
    "PLAT911",
    "error",
    "admission policies are on, but the clusters' Kubernetes has none",
    scope=FleetContext,
    why="ValidatingAdmissionPolicy is v1 and enabled since Kubernetes 1.30; before that the sync of the "
    "platform fails.",
    remedy="Write `admission: none`, or correct the version of Kubernetes.",
    example="# specs/platform.yaml\nspec: {controllers: {kubernetes: '1.29'}}",
    instead="# specs/platform.yaml\nspec: {controllers: {kubernetes: '1.29'}, admission: none}",
    source="Kubernetes 1.30, CHANGELOG/CHANGELOG-1.30.md",
)
def admission(context: FleetContext) -> Iterator[Problem]:
    """Check that the clusters have ValidatingAdmissionPolicy if policies are rendered."""
    version = context.platform.controllers.kubernetes
    if context.platform.admission != "none" and minor(version) < (1, 30):
        message = f"Kubernetes {version} has no admission policies of version v1"
        path = ("spec", "controllers", "kubernetes")
        hint = "write `admission: none`; the clusters then admit releases that bypass Sluice"
        yield Problem(path, message, hint)


@rule(
    "PLAT930",
    "warning",
    "gates fetch their inputs from an address that their network policy does not open",
    scope=FleetContext,
    why="Gate pods reach the API server and what is listed, nothing else, and network policies can't match DNS names: "
    "the gates would wait for their inputs until they fail.",
    remedy="List the addresses or the namespace of the store in `gates.egress`.",
    example="# specs/platform.yaml\nspec: {gates: {inputs: {url: 'https://store.example.com/{digest}.tgz'}}}",
    instead="""
# specs/platform.yaml
spec:
  gates:
    inputs: {url: 'https://store.example.com/{digest}.tgz'}
    egress: [{cidr: 203.0.113.0/24, ports: [443]}]
""",
)
def unreachable_inputs(context: FleetContext) -> Iterator[Problem]:
    """Check that an archive's address is opened: by an IP or a Service in the address itself, or by the list."""
    gates = context.platform.gates
    if gates.egress:
        return
    hint = "add `egress: [{cidr: …, ports: [443]}]` with the addresses of the store, or its `namespace`"
    if gates.inputs.s3:
        message = "gate pods can't reach the artifact repository: `egress` lists nothing"
        yield Problem(("spec", "gates", "inputs", "s3"), message, hint)
    elif gates.inputs.url and inputs_destination(context.platform) is None:
        message = f"gate pods can't reach {gates.inputs.url}: network policies can't match DNS names"
        yield Problem(("spec", "gates", "inputs", "url"), message, hint)


@rule(
    "PLAT931",
    "error",
    "the declared Kubernetes is too old for what is rendered",
    scope=FleetContext,
    why="Before 1.27 the API server rejects fields of every PodDisruptionBudget, and each sync of a model fails.",
    remedy="Upgrade the clusters, or correct the version.",
    example="# specs/platform.yaml\nspec: {controllers: {kubernetes: '1.26'}, admission: none}",
    instead="# specs/platform.yaml\nspec: {controllers: {kubernetes: '1.27'}, admission: none}",
    source="Kubernetes 1.27, pkg/features/kube_features.go (PDBUnhealthyPodEvictionPolicy)",
)
def kubernetes_version(context: FleetContext) -> Iterator[Problem]:
    """Check the declared version against the oldest one that accepts what is rendered."""
    written = context.platform.controllers.kubernetes
    if minor(written) < _OLDEST:
        oldest = ".".join(map(str, _OLDEST))
        message = f"Kubernetes {written} is older than {oldest}, the oldest supported version"
        hint = f'upgrade the clusters, then write `kubernetes: "{oldest}"` or later'
        yield Problem(("spec", "controllers", "kubernetes"), message, hint)
