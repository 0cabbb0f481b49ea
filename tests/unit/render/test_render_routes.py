"""Routes in git send everything to the stable version: that is where a sync in mid-canary puts them for some seconds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.golden import render

WHERE = {
    "gateway-api": ("HTTPRoute", ("rules", "backendRefs"), "name"),
    "istio": ("VirtualService", ("http", "route"), "destination"),
    "traefik": ("TraefikService", ("weighted", "services"), "name"),
}


def weights(router: str, body: dict[str, Any]) -> Iterator[dict[str, int]]:
    """Weight by Service of every rule."""
    _, (outer, inner), name = WHERE[router]
    found = body["spec"].get(outer)
    for rule in found if isinstance(found, list) else [found or {}]:
        yield {
            each[name]["host"] if isinstance(each[name], dict) else each[name]: each.get("weight", 1)
            for each in rule.get(inner, ())
        }


@pytest.mark.parametrize("router", WHERE)
def test_a_canary_starts_with_nothing_whatever_the_router(router):
    kind = WHERE[router][0]
    bodies = [
        yaml.safe_load(text) for name, text in render(f"canary-{router}").items() if name.endswith(".yaml")
    ]
    shares = [share for body in bodies if body["kind"] == kind for share in weights(router, body) if share]
    assert shares
    for share in shares:
        (stable,) = (weight for name, weight in share.items() if name.endswith("-stable"))
        (canary,) = (weight for name, weight in share.items() if name.endswith("-canary"))
        assert (stable, canary) == (100, 0)
