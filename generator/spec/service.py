"""The service around the model: its inputs, its traffic and its resources."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from generator.spec.pod import Limits
from generator.spec.record import Choice, Record
from generator.spec.types import (
    Column,
    Cpu,
    Duration,
    Host,
    Key,
    Line,
    Memory,
    Name,
    ObjectName,
    Percent,
    Requirement,
    SystemPackage,
    Timeout,
    Use,
    Variable,
)

Scalar = str | int | float | bool


class Value(Record):
    """One value of a request or an answer: a scalar, an array or a list of them, a record, or free JSON."""

    type: Literal[
        "string", "number", "integer", "boolean", "date", "datetime", "bytes", "image", "object", "json"
    ] = Field(
        description="type of the value; JSON has dates as ISO 8601 texts, bytes and images as base64 texts"
    )
    values: list[Scalar] | None = Field(
        None, min_length=1, max_length=10_000, description="the only values allowed"
    )
    minimum: float | None = Field(None, description="smallest number allowed")
    maximum: float | None = Field(None, description="largest number allowed")
    max_length: int = Field(10_000, ge=1, le=1_000_000, description="longest text allowed, in characters")
    shape: list[Annotated[int, Field(ge=1, le=100_000)]] | None = Field(
        None,
        min_length=1,
        max_length=6,
        description="lengths of an array of such values: [8] is a vector, [3, 224, 224] an image of three channels",
        examples=[[3, 224, 224]],
    )
    max_items: int | None = Field(
        None, ge=1, le=100_000, description="most values in a list of any length; default: one value, no list"
    )
    min_items: int = Field(0, ge=0, le=100_000, description="fewest values in a list")
    fields: "dict[Column, Value] | None" = Field(
        None, min_length=1, description="values of an object, by name"
    )
    json_schema: dict[str, Any] | None = Field(
        None, description="JSON Schema (draft 2020-12) of free JSON", examples=[{"type": "object"}]
    )
    zone: Literal["required", "none"] = Field(
        "required",
        description="whether a datetime has an offset, which the model gets as UTC, or is a local time without one",
    )
    formats: list[Literal["png", "jpeg", "gif", "webp"]] = Field(
        ["png", "jpeg"], min_length=1, description="formats of images allowed"
    )
    max_bytes: Memory = Field("1Mi", description="largest image, bytes or free JSON allowed")
    nullable: bool = Field(False, description="the value may be null")
    example: Any = Field(None, description="a real value, which the warm-up sends", examples=["Berlin"])
    unit: Line | None = Field(None, description="unit of the value, for readers of the API", examples=["EUR"])
    description: Line | None = Field(None, description="what the value is, for readers of the API")

    @model_validator(mode="after")
    def order(self) -> Self:
        """Check that some number is allowed."""
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            says = f"no number is allowed: `minimum` is {self.minimum:g}, and `maximum` is {self.maximum:g}"
            hint = f"swap them: `minimum: {self.maximum:g}, maximum: {self.minimum:g}`"
            raise PydanticCustomError("order", "{says}", {"says": says, "hint": hint, "key": "minimum"})
        return self


class SecretRef(Record):
    """A key of a Secret: one that exists in the namespace, or one that the platform's store holds."""

    name: Name = Field(description="the Secret")
    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")] = Field(
        description="its key", examples=["token"]
    )
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,60}$")] | None = Field(
        None, description="version in the platform's store: a new one is a new release; default: the newest"
    )


class Env(Choice):
    """One environment variable of the service."""

    one_of = ("value", "secret")
    name: Variable = Field(description="name of the variable", examples=["LOG_LEVEL"])
    value: Line | None = Field(None, description="a plain value; never a secret")
    secret: SecretRef | None = Field(None, description="a value from a Secret")


class Service(Record):
    """The BentoML service of the model."""

    inputs: dict[Column, Value] = Field(
        {}, description="columns of the rows, in the order that the model needs; default: any columns"
    )
    output: Value | None = Field(
        None, description="one prediction: what the service checks and its API describes; default: any JSON"
    )
    positive: list[Scalar] = Field(
        [],
        description="predictions that count as positive; required where groups are compared",
        examples=[[1]],
    )
    attributes: dict[Key, list[Scalar]] = Field(
        {}, description="values of sensitive attributes; default: the platform's"
    )
    classes: list[Scalar] = Field(
        [],
        max_length=10_000,
        description="names of the model's classes, in its own order, for models whose files only number them",
        examples=[["stays", "leaves"]],
    )
    threshold: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="probability from which the second of two classes is the prediction; default: the model decides",
        examples=[0.3],
    )
    max_rows: int = Field(256, ge=1, le=100_000, description="largest number of rows in a request")
    timeout: Timeout = Field(10.0, description="time after which a request is abandoned", examples=["10s"])
    startup: Timeout = Field(
        180.0,
        description="time in which a pod must become ready; otherwise it is restarted, and three restarts "
        "abort the release",
        examples=["3m"],
    )
    warm_up: Duration = Field(
        0.0,
        description="time in which a new pod is slower than later; guards on latency ignore it after each change of "
        "weight",
        examples=["60s"],
    )
    workers: int = Field(1, ge=1, le=64, description="processes of the server")
    threads: int = Field(4, ge=1, le=256, description="requests that one worker handles at a time")
    requirements: list[Requirement] = Field(
        [],
        description="pinned packages that the model needs in addition to its framework",
        examples=[["scikit-learn==1.9.1"]],
    )
    indexes: list[Name] = Field(
        [],
        max_length=20,
        description="package indexes of the platform that packages of this service come from; the tier allows them",
        examples=[["internal"]],
    )
    system_packages: list[SystemPackage] = Field(
        [],
        max_length=50,
        description="packages of Debian that the image has in addition to its base; the tier allows them",
        examples=[["libgomp1"]],
    )
    python: Literal["3.11", "3.12", "3.13"] = Field("3.11", description="Python of the image")
    env: list[Env] = Field([], description="environment variables")


