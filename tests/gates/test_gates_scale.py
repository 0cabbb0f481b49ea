"""Sources of any size: an engine counts, and the counts give the verdicts that whole tables give."""

from __future__ import annotations

import datetime as dt
import json
import random
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from generator.gates.adapters import Claim
from generator.gates.adapters.data import measures_from_report as suite_measures
from generator.gates.adapters.drift import expected as drift_expected
from generator.gates.adapters.drift import features_from_counts, measures_from_report
from generator.gates.adapters.fairness import measure_from_report
from generator.gates.compare import _measures
from generator.gates.environments import Environments
from generator.gates.errors import NoVerdictError
from generator.gates.inputs import Inputs
from generator.gates.measures import worst
from generator.gates.staging import staged_files
from generator.gates.tools import Tool
from generator.plan.gates import gate_from, planned_gates, with_moving_windows
from generator.spec.gate_tools import ENGINE
from generator.spec.gates import DriftGate, FairnessGate, gate_of
from generator.spec.lock import LockFile
from tests.gates.models import SCRIPTS
from tests.gates.production import generate
from tests.gates.production import judged as judged_example
from tests.gates.tables import MODEL, lock, measured, run, write

DAYS = [(dt.date(2026, 10, 1) + dt.timedelta(days=number)).isoformat() for number in range(10)]
WINDOW = {"column": "at", "from": "2026-10-01", "to": "2026-10-11"}
ROWS = 1000
FEATURES = ["amount", "hour"]
Day = dict[str, list[Any]]


def day(number: int, rows: int = ROWS, shift: float = 0.0) -> Day:
    """One day of production."""
    rng = random.Random(number)
    return {
        "at": [f"{DAYS[number % 10]} {rng.randrange(24):02}:00:00" for _ in range(rows)],
        "amount": [round(rng.gauss(shift, 1.0), 6) for _ in range(rows)],
        "hour": [rng.randrange(24) for _ in range(rows)],
        "city": [rng.choice("abcc") for _ in range(rows)],
        "customer": [rng.randrange(10**6) for _ in range(rows)],
    }


def joined(days: Sequence[Day]) -> Day:
    return {name: list(chain.from_iterable(one[name] for one in days)) for name in days[0]}


def lake(folder: Path, name: str, days: Sequence[Mapping[str, Sequence[Any]]]) -> list[str]:
    """A folder with a partition for each day."""
    files = []
    for number, columns in enumerate(days):
        place = folder / name / f"part={number}"
        place.mkdir(parents=True)
        files.append(str(write(place / "rows.csv", columns)))
    return files


