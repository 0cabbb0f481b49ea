"""The contexts of rules: one plan with its origins, or the platform with all models."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Final

from generator.dataclass import dataclass
from generator.lint.engine import Related
from generator.odds.footprint import ResourceFootprint
from generator.odds.odds import PlanOdds, odds_of
from generator.plan.layers import Layers
from generator.plan.repository import Repository
from generator.plan.resolve import Planned
from generator.plan.values import Plan
from generator.source.document import Document, Path
from generator.source.finding import Fix, Place
from generator.source.reader import read
from generator.spec.environment import Router
from generator.spec.model import ModelSpec
from generator.spec.platform import PlatformSpec
from generator.spec.tier import Tier

ROLLOUT: Final[Path] = ("spec", "rollout")
GUARDS: Final[Path] = (*ROLLOUT, "guards")
STEPS: Final[Path] = (*ROLLOUT, "steps")
SHADOW: Final[Path] = (*ROLLOUT, "shadow")
GATES: Final[Path] = ("spec", "gates")
LOCK_IMAGE: Final[Path] = ("image",)


@dataclass(frozen=True)
class Context:
    """The context of a rule on one plan.

    Args:
        planned: the plan and its layers.
        today: the day that dates are compared with.
        plans: the plans of the model in all environments.
    """

    planned: Planned
    today: datetime.date
    plans: tuple[Plan, ...]

    @property
    def plan(self) -> Plan:
        """The plan."""
        return self.planned.plan

    @cached_property
    def odds(self) -> PlanOdds | None:
        """The odds of the plan, which many rules read; None for a blue-green."""
        return odds_of(self.plan)

    @property
    def spec(self) -> ModelSpec:
        """The merged spec of the plan."""
        return self.planned.source.file.spec

    @property
    def platform(self) -> PlatformSpec:
        """The platform, as the environment sees it."""
        return self.planned.source.platform.at(self.plan.identity.environment)

    @property
    def platform_document(self) -> Document:
        """The platform as written."""
        return self.planned.source.layers.platform

    @property
    def tier(self) -> Tier:
        """The tier of the model."""
        return self.platform.tiers[self.plan.identity.tier]

    @property
    def regulated(self) -> bool:
        """Whether the tier is strict: it requires images by digest."""
        return self.tier.requires.image_digest

    @property
    def router(self) -> Router:
        """The router of the environment, as written."""
        return self.platform.environments[self.plan.identity.environment].router

    def of_environment(self, *path: str) -> Path:
        """Return the path of a setting of the plan's environment in the platform file."""
        return self.platform.where_written(("spec", "environments", self.plan.identity.environment, *path))

    def tier_place(self, *path: str | int) -> Place:
        """Return the place of a value of the tier, or of its nearest parent."""
        return self.platform_document.place(("spec", "tiers", self.plan.identity.tier, *path))


def ceiling(context: Context, key: str, shown: object) -> Related:
    """Return the place of a ceiling of the tier, as `firstWeight` or `guards.error-rate.detect`, with its value."""
    text = f"tier `{context.plan.identity.tier}`: {key} {shown}"
    return ((text, context.tier_place("ceilings", *key.split("."))),)


@dataclass(frozen=True, slots=True)
class FleetContext:
    """The context of a rule on the platform, or across models.

    Args:
        footprints: one for every plan, ordered by team and model.
        repository: a repository with a valid platform.
        platform: its platform.
        today: the day that dates are compared with.
    """

    footprints: Sequence[ResourceFootprint]
    repository: Repository
    platform: PlatformSpec
    today: datetime.date

    @property
    def document(self) -> Document:
        """The platform as written."""
        return self.repository.platform_document

    def layers(self, found: ResourceFootprint) -> Layers:
        """Return the layers of one plan, read again: only the few models that a finding names need them."""
        entry = self.repository.entry(found.team, found.model)
        document = read(entry.spec, self.repository.root)
        whole = self.platform.whole(found.environment)
        return Layers(document, self.document, found.tier, found.environment, whole)


def written_guards(context: Context) -> Iterator[tuple[Path, list[Any]]]:
    """Yield the lists of guards of a spec, as written: that of the rollout and that of its shadow."""
    rollout = context.spec.rollout
    yield GUARDS, list(rollout.guards)
    if rollout.shadow:
        yield (*SHADOW, "guards"), list(rollout.shadow.guards)


def removes_gates(context: Context) -> bool:
    """Return whether an environment's override replaces the gates of the spec by an empty list."""
    empty = not context.spec.gates and context.planned.source.layers.origin(GATES).source == "environment"
    return empty and context.planned.source.layers.spec.has(GATES)


def inserted_steps(context: Context, index: int, weights: Sequence[int], hold: str) -> Fix | None:
    """Return the edit that adds weights (percent) before a step; None without a list of steps."""
    steps = context.planned.source.layers.merged["spec"]["rollout"].get("steps")
    if not isinstance(steps, list):
        return None
    added = [{"weight": f"{weight}%", "hold": hold} for weight in weights]
    return Fix(STEPS, [*steps[:index], *added, *steps[index:]])


def weight_steps(context: Context) -> list[int]:
    """Return the positions of the steps that have a weight; none for a blue-green."""
    return [index for index, _ in context.spec.rollout.weight_steps]
