"""The document of a diff for programs, as typed records: `sluice/diff/v1`; see `generator.report.records`."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypedDict

from generator.plan.describe import Topic
from generator.report.diffs import shared
from generator.report.odds_records import Count

DIFF: Final = "sluice/diff/v1"

Status = Literal["added", "removed", "changed", "unreadable"]


class ChangeRecord(TypedDict):
    """One difference."""

    topic: Topic
    item: Annotated[str, "Which one of several; empty where there is one."]
    field: Annotated[str, "Name of the value; empty where a whole item was added or removed."]
    old: Annotated[str | None, "Null when there was none."]
    new: Annotated[str | None, "Null when there is none any more."]
    direction: Annotated[Literal["looser", "stricter"] | None, "Null where it is neither."]
    applies: Annotated[
        Literal["release", "at once", "rules"] | None,
        "With a release, at once for everybody, or as a rule of the next releases.",
    ]


class CaughtRecord(TypedDict):
    """What the guards of one plan do to a harm; null without odds."""

    share: Annotated[float | None, "Probability that the version is stopped before the end."]
    first_step: Annotated[float | None, "The same by the end of the first step."]
    exposed: Annotated[float | None, "Mean number of requests that it answers, also where it is missed."]


class HarmRecord(TypedDict):
    """A harm whose guards differ."""

    guard: str
    change: Annotated[str, "The change for the worse, at the stricter of two thresholds."]
    lost: Annotated[bool, "The newer plan has no guard against it."]
    old: CaughtRecord
    new: CaughtRecord


class KeyMetricsRecord(TypedDict):
    """The key metrics of one plan."""

    planned_s: float | None
    approvals: list[str]
    power: float | None
    power_first_step: float | None
    false_rollback: float | None
    exposed: float | None
    pods_peak: Count
    monthly: float | None
    currency: str
    gates: Count
    waived: Count


class Numbers(TypedDict):
    """The key metrics before and now."""

    old: KeyMetricsRecord | None
    new: KeyMetricsRecord | None


class DifferenceRecord(TypedDict):
    """One plan that differs."""

    team: str
    model: str
    environment: str | None
    status: Status
    reason: Annotated[str | None, "Why one side can't be planned."]
    starts_release: Annotated[bool, "Whether the pods change, so that a release starts."]
    held: Annotated[
        str | None, "What the environment waits for, if it keeps another release or has none yet."
    ]
    changes: list[ChangeRecord]
    harms: Annotated[list[HarmRecord], "Harms whose guards differ, those without a guard now first."]
    numbers: Annotated[Numbers, "Odds of both sides are for the harms that either guards against."]


class SharedRecord(TypedDict):
    """One bundle of no model that differs."""

    environment: str
    team: Annotated[str | None, "Null for the platform's own."]
    kind: str
    status: shared.Status
    files: list[str]


class PolicyRecord(TypedDict):
    """One rule of the platform that differs."""

    key: str
    old: Annotated[str | None, "As written; null for none."]
    new: Annotated[str | None, "As written; null for none."]
    direction: Annotated[Literal["looser", "stricter"] | None, "Null where it is neither."]


class GroupRecord(TypedDict):
    """One difference that several plans share."""

    what: str
    how: str
    direction: Annotated[Literal["looser", "stricter"] | None, "Null where it is neither."]
    models: list[str]
    environments: list[str]


class DiffDocument(TypedDict):
    """The document of `sluice diff --format json`."""

    schema: Literal["sluice/diff/v1"]
    against: dict[str, str]
    models: Annotated[Count, "Models there are now."]
    environments: Annotated[Count, "Environments there are now."]
    bundles_changed: Count
    templates: Annotated[list[str], "The repository's own templates that differ."]
    shared_bundles: Annotated[
        Count, "Bundles that belong to no model there are now; 0 where they were not compared."
    ]
    shared_bundles_changed: Count
    shared: Annotated[list[SharedRecord], "Those that differ."]
    policies: Annotated[
        list[PolicyRecord], "Rules of the platform that differ: ceilings, requirements, exemptions."
    ]
    groups: Annotated[list[GroupRecord], "Equal differences listed once, the widest first."]
    differences: list[DifferenceRecord]
