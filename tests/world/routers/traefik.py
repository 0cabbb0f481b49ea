"""Traefik on the bed: one process that reads its own kinds of objects from the API server."""

from __future__ import annotations

from typing import Final

from tests.cluster import programs
from tests.cluster.layout import Layout
from tests.cluster.processes import Command, answers
from tests.world.routed import Proxy

_PORT: Final = 8102


def traefik(layout: Layout) -> Proxy:
    """Start Traefik, unless it runs; return where it listens."""
    if not (layout.processes.folder / "traefik.pid").exists():
        command: Command = [programs.folder("traefik") / "traefik", "--providers.kubernetescrd"]
        command += [f"--entrypoints.web.address=:{_PORT}", "--accesslog"]
        command += ["--ping", "--ping.entrypoint=ping", "--entrypoints.ping.address=127.0.0.1:8112"]
        command += ["--global.checknewversion=false", "--global.sendanonymoususage=false"]
        layout.processes.start("traefik", command, env={"KUBECONFIG": str(layout.kubeconfig)})
        layout.processes.ready("traefik", answers("http://127.0.0.1:8112/ping"))
    return Proxy("127.0.0.1", _PORT)
