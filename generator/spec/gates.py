"""Gates: judgements made before any traffic, from evidence about the model offline."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from generator.spec.record import Choice, Record, by_key
from generator.spec.types import Key, Line, Loss, Name, RelativePath

DataRef = Annotated[
    Line,
    Field(
        description="a data set: dvc:path, s3://bucket/key, https://… or a path in this repository",
        examples=["dvc:data/train.parquet"],
    ),
]


class GateBase(Record):
    """What every gate says."""

    name: Name = Field(description="name of the gate, unique in the model; waivers and evidence use it")


class TestsGate(GateBase):
    """The model's own tests passed, and enough of them ran."""

    kind: ClassVar[str] = "tests"
    junit: RelativePath = Field(description="JUnit XML report")
    at_least: int = Field(
        1, ge=1, description="tests that must have run, skipped ones not counted", examples=[20]
    )


def is_share(metric: str) -> bool:
    """Whether a metric is a share of all rows; precision, recall and the like are shares of fewer."""
    name = metric.lower()
    return name.endswith(("accuracy", "error_rate", "hit_rate")) and "balanced" not in name


class MetricGate(Choice, GateBase):
    """One offline metric against a bound, or against the model that serves now."""

    kind: ClassVar[str] = "metric"
    any_of = ("at_least", "at_most", "against")
    metric: Key = Field(description="name of the metric in the metrics file or run", examples=["accuracy"])
    at_least: float | None = Field(None, description="the metric must reach this value", examples=[0.92])
    at_most: float | None = Field(None, description="the metric must not exceed this value")
    against: Literal["champion"] | None = Field(None, description="compare with the model that serves now")
    no_worse_by: Loss | None = Field(
        None, description="loss against the champion that is accepted", examples=["1pp"]
    )
    paired: bool = Field(
        False, description="both models were judged on the same rows: McNemar or paired bootstrap"
    )
    rows: int | None = Field(
        None,
        ge=1,
        le=100_000_000,
        description="rows of the test set; the odds of the gate need it",
        examples=[2000],
    )
    source: Line | None = Field(
        None,
        description="metrics file (path) or run (mlflow:RUN_ID); default metrics.json",
        examples=["metrics.json"],
    )


class FairnessGate(Choice, GateBase):
    """A fairness measure over sensitive attributes."""

    kind: ClassVar[str] = "fairness"
    one_of = ("at_most", "at_least")
    fairness: Literal[
        "demographic-parity-difference", "equalised-odds-difference", "demographic-parity-ratio"
    ] = Field(description="measure; between the groups with the highest and the lowest rate")
    sensitive: list[Key] = Field(
        min_length=1,
        description="sensitive attributes, each judged by itself",
        examples=[["age_band", "gender"]],
    )
    at_most: float | None = Field(None, ge=0, le=1, description="limit of a difference", examples=[0.1])
    at_least: float | None = Field(
        None, ge=0, le=1, description="limit of a ratio (four-fifths rule: 0.8)", examples=[0.8]
    )
    tool: Literal["fairlearn", "aequitas"] = Field("fairlearn", description="library that computes it")
    min_group: int = Field(30, ge=2, description="smallest group, in rows, that is judged")
    data: DataRef | None = Field(None, description="rows with label, prediction and attributes")


class Drift(Record):
    """Two windows of data and the columns to compare."""

    reference: DataRef = Field(description="what the model was trained on")
    current: DataRef = Field(description="what production saw", examples=["dvc:data/prod-30d.parquet"])
    features: list[Key] = Field(min_length=1, description="columns to compare")


class DriftGate(GateBase):
    """The inputs of production still look like those of training."""

    kind: ClassVar[str] = "drift"
    drift: Drift = Field(description="windows and columns")
    tool: Literal["ks", "chi2", "psi", "alibi-detect"] = Field("ks", description="two-sample test or index")
    at_most: float | None = Field(
        None,
        gt=0,
        description="effect floor: D of KS (default 0.1), index of PSI (default 0.2)",
        examples=[0.1],
    )
    alpha: float = Field(0.05, gt=0, lt=1, description="family error over all features (Bonferroni)")
    rows: int | None = Field(
        None,
        ge=1,
        le=100_000_000,
        description="rows of the smaller window; the odds of a stability index need it",
        examples=[5000],
    )


class DataSuite(Record):
    """A data set and the expectations it must meet."""

    current: DataRef = Field(description="the data set")
    suite: RelativePath = Field(
        description="expectation suite (JSON)", examples=["expectations/fraud-inputs.json"]
    )


class DataGate(GateBase):
    """The data meets its expectations."""

    kind: ClassVar[str] = "data"
    data: DataSuite = Field(description="data set and suite")
    tool: Literal["great-expectations"] = Field(
        "great-expectations", description="library that evaluates the suite"
    )


class Windows(Record):
    """Two windows of data."""

    reference: DataRef = Field(description="what the model was trained on")
    current: DataRef = Field(description="what production saw")


class ExplainGate(GateBase):
    """The model still decides for the same reasons."""

    kind: ClassVar[str] = "explain"
    explain: Windows = Field(description="windows whose attributions are compared")
    tool: Literal["shap"] = Field("shap", description="library that attributes")
    at_most: float = Field(
        gt=0, le=1, description="half the L1 distance between normalised mean attributions", examples=[0.15]
    )
    rows: int = Field(500, ge=20, le=100_000, description="rows sampled per window")
    seed: int = Field(0, ge=0, description="seed of the sample")


class CustomGate(GateBase):
    """Any program that writes an evidence entry."""

    kind: ClassVar[str] = "custom"
    custom: Line = Field(description="container image (name@sha256:…) or command that writes the entry")
    args: list[Line] = Field([], description="arguments of the program")


Gate = Annotated[
    Annotated[TestsGate, Tag("a tests gate")]
    | Annotated[MetricGate, Tag("a metric gate")]
    | Annotated[FairnessGate, Tag("a fairness gate")]
    | Annotated[DriftGate, Tag("a drift gate")]
    | Annotated[DataGate, Tag("a data gate")]
    | Annotated[ExplainGate, Tag("an explain gate")]
    | Annotated[CustomGate, Tag("a custom gate")],
    Discriminator(
        by_key(
            "gate",
            junit="a tests gate",
            metric="a metric gate",
            fairness="a fairness gate",
            drift="a drift gate",
            data="a data gate",
            explain="an explain gate",
            custom="a custom gate",
        ),
        custom_error_type="choice",
        custom_error_message="a gate says what it judges: junit, metric, fairness, drift, data, explain or custom",
    ),
]
GATE_KINDS: tuple[Any, ...] = (
    TestsGate,
    MetricGate,
    FairnessGate,
    DriftGate,
    DataGate,
    ExplainGate,
    CustomGate,
)
