"""The documents of `status`, `audit`, `track-record`, `design` and `replay`, as typed records.

Keys change only with the version of the schema. Times are seconds or RFC 3339 in UTC, shares fractions, weights whole
percent.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from generator.report.formats.findings_json import Count


class GitState(TypedDict):
    """The version in git."""

    version: str
    digest: str
    image: str
    gates: Annotated[dict[str, str], "Verdicts of the evidence, by gate."]


class SyncState(TypedDict):
    """The Application in Argo CD."""

    sync: str
    health: str
    revision: str
    error: Annotated[str, "Empty for none."]


class RunningVersion(TypedDict):
    """A version in the cluster; empty when unknown."""

    version: str
    digest: str


class Verdict(TypedDict):
    """The last verdict of one metric."""

    metric: str
    phase: str
    value: str
    message: str
    run: Annotated[str, "The AnalysisRun."]


class RolloutState(TypedDict):
    """The Rollout."""

    phase: str
    message: str
    step: Annotated[int | None, "Index of the current step."]
    steps: Count
    weight: Annotated[int | None, "Percent of live traffic to the new version."]
    aborted: bool
    pauses: list[str]
    stable: RunningVersion
    wanted: RunningVersion
    verdicts: list[Verdict]


class PromotionState(TypedDict):
    """What the environment waits for, where it requires others."""

    standing: str
    key: Annotated[str, "Of the release of the spec."]
    kept: Annotated[str | None, "Key of the release that the environment keeps."]
    since: str | None
    lacks: list[str]


class NextCommand(TypedDict):
    """What a person can do."""

    what: str
    command: str


class ModelState(TypedDict):
    """One model in one environment; `argocd` and `cluster` are null without --cluster, and if there is none."""

    model: str
    environment: str
    git: GitState
    argocd: SyncState | None
    cluster: RolloutState | None
    promotion: PromotionState
    differs: Annotated[str, "How the cluster differs from git; empty if it does not."]
    commands: list[NextCommand]


class StatusDocument(TypedDict):
    """The document of `sluice status`."""

    schema: Literal["sluice/status/v1"]
    models: list[ModelState]


class AuditCommit(TypedDict):
    """One commit."""

    commit: str
    at: str
    author: str
    committer: str
    subject: str


class AuditGate(TypedDict):
    """The verdict of one gate."""

    gate: str
    verdict: str
    reason: str


class AuditSignature(TypedDict):
    """One signature."""

    document: str
    by: str
    role: str
    form: str


class AuditWaiver(TypedDict):
    """One waiver."""

    gate: str
    reason: str
    approvedBy: str
    until: str


class AuditPromotion(TypedDict):
    """The time of a release in an environment that requires others."""

    environment: str
    releaseKey: str
    since: str
    until: str | None
    how: str


class AuditRecord(TypedDict):
    """A recorded release."""

    environment: str
    releaseKey: str
    verdict: str
    end: str


class AuditRelease(TypedDict):
    """One version in git."""

    model: str
    version: str
    digest: str
    resolved: str
    image: str | None
    since: str
    until: Annotated[str | None, "Null for the newest."]
    environments: list[str]
    change: AuditCommit
    merged: list[AuditCommit]
    later: list[AuditCommit]
    approvals: list[str]
    approvalRoles: list[str]
    evidence: list[AuditGate]
    evidenceFits: Annotated[bool | None, "Whether the evidence is about this digest; null without evidence."]
    signatures: list[AuditSignature]
    waivers: list[AuditWaiver]
    promoted: list[AuditPromotion]
    recorded: list[AuditRecord]


class AuditDocument(TypedDict):
    """The document of `sluice audit`."""

    schema: Literal["sluice/audit/v1"]
    releases: list[AuditRelease]


class RateRecord(TypedDict):
    """How often something was seen, and how often it was promised."""

    count: Count
    among: Count
    promised: float | None
    seen: float | None
    low: float | None
    high: float | None


class FalseRollbacks(RateRecord):
    """Aborts of good versions."""

    broken: bool


class HarmRates(RateRecord):
    """Bad versions that were stopped."""

    got_through: Count
    got_through_exposed: float | None
    doubted: bool


class TrackRecordGroup(TypedDict):
    """The releases of a platform, a team, a model, a tier or a guard."""

    kind: str
    label: str
    releases: Count
    aborted: Count
    aborted_by_hand: Count
    taken_back_without_record: Count
    false_rollbacks: FalseRollbacks
    harms: HarmRates
    rollback_mean_s: float | None
    rollback_p90_s: float | None
    exposed_mean: float | None
    exposed_most: float | None
    exposed_promised: float | None
    steps_s: float
    promotions: Count
    waited_s: float


class TrackRecordDocument(TypedDict):
    """The document of `sluice track-record`."""

    schema: Literal["sluice/track-record/v1"]
    untrusted_records: Count
    groups: list[TrackRecordGroup]


class DesignDocument(TypedDict):
    """The document of `sluice design`."""

    schema: Literal["sluice/design/v1"]
    model: str
    environment: str
    accepted: Annotated[
        dict[str, Any], "What the team accepts: power, longest_s, max_exposed, goal, false_rollback."
    ]
    by_hand: Annotated[dict[str, Any], "The written steps and their odds."]
    designed: Annotated[dict[str, Any] | None, "The best schedule; null if none keeps what is accepted."]
    better: bool
    shortest: Annotated[
        dict[str, Any] | None, "The shortest schedule, if none keeps what is accepted in that time."
    ]
    diff: Annotated[str, "The change of the spec; empty if the written steps are as good."]


class ReplayDocument(TypedDict):
    """The document of `sluice replay`: of a recording, or of a simulation."""

    schema: Literal["sluice/replay/v1"]
    model: str
    environment: str
    skipped: Annotated[list[str], "What could not be replayed."]
    outcome: NotRequired[Annotated[Literal["aborted", "paused", "promoted", "undecided"], "Of a recording."]]
    at_s: NotRequired[float]
    guard: NotRequired[str | None]
    reason: NotRequired[str]
    step: NotRequired[int | None]
    exposed: NotRequired[float | None]
    weights: NotRequired[list[dict[str, Any]]]
    looks: NotRequired[list[dict[str, Any]]]
    scenario: NotRequired[Annotated[str, "Of a simulation."]]
    runs: NotRequired[Count]
    seed: NotRequired[int]
    outcomes: NotRequired[dict[str, Any]]
    whole: NotRequired[dict[str, Any]]
    guards: NotRequired[list[dict[str, Any]]]
