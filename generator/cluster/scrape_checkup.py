"""Checks in a Prometheus that it scrapes the pods of models as the platform file declares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.cluster.diagnosis import INTERVAL, RETENTION, SCRAPING, Diagnosis, fine, lacks, unknown
from generator.cluster.prometheus import Prometheus
from generator.dataclass import dataclass
from generator.plan.values import Plan
from generator.promql.text import quote
from generator.promql.tokens import seconds
from generator.spec.platform import PlatformSpec

_WINDOW_S: Final = 600
_FEWEST: Final = 0.75
"""The share of the declared scrapes that there must be."""
_RULES_S: Final = 31 * 86_400.0
_DEFAULT_S: Final = 15 * 86_400.0
"""Prometheus 3.5: what it keeps where neither a time nor a size is set."""


@dataclass(frozen=True, slots=True)
class ScrapeCheckup:
    """The Prometheus of one environment.

    Args:
        server: the Prometheus.
        environment: name of the environment.
        platform: the platform as the environment sees it.
        plans: the models of the environment.
    """

    server: Prometheus
    environment: str
    platform: PlatformSpec
    plans: tuple[Plan, ...]

    def diagnoses(self) -> Iterator[Diagnosis]:
        """Yield everything that was looked at.

        Raises:
            HttpError: the server can't be queried.
        """
        for plan in self.plans:
            yield from self._pods(plan)
        if self.platform.monitoring.alerts is not None:
            yield self._rollouts()
            yield self._retention()

    def _pods(self, plan: Plan) -> Iterator[Diagnosis]:
        """Yield whether the pods of a model are scraped, and often enough."""
        identity, scope = plan.identity, self.environment
        name = f"{identity.team}/{identity.model}"
        pods = f"pod=~{quote(f'{identity.model}-[a-z0-9]+-[a-z0-9]+')}"
        series = f"up{{namespace={quote(identity.namespace)},{pods}}}"
        show = f"kubectl -n {identity.namespace} describe podmonitor {identity.model}"
        if not self.server.labels(f"group({series})"):
            yield lacks(scope, SCRAPING, f"no pod of {name} is a target: there is no series {series}", show)
        elif not self.server.labels(f"group({series} == 1)"):
            yield lacks(scope, SCRAPING, f"every scrape of the pods of {name} fails", show)
        else:
            yield fine(scope, f"the pods of {name} are scraped")
            yield from self._interval(plan, name, series)

    def _interval(self, plan: Plan, name: str, series: str) -> Iterator[Diagnosis]:
        declared = plan.prometheus.scrape_interval
        fewest = _FEWEST * _WINDOW_S / declared
        # A pod that started in the window has fewer samples.
        rare = f"count_over_time({series}[{_WINDOW_S}s]) < {fewest:g} and {series} offset {_WINDOW_S}s"
        if self.server.labels(f"group({rare})"):
            message = f"the pods of {name} are scraped less often than every {declared:g} s, as declared"
            command = "edit `prometheus.scrapeInterval` in specs/platform.yaml, then: sluice render"
            yield lacks(self.environment, INTERVAL, message, command, "specs/platform.yaml")

    def _rollouts(self) -> Diagnosis:
        source = self.platform.monitoring.rollouts
        series = f"rollout_info{{job={quote(source.job)}}}"
        if self.server.labels(f"group({series})"):
            return fine(self.environment, "the Rollouts controller is scraped")
        message = f"the metrics of the Rollouts controller are not scraped: there is no series {series}"
        command = f"kubectl -n {source.namespace} get servicemonitor,service"
        return lacks(self.environment, SCRAPING, message, command)

    def _retention(self) -> Diagnosis:
        flags = self.server.flags()
        show = "curl " + f"{self.server.endpoint.address}/api/v1/status/flags"
        if flags is None:
            return unknown(self.environment, "how long Prometheus keeps its data: it does not say", show)
        time, size = (flags.get(f"storage.tsdb.retention.{key}", "") for key in ("time", "size"))
        kept = seconds(time)
        if not kept:
            kept = _DEFAULT_S if size in {"", "0B"} else float("inf")
        if kept >= _RULES_S:
            return fine(self.environment, "Prometheus keeps its data for 31 days or more")
        message = f"Prometheus keeps its data for {kept / 86_400:g} days, and rules look back 30"
        return lacks(self.environment, RETENTION, message, "prometheus --storage.tsdb.retention.time=31d …")
