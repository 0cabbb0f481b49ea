"""What Envoy says of requests that failed: its access log names the reason in flags."""

from __future__ import annotations

from tests.cluster.layout import Layout

_SHOWN = 20


def refused(layout: Layout, host: str) -> str:
    """Lines of the access log about requests to this host that were answered with 5xx, the first ones.

    Flags: UC the pod closed the connection, UF it could not be reached, UH no healthy pod, NC no such cluster,
    NR no such route, UT too late (Envoy documentation, access log, RESPONSE_FLAGS).
    """
    lines = layout.processes.log("envoy").read_text(errors="replace").splitlines()
    found = [line for line in lines if host in line and '" 5' in line]
    return "\n".join([f"{len(found)} answers with 5xx from Envoy", *found[:_SHOWN]])
