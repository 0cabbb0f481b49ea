"""SHAP: attributions of real models over two windows."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from generator.gates.adapters.explain import measure_from_report
from generator.gates.environments import Environments
from generator.gates.tools import Tool
from generator.spec.gates import ExplainGate
from tests.gates.models import SCRIPTS
from tests.gates.tables import measured, normal, run, write

TRAIN = """
import sys, joblib, numpy as np, pandas as pd, xgboost, lightgbm
from sklearn.linear_model import LogisticRegression
folder = sys.argv[1]
frame = pd.DataFrame(np.random.default_rng(0).normal(size=(800, 3)), columns=["a", "b", "c"])
# `b` counts only where `a` is large: when `a` moves, the reasons do.
label = (frame["a"] + 2 * frame["b"] * (frame["a"] > 1) > 0.5).astype(int)
xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(frame, label), 30).save_model(folder + "/xgboost.ubj")
lightgbm.train({"verbose": -1, "objective": "binary"}, lightgbm.Dataset(frame, label), 30).save_model(folder + "/lightgbm.txt")
joblib.dump(LogisticRegression().fit(frame, label), folder + "/sklearn.pkl")
"""
MODELS = {"xgboost": "xgboost.ubj", "lightgbm": "lightgbm.txt", "sklearn": "sklearn.pkl"}


def window(seed: int, shift: float = 0.0, rows: int = 400):
    return {"a": normal(rows, seed, shift), "b": normal(rows, seed + 1), "c": normal(rows, seed + 2)}


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explain")
    python = Environments(print).python(Tool(SCRIPTS, "shap", "run"))
    done = subprocess.run([str(python), "-c", TRAIN, str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    windows = {
        "reference": window(10), "same": window(20), "moved": window(30, 2.0), "short": window(40, rows=10),
        "renamed": {"a": [1.0], "b": [1.0], "d": [1.0]},
    }  # fmt: skip
    files = {name: str(write(folder / f"{name}.csv", columns)) for name, columns in windows.items()}
    asked = {}
    for framework, model in MODELS.items():
        for name in ("same", "moved", "short", "renamed"):
            config = {"model": str(folder / model), "framework": framework, "rows": 200, "seed": 7}
            asked[f"{framework} {name}"] = {**config, "reference": files["reference"], "current": files[name]}
    asked["again"] = asked["xgboost same"]
    asked["nothing"] = {**asked["xgboost same"], "framework": "lightgbm"}
    return measured("shap", asked, folder)


def judge(report, at_most=0.15):
    windows = {"reference": "a.csv", "current": "b.csv"}
    gate = ExplainGate.model_validate({"name": "reasons", "explain": windows, "atMost": at_most, "seed": 7})
    return measure_from_report(gate, report)


@pytest.mark.parametrize("framework", MODELS)
def test_the_same_reasons_pass(reports, framework) -> None:
    found = judge(reports[f"{framework} same"])
    assert found.verdict == "pass"
    assert found.samples == {"reference": 200, "current": 200, "seed": 7}
    assert sum(part["reference"] for part in found.parts.values()) == pytest.approx(1)


@pytest.mark.parametrize("framework", ["xgboost", "lightgbm"])
def test_other_reasons_fail(reports, framework) -> None:
    found = judge(reports[f"{framework} moved"], 0.04)
    assert found.verdict == "fail"
    half = sum(abs(part["reference"] - part["current"]) for part in found.parts.values()) / 2
    assert found.value == pytest.approx(half)


def test_a_seed_makes_it_repeatable(reports) -> None:
    assert reports["again"] == reports["xgboost same"]


def test_ten_rows_are_too_few(reports) -> None:
    assert judge(reports["xgboost short"]).verdict == "inconclusive"


@pytest.mark.parametrize(
    ("case", "said"), [("xgboost renamed", "lacks what the model wants: c"), ("nothing", "holds no lightgbm")]
)
def test_what_can_not_be_explained_says_why(reports, case, said) -> None:
    assert said in reports[case]["problem"]


def test_the_model_must_be_that_of_the_lock(tmp_path: Path) -> None:
    config = {
        "explain": {"reference": "a", "current": "b"},
        "tool": "shap",
        "atMost": 0.1,
        "rows": 50,
        "seed": 0,
    }
    assert "--model" in run(tmp_path, config).reason
    (tmp_path / "model.pkl").write_text("another")
    assert "not the locked model" in run(tmp_path, config, model=tmp_path / "model.pkl").reason
