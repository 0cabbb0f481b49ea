"""The guard on predictions that take too long."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from generator.spec.guards.base import Counts, EventProfile, RouteGuard
from generator.spec.service import Outcome
from generator.spec.types import Duration, Percent


class SlowRateGuard(RouteGuard):
    """The share of predictions slower than a bound."""

    kind: ClassVar[str] = "slow-rate"
    tag: ClassVar[str] = "a slow-rate guard"
    key: ClassVar[tuple[str, str | None]] = ("metric", "slow-rate")
    metric: Literal["slow-rate"] = Field(description="share of requests slower than `slowerThan`")
    slower_than: Duration = Field(
        description="the bound; it becomes a bucket of the latency histogram", examples=["250ms"]
    )
    baseline: Percent | None = Field(
        None, description="share of the stable version; used for the odds", examples=["2%"]
    )

    @property
    def subject(self) -> str:
        """The metric."""
        return self.metric

    def counts(self) -> Counts:
        """Return the requests outside a bucket of the histogram (exact; no interpolation). All response codes count."""
        histogram = "bentoml_service_request_duration_seconds"
        return Counts(
            "server",
            f"{histogram}_count",
            f"{histogram}_bucket",
            bucket_s=self.slower_than,
            complement=True,
            endpoint=self.endpoint or "",
        )

    def profile(self, outcomes: Mapping[str, Outcome]) -> EventProfile:
        """Return bad events at the declared rate."""
        del outcomes
        return EventProfile(self.baseline)
