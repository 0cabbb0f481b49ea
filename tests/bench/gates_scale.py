"""Gates on generated production data, next to pandas where that fits: `python -m tests.bench --gates 1,10,100`.

Each size is 30 days of 8 columns (tests/gates/production.py), written once and deleted afterwards. Drift of three columns, fairness
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
from generator.spec.gate_tools import ENGINE
from generator.spec.gates import DriftGate, gate_of
from tests.bench.measure import Call, call
from tests.gates.models import SCRIPTS
from tests.gates.production import END, FEATURES, FIRST, generate

LARGEST_FRAME = 10
"""Million rows up to which pandas runs: 100 million rows of it do not fit into 16 GB."""
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
current.isna().sum(), current["hour"].between(-6, 6).all(), current["amount"].between(-6, 6).all()
"""
_SUITE = {
    "name": "inputs",
    "expectations": [
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "amount"}},
        {"type": "expect_column_values_to_be_between", "kwargs": {"column": "hour", "min_value": -6, "max_value": 6}},
        {"type": "expect_column_values_to_be_between", "kwargs": {"column": "amount", "min_value": -6, "max_value": 6}},
    ],
}  # fmt: skip


def bench(folder: Path, millions: Sequence[int]) -> None:
    """Measure each size, and print a table, and the figures that are promised."""
    python = Environments(print).python(Tool(SCRIPTS, ENGINE, "drift"))
    print("million rows | gate      | wall s | CPU s | ns a row: wall | CPU | peak MB")
    seen: dict[tuple[int, str], Call] = {}
    for size in millions:
        place = folder / f"{size}m"
        place.mkdir()
        train, production = generate(place, size * 1_000_000)
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
        seen |= {(size, name): one for name, one in steps.items()}
        for name, one in steps.items():
            wall, cpu = (each * 1e9 / (size * 1e6) for each in (one.wall_s, one.cpu_s))
            print(
                f"{size:12} | {name:9} | {one.wall_s:6.1f} | {one.cpu_s:5.1f} | {wall:14.0f} | {cpu:3.0f} | {one.peak_mb:7.0f}",
                flush=True,
            )
        shutil.rmtree(place)
    if (LARGEST_FRAME, "pandas") in seen:
        frame, per = seen[LARGEST_FRAME, "pandas"], LARGEST_FRAME
        for size in millions:
            one = seen[size, "all three"]
            wall, cpu = (
                mine * per / (theirs * size)
                for mine, theirs in ((one.wall_s, frame.wall_s), (one.cpu_s, frame.cpu_s))
            )
            print(
                f"{size} million: {one.peak_mb:.0f} MB; of pandas' time a row at {per} million {wall:.3f}, of its CPU {cpu:.3f}"
            )


def _gate(name: str, python: Path, place: Path, train: Path, production: Path) -> Call:
    window = {"column": "at", "from": FIRST, "to": END}
    common = {"latest": "2026-12-01", "filter": {}, "rows": 100_000, "seed": 0, "columns": []}
    reference = {"name": "train", "files": [str(train)], **common}
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
            "features": list(FEATURES),
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
        windows = {"reference": "a", "current": {"data": "b"}, "features": list(FEATURES)}
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
    return call(list(map(str, command)), place, PYTHONPATH=str(SCRIPTS), TMPDIR=str(place))
