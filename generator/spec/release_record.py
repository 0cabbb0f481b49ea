"""The record of a release: what one Rollout did with one release key in one environment.

Its digest reveals accidents and careless edits; only a signature stops a determined forger.
"""

from typing import Annotated, Literal

from pydantic import Field

from generator.spec.evidence import Time
from generator.spec.record import Record
from generator.spec.types import Digest, Line

RecordVerdict = Literal["passed", "weak", "aborted", "inconclusive"]
RunVerdict = Literal["Successful", "Failed", "Error", "Inconclusive"]
Key = Annotated[str, Field(pattern=r"^(?:sha256:[0-9a-f]{64})?$")]
Count = Annotated[int, Field(ge=0, le=10**15)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class RecordSubject(Record):
    """What was released."""

    model: Line = Field(description="team/model", examples=["risk/fraud"])
    environment: Line = Field(description="where it was released", examples=["staging"])
    version: Line = Field(description="version of the model")
    release_key: Key = Field(description="release key of the pods; empty if they have none")
    model_digest: Digest = Field(description="digest of the model's files")
    image: Line = Field(description="image of the model's container")
    bundle: Line = Field(description="hash of the bundle that was applied (`sluice.dev/bundle`)")


class RecordedRollout(Record):
    """The Rollout, and the revision that the record is about."""

    namespace: Line = Field(description="its namespace")
    name: Line = Field(description="its name")
    uid: Line = Field(description="its uid: another one is another Rollout of the same name")
    revision: Annotated[int, Field(ge=1, le=10**9)] = Field(description="its revision, from 1")
    pod_hash: Line = Field(description="hash of the pod template")


class RecordedMetric(Record):
    """What one metric of an AnalysisRun measured."""

    name: Line = Field(description="the metric: a guard, or a check of a step")
    verdict: RunVerdict = Field(description="its verdict")
    successful: Count = Field(description="measurements that met the condition")
    failed: Count = Field(description="measurements that did not")
    inconclusive: Count = Field(description="measurements that decided nothing")
    errors: Count = Field(description="measurements without an answer")
    last: Annotated[str, Field(max_length=500)] = Field(
        description="the last value, as the controller prints it; empty without one"
    )

    @property
    def measurements(self) -> int:
        """Measurements that had an answer."""
        return self.successful + self.failed + self.inconclusive


class RecordedRun(Record):
    """One AnalysisRun of the revision."""

    name: Line = Field(description="its name")
    kind: Literal["background", "step", "prePromotion", "postPromotion"] = Field(
        description="what started it"
    )
    step: Annotated[int, Field(ge=0, le=1000)] | None = Field(
        description="index of its step in the Rollout, from 0; null for other kinds"
    )
    verdict: RunVerdict = Field(description="its verdict")
    start: Time = Field(description="when it started (RFC 3339, UTC)")
    metrics: list[RecordedMetric] = Field(description="its metrics, by name")


class RecordedSteps(Record):
    """The steps of the Rollout."""

    planned: Count = Field(description="number of steps")
    skipped: list[Count] = Field(description="indexes of steps that were skipped, or cut short, by hand")
    promote_full: bool = Field(description="the rest of the steps was skipped at once (`promote --full`)")


class RecordedTraffic(Record):
    """The requests of one weight step."""

    weight: Annotated[int, Field(ge=1, le=100)] = Field(description="weight of the new version in percent")
    seconds: Annotated[float, Field(ge=0, le=10**8, allow_inf_nan=False)] = Field(
        description="how long it had this weight"
    )
    canary: Count | None = Field(description="requests to the new version; null if nothing counted them")
    stable: Count | None = Field(description="requests to the stable version, by the weight; null if unknown")


class RecordedPower(Record):
    """The chance that a harmful version would have been stopped."""

    seen: Share | None = Field(
        description="with the traffic that came, the smallest among the guards; null if it can't be computed"
    )
    by_guard: dict[Line, Share] = Field(description="with the traffic that came, by guard")
    promised: dict[Line, Line] = Field(description="what the plan promised, by guard")
    least: Share = Field(description="power below which the release counts as weak")
    unknown: Annotated[str, Field(max_length=500)] = Field(description="why it can't be computed; else empty")


class RecordedPause(Record):
    """A step that waited for a person."""

    step: Count = Field(description="index of the step in the Rollout, from 0")
    by: Annotated[str, Field(max_length=200)] = Field(
        description="the client that wrote to the Rollout last, as far as the cluster knows; clusters keep no person"
    )


class RecordFile(Record):
    """The record of one release."""

    schema_: Literal["sluice/record/v1"] = Field(alias="schema", description="version of this format")
    subject: RecordSubject = Field(description="what was released")
    rollout: RecordedRollout = Field(description="the Rollout and its revision")
    verdict: RecordVerdict = Field(description="the verdict; it follows from the rest")
    reasons: list[Line] = Field(description="why it is not passed")
    phase: Line = Field(description="phase of the Rollout: Healthy, or Degraded after an abort")
    aborted: bool = Field(description="it was aborted")
    current: bool = Field(
        description="the revision was the newest one and served all requests when this was written"
    )
    first_release: bool = Field(description="there was no version to compare with")
    start: Time | None = Field(description="start of the first AnalysisRun (RFC 3339, UTC); null without one")
    end: Time = Field(description="when it was completed or aborted")
    steps: RecordedSteps = Field(description="the steps")
    runs: list[RecordedRun] = Field(description="the AnalysisRuns of the revision, in order of time")
    traffic: list[RecordedTraffic] = Field(description="the requests, by weight step")
    power: RecordedPower = Field(description="the chance that a harmful version would have been stopped")
    exposed: Count | None = Field(
        description="requests that the new version served up to the last check; null if unknown"
    )
    promised: dict[Line, Line] = Field(
        description="other odds in the plan: false rollbacks, exposed requests"
    )
    waivers: dict[Line, Line] = Field(description="waivers in force, by gate")
    pauses: list[RecordedPause] = Field(description="steps that waited for a person")
    controllers: dict[Line, Line] = Field(
        description="versions of the controllers, as the platform declares them"
    )
    sluice: Line = Field(description="version of Sluice that wrote this")
    digest: Digest = Field(description="digest of this document without this key, as canonical JSON")
