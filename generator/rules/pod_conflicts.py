"""Names, labels, ports and paths of a pod that Sluice needs itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.plan.bento import FEEDBACK_PORT
from generator.plan.names import HASH_LABEL, labels
from generator.plan.values import Plan
from generator.source.document import Path
from generator.spec.pod import Pod

_Conflict = tuple[Path, str, str]
_FINDS: Final = "Services, guards and network policies find the pods by it"
_OF_RUNS: Final = ("workflows.argoproj.io/", "batch.kubernetes.io/")
_OF_JOBS: Final = frozenset({"job-name", "controller-uid"})
"""Labels by which network policies find the pods of gates and of smoke tests (templates/platform/networkpolicy-*)."""
_ANNOTATIONS: Final = ("sluice.dev/", "argocd.argoproj.io/", "rollout.argoproj.io/", "kubectl.kubernetes.io/")
_VOLUMES: Final = ("tmp", "feedback-keys", "shared-memory")
_PORTS: Final = ("http", "feedback", "probes")
_CONTAINER: Final = "model"
_OWN_FOLDERS: Final = ("/etc/sluice", "/home/bentoml")
"""The keys of feedback, and the service that the image was built with."""


def conflicts(plan: Plan, pod: Pod) -> Iterator[_Conflict]:
    """Yield place in `pod`, message and hint of everything that collides."""
    yield from _marks(plan, pod)
    yield from _containers(plan, pod)
    yield from _volumes(pod)
    yield from foreign_secrets(plan, pod)
    for index, spread in enumerate(pod.topology_spread_constraints):
        if (spread.get("topologyKey"), spread.get("whenUnsatisfiable")) == _SPREAD:
            message = (
                "every pod is spread over the nodes by this constraint already, and it may be there only once"
            )
            yield ("topologySpreadConstraints", index), message, "remove it, or write `DoNotSchedule`"


_SPREAD: Final = ("kubernetes.io/hostname", "ScheduleAnyway")


def _marks(plan: Plan, pod: Pod) -> Iterator[_Conflict]:
    own = {*labels(plan.identity), "app.kubernetes.io/version", HASH_LABEL}
    for key in pod.labels:
        if key in own or key.startswith("sluice.dev/"):
            yield ("labels", key), f"the label `{key}` is Sluice's: {_FINDS}", "choose another key"
        elif key.startswith(_OF_RUNS) or key in _OF_JOBS:
            message = f"the label `{key}` marks pods of gates and Jobs: their network policy would open for the model"
            yield ("labels", key), message, "choose another key"
    found = (
        ((), pod.annotations),
        (("serviceAccount",), pod.service_account.annotations),
        (("service",), pod.service.annotations),
    )
    for path, written in found:
        for key in written:
            if key.startswith(_ANNOTATIONS):
                message = f"the annotation `{key}` is for Sluice, Argo CD or kubectl to set"
                yield (*path, "annotations", key), message, "choose another key"


def _containers(plan: Plan, pod: Pod) -> Iterator[_Conflict]:
    taken, names = {plan.server.port, FEEDBACK_PORT}, {_CONTAINER}
    taken.add(getattr(plan.server, "probe_port", plan.server.port))
    for key, containers in (("sidecars", pod.sidecars), ("initContainers", pod.init_containers)):
        for index, container in enumerate(containers):
            name = container.get("name")
            if name in names:
                yield (
                    (key, index, "name"),
                    f"another container of the pod has the name `{name}`",
                    "choose another name",
                )
            names.add(str(name))
            yield from _ports((key, index, "ports"), container.get("ports"), taken)


def _ports(path: Path, ports: object, taken: set[int]) -> Iterator[_Conflict]:
    for index, port in enumerate(ports if isinstance(ports, list) else ()):
        number, name = (
            (port.get("containerPort"), port.get("name")) if isinstance(port, dict) else (None, None)
        )
        if number in taken:
            message = (
                f"port {number} is the model's: the router sends requests to it, and Prometheus reads it"
            )
            yield (*path, index, "containerPort"), message, "choose another port"
        elif name in _PORTS:
            message = f"the port name `{name}` is the model's: Services and the scrape find the model by it"
            yield (*path, index, "name"), message, "choose another name"


def _volumes(pod: Pod) -> Iterator[_Conflict]:
    for index, volume in enumerate(pod.volumes):
        if volume.get("name") in _VOLUMES:
            message = f"the volume `{volume['name']}` is Sluice's"
            yield ("volumes", index, "name"), message, "choose another name"
    for index, mount in enumerate(pod.volume_mounts):
        path = str(mount.get("mountPath", "")).rstrip("/") or "/"
        hidden = next((own for own in ("/tmp", "/dev/shm") if _within(own, path)), "")  # noqa: S108 - in the pod
        hidden = hidden or next((own for own in _OWN_FOLDERS if _within(own, path) or _within(path, own)), "")
        if hidden:
            message = f"a volume at {path} would hide {hidden}, which the service needs"
            yield ("volumeMounts", index, "mountPath"), message, "choose another folder, such as /data"


def foreign_secrets(plan: Plan, pod: Pod) -> Iterator[_Conflict]:
    """Yield place in `pod`, message and hint of every Secret that a part of the pod shows to a program."""
    for key, items in (
        ("volumes", pod.volumes),
        ("sidecars", pod.sidecars),
        ("initContainers", pod.init_containers),
    ):
        for index, item in enumerate(items):
            for name in dict.fromkeys(_secrets(item)):
                if is_foreign_secret(plan, name):
                    yield (key, index), *not_for_models(name)


def is_foreign_secret(plan: Plan, name: str) -> bool:
    """Return whether a Secret of the team's namespace is for others than models."""
    taken = {plan.gate_pods.secret, *plan.prometheus.secrets, plan.routing.tls_secret} - {""}
    pulls = {str(item.get("name")) for item in plan.pod.image_pull_secrets}
    return name in taken | pulls or name.endswith("-feedback") or name.startswith("sluice-gates.")


def not_for_models(name: str) -> tuple[str, str]:
    """Return the message and the hint about such a Secret."""
    users = "gates, guards, the router or the registry use it, or it signs feedback"
    return f"the Secret `{name}` is not for models: {users}", "name another Secret"


def _secrets(value: object, key: str = "") -> Iterator[str]:
    """Yield the names of the Secrets that a volume or a container names, at whatever depth."""
    if isinstance(value, list):
        for item in value:
            yield from _secrets(item, key)
    if isinstance(value, dict):
        if key in _SECRET_KEYS:
            yield str(value.get("secretName") or value.get("name") or "")
        for name, item in value.items():
            yield from _secrets(item, str(name))


_SECRET_KEYS: Final = frozenset({"secret", "secretRef", "secretKeyRef", "nodePublishSecretRef"})
"""Keys of Kubernetes (core/v1) below which a Secret is named."""


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
