"""The document of a plan for programs, as typed records: `sluice/plan/v1`.

What builds a document is checked against these types, and its JSON Schema is generated from them. Keys change only with
the version of the document. Shares are fractions, times are seconds.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NotRequired, TypedDict

from generator.gates.gate_status import State
from generator.plan.layers import Source
from generator.plan.promotion import Standing
from generator.plan.timeline import EventKind
from generator.report.formats.json_schema import Keywords
from generator.report.odds_records import Count, OddsRecord, Positive, Share
from generator.routers import ROUTERS
from generator.spec.guards import KINDS
from generator.spec.guards.base import NoDataPolicy

PLAN: Final = "sluice/plan/v1"

Time = Annotated[float, Keywords(minimum=0)]
Stage = Literal["shadow", "canary", "watch"]


class Version(TypedDict):
    """The version of the model."""

    ref: Annotated[str, "The reference in the spec."]
    resolved: Annotated[str, "What the lock resolves it to."]
    label: Annotated[str, "Version of the model."]
    digest: Annotated[str, "Digest of the model's files."]


class Image(TypedDict):
    """The image of the pods."""

    reference: Annotated[str, "The image of the pods."]
    by_digest: bool


class Pods(TypedDict):
    """Numbers of pods."""

    least: Annotated[Positive, "Smallest number of pods of the stable version."]
    most: Annotated[Positive, "Largest number of pods of the stable version."]
    peak: Annotated[Positive, "Largest number of pods at once during the release."]


class Release(TypedDict):
    """What is released."""

    team: Annotated[str, "The team."]
    model: Annotated[str, "The model."]
    environment: Annotated[str, "The environment."]
    tier: Annotated[str, "The tier."]
    owner: Annotated[str, "The owner, to contact."]
    namespace: Annotated[str, "Namespace of the pods."]
    namespaces: Annotated[Literal["managed", "adopt"], "adopt: the namespace has pods of others."]
    namespaces_origin: Annotated[str, "Where that was decided."]
    version: Version
    image: Image
    release_key: Annotated[str, "Digest of what runs; equal where the same thing runs."]
    standing: Annotated[
        Standing,
        "What the environment does with the release. free: it requires nothing; waiting: nothing was promoted yet; "
        "held: it keeps another one; promoted: it takes this one.",
    ]
    promotion: Annotated[
        str | None, "The same in words, with dates; null where the environment requires nothing."
    ]
    router: Annotated[str, Keywords(enum=list(ROUTERS))]
    hosts: Annotated[list[str], "Host names of live requests."]
    strategy: Literal["canary", "blue-green"]
    pods: Pods
    autoscaler: Annotated[
        str | None, "What the autoscaler does with the canary's pods; null if none counts them."
    ]
    bundle: Annotated[str, "Folder below `rendered/`."]


class TimelineEvent(TypedDict):
    """One event of a release."""

    kind: EventKind
    text: Annotated[str, "What happens, for people."]
    start_s: Annotated[Time | None, "Seconds since `after`; null before the clock starts."]
    end_s: Annotated[Time | None, "Seconds since `after`; null when it depends on a person."]
    after: Annotated[str, "The approval that the seconds count from; empty for the start."]
    stops: Annotated[list[str], "Guards and people that can stop it."]
    step: Annotated[Count | None, "Position among the spec's steps."]
    weight: Annotated[Share | None, "Share of live requests; null where it does not change."]
    load: Annotated[
        list[float] | None,
        "Smallest and largest load of a canary pod over that of a stable pod; null where no requests are split.",
    ]


class TimelineRecord(TypedDict):
    """All events of a release."""

    planned_s: Annotated[Time, "All planned waiting, without approvals."]
    approvals: Annotated[list[str], "Roles that it waits for, however long they take."]
    events: Annotated[list[TimelineEvent], "In order."]


class RiskRecord(TypedDict):
    """The risk that the team accepts."""

    false_rollback: Annotated[float, "Accepted chance to roll back a good version."]
    power: Annotated[float, "Required chance to catch a bad version."]
    max_exposed: Annotated[int | None, "Requests that a bad version may answer, on average."]


class GuardRecord(TypedDict):
    """One guard."""

    name: Annotated[str, "The guard."]
    stage: Stage
    kind: Annotated[str, Keywords(enum=sorted(KINDS))]
    subject: Annotated[str, "What it watches."]
    ratio: Annotated[
        float | None, "Event ratio to detect, new to stable version; null for an absolute bound."
    ]
    limit: Annotated[float | None, "Absolute bound; null for a comparison."]
    at_most: Annotated[bool, "Whether the bound is an upper one."]
    baseline: Annotated[float | None, "Events per request of the stable version."]
    delay_s: Annotated[float, "Mean delay of the event."]
    bound_s: Annotated[float | None, "Latency bound."]
    alpha: Annotated[float | None, "Its share of the chance of a false rollback."]
    attributes: dict[str, Annotated[list[str], "Declared values."]]
    no_data: NoDataPolicy


class Guards(TypedDict):
    """The guards and the accepted risk."""

    risk: RiskRecord
    guards: Annotated[list[GuardRecord], "In the spec's order."]


class Resources(TypedDict):
    """The resources of a model's pods."""

    pods: Annotated[Positive, "Number of pods."]
    cpu: Annotated[float, "Cores."]
    memory: Annotated[Positive, "Bytes."]
    gpu: Annotated[Count, "Devices."]


