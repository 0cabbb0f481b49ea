"""The objects that a Rollout needs: account, configuration, disruption budget, autoscaler, scraping."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Final

from generator.plan.names import labels
from generator.plan.values import Plan
from generator.promql.served import BY_VERSION, PREDICTIONS, Served
from generator.promql.text import duration
from generator.render.filters import go_duration
from generator.render.identity import CONFIG
from generator.render.output import Output
from generator.render.series import users

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
        },
    )
    if plan.capacity.autoscaler == "hpa":
        yield Output("horizontalpodautoscaler-main.yaml", "kubernetes/horizontalpodautoscaler.yaml.j2")
    elif plan.capacity.autoscaler == "keda":
        yield Output("scaledobject-main.yaml", "kubernetes/scaledobject.yaml.j2", _keda(plan))


def config(plan: Plan) -> dict[str, str]:
    """Return the service's environment variables that are not secret.

    Its home is in the only writable folder: the server writes there, and the image's home is on the read-only root.
    """
    plain = {variable.name: variable.value for variable in plan.env if variable.value is not None}
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
    served = Served(plan.bento.name, plan.identity.namespace)
    requests = served.own(PREDICTIONS, PREDICTIONS).requests.where(users(BY_VERSION.label))
    window = duration(plan.clock.span(_SCALER_S))
    return {"query": f"sum(rate({requests}[{window}]))", "threshold": f"{plan.capacity.rps_per_pod:g}"}
