"""What Kubernetes demands of a pod template, as far as people get it wrong (pkg/apis/core/validation).

Functions yield a path below the template and a message. The controller runs the whole of that validation:
host ports, security contexts, affinities and the like are left to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from generator.lint.go_values import is_dns_label, is_label_value, is_qualified_name
from generator.lint.rollouts.model import Body, Path, as_list, as_map, as_text
from generator.lint.rollouts.registry import Flaw
from generator.lint.rollouts.view import has
from generator.source.quantity import parse_quantity

_PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?")
_ENV_NAME = re.compile(r"[ -<>-~]+")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def containers(template: Body) -> Iterator[tuple[Path, Body]]:
    """All containers of a pod template, init containers too, with their paths."""
    spec = as_map(template.get("spec"))
    for group in ("initContainers", "containers"):
        for i, container in enumerate(as_list(spec.get(group))):
            yield ("spec", group, i), as_map(container)


def metadata_flaws(template: Body) -> Iterator[Flaw]:
    """Labels and annotations that Kubernetes does not accept."""
    metadata = as_map(template.get("metadata"))
    for group in ("labels", "annotations"):
        for key, value in as_map(metadata.get(group)).items():
            name = str(key).lower() if group == "annotations" else str(key)
            if not is_qualified_name(name):
                yield ("metadata", group, key), f"{key!r} is no name that Kubernetes accepts"
            if group == "labels" and not is_label_value(as_text(value)):
                yield ("metadata", group, key), f"{value!r} is no value that a label may have"


def container_flaws(template: Body) -> Iterator[Flaw]:
    """Containers without a proper name or an image."""
    if not as_list(as_map(template.get("spec")).get("containers")):
        yield ("spec", "containers"), "there is no container"
    seen: set[str] = set()
    for path, container in containers(template):
        name, image = as_text(container.get("name")), as_text(container.get("image"))
        if not is_dns_label(name):
            yield (*path, "name"), f"the container name {name!r} is no DNS label"
        elif name in seen:
            yield (*path, "name"), f"two containers are named {name!r}"
        seen.add(name)
        if not image:
            yield (*path, "image"), f"the container {name!r} has no image"


def port_flaws(template: Body) -> Iterator[Flaw]:
    """Container ports out of range, with an improper name or a name given twice in one container."""
    for path, container in containers(template):
        seen: set[str] = set()
        for i, item in enumerate(as_list(container.get("ports"))):
            port, at = as_map(item), (*path, "ports", i)
            number, name = port.get("containerPort"), as_text(port.get("name"))
            if not isinstance(number, int) or not 0 < number < 65536:
                yield (*at, "containerPort"), f"{number!r} is no port number"
            if name and not _PORT_NAME.fullmatch(name):
                yield (*at, "name"), f"{name!r} is no port name (lower case, a letter, at most 15 characters)"
            if name and name in seen:
                yield (*at, "name"), f"two ports of one container are named {name!r}"
            seen.add(name)
            if as_text(port.get("protocol")) not in {"", "TCP", "UDP", "SCTP"}:
                yield (*at, "protocol"), f"{port['protocol']!r} is no protocol"


def env_flaws(template: Body) -> Iterator[Flaw]:
    """Environment variables without a name, or with a value from two sides."""
    for path, container in containers(template):
        for i, item in enumerate(as_list(container.get("env"))):
            variable, at = as_map(item), (*path, "env", i)
            if not _ENV_NAME.fullmatch(as_text(variable.get("name"))):
                yield (*at, "name"), f"{variable.get('name')!r} is no name of an environment variable"
            if has(variable, "valueFrom") and as_text(variable.get("value")):
                yield at, "an environment variable has either a value or a valueFrom"


def resource_flaws(template: Body) -> Iterator[Flaw]:
    """Quantities that cannot be read or are negative, and requests above their limits."""
    for path, container in containers(template):
        resources = as_map(container.get("resources"))
        read: dict[tuple[str, str], Decimal] = {}
        for side in ("limits", "requests"):
            for name, value in as_map(resources.get(side)).items():
                number, at = parse_quantity(value), (*path, "resources", side, name)
                if number is None or number < 0:
                    yield at, f"{value!r} is no quantity"
                    continue
                read[side, name] = number
                if side == "requests" and number > read.get(("limits", name), number):
                    yield at, f"the request of {name} is above its limit"


def probe_flaws(template: Body) -> Iterator[Flaw]:
    """Probes with no handler or with several."""
    for path, container in containers(template):
        for name in _PROBES:
            if has(container, name) and sum(has(as_map(container[name]), h) for h in _HANDLERS) != 1:
                yield (*path, name), f"a probe has exactly one of {', '.join(_HANDLERS)}"


def volume_flaws(template: Body) -> Iterator[Flaw]:
    """Volumes without a proper name or source, and mounts of nothing or twice at one place."""
    volumes = [as_map(item) for item in as_list(as_map(template.get("spec")).get("volumes"))]
    names: list[str] = []
    for i, volume in enumerate(volumes):
        at, name = ("spec", "volumes", i), as_text(volume.get("name"))
        if not is_dns_label(name):
            yield (*at, "name"), f"the volume name {name!r} is no DNS label"
        elif name in names:
            yield (*at, "name"), f"two volumes are named {name!r}"
        names.append(name)
        if sum(has(volume, key) for key in volume if key != "name") > 1:
            yield at, f"the volume {name!r} has more than one source"
    for path, container in containers(template):
        yield from _mount_flaws(as_list(container.get("volumeMounts")), names, path)


def _mount_flaws(mounts: Sequence[object], volumes: list[str], path: Path) -> Iterator[Flaw]:
    seen: set[str] = set()
    for i, item in enumerate(mounts):
        mount, at = as_map(item), (*path, "volumeMounts", i)
        name, place = as_text(mount.get("name")), as_text(mount.get("mountPath"))
        if name not in volumes:
            yield (*at, "name"), f"there is no volume named {name!r}"
        if not place:
            yield (*at, "mountPath"), "the mount has no mountPath"
        elif place in seen:
            yield (*at, "mountPath"), f"two mounts share {place!r}"
        seen.add(place)
