"""Gates on generated production data, next to pandas where that fits: `python -m tests.bench --gates 1,10,100`.

Each size is 30 days of 8 columns, written once with a fixed seed and deleted afterwards. Drift of three columns, fairness
of two attributes and a suite run as the gates run them; the planted drift and the planted unfairness must be in the counts.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from generator.gates.adapters.drift import features_from_counts
from generator.gates.adapters.fairness import estimate
from generator.gates.environments import Environments
from generator.gates.tools import Tool
from generator.source.shipped import builtin_folder
from generator.spec.gate_tools import ENGINE
from generator.spec.gates import DriftGate, gate_of
from tests.bench.measure import Call, call

DAYS = 30
LARGEST_FRAME = 10
"""Million rows up to which pandas runs: 100 million rows of it do not fit into 16 GB."""
FEATURES = ["amount", "hour", "merchant_risk"]
SCRIPTS = builtin_folder() / "gates"
_GENERATE = """
import duckdb, sys
folder, rows, shift = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
con = duckdb.connect()
con.execute("SET threads = 1; SET memory_limit = '512MiB'; SELECT setseed(0.22)")
for day in range(int(sys.argv[4])):
    con.execute(f'''COPY (
        SELECT TIMESTAMP '2026-10-24' + INTERVAL ({day}) DAY + INTERVAL (hour) HOUR AS at, amount, hour, risk AS merchant_risk,
               age_band, gender, label,
               CASE WHEN r < (CASE WHEN gender = 'female' THEN 0.25 ELSE 0.05 END) THEN 1 - label ELSE label END AS prediction
        FROM (SELECT (-16 * ln(1 - random()) + {shift})::INT::FLOAT AS amount, (i * 24 // {rows})::INT AS hour,
                     (random() * 16)::INT::FLOAT AS risk,
                     ['18-29', '30-49', '50-64', '65+'][1 + (i * 96 // {rows}) % 4] AS age_band,
                     CASE WHEN i * 192 // {rows} % 2 = 0 THEN 'female' ELSE 'male' END AS gender,
                     (random() < 0.3)::TINYINT AS label, random() AS r FROM range({rows}) t(i)))
        TO '{folder}/day-{day:02}.parquet' (FORMAT parquet, COMPRESSION zstd)''')
"""
_PANDAS = """
import glob, sys
import pandas as pd
from scipy import stats
reference, current = pd.read_parquet(sys.argv[1]), pd.read_parquet(sys.argv[2])
for name in ("amount", "hour", "merchant_risk"):
    stats.ks_2samp(reference[name].to_numpy(float), current[name].to_numpy(float), method="asymp")
for name in ("age_band", "gender"):
    for _, part in current.groupby(name):
        positive, selected = part["label"] == 1, part["prediction"] == 1
        (positive & selected).sum(), selected.sum(), positive.sum()
current.isna().sum(), current["hour"].between(0, 23).all(), current["amount"].between(0, 1e6).all()
"""
_SUITE = {
    "name": "inputs",
    "expectations": [
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "amount"}},
        {"type": "expect_column_values_to_be_between", "kwargs": {"column": "hour", "min_value": 0, "max_value": 23}},
        {"type": "expect_column_values_to_be_between", "kwargs": {"column": "amount", "min_value": 0, "max_value": 1e6}},
    ],
}  # fmt: skip


def bench(folder: Path, millions: Sequence[int]) -> None:
    """Measure each size, and print a table."""
    python = Environments(print).python(Tool(SCRIPTS, ENGINE, "drift"))
    print("million rows | gate     | wall s | CPU s | CPU ns a row | peak MB")
    for size in millions:
        place = folder / f"{size}m"
        train, production = place / "train", place / "production"
        train.mkdir(parents=True)
        production.mkdir()
        _run([python, "-c", _GENERATE, train, 1_000_000, 0, 1], place)
        _run([python, "-c", _GENERATE, production, size * 1_000_000 // DAYS, 4, DAYS], place)
        steps = {
            name: _gate(name, python, place, train, production) for name in ("drift", "fairness", "data")
        }
        steps["all three"] = Call(
            sum(one.wall_s for one in steps.values()),
            sum(one.cpu_s for one in steps.values()),
            max(one.peak_mb for one in steps.values()),
            "",
        )
        if size <= LARGEST_FRAME:
            scipy = Environments(print).python(Tool(SCRIPTS, "scipy", "drift"))
            steps["pandas"] = _run([scipy, "-c", _PANDAS, train, production], place)
        for name, one in steps.items():
            row = one.cpu_s * 1e9 / (size * 1e6)
            print(
                f"{size:12} | {name:9} | {one.wall_s:6.1f} | {one.cpu_s:5.1f} | {row:12.0f} | {one.peak_mb:7.0f}",
                flush=True,
            )
        shutil.rmtree(place)


def _gate(name: str, python: Path, place: Path, train: Path, production: Path) -> Call:
    window = {"column": "at", "from": "2026-10-24", "to": "2026-11-23"}
    common = {"latest": "2026-12-01", "filter": {}, "rows": 100_000, "seed": 0, "columns": []}
    reference = {"name": "train", "files": sorted(map(str, train.glob("*"))), **common}
    current = {
        "name": "production",
        "files": sorted(map(str, production.glob("*"))),
        "window": window,
        **common,
    }
    (place / "suite.json").write_text(json.dumps(_SUITE))
    config = {
        "drift": {
            "reference": reference,
            "current": current,
            "features": FEATURES,
            "tool": "ks",
            "alpha": 0.05,
        },
        "fairness": {
            "source": current,
            "sensitive": ["age_band", "gender"],
            "measure": "equalised-odds-difference",
        },
        "data": {"source": current, "suite": str(place / "suite.json")},
    }[name]
    (place / "config.json").write_text(json.dumps(config))
    report = place / "report.json"
    done = _run([python, SCRIPTS / ENGINE / f"{name}.py", place / "config.json", report], place)
    print(f"  {name}: {_found(name, json.loads(report.read_text()))}")
    return done


def _found(name: str, report: dict) -> str:
    """What the counts say, which must be what was planted."""
    if "problem" in report:
        return str(report["problem"])
    if name == "drift":
        windows = {"reference": "a", "current": {"data": "b"}, "features": FEATURES}
        gate = gate_of({"name": "drift", "drift": windows})
        assert isinstance(gate, DriftGate)
        found = features_from_counts(gate, report["features"])
        return ", ".join(f"{key} {one['distance']:.4f} to {one['upper']:.4f}" for key, one in found.items())
    if name == "fairness":
        groups = {key: one["groups"] for key, one in report["attributes"].items()}
        values = {key: estimate("equalised-odds-difference", one)[0] or 0.0 for key, one in groups.items()}
        return ", ".join(f"{key} {value:.4f}" for key, value in values.items())
    return f"{report['rows']:,} rows, {report['unsuccessful']} expectations not met"


def _run(command: Sequence[object], place: Path) -> Call:
    return call(list(map(str, command)), place, PYTHONPATH=str(SCRIPTS))
