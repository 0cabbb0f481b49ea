"""Rules on pod templates: those of Rollouts and of Job metrics, as Kubernetes validates them, and how pods stop.

The controller runs the whole validation of Kubernetes (pkg/apis/core/validation). Checked here is what people often get
wrong; host ports, security contexts, affinities and similar fields are left to the API server.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from generator.lint.controller import is_dns_label, is_label_value, is_qualified_name
from generator.lint.engine import Problem, rule
from generator.lint.objects import Body, as_int, as_list, as_map, as_text, each, has
from generator.lint.pods import containers
from generator.lint.rules.contexts import INVALID, RolloutContext
from generator.lint.rules.metric import MetricContext
from generator.lint.rules.pod_resources import resource_problems
from generator.source.document import Path

_CORE: Final = "Kubernetes 1.36, pkg/apis/core/validation/validation.go (called by Argo Rollouts 1.10)"
_TEMPLATE: Final[Path] = ("spec", "template")
_DEFAULT_GRACE_S: Final = 30
_SLEEP: Final = re.compile(r"\bsleep\s+(\d+(?:\.\d+)?)([smh]?)(?![\w.])")
_UNIT_S: Final = {"": 1, "s": 1, "m": 60, "h": 3600}
_MOVABLE_TAG: Final = re.compile(r"(?:^|/)[^/:@]+(?::latest)?$")
_PORT_NAME: Final = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?")
_ENV_NAME: Final = re.compile(r"[ -<>-~]+")
_HANDLERS: Final = ("exec", "httpGet", "tcpSocket", "grpc")
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")


@rule(
    "ROL106",
    "error",
    "a container of the pod template has no valid name, or no image",
    scope=RolloutContext,
    why=INVALID,
    remedy="Give every container a unique name (lower-case letters, digits and dashes) and an image.",
    example="spec: {template: {spec: {containers: [{name: model, image: }]}}}",
    instead='spec: {template: {spec: {containers: [{name: model, image: "registry.example/model:7"}]}}}',
    source=_CORE,
)
def invalid_containers(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that every container has a valid, unique name and an image."""
    if not ctx.rollout.has_workload_ref:
        yield from container_problems(ctx.rollout.template, _TEMPLATE)


