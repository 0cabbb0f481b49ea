"""Rules on `pod`: what a team may set, what Kubernetes and Pod Security accept, and what Sluice itself needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from generator.lint.engine import Problem, rule
from generator.plan.names import labels
from generator.rules.container import DIGEST, LOCKED
from generator.rules.context import Context, ceiling
from generator.rules.pod_conflicts import conflicts
from generator.rules.pod_security import violations
from generator.rules.requirements import required_by
from generator.source.document import Path, dotted
from generator.source.quantity import quantity_amount
from generator.source.suggest import did_you_mean
from generator.spec.pod import POD_KEYS
from generator.spec.units import duration

POD: Final[Path] = ("spec", "pod")
_KIND: Final[Path] = ("spec", "resources", "gpuKind")
_NATIVE_SIDECARS: Final = (1, 29)
_OF_CONTAINERS: Final = ("sidecars", "initContainers")
_DIGESTS: Final = """
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {pod: [sidecars]}, requires: {imageDigest: true}}}}"""
_NEXT_TO: Final = (
    LOCKED
    + """
spec:
  model: ~
  serve: {{image: "registry.example.com/shop/ranker:7", metrics: {{requests: {{metric: http_requests_total}}}}}}
  rollout: {{guards: [{{metric: error-rate, baseline: 1%, detect: {{rise: 100%}}}}]}}
  pod:
    sidecars:
      - name: shipper
        image: registry.example.com/{image}
        resources: {{requests: {{cpu: 50m, memory: 64Mi}}, limits: {{memory: 64Mi}}}}
"""
)


@rule(
    "TIER351",
    "error",
    "a spec sets a part of `pod` that its tier does not leave to teams",
    scope=Context,
    why="Some parts of a pod run another program next to the model, read Secrets, or take the place of other pods. "
    "The platform decides who may use them.",
    remedy="Ask the platform team to set it in the tier's defaults, or to list it in the tier's `ceilings.pod`.",
    example="""
spec: {pod: {priorityClassName: first}}
""",
    instead="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {pod: [priorityClassName]}}}}
# specs/shop/ranker.yaml
spec: {pod: {priorityClassName: first}}
""",
)
def not_for_teams(context: Context) -> Iterator[Problem]:
    """Check each part of `pod` that the spec, or its override of an environment, writes."""
    layers, allowed = context.planned.source.layers, context.tier.ceilings.pod
    for key in POD_KEYS:
        written = list(layers.in_spec(key))
        if not written or key in allowed:
            continue
        tier = context.plan.identity.tier
        message = f"`pod.{key}` is for the platform team: the tier `{tier}` does not leave it to teams"
        hint = f"teams may set here: {', '.join(allowed) or 'nothing'}; for more, the platform team adds `{key}` to "
        related = ceiling(context, "pod", f"[{', '.join(allowed)}]")
        hint += "`ceilings.pod` of the tier"
        for path in written:
            yield Problem(path, message, hint, related, document=layers.spec, on_key=True)


@rule(
    "TIER352",
    "error",
    "a spec names a kind of GPUs that its tier does not allow",
    scope=Context,
    why="Kinds of GPUs have very different prices, and there are few of most.",
    remedy="Name a kind that the tier allows.",
    example="""
# specs/platform.yaml
spec:
  gpus: {l4: {}, h100: {}}
  tiers: {standard: {ceilings: {gpuKinds: [l4]}}}
# specs/shop/ranker.yaml
spec: {model: {framework: xgboost}, resources: {gpu: 1, gpuKind: h100}}
""",
    instead="""
# specs/platform.yaml
spec:
  gpus: {l4: {}, h100: {}}
  tiers: {standard: {ceilings: {gpuKinds: [l4]}}}
# specs/shop/ranker.yaml
spec: {model: {framework: xgboost}, resources: {gpu: 1, gpuKind: l4}}
""",
)
def gpu_kind(context: Context) -> Iterator[Problem]:
    """Check a kind that the platform lists."""
    kind, allowed = context.spec.resources.gpu_kind, context.tier.ceilings.gpu_kinds
    if kind in context.platform.gpus and allowed is not None and kind not in allowed:
        message = f"the tier `{context.plan.identity.tier}` does not allow GPUs of the kind `{kind}`"
        shown = ", ".join(allowed) or "none"
        yield Problem(_KIND, message, f"allowed: {shown}", ceiling(context, "gpuKinds", shown))


