"""A container that the team already has: its image, its port, its probes, and the counters that it exports."""

from typing import Annotated, Any

from pydantic import Field

from generator.spec.record import Record
from generator.spec.types import Key, Line

_Image = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9.-]+(?::[0-9]{1,5})?/[a-z0-9][a-z0-9._/-]{0,200}"
        r"(?:@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})$"
    ),
]
HttpPath = Annotated[str, Field(pattern=r"^/[A-Za-z0-9._~/-]{0,200}$")]
_Metric = Annotated[str, Field(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]{0,120}$")]
_Label = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,60}$")]


class Exported(Record):
    """Series that the container exports."""

    metric: _Metric = Field(description="name of the metric", examples=["http_requests_total"])
    labels: dict[_Label, Line] = Field(
        {}, description="labels that select the series of the predictions", examples=[{"handler": "/score"}]
    )


class Errors(Record):
    """How the counter of requests shows that a request failed."""

    label: _Label = Field(
        "code",
        description="label with the HTTP status, as 200, or its class, as 2xx; anything but 2 is an error",
    )


class ContainerMetrics(Record):
    """What the container exports, under its own names; the scrape gives it the names of every model."""

    path: HttpPath = Field("/metrics", description="where Prometheus reads them")
    requests: Exported = Field(description="counter of all requests for predictions, failed ones included")
    errors: Errors = Field(Errors.model_construct(), description="which of these requests failed")
    latency: Exported | None = Field(
        None,
        description="histogram of their times in seconds, named without _bucket; guards on latency need it",
    )
    outcomes: dict[Key, Exported] = Field(
        {}, description="counter of each outcome, in the pod that predicted; guards on outcomes need it"
    )


class Probes(Record):
    """Paths that answer 200."""

    ready: HttpPath = Field("/readyz", description="200 when the model is loaded")
    live: HttpPath | None = Field(
        None, description="200 while the process works; default: the one of `ready`"
    )
    port: int | None = Field(
        None, ge=1024, le=65535, description="port of the probes; default: that of the predictions"
    )


class ServedContainer(Record):
    """A container that serves the model, and is released as it is."""

    image: _Image = Field(
        description="its image with a tag, which the lock pins by digest",
        examples=["registry.example.com/shop/ranker:2026-11-01"],
    )
    port: int = Field(8080, ge=1024, le=65535, description="port of predictions and metrics")
    path: HttpPath = Field("/predict", description="path of the predictions", examples=["/score"])
    user: int = Field(1000, ge=1, le=2_000_000_000, description="number of the user that it runs as")
    probes: Probes = Field(Probes.model_construct(), description="its probes")
    metrics: ContainerMetrics = Field(description="what it exports")
    example: dict[str, Any] | None = Field(
        None, description="JSON body of a request that it answers; smoke tests and `sluice try` send it"
    )
