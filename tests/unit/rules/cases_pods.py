"""Pods: what a team may set, what Kubernetes and Pod Security accept, and what Sluice needs itself."""

from __future__ import annotations

from typing import Any

from tests.unit.rules.repository import DIGEST
from tests.unit.rules.samples import CEILINGS, CONTAINER, KEDA, REQUIRES, Case

P = "platform.pod"
RESOURCES = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}}
SIDECAR = {"name": "shipper", "image": "registry.example.com/shipper:1", "resources": RESOURCES}
_SPREAD = {"topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway", "maxSkew": 1}


def _sidecar(**more: Any) -> list[dict[str, Any]]:
    return [{**SIDECAR, **more}]


def _secured(**context: Any) -> list[dict[str, Any]]:
    return _sidecar(securityContext=context)


def _collision(key: str, bad: Any, good: Any, at: str, **more: Any) -> Case:
    return Case("PLAN562", {**more, f"{P}.{key}": bad}, {**more, f"{P}.{key}": good}, f"spec.pod.{at}")


def _refused(key: str, bad: Any, good: Any, at: str) -> Case:
    return Case("PLAN563", {f"{P}.{key}": bad}, {f"{P}.{key}": good}, f"spec.pod.{at}")


def _volume(**source: Any) -> list[dict[str, Any]]:
    return [{"name": "extra", **source}]


def _token(audience: dict[str, str]) -> list[dict[str, Any]]:
    return _volume(projected={"sources": [{"serviceAccountToken": {"path": "token", **audience}}]})


