"""Tables and queries that mean ill: metadata that names code or servers, files elsewhere, statements that write."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from generator.gates.environments import Environments
from generator.gates.errors import NoVerdictError
from generator.gates.inputs import Inputs
from generator.gates.tools import Tool
from generator.spec.gate_tools import ENGINE
from tests.gates.models import SCRIPTS
from tests.gates.tables import lock

_TABLE: dict[str, Any] = {
    "format-version": 2,
    "table-uuid": "9c12d441-03fe-4693-9a96-a0705ddf69c1",
    "last-sequence-number": 0,
    "last-updated-ms": 1602638573590,
    "last-column-id": 1,
    "current-schema-id": 0,
    "schemas": [
        {
            "type": "struct",
            "schema-id": 0,
            "fields": [{"id": 1, "name": "amount", "required": False, "type": "long"}],
        }
    ],
    "default-spec-id": 0,
    "partition-specs": [{"spec-id": 0, "fields": []}],
    "last-partition-id": 999,
    "default-sort-order-id": 0,
    "sort-orders": [{"order-id": 0, "fields": []}],
    "current-snapshot-id": -1,
    "snapshots": [],
}
_READS = (
    "SELECT * FROM risk.seen",
    "SELECT a, count(*) AS n FROM risk.seen WHERE b = 'x; DROP TABLE y' GROUP BY a",
    "WITH x AS (SELECT a FROM risk.seen) SELECT a FROM x UNION ALL SELECT 1",
    "SELECT s.a FROM risk.seen AS s JOIN risk.known AS k ON s.id = k.id -- both",
)
_REFUSED = (
    "DROP TABLE risk.seen",
    "INSERT INTO risk.seen SELECT 1",
    "SELECT 1; DROP TABLE risk.seen",
    "WITH gone AS (DELETE FROM risk.seen RETURNING *) SELECT * FROM gone",
    "SELECT * INTO risk.copy FROM risk.seen",
    "SELECT TRANSFORM (a) USING 'sh -c id' AS b FROM risk.seen",
    "SELECT reflect('java.lang.System', 'exit', 1)",
    "SELECT (SELECT java_method('java.lang.System', 'gc')) AS a FROM risk.seen",
    "SELECT * FROM csv.`/etc/passwd`",
    "SELECT * FROM url('http://evil.example.com', 'CSV')",
    "SELECT a FROM risk.seen WHERE a IN (SELECT a FROM read_files('x.csv', 'csv'))",
    "ADD JAR evil",
    "SET ROLE admin",
    "EXPLAIN ANALYZE DELETE FROM risk.seen",
    "SELECT * FROM " + "(" * 3000 + "risk.seen",
    "",
)


def in_engine(code: str, folder: Path, *arguments: str) -> str:
    """What a program prints that runs where the engine's libraries are, with the scripts of the gate."""
    interpreter = Environments(print).python(Tool(SCRIPTS, ENGINE, "drift"))
    paths = f"import sys; sys.path[:0] = {[str(SCRIPTS), str(SCRIPTS / ENGINE)]!r}\n"
    command = [str(interpreter), "-c", paths + code, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def table(folder: Path, properties: dict[str, str]) -> Path:
    """The metadata file of an empty Iceberg table."""
    (folder / "metadata").mkdir(parents=True)
    path = folder / "metadata/v1.metadata.json"
    path.write_text(json.dumps({**_TABLE, "location": str(folder), "properties": properties}))
    (folder / "metadata/version-hint.text").write_text("1")
    return path


_READ = """
import _metadata, _stores
for place in sys.argv[1:]:
    print(_stores.iceberg_files(place, 1, _stores.Store(None, {}, {})), _metadata.iceberg_table(place, {}).io.properties)
"""


def test_properties_of_an_iceberg_table_choose_no_code_and_no_server(tmp_path):
    marker = tmp_path / "ran"
    order = {"/bin/sh": "", "-c": "", f"touch {marker}": "", "py-io-impl": "subprocess.Popen"}
    hostile = table(tmp_path / "t", {**order, "s3.endpoint": "http://evil.example.com"})
    in_engine("import subprocess; subprocess.Popen(['/bin/sh', '-c', 'exit']).wait()", tmp_path)
    assert in_engine(_READ, tmp_path, str(hostile), str(tmp_path / "t")).splitlines() == ["[] {}"] * 2
    assert not marker.exists()


def test_a_version_hint_names_no_path(tmp_path):
    table(tmp_path / "t", {})
    (tmp_path / "t/metadata/version-hint.text").write_text("../../other/metadata/v1")
    code = "import _metadata\ntry: _metadata.iceberg_table(sys.argv[1], {})\nexcept _metadata.Problem as error: print(error)"
    assert "no file name" in in_engine(code, tmp_path, str(tmp_path / "t"))


_FILES = """
import pathlib, _metadata, _stores
from deltalake import write_deltalake
import pyarrow as pa
root = pathlib.Path(sys.argv[1])
for name in ("own", "other"):
    write_deltalake(str(root / name), pa.table({"amount": [1, 2, 3]}))
def told(call, *given):
    try:
        print(len(call(*given) or ()))
    except _metadata.Problem as error:
        print(error)
def read():
    told(lambda: _stores.files_of({"delta": f"{root}/own@0"})[0])
(own,), (other,) = ((root / name).glob("*.parquet") for name in ("own", "other"))
read()
own.unlink()
own.symlink_to(other)
read()
metadata = root / "ice/metadata/v1.metadata.json"
metadata.parent.mkdir(parents=True)
metadata.write_text("{}")
for place in (metadata, root / "ice"):
    told(_metadata.check_inside, [f"{root}/ice/data/1.parquet", f"{root}/ice/2.parquet"], place)
    for file in (other, f"{root}/ice/../other/x.parquet", "/etc/passwd", f"{root}/ice2/x.parquet"):
        told(_metadata.check_inside, [f"{root}/ice/data/1.parquet", str(file)], place)
"""


def test_a_table_has_no_file_outside_of_its_folder(tmp_path):
    outcomes = in_engine(_FILES, tmp_path, str(tmp_path)).splitlines()
    inside = [outcome for outcome in outcomes if outcome in {"0", "1"}]
    outside = [outcome for outcome in outcomes if "has a file outside of its folder" in outcome]
    assert outcomes[:1] == ["1"]
    assert (len(inside), len(outside), len(outcomes)) == (3, 9, 12), outcomes


def test_a_table_is_reached_through_no_link(tmp_path):
    table(tmp_path / "elsewhere/t", {})
    (tmp_path / "repository/data").mkdir(parents=True)
    (tmp_path / "repository/data/t").symlink_to(tmp_path / "elsewhere/t")
    root = tmp_path / "repository"
    inputs = Inputs(root=root, spec=root / "spec.yaml", lock=lock(), folder=None)
    with pytest.raises(NoVerdictError, match="link"):
        inputs.snapshot("data/t@1")
    (root / "data/own").mkdir()
    assert inputs.snapshot("data/own@1") == f"{root}/data/own@1"


_QUERY = """
import importlib, json, logging, _queries
logging.disable()
for name in ("pyspark", "postgres", "clickhouse", "trino"):
    dialect = importlib.import_module(f"ibis.backends.{name}").Backend.compiler.dialect
    for text in json.loads(sys.argv[1]):
        try:
            print("read", _queries.one_query(text, dialect).replace(chr(10), " "))
        except _queries.Problem as error:
            print("refused", error)
"""


def test_a_query_only_reads(tmp_path):
    printed = in_engine(_QUERY, tmp_path, json.dumps([*_READS, *_REFUSED])).splitlines()
    texts = [*_READS, *_REFUSED] * 4
    assert len(printed) == len(texts)
    for text, outcome in zip(texts, printed, strict=True):
        assert outcome.startswith("read" if text in _READS else "refused"), (text, outcome)
        assert "--" not in outcome


def test_the_name_of_a_table_is_no_path(tmp_path):
    code = """
import _queries
for name in sys.argv[1:]:
    try:
        print(_queries.check_table(name))
    except _queries.Problem as error:
        print(error)
"""
    good, *bad = in_engine(
        code, tmp_path, "risk.seen", "csv./etc/passwd", "parquet.s3a:x", "a\\b"
    ).splitlines()
    assert good == "None"
    assert len(bad) == 3
    assert all("is a path" in told for told in bad)
