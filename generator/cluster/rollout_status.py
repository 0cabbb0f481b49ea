"""The state of a release in the cluster: a Rollout, its versions and verdicts, and the Application that syncs it.

Fields are those of Argo Rollouts 1.9 and 1.10 (`status` of Rollout and AnalysisRun), Argo CD 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

from generator.cluster.server import ApiAnswer, ClusterError, Server
from generator.dataclass import dataclass
from generator.plan.names import HASH_LABEL

_ARGO: Final = "/apis/argoproj.io/v1alpha1"
_REVISION: Final = "rollout.argoproj.io/revision"
_FORBIDDEN: Final = (
    "let its user get and list rollouts, analysisruns and replicasets there; `records: {}` in specs/platform.yaml "
    "renders an account and roles for it"
)
_UNSEEN: Final = "the controller has not seen it yet"


@dataclass(frozen=True, slots=True)
class PodVersion:
    """A version in the cluster: number, digest, ready and desired pods; empty when unknown."""

    version: str = ""
    digest: str = ""
    pods: str = ""


@dataclass(frozen=True, slots=True)
class MetricVerdict:
    """The latest verdict of one metric of the current release.

    Args:
        metric: its name: the guard.
        phase: Successful, Failed, Inconclusive, Error, Running or Pending.
        value: of the last measurement, as the controller prints it; empty when there was none.
        message: of the metric, or of its last measurement.
        run: the AnalysisRun.
    """

    metric: str
    phase: str
    value: str
    message: str
    run: str


@dataclass(frozen=True, slots=True)
class RolloutStatus:
    """One Rollout.

    Args:
        phase: Healthy, Progressing, Paused or Degraded; Unknown before the controller has seen it.
        message: why.
        step: index of the current step; None without steps.
        steps: how many there are.
        weight: of the new version, in percent of live traffic; None where no router has weights.
        aborted: it was aborted and not retried.
        pauses: why it waits.
        approval: it waits for an approval.
        stable: the version that serves.
        desired: the version of its pod template.
        verdicts: by metric.
    """

    phase: str
    message: str
    step: int | None
    steps: int
    weight: int | None
    aborted: bool
    pauses: tuple[str, ...]
    approval: bool
    stable: PodVersion
    desired: PodVersion
    verdicts: tuple[MetricVerdict, ...]

    @property
    def settled(self) -> bool:
        """Whether the release has ended or was aborted, so the controller does nothing more."""
        return self.phase == "Healthy" or (self.phase == "Degraded" and self.aborted)


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """One Application.

    Args:
        sync: Synced, OutOfSync or Unknown.
        health: Healthy, Progressing, Suspended, Degraded, Missing or Unknown.
        revision: the commit that was compared last.
        error: why the last operation failed; empty when it did not.
    """

    sync: str
    health: str
    revision: str
    error: str


def read_rollout(server: Server, namespace: str, name: str) -> RolloutStatus | None:
    """Read a Rollout and what belongs to it; None when there is none.

    Raises:
        ClusterError: the server can't be queried, or refuses.
    """
    path = f"{_ARGO}/namespaces/{quote(namespace)}/rollouts/{quote(name)}"
    body = read_objects(server, path)
    if body is None:
        return None
    spec, status = _map(body.get("spec")), _map(body.get("status"))
    current = str(status.get("currentPodHash") or "")
    sets = _items(server, f"/apis/apps/v1/namespaces/{quote(namespace)}/replicasets", _selector(spec))
    runs = _items(server, f"{_ARGO}/namespaces/{quote(namespace)}/analysisruns", f"{HASH_LABEL}={current}")
    steps = _map(_map(spec.get("strategy")).get("canary")).get("steps") or []
    index = status.get("currentStepIndex")
    pauses = tuple(str(item.get("reason", "")) for item in status.get("pauseConditions") or ())
    seen = str(status.get("observedGeneration", "")) == str(_map(body["metadata"]).get("generation", ""))
    return RolloutStatus(
        phase=str(status.get("phase") or "Unknown") if seen else "Progressing",
        message=_line(status.get("message")) if seen else _UNSEEN,
        step=index if isinstance(index, int) else None,
        steps=len(steps),
        weight=_weight(status),
        aborted=bool(status.get("abort")),
        pauses=pauses,
        approval=_waits_for_approval(pauses, steps, index),
        stable=_stable(sets, str(status.get("stableRS") or "")),
        desired=_version(_map(spec.get("template"))),
        verdicts=tuple(_verdicts(runs, _annotation(body, _REVISION))),
    )


def read_application(server: Server, namespace: str, name: str) -> SyncStatus | None:
    """Read an Application; None when there is none, or the user has no permission to read it."""
    answer = server.request("GET", f"{_ARGO}/namespaces/{quote(namespace)}/applications/{quote(name)}")
    if answer.status in {403, 404}:
        return None
    status = _map((_body(answer, server) or {}).get("status"))
    sync, operation = _map(status.get("sync")), _map(status.get("operationState"))
    failed = operation.get("phase") in {"Failed", "Error"}
    return SyncStatus(
        sync=str(sync.get("status") or "Unknown"),
        health=str(_map(status.get("health")).get("status") or "Unknown"),
        revision=str(sync.get("revision") or ""),
        error=_line(operation.get("message")) if failed else "",
    )


def read_objects(
    server: Server, path: str, query: Mapping[str, str] | None = None
) -> Mapping[str, Any] | None:
    """Read an object or a list; None when there is none.

    Raises:
        ClusterError: the server can't be queried, or refuses.
    """
    return _body(server.request("GET", path, query), server)


def _body(answer: ApiAnswer, server: Server) -> Mapping[str, Any] | None:
    if answer.status == 404:
        return None
    if not answer.ok:
        hint = _FORBIDDEN if answer.status == 403 else ""
        raise ClusterError(f"{server.address} refuses the request: {answer.message}", hint)
    return answer.body


def _items(server: Server, path: str, selector: str) -> list[Mapping[str, Any]]:
    if not selector or selector.endswith("="):
        return []
    items = (read_objects(server, path, {"labelSelector": selector}) or {}).get("items") or []
    return [item for item in items if isinstance(item, dict)]


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _line(value: object) -> str:
    return " ".join(str(value or "").split())


def _annotation(body: Mapping[str, Any], key: str) -> str:
    return str(_map(_map(body.get("metadata")).get("annotations")).get(key) or "")


def _selector(spec: Mapping[str, Any]) -> str:
    labels = _map(_map(spec.get("selector")).get("matchLabels"))
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def _waits_for_approval(pauses: Iterable[str], steps: list[Any], index: object) -> bool:
    step = _map(steps[index]) if isinstance(index, int) and 0 <= index < len(steps) else {}
    return "BlueGreenPause" in pauses or ("CanaryPauseStep" in pauses and step.get("pause") == {})


def _weight(status: Mapping[str, Any]) -> int | None:
    weight = _map(_map(_map(status.get("canary")).get("weights")).get("canary")).get("weight")
    return weight if isinstance(weight, int) else None


def _stable(sets: Iterable[Mapping[str, Any]], pod_hash: str) -> PodVersion:
    for item in sets:
        if pod_hash and _map(_map(item.get("metadata")).get("labels")).get(HASH_LABEL) == pod_hash:
            spec, status = _map(item.get("spec")), _map(item.get("status"))
            found = _version(_map(spec.get("template")))
            pods = f"{status.get('readyReplicas') or 0}/{spec.get('replicas') or 0}"
            return PodVersion(found.version, found.digest, pods)
    return PodVersion()


def _version(template: Mapping[str, Any]) -> PodVersion:
    metadata = _map(template.get("metadata"))
    version = _map(metadata.get("labels")).get("app.kubernetes.io/version")
    digest = _map(metadata.get("annotations")).get("sluice.dev/model-digest")
    return PodVersion(str(version or ""), str(digest or ""))


def _verdicts(runs: Iterable[Mapping[str, Any]], revision: str) -> Iterable[MetricVerdict]:
    """Return the newest verdict of each metric in the runs of this revision, by metric."""
    own = [run for run in runs if not revision or _annotation(run, _REVISION) == revision]
    own.sort(key=lambda run: str(_map(run.get("metadata")).get("creationTimestamp") or ""))
    found: dict[str, MetricVerdict] = {}
    for run in own:
        name = str(_map(run.get("metadata")).get("name") or "")
        for result in _map(run.get("status")).get("metricResults") or ():
            last = _map(([None, *(result.get("measurements") or [])])[-1])
            found[str(result.get("name"))] = MetricVerdict(
                metric=str(result.get("name")),
                phase=str(result.get("phase") or "Pending"),
                value=str(last.get("value") or ""),
                message=_line(result.get("message") or last.get("message")),
                run=name,
            )
    return [found[metric] for metric in sorted(found)]
