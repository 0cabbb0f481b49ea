"""The spec of one model: the file a team commits."""

from typing import Any, Literal

from pydantic import Field

from generator.dataclass import dataclass
from generator.spec.container import HttpPath, ServedContainer
from generator.spec.frameworks import FrameworkName
from generator.spec.gates import Gate
from generator.spec.pod import Pod
from generator.spec.record import Choice, Record
from generator.spec.rollout import Rollout
from generator.spec.service import Autoscaling, Outcome, Resources, Service, Traffic
from generator.spec.types import Code, Date, Hex, Key, Line, Loader, Name, Reference, RelativePath


class FurtherReference(Record):
    """A further model of a service."""

    ref: Reference = Field(description="where it comes from", examples=["mlflow:reranker/3"])
    sha256: Hex | None = Field(None, description="SHA-256 of its file; s3:// and https:// need it")


class ModelSource(Record):
    """The model and how it is loaded."""

    ref: Reference = Field(
        description="where the model comes from: bentoml:, mlflow:, dvc:, hf:, oci://, s3:// or https://",
        examples=["mlflow:recommender@champion", "bentoml:ticket_classifier:7"],
    )
    framework: FrameworkName = Field(description="how the service loads it", examples=["sklearn"])
    sha256: Hex | None = Field(None, description="SHA-256 of the model's file; s3:// and https:// need it")
    file: RelativePath | None = Field(
        None,
        description="the model's file, when its folder has several that could be it",
        examples=["classifier.pkl"],
    )
    load: Loader | None = Field(
        None,
        description="module:Class of a custom model, of a network for weights, or of the service in a bento",
        examples=["my_model:Model"],
    )
    references: dict[Key, FurtherReference] = Field(
        {},
        max_length=8,
        description="further models that the class of a custom model loads, from the folders `references/NAME`",
        examples=[{"reranker": {"ref": "mlflow:reranker/3"}}],
    )
    endpoints: list[HttpPath] = Field(
        [],
        max_length=20,
        description="routes of a bento that the team has built, whose answers are predictions; the first one is tried",
        examples=[["/rank", "/similar"]],
    )
    example: dict[str, Any] | None = Field(
        None,
        description="JSON body that the first of these routes answers; smoke tests and `sluice try` send it",
    )


class Accept(Record):
    """A finding that the team accepts for a while."""

    code: Code = Field(description="code of the finding", examples=["CAN210"])
    reason: Line = Field(description="why", examples=["known, and fixed in the next version"])
    until: Date = Field(description="last day")


class Metadata(Record):
    """Name, team and owner of the model."""

    name: Name = Field(description="the model")
    team: Name = Field(description="the team; also the folder of the spec")
    owner: Line = Field(
        description="who to ask about the model: an e-mail address", examples=["shop-ml@example.com"]
    )
    description: Line | None = Field(None, description="one line about the model")


@dataclass(frozen=True, slots=True)
class Source:
    """The reference that is released.

    Args:
        ref: the reference.
        sha256: digest (hex) that the producer gave.
        path: its place in the spec.
    """

    ref: str
    sha256: str | None
    path: tuple[str, ...]


class ModelSpec(Choice):
    """The spec of a model."""

    one_of = ("model", "serve")
    tier: Name = Field(description="tier of the model, which sets its defaults and ceilings")
    model: ModelSource | None = Field(None, description="the model, which a rendered service loads")
    serve: ServedContainer | None = Field(
        None, description="a container that serves the model already, instead of `model`"
    )
    service: Service = Field(Service.model_construct(), description="the service around it")
    traffic: Traffic = Field(Traffic.model_construct(), description="its live traffic")
    outcomes: dict[Key, Outcome] = Field({}, description="events after a prediction, for guards")
    gates: list[Gate] = Field([], description="checks before any traffic")
    rollout: Rollout = Field(description="how a new version gets the traffic")
    replicas: int = Field(2, ge=1, le=1000, description="number of pods without an autoscaler")
    autoscaling: Autoscaling | None = Field(None, description="autoscaler of the pods")
    resources: Resources = Field(Resources.model_construct(), description="resources of one pod")
    pod: Pod = Field(
        Pod.model_construct(),
        description="what its pods have in addition to what platform and tier give them",
    )
    accept: list[Accept] = Field([], description="findings accepted for a while")
    environments: dict[Name, dict[str, Any]] = Field(
        {}, description="overrides for environments: any part of this spec"
    )

    @property
    def source(self) -> Source:
        """What is released: the model, or the image of the container."""
        if self.model is not None:
            return Source(self.model.ref, self.model.sha256, ("spec", "model", "ref"))
        image = self.serve.image if self.serve else ""
        return Source(f"oci://{image}", None, ("spec", "serve", "image"))


class ModelFile(Record):
    """One model and how it is released."""

    api_version: Literal["sluice.dev/v1alpha1"] = Field(description="version of the spec language")
    kind: Literal["Model"] = Field(description="kind of the file")
    metadata: Metadata = Field(description="name, team and owner of the model")
    spec: ModelSpec = Field(description="the spec of the model")
