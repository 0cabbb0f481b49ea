"""The routers of environments that are not Contour's: scenarios of `tests/world` start them next to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.cluster.layout import GATEWAY_NAMESPACE

ENVOY_GATEWAY: Final = "envoygateway"
ISTIO: Final = "istio"
_SETTINGS: Final[Mapping[str, Mapping[str, object]]] = {
    "traefik": {"kind": "traefik"},
    ENVOY_GATEWAY: {
        "kind": "gateway-api",
        "implementation": "envoy-gateway",
        "gateway": ENVOY_GATEWAY,
        "namespace": GATEWAY_NAMESPACE,
    },
    ISTIO: {"kind": "istio", "gateway": ISTIO, "namespace": GATEWAY_NAMESPACE},
}
"""By the beginning of the environment's name, which the Gateway has as its name."""


def settings(environment: str) -> Mapping[str, object] | None:
    """The router of an environment whose name begins with that of a router; None for Contour."""
    return next((router for name, router in _SETTINGS.items() if environment.startswith(name)), None)
