"""Gates: offline checks of a model before any traffic."""

import math
import re
from abc import abstractmethod
from dataclasses import replace
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag

from generator.spec.gate_data import Data, DataSource, Needs, needs_of
from generator.spec.gate_tools import (
    BARE,
    DriftTest,
    Program,
    choices,
    drift_test,
    engine_image,
)
from generator.spec.record import Choice, Record, by_key
from generator.spec.types import Key, Line, Loss, Name, RelativePath

RUN: Final = "mlflow:"
"""The prefix of a metric source that is an MLflow run."""

if TYPE_CHECKING:
    _FairnessTool = str
    _DriftTool = str
    _DataTool = str
    _ExplainTool = str
else:
    _FairnessTool = Literal[choices("fairness")]
    _DriftTool = Literal[choices("drift")]
    _DataTool = Literal[choices("data")]
    _ExplainTool = Literal[choices("explain")]


class GateBase(Record):
    """The common part of all gates: `kind` is the kind's name, `tag` its name in messages, `key` its key in a spec."""

    model_config = ConfigDict(allow_inf_nan=False)
    kind: ClassVar[str]
    tag: ClassVar[str]
    key: ClassVar[str]
    recurring: ClassVar[bool] = False
    """Whether the daily watch runs it again on new production data."""

    name: Name = Field(
        description="name of the gate, unique in the model; waivers and evidence use it",
        examples=["accuracy"],
    )

    @property
    def tool_name(self) -> str:
        """The tool that measures; its kind if it needs none."""
        return str(getattr(self, "tool", self.kind))

    @property
    @abstractmethod
    def needs(self) -> Needs:
        """Its scripts and inputs."""

    @property
    def image(self) -> str | None:
        """Name of the gate image that runs it in the cluster; None if it has its own image."""
        scripts = (*self.needs.programs, *self.needs.comparisons)
        return engine_image(scripts) if scripts else BARE


class TestsGate(GateBase):
    """The model's own tests passed, and enough of them ran."""

    kind: ClassVar[str] = "tests"
    tag: ClassVar[str] = "a tests gate"
    key: ClassVar[str] = "junit"
    junit: RelativePath = Field(description="JUnit XML report")
    at_least: int = Field(
        1, ge=1, description="tests that must have run, skipped ones not counted", examples=[20]
    )

    @property
    def needs(self) -> Needs:
        """The report."""
        return Needs(files=(self.junit,))


def is_share(metric: str) -> bool:
    """Return whether a metric is a share of all rows; precision, recall and similar ones are shares of fewer."""
    name = metric.lower()
    return name.endswith(("accuracy", "error_rate", "hit_rate")) and "balanced" not in name


_UNIT: Final = (
    "accuracy|precision|recall|specificity|sensitivity|auc|auroc|auprc|auc_roc|auc_pr|f_?[0-9]+(?:_[0-9]+)?|fbeta|"
    "ndcg|map|mrr|hit_ratio|hits|average_precision|jaccard|iou|dice|coverage|exact_match|brier|rouge(?:_?[12l])?|"
    "(?:error|hit|pass|win|success|failure|miss|click|click_through|conversion)_rate|"
    "(?:true|false)_(?:positive|negative)_rate|(?:expected_)?calibration_error"
)
_RANGES: Final = (
    (0.0, 1.0, _UNIT),
    (-1.0, 1.0, "mcc|kappa|silhouette|gini|correlation"),
    (
        0.0,
        math.inf,
        "rmse|mse|mae|mape|smape|wape|rmsle|msle|medae|log_?loss|cross_entropy|perplexity|latency",
    ),
    (-math.inf, 1.0, "r2|explained_variance"),
)
_AVERAGED: Final = r"(?:_(?:macro|micro|weighted|score))?(?:_at_\d+|@\d+)?"
_KNOWN: Final = tuple(
    (low, high, re.compile(rf"\A(?:.*_)?(?:{names}){_AVERAGED}")) for low, high, names in _RANGES
)