def _variable(secret: str) -> dict[str, Any]:
    return {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": secret, "key": "a"}}}]}


_TAKEN = {
    "platform.gates": {"secret": "gates"},
    "platform.tiers.standard.defaults.pod": {"imagePullSecrets": [{"name": "registry"}]},
}


def _mount(path: str) -> dict[str, Any]:
    return {"volumes": _volume(emptyDir={}), "volumeMounts": [{"name": "extra", "mountPath": path}]}


_KEY = {"secret": "prometheus", "key": "token"}
_BEARER = {"platform.prometheus.credentials": {"bearer": _KEY}}
_TENANT = {"platform.prometheus.headers": [{"name": "X-Scope-OrgID", "value": "models"}]}
_SECRET_TENANT = {"platform.prometheus.headers": [{"name": "X-Scope-OrgID", "fromSecret": _KEY}]}

CASES = (
    Case("TIER351", {"spec.pod": {"runtimeClassName": "nvidia"}}, {P: {"runtimeClassName": "nvidia"}}, "spec.pod.runtimeClassName"),
    Case(
        "TIER351",
        {"spec.environments": {"production": {"pod": {"priorityClassName": "first"}}}},
        {"platform.environments.production.pod": {"priorityClassName": "first"}},
        "spec.environments.production.pod.priorityClassName",
    ),
    Case(
        "TIER351",
        {f"{CEILINGS}.pod": ["nodeSelector"], "spec.pod": {"labels": {"a": "b"}}},
        {f"{CEILINGS}.pod": ["labels"], "spec.pod": {"labels": {"a": "b"}}},
        "spec.pod.labels",
    ),
    Case("PLAN567", {"spec.resources": {"gpu": 1, "gpuKind": "l4"}}, {"spec.resources": {"gpu": 1, "gpuKind": "l4"}, "platform.gpus": {"l4": {}}}, "spec.resources.gpuKind"),
    Case(
        "TIER352",
        {"spec.resources": {"gpu": 1, "gpuKind": "l4"}, "platform.gpus": {"l4": {}}, f"{CEILINGS}.gpuKinds": ["h100"]},
        {"spec.resources": {"gpu": 1, "gpuKind": "l4"}, "platform.gpus": {"l4": {}}, f"{CEILINGS}.gpuKinds": ["l4"]},
        "spec.resources.gpuKind",
    ),
    Case(
        "TIER354",
        {"spec.service.systemPackages": ["libgl1"], f"{CEILINGS}.systemPackages": ["libgomp1"]},
        {"spec.service.systemPackages": ["libgl1"], f"{CEILINGS}.systemPackages": ["libgl1", "libgomp1"]},
        "spec.service.systemPackages[0]",
    ),
    Case(
        "TIER353",
        {f"{P}.sidecars": [SIDECAR], f"{REQUIRES}.imageDigest": True},
        {f"{P}.sidecars": _sidecar(image=f"registry.example.com/shipper@{DIGEST}"), f"{REQUIRES}.imageDigest": True},
        "spec.pod.sidecars[0].image",
    ),
    Case("PLAN561", {f"{P}.affinity": {"nodeAffinty": {}}}, {f"{P}.affinity": {"nodeAffinity": {}}}, "spec.pod.affinity.nodeAffinty"),
    Case("PLAN561", {f"{P}.tolerations": [{"operator": "Is"}]}, {f"{P}.tolerations": [{"operator": "Exists"}]}, "spec.pod.tolerations[0].operator"),
    Case("PLAN561", {f"{P}.initContainers": _sidecar(imge="x"), f"{P}.sidecars": [{**SIDECAR, "name": "a"}]}, {f"{P}.initContainers": [SIDECAR]}, "spec.pod.initContainers[0].imge"),
    Case("PLAN561", {P: {**_mount("/data"), "volumes": []}}, {P: _mount("/data")}, "spec.pod.volumeMounts[0]"),
    Case(
        "PLAN561",
        {f"{P}.sidecars": [SIDECAR], "platform.controllers": {"kubernetes": "1.28"}, "platform.admission": "none"},
        {f"{P}.sidecars": [SIDECAR], "platform.controllers": {"kubernetes": "1.30"}},
        "spec.pod.sidecars",
    ),
    _collision("labels", {"sluice.dev/tier": "x"}, {"example.com/tier": "x"}, "labels.sluice.dev/tier"),
    _collision("labels", {"app.kubernetes.io/version": "x"}, {"version": "x"}, "labels.app.kubernetes.io/version"),
    _collision("annotations", {"argocd.argoproj.io/hook": "x"}, {"example.com/hook": "x"}, "annotations.argocd.argoproj.io/hook"),
    _collision("service.annotations", {"sluice.dev/a": "x"}, {"a": "x"}, "service.annotations.sluice.dev/a"),
    _collision("sidecars", _sidecar(name="model"), _sidecar(name="models"), "sidecars[0].name"),
    _collision("sidecars", _sidecar(ports=[{"containerPort": 3000}]), _sidecar(ports=[{"containerPort": 3002}]), "sidecars[0].ports[0].containerPort"),
    _collision(
        "sidecars",
        _sidecar(ports=[{"containerPort": 9090}]),
        _sidecar(ports=[{"containerPort": 9091}]),
        "sidecars[0].ports[0].containerPort",
        **CONTAINER,
        **{"spec.serve.probes": {"port": 9090}},
    ),
    _collision(
        "sidecars", _sidecar(ports=[{"containerPort": 99, "name": "http"}]), _sidecar(ports=[{"containerPort": 99, "name": "web"}]), "sidecars[0].ports[0].name"
    ),
    _collision("volumes", [{"name": "tmp", "emptyDir": {}}], [{"name": "temp", "emptyDir": {}}], "volumes[0].name"),
    _collision(
        "volumes", _volume(secret={"secretName": "gates"}), _volume(secret={"secretName": "own"}), "volumes[0]", **{"platform.gates": {"secret": "gates"}}
    ),
    _collision(
        "volumes",
        _volume(projected={"sources": [{"secret": {"name": "sorter-feedback"}}]}),
        _volume(projected={"sources": [{"secret": {"name": "own"}}, {"configMap": {"name": "own"}}]}),
        "volumes[0]",
    ),
    *(
        _collision("labels", {bad: "x"}, {good: "x"}, f"labels.{bad}")
        for bad, good in (
            ("workflows.argoproj.io/workflow", "example.com/workflow"),
            ("batch.kubernetes.io/job-name", "example.com/job-name"),
            ("job-name", "job"),
            ("controller-uid", "controller"),
        )
    ),
    _collision(
        "volumes",
        _volume(secret={"secretName": "sluice-gates.service-account-token"}),
        _volume(secret={"secretName": "sluice-gates-2"}),
        "volumes[0]",
    ),
    *(
        _collision(key, _sidecar(**bad), _sidecar(**good), f"{key}[0]", **_TAKEN)
        for key in ("sidecars", "initContainers")
        for bad, good in (
            ({"envFrom": [{"secretRef": {"name": "gates"}}]}, {"envFrom": [{"configMapRef": {"name": "gates"}}]}),
            (_variable("registry"), _variable("own")),
            (_variable("sorter-feedback"), _variable("feedback-2")),
        )
    ),
    *(
        Case(
            "PLAN573",
            {"spec.service.env": [{"name": "STORE", "secret": {"name": name, "key": "a"}}], **_TAKEN},
            {"spec.service.env": [{"name": "STORE", "secret": {"name": f"own-{name}", "key": "a"}}], **_TAKEN},
            "spec.service.env[0].secret.name",
        )
        for name in ("gates", "registry")
    ),
    Case(
        "PLAN573",
        {"spec.service.env": [{"name": "STORE", "secret": {"name": "sorter-feedback", "key": "current"}}]},
        {"spec.service.env": [{"name": "STORE", "secret": {"name": "sorter-feedbacks", "key": "current"}}]},
        "spec.service.env[0].secret.name",
    ),
    *(
        Case("PLAN572", {f"spec.pod.{key}": {name: "x"}}, {f"{P}.{key}": {name: "x"}}, f"spec.pod.{key}.{name}")
        for key in ("labels", "annotations")
        for name in (
            "sidecar.istio.io/proxyImage",
            "vault.hashicorp.com/agent-inject",
            "k8s.v1.cni.cncf.io/networks",
            "azure.workload.identity/use",
            "aadpodidbinding",
            "gke-gcsfuse/volumes",
            "node.kubernetes.io/x",
        )
    ),
    *(
        Case("PLAN572", {f"spec.pod.{key}": {bad: "x"}}, {f"spec.pod.{key}": {good: "x"}}, f"spec.pod.{key}.{bad}")
        for key in ("labels", "annotations")
        for bad, good in (("istio.io/rev", "notistio.io/rev"), ("linkerd.io/inject", "linkerd.io.example.com/inject"))
    ),
    Case(
        "PLAN572",
        {"spec.environments": {"production": {"pod": {"annotations": {"dapr.io/enabled": "true"}}}}},
        {"platform.environments.production.pod": {"annotations": {"dapr.io/enabled": "true"}}},
        "spec.environments.production.pod.annotations.dapr.io/enabled",
    ),
    *(
        _refused("volumes", _token(bad), _token({"audience": "sts.amazonaws.com"}), "volumes[0].projected.sources[0].serviceAccountToken")
        for bad in ({}, {"audience": "https://kubernetes.default.svc"})
    ),
    Case("PLAN562", {P: _mount("/home")}, {P: _mount("/home2")}, "spec.pod.volumeMounts[0].mountPath"),
    Case("PLAN562", {P: _mount("/etc/sluice/feedback/x")}, {P: _mount("/etc/sluices")}, "spec.pod.volumeMounts[0].mountPath"),
    Case("PLAN562", {P: _mount("/tmp/")}, {P: _mount("/tmp/cache")}, "spec.pod.volumeMounts[0].mountPath"),
    _collision("topologySpreadConstraints", [_SPREAD], [{**_SPREAD, "whenUnsatisfiable": "DoNotSchedule"}], "topologySpreadConstraints[0]"),
    _refused("volumes", _volume(hostPath={"path": "/"}), _volume(image={"reference": "registry.example.com/data:1"}), "volumes[0].hostPath"),
    _refused("volumes", _volume(nfs={"server": "a", "path": "/"}), _volume(persistentVolumeClaim={"claimName": "a"}), "volumes[0].nfs"),
    _refused(
        "annotations", {"container.apparmor.security.beta.kubernetes.io/model": "unconfined"}, {"container.apparmor.security.beta.kubernetes.io/model": "runtime/default"}, "annotations.container.apparmor.security.beta.kubernetes.io/model"
    ),
    _refused("sidecars", _secured(privileged=True), _secured(privileged=False), "sidecars[0].securityContext.privileged"),
    _refused("sidecars", _secured(runAsUser=0), _secured(runAsUser=1), "sidecars[0].securityContext.runAsUser"),
    _refused("initContainers", _secured(runAsNonRoot=False), _secured(runAsNonRoot=True), "initContainers[0].securityContext.runAsNonRoot"),
    _refused("sidecars", _secured(capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN"]}), _secured(capabilities={"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}), "sidecars[0].securityContext.capabilities.add"),
    _refused("sidecars", _secured(capabilities={"drop": ["CHOWN"]}), _secured(capabilities={"drop": ["ALL"]}), "sidecars[0].securityContext.capabilities"),
    _refused("sidecars", _secured(seccompProfile={"type": "Unconfined"}), _secured(seccompProfile={"type": "RuntimeDefault"}), "sidecars[0].securityContext.seccompProfile.type"),
    _refused("sidecars", _secured(seLinuxOptions={"user": "a"}), _secured(seLinuxOptions={"type": "container_t"}), "sidecars[0].securityContext.seLinuxOptions"),
    _refused("sidecars", _secured(windowsOptions={"hostProcess": True}), _secured(windowsOptions={"hostProcess": False}), "sidecars[0].securityContext.windowsOptions.hostProcess"),
    _refused("sidecars", _sidecar(ports=[{"containerPort": 99, "hostPort": 99}]), _sidecar(ports=[{"containerPort": 99}]), "sidecars[0].ports[0].hostPort"),
    _refused("sidecars", _sidecar(livenessProbe={"httpGet": {"port": 99, "host": "a"}}), _sidecar(livenessProbe={"httpGet": {"port": 99}}), "sidecars[0].livenessProbe.httpGet.host"),
    Case("PLAN564", {f"{P}.sidecars": _sidecar(resources={"requests": {"cpu": "1m", "memory": "1Mi"}})}, {f"{P}.sidecars": [SIDECAR]}, "spec.pod.sidecars[0]"),
    Case("PLAN564", {f"{P}.initContainers": _sidecar(resources={})}, {f"{P}.initContainers": [SIDECAR]}, "spec.pod.initContainers[0]"),
    Case("PLAN565", {"spec.pod.termination": {"grace": "11s"}}, {"spec.pod.termination": {"grace": "12s"}}, "spec.pod.termination.grace"),
    Case(
        "PLAN565",
        {"spec.pod.termination": {"grace": "30s", "preStop": "29s"}},
        {"spec.pod.termination": {"preStop": "29s"}},
        "spec.pod.termination.grace",
    ),
    Case("PLAN566", {"spec.resources": {"cpu": "1", "limits": {"cpu": "999m"}}}, {"spec.resources": {"cpu": "1", "limits": {"cpu": "1"}}}, "spec.resources.limits.cpu"),
    Case("PLAN566", {"spec.resources": {"memory": "1Gi", "limits": {"memory": "1G"}}}, {"spec.resources": {"memory": "1Gi", "limits": {"memory": "1Gi"}}}, "spec.resources.limits.memory"),
    Case("TIER305", {f"{CEILINGS}.cpu": "1", "spec.resources": {"cpu": "1", "limits": {"cpu": "2"}}}, {f"{CEILINGS}.cpu": "2", "spec.resources": {"cpu": "1", "limits": {"cpu": "2"}}}, "spec.resources.limits.cpu"),
    Case("TIER305", {f"{CEILINGS}.cpu": "540m", f"{P}.sidecars": [SIDECAR]}, {f"{CEILINGS}.cpu": "550m", f"{P}.sidecars": [SIDECAR]}, "spec.resources.cpu"),
    Case("TIER306", {f"{CEILINGS}.memory": "1Gi", "spec.resources": {"limits": {"memory": "2Gi"}}}, {f"{CEILINGS}.memory": "2Gi", "spec.resources": {"limits": {"memory": "2Gi"}}}, "spec.resources.limits.memory"),
    Case("PLAN568", {"spec.autoscaling": KEDA, **_BEARER}, {"spec.autoscaling": KEDA, **_BEARER, "platform.prometheus.keda": {"authentication": "prometheus"}}, "spec.autoscaling.kind"),
    Case("PLAN568", {"spec.autoscaling": KEDA, **_SECRET_TENANT}, {"spec.autoscaling": KEDA, **_TENANT}, "spec.autoscaling.kind"),
    _collision("volumes", _volume(secret={"secretName": "prometheus"}), _volume(secret={"secretName": "own"}), "volumes[0]", **_BEARER),
)  # fmt: skip
"""Edits that trip a rule on pods, and edits that nearly do."""
