"""A release that has ended: the Rollout and its AnalysisRuns, from the cluster or from a notification.

Both have the same objects, so both give the same facts. Labels and fields are those of Argo Rollouts 1.9 and 1.10
(utils/analysis/helpers.go, pkg/apis/rollouts/v1alpha1/types.go). Kubernetes keeps no person who approved a pause: only
the client that wrote to the status, in `managedFields`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from itertools import pairwise
from typing import Any, Final
from urllib.parse import quote

from generator.cluster.rollout_status import read_objects
from generator.cluster.server import Server
from generator.dataclass import dataclass
from generator.plan.names import HASH_LABEL
from generator.source.errors import CliError
from generator.spec.parsing import seconds

NOTICE: Final = "sluice/ended/v1"
"""The schema of the notification."""
_REVISION: Final = "rollout.argoproj.io/revision"
_KINDS: Final = {
    "Background": "background",
    "Step": "step",
    "PrePromotion": "prePromotion",
    "PostPromotion": "postPromotion",
}
_COUNTS: Final = {
    "Successful": "successful",
    "Failed": "failed",
    "Inconclusive": "inconclusive",
    "Error": "error",
}
_SLACK_S: Final = 2.0  # times in Kubernetes are whole seconds
_RUNNING: Final = frozenset({"", "Running", "Pending"})
_CONTROLLER: Final = re.compile(r"rollouts-controller")
_NUMBER: Final = re.compile(r"\[?\s*([0-9][0-9.e+]*)\s*\]?")

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EndedRelease:
    """The objects of a release that has ended.

    Args:
        rollout: the Rollout.
        runs: the AnalysisRuns of its revision, by start.
        aborted: whether it was aborted; completed otherwise.
        end: when that was (RFC 3339, UTC).
    """

    rollout: Object
    runs: tuple[Object, ...]
    aborted: bool
    end: str

    @property
    def annotations(self) -> Mapping[str, str]:
        """The annotations of the Rollout."""
        return _texts(_at(self.rollout, "metadata", "annotations"))

    @property
    def pod_annotations(self) -> Mapping[str, str]:
        """The annotations of its pods."""
        return _texts(_at(self.rollout, "spec", "template", "metadata", "annotations"))

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels of its pods."""
        return _texts(_at(self.rollout, "spec", "template", "metadata", "labels"))

    @property
    def revision(self) -> int:
        """Its revision; 0 if the controller has set none."""
        text = self.annotations.get(_REVISION, "")
        return int(text) if text.isdecimal() else 0

    @property
    def image(self) -> str:
        """The image of the container `model`, or of the first one."""
        containers = _dicts(_at(self.rollout, "spec", "template", "spec", "containers")) or [{}]
        found = next((item for item in containers if item.get("name") == "model"), containers[0])
        return str(found.get("image", ""))

    @property
    def steps(self) -> Sequence[Object]:
        """The steps of its canary; none for a blue-green."""
        return _dicts(_at(self.rollout, "spec", "strategy", "canary", "steps"))

    @property
    def pod_hash(self) -> str:
        """The hash of its pod template."""
        return str(_at(self.rollout, "status", "currentPodHash") or "")

    def annotated(self, prefix: str) -> dict[str, str]:
        """Return the annotations of the Rollout below `sluice.dev/` with a prefix, without it."""
        whole = f"sluice.dev/{prefix}"
        return {
            key.removeprefix(whole): text for key, text in self.annotations.items() if key.startswith(whole)
        }


class NotEndedError(CliError):
    """No release has ended; that is not an error, as it may end later."""


def read_ended(server: Server, namespace: str, name: str) -> EndedRelease | None:
    """Read the newest release of a Rollout; None when there is no Rollout.

    Raises:
        ClusterError: the server can't be queried, or refuses.
        NotEndedError: the release has not ended.
    """
    base = f"/apis/argoproj.io/v1alpha1/namespaces/{quote(namespace)}"
    body = read_objects(server, f"{base}/rollouts/{quote(name)}")
    if body is None:
        return None
    status = _at(body, "status") or {}
    current = str(status.get("currentPodHash") or "")
    aborted = bool(status.get("abort"))
    seen = str(status.get("observedGeneration", "")) == str(_at(body, "metadata", "generation"))
    completed = status.get("phase") == "Healthy" and current and status.get("stableRS") == current
    if not seen or not (aborted or completed):
        phase = str(status.get("phase") or "Unknown") if seen else "not yet seen by the controller"
        raise NotEndedError(f"the release of {name} in {namespace} has not ended: it is {phase}")
    listed = read_objects(server, f"{base}/analysisruns", {"labelSelector": f"{HASH_LABEL}={current}"}) or {}
    end = str(status.get("abortedAt") or "") if aborted else _condition(status, "Completed")
    return _ended(body, listed.get("items"), end, aborted=aborted)


