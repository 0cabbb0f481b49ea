"""The same rows in files and in three engines: equal counts, equal verdicts, and bad data that passes on none."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generator.gates.adapters.data import measures_from_report as suite_measures
from generator.gates.adapters.fairness import measure_from_report
from generator.gates.measures import worst
from generator.spec.gate_tools import ENGINE
from generator.spec.gates import FairnessGate, gate_of
from tests.gates.tables import measured, write
from tests.gates.test_gates_scale import (
    FEATURES,
    GOOD,
    WINDOW,
    Day,
    day,
    joined,
    lake,
    people,
    verdict_of,
)
from tests.world.scenario import Result, Scenario
from tests.world.warehouses import VARIABLE, WAREHOUSES, Warehouse, run_statements, torn_files

_TYPES = {"at": "time", "amount": "number", "hour": "whole", "city": "text", "customer": "whole"}
_PEOPLE = {"gender": "text", "label": "whole", "prediction": "whole", "model": "text"}
_MEASURE = "equalised-odds-difference"
_COMMON: Mapping[str, Any] = {"latest": "2026-12-01", "filter": {}}
_EXPECTED = {
    "ks": {
        "good": "pass",
        "both": "pass",
        "shifted": "fail",
        "text": "fail",
        **dict.fromkeys(("late", "copied", "twice", "hot", "half", "empty", "torn"), "inconclusive"),
    },
    "chi2": {"good": "pass"},
    "suite": {"good": "pass", "text": "fail", "torn": "inconclusive"},
    "fairness": {"fair": "pass", "unfair": "fail", "gap": "inconclusive"},
}


def run(folder: Path) -> Result:
    """Count good and bad windows in each engine, and compare."""
    folder.chmod(0o755)  # PostgreSQL reads the files as its own user
    train = write(folder / "train.csv", joined([day(200 + number) for number in range(3)]))
    tables = {name: write(folder / f"{name}.csv", rows) for name, rows in _tables().items()}
    torn = torn_files(folder, tables["good"])
    suite = folder / "suite.json"
    suite.write_text(json.dumps(_SUITE))
    files = _reports(folder, train, suite, {name: {"files": [str(path)]} for name, path in tables.items()})
    lake_files = {"files": lake(folder, "lake", GOOD)}
    (parts,) = measured(
        ENGINE, {"parts": _ks(train, "good", lake_files, window=WINDOW)}, folder, "drift"
    ).values()
    assert parts["features"] == files["ks"]["good"]["features"]
    figures: dict[str, str | float] = {}
    versions = {}
    for title, warehouse in WAREHOUSES.items():
        with warehouse.start(folder) as address:
            _load(warehouse, address, {"train": train, **tables}, torn, folder)
            os.environ[VARIABLE] = address
            sources = {name: {"engine": "warehouse", "table": name} for name in (*tables, "torn")}
            sources["empty"] = {"engine": "warehouse", "query": "SELECT * FROM good"}
            found = _reports(folder, train, suite, sources)
        verdicts = _verdicts(found)
        assert verdicts == _EXPECTED, (title, verdicts)
        for kind, key in (
            ("ks", "features"),
            ("chi2", "features"),
            ("fairness", "attributes"),
            ("suite", "rows"),
        ):
            for name in set(files[kind]) & {"good", "shifted", "fair", "unfair"}:
                assert found[kind][name][key] == files[kind][name][key], (title, kind, name)
        assert found["ks"]["both"]["features"] == files["ks"]["good"]["features"]
        versions[title] = found["ks"]["good"]["engine"].partition(" ")[2]
        for kind, each in verdicts.items():
            figures[f"{title}, {kind}"] = ", ".join(f"{name} {verdict}" for name, verdict in each.items())
    return Result(figures, versions)


def _reports(
    folder: Path, train: Path, suite: Path, sources: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return what an engine counts, by gate and source."""
    tables = {name: one for name, one in sources.items() if name not in ("fair", "unfair", "gap")}
    dated = {**_COMMON, "window": WINDOW}
    drift = {
        f"ks {name}": _ks(train, name, one, window=WINDOW) for name, one in tables.items() if name != "train"
    }
    if "engine" in sources["good"]:
        both = _ks(train, "good", sources["good"], window=WINDOW)
        drift["ks both"] = {
            **both,
            "reference": {"name": "train", **_COMMON, "engine": "warehouse", "table": "train"},
        }
    drift["chi2 good"] = {
        **_ks(train, "good", sources["good"], window=WINDOW),
        "tool": "chi2",
        "features": ["city"],
    }
    checks = {
        f"suite {name}": {"suite": str(suite), "source": {"name": name, **sources[name], **dated}}
        for name in ("good", "text", "torn")
        if name in sources
    }
    fairness = {
        f"fairness {name}": {
            "source": {"name": name, **sources[name], **_COMMON},
            "sensitive": ["gender"],
            "measure": _MEASURE,
        }
        for name in ("fair", "unfair", "gap")
    }
    found = measured(ENGINE, drift, folder, "drift") | measured(ENGINE, checks, folder, "data")
    found |= measured(ENGINE, fairness, folder, "fairness")
    out: dict[str, dict[str, Any]] = {}
    for name, report in found.items():
        kind, _, source = name.partition(" ")
        out.setdefault(kind, {})[source] = report
    return out