class Needs(TypedDict):
    """Resources by size."""

    usual: Resources
    scaled_up: Resources
    during_a_release: Resources


class Cost(TypedDict):
    """Cost and capacity."""

    needs: Needs
    monthly: Annotated[dict[str, float] | None, "By size."]
    per_release: Annotated[float | None, "In the prices' currency; null without prices."]
    currency: Annotated[str | None, "ISO 4217."]
    budget: Annotated[float | None, "Of the team, per month."]
    quota: Annotated[dict[str, Any] | None, "Of the team, in one environment."]


class WaiverRecord(TypedDict):
    """A waived gate."""

    gate: Annotated[str, "The gate."]
    reason: Annotated[str, "Why."]
    approved_by: Annotated[str, "Role."]
    until: Annotated[str, "Last day."]
    kind: Annotated[str | None, "Kind of the gate that it was given for."]
    configuration: Annotated[str | None, "Digest of the configuration that it was given for."]
    digest: Annotated[str | None, "Digest of the model version that it was given for."]


class GateRecord(TypedDict):
    """One gate and its evidence."""

    name: Annotated[str, "The gate."]
    kind: Annotated[str, "What it checks."]
    tool: Annotated[str, "What computes it."]
    config: Annotated[dict[str, Any], "What its key covers."]
    waiver: WaiverRecord | None
    state: Annotated[State, "The verdict of the evidence next to the spec, or why there is none that counts."]
    reason: Annotated[str, "Why, in one sentence."]
    judged_at: Annotated[str | None, "RFC 3339, UTC; null when it has not run."]


class SignatureRecord(TypedDict):
    """A valid signature of a document."""

    document: Annotated[str, "evidence or lock."]
    by: Annotated[str, "Name of the signer in the platform."]
    role: Annotated[str, "Role of the signer."]
    form: Annotated[str, "ssh, dsse or sigstore."]


class Gates(TypedDict):
    """All gates."""

    key: Annotated[str, "SHA-256 of model, data, configuration and gate image."]
    enforced: Annotated[list[str], "Where: git, cluster."]
    gates: Annotated[list[GateRecord], "In the spec's order."]
    signed: Annotated[
        list[SignatureRecord], "Who signed evidence and lock; none if the platform has no signers."
    ]


class AbortRecord(TypedDict):
    """What an abort does at one stage."""

    stage: Annotated[str, "When."]
    effects: Annotated[list[str], "What happens, in order."]


class GapRecord(TypedDict):
    """Something that the plan does not cover."""

    topic: Annotated[str, "A stable word for programs."]
    text: Annotated[str, "For people."]


class PowerRecord(TypedDict):
    """An action that a person may take."""

    who: Annotated[str, "Who."]
    may: Annotated[str, "What."]
    how: Annotated[str, "By what means."]


class ValueRecord(TypedDict):
    """One value of the spec and its origin."""

    path: Annotated[str, "Key path in the spec."]
    value: Annotated[Any, "Shares are fractions, times are seconds."]
    written: Annotated[Any, "As the file has it."]
    source: Annotated[Source, "Who decided."]
    file: Annotated[str | None, "File that has it; null for a default."]
    line: Annotated[Positive | None, "1-based line."]


class PlanRecord(TypedDict):
    """The plan of one model in one environment."""

    release: Release
    timeline: TimelineRecord
    guards: Guards
    odds: OddsRecord
    cost: Cost
    gates: Gates
    abort: Annotated[list[AbortRecord], "By stage."]
    not_covered: Annotated[list[GapRecord], "What nothing watches."]
    powers: Annotated[list[PowerRecord], "Who may do what."]
    values: Annotated[list[ValueRecord], "Every value of the spec, and who decided it."]


class EffectRecord(TypedDict):
    """One effect on what is in the cluster already."""

    namespace: Annotated[str, "Where; empty for the whole cluster."]
    text: Annotated[str, "What happens, and to what."]


class FirstSync(TypedDict):
    """What a first sync does to what is in a cluster already."""

    environment: Annotated[str, "The environment."]
    cluster: Annotated[str, "The address of its API server."]
    effects: Annotated[list[EffectRecord], "Empty when it only adds objects."]
    unplanned: Annotated[list[str], "Models that can't be planned, whose objects were not compared."]


class PlanDocument(TypedDict):
    """The document of `sluice plan --format json`."""

    schema: Annotated[Literal["sluice/plan/v1"], "The version of this document."]
    plans: Annotated[list[PlanRecord], "One for each environment, in the platform's order."]
    first_sync: NotRequired[
        Annotated[FirstSync, "With --cluster: what a first sync does to what is in the cluster already."]
    ]
    diff: NotRequired[Annotated[dict[str, Any], "With --against: what differs, as in sluice/diff/v1."]]
