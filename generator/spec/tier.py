"""Tiers: defaults and ceilings for a class of models. Owned by the platform team."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from generator.spec.gates import GateKind
from generator.spec.record import Record
from generator.spec.types import Age, Cpu, Duration, Line, Memory, Name, Percent, Weight


class Ceilings(Record):
    """Limits for all models of the tier."""

    first_weight: Weight | None = Field(None, description="largest weight of the first step")
    max_exposed: int | None = Field(
        None, ge=1, description="mean number of requests that a bad model may answer"
    )
    false_rollback: Percent | None = Field(None, description="probability that a good model is rolled back")
    longest_rollout: Duration | None = Field(
        None, description="planned time from the first step to full traffic"
    )
    replicas: int | None = Field(None, ge=1, description="pods of the stable version")
    cpu: Cpu | None = Field(None, description="CPU of one pod")
    memory: Memory | None = Field(None, description="memory of one pod")
    gpu: int | None = Field(None, ge=0, description="GPUs of one pod")


class Requires(Record):
    """Requirements of every model of the tier."""

    gates: list[GateKind] = Field([], description="kinds of gates")
    approvals: list[Name] = Field([], description="roles that approve before the last step")
    image_digest: bool = Field(False, description="images by digest only")
    no_data: list[Literal["fail", "pause", "pass"]] = Field(
        ["fail", "pause"], min_length=1, description="policies allowed for missing data"
    )
    evidence_age: Age | None = Field(
        None,
        description="largest age of a verdict that `git` accepts; default: until model, data or configuration change",
        examples=["30d"],
    )


class Tier(Record):
    """A class of models: defaults and ceilings."""

    description: Line | None = Field(None, description="purpose of the tier")
    defaults: dict[str, Any] = Field(
        {}, description="any part of a model's spec; the model's values take precedence"
    )
    ceilings: Ceilings = Field(Ceilings(), description="limits that no model may exceed")
    requires: Requires = Field(Requires(), description="requirements of every model")
    evidence: list[Literal["git", "cluster"]] = Field(
        ["git", "cluster"],
        min_length=1,
        description="where gates are enforced. git: nothing is rendered without passing evidence next to "
        "the spec; cluster: the gate Workflow in the bundle must succeed before the Rollout is applied",
    )
