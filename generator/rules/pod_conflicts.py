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
    yield from _volumes(plan, pod)
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


def _volumes(plan: Plan, pod: Pod) -> Iterator[_Conflict]:
    taken = {plan.gate_pods.secret, *plan.prometheus.secrets} - {""}
    for index, volume in enumerate(pod.volumes):
        if volume.get("name") in _VOLUMES:
            message = f"the volume `{volume['name']}` is Sluice's"
            yield ("volumes", index, "name"), message, "choose another name"
        for name in _secrets(volume):
            if name in taken or name.endswith("-feedback"):
                message = (
                    f"the Secret `{name}` is not for models: gates or guards use it, or it signs feedback"
                )
                yield ("volumes", index), message, "name another Secret"
    for index, mount in enumerate(pod.volume_mounts):
        path = str(mount.get("mountPath", "")).rstrip("/") or "/"
        hidden = next((own for own in ("/tmp", "/dev/shm") if _within(own, path)), "")  # noqa: S108 - in the pod
        hidden = hidden or next((own for own in _OWN_FOLDERS if _within(own, path) or _within(path, own)), "")
        if hidden:
            message = f"a volume at {path} would hide {hidden}, which the service needs"
            yield ("volumeMounts", index, "mountPath"), message, "choose another folder, such as /data"


def _secrets(volume: dict[str, object]) -> Iterator[str]:
    """Yield the names of the Secrets that a volume shows."""
    secret, projected = volume.get("secret"), volume.get("projected")
    if isinstance(secret, dict):
        yield str(secret.get("secretName", ""))
    sources = projected.get("sources") if isinstance(projected, dict) else None
    for source in sources if isinstance(sources, list) else ():
        inner = source.get("secret") if isinstance(source, dict) else None
        if isinstance(inner, dict):
            yield str(inner.get("name", ""))


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