def notified(document: Any, file: str) -> EndedRelease:
    """Return the release in a notification.

    Args:
        document: the parsed body.
        file: its name, for messages.

    Raises:
        CliError: it is not such a notification.
    """
    if (
        not isinstance(document, dict)
        or document.get("schema") != NOTICE
        or not _at(document, "rollout", "metadata")
    ):
        raise CliError(f"{file} is not a notification of a release that has ended (`schema: {NOTICE}`)")
    event, at = document.get("event"), document.get("at")
    if event not in {"completed", "aborted"} or not isinstance(at, str):
        raise CliError(f"{file} does not say whether the release was completed or aborted, or when")
    return _ended(document["rollout"], document.get("analysisRuns"), at, aborted=event == "aborted")


def _ended(rollout: Object, runs: object, end: str, *, aborted: bool) -> EndedRelease:
    own = _at(rollout, "metadata", "annotations", _REVISION)
    found = [run for run in _dicts(runs) if _at(run, "metadata", "annotations", _REVISION) == own]
    found.sort(key=lambda run: (_start(run), str(_at(run, "metadata", "name"))))
    if not end:
        raise CliError("the Rollout does not say when it ended")
    return EndedRelease(rollout, tuple(_until(run, end) for run in found), aborted, end)


def _until(run: Object, end: str) -> Object:
    """Return an AnalysisRun without what it measured after the end: the controller takes its time to end it."""
    results = []
    for result in _dicts(_at(run, "status", "metricResults")):
        measured = _dicts(result.get("measurements"))
        late = [item for item in measured if str(item.get("finishedAt") or "") > end]
        less = Counter(_COUNTS.get(str(item.get("phase")), "") for item in late)
        counts = {key: _count(result.get(key)) - less[key] for key in _COUNTS.values()}
        results.append({**result, **counts, "measurements": measured[: len(measured) - len(late)]})
    return {**run, "status": {**(_at(run, "status") or {}), "metricResults": results}}


def runs_of(release: EndedRelease) -> list[dict[str, Any]]:
    """Return the AnalysisRuns as a record has them.

    A run that had not ended when the release did counts as successful if no metric had failed: the controller ends it
    so. A metric that had measured nothing has no measurements.
    """
    return [
        {
            "name": str(_at(run, "metadata", "name")),
            "kind": _KINDS.get(str(_at(run, "metadata", "labels", "rollout-type")), "background"),
            "step": _step(run),
            "verdict": _verdict(_at(run, "status", "phase")),
            "start": _start(run),
            "metrics": [
                {
                    "name": str(result.get("name")),
                    "verdict": _verdict(result.get("phase")),
                    **{key: _count(result.get(key)) for key in ("successful", "failed", "inconclusive")},
                    "errors": _count(result.get("error")),
                    "last": _last(result)[:500],
                }
                for result in sorted(_results(run), key=lambda result: str(result.get("name")))
            ],
        }
        for run in release.runs
    ]


def last_values(release: EndedRelease, names: frozenset[str]) -> dict[int, float]:
    """Return the largest last value of these metrics in the newest AnalysisRun of each step, by index of the step."""
    found: dict[int, float] = {}
    for run in release.runs:
        step = _step(run)
        values = [_number(_last(result)) for result in _results(run) if result.get("name") in names]
        if step is not None and any(value is not None for value in values):
            found[step] = max(value for value in values if value is not None)
    return found


@dataclass(slots=True)
class Course:
    """What a release did with its steps.

    Args:
        planned: number of its steps; for a blue-green, of its analyses.
        skipped: indexes of the steps that were skipped or cut short.
        seconds: time from the begin of each weight to its analysis, or to the end, by index of the step that sets it.
    """

    planned: int
    skipped: list[int] = field(default_factory=list)
    seconds: dict[int, float] = field(default_factory=dict)


