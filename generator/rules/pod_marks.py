"""Rules on what reaches a pod by its surroundings: labels and annotations that programs obey, and Secrets of others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.lint.engine import Problem, rule
from generator.rules.context import Context
from generator.rules.pod_conflicts import is_foreign_secret, not_for_models
from generator.source.document import Path

_OBEYED: Final = frozenset({
    "1password.io", "amazonaws.com", "argoproj.io", "azure.com", "bank-vaults.io", "banzaicloud.com",
    "banzaicloud.io", "cert-manager.io", "cilium.io", "cncf.io", "csi.storage.k8s.io", "dapr.io", "datadoghq.com",
    "doppler.com", "dynatrace.com", "elastic.co", "external-secrets.io", "gke-gcsfuse", "gke-parallelstore", "gke.io",
    "google.com", "hashicorp.com", "infisical.com", "instana.io", "istio.io", "k8s.aws", "k8s.io", "karmada.io",
    "karpenter.sh", "katacontainers.io", "keda.sh", "knative.dev", "kubernetes.io", "kuma.io", "kyverno.io",
    "linkerd.io", "newrelic.com", "nginx.org", "openservicemesh.io", "openshift.io", "opentelemetry.io", "ovn.org",
    "projectcalico.org", "sigstore.dev", "spiffe.io", "tailscale.com", "traefik.io", "workload.identity", "x-k8s.io",
})  # fmt: skip
"""Domains of the labels and annotations of programs that add containers, networks, identities or Secrets to pods."""
_OBEYED_ALONE: Final = frozenset({"aadpodidbinding"})
_HARMLESS: Final = ("app.kubernetes.io/", "cluster-autoscaler.kubernetes.io/")


@rule(
    "PLAN572",
    "error",
    "a spec sets a label or an annotation that a program of the cluster obeys",
    scope=Context,
    why="With annotations and labels of pods, injectors add containers with any image, and other programs add networks "
    "past the network policies, or identities and Secrets of others. The platform decides who gets these.",
    remedy="Choose a key of your own, or ask the platform team to set it in the tier's defaults.",
    example="spec: {pod: {annotations: {sidecar.istio.io/proxyImage: docker.io/someone/proxy}}}",
    instead="""
# specs/platform.yaml
spec:
  tiers: {standard: {defaults: {pod: {annotations: {sidecar.istio.io/proxyImage: registry.example.com/istio/proxyv2}}}}}
""",
)
def obeyed(context: Context) -> Iterator[Problem]:
    """Check each label and annotation of pods that the spec, or its override of an environment, writes."""
    layers, own = context.planned.source.layers, context.spec.pod
    for key, written in (("labels", own.labels), ("annotations", own.annotations)):
        for path in layers.in_spec(key):
            for name in written:
                if layers.spec.has((*path, name)) and _is_obeyed(name):
                    message = f"programs of the cluster obey `{name}`, so the platform team sets it"
                    yield Problem(
                        (*path, name), message, "choose a key of your own", document=layers.spec, on_key=True
                    )


def _is_obeyed(name: str) -> bool:
    domain, found, _ = name.rpartition("/")
    if not found:
        return name in _OBEYED_ALONE
    labels = domain.split(".")
    return not name.startswith(_HARMLESS) and any(
        ".".join(labels[start:]) in _OBEYED for start in range(len(labels))
    )


@rule(
    "PLAN573",
    "error",
    "a variable reads a Secret that is not for models",
    scope=Context,
    why="Secrets of gates hold the addresses of engines with their passwords, and those of guards, routers and "
    "registries other credentials. The packages and the file of the model would be able to read them.",
    remedy="Name a Secret of the model.",
    example="""
# specs/platform.yaml
spec: {gates: {secret: gate-stores}}
# specs/shop/ranker.yaml
spec: {service: {env: [{name: STORE, secret: {name: gate-stores, key: MLFLOW_TRACKING_TOKEN}}]}}
""",
    instead="""
# specs/platform.yaml
spec: {gates: {secret: gate-stores}}
# specs/shop/ranker.yaml
spec: {service: {env: [{name: STORE, secret: {name: ranker-store, key: token}}]}}
""",
)
def secrets_of_others(context: Context) -> Iterator[Problem]:
    """Check the Secrets that variables name."""
    for index, variable in enumerate(context.spec.service.env):
        if variable.secret and is_foreign_secret(context.plan, variable.secret.name):
            path: Path = ("spec", "service", "env", index, "secret", "name")
            yield Problem(path, *not_for_models(variable.secret.name))
