"""A container that serves a model: the values that are rendered for it."""

from __future__ import annotations

import json
from typing import ClassVar

from generator.dataclass import dataclass
from generator.plan.bento import version_label
from generator.plan.column import Scalar
from generator.spec.container import Exported
from generator.spec.lock import LockFile
from generator.spec.model import ModelFile


@dataclass(frozen=True, slots=True)
class ExportedSeries:
    """A metric under the container's own name, and the labels that select the series of predictions."""

    metric: str
    labels: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Container:
    """A container that the team brings, as it is.

    Args:
        name: value of the label `model` of its series, `<team>-<model>`.
        version: label of the version.
        digest: SHA-256 of the image's manifest, in hexadecimal.
        port: port of predictions and metrics.
        probe_port: port of probes.
        path: route of the predictions.
        user: number of its user.
        timeout_s: seconds after which callers give a request up.
        ready: path of the probes for start-up and readiness.
        live: path of the probe for liveness.
        metrics_path: where it is scraped.
        requests: counter of all requests for predictions.
        status_label: label of that counter with the HTTP status.
        latency: histogram of their times, without a suffix; None when it has none.
        outcomes: counter of each outcome.
        example: JSON of a request that it answers; empty for none.
    """

    name: str
    version: str
    digest: str
    port: int
    probe_port: int
    path: str
    user: int
    timeout_s: float
    ready: str
    live: str
    metrics_path: str
    requests: ExportedSeries
    status_label: str
    latency: ExportedSeries | None
    outcomes: tuple[tuple[str, ExportedSeries], ...]
    example: str

    framework: ClassVar[str] = "container"
    groups: ClassVar[tuple[tuple[str, tuple[Scalar, ...]], ...]] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """The routes of predictions."""
        return (self.path,)

    @property
    def default_served_by(self) -> str:
        """The label of the version."""
        return version_label(self.version)


def container_of(file: ModelFile, lock: LockFile) -> Container | None:
    """Return the container of a spec; None for a model that Sluice renders a service for."""
    spec, meta = file.spec, file.metadata
    serve = spec.serve
    if serve is None:
        return None
    metrics = serve.metrics
    return Container(
        name=f"{meta.team}-{meta.name}",
        version=lock.model.version,
        digest=lock.model.digest.removeprefix("sha256:"),
        port=serve.port,
        probe_port=serve.probes.port or serve.port,
        path=serve.path,
        user=serve.user,
        timeout_s=spec.service.timeout,
        ready=serve.probes.ready,
        live=serve.probes.live or serve.probes.ready,
        metrics_path=metrics.path,
        requests=_series(metrics.requests),
        status_label=metrics.errors.label,
        latency=_series(metrics.latency) if metrics.latency else None,
        outcomes=tuple((name, _series(one)) for name, one in sorted(metrics.outcomes.items())),
        example=json.dumps(serve.example, sort_keys=True) if serve.example else "",
    )


def _series(written: Exported) -> ExportedSeries:
    return ExportedSeries(written.metric, tuple(sorted(written.labels.items())))