class KeptNames(Record):
    """Names that objects keep because others know them; the default names are those of the model."""

    service: ObjectName | None = Field(
        None,
        description="Service that answers users: of the stable version, of the active one (blue-green), or of all pods",
        examples=["recommendations"],
    )
    new_service: ObjectName | None = Field(
        None, description="Service of the version under test", examples=["recommendations-canary"]
    )
    route: ObjectName | None = Field(
        None, description="the objects that route: HTTPRoute, VirtualService, Ingress and so on"
    )


class Traffic(Record):
    """The live traffic of the model."""

    min_rps: float | None = Field(
        None,
        gt=0,
        le=1e7,
        description="requests per second off-peak, from which all odds are computed",
        examples=[200],
    )
    hosts: list[Host] = Field([], description="host names; default: model.team.<domain of the environment>")
    names: KeptNames = Field(
        KeptNames.model_construct(), description="names of Services and routes that existed before the model"
    )
    feedback: Literal["internal", "public"] = Field(
        "internal",
        description="who reaches the feedback route: pods of the cluster, or also callers of the public host",
    )
    design_effect: float = Field(
        1.0, ge=1, le=1000, description="variance inflation caused by users who send several requests"
    )


class Outcome(Record):
    """An event after a prediction, such as a click, that shows how good the prediction was."""

    kind: Literal["ratio"] = Field(description="events per prediction")
    event: Key = Field(
        description="name of the event that clients send to the feedback route", examples=["click"]
    )
    baseline: Percent = Field(description="events per prediction of the stable version", examples=["4%"])
    delay: Duration = Field(
        0.0, description="mean time between the prediction and the event", examples=["60s"]
    )
    better: Literal["higher", "lower"] = Field(
        "higher", description="whether more or fewer events are better"
    )


class Resources(Record):
    """Resources of one pod."""

    cpu: Cpu = Field("500m", description="CPU cores requested")
    memory: Memory = Field("512Mi", description="memory requested, also its limit unless `limits` has one")
    limits: Limits = Field(Limits.model_construct(), description="limits that differ from the requests")
    gpu: int = Field(0, ge=0, le=16, description="number of GPUs")
    gpu_kind: Name | None = Field(
        None, description="kind of the GPUs, as the platform lists it; default: any nvidia.com/gpu"
    )
    storage: Memory = Field(
        "1Gi", description="local (ephemeral) storage requested, also its limit; the image does not count"
    )


class Hpa(Record):
    """Pods scaled by CPU use."""

    tag: ClassVar[str] = "an HPA"
    kind: Literal["hpa"] = Field("hpa", description="Kubernetes' own autoscaler")
    min: int = Field(ge=1, le=1000, description="fewest pods", examples=[2])
    max: int = Field(ge=1, le=1000, description="most pods", examples=[6])
    cpu: Use = Field(0.7, description="target CPU use", examples=["70%"])


class Keda(Record):
    """Pods scaled by requests per second."""

    tag: ClassVar[str] = "a KEDA scaler"
    kind: Literal["keda"] = Field(description="scaling by requests; KEDA must be installed")
    min: int = Field(
        ge=1, le=1000, description="smallest number of pods; a canary can't scale from zero", examples=[2]
    )
    max: int = Field(ge=1, le=1000, description="most pods", examples=[6])
    rps_per_pod: float = Field(gt=0, description="requests per second that one pod can handle", examples=[50])


def _autoscaler(value: Any) -> str | None:
    if not isinstance(value, dict):
        return getattr(value, "tag", None)
    return {"hpa": "an HPA", "keda": "a KEDA scaler"}.get(str(value.get("kind", "hpa")))


Autoscaling = Annotated[
    Annotated[Hpa, Tag("an HPA")] | Annotated[Keda, Tag("a KEDA scaler")],
    Discriminator(_autoscaler, custom_error_type="choice", custom_error_message="`kind` is hpa or keda"),
]
