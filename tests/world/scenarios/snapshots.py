"""Versions of Delta and Iceberg tables, on this machine and in a stand-in for S3: the counts of the files they name."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generator.spec.gate_tools import ENGINE
from tests.gates.tables import measured, write
from tests.gates.test_gates_scale import FEATURES, GOOD, WINDOW, day, joined, verdict_of
from tests.tools.environment import environment
from tests.world.processes import free_address, started
from tests.world.scenario import Result, Scenario

_STORE = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
_WRITE = """
import json, sys
import pyarrow.csv as csv
from deltalake import write_deltalake
from pyiceberg.catalog.sql import SqlCatalog
folder, files, endpoint = sys.argv[1], sys.argv[2:4], sys.argv[4]
if endpoint:
    import pyarrow.fs as fs
    options = {"AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": "true"}
    fs.S3FileSystem(endpoint_override=endpoint, allow_bucket_creation=True).create_dir("lake")
    place, settings = "s3://lake", {"s3.endpoint": endpoint}
else:
    place, options, settings = folder, {}, {}
first, second = map(csv.read_csv, files)
for table in (first, second):
    write_deltalake(f"{place}/delta", table, mode="append", storage_options=options)
catalog = SqlCatalog("c", uri=f"sqlite:///{folder}/catalog{bool(endpoint)}.db", warehouse=f"{place}/iceberg", **settings)
catalog.create_namespace("n")
found = catalog.create_table("n.t", schema=first.schema)
found.append(first)
at = found.current_snapshot().snapshot_id
found.append(second)
print(json.dumps({"delta": f"{place}/delta@0", "iceberg": f"{found.metadata_location.removeprefix('file://')}@{at}"}))
"""


def run(folder: Path) -> Result:
    """Write each table twice, and count its first version."""
    train = write(folder / "train.csv", joined([day(200 + number) for number in range(3)]))
    good = write(folder / "good.csv", joined(GOOD))
    more = write(folder / "more.csv", joined([day(100 + number, shift=0.6) for number in range(10)]))
    address = f"http://{free_address()}"
    python = environment("engines")
    server = ["-m", "moto.server", "-p", address.rpartition(":")[2]]
    with started(folder, "moto", f"{address}/moto-api/", str(python), *server):
        os.environ |= _STORE
        tables = {
            where: json.loads(_written(python, folder, good, more, endpoint))
            for where, endpoint in (("here", ""), ("s3", address))
        }
        os.environ["AWS_ENDPOINT_URL_S3"] = address
        sources: dict[str, Mapping[str, Any]] = {"files": {"files": [str(good)]}}
        for where, places in tables.items():
            sources |= {f"{kind}, {where}": {kind: place} for kind, place in places.items()}
            sources[f"later delta, {where}"] = {"delta": places["delta"].replace("@0", "@1")}
            sources[f"no delta, {where}"] = {"delta": places["delta"].replace("@0", "@7")}
        found = measured(ENGINE, {name: _ks(train, one) for name, one in sources.items()}, folder, "drift")
    verdicts = {name: verdict_of(report, "ks")[0] for name, report in found.items()}
    for name, verdict in verdicts.items():
        wanted = {"later": "fail", "no": "inconclusive"}.get(name.split()[0], "pass")
        assert verdict == wanted, (name, verdict, found[name].get("problem"))
        if verdict == "pass":
            assert found[name]["features"] == found["files"]["features"], name
    return Result(verdicts)


def _written(python: Path, folder: Path, good: Path, more: Path, endpoint: str) -> str:
    place = folder / "lake"
    place.mkdir(exist_ok=True)
    command = [str(python), "-c", _WRITE, str(place), str(good), str(more), endpoint]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def _ks(train: Path, source: Mapping[str, Any]) -> dict[str, Any]:
    common: Mapping[str, Any] = {"latest": "2026-12-01", "filter": {}}
    reference = {"name": "train", "files": [str(train)], **common}
    current = {"name": "current", **source, **common, "window": WINDOW}
    return {"features": FEATURES, "tool": "ks", "alpha": 0.05, "reference": reference, "current": current}


SCENARIO = Scenario(
    title="Gates on versions of Delta and Iceberg tables, in folders and behind a stand-in for S3",
    covers=("templates/gates/ibis-framework", "tests/pins/engines.txt"),
    run=run,
)
