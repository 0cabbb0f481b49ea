"""The same rows in files and in PostgreSQL: equal counts, equal verdicts, and bad data that passes on neither."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from generator.spec.gate_tools import ENGINE
from tests.gates.tables import measured, write
from tests.gates.test_gates_scale import FEATURES, GOOD, WINDOW, Day, day, joined, lake, verdict_of
from tests.world.scenario import Result, Scenario

VARIABLE = "SLUICE_ENGINE_WAREHOUSE"
_TYPES = {"at": "timestamp", "amount": "float8", "hour": "int", "city": "text", "customer": "bigint"}


def run(folder: Path) -> Result:
    """Count good and bad windows in both engines, and compare."""
    train = str(write(folder / "train.csv", joined([day(200 + number) for number in range(3)])))
    with postgresql(folder) as address:
        tables = _tables()
        for name, rows in tables.items():
            _load(address, name, rows)
        version = _psql(address, "SHOW server_version").strip()
        os.environ[VARIABLE] = address
        common = {"latest": "2026-12-01", "filter": {}, "window": WINDOW}
        reference = {"name": "train", "files": [train], "latest": "2026-12-01", "filter": {}}
        shared = {"features": FEATURES, "tool": "ks", "alpha": 0.05, "reference": reference}
        configs: dict[str, dict[str, Any]] = {}
        for name in tables:
            more = {"entity": "customer"} if name == "hot" else {}
            configs[f"ks {name}"] = {
                **shared,
                "current": {"name": name, "engine": "warehouse", "table": name, **common, **more},
            }
        empty = {**common, "window": {**WINDOW, "from": "2025-10-01", "to": "2025-10-11"}}
        source = {"name": "empty", "engine": "warehouse", "query": "SELECT * FROM good", **empty}
        configs["ks empty"] = {**shared, "current": source}
        configs["ks files"] = {
            **shared,
            "current": {"name": "files", "files": lake(folder, "good", GOOD), **common},
        }
        reports = measured(ENGINE, configs, folder, "drift")
    verdicts = {name.partition(" ")[2]: verdict_of(report, "ks")[0] for name, report in reports.items()}
    assert reports["ks good"]["features"] == reports["ks files"]["features"]
    assert verdicts["good"] == verdicts["files"] == "pass"
    assert verdicts["shifted"] == verdicts["text"] == "fail"
    assert {verdicts[name] for name in ("late", "copied", "twice", "hot", "empty")} == {"inconclusive"}, (
        verdicts
    )
    return Result({f"verdict on {name}": found for name, found in verdicts.items()}, {"PostgreSQL": version})


def _tables() -> Mapping[str, Day]:
    late = {**day(9), "at": ["2031-01-01 00:00:00"] * 3 + day(9)["at"][3:]}
    hot = {**day(19), "customer": [7] * len(day(19)["at"]), "at": day(9)["at"]}
    return {
        "good": joined(GOOD),
        "shifted": joined([day(100 + number, shift=0.6) for number in range(10)]),
        "late": joined([*GOOD[:9], late]),
        "copied": joined([*GOOD[:5], {**day(4), "at": day(5)["at"]}, *GOOD[6:]]),
        "twice": joined([*GOOD, GOOD[3]]),
        "hot": joined([*GOOD, hot, {**hot, "amount": day(29)["amount"]}]),
        "text": {**joined(GOOD), "amount": [f"{value} EUR" for value in joined(GOOD)["amount"]]},
    }


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Yield the address of a PostgreSQL that lives in a folder, from Debian's package `postgresql`."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
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


def _load(address: str, name: str, rows: Day) -> None:
    types = _TYPES | ({"amount": "text"} if name == "text" else {})
    columns = ", ".join(f"{column} {types[column]}" for column in rows)
    lines = "\n".join("\t".join(map(str, row)) for row in zip(*rows.values(), strict=True))
    _psql(address, f"CREATE TABLE {name} ({columns});\nCOPY {name} FROM stdin;\n{lines}\n\\.\n")


def _psql(address: str, text: str) -> str:
    command = ["psql", "-qtA", "-v", "ON_ERROR_STOP=1", address]
    return subprocess.run(command, input=text, check=True, capture_output=True, text=True).stdout


SCENARIO = Scenario(
    title="Gates on the rows of PostgreSQL: the counts of files, and bad data that never passes",
    covers=("templates/gates/ibis-framework", "generator/gates/adapters", "generator/stats/binned.py"),
    run=run,
)
