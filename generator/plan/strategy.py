"""How a plan releases: steps or a switch, and the guards that judge them.

Shares are fractions, times seconds, weights whole percentages of live traffic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from generator.spec.guards.base import Counts

NoDataPolicy = Literal["fail", "pause", "pass"]


@dataclass(frozen=True, slots=True)
class Cohort:
    """Requests with a header; `match` is exact, prefix or regex."""

    header: str
    match: Literal["exact", "prefix", "regex"]
    value: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a canary: a weight or a cohort with its hold, or an approval."""

    weight: int | None = None
    hold_s: float = 0.0
    cohort: Cohort | None = None
    approve: str | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """A judgement during the rollout.

    Args:
        name: name of the metric in the AnalysisTemplate.
        kind: what is watched.
        subject: outcome, or the metric's own name, or the fairness measure.
        counts: the two counters of a ratio; None for a fairness guard.
        ratio: smallest event ratio canary/stable to detect (0.9 for a drop of 10 %); None for an absolute bound.
        limit: absolute bound; None for a comparison with stable.
        at_most: whether the bound is an upper one.
        baseline: events per request of the stable version; None when nobody declared it.
        delay_s: mean delay of the event behind the request.
        bound_s: latency bound of a slow-rate guard.
        attributes: sensitive attributes with their declared values.
        no_data: what missing data means.
        alpha: chance of a false rollback that this guard may spend.
        mask_s: look-back of the mask of a comparison whose outcomes are late, or held back at first; 0: no mask.
        index: position among the spec's guards; findings point there.
    """

    name: str
    kind: str
    subject: str
    counts: Counts | None
    ratio: float | None
    limit: float | None
    at_most: bool
    baseline: float | None
    delay_s: float
    bound_s: float
    attributes: tuple[tuple[str, tuple[str, ...]], ...]
    no_data: NoDataPolicy
    alpha: float
    mask_s: float
    index: int


@dataclass(frozen=True, slots=True)
class Risk:
    """What the team accepts: chances as fractions, `max_exposed` in requests."""

    false_rollback: float
    power: float
    max_exposed: int | None


@dataclass(frozen=True, slots=True)
class Shadow:
    """Copied requests before the first step."""

    percent: float
    hold_s: float
    guards: tuple[Guard, ...]


@dataclass(frozen=True, slots=True)
class Canary:
    """A growing share of live traffic."""

    steps: tuple[Step, ...]
    guards: tuple[Guard, ...]
    shadow: Shadow | None
    risk: Risk
    no_data: NoDataPolicy
    strategy: Literal["canary"] = "canary"

    @property
    def weights(self) -> tuple[int, ...]:
        """Weights in order, approvals and cohorts left out."""
        return tuple(step.weight for step in self.steps if step.weight is not None)

    @property
    def shadow_guards(self) -> tuple[Guard, ...]:
        """Guards that judge the shadow; none without one."""
        return self.shadow.guards if self.shadow else ()


@dataclass(frozen=True, slots=True)
class BlueGreen:
    """All traffic at once, after a look."""

    approve: str
    preview_replicas: int
    guards: tuple[Guard, ...]
    watch_s: float
    risk: Risk
    no_data: NoDataPolicy
    strategy: Literal["blue-green"] = "blue-green"

    @property
    def shadow_guards(self) -> tuple[Guard, ...]:
        """None: only a canary has a shadow."""
        return ()
