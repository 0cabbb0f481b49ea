"""The odds in the document of a plan, as typed records: those of guards, gates, cohorts and splits.

Shares are fractions, times are seconds.
"""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from generator.report.formats.json_schema import Keywords

Positive = Annotated[int, Keywords(minimum=1)]
Count = Annotated[int, Keywords(minimum=0)]
Share = Annotated[float, Keywords(minimum=0, maximum=1)]


class GuardOddsRecord(TypedDict):
    """The odds of one guard, as `generator.stats.odds.GuardOdds` has them."""

    name: Annotated[str, "The guard."]
    test: Annotated[str, "Its decision rule."]
    detect: Annotated[float, "Relative change it must catch; a drop is negative."]
    power: Annotated[Share, "Chance that a version with that change is rolled back."]
    power_by_step: Annotated[
        list[Annotated[Share, "By the end of one weight step."]], "In the order of steps."
    ]
    false_rollback: Annotated[Share, "Chance that a good version is rolled back."]
    detect_mean_s: Annotated[float | None, "Mean time to a rollback."]
    detect_p90_s: Annotated[float | None, "Time by which nine of ten rollbacks have happened."]
    exposed_mean: Annotated[float | None, "Mean requests that a bad version has answered by then."]
    exposed_if_missed: Annotated[float, "Requests it answers when nothing stops it."]
    lost_outcomes_mean: Annotated[float | None, "Mean good outcomes missed, or bad ones caused."]
    smallest_caught: Annotated[float | None, "Smallest change that is caught with the required power."]
    mde_at_power: Annotated[float | None, "Smallest change that a guard made for it would catch."]
    planned_requests: Annotated[list[float], "By the end of each weight step."]


class GateOddsRecord(TypedDict):
    """The odds of one gate."""

    name: Annotated[str, "The gate."]
    rows: Annotated[Positive, "Rows of its test set, or of each group."]
    passes_if_2_points_too_bad: Annotated[
        Share, "Chance to pass a model two points on the wrong side of the limit."
    ]
    fails_if_2_points_better: Annotated[
        Share, "Chance to fail a good one: two points on the right side, or fair."
    ]
    undecided_if_2_points_better: Annotated[
        Share, "Chance to leave a good one undecided, which blocks it too."
    ]


class GuardsOdds(TypedDict):
    """The odds of all guards."""

    guards: Annotated[
        list[Annotated[GuardOddsRecord, Keywords(additionalProperties=True)]],
        "Guards with odds; each test adds some keys.",
    ]
    unpriced: dict[str, Annotated[str, "Why."]]
    family_false_rollback: Annotated[
        float | None, "Chance that any guard rolls a good version back: expected."
    ]
    family_false_rollback_bound: Annotated[
        float | None, "The same: upper bound; null where a guard has no odds and promises nothing."
    ]
    planned_requests: NotRequired[Annotated[list[float], "By the end of each weight step; a canary has it."]]


class SplitOddsRecord(TypedDict):
    """The check of one step's split: whether the new version got its share of the requests."""

    step: Annotated[int | None, "Position of the step in the spec; null for the copies of a shadow."]
    weight: Annotated[float, "Share of live requests, in percent."]
    requests: Annotated[float | None, "Requests that it counts; null without declared traffic."]
    needed: Annotated[int, "Requests needed to notice a version that gets none."]
    false_pause: Annotated[Share, "Chance of stopping a correct split: expected."]
    false_pause_bound: Annotated[Share, "The same: upper bound."]
    caught: Annotated[
        float | None,
        "Chance of stopping a share 1.25 times too large or too small; null without declared traffic.",
    ]
    skipped: Annotated[str | None, "Why there is no check."]


class CohortOddsRecord(TypedDict):
    """One step with a cohort."""

    position: Annotated[int, "Position of the step in the spec."]
    header: str
    share: Annotated[float | None, "Share of all requests; null where the platform does not list the cohort."]
    requests: Annotated[float | None, "Requests of the cohort in the step; null where they are not known."]
    needed: Annotated[int, "Requests without which the release waits for a person."]
    false_pause: Annotated[float | None, "Chance that a good release waits; null where it is not known."]


class PastRecord(TypedDict):
    """How often these guards fired on two groups of pods of one version, from the calibration next to the spec."""

    windows: Annotated[Count, "Windows of the length of a rollout."]
    days: Annotated[Count, "Days with windows."]
    fired: Annotated[float, "Share of the windows in which a guard fired."]
    low: Annotated[float, "Lower end of its interval (95%)."]
    high: Annotated[float, "Upper end."]
    promised: Annotated[float, "Bound on false rollbacks when it was measured."]


class LateGuardRecord(TypedDict):
    """A guard that cannot fail before the release is promoted."""

    guard: Annotated[str, "The guard."]
    first_verdict_s: Annotated[
        float | None,
        "Time from the first measured step to its first verdict; null if no step gives it evidence.",
    ]
    promoted_s: Annotated[
        float | None, "Time from there to the promotion; null if a person decides how long that is."
    ]


class OddsRecord(GuardsOdds):
    """The odds of guards and gates."""

    too_late: Annotated[list[LateGuardRecord], "Guards that cannot fail before the release is promoted."]
    stable_against_stable: Annotated[
        PastRecord | None,
        "How often the guards fired in the past; null without a calibration of these guards.",
    ]
    gates: Annotated[list[GateOddsRecord], "Gates with odds."]
    cohorts: Annotated[list[CohortOddsRecord], "Steps with a cohort."]
    split: Annotated[
        list[SplitOddsRecord], "Checks of the split; empty without a router that splits requests."
    ]
