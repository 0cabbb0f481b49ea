"""The controllers that read rendered objects: how to recognize one in a cluster, and how to install it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from generator.dataclass import dataclass
from generator.lint import Object

_GITHUB: Final = "https://github.com"
_VERSION: Final = re.compile(r"v?(\d+\.\d+)(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Controller:
    """A controller that reads some of the rendered objects.

    Args:
        name: what people call it.
        key: of its version in `controllers` of the platform; empty where none is declared.
        image: the last part of the name of its image.
        groups: the kinds that it reads; a group alone means all of its kinds.
        install: the command that installs a version, such as "1.10".
    """

    name: str
    key: str
    image: str
    groups: frozenset[str]
    install: str

    def reads(self, item: Object) -> bool:
        """Return whether it reads an object."""
        return bool({item.group, f"{item.group}/{item.kind}"} & self.groups)

    def container(self, containers: Sequence[Mapping[str, Any]]) -> tuple[str, Sequence[str]]:
        """Return its image and its arguments, of all containers of a cluster; empty if it is not among them."""
        for one in containers:
            image = str(one.get("image", "")).partition("@")[0]
            if image.rpartition("/")[2].partition(":")[0] == self.image:
                return image, [str(text) for text in (*(one.get("command") or ()), *(one.get("args") or ()))]
        return "", ()


CONTROLLERS: Final = (
    Controller(
        "Argo Rollouts", "argo_rollouts", "argo-rollouts",
        frozenset({"argoproj.io/Rollout", "argoproj.io/AnalysisTemplate"}),
        f"kubectl apply -n argo-rollouts -f {_GITHUB}/argoproj/argo-rollouts/releases/download/v{{0}}.0/install.yaml",
    ),
    Controller(
        "Argo CD", "argo_cd", "argocd", frozenset({"argoproj.io/Application", "argoproj.io/AppProject"}),
        "kubectl apply -n argocd --server-side -f "
        "https://raw.githubusercontent.com/argoproj/argo-cd/v{0}.0/manifests/install.yaml",
    ),
    Controller(
        "Argo Workflows", "argo_workflows", "workflow-controller",
        frozenset({"argoproj.io/Workflow", "argoproj.io/CronWorkflow"}),
        "kubectl apply -n argo --server-side -f "
        f"{_GITHUB}/argoproj/argo-workflows/releases/download/v{{0}}.0/install.yaml",
    ),
    Controller(
        "KEDA", "keda", "keda", frozenset({"keda.sh"}),
        f"kubectl apply --server-side -f {_GITHUB}/kedacore/keda/releases/download/v{{0}}.0/keda-{{0}}.0.yaml",
    ),
    Controller(
        "the Prometheus operator", "", "prometheus-operator", frozenset({"monitoring.coreos.com"}),
        "kubectl apply --server-side -f "
        f"{_GITHUB}/prometheus-operator/prometheus-operator/releases/latest/download/bundle.yaml",
    ),
    Controller(
        "the External Secrets Operator", "", "external-secrets", frozenset({"external-secrets.io"}),
        "helm install external-secrets external-secrets/external-secrets -n external-secrets --create-namespace",
    ),
)  # fmt: skip
_OTHER_KINDS: Final = {
    "gateway.networking.k8s.io": f"kubectl apply --server-side -f {_GITHUB}/kubernetes-sigs/gateway-api/releases/"
    "download/v{0}.0/standard-install.yaml",
    "networking.istio.io": "istioctl install",
    "traefik.io": "helm install traefik traefik/traefik -n traefik --create-namespace",
}


def install_command(item: Object, versions: Mapping[str, str]) -> str:
    """Return the command that installs the controller of an object, in a declared version."""
    controller = next((one for one in CONTROLLERS if one.reads(item)), None)
    if controller is not None:
        return controller.install.format(versions.get(controller.key, ""))
    return _OTHER_KINDS.get(item.group, "kubectl api-resources").format(versions["gateway_api"])


def version_of(text: str) -> str:
    """Return the major and minor version that a text begins with, such as 1.10; empty if it has none."""
    found = _VERSION.match(text)
    return found[1] if found else ""