def metric_range(metric: str) -> tuple[float, float]:
    """Return the smallest and the largest value that a metric can have by its definition; infinite where unknown."""
    name = re.sub(r"[-. ]", "_", metric.lower())
    if is_share(metric):
        return 0.0, 1.0
    found = ((low, high) for low, high, pattern in _KNOWN if pattern.fullmatch(name))
    return next(found, (-math.inf, math.inf))


class MetricGate(Choice, GateBase):
    """One offline metric against a bound, or against the current champion."""

    kind: ClassVar[str] = "metric"
    tag: ClassVar[str] = "a metric gate"
    key: ClassVar[str] = "metric"
    any_of = ("at_least", "at_most", "against")
    metric: Key = Field(description="name of the metric in the metrics file or run", examples=["accuracy"])
    at_least: float | None = Field(None, description="the metric must reach this value", examples=[0.92])
    at_most: float | None = Field(None, description="the metric must not exceed this value")
    against: Literal["champion"] | None = Field(
        None, description="compare with the champion, the model that serves now"
    )
    no_worse_by: Loss | None = Field(None, description="accepted loss against the champion", examples=["1pp"])
    paired: bool = Field(
        False, description="both models were evaluated on the same rows: McNemar or paired bootstrap"
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

    @property
    def run_id(self) -> str:
        """Id of the MLflow run with the metric; empty if a file has it."""
        source = self.source or ""
        return source.removeprefix(RUN) if source.startswith(RUN) else ""

    @property
    def metrics_file(self) -> str:
        """Path of the metrics file, if no run has the metric."""
        return self.source or "metrics.json"

    @property
    def needs(self) -> Needs:
        """MLflow or the metrics file; SciPy for the champion row by row."""
        return Needs(
            programs=(Program("mlflow", "run"),) if self.run_id else (),
            comparisons=(Program("scipy", "paired"),) if self.against else (),
            files=() if self.run_id else (self.metrics_file,),
            predictions=self.against is not None,
        )


class FairnessGate(Choice, GateBase):
    """A fairness measure over sensitive attributes."""

    kind: ClassVar[str] = "fairness"
    tag: ClassVar[str] = "a fairness gate"
    key: ClassVar[str] = "fairness"
    recurring: ClassVar[bool] = True
    one_of = ("at_most", "at_least")
    fairness: Literal[
        "demographic-parity-difference", "equalised-odds-difference", "demographic-parity-ratio"
    ] = Field(description="measure, between the groups with the highest and the lowest rate")
    sensitive: list[Key] = Field(
        min_length=1,
        description="sensitive attributes, each measured on its own",
        examples=[["age_band", "gender"]],
    )
    at_most: float | None = Field(None, ge=0, le=1, description="limit of a difference", examples=[0.1])
    at_least: float | None = Field(
        None, ge=0, le=1, description="limit of a ratio (four-fifths rule: 0.8)", examples=[0.8]
    )
    tool: _FairnessTool = Field("fairlearn", description="library that computes it")
    min_group: int = Field(30, ge=2, description="smallest group, in rows, that decides")
    data: Data | None = Field(None, description="rows with label, prediction and attributes")

    @property
    def needs(self) -> Needs:
        """Its tool, and its rows or the table of predictions."""
        return needs_of(self.kind, self.tool, {("data",): self.data}, fresh=self.data)


class Windows(Record):
    """Two windows of data."""

    reference: Data = Field(description="training data", examples=["dvc:data/train.parquet"])
    current: Data = Field(description="production data", examples=["dvc:data/prod-30d.parquet"])

    def parts(self, key: str) -> dict[tuple[str, ...], str | DataSource | None]:
        """Return both windows by their path in a gate."""
        return {(key, "reference"): self.reference, (key, "current"): self.current}


class Drift(Windows):
    """Two windows of data and the columns to compare."""

    features: list[Key] = Field(min_length=1, description="columns to compare", examples=[["amount"]])


class DriftGate(GateBase):
    """The inputs of production still look like those of training."""

    kind: ClassVar[str] = "drift"
    tag: ClassVar[str] = "a drift gate"
    key: ClassVar[str] = "drift"
    recurring: ClassVar[bool] = True
    drift: Drift = Field(description="windows and columns")
    tool: _DriftTool = Field("ks", description="two-sample test or index")
    at_most: float | None = Field(
        None,
        gt=0,
        description="largest effect that passes: D of KS (default 0.1), index of PSI (default 0.2)",
        examples=[0.1],
    )
    alpha: float = Field(
        0.05, gt=0, lt=1, description="error probability over all features together (Bonferroni)"
    )
    rows: int | None = Field(
        None,
        ge=1,
        le=100_000_000,
        description="rows of the smaller window; the odds of a stability index need it",
        examples=[5000],
    )

    @property
    def test(self) -> DriftTest:
        """The conversion of its tool's report into a verdict."""
        return drift_test(self.tool)

    @property
    def floor(self) -> float:
        """The smallest effect that matters."""
        return self.at_most or self.test.floor

    @property
    def needs(self) -> Needs:
        """Its tool, and both windows."""
        return needs_of(self.kind, self.tool, self.drift.parts("drift"), fresh=self.drift.current)


class DataSuite(Record):
    """A data set and the expectations it must meet."""

    current: Data = Field(description="the data set")
    suite: RelativePath = Field(
        description="expectation suite (JSON)", examples=["expectations/fraud-inputs.json"]
    )


class DataGate(GateBase):
    """The data meets its expectations."""

    kind: ClassVar[str] = "data"
    tag: ClassVar[str] = "a data gate"
    key: ClassVar[str] = "data"
    data: DataSuite = Field(description="data set and suite")
    tool: _DataTool = Field("great-expectations", description="library that evaluates the suite")

    @property
    def needs(self) -> Needs:
        """Its tool, the suite and the data set."""
        found = needs_of(self.kind, self.tool, {("data", "current"): self.data.current})
        return replace(found, files=(self.data.suite,))


class ExplainGate(GateBase):
    """The model still decides for the same reasons."""

    kind: ClassVar[str] = "explain"
    tag: ClassVar[str] = "an explain gate"
    key: ClassVar[str] = "explain"
    explain: Windows = Field(description="windows whose attributions are compared")
    tool: _ExplainTool = Field("shap", description="library that attributes")
    at_most: float = Field(
        gt=0, le=1, description="half the L1 distance between normalised mean attributions", examples=[0.15]
    )
    rows: int = Field(500, ge=20, le=100_000, description="rows sampled per window")
    seed: int = Field(0, ge=0, description="seed of the sample")

    @property
    def needs(self) -> Needs:
        """Its tool, the model and both windows."""
        return replace(needs_of(self.kind, self.tool, self.explain.parts("explain")), model=True)


class CustomGate(GateBase):
    """Any program that writes a report of numbers against bounds."""

    kind: ClassVar[str] = "custom"
    tag: ClassVar[str] = "a custom gate"
    key: ClassVar[str] = "custom"
    custom: Line = Field(description="container image (name@sha256:…) or command that writes the report")
    args: list[Line] = Field([], description="arguments of the program")

    @property
    def needs(self) -> Needs:
        """Nothing: the program finds its inputs itself."""
        return Needs()

    @property
    def image(self) -> str | None:
        """None: the team supplies the image."""
        return None


GATE_KINDS: Final[tuple[type[GateBase], ...]] = (
    TestsGate,
    MetricGate,
    FairnessGate,
    DriftGate,
    DataGate,
    ExplainGate,
    CustomGate,
)
_KEYS: Final = {kind.key: kind.tag for kind in GATE_KINDS}

if TYPE_CHECKING:
    Gate = GateBase
    GateKind = str
else:
    GateKind = Literal[tuple(kind.kind for kind in GATE_KINDS)]
    Gate = Annotated[
        reduce(or_, (Annotated[kind, Tag(kind.tag)] for kind in GATE_KINDS)),
        Discriminator(
            by_key("gate", **_KEYS),
            custom_error_type="choice",
            custom_error_message=f"a gate needs one of these keys: {', '.join(_KEYS)}",
        ),
    ]


def gate_of(config: Any) -> GateBase:
    """Return the gate that a configuration describes.

    Raises:
        pydantic.ValidationError: it does not describe a gate.
    """
    from pydantic import TypeAdapter

    gate: GateBase = TypeAdapter[Any](Gate).validate_python(config)
    return gate
