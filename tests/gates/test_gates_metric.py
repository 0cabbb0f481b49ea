"""Metrics: JSON files, DVC's own output, MLflow runs in a SQLite store, and the champion row by row."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from generator.gates.adapters.metric import bounds, impossible, margin, not_worse
from generator.gates.environments import Environments
from generator.gates.errors import NoVerdictError
from generator.gates.metrics_file import Scores, lookup
from generator.gates.tools import Tool
from generator.spec.gates import MetricGate
from tests.gates.models import SCRIPTS
from tests.gates.tables import MODEL, OTHER, measured, normal, run, write

ACCURACY = {"metric": "accuracy", "atLeast": 0.92}


def metrics(folder: Path, content: object, **config: object):
    (folder / "metrics.json").write_text(json.dumps(content))
    return run(folder, {**ACCURACY, **config})


@pytest.mark.parametrize(
    ("rows", "value", "verdict"),
    # the smallest scores whose one-sided 95% Wilson bound reaches .92
    [(500, 470, "pass"), (500, 469, "inconclusive"), (2000, 1860, "pass"), (2000, 1859, "inconclusive"), (500, 440, "fail")],
)  # fmt: skip
def test_accuracy_on_known_rows(tmp_path: Path, rows, value, verdict) -> None:
    entry = metrics(tmp_path, {"model": MODEL, "accuracy": value / rows, "rows": rows})
    assert (entry.verdict, entry.binding) == (verdict, "digest")


def test_a_guaranteed_interval_asks_for_one_more() -> None:
    gate = MetricGate.model_validate({"name": "gate", **ACCURACY})
    found = [next(bounds(gate, Scores(n / 500, 500), guaranteed=True)).verdict for n in (470, 471)]
    assert found == ["inconclusive", "pass"]


def test_unknown_rows_have_no_interval_and_the_reason_says_so(tmp_path: Path) -> None:
    entry = metrics(tmp_path, {"model": MODEL, "accuracy": 0.93})
    assert (entry.verdict, entry.measures[0].interval) == ("pass", None)
    assert "the number of rows is unknown" in entry.reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"model": OTHER, "accuracy": 0.99}, "about another model"),
        ({"model": MODEL, "accurracy": 0.99}, "no `accuracy`"),
        ({"model": MODEL, "accuracy": "0.99"}, "not a number"),
        ({"model": MODEL, "accuracy": True}, "not a number"),
        ({"model": MODEL, "accuracy": float("nan")}, "not a number"),
        ({"model": MODEL, "train": {"accuracy": 0.99}, "test": {"accuracy": 0.9}}, "in 2 places"),
        ([1], "not a mapping"),
    ],
)  # fmt: skip
def test_what_is_no_metric_of_this_model(tmp_path: Path, content, reason) -> None:
    entry = metrics(tmp_path, content)
    assert (entry.verdict, reason in entry.reason) == ("inconclusive", True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"accuracy": 50, "model": "M", "rows": 2400}', "percent?"),
        ('{"accuracy": 96.2, "model": "M"}', "percent?"),
        ('{"accuracy": 1.5, "model": "M"}', "between 0 and 1"),
        ('{"accuracy": 1e308, "model": "M"}', "between 0 and 1"),
        ('{"accuracy": -0.1, "model": "M"}', "between 0 and 1"),
        ('{"accuracy": 0.5, "accuracy": 0.95, "model": "M"}', "occurs twice"),
        ('{"accuracy": 0.95, "model": "O", "model": "M"}', "occurs twice"),
        ('{"accuracy": 0.95, "test": {"rows": 1, "rows": 2}, "model": "M"}', "occurs twice"),
        ('{"accuracy": 0.95, "model": ["O"]}', "unknown form"),
        ('{"accuracy": 0.95, "model": {"digest": "O"}}', "unknown form"),
        ('{"accuracy": 0.95, "model": null}', "unknown form"),
        ('{"accuracy": 0.95, "model": "model 12"}', "unknown form"),
        ('{"accuracy": 0.95, "model": "M", "test": {"model": "O"}}', "another model"),
        ('{"accuracy": 0.95, "Model": "O"}', "is it `model`?"),
        ('{"accuracy": 0.95, "model": "M", "Accuracy": 0.5}', "is it `accuracy`?"),
        ('{"accuracy": 0.95, "model ": "O"}', "is it `model`?"),
        ('{"accuracy": 0.95, "mo\u200bdel": "O"}', "is it `model`?"),
        ('{"accuracy": 0.95, "\uff4dodel": "O"}', "is it `model`?"),
        ('{"accuracy": 0.95, "model": "M", "_accuracy": 0.5}', "is it `accuracy`?"),
        ("{" + "".join(f'"k{n}":0,' for n in range(100_000)) + '"k0":1}', "occurs twice"),
        ('{"accuracy": 0.95, "model": "M", "rows": true}', "positive whole number"),
        ('{"accuracy": 0.95, "model": "M", "rows": 0}', "positive whole number"),
        ('{"accuracy": 0.95, "model": "M", "rows": -5}', "positive whole number"),
        ('{"accuracy": 0.95, "model": "M", "rows": 2400.5}', "positive whole number"),
        ('{"accuracy": 0.95, "model": "M", "rows": "2400"}', "positive whole number"),
        ('{"accuracy": 0.95, "model": "M", "rows": [2400]}', "positive whole number"),
        ('{"accuracy": 0.95, "model": "M", "rows": 1' + "0" * 400 + "}", "too large"),
        ('{"accuracy": 1' + "0" * 400 + ', "model": "M"}', "too large"),
        ('{"accuracy": 1e999, "model": "M"}', "too large"),
        ('{"accuracy": 0.95, "model": "M", "a": {"rows": 5}, "b": {"rows": 6}}', "in 2 places"),
        ('{"accuracy": 0.95, "model": "M", "champion": 0.9}', "not a mapping"),
        ('{"accuracy": 0.95, "model": "M"} {}', "not valid JSON"),
        ("[" * 100_000, "nesting"),
    ],
)  # fmt: skip
def test_a_report_with_a_second_meaning_is_inconclusive(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "metrics.json").write_text(text.replace('"M"', f'"{MODEL}"').replace('"O"', f'"{OTHER}"'))
    entry = run(tmp_path, ACCURACY)
    assert (entry.verdict, reason in entry.reason) == ("inconclusive", True), entry.reason


def test_rows_are_those_next_to_the_metric_and_those_of_the_spec(tmp_path: Path) -> None:
    content = {"model": MODEL, "train": {"rows": 9000}, "test": {"accuracy": 0.95, "rows": 2400.0}}
    assert metrics(tmp_path, content).measures[0].samples == {"rows": 2400}
    assert metrics(tmp_path, content, rows=2400).verdict == "pass"
    assert "`rows: 5000`" in metrics(tmp_path, content, rows=5000).reason


@pytest.mark.parametrize(
    ("metric", "value", "fits"),
    [
        ("macro_f1", 93, False), ("f1-score", 1.2, False), ("ndcg_at_10", 31, False), ("roc_auc", 0.9, True),
        ("rmse", -1, False), ("rmse", 31, True), ("mcc", -0.4, True), ("mcc", 40, False), ("r2", -3, True),
        ("r2", 1.1, False), ("lift", 3.5, True), ("my_score", 50, True), ("testAccuracy", 50, False),
    ],
)  # fmt: skip
def test_a_value_outside_the_range_of_its_metric(metric: str, value: float, fits: bool) -> None:
    assert (impossible(metric, value) == "") is fits


def test_a_report_of_tomorrow_does_not_bind(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_text('{"accuracy": 0.95}')
    os.utime(path, (32472144000, 32472144000))
    assert "in the future" in run(tmp_path, ACCURACY).reason


def test_a_report_costs_its_size_however_deep_it_nests() -> None:
    nested: object = {"rows": 9}
    for _ in range(10_000):
        nested = [nested]
    assert lookup({"accuracy": 0.95, "more": nested}, "accuracy") == Scores(0.95, 9)


def test_a_torn_file(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text('{"accuracy": 0.9')
    assert "truncated?" in run(tmp_path, ACCURACY).reason


def test_an_old_file_that_names_no_model(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_text('{"accuracy": 0.95}')
    assert run(tmp_path, ACCURACY).binding == "time"
    os.utime(path, (0, 0))
    assert "older than the lock" in run(tmp_path, ACCURACY).reason


def test_metrics_as_dvc_prints_them(tmp_path: Path) -> None:
    """A real git and DVC repository: `dvc metrics show --json`."""
    dvc = str(Environments(print).python(Tool(Path(__file__).parent, "dvc", "none")))
    environment = {"PATH": os.defpath, "HOME": str(tmp_path), "DVC_NO_ANALYTICS": "1"}

    def call(*command: str) -> str:
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    call("git", "init", "-q")
    call(dvc, "-m", "dvc", "init", "-q")
    (tmp_path / "scores.json").write_text(json.dumps({"test": {"accuracy": 0.95, "rows": 2000}}))
    (tmp_path / "dvc.yaml").write_text("metrics:\n  - scores.json\n")
    printed = json.loads(call(dvc, "-m", "dvc", "metrics", "show", "--json"))
    assert "accuracy" not in printed
    assert lookup(printed, "accuracy") == Scores(0.95, 2000)


STORE = """
import sys
from mlflow.tracking import MlflowClient
client = MlflowClient(sys.argv[1])
experiment = client.create_experiment("tickets")
for model in sys.argv[2:]:
    run = client.create_run(experiment, tags={"sluice.model": model} if model != "-" else {}).info.run_id
    client.log_metric(run, "accuracy", 0.95)
    client.log_metric(run, "rows", 2000)
    client.log_metric(run, "loss", float("nan"))
    if model != "sha256:running":
        client.set_terminated(run)
    print("RUN", run)
