"""What pods of a team may reach: gates, by their inputs, and models, by the platform's list."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from generator.spec.network import Destination
from generator.spec.platform import PlatformSpec, Team

_PRIVATE: Final = ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
"""Where an API server is that the platform does not list: RFC 1918, RFC 6598 and RFC 4193."""
_API_PORTS: Final = (443, 6443)
_SERVICE: Final = 2
"""Labels of the shortest name of a Service in another namespace: `store.minio`."""


def gate_egress(platform: PlatformSpec, environment: str) -> list[dict[str, object]]:
    """Return what gate pods may reach: the API server, what their inputs name, and the platform's list."""
    listed = platform.environments[environment].api_server
    api = [_destination(item) for item in listed] or [_addresses(_PRIVATE, _API_PORTS)]
    found = inputs_destination(platform)
    return [*api, *([found] if found else []), *(_destination(item) for item in platform.gates.egress)]


def inputs_destination(platform: PlatformSpec) -> dict[str, object] | None:
    """Return the destination that the address of the inputs names; None for no address, or a DNS name."""
    if not platform.gates.inputs.url:
        return None
    found = urlsplit(platform.gates.inputs.url)
    try:
        port = found.port or (443 if found.scheme == "https" else 80)
        host = found.hostname or ""
    except ValueError:
        return None
    try:
        return _addresses([str(ipaddress.ip_network(host))], [port])
    except ValueError:
        labels = host.split(".")
    if len(labels) == _SERVICE or labels[_SERVICE:] in (["svc"], ["svc", "cluster", "local"]):
        return {"ranges": [], "namespace": labels[1], "ports": [port]}
    return None


def mesh_egress(platform: PlatformSpec, environment: str) -> list[dict[str, object]]:
    """Return what sidecars of a mesh must reach: its control plane."""
    mesh = platform.environments[environment].mesh
    return [_destination(mesh.control_plane)] if mesh else []


def model_egress(team: Team) -> dict[str, list[dict[str, object]]]:
    """Return what models of a team may reach, by the name of the model; those of all models under an empty name."""
    groups: dict[str, list[dict[str, object]]] = {}
    for item in team.egress:
        for model in item.models or [""]:
            groups.setdefault(model, []).append(_destination(item))
    return dict(sorted(groups.items()))


def _destination(item: Destination) -> dict[str, object]:
    ranges = [item.cidr] if item.cidr else []
    return {"ranges": ranges, "namespace": item.namespace or "", "ports": list(item.ports)}


def _addresses(ranges: Sequence[str], ports: Sequence[int]) -> dict[str, object]:
    return {"ranges": list(ranges), "namespace": "", "ports": list(ports)}
