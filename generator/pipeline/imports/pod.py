"""The pods of a release as a spec has them: the container, its resources, and what is around it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from generator.lint import as_int, as_list, as_map, as_text, each
from generator.pipeline.imports.account import Account
from generator.pipeline.imports.family import TEMPLATE, Family
from generator.source.document import Path
from generator.spec.pod import JOINED, LabelName, LabelValue
from generator.spec.service import SecretRef
from generator.spec.types import Cpu, Line, Memory, Variable
from generator.spec.units import duration

_POD: Final[Path] = (*TEMPLATE, "spec")
_WHOLE: Final = ("nodeSelector", "affinity", "priorityClassName", "runtimeClassName", "dnsConfig")
_LISTS: Final = tuple(name for name in JOINED if name not in {"volumeMounts", "initContainers", "sidecars"})
_OURS: Final = re.compile(r"(app\.kubernetes\.io/(name|part-of|managed-by|version)|sluice\.dev/.*)")
_LABELS_OF_TOOLS: Final = re.compile(r"argocd\.argoproj\.io/.*|kubectl\.kubernetes\.io/.*|prometheus\.io/.*")
_SLEEP: Final = re.compile(r"(?:^|\s|/)sleep[\s,]+(\d+)s?$")
_LOWEST_PORT: Final = 1024
_VOLUMES: Final = frozenset({"tmp", "feedback-keys", "shared-memory"})
"""The volumes that Sluice renders."""
_SHARED, _TMP = "/dev/shm", "/tmp"  # noqa: S108 - in pods
_PROBES: Final = {"startupProbe": "startup", "readinessProbe": "ready", "livenessProbe": "live"}


def fits(kind: Any, value: Any) -> bool:
    """Return whether a value is valid where a spec has this type."""
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


def full_image(text: str) -> str:
    """Return an image with its registry and its tag, as `docker.io/library/nginx:latest` for `nginx`."""
    host, slash, rest = text.partition("/")
    if not slash or not ("." in host or ":" in host or host == "localhost"):
        host, rest = "docker.io", text if slash else f"library/{text}"
    tagged = "@" in rest or ":" in rest.rpartition("/")[2]
    return f"{host}/{rest}" if tagged else f"{host}/{rest}:latest"


def image_name(text: str) -> str:
    """Return an image with its registry, without tag and digest."""
    above, _, last = full_image(text).partition("@")[0].rpartition("/")
    return f"{above}/{last.partition(':')[0]}"


def read_pod(family: Family) -> None:
    """Write `serve`, `resources`, `service.env` and `pod` of the spec."""
    workload = family.workload
    containers = as_list(family.pod.get("containers"))
    if workload is None or not containers:
        family.blocked = "its pod template is not in the tree"
        return
    _Pods(family, workload, _POD, family.container).read()


def read_containers(family: Family, root: Path, number: int) -> None:
    """Write `serve`, `resources`, `service.env` and `pod` of the spec, from containers without a pod template.

    Args:
        family: the release.
        root: where its main object has the fields of a pod.
        number: position of the container of the model.
    """
    _Pods(family, family.main, root, number).read()


def read_resources(family: Family, at: Path) -> None:
    """Write `resources` and `service.env` of the spec, from an object that has them as a container does."""
    pods = _Pods(family, family.main, at, 0)
    pods.at, pods.body = at, as_map(family.main.get(*at))
    pods.read_requests()


class _Pods:
    """Reads the pod template of one release."""

    def __init__(self, family: Family, account: Account, root: Path, number: int) -> None:
        self.family, self.account, self.root = family, account, root
        self.at: Path = (*root, "containers", number)
        self.body = as_map(account.get(*self.at))
        self.pod: dict[str, Any] = {}

    def read(self) -> None:
        """Read everything that specs have a word for."""
        if "model" in self.family.spec:  # Sluice rendered the rest of the pod
            self._resources()
            self._placement()
            self._finish()
            return
        self._serve()
        if self.family.blocked:
            return
        self._resources()
        self._env()
        self._labels()
        self._placement()
        self._containers()
        self._times()
        self._finish()

    def read_requests(self) -> None:
        """Read the resources and the variables only."""
        self._resources()
        self._env()

    def _finish(self) -> None:
        if self.pod:
            self.family.spec["pod"] = self.pod

    def _serve(self) -> None:
        image = as_text(self.body.get("image"))
        if not image:
            self.family.blocked = "its container has no image"
            return
        serve: dict[str, Any] = {"image": full_image(image)}
        self.account.take((*self.at, "image"), "serve.image")
        serve["port"] = self._port()
        if serve["port"] < _LOWEST_PORT:
            self.family.blocked = (
                f"its container listens on port {serve['port']}, which only root may: use 1024 or above"
            )
            return
        user, path = self._user()
        if user:
            serve["user"] = self.account.take(path, "serve.user")
        else:
            self.family.assume("serve.user", "1000", "the tree does not say which user the image runs as")
        self.family.spec["serve"] = serve

    def _port(self) -> int:
        ports = list(each(self.body.get("ports"), (*self.at, "ports")))
        chosen = next((one for one in ports if self.family.leads_to(one[1])), None)
        chosen = chosen or (ports[0] if ports else None)
        if chosen is not None:
            self.account.take((*chosen[0], "containerPort"), "serve.port")
            return as_int(chosen[1].get("containerPort"))
        number = next((one for one in self.family.targets if isinstance(one, int)), 0)
        why = "the container names no port"
        return number or int(self.family.assume("serve.port", "8080", why))

    def _user(self) -> tuple[int, Path]:
        for path in (
            (*self.at, "securityContext", "runAsUser"),
            (*self.root, "securityContext", "runAsUser"),
        ):
            found = as_int(self.account.get(*path))
            if found:
                return found, path
        return 0, ()

    def _resources(self) -> None:
        at = (*self.at, "resources")
        requests, limits = (as_map(self.account.get(*at, side)) for side in ("requests", "limits"))
        found: dict[str, Any] = {}
        for name, kind in (("cpu", Cpu), ("memory", Memory)):
            source = "requests" if name in requests else "limits"
            value = as_map({"requests": requests, "limits": limits}[source]).get(name)
            if value is not None and fits(kind, str(value)):
                found[name] = str(self.account.take((*at, source, name), f"resources.{name}"))
            limit = limits.get(name)
            if limit is not None and fits(kind, str(limit)) and source == "requests":
                self.account.take((*at, "limits", name), f"resources.limits.{name}")
                if not (name == "memory" and str(limit) == found.get(name)):
                    found.setdefault("limits", {})[name] = str(limit)
        storage = requests.get("ephemeral-storage")
        if storage is not None and fits(Memory, str(storage)):
            found["storage"] = str(
                self.account.take((*at, "requests", "ephemeral-storage"), "resources.storage")
            )
        for name, value in limits.items():
            if "/" in str(name) and ("gpu" in str(name) or "/mig-" in str(name)) and str(value).isdigit():
                self.account.take((*at, "limits", name), "resources.gpu")
                found["gpu"] = int(str(value))
        if found:
            self.family.spec["resources"] = found

    def _env(self) -> None:
        found: list[dict[str, Any]] = []
        for path, one in each(self.body.get("env"), (*self.at, "env")):
            key = f"service.env[{len(found)}]"
            ref = as_map(as_map(one.get("valueFrom")).get("secretKeyRef"))
            name, value = one.get("name"), one.get("value")
            if not fits(Variable, name):
                self.account.leave(path, "variables have capital letters, digits and _", "rename it")
            elif ref and fits(SecretRef, {"name": ref.get("name"), "key": ref.get("key")}):
                self.account.take(path, key)
                found.append({"name": name, "secret": {"name": ref["name"], "key": ref["key"]}})
            elif value is not None and fits(Line, str(value)):
                self.account.take(path, key)
                found.append({"name": name, "value": str(value)})
        if found:
            self.family.spec.setdefault("service", {})["env"] = found

    def _labels(self) -> None:
        for name, kind in (("labels", LabelValue), ("annotations", Line)):
            at = (*TEMPLATE, "metadata", name)
            for key, value in as_map(self.account.get(*at)).items():
                tool = _LABELS_OF_TOOLS.fullmatch(str(key)) if name == "annotations" else None
                if _OURS.fullmatch(str(key)) or tool or not (fits(LabelName, key) and fits(kind, value)):
                    continue
                self.account.take((*at, str(key)), f"pod.{name}.{key}")
                self.pod.setdefault(name, {})[str(key)] = value
        if self.family.account is not None:
            self._annotations(self.family.account, "serviceAccount")
        for service in self.family.services.values():
            self._annotations(service, "service")

    def _annotations(self, account: Account, key: str) -> None:
        for name, value in account.item.annotations.items():
            if not _LABELS_OF_TOOLS.fullmatch(str(name)) and fits(LabelName, name) and fits(Line, value):
                account.take(("metadata", "annotations", str(name)), f"pod.{key}.annotations.{name}")
                self.pod.setdefault(key, {"annotations": {}})["annotations"][str(name)] = value

    def _placement(self) -> None:
        pod = as_map(self.account.get(*self.root))
        for name in _WHOLE:
            if pod.get(name):
                self.pod[name] = self.account.take((*self.root, name), f"pod.{name}")
        for name in _LISTS:
            for path, item in each(pod.get(name), (*self.root, name)):
                if name == "topologySpreadConstraints" and self._ours(item):
                    continue
                if name == "volumes" and (self._memory(path, item) or self._rendered(item.get("name"))):
                    continue
                self._add(name, path, item)
        self._mounts()

    def _mounts(self) -> None:
        for path, item in each(self.body.get("volumeMounts"), (*self.at, "volumeMounts")):
            if item.get("mountPath") == _SHARED and "sharedMemory" in self.pod:
                self.account.take(path, "pod.sharedMemory")
            elif self._rendered(item.get("name")):
                continue
            elif item.get("mountPath") != _TMP:
                self._add("volumeMounts", path, item)
            else:
                self.account.leave(path, "pods have a writable /tmp", "leave it out")

    def _add(self, name: str, path: Path, item: Any) -> None:
        self.account.take(path, f"pod.{name}[{len(self.pod.get(name, ()))}]")
        self.pod.setdefault(name, []).append(dict(item))

    def _rendered(self, volume: object) -> bool:
        """Return whether Sluice rendered a volume."""
        return "model" in self.family.spec and isinstance(volume, str) and volume in _VOLUMES

    def _ours(self, item: Any) -> bool:
        """Return whether a spread is the one that every pod gets."""
        usual = ("kubernetes.io/hostname", "ScheduleAnyway")
        return (item.get("topologyKey"), item.get("whenUnsatisfiable")) == usual

    def _memory(self, path: Path, item: Any) -> bool:
        empty = as_map(item.get("emptyDir"))
        size = empty.get("sizeLimit")
        mounted = {
            one.get("mountPath")
            for _, one in each(self.body.get("volumeMounts"), ())
            if one.get("name") == item.get("name")
        }
        if empty.get("medium") == "Memory" and _SHARED in mounted and fits(Memory, size):
            self.pod["sharedMemory"] = self.account.take(path, "pod.sharedMemory") and size
            return True
        if "emptyDir" in item and mounted == {_TMP}:
            self.account.leave(path, "pods have a writable /tmp", "leave it out")
            return True
        return False

    def _containers(self) -> None:
        pod = as_map(self.account.get(*self.root))
        for path, item in each(pod.get("containers"), (*self.root, "containers")):
            if path != self.at:
                self._add("sidecars", path, item)
        for path, item in each(pod.get("initContainers"), (*self.root, "initContainers")):
            always = item.get("restartPolicy") == "Always"
            body = {key: value for key, value in item.items() if key != "restartPolicy"} if always else item
            self._add("sidecars" if always else "initContainers", path, body)

    def _times(self) -> None:
        probes = dict(self._probes())
        if probes:
            self.pod["probes"] = probes
        termination = dict(self._termination())
        if termination:
            self.pod["termination"] = termination

    def _probes(self) -> Iterator[tuple[str, dict[str, Any]]]:
        serve = self.family.spec["serve"]
        for field, name in _PROBES.items():
            probe, at = as_map(self.body.get(field)), (*self.at, field)
            http = as_map(probe.get("httpGet"))
            if not http:
                continue
            path = as_text(http.get("path")) or "/"
            if name in ("ready", "live"):
                serve.setdefault("probes", {})[name] = path
                self.account.take((*at, "httpGet", "path"), f"serve.probes.{name}")
            port = self._number_of(http.get("port"))
            if port and port != serve["port"] and port >= _LOWEST_PORT:
                serve.setdefault("probes", {})["port"] = port
                self.account.take((*at, "httpGet", "port"), "serve.probes.port")
            elif port == serve["port"]:
                self.account.take((*at, "httpGet", "port"), "serve.port")
            times = dict(self._times_of(probe, at, name))
            if times:
                yield name, times
        if "ready" not in serve.get("probes", {}):
            why = (
                "no readiness probe of the tree is an HTTP request: a pod is ready when this path answers 200"
            )
            live = serve.get("probes", {}).get("live", "/")
            serve.setdefault("probes", {})["ready"] = self.family.assume("serve.probes.ready", live, why)

    def _times_of(self, probe: Any, at: Path, name: str) -> Iterator[tuple[str, Any]]:
        for field, key in (("periodSeconds", "period"), ("timeoutSeconds", "timeout")):
            value = as_int(probe.get(field))
            if 1 <= value <= 300:
                self.account.take((*at, field), f"pod.probes.{name}.{key}")
                yield key, duration(value)
        failures = as_int(probe.get("failureThreshold"))
        if name == "startup" and failures:
            self.account.take((*at, "failureThreshold"), "service.startup")
            total = failures * as_int(probe.get("periodSeconds"), 10)
            if total <= 3600:
                self.family.spec.setdefault("service", {})["startup"] = duration(total)
        elif 1 <= failures <= 100:
            self.account.take((*at, "failureThreshold"), f"pod.probes.{name}.failures")
            yield "failures", failures

    def _number_of(self, port: object) -> int:
        if isinstance(port, int):
            return port
        ports = [one for _, one in each(self.body.get("ports"), ())]
        return next(
            (as_int(one.get("containerPort")) for one in ports if port and one.get("name") == port), 0
        )

    def _termination(self) -> Iterator[tuple[str, str]]:
        hook, at = (
            as_map(as_map(self.body.get("lifecycle")).get("preStop")),
            (*self.at, "lifecycle", "preStop"),
        )
        seconds = as_int(as_map(hook.get("sleep")).get("seconds"))
        command = " ".join(map(str, as_list(as_map(hook.get("exec")).get("command"))))
        slept = _SLEEP.search(command)
        if slept and not seconds:
            seconds = int(slept[1])
        if 1 <= seconds <= 300:
            self.account.take(at, "pod.termination.preStop")
            yield "preStop", duration(seconds)
        grace = as_int(self.account.get(*self.root, "terminationGracePeriodSeconds"))
        if 1 <= grace <= 3600:
            self.account.take((*self.root, "terminationGracePeriodSeconds"), "pod.termination.grace")
            yield "grace", duration(grace)