def python(code: str, folder: Path) -> None:
    """Run a program where the engine's libraries are: it writes Parquet."""
    interpreter = Environments(print).python(Tool(SCRIPTS, ENGINE, "drift"))
    done = subprocess.run([str(interpreter), "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


GOOD = [day(number) for number in range(10)]


def _bad(folder: Path) -> dict[str, dict[str, Any]]:
    """Sources that are wrong in one way each."""
    late = {**day(9), "at": ["2031-01-01 00:00:00"] * 3 + day(9)["at"][3:]}
    copied = {**day(4), "at": day(5)["at"]}
    parquet = folder / "parquet"
    parquet.mkdir()
    python(
        "import duckdb\n"
        "for n in range(4):\n"
        "    x = 'random()::VARCHAR' if n == 2 else 'random()'\n"
        "    duckdb.sql(f\"COPY (SELECT {x} AS amount, (24 * random())::INT AS hour, DATE '2026-10-01' + {n} AS at FROM range(500)) \"\n"
        "               f\"TO 'part-{n}.parquet' (FORMAT parquet)\")\n",
        parquet,
    )
    weekdays = lake(folder, "weekdays", [one for number, one in enumerate(GOOD) if number not in (2, 3, 9)])
    whole = (parquet / "part-1.parquet").read_bytes()
    (parquet / "part-1-torn.parquet").write_bytes(whole[: len(whole) // 2])
    return {
        "schema": {"files": [str(parquet / f"part-{n}.parquet") for n in (0, 1, 2)], "window": {**WINDOW, "to": "2026-10-04"}},
        "truncated": {"files": [str(parquet / "part-0.parquet"), str(parquet / "part-1-torn.parquet")]},
        "empty": {"window": {**WINDOW, "from": "2025-10-01", "to": "2025-10-11"}},
        "skew": {"files": lake(folder, "skew", [*GOOD[:9], late])},
        "copied day": {"files": lake(folder, "copied", [*GOOD[:5], copied, *GOOD[6:]])},
        "loaded twice": {"files": lake(folder, "twice", [*GOOD, GOOD[3]])},
        "hot key": {"entity": "customer", "files": lake(folder, "hot", [*GOOD[:9], {**day(9), "customer": [7] * ROWS}, {**day(19), "customer": [7] * ROWS, "at": day(9)["at"]}])},
        "half": {"files": lake(folder, "half", GOOD[::2])},
        "no weekends": {"files": weekdays},
        "declared": {"files": weekdays, "window": {**WINDOW, "gaps": ["saturday", "2026-10-04"]}},
        "other gaps": {"files": weekdays, "window": {**WINDOW, "gaps": ["saturday", "2026-10-05"]}},
        "no rows match": {"filter": {"city": "z"}},
        "no such column": {"filter": {"town": "z"}},
    }  # fmt: skip


@pytest.fixture(scope="module")
def reports(tmp_path_factory) -> dict[str, Any]:
    """What the engine counts of every source, and what SciPy says of the same rows in one file."""
    folder = tmp_path_factory.mktemp("scale")
    good = lake(folder, "good", GOOD)
    shifted = lake(folder, "shifted", [day(100 + number, shift=0.6) for number in range(10)])
    train = str(write(folder / "train.csv", joined([day(200 + number) for number in range(3)])))
    write(folder / "good.csv", joined(GOOD))
    write(folder / "shifted.csv", joined([day(100 + number, shift=0.6) for number in range(10)]))
    common = {"latest": "2026-12-01", "filter": {}, "window": WINDOW}
    currents = {"good": {"files": good}, "shifted": {"files": shifted}, **_bad(folder)}
    gaps = [{**one, "amount": [""] * (ROWS // 2) + one["amount"][ROWS // 2 :]} for one in GOOD]
    currents["gaps"] = {"files": lake(folder, "gaps", gaps)}
    configs, plain = {}, {}
    for tool in ("ks", "psi", "chi2"):
        features = ["city"] if tool == "chi2" else FEATURES
        for name, current in currents.items() if tool == "ks" else list(currents.items())[:2]:
            source = {"name": name, "files": good, **common, **current}
            reference = {"name": "train", "files": [train], "latest": "2026-12-01", "filter": {}}
            shared = {"features": features, "tool": tool, "alpha": 0.05}
            configs[f"{tool} {name}"] = {**shared, "reference": reference, "current": source}
            if name in ("good", "shifted"):
                plain[f"{tool} {name}"] = {
                    **shared,
                    "reference": train,
                    "current": str(folder / f"{name}.csv"),
                }
    return {
        "engine": measured(ENGINE, configs, folder, "drift"),
        "scipy": measured("scipy", plain, folder, "drift"),
    }


def judged(reports: dict[str, Any], name: str) -> tuple[str, str]:
    """The verdict on a source, and why."""
    return verdict_of(reports["engine"][name], name.partition(" ")[0])


def verdict_of(report: dict[str, Any], tool: str) -> tuple[str, str]:
    """The verdict on what an engine reports, and why."""
    if "problem" in report:
        return "inconclusive", report["problem"]
    gate = _gate(tool)
    found = measures_from_report(gate, {**report, "features": features_from_counts(gate, report["features"])})
    return worst(one.verdict for one in found), "; ".join(one.reason for one in found)


def _gate(tool: str) -> DriftGate:
    windows = {
        "reference": "train.csv",
        "current": {"data": "lake"},
        "features": ["city"] if tool == "chi2" else FEATURES,
    }
    gate = gate_of({"name": "drift", "drift": windows, "tool": tool})
    assert isinstance(gate, DriftGate)
    return gate


@pytest.mark.parametrize("name", ["good", "shifted"])
@pytest.mark.parametrize("tool", ["ks", "psi", "chi2"])
def test_counts_give_the_numbers_of_whole_tables(reports, tool, name) -> None:
    theirs = reports["scipy"][f"{tool} {name}"]["features"]
    ours = features_from_counts(_gate(tool), reports["engine"][f"{tool} {name}"]["features"])
    for feature, found in ours.items():
        assert found["rows"] == theirs[feature]["rows"]
        exact = theirs[feature]["distance"]
        if tool == "ks":
            assert found["distance"] - 1e-12 <= exact <= found["upper"] + 1e-12
            assert found["upper"] - found["distance"] < 0.005
        elif tool == "chi2":
            assert found["distance"] == pytest.approx(exact, abs=1e-12)
            assert found["p"] == pytest.approx(theirs[feature]["p"], abs=1e-9)
        else:
            assert found["distance"] == pytest.approx(exact, rel=0.1, abs=0.002)


@pytest.mark.parametrize("tool", ["ks", "psi"])
def test_planted_drift_fails_and_its_absence_passes(reports, tool) -> None:
    assert judged(reports, f"{tool} good")[0] == "pass"
    verdict, reason = judged(reports, f"{tool} shifted")
    assert (verdict, reason.startswith("amount is 0.")) == ("fail", True)


@pytest.mark.parametrize(
    ("name", "verdict", "said"),
    [
        ("schema", "fail", "`amount` was numbers and is text in part-2.parquet"),
        ("truncated", "inconclusive", "can't be read"),
        ("empty", "inconclusive", "no rows from 2025-10-01 to 2025-10-11"),
        ("skew", "inconclusive", "3 rows of skew have a time in the future"),
        ("copied day", "inconclusive", "2026-10-05 and 2026-10-06 have the same rows"),
        ("loaded twice", "inconclusive", "2026-10-04 has 2,000 rows, the median day 1,000"),
        ("hot key", "inconclusive", "7 has 2,000 of the 11,000 rows"),
        (
            "half",
            "inconclusive",
            "half has no rows on 5 of 10 days: 2026-10-02, 2026-10-04, 2026-10-06, 2026-10-08, 2026-10-10; load",
        ),
        (
            "no weekends",
            "inconclusive",
            "no rows on 3 of 10 days: 2026-10-03 to 2026-10-04, 2026-10-10; load",
        ),
        ("other gaps", "inconclusive", "no rows on 1 of 7 days: 2026-10-04; load"),
        ("no rows match", "inconclusive", "no rows"),
        ("no such column", "inconclusive", "can't be read"),
        ("gaps", "fail", "amount: more missing values is 0.5"),
    ],
)
def test_bad_data_never_passes(reports, name, verdict, said) -> None:
    found, reason = judged(reports, f"ks {name}")
    assert (found, said in reason) == (verdict, True), reason


def test_a_window_may_have_the_gaps_that_it_declares(reports) -> None:
    assert judged(reports, "ks declared")[0] == "pass"


@pytest.mark.parametrize("script", ["data", "fairness", "sample"])
def test_a_missing_day_is_named_by_every_gate(tmp_path: Path, script: str) -> None:
    """A whole window is measured, and the same window without its third day is not."""
    (tmp_path / "suite.json").write_text(
        json.dumps({"expectations": [{"type": "expect_column_to_exist", "kwargs": {"column": "at"}}]})
    )
    whole = {"at": [one for one in DAYS for _ in range(500)], **people(5000, 0.0)}
    holed = {
        name: [value for value, at in zip(column, whole["at"], strict=True) if at != DAYS[2]]
        for name, column in whole.items()
    }
    configs = {}
    for name, rows in {"whole": whole, "holed": holed}.items():
        source = {
            "name": name,
            "files": [str(write(tmp_path / f"{name}.csv", rows))],
            "latest": "2026-12-01",
            "window": WINDOW,
        }
        drawn = {
            **source,
            "columns": ["label"],
            "rows": 1000,
            "seed": 0,
            "to": str(tmp_path / f"{name}.parquet"),
        }
        configs[name] = {
            "data": {"suite": str(tmp_path / "suite.json"), "source": source},
            "fairness": {"source": source, "sensitive": ["gender"], "measure": "equalised-odds-difference"},
            "sample": {"sources": {"current": drawn}, "columns": [], "strata": []},
        }[script]
    found = measured(ENGINE, configs, tmp_path, script)
    assert "problem" not in found["whole"]
    assert "holed has no rows on 1 of 10 days: 2026-10-03;" in found["holed"]["problem"]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    lake(tmp_path, "lake", GOOD)
    write(tmp_path / "train.csv", joined([day(200 + number) for number in range(3)]))
    return tmp_path


def _drift(**source: Any) -> dict[str, Any]:
    current = {"data": "lake/*/*.csv", "window": {"column": "at", "days": 10}, **source}
    return {
        "name": "gate",
        "drift": {"reference": "train.csv", "current": current, "features": FEATURES},
        "tool": "ks",
    }


def _locked(repository: Path, day: str) -> LockFile:
    """A lock that was written on this day."""
    inputs = Inputs(repository, repository / "spec.yaml", lock(), repository)
    _, source = inputs.partitions("lake/*/*.csv")
    found = lock({"lake/*/*.csv": source.digest})
    data = {ref: one.model_copy(update={"at": f"{day}T09:30:00Z"}) for ref, one in found.data.items()}
    return found.model_copy(update={"data": data})


def test_the_evidence_says_what_was_read_and_can_be_computed_again(repository: Path) -> None:
    """A window without an end ends on the day of the lock, so that a second run reads the same rows."""
    config = _drift(filter={"city": ["a", "b"]}, window={"column": "at", "days": 5, "gaps": ["sunday"]})
    entry = run(repository, config, lock=_locked(repository, "2026-10-08"))
    assert (entry.verdict, entry.tool, entry.binding) == ("pass", ENGINE, "data")
    first = entry.measures[0]
    assert first.samples["current"] == sum(city in "ab" for one in GOOD[2:7] for city in one["city"])
    wanted = {
        "current read": "10 files, by SHA-256",
        "current window": "2026-10-03 to 2026-10-08; gaps: sunday",
        "current from": "2026-10-03",
        "current to": "2026-10-07",
    }
    assert wanted.items() <= first.details.items()
    claim = Claim(gate_from(config), entry, ("m", MODEL), {}, "sklearn", guaranteed=False)
    assert list(_measures(entry, drift_expected(claim), exact=True)) == []
    low = first.model_copy(update={"value": 0.001})
    forged = entry.model_copy(update={"measures": [low, *entry.measures[1:]]})
    with pytest.raises(NoVerdictError, match="does not follow"):
        drift_expected(Claim(gate_from(config), forged, ("m", MODEL), {}, "sklearn", guaranteed=False))


def test_the_files_must_be_those_of_the_lock(repository: Path) -> None:
    entry = run(repository, _drift(), lock=lock({"lake/*/*.csv": "sha256:" + "0" * 64}))
    assert (entry.verdict, "is not the locked data set" in entry.reason) == ("inconclusive", True)
    shutil.copy(repository / "lake/part=3/rows.csv", repository / "lake/part=4/rows.csv")
    entry = run(repository, _drift())
    assert (entry.verdict, "the same file twice" in entry.reason) == ("inconclusive", True)


def test_a_plan_fixes_windows_except_for_the_daily_watch() -> None:
    spec = gate_of(_drift())
    (planned,) = planned_gates([spec], [], MODEL, {}, {}, {"lake/*/*.csv": "2026-10-08T09:30:00Z"})
    assert planned.config["drift"]["current"]["window"] == {"column": "at", "days": 10, "to": "2026-10-08"}
    moving = with_moving_windows(planned)
    assert moving.config["drift"]["current"]["window"] == {"column": "at", "days": 10}


def test_partitions_are_staged_under_their_names(repository: Path) -> None:
    inputs = Inputs(repository, repository / "spec.yaml", lock(), repository)
    found = staged_files([gate_of(_drift())], inputs)
    assert found.problems == []
    assert sorted(found.files) == [f"lake/part={n}/rows.csv" for n in range(10)] + ["train.csv"]
    as_folder = staged_files([gate_of(_drift(data="lake"))], inputs)
    assert sorted(as_folder.files) == sorted(found.files)


def people(rows: int, unfair: float, *, gap: bool = False) -> dict[str, list[Any]]:
    rng = random.Random(3)
    gender = [rng.choice(["female", "male"]) for _ in range(rows)]
    label = [int(rng.random() < 0.5) for _ in range(rows)]
    right = [rng.random() < (0.9 - unfair * (one == "female")) for one in gender]
    prediction = [one if hit else 1 - one for one, hit in zip(label, right, strict=True)]
    if gap:
        gender[7] = ""
    return {"gender": gender, "label": label, "prediction": prediction, "model": [MODEL] * rows}


def test_planted_unfairness_fails_by_the_library_and_the_counts(tmp_path: Path) -> None:
    tables = {
        "unfair": people(20_000, 0.25),
        "fair": people(20_000, 0.0),
        "gap": people(20_000, 0.0, gap=True),
    }
    measure = "equalised-odds-difference"
    common = {"latest": "2026-12-01", "filter": {}}
    configs = {
        name: {
            "source": {"name": name, "files": [str(write(tmp_path / f"{name}.csv", rows))], **common},
            "sensitive": ["gender"],
            "measure": measure,
        }
        for name, rows in tables.items()
    }
    reports = measured(ENGINE, configs, tmp_path, "fairness")
    source = {"data": "people.csv"}
    gate = gate_of(
        {"name": "gate", "fairness": measure, "sensitive": ["gender"], "atMost": 0.1, "data": source}
    )
    assert isinstance(gate, FairnessGate)
    found = {
        name: measure_from_report(gate, "gender", reports[name]["attributes"]["gender"])
        for name in ("unfair", "fair")
    }
    assert (found["unfair"].verdict, found["unfair"].value) == ("fail", pytest.approx(0.25, abs=0.02))
    assert found["unfair"].details["fairlearn"] == found["unfair"].value
    assert found["fair"].verdict == "pass"
    assert reports["fair"]["models"] == [MODEL]
    assert "missing values" in reports["gap"]["problem"]


def test_a_suite_is_evaluated_on_all_rows(tmp_path: Path) -> None:
    source = {"name": "lake", "files": lake(tmp_path, "lake", GOOD), "latest": "2026-12-01", "filter": {}}

    def suite(name: str, *wanted: tuple[str, dict[str, Any]]) -> dict[str, Any]:
        listed = [{"type": f"expect_column_{kind}", "kwargs": kwargs} for kind, kwargs in wanted]
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({"name": name, "expectations": listed}))
        return {"suite": str(path), "source": {**source, "window": WINDOW}}

    there = ("values_to_not_be_null", {"column": "amount"})
    hours = {"column": "hour", "min_value": 0}
    cities = ("values_to_be_in_set", {"column": "city", "value_set": ["a", "b"]})
    configs = {
        "met": suite("met", ("values_to_be_between", {**hours, "max_value": 23}), there),
        "unmet": suite("unmet", ("values_to_be_between", {**hours, "max_value": 22}), there, cities),
        "strange": suite("strange", ("values_to_be_between", {"column": "city", "max_value": 9})),
        "unknown": suite("unknown", ("kl_divergence_to_be_less_than", {"column": "hour"})),
    }
    reports = measured(ENGINE, configs, tmp_path, "data")
    assert [one.verdict for one in suite_measures(reports["met"])] == ["pass", "pass"]
    evaluated, unmet = suite_measures(reports["unmet"])
    assert (evaluated.samples["rows"], unmet.verdict, unmet.value) == (10 * ROWS, "fail", 2.0)
    assert {name: part["unexpected"] for name, part in unmet.parts.items()} == {
        "expect_column_values_to_be_between(hour)": sum(hour == 23 for one in GOOD for hour in one["hour"]),
        "expect_column_values_to_be_in_set(city)": sum(city == "c" for one in GOOD for city in one["city"]),
    }
    (unmet,) = suite_measures(reports["strange"])[1:]
    (part,) = unmet.parts.values()
    assert (unmet.verdict, part) == ("fail", {"unexpected": 10 * ROWS, "raised": 1})
    assert "tool: great-expectations" in reports["unknown"]["problem"]


def test_a_version_of_a_delta_table_is_what_is_read(tmp_path: Path) -> None:
    """A later version, with other rows, does not change what a gate reads again."""
    good = str(write(tmp_path / "good.csv", joined(GOOD)))
    write(tmp_path / "more.csv", joined([day(100 + number, shift=0.6) for number in range(10)]))
    train = str(write(tmp_path / "train.csv", joined([day(200 + number) for number in range(3)])))
    python(
        "import deltalake, pyarrow.csv\n"
        "for name in ('good.csv', 'more.csv'):\n"
        "    deltalake.write_deltalake('delta', pyarrow.csv.read_csv(name), mode='append')\n",
        tmp_path,
    )
    inputs = Inputs(tmp_path, tmp_path / "spec.yaml", lock(), tmp_path)
    common = {"latest": "2026-12-01", "filter": {}, "window": WINDOW}
    shared = {"features": FEATURES, "tool": "ks", "alpha": 0.05}
    reference = {"name": "train", "files": [train], "latest": "2026-12-01", "filter": {}}
    sources = {"files": {"files": [good]}}
    sources |= {name: {"delta": inputs.snapshot(f"delta@{name}")} for name in ("0", "1", "9")}
    configs = {
        name: {**shared, "reference": reference, "current": {"name": name, **one, **common}}
        for name, one in sources.items()
    }
    found = measured(ENGINE, configs, tmp_path, "drift")
    assert found["0"]["features"] == found["files"]["features"]
    assert verdict_of(found["1"], "ks")[0] == "fail"
    assert "can't be read" in found["9"]["problem"]
    with pytest.raises(NoVerdictError, match="elsewhere is missing"):
        inputs.snapshot("elsewhere@0")
    config = _drift()
    config["drift"]["current"] = {
        "delta": "delta@0",
        "window": {"column": "at", "days": 10, "to": WINDOW["to"]},
    }
    entry = run(tmp_path, config)
    assert (entry.verdict, entry.sources[1].role, entry.sources[1].path) == (
        "pass",
        "snapshot",
        "delta:delta@0",
    )
    assert "not hashed" in str(entry.measures[0].details["current read"])


def test_the_fraud_example_names_the_planted_drift_and_unfairness(tmp_path: Path) -> None:
    """The code that `make test-world S=fraud_at_scale` runs on 500 million rows."""
    generate(tmp_path, 60_000, training=20_000)
    found = {name: judged_example(tmp_path, name) for name in ("drift", "parity", "schema")}
    verdicts = {name: entry.verdict for name, entry in found.items()}
    assert verdicts == {"drift": "fail", "parity": "fail", "schema": "pass"}, found
    assert found["drift"].reason.startswith("amount is 0.1")
    assert found["parity"].reason.startswith("gender is 0.1")
    assert [one.name for one in found["parity"].measures if one.verdict == "fail"] == ["gender"]
    assert [one.name for one in found["drift"].measures if one.verdict == "fail"] == ["amount"]
