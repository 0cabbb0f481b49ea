"""What the controllers do, sampled five times a second: weights, steps, verdicts, selectors."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from generator.plan.names import HASH_LABEL
from generator.plan.values import Plan
from tests.cluster.client import Api, ApiError, Object

_EVERY_S = 0.2
_VERSIONS = {"HTTPRoute": "v1", "Ingress": "v1", "VirtualService": "v1", "TraefikService": "v1alpha1"}


@dataclass(frozen=True)
class Moment:
    """The state of a rollout at one time.

    Args:
        at: Unix time.
        weight: canary's weight in the route; None without one.
        phase: of the Rollout.
        message: why it is in this phase.
        step: index of the current step.
        aborted: the Rollout was aborted.
        selectors: pod-template hash that each Service of the model selects.
        analyses: phase of each AnalysisRun by name.
    """

    at: float
    weight: int | None
    phase: str
    message: str
    step: int | None
    aborted: bool
    selectors: tuple[tuple[str, str], ...]
    analyses: tuple[tuple[str, str], ...]

    @property
    def state(self) -> tuple[object, ...]:
        """Everything but the time."""
        return (
            self.weight, self.phase, self.message, self.step, self.aborted, self.selectors, self.analyses,
        )  # fmt: skip


@dataclass
class Watch:
    """Moments of one model's rollout as long as the context lasts."""

    api: Api
    plan: Plan
    moments: list[Moment] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if failed is not None:
            print(self.story(), self._measured(), sep="\n")

    @property
    def last(self) -> Moment:
        """The newest moment: what waits for it can be sure to find it among the moments afterwards."""
        return self.moments[-1] if self.moments else self.look()

    def spans(self) -> list[tuple[int, float, float]]:
        """Weight, start and end of every time with a constant weight."""
        found: list[tuple[int, float, float]] = []
        for moment in self.moments:
            weight = moment.weight or 0
            if found and found[-1][0] == weight:
                found[-1] = (weight, found[-1][1], moment.at)
            else:
                found.append((weight, moment.at, moment.at))
        return found

    def story(self) -> str:
        """Every change, one a line, for people."""
        lines, last, start = [], None, self.moments[0].at if self.moments else 0.0
        for moment in self.moments:
            if moment.state != last:
                last = moment.state
                lines.append(
                    f"{moment.at - start:6.1f} s  weight {moment.weight}  step {moment.step}"
                    f"  {moment.phase} {moment.message}"
                    f"{'  aborted' if moment.aborted else ''}  {dict(moment.selectors)}  {dict(moment.analyses)}"
                )
        return "\n".join(lines)

    def _measured(self) -> str:
        """The last measurements of every guard, one guard a line."""
        path = f"/apis/argoproj.io/v1alpha1/namespaces/{self.plan.identity.namespace}/analysisruns"
        return "\n".join(
            f"{run['metadata']['name']} {metric['name']} {metric['phase']}: "
            + ", ".join(str(one.get("value", one["phase"])) for one in metric.get("measurements", [])[-10:])
            for run in self.api.items(path)
            for metric in run.get("status", {}).get("metricResults", [])
        )

    def _work(self) -> None:
        while not self._stop.wait(_EVERY_S):
            with suppress(ApiError, OSError):
                self.moments.append(self.look())
        self.api.close()

    def look(self) -> Moment:
        """The state now."""
        space, model = self.plan.identity.namespace, self.plan.identity.model
        argo, core = f"/apis/argoproj.io/v1alpha1/namespaces/{space}", f"/api/v1/namespaces/{space}"
        status = (self.api.find(f"{argo}/rollouts/{model}") or {}).get("status", {})
        services = [
            item for item in self.api.items(f"{core}/services") if item["metadata"]["name"].startswith(model)
        ]
        return Moment(
            at=time.time(),
            weight=self._weight(),
            phase=status.get("phase", ""),
            message=status.get("message", ""),
            step=status.get("currentStepIndex"),
            aborted=status.get("abort", False),
            selectors=tuple((_role(item), item["spec"]["selector"].get(HASH_LABEL, "")) for item in services),
            analyses=tuple(
                (run["metadata"]["name"], run.get("status", {}).get("phase", ""))
                for run in self.api.items(f"{argo}/analysisruns")
            ),
        )

    def _weight(self) -> int | None:
        """What the route does not give to the stable version: a cohort's rule names only the canary."""
        weights, identity = self.plan.routing.router.weights, self.plan.identity
        if weights is None:
            return None
        route = {
            "apiVersion": f"{weights.group}/{_VERSIONS[weights.kind]}",
            "kind": weights.kind,
            "metadata": {"name": identity.model, "namespace": identity.namespace},
        }
        found = self.api.find(self.api.address(route))
        entries = weights.entries(found) if found else ()
        return next(
            (100 - entry[weights.path[-1]] for name, entry in entries if name == f"{identity.model}-stable"),
            None,
        )


def _role(service: Object) -> str:
    name: str = service["metadata"]["name"]
    return name.rpartition("-")[2]
