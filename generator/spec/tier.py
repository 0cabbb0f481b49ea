"""Tiers: defaults and ceilings for a class of models. Owned by the platform team."""

from typing import Any, Literal

from pydantic import Field

from generator.spec.ceilings import Ceilings, GuardKind
from generator.spec.gates import GateKind
from generator.spec.record import Record
from generator.spec.signers import Signed
from generator.spec.types import Age, Line, ModelName, Name


class Requires(Record):
    """Requirements of every model of the tier."""

    gates: list[GateKind] = Field([], description="kinds of gates")
    guards: list[GuardKind] = Field(
        [], description="kinds of guards on live traffic", examples=[["error-rate", "slow-rate"]]
    )
    approvals: list[Name] = Field(
        [], description="roles that approve after the first measurement and before half of the traffic"
    )
    image_digest: bool = Field(False, description="images by digest only")
    gate_image_digest: bool = Field(
        False, description="by digest: gate images, and the base image of gates and services"
    )
    package_hashes: bool = Field(
        False, description="all packages of services by hash, in the list that `sluice pin --packages` writes"
    )
    bound_data: bool = Field(
        False,
        description="data of gates whose rows a digest proves: files, not tables or queries of an engine",
    )
    no_data: list[Literal["fail", "pause", "pass"]] = Field(
        ["fail", "pause"], min_length=1, description="policies allowed for missing data"
    )
    signed: Signed = Field(
        [],
        description="documents that must be signed by a signer of the platform: evidence, lock; true for all",
    )
    signed_by: list[Name] = Field(
        [], description="roles of the signers that count; default: all", examples=[["ci"]]
    )
    evidence_age: Age | None = Field(
        None,
        description="largest age of a verdict that `git` accepts; default: until model, data or configuration change",
        examples=["30d"],
    )


class Promotions(Record):
    """How CI promotes models of the tier that are proven."""

    auto: bool = Field(
        False, description="merge the proposed promotion as soon as the rules of the branch allow it"
    )
    reviewers: list[Line] = Field(
        [],
        description="users or groups of the git host whose review is requested, without `auto`",
        examples=[["@acme/model-risk"]],
    )
    signed_by: list[Name] = Field(
        [],
        description="roles of the signers that approve: one must sign each promotion before it may be merged",
        examples=[["model-risk"]],
    )


class Tier(Record):
    """A class of models: defaults and ceilings."""

    description: Line | None = Field(None, description="purpose of the tier")
    defaults: dict[str, Any] = Field(
        {}, description="any part of a model's spec; the model's values take precedence"
    )
    ceilings: Ceilings = Field(Ceilings.model_construct(), description="limits that no model may exceed")
    requires: Requires = Field(Requires.model_construct(), description="requirements of every model")
    promotions: Promotions = Field(
        Promotions.model_construct(),
        description="how CI proposes promotions to environments that require others",
    )
    models: list[ModelName] = Field(
        [], description="models that must use this tier", examples=[["shop/recommender"]]
    )
    evidence: list[Literal["git", "cluster"]] = Field(
        ["git", "cluster"],
        min_length=1,
        description="where gates are enforced. git: nothing is rendered without passing evidence next to "
        "the spec; cluster: the gate Workflow in the bundle must succeed before the Rollout is applied",
    )
