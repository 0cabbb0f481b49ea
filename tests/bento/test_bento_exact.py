"""No value is cast: the model sees what the client sent, or the client is answered 400 with the name of the column."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from generator.plan.bento import Bento
from generator.plan.column import Column
from tests.bento.bentos import BENTOS
from tests.bento.serving import GetBuilt, Serve, checked, run, train, write

pytestmark = pytest.mark.slow
ROW = {"n": 1, "i": 2, "x": 0.5, "b": False, "s": "a", "d": "2026-11-30"}

WRONG = [
    ("n", 5.9),
    ("n", 5.0),
    ("n", "7"),
    ("n", True),
    ("n", None),
    ("n", 2**63),
    ("i", 3_000_000_000),
    ("i", -3_000_000_000),
    ("b", "false"),
    ("b", 0.3),
    ("b", 1),
    ("s", 5),
    ("s", None),
    ("x", "0.5"),
    ("x", True),
    ("d", 5),
    ("d", "yesterday"),
    ("o", "2"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_signature_is_enforced(served: Serve, name: str, value: object) -> None:
    """As MLflow's Python API does, and its own server does not."""
    status, answer = served("typed").post("/predict", {"rows": [ROW, {**ROW, name: value}]})
    assert status == 400, answer
    assert f"column '{name}'" in answer["error"]


@pytest.mark.parametrize(
    "changed",
    [{}, {"n": 2**63 - 1}, {"i": -(2**31)}, {"x": 3}, {"x": 2**-20}, {"o": None}, {"o": 2}, {"s": ""}],
)
def test_what_the_types_have_reaches_the_model_as_it_is(served: Serve, changed: dict) -> None:
    row = {**ROW, **changed}
    status, answer = served("typed").post("/predict", {"rows": [row]})
    assert status == 200, answer
    assert answer["predictions"] == [{"o": None, **row, "d": "2026-11-30T00:00:00"}]


PROBE = """
import json
import sys
from pathlib import Path

from predictor import Predictor

model = Predictor(Path(sys.argv[1]))
for row in json.loads(sys.argv[2]):
    try:
        print(json.dumps([model.predict(model.encode([row]))[0], ""], default=str))
    except ValueError as error:
        print(json.dumps([None, str(error)]))
"""


def answers(python: Path, folder: Path, bento: Bento, artifact: Path, rows: list) -> list[tuple]:
    """Prediction and refusal of each row by the rendered predictor alone."""
    write(bento, folder / "rendered")
    (folder / "rendered" / "probe.py").write_text(PROBE)
    done = run(python, folder / "home", "probe.py", str(artifact), json.dumps(rows), cwd=folder / "rendered")
    return [tuple(json.loads(line)) for line in checked(done).splitlines()]


def test_types_of_a_graph_are_checked(python: Path, tmp_path: Path) -> None:
    artifact = train("summed", python, tmp_path / "trained")
    (tmp_path / "model").mkdir()
    shutil.copy(artifact, tmp_path / "model")
    bento = replace(BENTOS["vision"], inputs=())
    wrong = [{"n": 1.9, "x": 2.5}, {"n": "1", "x": 2.5}, {"n": None, "x": 1}, {"n": 2**63, "x": 1}]
    found = answers(
        python, tmp_path, bento, tmp_path / "model", [{"n": 1, "x": 2.5}, *wrong, {"n": 1, "x": "2"}]
    )
    assert found[0] == (3.5, "")
    assert all(answer is None and "column 'n'" in text for answer, text in found[1:-1]), found
    assert "column 'x': the model takes float32, not str" in found[-1][1]


def test_declared_columns_fit_the_width_of_the_signature(
    built: GetBuilt, python: Path, tmp_path: Path
) -> None:
    kinds = {
        "n": "number",
        "i": "integer",
        "x": "number",
        "b": "boolean",
        "s": "string",
        "d": "string",
        "o": "number",
    }
    columns = tuple(Column(name, kind, nullable=name == "o") for name, kind in kinds.items())
    bento = replace(BENTOS["typed"], inputs=columns)
    row = {**ROW, "n": 7.0, "o": 1.5}  # a number that is declared is a float, and 7.0 is the integer 7
    rows = [row, {**row, "n": 7.5}, {**row, "i": 3_000_000_000}]
    found = answers(python, tmp_path, bento, built("typed").folder / "trained" / "artifact", rows)
    assert found[0][0]["n"] == 7
    assert "column 'n'" in found[1][1]
    assert "column 'i': the number is outside the range of int32" in found[2][1]


def test_numbers_of_a_matrix_are_numbers(built: GetBuilt, python: Path, tmp_path: Path) -> None:
    bento = replace(BENTOS["fraud"], inputs=())
    good = {"amount": 1.0, "hour": 2, "merchant_risk": None}
    rows = [good, {**good, "hour": "7"}, {**good, "hour": True}, {**good, "hour": 1e39}]
    found = answers(
        python, tmp_path, bento, next((built("fraud").folder / "trained").glob("artifact*")), rows
    )
    assert found[0][1] == ""
    assert all("column 'hour'" in text for _, text in found[1:]), found
