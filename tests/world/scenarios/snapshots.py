"""Versions of Delta and Iceberg tables, on this machine and in stand-ins for object stores: the counts of the files they name."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generator.spec.gate_tools import ENGINE
from tests.gates.models import SCRIPTS
from tests.gates.tables import measured, write
from tests.gates.test_gates_scale import FEATURES, GOOD, WINDOW, day, joined, verdict_of
from tests.tools.environment import environment
from tests.world.object_stores import stores
from tests.world.scenario import Result, Scenario

_WRITE = """
import json, os, sys, urllib.request
import pyarrow.csv as csv
import pyarrow.fs as fs
from _stores import STORES, Store, path_in
from deltalake import write_deltalake
from pyiceberg.catalog.sql import SqlCatalog
place, folder, files = sys.argv[1], sys.argv[2], sys.argv[3:5]
scheme = place.partition("://")[0] if "://" in place else ""
store = STORES[scheme](place) if scheme else Store(None, {}, {})
if scheme == "s3":
    urllib.request.urlopen(urllib.request.Request(os.environ["AWS_ENDPOINT_URL_S3"] + "/lake", method="PUT")).close()
elif scheme == "gs":
    wanted = urllib.request.Request(os.environ["STORAGE_EMULATOR_HOST"] + "/storage/v1/b?project=test", b'{"name": "lake"}')
    urllib.request.urlopen(wanted).close()
elif scheme:
    store.files.create_dir("lake")
first, second = map(csv.read_csv, files)
# fake-gcs-server does not take the uploads of deltalake, so the table is written here and copied.
if not os.path.exists(f"{folder}/delta"):
    for table in (first, second):
        write_deltalake(f"{folder}/delta", table, mode="append")
fs.copy_files(f"{folder}/delta", path_in(place) + "/delta", fs.LocalFileSystem(), store.files or fs.LocalFileSystem())
catalog = SqlCatalog("c", uri=f"sqlite:///{folder}/catalog{scheme}.db", warehouse=f"{place}/iceberg", **store.iceberg)
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
    (folder / "lake").mkdir()
    sources: dict[str, Mapping[str, Any]] = {"files": {"files": [str(good)]}}
    with stores(folder) as places:
        for where, place in {"here": str(folder / "lake"), **places}.items():
            written = json.loads(_written(place, folder, good, more))
            sources |= {f"{kind}, {where}": {kind: of} for kind, of in written.items()}
            for name, version in (("later", 1), ("no", 7)):
                sources[f"{name} delta, {where}"] = {"delta": f"{place}/delta@{version}"}
        found = measured(ENGINE, {name: _ks(train, one) for name, one in sources.items()}, folder, "drift")
    verdicts = {name: verdict_of(report, "ks")[0] for name, report in found.items()}
    for name, verdict in verdicts.items():
        wanted = {"later": "fail", "no": "inconclusive"}.get(name.split()[0], "pass")
        assert verdict == wanted, (name, verdict, found[name].get("problem"))
        if verdict == "pass":
            assert found[name]["features"] == found["files"]["features"], name
    return Result(verdicts)


def _written(place: str, folder: Path, good: Path, more: Path) -> str:
    """Write both tables at a place twice; return their first versions as JSON."""
    paths = os.pathsep.join((str(SCRIPTS), str(SCRIPTS / ENGINE)))
    command = [str(environment("engines")), "-c", _WRITE, place, str(folder), str(good), str(more)]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def _ks(train: Path, source: Mapping[str, Any]) -> dict[str, Any]:
    common: Mapping[str, Any] = {"latest": "2026-12-01", "filter": {}}
    reference = {"name": "train", "files": [str(train)], **common}
    current = {"name": "current", **source, **common, "window": WINDOW}
    return {"features": FEATURES, "tool": "ks", "alpha": 0.05, "reference": reference, "current": current}


SCENARIO = Scenario(
    title="Gates on versions of Delta and Iceberg tables, in folders and in stand-ins for S3, Google Cloud Storage and Azure",
    covers=("templates/gates/ibis-framework", "tests/pins/engines.txt", "tests/world/object_stores.py"),
    programs=("fakegcs", "azurite"),
    run=run,
)
