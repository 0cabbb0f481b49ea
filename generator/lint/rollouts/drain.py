"""Rules about pods that leave: a router learns of it later than the pod does (1.13; runtime facts on SIGTERM)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.lint.rollouts.model import Body, Path, as_int, as_list, as_map, as_text
from generator.lint.rollouts.registry import Flaw, rule
from generator.lint.rollouts.view import RolloutContext, has

_DEFAULT_GRACE_S = 30
_SLEEP = re.compile(r"\bsleep\s+(\d+(?:\.\d+)?)([smh]?)(?![\w.])")
_UNIT_S = {"": 1, "s": 1, "m": 60, "h": 3600}
_HANDOVER = "seen on real servers: a new connection after SIGTERM hangs or is reset"


@rule(
    "ANA464",
    "warning",
    "pods behind a router are out of its endpoints before they stop",
    scope="rollout",
    hint="Give the serving container lifecycle.preStop.sleep of 5 to 15 seconds.",
    origin=_HANDOVER,
)
def pods_leave_first(ctx: RolloutContext) -> Iterator[Flaw]:
    """SIGTERM comes at the same time as the change of endpoints, and each promotion or abort stops pods."""
    found, routed = ctx.pod_template, ctx.rollout.routers or ctx.rollout.blue_green is not None
    if found is None or not routed:
        return
    path, template = found
    containers = _containers(template)
    if containers and not any(has(as_map(body.get("lifecycle")), "preStop") for _, body in containers):
        serving = next((at for at, body in containers if as_list(body.get("ports"))), containers[0][0])
        told = "it stops while the router still sends requests to it: there is no preStop"
        yield (*path, *serving, "lifecycle") if path[-1] == "template" else path, told


@rule(
    "ANA465",
    "warning",
    "a pod has time to finish its requests after the preStop sleep",
    scope="rollout",
    hint="Make terminationGracePeriodSeconds the preStop sleep plus the longest request.",
    origin="pkg/kubelet/kuberuntime/kuberuntime_container.go: the sleep counts against the grace period",
)
def grace_outlasts_sleep(ctx: RolloutContext) -> Iterator[Flaw]:
    """The grace period begins before the sleep; at its end the container is killed, in mid-request too."""
    found = ctx.pod_template
    if found is None:
        return
    path, template = found
    grace_s = as_int(as_map(template.get("spec")).get("terminationGracePeriodSeconds"), _DEFAULT_GRACE_S)
    for _, container in _containers(template):
        sleep_s = _sleep_s(as_map(as_map(container.get("lifecycle")).get("preStop")))
        if sleep_s >= grace_s > 0:
            where = (*path, "spec", "terminationGracePeriodSeconds") if path[-1] == "template" else path
            yield where, f"it sleeps {sleep_s:g} of {grace_s} seconds: next to nothing is left for requests"


def _containers(template: Body) -> list[tuple[Path, Body]]:
    containers = as_list(as_map(template.get("spec")).get("containers"))
    return [(("spec", "containers", i), as_map(container)) for i, container in enumerate(containers)]


def _sleep_s(handler: Body) -> float:
    """Seconds that a preStop handler sleeps, as far as its text shows."""
    if seconds := as_int(as_map(handler.get("sleep")).get("seconds")):
        return seconds
    command = [as_text(word) for word in as_list(as_map(handler.get("exec")).get("command"))]
    return sum(float(number) * _UNIT_S[unit] for number, unit in _SLEEP.findall(" ".join(command)))
