"""Where the definitions of kinds come from: the one list of projects, versions and kinds.

A new version is one more entry here and a run of `make kinds`. Everything is read from published Go modules, which
`go mod download` brings; the first version of a project is the default.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True, eq=False)
class Project:
    """A project whose kinds are known.

    Args:
        name: what `controllers` of a platform file calls it, where it is named there.
        module: its Go module, without a version.
        versions: minor version -> the published version that stands for it, newest first.
        where: the folder or file of its definitions, inside the module; empty for what controller-gen makes.
        group: the API group of the kinds.
        kinds: kinds -> the versions of their API, newest first.
        recursive: fields that a definition leaves open, because it cannot refer to itself -> the kind and the path that
            has their type.
    """

    name: str
    module: str
    versions: dict[str, str]
    where: str
    group: str
    kinds: dict[str, tuple[str, ...]]
    recursive: dict[str, tuple[str, ...]] = field(default_factory=dict)


ALPHA: Final = ("v1alpha1",)
STABLE: Final = ("v1",)
ISTIO: Final = ("v1", "v1beta1", "v1alpha3")

KUBERNETES: Final = Project(
    "kubernetes",
    "k8s.io/kubernetes",
    {"1.37": "v1.37.0", "1.36": "v1.36.2", "1.30": "v1.30.14", "1.28": "v1.28.15"},
    "",
    "",
    {},
)
NATIVE_KINDS: Final = """
v1 Namespace cluster
v1 ConfigMap
v1 Secret
v1 ServiceAccount
v1 ResourceQuota
v1 LimitRange
v1 Service
v1 Pod
apps/v1 Deployment
apps/v1 StatefulSet
apps/v1 DaemonSet
apps/v1 ReplicaSet
batch/v1 Job
batch/v1 CronJob
networking.k8s.io/v1 Ingress
networking.k8s.io/v1 IngressClass cluster
networking.k8s.io/v1 NetworkPolicy
rbac.authorization.k8s.io/v1 Role
rbac.authorization.k8s.io/v1 RoleBinding
rbac.authorization.k8s.io/v1 ClusterRole cluster
rbac.authorization.k8s.io/v1 ClusterRoleBinding cluster
admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy cluster
admissionregistration.k8s.io/v1 ValidatingAdmissionPolicyBinding cluster
autoscaling/v1 HorizontalPodAutoscaler
autoscaling/v2 HorizontalPodAutoscaler
policy/v1 PodDisruptionBudget
"""

PROJECTS: Final = (
    Project(
        "argo-rollouts",
        "github.com/argoproj/argo-rollouts",
        {"1.10": "v1.10.2", "1.9": "v1.9.3", "1.8": "v1.8.5"},
        "manifests/crds",
        "argoproj.io",
        dict.fromkeys(
            ("Rollout", "AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun", "Experiment"), ALPHA
        ),
    ),
    Project(
        "argo-cd",
        "github.com/argoproj/argo-cd/v3",
        {"3.6": "v3.6.1", "3.5": "v3.5.7"},
        "manifests/crds",
        "argoproj.io",
        dict.fromkeys(("Application", "AppProject", "ApplicationSet"), ALPHA),
    ),
    Project(
        "argo-workflows",
        "github.com/argoproj/argo-workflows/v{major}",
        {"3.7": "v3.7.18", "4.0": "v4.0.5"},
        "manifests/base/crds/full",
        "argoproj.io",
        dict.fromkeys(("Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow"), ALPHA),
        {"inline": ("WorkflowTemplate", "spec", "templates")},
    ),
    Project(
        "gateway-api",
        "sigs.k8s.io/gateway-api",
        {"1.7": "v1.7.0"},
        "config/crd/experimental",
        "gateway.networking.k8s.io",
        {
            "HTTPRoute": ("v1", "v1beta1"),
            "GRPCRoute": STABLE,
            "TLSRoute": ("v1", "v1alpha3", "v1alpha2"),
            "TCPRoute": ("v1", "v1alpha2"),
            "Gateway": ("v1", "v1beta1"),
            "ReferenceGrant": ("v1", "v1beta1"),
        },
    ),
    Project(
        "istio",
        "istio.io/api",
        {"1.31": "v1.31.4"},
        "kubernetes/customresourcedefinitions.gen.yaml",
        "networking.istio.io",
        {"VirtualService": ISTIO, "DestinationRule": ISTIO},
    ),
    Project(
        "traefik",
        "github.com/traefik/traefik/v3",
        {"3.7": "v3.7.13"},
        "docs/content/reference/dynamic-configuration",
        "traefik.io",
        dict.fromkeys(("TraefikService", "IngressRoute"), ALPHA),
    ),
    Project(
        "keda",
        "github.com/kedacore/keda/v2",
        {"2.21": "v2.21.0"},
        "config/crd/bases",
        "keda.sh",
        {"ScaledObject": ALPHA},
    ),
    Project(
        "external-secrets",
        "github.com/external-secrets/external-secrets",
        {"1.3": "v1.3.2"},
        "config/crds/bases",
        "external-secrets.io",
        {"ExternalSecret": ("v1", "v1beta1")},
    ),
    # The project publishes its types as a module, not its definitions: its own tool, controller-gen, makes them.
    Project(
        "prometheus-operator",
        "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring",
        {"0.95": "v0.95.2"},
        "",
        "monitoring.coreos.com",
        dict.fromkeys(("PodMonitor", "ServiceMonitor", "PrometheusRule"), STABLE),
    ),
)
