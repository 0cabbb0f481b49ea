"""The behavior of Argo Rollouts with each traffic router, by controller version.

The routers of this package and the rules on other people's Rollouts read it. Sources: what is refused is
pkg/apis/rollouts/validation/validation.go of Argo Rollouts 1.9.3 and 1.10.2; what is accepted and then not done is
rollout/trafficrouting/ of the same versions, and pkg/plugin/ of the Gateway API plugin 0.15.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, TypeAlias

Version: TypeAlias = tuple[int, int]
Answer: TypeAlias = Literal[
    "yes",
    "refused",  # InvalidSpec
    "ignored",  # accepted, and nothing happens
    "wrong",  # accepted, and something else happens
    "unknown",  # accepted; only the plugin knows
]
Feature: TypeAlias = Literal[
    "weights", "header", "header_pattern", "mirror", "max_weight", "ping_pong", "experiment_weight"
]


class Features(NamedTuple):
    """The behavior of one router for each feature of a Rollout; `mirror` is the step `setMirrorRoute`."""

    weights: Answer
    header: Answer
    header_pattern: Answer
    mirror: Answer
    max_weight: Answer
    ping_pong: Answer
    experiment_weight: Answer


PLUGIN: Final = "plugin"
"""The row of plugins that are not known."""

_OLDEST, _PLUGINS_MAY_MIRROR = (1, 9), (1, 10)
_TABLE: Final[Mapping[str, Mapping[Version, Features]]] = {
    "none": {_OLDEST: Features("ignored", "refused", "refused", "refused", "refused", "yes", "refused")},
    "istio": {_OLDEST: Features("yes", "yes", "yes", "yes", "refused", "yes", "yes")},
    "alb": {_OLDEST: Features("yes", "yes", "refused", "refused", "refused", "yes", "yes")},
    "apisix": {_OLDEST: Features("yes", "yes", "yes", "refused", "refused", "refused", "refused")},
    "nginx": {_OLDEST: Features("yes", "refused", "refused", "refused", "yes", "refused", "refused")},
    "smi": {_OLDEST: Features("yes", "refused", "refused", "refused", "refused", "refused", "yes")},
    "traefik": {_OLDEST: Features("yes", "refused", "refused", "refused", "refused", "refused", "refused")},
    "ambassador": {
        _OLDEST: Features("yes", "refused", "refused", "refused", "refused", "refused", "refused")
    },
    "appMesh": {_OLDEST: Features("yes", "refused", "refused", "refused", "refused", "refused", "refused")},
    "gateway-api": {
        _OLDEST: Features("yes", "yes", "yes", "refused", "wrong", "refused", "yes"),
        _PLUGINS_MAY_MIRROR: Features("yes", "yes", "yes", "ignored", "wrong", "yes", "yes"),
    },
    PLUGIN: {
        _OLDEST: Features("unknown", "unknown", "unknown", "refused", "unknown", "refused", "unknown"),
        _PLUGINS_MAY_MIRROR: Features(
            "unknown", "unknown", "unknown", "unknown", "unknown", "unknown", "unknown"
        ),
    },
}
"""By router, the answers from a controller version on."""

_PLUGIN_NAMES: Final = {"argoproj-labs/gatewayAPI": "gateway-api"}
TRAEFIK_IO_SINCE: Final[Version] = (1, 10)
"""First version that looks for TraefikServices in `traefik.io` (utils/defaults/defaults.go, DefaultTraefikAPIGroup)."""


def router_name(router: str) -> str:
    """Return the row of the table for a router as a Rollout names it: a built-in name or the id of a plugin."""
    return router if router in _TABLE else _PLUGIN_NAMES.get(router, PLUGIN)


def features(router: str, version: Version) -> Features:
    """Return what a router does under a controller version; one older than the table is read as its oldest."""
    rows = _TABLE[router_name(router)]
    return rows[max((since for since in rows if since <= version), default=_OLDEST)]


def answer(router: str, feature: Feature, version: Version) -> Answer:
    """Return what a router does with one feature under a controller version."""
    value: Answer = getattr(features(router, version), feature)
    return value


def traefik_group(version: Version) -> str:
    """Return the API group in which a controller looks for TraefikServices, unless it is started with another."""
    return "traefik.io" if version >= TRAEFIK_IO_SINCE else "traefik.containo.us"


def minor(version: str) -> Version:
    """Return major and minor number of a version such as "1.10" or "1.10.2"."""
    major, second = version.split(".")[:2]
    return int(major), int(second)
