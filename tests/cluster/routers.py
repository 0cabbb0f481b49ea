"""Routers of the bed that are not Contour: scenarios of `tests/world` start them next to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.cluster import programs
from tests.cluster.layout import Layout
from tests.cluster.processes import Command, answers

TRAEFIK_PORT: Final = 8102
_SETTINGS: Final[Mapping[str, Mapping[str, object]]] = {"traefik": {"kind": "traefik"}}


def settings(environment: str) -> Mapping[str, object] | None:
    """The router of an environment whose name begins with that of a router; None for Contour."""
    return next((router for name, router in _SETTINGS.items() if environment.startswith(name)), None)


def traefik(layout: Layout) -> None:
    """Start Traefik, unless it runs, with its own kinds of objects."""
    if (layout.processes.folder / "traefik.pid").exists():
        return
    command: Command = [programs.folder("traefik") / "traefik", "--providers.kubernetescrd"]
    command += [f"--entrypoints.web.address=:{TRAEFIK_PORT}", "--accesslog"]
    command += ["--ping", "--ping.entrypoint=ping", "--entrypoints.ping.address=127.0.0.1:8112"]
    command += ["--global.checknewversion=false", "--global.sendanonymoususage=false"]
    layout.processes.start("traefik", command, env={"KUBECONFIG": str(layout.kubeconfig)})
    layout.processes.ready("traefik", answers("http://127.0.0.1:8112/ping"))
