"""Opens a source of a gate in an engine: only the declared columns, days and rows, and only aggregates leave it.

A source is `files` (Parquet, CSV or JSON, read by DuckDB inside this process, within a bound of memory), a version of a
`delta` or `iceberg` table, which is files as well, or a `table` or a `query` of an `engine`. What would make aggregates
wrong without a trace is a problem: no rows, a time in the future, one entity with most rows; `_days` checks its days.
"""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import pyarrow.parquet as pq
from _queries import check_table, one_query
from _stores import files_of
from common import Problem

OWN_MIB = 384
"""Memory of the interpreter and the libraries, which the bound of DuckDB must leave."""
DEFAULT_MIB = 1024
HOT = 0.1
"""Share of all rows from which one entity is too many."""
SPILLS: list[tempfile.TemporaryDirectory[str]] = []
"""Folders that DuckDB spills to, removed when the process ends."""


@dataclass
class Opened:
    """A source: the rows to read, and what is known of it.

    `time` is the column with the time of a row, if any; `window` is its window of days, if any.
    """

    name: str
    rows: ibis.Table
    engine: str
    breaks: dict[str, str]
    time: str = ""
    window: dict[str, Any] | None = None
    days: tuple[str, ...] = ()

    def kind(self, name: str) -> str:
        """Numbers, text or nothing: the kind of a column's values."""
        if name not in self.rows.columns:
            return "missing"
        found = self.rows[name].type()
        return "numbers" if found.is_numeric() and not found.is_boolean() else "text"

    def number(self, name: str) -> Any:
        """A column as floating-point numbers; NaN is missing, as in a data frame."""
        value = self.rows[name].cast("float64")
        return value.nullif(float("nan")) if self.rows[name].type().is_floating() else value

    def fetch(self, aggregates: Any) -> Any:
        """Run a query, and return its table (Arrow).

        Raises:
            Problem: the engine ended it.
        """
        try:
            return aggregates.to_pyarrow()
        except Exception as error:
            raise Problem(f"{self.name} can't be read: {type(error).__name__}: {short(error)}") from error

    @property
    def day(self) -> Any:
        """The day of a row; one day without a column for it."""
        found = self.rows[self.time].cast("date") if self.time else ibis.date("1970-01-01")
        return found.name("day")


def connect(engine: str | None) -> Any:
    """DuckDB within the bound of memory, or an engine of the team by the address in its environment variable.

    Raises:
        Problem: the engine has no address, or can't be reached.
    """
    if engine is None:
        memory = int(os.environ.get("SLUICE_GATE_MEMORY_MIB", DEFAULT_MIB)) - OWN_MIB
        SPILLS.append(tempfile.TemporaryDirectory(prefix="sluice-spill-"))
        return ibis.duckdb.connect(memory_limit=f"{max(memory, 128)}MiB", temp_directory=SPILLS[-1].name)
    variable = f"SLUICE_ENGINE_{engine.upper().replace('-', '_')}"
    address = os.environ.get(variable)
    if not address:
        raise Problem(
            f"the engine {engine} has no address: set {variable}, for example postgresql://host/database"
        )
    try:
        return spark(address) if address.startswith("sc://") else ibis.connect(address)
    except Exception as error:
        # Messages of drivers may repeat the address, with its password.
        raise Problem(f"the engine {engine} can't be reached: {type(error).__name__}") from error


def spark(address: str) -> Any:
    """Spark by Spark Connect: its cluster does the work, and this process only drives it."""
    from pyspark.sql import SparkSession

    return ibis.pyspark.connect(SparkSession.builder.remote(address).getOrCreate())


def open_source(source: dict[str, Any], columns: list[str], connection: Any = None) -> Opened:
    """Open a source and check it, except for its days (`check_days`).

    Args:
        source: `files`, or `engine` with `table` or `query`; `window`, `filter`, `entity`, `latest`.
        columns: the columns that the gate reads.
        connection: an open one, so that both windows of a gate share it.

    Raises:
        Problem: it can't be read, or its rows can't be trusted.
    """
    connection = connection or connect(source.get("engine"))
    engine = f"{connection.name} {connection.version}"
    breaks: dict[str, str] = {}
    try:
        files, store = files_of(source)
        if store is not None:
            from pyarrow.dataset import dataset

            name = ibis.util.gen_name("source")
            connection.con.register(name, dataset(files, filesystem=store))
            found = connection.table(name)
        elif files:
            breaks = schema_breaks(files, columns)
            found = read_files(connection, files)
            if Path(files[0]).suffix != ".parquet":
                found = parsed(connection, found, source, columns)
        elif source.get("query"):
            found = connection.sql(one_query(source["query"], connection.dialect))
        else:
            check_table(source["table"])
            schema, _, table = source["table"].rpartition(".")
            found = connection.table(table, database=schema or None)
        window = source.get("window")
        opened = Opened(
            source["name"], narrowed(found, source), engine, breaks, time_of(found, source), window
        )
        check(opened, found, source)
    except Problem:
        raise
    except Exception as error:
        raise Problem(f"{source['name']} can't be read: {type(error).__name__}: {short(error)}") from error
    return opened