"""


def test_runs_of_mlflow_in_a_sqlite_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = Environments(print).python(Tool(SCRIPTS, "mlflow", "run"))
    store = f"sqlite:///{tmp_path}/mlflow.db"
    command = [str(python), "-c", STORE, store, MODEL, OTHER, "-", "sha256:running"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    named, other, untagged, running = [
        line[4:] for line in done.stdout.splitlines() if line.startswith("RUN ")
    ]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)

    def read(run_id, metric="accuracy"):
        return run(tmp_path, {"metric": metric, "atLeast": 0.92, "source": f"mlflow:{run_id}"})

    entry = read(named)
    assert (entry.verdict, entry.binding, entry.tool) == ("pass", "digest", "mlflow")
    assert entry.measures[0].samples == {"rows": 2000}
    assert "about another model" in read(other).reason
    assert read(untagged).binding == "time"
    assert "not finished" in read(running).reason
    assert "no metric `loss`" in read(named, "loss").reason
    assert "can't be read" in read("0" * 32).reason


def gate(config):
    return MetricGate.model_validate({"name": "gate", "metric": "accuracy", "against": "champion", **config})


def champion(config, scores=None, paired=None):
    return not_worse(gate(config), scores or Scores(0.9), paired or {})


@pytest.fixture(scope="module")
def paired(tmp_path_factory):
    """What the bootstrap and the count of discordant rows say of tables."""
    folder = tmp_path_factory.mktemp("paired")
    n = 2000
    label = ["a"] * n

    def answers(wrong):
        return ["b" if index in wrong else "a" for index in range(n)]

    gain = [value * 0.05 for value in normal(400, 1)]
    tables = {
        "as good": {"label": label, "prediction": answers(range(40)), "champion": answers(range(20, 81))},
        "worse": {"label": label, "prediction": answers(range(160)), "champion": answers(range(20))},
        "ndcg": {"ndcg": [0.5 + value for value in gain], "champion_ndcg": [0.5] * 400},
        "bad row": {"ndcg": [0.5, ""], "champion_ndcg": [0.5, 0.5]},
        "alone": {"label": label, "prediction": label},
    }
    files = {name: str(write(folder / f"{name}.csv", table)) for name, table in tables.items()}
    asked = {
        name: {
            "files": [path],
            "metric": "ndcg" if "ndcg" in tables[name] else "accuracy",
            "share": True,
            "tail": 0.05,
        }
        for name, path in files.items()
    }
    return measured("scipy", asked, folder, "paired")


def test_rows_that_only_one_gets_right(paired) -> None:
    report = paired["as good"]["paired"]
    assert report == {"rows": 2000, "right": 1960, "championRight": 1939, "only": 41, "championOnly": 20}
    found = champion({"noWorseBy": "1pp"}, paired=report)
    assert (found.verdict, found.value) == ("pass", pytest.approx(21 / 2000))
    # the exact test of SciPy, an independent implementation
    from scipy.stats import binomtest

    assert found.details["McNemar p"] == pytest.approx(binomtest(20, 61).pvalue)


def test_a_worse_challenger_fails_on_the_same_rows(paired) -> None:
    found = champion({"noWorseBy": "1pp"}, paired=paired["worse"]["paired"])
    assert (found.verdict, found.value) == ("fail", pytest.approx(-0.07))


def test_the_bootstrap_agrees_with_the_normal_interval(paired) -> None:
    report = paired["ndcg"]["paired"]
    half = 1.6449 * 0.05 / 400**0.5
    assert report["high"] - report["low"] == pytest.approx(2 * half, rel=0.15)
    assert champion({"metric": "ndcg", "noWorseBy": "3%"}, paired=report).verdict == "pass"
    assert champion({"metric": "ndcg", "noWorseBy": "0%"}, paired=report).verdict == "inconclusive"


def test_a_row_without_a_number_is_a_problem(paired) -> None:
    assert "no number" in paired["bad row"]["problem"]


def test_a_table_without_a_champion_tells_nothing(paired) -> None:
    assert paired["alone"]["paired"] == {}


def test_two_scores_alone_say_that_they_are_not_paired() -> None:
    found = champion({"noWorseBy": "1pp"}, Scores(0.95, None, 0.955))
    assert (found.verdict, "not paired" in found.reason) == ("pass", True)
    assert champion({"noWorseBy": "1pp", "paired": True}, Scores(0.95, None, 0.90)).verdict == "inconclusive"
    assert (
        champion({"noWorseBy": "1pp"}, Scores(0.95, 500, 0.95)).verdict == "inconclusive"
    )  # too few unpaired rows
    with pytest.raises(
        NoVerdictError, match="both the champion's score and row-by-row predictions are missing"
    ):
        champion({}, Scores(0.95))


def test_two_models_without_a_right_answer_are_not_equal() -> None:
    """Labels `yes` and `no` against predictions 1 and 0: no row is right for either, and nothing was compared."""
    rows = {"rows": 2000, "right": 0, "championRight": 0, "only": 0, "championOnly": 0}
    mean = {"rows": 400, "value": 0.0, "champion": 0.0, "difference": 0.0, "low": 0.0, "high": 0.0}
    found = [
        champion({"noWorseBy": "1pp"}, paired=rows),
        champion({"metric": "ndcg", "noWorseBy": "1pp"}, paired=mean | {"draws": 2000, "seed": 1}),
        champion({"metric": "f1", "noWorseBy": "1pp"}, Scores(0.0, 500, 0.0)),
        champion({"noWorseBy": "1pp"}, Scores(0.0, 500, 0.0)),
    ]
    assert [one.verdict for one in found] == ["inconclusive"] * 4
    assert all("no answer of either model counts as right" in one.reason for one in found)
    assert champion({"noWorseBy": "1pp"}, paired=rows | {"right": 1, "only": 1}).verdict == "pass"
    assert champion({"metric": "gain", "noWorseBy": "1pp"}, Scores(0.0, None, 0.0)).verdict == "pass"


def test_margins() -> None:
    assert margin(gate({"noWorseBy": "1pp"}), 0.4) == pytest.approx(0.01)
    assert margin(gate({"noWorseBy": "1%"}), 0.4) == pytest.approx(0.004)
    assert margin(gate({}), 0.4) == 0.0
