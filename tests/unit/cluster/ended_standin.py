"""Objects of a release that has ended, in the shape that Argo Rollouts leaves, made from a rendered Rollout."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from generator.spec.parsing import seconds
from tests.unit.cluster.status_standin import HASH, OLD

BEGAN = dt.datetime(2026, 11, 25, 10, 0, tzinfo=dt.UTC)


@dataclass
class Ended:
    """One release.

    Args:
        rendered: the Rollout in git.
        rps: requests per second that really come.
        skipped: indexes of steps that a person skips.
        full: from this step on, `promote --full`.
        abort_at: the analysis that fails.
        undecided: the analysis that is inconclusive, and that a person overrides.
        revision: of the Rollout.
    """

    rendered: dict[str, Any]
    rps: float = 600.0
    skipped: Collection[int] = ()
    full: int = 1000
    abort_at: int = -1
    undecided: int = -1
    revision: str = "2"
    runs: list[dict[str, Any]] = field(default_factory=list)
    now: dt.datetime = BEGAN

    def __post_init__(self) -> None:
        self.body = json.loads(json.dumps(self.rendered))
        self.steps = self.body["spec"]["strategy"]["canary"]["steps"]
        if self.revision != "1":
            self._walk()
        metadata = self.body["metadata"]
        metadata |= {"uid": "f5a0", "generation": 7}
        metadata["annotations"]["rollout.argoproj.io/revision"] = self.revision
        metadata["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = "{}"
        metadata["managedFields"] = [
            {"manager": "rollouts-controller", "subresource": "status", "time": "2026-11-25T12:00:00Z", "fieldsV1": {}},
            {"manager": "kubectl-argo-rollouts", "subresource": "status", "time": "2026-11-25T11:00:00Z", "fieldsV1": {}},
            {"manager": "argocd-controller", "time": "2026-11-25T09:00:00Z", "fieldsV1": {}},
        ]  # fmt: skip

    @property
    def end(self) -> str:
        """When it ended."""
        return _text(self.now)

    @property
    def rollout(self) -> dict[str, Any]:
        """The Rollout afterwards."""
        aborted = self.abort_at >= 0
        status = {"observedGeneration": "7", "currentPodHash": HASH, "stableRS": OLD if aborted else HASH}
        if aborted:
            status |= {"phase": "Degraded", "abort": True, "abortedAt": self.end}
        else:
            condition = {"type": "Completed", "status": "True", "lastTransitionTime": self.end}
            status |= {"phase": "Healthy", "conditions": [{"type": "Healthy", "status": "True"}, condition]}
        return {**self.body, "status": status}

    @property
    def rollout_at_event(self) -> dict[str, Any]:
        """The Rollout that the controller hands to a notification: its status is not yet written."""
        return {**self.body, "status": {"phase": "Progressing", "currentPodHash": HASH, "stableRS": OLD}}

    @property
    def runs_at_event(self) -> list[dict[str, Any]]:
        """The AnalysisRuns then: the one in the background has not ended."""
        found: list[dict[str, Any]] = json.loads(json.dumps(self.runs))
        for run in found:
            if (
                run["metadata"]["labels"]["rollout-type"] == "Background"
                and run["status"]["phase"] == "Successful"
            ):
                run["status"]["phase"] = "Running"
                for result in run["status"]["metricResults"]:
                    result["phase"] = "Running"
                    if self.abort_at < 0:
                        result["successful"] -= 1
                        result["measurements"].pop()
        return found

    def _walk(self) -> None:
        weight, counted = 0, 0.0
        names = ["ctr", "error-rate", "slow-rate"]
        self._run("background", None, dict.fromkeys(names, ("Successful", 90, "[0.2]")))
        for at, step in enumerate(self.steps):
            if at in self.skipped or at >= self.full:
                continue
            if "setWeight" in step:
                weight = step["setWeight"]
            if hold := step.get("pause", {}).get("duration"):
                self.now += dt.timedelta(seconds=seconds(hold))
                counted += self.rps * weight / 100 * seconds(hold)
            if "analysis" in step:
                failed = {at: "Failed"} if at == self.abort_at else {self.undecided: "Inconclusive"}
                phase = failed.get(at, "Successful")
                values = {name: (phase, int(phase == "Successful"), f"[{counted}]") for name in names}
                self._run("step", at, {**values, "split": ("Successful", 1, "[-2.5]")})
                if at == self.abort_at:
                    return
        self.now += dt.timedelta(seconds=1)
        # The controller takes its time to end the run in the background: it measures once more.
        late = _text(self.now + dt.timedelta(seconds=2))
        for result in self.runs[0]["status"]["metricResults"]:
            result["successful"] += 1
            result["measurements"].append({"phase": "Successful", "value": "[9.9]", "finishedAt": late})

    def _run(self, kind: str, step: int | None, metrics: dict[str, tuple[str, int, str]]) -> None:
        name = f"recommender-{HASH}-{self.revision}" + ("" if step is None else f"-{step}")
        phases = {phase for phase, _, _ in metrics.values()}
        labels = {"rollout-type": kind.capitalize()} | ({} if step is None else {"step-index": str(step)})
        results = [
            {
                "name": metric,
                "phase": phase,
                "count": 1,
                **({"successful": good} if good else {phase.lower(): 1}),
                "measurements": [{"phase": phase, "value": value, "finishedAt": _text(self.now)}],
                "metadata": {"ResolvedPrometheusQuery": "sum(x)" * 100},
            }
            for metric, (phase, good, value) in metrics.items()
        ]
        metadata = {
            "name": name,
            "creationTimestamp": _text(self.now),
            "labels": labels,
            "annotations": {"rollout.argoproj.io/revision": self.revision},
        }
        phase = next((phase for phase in ("Failed", "Inconclusive") if phase in phases), "Successful")
        status = {"phase": phase, "startedAt": _text(self.now), "metricResults": results}
        self.runs.append({"metadata": metadata, "status": status})


def _text(time: dt.datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