@rule(
    "TIER354",
    "error",
    "a spec installs a package of Debian that its tier does not allow",
    scope=Context,
    why="It becomes a part of the image, with all that it needs, in a version that is not pinned. The platform decides "
    "which are installed.",
    remedy="Name a package that the tier allows, or ask the platform team for a base image that has it.",
    example="spec: {service: {systemPackages: [libgomp1]}}",
    instead="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {systemPackages: [libgomp1]}}}}
# specs/shop/ranker.yaml
spec: {service: {systemPackages: [libgomp1]}}
""",
)
def system_packages(context: Context) -> Iterator[Problem]:
    """Check that the tier allows each package."""
    allowed = context.tier.ceilings.system_packages
    shown = ", ".join(allowed) or "none"
    for index, name in enumerate(context.spec.service.system_packages):
        if name not in allowed:
            message = f"the tier `{context.plan.identity.tier}` does not allow the package `{name}` in images"
            related = ceiling(context, "systemPackages", shown)
            yield Problem(("spec", "service", "systemPackages", index), message, f"allowed: {shown}", related)


@rule(
    "PLAN567",
    "error",
    "a spec names an unknown kind of GPUs",
    scope=Context,
    why="Without its labels of nodes and its resource the pod would get any GPU, or none.",
    remedy="Name a kind that the platform lists in `gpus`.",
    example="spec: {model: {framework: xgboost}, resources: {gpu: 1, gpuKind: l4}}",
    instead="""
# specs/platform.yaml
spec: {gpus: {l4: {nodeSelector: {nvidia.com/gpu.product: NVIDIA-L4}}}}
# specs/shop/ranker.yaml
spec: {model: {framework: xgboost}, resources: {gpu: 1, gpuKind: l4}}
""",
)
def unknown_gpu_kind(context: Context) -> Iterator[Problem]:
    """Check that the platform lists the kind."""
    kind, known = context.spec.resources.gpu_kind, context.platform.gpus
    if kind is not None and kind not in known:
        hint = did_you_mean(kind, known, "kinds") if known else "the platform lists none in `gpus`; remove it"
        yield Problem(_KIND, f"unknown kind of GPUs `{kind}`", hint)


@rule(
    "TIER353",
    "error",
    "a container next to the model has an image without a digest in a tier that requires digests",
    scope=Context,
    why="A tag can be moved: the program next to the model would change without a release.",
    remedy="Write the digest after the name: `name@sha256:…`.",
    example=f"{_DIGESTS}{_NEXT_TO.format(image='shipper:1')}",
    instead=f"{_DIGESTS}{_NEXT_TO.format(image=f'shipper@sha256:{DIGEST}')}",
)
def images_by_digest(context: Context) -> Iterator[Problem]:
    """Check the images of sidecars and init containers."""
    if not context.tier.requires.image_digest:
        return
    for path, container in _containers(context):
        image = str(container.get("image", ""))
        if "@sha256:" not in image:
            message = (
                f"the tier `{context.plan.identity.tier}` requires images by digest, and `{image}` has none"
            )
            hint = f"write `{image.rpartition(':')[0] or image}@sha256:…`"
            yield Problem((*path, "image"), message, hint, required_by(context, "imageDigest"))


@rule(
    "PLAN561",
    "error",
    "a part of `pod` is not valid in Kubernetes",
    scope=Context,
    why="The API server would refuse every pod of the release.",
    remedy="Correct it; these parts are written as in a PodSpec.",
    example="spec: {pod: {affinity: {nodeAffinty: {}}}}",
    instead="spec: {pod: {affinity: {nodeAffinity: {}}}}",
)
def valid(context: Context) -> Iterator[Problem]:
    """Check the merged pod against the definitions of the cluster's Kubernetes."""
    own, versions = context.spec.pod, context.platform.controllers.kubernetes
    pod = _as_object(context)
    release = ".".join(versions.split(".")[:2])
    if pod:
        from generator.lint import check  # with the definitions of Kubernetes, which most specs don't need

        for mistake in check(pod, {"kubernetes": release}):
            path = _in_spec(mistake.path, len(own.sidecars))
            if path is not None:
                yield Problem(path, f"`{dotted(path[1:])}` {mistake.message}")
    if own.sidecars and tuple(map(int, versions.split(".")[:2])) < _NATIVE_SIDECARS:
        message = f"Kubernetes {versions} has no sidecars: init containers with `restartPolicy: Always` come with 1.29"
        yield Problem((*POD, "sidecars"), message, "update the cluster, or remove them")
    names = [volume.get("name") for volume in own.volumes]
    for index, mount in enumerate(own.volume_mounts):
        if mount.get("name") not in names:
            message = f"no volume of `pod.volumes` has the name `{mount.get('name')}`"
            yield Problem(
                (*POD, "volumeMounts", index), message, f"volumes: {', '.join(map(str, names)) or 'none'}"
            )


@rule(
    "PLAN562",
    "error",
    "a part of `pod` collides with what Sluice renders",
    scope=Context,
    why="Services, guards, the scrape and network policies find the pods by these labels, ports and names. With others "
    "a guard would watch nothing, or the router would send requests to another program.",
    remedy="Choose another name, path or port.",
    example="spec: {pod: {labels: {app.kubernetes.io/name: other}}}",
    instead="spec: {pod: {labels: {example.com/cost-center: search}}}",
)
def collides(context: Context) -> Iterator[Problem]:
    """Check names, labels, ports and paths that Sluice needs itself."""
    for path, message, hint in conflicts(context.plan, context.spec.pod):
        yield Problem((*POD, *path), message, hint, on_key="labels" in path or "annotations" in path)


@rule(
    "PLAN563",
    "error",
    "a part of `pod` is not allowed by Pod Security",
    scope=Context,
    why="The namespaces of teams enforce Kubernetes' Pod Security Standard `restricted`: no such pod would start.",
    remedy="Remove it; for what needs more rights, run a DaemonSet of the platform in another namespace.",
    example="""
# specs/platform.yaml
spec: {pod: {volumes: [{name: logs, hostPath: {path: /var/log}}]}}
""",
    instead="""
# specs/platform.yaml
spec: {pod: {volumes: [{name: logs, emptyDir: {sizeLimit: 1Gi}}]}}
""",
)
def restricted(context: Context) -> Iterator[Problem]:
    """Check volumes, sidecars and init containers."""
    for path, message in violations(context.spec.pod):
        yield Problem((*POD, *path), message)


@rule(
    "PLAN564",
    "error",
    "a container next to the model has no resources",
    scope=Context,
    why="Without requests the pod counts too little in the team's quota, and an autoscaler by CPU stops working; "
    "without a memory limit it can take the model's memory.",
    remedy="Write `resources` with requests of CPU and memory, and a limit of memory.",
    example="""
# specs/platform.yaml
spec: {pod: {sidecars: [{name: shipper, image: "registry.example.com/shipper:1"}]}}
""",
    instead="""
# specs/platform.yaml
spec:
  pod:
    sidecars:
      - name: shipper
        image: "registry.example.com/shipper:1"
        resources: {requests: {cpu: 50m, memory: 64Mi}, limits: {memory: 64Mi}}
""",
)
def resources(context: Context) -> Iterator[Problem]:
    """Check the resources of sidecars and init containers."""
    for path, container in _containers(context):
        found = container.get("resources")
        given = found if isinstance(found, dict) else {}
        missing = [
            f"{group}.{name}"
            for group, name in (("requests", "cpu"), ("requests", "memory"), ("limits", "memory"))
            if not _at(given, group, name)
        ]
        if missing:
            message = f"the container `{container.get('name')}` has no `{'` and no `'.join(missing)}` in its resources"
            hint = "for example `resources: {requests: {cpu: 50m, memory: 64Mi}, limits: {memory: 64Mi}}`"
            yield Problem(path, message, hint)


@rule(
    "PLAN565",
    "error",
    "a pod is killed before its requests are answered",
    scope=Context,
    why="After `preStop` a request may take as long as `service.timeout`. A pod that is killed earlier loses it, at "
    "each step of each release, and guards count the errors.",
    remedy="Lengthen `pod.termination.grace`, or shorten `service.timeout`.",
    example="spec: {pod: {termination: {grace: 11s}}}",
    instead="spec: {pod: {termination: {grace: 60s}}}",
)
def grace(context: Context) -> Iterator[Problem]:
    """Check the time between the end of `preStop` and the end of the pod."""
    end, timeout_s = context.spec.pod.termination, context.plan.server.timeout_s
    if end.grace is not None and end.grace < end.pre_stop + timeout_s:
        least = duration(end.pre_stop + timeout_s)
        message = f"the pod is killed after {duration(end.grace)}; `preStop` and a request may take {least}"
        yield Problem((*POD, "termination", "grace"), message, f"write `grace: {least}` or more")


@rule(
    "PLAN566",
    "error",
    "a limit of a pod is below its request",
    scope=Context,
    why="The API server refuses such a pod.",
    remedy="Raise the limit, or lower the request.",
    example="spec: {resources: {memory: 2Gi, limits: {memory: 1Gi}}}",
    instead="spec: {resources: {memory: 2Gi, limits: {memory: 2Gi}}}",
)
def limits(context: Context) -> Iterator[Problem]:
    """Check limits against requests."""
    need = context.spec.resources
    for name, requested, limit in (
        ("cpu", need.cpu, need.limits.cpu),
        ("memory", need.memory, need.limits.memory),
    ):
        if limit is not None and quantity_amount(limit) < quantity_amount(requested):
            path = ("spec", "resources", "limits", name)
            yield Problem(path, f"the limit of {name}, {limit}, is below the request, {requested}")


def _at(tree: Mapping[str, Any], group: str, name: str) -> object:
    inner = tree.get(group)
    return inner.get(name) if isinstance(inner, dict) else None


def _containers(context: Context) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the containers next to the model, with their paths."""
    own = context.spec.pod
    for key, containers in zip(_OF_CONTAINERS, (own.sidecars, own.init_containers), strict=True):
        for index, container in enumerate(containers):
            yield (*POD, key, index), container


def _as_object(context: Context) -> dict[str, object]:
    """Return the pod with a stand-in for the model's container; empty if it has only what Sluice decides."""
    own = context.spec.pod
    written: dict[str, object] = {
        **own.placement,
        "topologySpreadConstraints": own.topology_spread_constraints,
        "volumes": own.volumes,
        "initContainers": [*own.sidecars, *own.init_containers],
    }
    if not any([*written.values(), own.volume_mounts]):
        return {}
    model = {"name": "model", "image": "model", "volumeMounts": own.volume_mounts}
    marks = {"name": "model", "labels": labels(context.plan.identity)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": marks, "spec": {**written, "containers": [model]}}


def _in_spec(path: Path, sidecars: int) -> Path | None:
    """Return the place in the spec of a mistake in the pod; None for the stand-in's."""
    match path:
        case ("spec", "initContainers", int(index), *rest):
            own = index < sidecars
            return (*POD, _OF_CONTAINERS[not own], index if own else index - sidecars, *rest)
        case ("spec", "containers", 0, "volumeMounts", *rest):
            return (*POD, "volumeMounts", *rest)
        case ("spec", str(key), *rest):
            return (*POD, key, *rest)
    return None
