"""The data that gates read: a file by its reference, or a source that an engine reads where it is."""

import hashlib
from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, StrictBool, StrictFloat, StrictInt, Tag

from generator.dataclass import dataclass
from generator.spec.gate_tools import Program, engine_programs, program
from generator.spec.record import Choice, Record
from generator.spec.types import Date, Key, Line, Name

DataRef = Annotated[
    Line,
    Field(
        description="a data set: dvc:path, s3://bucket/key, https://… or a path in this repository",
        examples=["dvc:data/train.parquet"],
    ),
]
Scalar = Line | StrictBool | StrictInt | StrictFloat
UNHASHED: Final = ("table:", "query:", "delta:", "iceberg:")
"""How names of data start whose digest covers its text only: the content of files is not hashed."""
Snapshot = Annotated[
    str,
    Field(
        pattern=r"^(?:s3://|gs://|abfss://[a-z0-9-]{3,63}@)?[A-Za-z0-9][A-Za-z0-9._=/-]{0,300}@[0-9]{1,20}$",
        max_length=400,
    ),
]
DRAWN: Final = 100_000
"""Rows of the sample for tools that need rows, unless a source declares them."""


Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def _gap(value: Any) -> str:
    return _DATE if str(value)[:1].isdigit() else _WEEKDAY


_WEEKDAY: Final = "a day of the week"
_DATE: Final = "a date"
Gap = Annotated[Annotated[Weekday, Tag(_WEEKDAY)] | Annotated[Date, Tag(_DATE)], Discriminator(_gap)]
"""A day of every week, or one day, on which a source has no rows and lacks none."""


class TimeWindow(Record):
    """Whole days (UTC) before an end that does not move: what a gate reads again is what it read before."""

    column: Key = Field(description="column with the time or the day of a row", examples=["at"])
    days: int = Field(ge=1, le=3660, description="number of days", examples=[30])
    to: Date | None = Field(
        None,
        description="day after the last one; default: the day on which the lock was written, in the daily watch today",
        examples=["2026-11-23"],
    )
    gaps: list[Gap] | None = Field(
        None,
        min_length=1,
        description="days that may have no rows: days of the week, or dates; any other day without rows makes the gate "
        "inconclusive",
        examples=[["saturday", "sunday", "2026-12-25"]],
    )


class DataSource(Choice):
    """Data of any size, which an engine reads: only the named columns, days and rows, and only aggregates leave it."""

    one_of = ("data", "delta", "iceberg", "table", "query")
    data: DataRef | None = Field(
        None,
        description="a file, a folder of partitions, or a pattern such as data/prod/*/*.parquet (Parquet, CSV, JSON)",
    )
    delta: Snapshot | None = Field(
        None,
        description="a version of a Delta table: folder@version, in this repository or at s3://, gs:// or abfss://",
        examples=["s3://lake/predictions@12", "abfss://lake@account.dfs.core.windows.net/predictions@12"],
    )
    iceberg: Snapshot | None = Field(
        None,
        description="a snapshot of an Iceberg table: folder@snapshot, or metadata file@snapshot",
        examples=["s3://lake/predictions@3051729675574597004"],
    )
    table: Line | None = Field(None, description="a table of the engine", examples=["risk.predictions"])
    query: Line | None = Field(None, description="a query in the engine's SQL")
    engine: Name | None = Field(
        None,
        description="engine of the platform (`gates.engines`) that has the table or runs the query; default: DuckDB, "
        "inside the gate, which reads `data`",
    )
    columns: list[Key] = Field(
        [], description="columns that samples contain; default: those that the gate names, or all"
    )
    window: TimeWindow | None = Field(None, description="the days that are read; default: all rows")
    filter: dict[Key, Scalar | list[Scalar]] = Field(
        {},
        description="only rows with this value, or one of these values, by column",
        examples=[{"country": ["DE", "AT"]}],
    )
    entity: Key | None = Field(
        None,
        description="column that identifies the person or thing of a row: the gate is inconclusive if one has more "
        "than a tenth of all rows",
        examples=["customer"],
    )
    rows: int = Field(DRAWN, ge=1000, le=1_000_000, description="rows of the sample for tools that need rows")
    seed: int = Field(0, ge=0, description="seed of that sample")

    @property
    def name(self) -> str:
        """Its name in locks and evidence."""
        if self.query is not None:
            return f"query:{hashlib.sha256(self.query.encode()).hexdigest()[:12]}@{self.engine}"
        if self.table is not None:
            return f"table:{self.table}@{self.engine}"
        return self.data or (f"delta:{self.delta}" if self.delta else f"iceberg:{self.iceberg}")


def _form(value: Any) -> str:
    return _SOURCE if isinstance(value, dict | DataSource) else _REFERENCE


_REFERENCE: Final = "a reference"
_SOURCE: Final = "a source"
Data = Annotated[
    Annotated[DataRef, Tag(_REFERENCE)] | Annotated[DataSource, Tag(_SOURCE)], Discriminator(_form)
]
"""A reference to a file, or a source that an engine reads."""


def named(data: str | DataSource) -> str:
    """Return the name of data in locks and evidence."""
    return data.name if isinstance(data, DataSource) else data


def proof_of(data: str | DataSource) -> Literal["data", "snapshot", "unbound"]:
    """Return what the digest of data proves: its bytes, the snapshot of a table, or only its name or query."""
    if not isinstance(data, DataSource) or data.data is not None:
        return "data"
    return "snapshot" if data.delta or data.iceberg else "unbound"


def _lockable(part: tuple[str, ...], data: str | DataSource) -> tuple[tuple[str, ...], str]:
    """Return the path in the gate of what the lock has to pin, and its name."""
    if not isinstance(data, DataSource):
        return part, data
    return (*part, next(key for key in data.one_of if getattr(data, key) is not None)), data.name


@dataclass(frozen=True, slots=True)
class Needs:
    """The scripts and inputs of a gate.

    Args:
        programs: scripts that it runs.
        comparisons: further scripts for tables of predictions.
        files: reports and suites, which are not in the lock.
        data: data sets, by their path in the gate.
        fresh: the data set that changes every day; empty for none.
        predictions: it reads tables of predictions.
        model: it reads the model's own file or folder.
        sources: what an engine reads, by its path in the gate.
    """

    programs: tuple[Program, ...] = ()
    comparisons: tuple[Program, ...] = ()
    files: tuple[str, ...] = ()
    data: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    fresh: str = ""
    predictions: bool = False
    model: bool = False
    sources: Mapping[tuple[str, ...], DataSource] = field(default_factory=dict)

    @property
    def engine(self) -> bool:
        """Whether an engine reads its data; then its first program does."""
        return bool(self.sources)


def needs_of(
    kind: str,
    tool: str,
    data: Mapping[tuple[str, ...], str | DataSource | None],
    fresh: str | DataSource | None = None,
) -> Needs:
    """Return the needs of a gate that reads data: a source is read by an engine, which aggregates or draws a sample."""
    own = program(kind, tool)
    sources = {part: item for part, item in data.items() if isinstance(item, DataSource)}
    return Needs(
        programs=engine_programs(kind, own) if sources else (own,),
        data=dict(_lockable(part, item) for part, item in data.items() if item is not None),
        fresh=named(fresh) if fresh is not None else "",
        predictions=not any(data.values()),
        sources=sources,
    )
