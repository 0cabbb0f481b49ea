"""The guard on predictions that fail."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from generator.spec.guards.base import Counts, EventProfile, RouteGuard
from generator.spec.service import Outcome
from generator.spec.types import Percent


class ErrorRateGuard(RouteGuard):
    """The share of predictions that failed."""

    kind: ClassVar[str] = "error-rate"
    tag: ClassVar[str] = "an error-rate guard"
    key: ClassVar[tuple[str, str | None]] = ("metric", "error-rate")
    metric: Literal["error-rate"] = Field(description="share of requests that were not answered with 2xx")
    baseline: Percent | None = Field(
        None, description="share of the stable version; used for the odds", examples=["0.5%"]
    )

    @property
    def subject(self) -> str:
        """The metric."""
        return self.metric

    def counts(self) -> Counts:
        """Return the requests that were not answered with 2xx.

        Not only 5xx: a version that broke its input contract answers 400 to everything, without a single 5xx. Client
        errors affect both arms alike, and the comparison with stable ignores common effects. BentoML creates the
        series of 400, 429, 503 and 504 at their first use, so a pod's first scrape with such a code is not counted.
        """
        metric = "bentoml_service_request_total"
        return Counts(
            "server", metric, metric, (("http_response_code", "!~", "2.."),), endpoint=self.endpoint or ""
        )

    def profile(self, outcomes: Mapping[str, Outcome]) -> EventProfile:
        """Return bad events at the declared rate."""
        del outcomes
        return EventProfile(self.baseline)
