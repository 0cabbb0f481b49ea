"""The calibration next to a spec: what the model's own history says about its traffic and its guards."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from generator.spec.record import Record
from generator.spec.types import Line


class Estimate(Record):
    """A value with its interval (95%, from resampled days)."""

    model_config = ConfigDict(alias_generator=None)
    value: float = Field(description="the value")
    low: float = Field(description="lower end")
    high: float = Field(description="upper end")


class MeasuredGuard(Record):
    """What the history says about the events of one guard."""

    model_config = ConfigDict(alias_generator=None)
    baseline: Estimate | None = Field(None, description="events per request")
    delay_s: Estimate | None = Field(None, description="mean seconds from a request to its event")
    design_effect: Estimate | None = Field(
        None, description="variance of the counts per pod over that of independent requests"
    )


class Fired(Record):
    """How often the guards fired, stable against stable."""

    model_config = ConfigDict(alias_generator=None)
    design_effect: float = Field(ge=1, description="what the evidence was divided by")
    share: Estimate = Field(description="share of the windows in which a guard fired")


class StableAgainstStable(Record):
    """The guards of a spec on two groups of pods of one version, over windows of the past."""

    model_config = ConfigDict(alias_generator=None)
    guards: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="digest of the steps and guards that were tried"
    )
    windows: int = Field(ge=1, description="windows of the length of a rollout")
    days: int = Field(ge=1, description="days with windows")
    promised: float = Field(description="bound on false rollbacks that the guards promise")
    fired: list[Fired] = Field(min_length=1, description="for each design effect that was tried")


class CalibrationFile(Record):
    """The history of one model in one environment, as `sluice calibrate` measured it."""

    model_config = ConfigDict(alias_generator=None)
    schema_: Literal["sluice/calibration/v1"] = Field(alias="schema", description="version of this format")
    model: Line = Field(description="team and model", examples=["shop/recommender"])
    environment: Line = Field(description="the environment whose history it is")
    start: Line = Field(description="start of the history (RFC 3339)")
    end: Line = Field(description="its end")
    off_peak_rps: float | None = Field(
        None, description="requests per second in the quietest hour of the week"
    )
    hours: list[float] = Field(
        [], description="median requests per second by hour of the week, from Monday 00:00 UTC"
    )
    pod_rps: Estimate | None = Field(
        None, description="requests per second of a pod: mean, 5% and 95% quantiles"
    )
    requests_per_user: Estimate | None = Field(
        None, description="design effect if all requests of a user have the same outcome"
    )
    guards: dict[Line, MeasuredGuard] = Field({}, description="by name of the guard")
    stable_against_stable: StableAgainstStable | None = Field(
        None, description="how often the guards fired without any change"
    )
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="SHA-256 of the canonical JSON of everything else"
    )