@rule(
    "ROL107",
    "error",
    "the pods of a Rollout are not meant to run forever",
    scope=RolloutContext,
    why="A ReplicaSet restarts its pods always, and accepts neither another restart policy nor a deadline. "
    f"{INVALID}",
    remedy="Remove `restartPolicy` and `activeDeadlineSeconds` from the pod template.",
    example="spec: {template: {spec: {activeDeadlineSeconds: 3600}}}",
    instead="spec: {template: {spec: {restartPolicy: Always}}}",
    source="Kubernetes 1.36, pkg/apis/apps/validation/validation.go (called by Argo Rollouts 1.10)",
)
def pods_end(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that the pods have neither another restart policy than Always nor a deadline."""
    pod, path = as_map(ctx.rollout.template.get("spec")), (*_TEMPLATE, "spec")
    if ctx.rollout.has_workload_ref:
        return
    if as_text(pod.get("restartPolicy")) not in {"", "Always"}:
        message = f"the restart policy of a Rollout's pods must be Always, not {pod['restartPolicy']}"
        yield Problem((*path, "restartPolicy"), message)
    if has(pod, "activeDeadlineSeconds"):
        yield Problem((*path, "activeDeadlineSeconds"), "the pods of a Rollout cannot have a deadline")


@rule(
    "ROL108",
    "error",
    "a volume has no valid name, or a mount has no volume",
    scope=RolloutContext,
    why=INVALID,
    remedy="Give every volume a unique name (lower-case letters, digits and dashes), and mount only volumes of "
    "this pod.",
    example="""\
spec: {template: {spec: {containers: [{name: model, volumeMounts: [{name: cache, mountPath: /cache}]}]}}}
""",
    instead="""\
spec:
  template:
    spec:
      containers: [{name: model, volumeMounts: [{name: cache, mountPath: /cache}]}]
      volumes: [{name: cache, emptyDir: {}}]
""",
    source=_CORE,
)
def invalid_volumes(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that every volume has a valid, unique name and one source, and every mount a volume and its own path."""
    if not ctx.rollout.has_workload_ref:
        yield from volume_problems(ctx.rollout.template, _TEMPLATE)


@rule(
    "ROL114",
    "error",
    "a label, port, variable, resource or probe of the pod template is invalid",
    scope=RolloutContext,
    why=INVALID,
    remedy="Correct the value; the message describes what is expected.",
    example="""\
spec:
  template:
    spec:
      containers: [{name: model, ports: [{name: http, containerPort: 80}, {name: http, containerPort: 81}]}]
""",
    instead="""\
spec:
  template:
    spec:
      containers: [{name: model, ports: [{name: http, containerPort: 80}, {name: admin, containerPort: 81}]}]
""",
    source=_CORE,
)
def invalid_pod_details(ctx: RolloutContext) -> Iterator[Problem]:
    """Check labels, annotations, ports, environment variables, quantities and probes of the pod template."""
    template = ctx.rollout.template
    if ctx.rollout.has_workload_ref:
        return
    yield from _metadata_problems(template)
    for path, container in containers(template, _TEMPLATE):
        yield from _port_problems(container, path)
        yield from _variable_problems(container, path)
        yield from resource_problems(container, path)
        yield from _probe_problems(container, path)


@rule(
    "ANA425",
    "error",
    "the pod template of a Job metric is invalid",
    scope=MetricContext,
    why="Nothing checks the template before the analysis runs. A Job that cannot be created is an Error, and "
    "the fifth Error aborts the release.",
    remedy="Correct the pod template; the message describes what is expected.",
    example="""\
provider:
  job:
    spec:
      backoffLimit: 0
      activeDeadlineSeconds: 600
      template: {spec: {containers: [{name: check, image: "registry.example/check:1"}]}}
""",
    instead="""\
provider:
  job:
    spec:
      backoffLimit: 0
      activeDeadlineSeconds: 600
      template: {spec: {restartPolicy: Never, containers: [{name: check, image: "registry.example/check:1"}]}}
""",
    source="Argo Rollouts 1.10, metricproviders/job/job.go",
)
def invalid_job_pods(ctx: MetricContext) -> Iterator[Problem]:
    """Check the pod template of a Job, unless it has arguments that only an AnalysisRun can fill."""
    template = as_map(as_map(ctx.settings.get("spec")).get("template"))
    path = (*ctx.path, "provider", "job", "spec", "template")
    if ctx.provider != "job" or ctx.has_tags(template):
        return
    restart = as_text(as_map(template.get("spec")).get("restartPolicy"))
    if restart not in {"Never", "OnFailure"}:
        message = (
            f"the restart policy of a Job must be Never or OnFailure, not {restart or 'Always, the default'}"
        )
        yield Problem((*path, "spec", "restartPolicy"), message)
    yield from container_problems(template, path)
    for at, container in containers(template, path):
        yield from resource_problems(container, at)
    yield from volume_problems(template, path)


@rule(
    "ANA457",
    "warning",
    "an image tag does not name a version",
    scope=RolloutContext,
    why="When the image of a movable tag changes, pods that restart run the new version without steps and "
    "without analysis.",
    remedy="Use a tag that is never moved or, better, a digest.",
    example='spec: {template: {spec: {containers: [{name: model, image: "registry.example/model:latest"}]}}}',
    instead='spec: {template: {spec: {containers: [{name: model, image: "registry.example/model:7"}]}}}',
    source="Argo Rollouts 1.10, utils/hash/hash.go",
)
def movable_tag(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that the image of every container has a digest or a tag other than latest."""
    for path, container in containers(ctx.rollout.template, _TEMPLATE):
        image = as_text(container.get("image"))
        if image and "@" not in image and _MOVABLE_TAG.search(image):
            yield Problem((*path, "image"), f"`{image}` can be another version tomorrow")


@rule(
    "ANA464",
    "warning",
    "pods stop while the router still sends them requests",
    scope=RolloutContext,
    why="SIGTERM arrives at the same time as the change of endpoints. Every promotion and every abort stops "
    "pods, and without a preStop sleep some requests hang or are reset.",
    remedy="Give the serving container `lifecycle.preStop.sleep` of 5 to 15 seconds.",
    example="spec: {template: {spec: {containers: [{name: model, lifecycle: }]}}}",
    instead="spec: {template: {spec: {containers: [{name: model, lifecycle: {preStop: {sleep: {seconds: 10}}}}]}}}",
    source="Our own tests with real servers; Kubernetes 1.36, pkg/kubelet/kuberuntime/kuberuntime_container.go",
)
def pods_stop_first(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that a container of the pods behind a router has a preStop handler."""
    if ctx.pod_template is None or not (ctx.rollout.routers or ctx.rollout.blue_green is not None):
        return
    path, template = ctx.pod_template
    found = list(each(as_map(template.get("spec")).get("containers"), ("spec", "containers")))
    if found and not any(has(as_map(container.get("lifecycle")), "preStop") for _, container in found):
        serving = next((at for at, container in found if as_list(container.get("ports"))), found[0][0])
        where = (*path, *serving, "lifecycle") if path == _TEMPLATE else path
        yield Problem(where, "no container has a preStop handler, so pods stop while requests still arrive")


@rule(
    "ANA465",
    "warning",
    "the preStop sleep uses up the termination grace period",
    scope=RolloutContext,
    why="The grace period includes the preStop sleep. When it ends, the container is killed in the middle of "
    "requests.",
    remedy="Make `terminationGracePeriodSeconds` the preStop sleep plus the longest request.",
    example="spec: {template: {spec: {terminationGracePeriodSeconds: 10}}}",
    instead="spec: {template: {spec: {terminationGracePeriodSeconds: 60}}}",
    source="Kubernetes 1.36, pkg/kubelet/kuberuntime/kuberuntime_container.go",
)
def sleep_uses_grace(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that the preStop sleep of each container is shorter than the grace period of the pod."""
    if ctx.pod_template is None:
        return
    path, template = ctx.pod_template
    spec = as_map(template.get("spec"))
    grace_s = as_int(spec.get("terminationGracePeriodSeconds"), _DEFAULT_GRACE_S)
    for _, container in each(spec.get("containers"), ()):
        sleep_s = _sleep_s(as_map(as_map(container.get("lifecycle")).get("preStop")))
        if sleep_s >= grace_s > 0:
            where = (*path, "spec", "terminationGracePeriodSeconds") if path == _TEMPLATE else path
            yield Problem(where, f"preStop sleeps {sleep_s:g} s of the {grace_s} s grace period")


def _sleep_s(handler: Body) -> float:
    """Return the seconds that a preStop handler sleeps, as far as its text shows."""
    if seconds := as_int(as_map(handler.get("sleep")).get("seconds")):
        return seconds
    command = [as_text(word) for word in as_list(as_map(handler.get("exec")).get("command"))]
    return sum(float(number) * _UNIT_S[unit] for number, unit in _SLEEP.findall(" ".join(command)))


def container_problems(template: Body, path: Path) -> Iterator[Problem]:
    """Yield containers without a valid name or an image."""
    if not as_list(as_map(template.get("spec")).get("containers")):
        yield Problem((*path, "spec", "containers"), "the pod template has no container")
    seen: set[str] = set()
    for at, container in containers(template, path):
        name = as_text(container.get("name"))
        if not is_dns_label(name):
            yield Problem((*at, "name"), _invalid_name("container", name))
        elif name in seen:
            yield Problem((*at, "name"), f"two containers are named `{name}`")
        seen.add(name)
        if not as_text(container.get("image")):
            yield Problem((*at, "image"), f"the container `{name}` has no image")


def volume_problems(template: Body, path: Path) -> Iterator[Problem]:
    """Yield volumes without a valid name or with several sources, and mounts without a volume or a place."""
    names: set[str] = set()
    for at, volume in each(as_map(template.get("spec")).get("volumes"), (*path, "spec", "volumes")):
        name = as_text(volume.get("name"))
        if not is_dns_label(name):
            yield Problem((*at, "name"), _invalid_name("volume", name))
        elif name in names:
            yield Problem((*at, "name"), f"two volumes are named `{name}`")
        names.add(name)
        if sum(has(volume, key) for key in volume if key != "name") > 1:
            yield Problem(at, f"the volume `{name}` has more than one source")
    for at, container in containers(template, path):
        yield from _mount_problems(container, at, names)


def _mount_problems(container: Body, path: Path, volumes: set[str]) -> Iterator[Problem]:
    seen: set[str] = set()
    for at, mount in each(container.get("volumeMounts"), (*path, "volumeMounts")):
        name, place = as_text(mount.get("name")), as_text(mount.get("mountPath"))
        if name not in volumes:
            yield Problem((*at, "name"), f"the pod has no volume named `{name}`")
        if not place:
            yield Problem((*at, "mountPath"), f"the mount of `{name}` has no `mountPath`")
        elif place in seen:
            yield Problem((*at, "mountPath"), f"two mounts have the path `{place}`")
        seen.add(place)


def _metadata_problems(template: Body) -> Iterator[Problem]:
    metadata = as_map(template.get("metadata"))
    for key, value in as_map(metadata.get("labels")).items():
        path = (*_TEMPLATE, "metadata", "labels", key)
        if not is_qualified_name(str(key)):
            yield Problem(path, f"`{key}` is not a valid label key")
        if not is_label_value(as_text(value)):
            yield Problem(path, f"`{value}` is not a valid label value")
    for key in as_map(metadata.get("annotations")):
        if not is_qualified_name(str(key).lower()):
            yield Problem(
                (*_TEMPLATE, "metadata", "annotations", key), f"`{key}` is not a valid annotation key"
            )


def _port_problems(container: Body, path: Path) -> Iterator[Problem]:
    seen: set[str] = set()
    for at, port in each(container.get("ports"), (*path, "ports")):
        number, name = port.get("containerPort"), as_text(port.get("name"))
        if not isinstance(number, int) or not 0 < number < 65536:
            yield Problem((*at, "containerPort"), f"`{number}` is not a port from 1 to 65535")
        if name and not _PORT_NAME.fullmatch(name):
            message = (
                f"`{name}` is not a valid port name (at most 15 lower-case letters, digits and single dashes)"
            )
            yield Problem((*at, "name"), message)
        if name and name in seen:
            yield Problem((*at, "name"), f"two ports of one container are named `{name}`")
        seen.add(name)
        if as_text(port.get("protocol")) not in {"", "TCP", "UDP", "SCTP"}:
            yield Problem((*at, "protocol"), f"`{port['protocol']}` is not a protocol; use TCP, UDP or SCTP")


def _variable_problems(container: Body, path: Path) -> Iterator[Problem]:
    for at, variable in each(container.get("env"), (*path, "env")):
        name = as_text(variable.get("name"))
        if not _ENV_NAME.fullmatch(name):
            yield Problem((*at, "name"), f"`{name}` is not a valid name of an environment variable")
        if has(variable, "valueFrom") and as_text(variable.get("value")):
            yield Problem(at, f"the environment variable `{name}` has both a value and a `valueFrom`")


def _probe_problems(container: Body, path: Path) -> Iterator[Problem]:
    for name in _PROBES:
        handlers = [handler for handler in _HANDLERS if has(as_map(container.get(name)), handler)]
        if has(container, name) and len(handlers) != 1:
            found = " and ".join(handlers) or "none of them"
            yield Problem(
                (*path, name), f"a probe needs exactly one of {', '.join(_HANDLERS)}, and has {found}"
            )


def _invalid_name(noun: str, name: str) -> str:
    if not name:
        return f"a {noun} has no name"
    return f"the {noun} name `{name}` is not valid (at most 63 lower-case letters, digits and dashes)"