def short(error: Exception) -> str:
    """The first line of an error."""
    return (str(error).splitlines() or [""])[0][:300]


def read_files(connection: Any, files: list[str]) -> Any:
    """Files of one kind as one table."""
    readers = {
        ".parquet": connection.read_parquet,
        ".csv": connection.read_csv,
        ".json": connection.read_json,
    }
    suffixes = {Path(file).suffix for file in files}
    if len(suffixes) != 1 or not suffixes <= readers.keys():
        raise Problem(f"the files are {', '.join(sorted(suffixes))}: write one of .parquet, .csv and .json")
    hive = {"hive_partitioning": True} if "=" in str(Path(files[0]).parent) else {}
    return readers[suffixes.pop()](files, **hive)


def parsed(connection: Any, found: Any, source: dict[str, Any], columns: list[str]) -> Any:
    """Text files as a temporary table, so that each is parsed once; it spills to disk as everything else."""
    window = source.get("window") or {}
    known = {
        *source.get("filter", {}),
        window.get("column"),
        source.get("entity"),
        "model",
        "date",
        "timestamp",
    }
    wanted = [name for name in found.columns if not columns or name in known | set(columns)]
    if not wanted:
        return found
    return connection.create_table(ibis.util.gen_name("source"), found.select(wanted), temp=True)


def schema_breaks(files: list[str], columns: list[str]) -> dict[str, str]:
    """The columns whose kind is not the same in all Parquet files, and why; other files have no schema to compare."""
    breaks: dict[str, str] = {}
    first: dict[str, str] = {}
    for file in files if Path(files[0]).suffix == ".parquet" else ():
        schema = pq.read_schema(file)
        for name in columns:
            if f"/{name}=" in file:
                continue
            found = arrow_kind(schema.field(name).type) if name in schema.names else "missing"
            if first.setdefault(name, found) != found:
                breaks.setdefault(
                    name, f"the column `{name}` was {first[name]} and is {found} in {Path(file).name}"
                )
    return breaks


def arrow_kind(found: Any) -> str:
    """Numbers, times or text: the kind of a type of Arrow."""
    import pyarrow.types as types

    if types.is_integer(found) or types.is_floating(found) or types.is_decimal(found):
        return "numbers"
    return "a time" if types.is_temporal(found) else "text"


def narrowed(found: Any, source: dict[str, Any]) -> Any:
    """Only the declared rows."""
    for name, values in source.get("filter", {}).items():
        found = found.filter(found[name].isin(values if isinstance(values, list) else [values]))
    window = source.get("window")
    if window:
        time = found[window["column"]]
        found = found.filter(since(time, window["from"]), ~since(time, window["to"]))
    return found


def since(time: Any, day: str) -> Any:
    """Whether a time is on a day (UTC) or later; compared as times, so that statistics and indexes skip rows."""
    if not time.type().is_timestamp():
        return time.cast("date") >= ibis.date(day)
    zone = dt.UTC if time.type().timezone else None
    return time >= ibis.literal(dt.datetime.fromisoformat(day).replace(tzinfo=zone))


def time_of(found: Any, source: dict[str, Any]) -> str:
    """The column with the time of a row; empty without one."""
    if source.get("window"):
        return str(source["window"]["column"])
    return next((name for name in ("date", "timestamp") if name in found.columns), "")


def check(opened: Opened, everything: Any, source: dict[str, Any]) -> None:
    """Check what would make aggregates wrong without a trace.

    Raises:
        Problem: there are no rows, some are of the future, or one entity has too many rows.
    """
    name, window = source["name"], source.get("window")
    if opened.time:
        tomorrow = dt.date.fromisoformat(source["latest"]) + dt.timedelta(days=1)
        late = everything.filter(since(everything[opened.time], tomorrow.isoformat())).count().execute()
        if late:
            raise Problem(f"{late:,} rows of {name} have a time in the future: a clock is wrong")
    if not opened.rows.limit(1).count().execute():
        raise Problem(f"{name} has no rows" + (f" from {window['from']} to {window['to']}" if window else ""))
    if source.get("entity"):
        check_entity(opened.rows, source["entity"], name)


def check_entity(rows: Any, entity: str, name: str) -> None:
    """Check that no entity has more than a tenth of all rows."""
    largest = rows.group_by(entity).aggregate(rows=rows.count()).order_by(ibis.desc("rows")).limit(1)
    ((key, count),) = ((row[entity], row["rows"]) for row in largest.to_pyarrow().to_pylist())
    total = rows.count().execute()
    if count > HOT * total:
        raise Problem(f"{key!r} has {count:,} of the {total:,} rows of {name}: it would decide alone")