def course(release: EndedRelease) -> Course:
    """Return what a release did with its steps; the controller keeps no history of them.

    Steps leave two traces: an analysis has its AnalysisRun, and a hold takes its time. A step without its trace was
    skipped by a person, or cut short.
    """
    analyses = _blue_green_analyses(release)
    points, steps = [*_points(release)], release.steps
    found = Course(len(steps or analyses))
    if release.revision == 1 or release.aborted:
        return found
    kinds = {_at(run, "metadata", "labels", "rollout-type") for run in release.runs}
    done = {step for run in release.runs if (step := _step(run)) is not None and _measured(run)}
    found.skipped = [at for at, step in enumerate(steps) if "analysis" in step and at not in done]
    found.skipped += [at for at, kind in enumerate(analyses) if kind not in kinds]
    for (first, began), (after, ended) in pairwise(points):
        holds = {at: _hold(steps[at]) for at in range(first, after) if _hold(steps[at])}
        if sum(holds.values()) > (ended - began).total_seconds() + _SLACK_S:
            found.skipped += holds
        weights = [at for at in range(first, after) if steps[at].get("setWeight")]
        if weights:
            found.seconds[weights[-1]] = (ended - began).total_seconds()
    found.skipped = sorted(set(found.skipped))
    return found


def _blue_green_analyses(release: EndedRelease) -> list[str]:
    """Return the kinds of analysis that a blue-green has, as the labels of their runs call them."""
    strategy = _at(release.rollout, "spec", "strategy", "blueGreen") or {}
    return [
        kind
        for kind in ("PrePromotion", "PostPromotion")
        if _at(strategy, f"{kind[0].lower()}{kind[1:]}Analysis")
    ]


def promoted_fully(release: EndedRelease, skipped: Sequence[int]) -> bool:
    """Return whether all steps from one on were skipped that leave a trace, at least two."""
    traced = [at for at, step in enumerate(release.steps) if "analysis" in step or _hold(step)]
    return len(skipped) > 1 and traced[-len(skipped) :] == list(skipped)


def clients(release: EndedRelease) -> str:
    """Return the clients other than the controller that wrote to the status, in order of their last write."""
    entries = _dicts(_at(release.rollout, "metadata", "managedFields"))
    wrote = [
        (str(entry.get("time") or ""), str(entry.get("manager") or ""))
        for entry in entries
        if entry.get("subresource") == "status" and not _CONTROLLER.search(str(entry.get("manager")))
    ]
    return ", ".join(dict.fromkeys(manager for _, manager in sorted(wrote)))[:200]


def _points(release: EndedRelease) -> Iterator[tuple[int, dt.datetime]]:
    """Yield steps whose time is known, in order: the first step with analysis, each step with one, and the end."""
    by_step: dict[int, dt.datetime] = {}
    for run in release.runs:
        step = _step(run)
        starting = _at(release.rollout, "spec", "strategy", "canary", "analysis", "startingStep") or 0
        by_step[starting if step is None else step] = dt.datetime.fromisoformat(_start(run))
    yield from sorted(by_step.items())
    yield len(release.steps), dt.datetime.fromisoformat(release.end)


def _measured(run: Object) -> bool:
    """Return whether an AnalysisRun of a step did its work: it decided, or each metric succeeded once."""
    if _at(run, "status", "phase") in {"Failed", "Error", "Inconclusive"}:
        return True
    return all(_count(result.get("successful")) for result in _results(run))


def _hold(step: Object) -> float:
    duration = _at(step, "pause", "duration")
    return float(duration) if str(duration).isdecimal() else seconds(str(duration or ""))


def _step(run: Object) -> int | None:
    text = str(_at(run, "metadata", "labels", "step-index") or "")
    return (
        int(text) if text.isdecimal() and _at(run, "metadata", "labels", "rollout-type") == "Step" else None
    )


def _start(run: Object) -> str:
    return str(_at(run, "status", "startedAt") or _at(run, "metadata", "creationTimestamp") or "")


def _verdict(phase: object) -> str:
    return "Successful" if str(phase or "") in _RUNNING else str(phase)


def _results(run: Object) -> Sequence[Object]:
    return _dicts(_at(run, "status", "metricResults"))


def _last(result: Object) -> str:
    measured = _dicts(result.get("measurements")) or [{}]
    return " ".join(str(measured[-1].get("value") or "").split())


def _number(text: str) -> float | None:
    found = _NUMBER.fullmatch(text)
    return float(found[1]) if found else None


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0


def _condition(status: Object, kind: str) -> str:
    found = (item for item in _dicts(status.get("conditions")) if item.get("type") == kind)
    return next(
        (str(item.get("lastTransitionTime") or "") for item in found if item.get("status") == "True"), ""
    )


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _texts(value: Any) -> Mapping[str, str]:
    pairs = value.items() if isinstance(value, dict) else ()
    return {str(key): str(text) for key, text in pairs}
