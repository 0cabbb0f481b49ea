"""Generated production of the fraud example: 30 days with a fixed seed, planted drift of `amount`, planted unfairness by `gender`.

Columns: `at`, the three features, two attributes, `label` and `prediction`; the digest of the model is in the name of a folder.
DuckDB writes it: at 500 million rows, 3 GB of Parquet.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import yaml

from generator.gates.environments import Environments
from generator.gates.tools import Tool
from generator.spec.evidence import EvidenceEntry
from generator.spec.gate_tools import ENGINE
from tests.gates.models import SCRIPTS
from tests.gates.tables import MODEL, run

DAYS: Final = 30
FIRST: Final = "2026-10-24"
END: Final = "2026-11-23"
"""The day after the last one."""
FEATURES: Final = ("amount", "hour", "merchant_risk")
SHIFT: Final = 0.4
"""Of the amounts of production, in standard deviations: a distance of 0.16."""
UNFAIR: Final = 0.3
"""How much more often predictions for women are wrong."""
_GENERATE: Final = f"""
import duckdb, sys
folder, rows, shift, days = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
con = duckdb.connect()
con.execute("SET enable_progress_bar = false; SET threads = 1; SET memory_limit = '512MiB'; SELECT setseed(0.22)")
for day in range(days):
    con.execute(f'''COPY (
        SELECT TIMESTAMP '{FIRST}' + INTERVAL ({{day}}) DAY + INTERVAL (n) HOUR AS "at", amount,
               ((n - 11.5) / 7)::FLOAT AS hour, risk AS merchant_risk, age_band, gender, label,
               CASE WHEN r < (CASE WHEN gender = 'female' THEN {UNFAIR + 0.05} ELSE 0.05 END)
                    THEN 1 - label ELSE label END AS prediction
        FROM (SELECT (2 * (random() + random() + random()) - 3 + {{shift}})::FLOAT AS amount, (i * 24 // {{rows}})::INT AS n,
                     ((random() * 16)::INT / 4 - 2)::FLOAT AS risk,
                     ['18-29', '30-49', '50-64', '65+'][1 + (i * 96 // {{rows}}) % 4] AS age_band,
                     CASE WHEN i * 192 // {{rows}} % 2 = 0 THEN 'female' ELSE 'male' END AS gender,
                     (random() < 0.3)::TINYINT AS label, random() AS r FROM range({{rows}}) t(i)))
        TO '{{folder}}/day-{{day:02}}.parquet' (FORMAT parquet, COMPRESSION zstd)''')
"""


def generate(folder: Path, rows: int, training: int = 1_000_000) -> tuple[Path, Path]:
    """Write a training table, and a partition for each day of production.

    Returns:
        the training table, and the folder of production.
    """
    train, production = folder / "train", folder / "production" / f"model={MODEL}"
    python = str(Environments(print).python(Tool(SCRIPTS, ENGINE, "drift")))
    for place, count, shift, days in ((train, training, 0.0, 1), (production, rows // DAYS, SHIFT, DAYS)):
        place.mkdir(parents=True)
        command = [python, "-c", _GENERATE, str(place), str(count), str(shift), str(days)]
        subprocess.run(command, check=True)
    return train / "day-00.parquet", production


def judged(folder: Path, name: str) -> EvidenceEntry:
    """Run `parity`, `drift` or `schema` of the fraud example on what `generate` wrote: the same gates, on a source."""
    risk = Path(__file__).resolve().parents[2] / "specs" / "risk"
    gates = yaml.safe_load((risk / "fraud.yaml").read_text())["spec"]["gates"]
    gate: dict[str, Any] = next(one for one in gates if one["name"] == name)
    source = {"data": "production/*/*.parquet", "window": {"column": "at", "days": DAYS, "to": END}}
    if name == "parity":
        gate["data"] = source
    elif name == "drift":
        gate["drift"] |= {"reference": "train/day-00.parquet", "current": source}
    else:
        shutil.copytree(risk / "expectations", folder / "expectations", dirs_exist_ok=True)
        gate |= {"data": {**gate["data"], "current": source}, "tool": "counts"}
    return run(folder, gate)
