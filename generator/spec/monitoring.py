"""Monitoring of models: scraping, alerts, dashboards."""

from typing import Annotated

from pydantic import Field

from generator.spec.pod import LabelName, LabelValue
from generator.spec.record import Record
from generator.spec.types import Age, Line, Name, Url


class Alerts(Record):
    """Alerts after the release, as PrometheusRules: the Prometheus operator must be installed."""

    runbooks: Url | None = Field(
        None,
        description="address of the rendered folder for people; alerts link to their runbook below it",
        examples=["https://git.example.com/acme/models/src/main/rendered"],
    )


class Dashboards(Record):
    """Grafana dashboards, as ConfigMaps that its sidecar loads."""

    labels: dict[LabelName, LabelValue] = Field(
        {"grafana_dashboard": "1"}, min_length=1, description="labels by which the sidecar selects them"
    )
    folder: Line | None = Field(None, description="folder in Grafana; default: Grafana's own")

    @property
    def annotations(self) -> dict[str, str]:
        """Annotations of the ConfigMaps, for the sidecar."""
        return {"grafana_folder": self.folder} if self.folder else {}


_Job = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,200}$")]


class RolloutsMetrics(Record):
    """The scrape of the Rollouts controller; the defaults are those of its installation manifest."""

    namespace: Name = Field("argo-rollouts", description="namespace of its pods")
    job: _Job = Field("argo-rollouts-metrics", description="label `job` of its series")


class WorkflowsMetrics(Record):
    """The scrape of the Workflows controller; the defaults are those of its documentation."""

    namespace: Name = Field("argo", description="namespace of its pods")
    job: _Job = Field("workflow-controller-metrics", description="label `job` of its series")


class Monitoring(Record):
    """The labels by which Prometheus finds the pods."""

    labels: dict[LabelName, LabelValue] = Field(
        {},
        description="labels by which the Prometheus operator selects PodMonitors",
        examples=[{"release": "prometheus"}],
    )
    namespace: Name = Field("monitoring", description="namespace that Prometheus scrapes from")
    rollouts: RolloutsMetrics = Field(
        RolloutsMetrics.model_construct(), description="which series are those of the Rollouts controller"
    )
    workflows: WorkflowsMetrics = Field(
        WorkflowsMetrics.model_construct(), description="which series are those of the Workflows controller"
    )
    retention: Age | None = Field(
        None,
        description="how long the Prometheus that evaluates rules and guards keeps data",
        examples=["31d"],
    )
    alerts: Alerts | None = Field(None, description="alerts after the release; default: none")
    dashboards: Dashboards | None = Field(None, description="Grafana dashboards; default: none")