def _ks(train: Path, name: str, source: Mapping[str, Any], *, window: Mapping[str, str]) -> dict[str, Any]:
    window = {**window, "from": "2025-10-01", "to": "2025-10-11"} if name == "empty" else window
    more = {"entity": "customer"} if name == "hot" else {}
    reference = {"name": "train", "files": [str(train)], **_COMMON}
    current = {"name": name, **source, **_COMMON, "window": window, **more}
    return {"features": FEATURES, "tool": "ks", "alpha": 0.05, "reference": reference, "current": current}


def _verdicts(found: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Return the verdict on each source, by gate, in the order of what is expected."""
    gate = gate_of(
        {
            "name": "gate",
            "fairness": _MEASURE,
            "sensitive": ["gender"],
            "atMost": 0.1,
            "data": {"data": "x.csv"},
        }
    )
    assert isinstance(gate, FairnessGate)

    def verdict(kind: str, report: dict[str, Any]) -> str:
        if "problem" in report:
            return "inconclusive"
        if kind == "suite":
            return worst(one.verdict for one in suite_measures(report))
        if kind == "fairness":
            return measure_from_report(gate, "gender", report["attributes"]["gender"]).verdict
        return verdict_of(report, kind)[0]

    return {
        kind: {name: verdict(kind, found[kind][name]) for name in names} for kind, names in _EXPECTED.items()
    }


def _load(
    warehouse: Warehouse, address: str, tables: Mapping[str, Path], torn: tuple[Path, Path], folder: Path
) -> None:
    statements: list[str] = []
    for name, path in tables.items():
        types = _PEOPLE if name in ("fair", "unfair", "gap") else _TYPES
        types = {**types, "amount": "text"} if name == "text" else types
        statements += warehouse.table(name, warehouse.columns(types), path)
    statements += warehouse.torn("torn", warehouse.columns(_TYPES), *torn)
    run_statements(address, statements, folder)


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
        "half": joined(GOOD[::2]),
        "text": {**joined(GOOD), "amount": [f"{value} EUR" for value in joined(GOOD)["amount"]]},
        "fair": people(20_000, 0.0),
        "unfair": people(20_000, 0.25),
        "gap": people(20_000, 0.0, gap=True),
    }


_SUITE = {
    "name": "inputs",
    "expectations": [
        {
            "type": "expect_column_values_to_be_between",
            "kwargs": {"column": "hour", "min_value": 0, "max_value": 23},
        },
        {
            "type": "expect_column_values_to_be_between",
            "kwargs": {"column": "amount", "min_value": -9, "max_value": 9},
        },
        {
            "type": "expect_column_mean_to_be_between",
            "kwargs": {"column": "amount", "min_value": -1, "max_value": 1},
        },
    ],
}

SCENARIO = Scenario(
    title="Gates on PostgreSQL, Spark and ClickHouse: the counts of files, and bad data that never passes",
    covers=(
        "templates/gates/ibis-framework",
        "generator/gates/adapters",
        "generator/stats/binned.py",
        "tests/world/warehouses.py",
        "tests/world/clickhouse_http.py",
        "tests/pins/engines.txt",
    ),
    run=run,
)
