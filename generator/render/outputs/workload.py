"""The objects that a Rollout needs: account, configuration, disruption budget, autoscaler, scraping."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from generator.dataclass import dataclass
from generator.plan.container import Container, ExportedSeries
from generator.plan.names import PREDICT, labels
from generator.plan.values import Plan
from generator.promql.served import BY_VERSION, LATENCY, OUTCOMES, PREDICTIONS, REQUESTS, STATUS
from generator.promql.text import duration
from generator.render.filters import go_duration
from generator.render.identity import CONFIG
from generator.render.output import Output
from generator.render.series import series_of, users
from generator.spec.prometheus import Prometheus

_SCALER_S: Final = 120.0


def workload(plan: Plan) -> Iterator[Output]:
    """Yield the objects that every strategy has."""
    yield Output("serviceaccount-main.yaml", "kubernetes/serviceaccount.yaml.j2")
    yield Output(
        "configmap-config.yaml",
        CONFIG,
        {"name": config_name(plan), "data": config(plan)},
    )
    keys = (plan.feedback.fetched,) if plan.feedback and plan.feedback.fetched else ()
    for secret in (*plan.secrets, *keys):
        file = f"externalsecret-{secret.role}.yaml"
        yield Output(file, "kubernetes/externalsecret.yaml.j2", {"secret": secret})
    yield Output("poddisruptionbudget-main.yaml", "kubernetes/poddisruptionbudget.yaml.j2")
    yield Output(
        "podmonitor-main.yaml",
        "kubernetes/podmonitor.yaml.j2",
        {
            "monitor_labels": {**labels(plan.identity), **dict(sorted(plan.monitoring.labels.items()))},
            "interval": go_duration(plan.clock.scrape_s),
            "metrics_path": plan.server.metrics_path,
            "renames": list(renames(plan.server)) if isinstance(plan.server, Container) else [],
        },
    )
    if plan.capacity.autoscaler == "hpa":
        yield Output("horizontalpodautoscaler-main.yaml", "kubernetes/horizontalpodautoscaler.yaml.j2")
    elif plan.capacity.autoscaler == "keda":
        yield Output("scaledobject-main.yaml", "kubernetes/scaledobject.yaml.j2", _keda(plan))


@dataclass(frozen=True, slots=True)
class Rename:
    """One rule of a scrape: where all these labels match, a label gets a value.

    Args:
        labels: names of labels; their values are joined by `;`.
        match: regular expression of the joined values.
        target: the label that is set.
        value: its value, with the groups of the expression.
    """

    labels: tuple[str, ...]
    match: str
    target: str
    value: str


def renames(container: Container) -> Iterator[Rename]:
    """Yield the rules that give the series of a container the names and labels of rendered services."""
    yield from _renamed(container.requests, REQUESTS, {"endpoint": PREDICT}, status=container.status_label)
    if container.latency is not None:
        yield from _renamed(container.latency, LATENCY, {"endpoint": PREDICT}, suffix="_(bucket|count|sum)")
    for name, series in container.outcomes:
        yield from _renamed(series, OUTCOMES, {"outcome": name})


def _renamed(
    series: ExportedSeries, name: str, labels: Mapping[str, str], *, suffix: str = "", status: str = ""
) -> Iterator[Rename]:
    """Yield the rules for one metric: the name comes last, because the series are found by it.

    Args:
        series: the metric, and the labels that select its series.
        name: its new name, without the suffix.
        labels: labels to set.
        suffix: regular expression of the end of both names, one group; empty for none.
        status: label whose value becomes that of `STATUS`; empty for none.
    """
    wanted = {"__name__": series.metric + suffix}
    wanted |= {label: re.escape(value) for label, value in series.labels}
    if status:
        yield Rename((*wanted, status), ";".join([*wanted.values(), "(.*)"]), STATUS, "$1")
    for label, value in labels.items():
        yield Rename(tuple(wanted), ";".join(wanted.values()), label, value)
        if label in wanted:
            wanted[label] = re.escape(value)
    yield Rename(tuple(wanted), ";".join(wanted.values()), "__name__", f"{name}_$1" if suffix else name)


def config(plan: Plan) -> dict[str, str]:
    """Return the service's environment variables that are not secret.

    Its home is in the only writable folder: the server writes there, and the image's home is on the read-only root.
    """
    plain = {variable.name: variable.value for variable in plan.env if variable.value is not None}
    if plan.bento is None:
        return {
            **plain,
            "HOME": "/tmp",  # noqa: S108 - in the pod
            "SLUICE_MODEL": plan.identity.model,
            "SLUICE_VERSION": plan.version.label,
        }
    return {
        **plain,
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": "/tmp/bentoml",  # noqa: S108 - in the pod
        "HOME": "/tmp",  # noqa: S108 - in the pod
        "SLUICE_MODEL": plan.identity.model,
        "SLUICE_VERSION": plan.version.label,
    }


def config_name(plan: Plan) -> str:
    """Return the name of the ConfigMap, which contains the hash of its content."""
    content = json.dumps(config(plan), sort_keys=True).encode()
    return f"{plan.identity.model}-config-{hashlib.sha256(content).hexdigest()[:8]}"


def _keda(plan: Plan) -> dict[str, object]:
    served = series_of(plan)
    requests = served.own(PREDICTIONS, PREDICTIONS).requests.where(users(BY_VERSION.label))
    window = duration(plan.clock.span(_SCALER_S))
    return {
        "query": f"sum(rate({requests}[{window}]))",
        "threshold": f"{plan.capacity.rps_per_pod:g}",
        "trigger": _trigger(plan.prometheus),
    }


def _trigger(prometheus: Prometheus) -> dict[str, str]:
    """Return the settings of a KEDA trigger that reach a Prometheus (KEDA 2.21, pkg/scalers/prometheus_scaler.go)."""
    found = {}
    if prometheus.plain_headers:
        found["customHeaders"] = ",".join(
            f"{name}={value}" for name, value in prometheus.plain_headers.items()
        )
    if prometheus.keda:
        found["authModes"] = ",".join(prometheus.keda.modes)
    if prometheus.insecure:
        found["unsafeSsl"] = "true"
    return found
