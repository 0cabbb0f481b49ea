"""Engines that gates read tables in: PostgreSQL, Spark by Spark Connect, and ClickHouse's engine, each started on this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from generator.gates.environments import Environments
from generator.gates.tools import Tool
from generator.spec.gate_tools import ENGINE
from tests.gates.models import SCRIPTS
from tests.prometheus.server import until
from tests.tools.environment import environment
from tests.world.processes import accepts, free_address, started

VARIABLE: Final = "SLUICE_ENGINE_WAREHOUSE"
_STATEMENTS = "import json, sys; from _engine import connect; c = connect('warehouse'); [c.raw_sql(q) for q in json.loads(sys.argv[1])]"
Types = Mapping[str, str]
"""Type of each column: time, number, whole or text."""


@dataclass(frozen=True)
class Warehouse:
    """An engine.

    Args:
        start: runs it until the end of the block, and yields its address.
        types: its names of the types.
        table: statements that make a table of a CSV file: name, columns, path.
        torn: statements that make a table of a torn file: name, columns, and paths of a torn CSV and Parquet file.
    """

    start: Callable[[Path], AbstractContextManager[str]]
    types: Mapping[str, str]
    table: Callable[[str, str, Path], Sequence[str]]
    torn: Callable[[str, str, Path, Path], Sequence[str]]

    def columns(self, types: Types) -> str:
        """Return the definition of columns."""
        return ", ".join(f"{name} {self.types[kind]}" for name, kind in types.items())


def run_statements(address: str, statements: Sequence[str], folder: Path) -> None:
    """Run statements by the client that gates have."""
    tool = Tool(SCRIPTS, ENGINE, "drift")
    paths = os.pathsep.join((str(SCRIPTS), str(SCRIPTS / ENGINE)))
    command = [str(Environments(print).python(tool)), "-c", _STATEMENTS, json.dumps(statements)]
    variables = os.environ | {VARIABLE: address, "PYTHONPATH": paths, "TMPDIR": str(folder)}
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Yield the address of a PostgreSQL that lives in a folder, from Debian's package `postgresql`."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"))
    port = free_address().rpartition(":")[2]
    home = Path("/tmp", f"sluice-postgresql-{port}")
    home.mkdir(mode=0o700)
    shutil.chown(home, "postgres")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -k {home} -c fsync=off"
    _as_postgres([programs / "initdb", "-D", home / "data", "-A", "trust", "-E", "UTF8", "--locale=C"], home)
    log = home / "log"
    _as_postgres([programs / "pg_ctl", "-D", home / "data", "-l", log, "-o", options, "-w", "start"], home)
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        _as_postgres([programs / "pg_ctl", "-D", home / "data", "-m", "immediate", "stop"], home)
        shutil.copy(log, folder / "postgresql.log")
        shutil.rmtree(home)


def _as_postgres(command: Sequence[object], home: Path) -> None:
    subprocess.run(
        ["runuser", "-u", "postgres", "--", *map(str, command)],
        cwd=home,
        check=True,
        stdout=subprocess.DEVNULL,
    )


@contextmanager
def spark(folder: Path) -> Iterator[str]:
    """Yield the address of a local Spark with two threads, from PyPI's package `pyspark` and a Java of Debian."""
    address = free_address()
    python = environment("engines")
    home = next(python.parent.parent.glob("lib/python3*/site-packages/pyspark"))
    settings = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": address.rpartition(":")[2],
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.local.dir": str(folder / "spark"),
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(folder / "spark"),
        "spark.ui.enabled": "false",
    }
    server = "org.apache.spark.sql.connect.service.SparkConnectServer"
    set_ = [word for key, value in settings.items() for word in ("--conf", f"{key}={value}")]
    start = ["env", f"SPARK_HOME={home}", str(home / "bin" / "spark-submit"), "--master", "local[2]"]
    command = [*start, "--driver-memory", "2g", "--class", server, *set_, "spark-internal"]
    with started(folder, "spark", "", *command):
        until(lambda: accepts(address), 180, f"the start of Spark (log in {folder})")
        yield f"sc://{address}"


@contextmanager
def clickhouse(folder: Path) -> Iterator[str]:
    """Yield the address of ClickHouse's engine, from PyPI's package `chdb-core`, behind a stand-in for its server."""
    address = free_address()
    door = Path(__file__).with_name("clickhouse_http.py")
    command = [str(environment("engines")), str(door), address.rpartition(":")[2]]
    with started(folder, "clickhouse", f"http://{address}/ping", *command):
        yield f"clickhouse://{address}/default"


def _postgresql_torn(name: str, columns: str, csv: Path, _: Path) -> Sequence[str]:
    return (
        "CREATE EXTENSION IF NOT EXISTS file_fdw",
        "CREATE SERVER IF NOT EXISTS files FOREIGN DATA WRAPPER file_fdw",
        f"CREATE FOREIGN TABLE {name} ({columns}) SERVER files OPTIONS (filename '{csv}', format 'csv', header 'true')",
    )


def _clickhouse_table(name: str, columns: str, path: Path) -> Sequence[str]:
    return (
        f"CREATE TABLE {name} ({columns}) ENGINE = Memory",
        f"INSERT INTO {name} SELECT * FROM file('{path}', 'CSVWithNames', '{columns}')",
    )


WAREHOUSES: Final[Mapping[str, Warehouse]] = {
    "PostgreSQL": Warehouse(
        start=postgresql,
        types={"time": "timestamp", "number": "float8", "whole": "bigint", "text": "text"},
        table=lambda name, columns, path: (
            f"CREATE TABLE {name} ({columns})",
            f"COPY {name} FROM '{path}' CSV HEADER",
        ),
        torn=_postgresql_torn,
    ),
    "Spark": Warehouse(
        start=spark,
        types={"time": "TIMESTAMP", "number": "DOUBLE", "whole": "BIGINT", "text": "STRING"},
        table=lambda name, columns, path: (
            f"CREATE TABLE {name} ({columns}) USING csv OPTIONS (path '{path}', header 'true')",
        ),
        torn=lambda name, columns, _, parquet: (
            f"CREATE TABLE {name} ({columns}) USING parquet OPTIONS (path '{parquet}')",
        ),
    ),
    "ClickHouse (chdb)": Warehouse(
        start=clickhouse,
        types={
            "time": "Nullable(DateTime)",
            "number": "Nullable(Float64)",
            "whole": "Nullable(Int64)",
            "text": "Nullable(String)",
        },
        table=_clickhouse_table,
        torn=lambda name, columns, _, parquet: (
            f"CREATE VIEW {name} AS SELECT * FROM file('{parquet}', 'Parquet', '{columns}')",
        ),
    ),
}


def torn_files(folder: Path, whole: Path) -> tuple[Path, Path]:
    """Write the first half of a CSV file, which ends inside a row, and of a Parquet file with the same rows."""
    csv, parquet = folder / "torn.csv", folder / "torn.parquet"
    python = Environments(print).python(Tool(SCRIPTS, ENGINE, "drift"))
    code = "import duckdb, sys; duckdb.read_csv(sys.argv[1]).write_parquet(sys.argv[2])"
    subprocess.run([str(python), "-c", code, str(whole), str(parquet)], check=True)
    content = parquet.read_bytes()
    parquet.write_bytes(content[: len(content) // 2])
    lines = whole.read_text().splitlines(keepends=True)
    middle = len(lines) // 2
    csv.write_text("".join(lines[:middle]) + lines[middle].partition(",")[0])
    return csv, parquet
