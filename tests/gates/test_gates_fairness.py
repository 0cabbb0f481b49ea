"""Fairness by the real libraries: what they let pass without a reason must not pass here."""

from __future__ import annotations

import pytest

from generator.gates.adapters.fairness import estimate, measure_from_report
from generator.spec.gates import FairnessGate
from tests.gates.tables import groups, measured, write

DIFFERENCE, RATIO, ODDS = (
    "demographic-parity-difference",
    "demographic-parity-ratio",
    "equalised-odds-difference",
)
FAIR = groups(female=(500, 1000), male=(505, 1000))
TABLES = {
    "fair": FAIR,
    "unfair": groups(female=(300, 1000), male=(505, 1000)),
    "close": groups(female=(60, 200), male=(44, 200)),
    "one group": groups(female=(50, 100)),
    "strings": {
        **groups(female=(10, 100), male=(90, 100)),
        **{key: ["yes"] * 10 + ["no"] * 90 + ["yes"] * 90 + ["no"] * 10 for key in ("label", "prediction")},
    },
    "three classes": {**groups(female=(50, 100), male=(50, 100)), "prediction": [0, 1, 2, 1] * 50},
    "three rows": groups(female=(500, 1000), male=(505, 1000), other=(3, 3)),
    "unfair with three rows": groups(female=(300, 1000), male=(505, 1000), other=(1, 3)),
    "empty": groups(),
    "missing": {**groups(female=(5, 100), male=(5, 100)), "gender": [""] * 200},
    "no attribute": {"label": [1, 0], "prediction": [1, 0]},
    "other labels": {**FAIR, "label": [1] * 600 + [0] * 400 + [1] * 505 + [0] * 495},
}
CASES = {
    **{name: (name, DIFFERENCE) for name in TABLES},
    "odds": ("fair", ODDS), "unfair odds": ("other labels", ODDS), "ratio": ("fair", RATIO),
    "unfair ratio": ("unfair", RATIO),
}  # fmt: skip


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """What each library says of each table."""
    folder = tmp_path_factory.mktemp("fairness")
    files = {name: str(write(folder / f"{name}.csv", table)) for name, table in TABLES.items()}
    configs = {
        case: {"files": [files[table]], "sensitive": ["gender"], "measure": wanted}
        for case, (table, wanted) in CASES.items()
    }
    return {tool: measured(tool, configs, folder) for tool in ("fairlearn", "aequitas")}


@pytest.fixture(params=["fairlearn", "aequitas"])
def tool(request: pytest.FixtureRequest) -> str:
    return request.param


def fairness(**config):
    return FairnessGate.model_validate({"name": "parity", "sensitive": ["gender"], "minGroup": 30, **config})


@pytest.fixture
def judge(reports):
    def judge(tool, case):
        wanted = CASES[case][1]
        bound = {"atLeast": 0.8} if wanted == RATIO else {"atMost": 0.1}
        gate = fairness(fairness=wanted, tool=tool, **bound)
        return measure_from_report(gate, "gender", reports[tool][case]["attributes"]["gender"])

    return judge


@pytest.mark.parametrize(
    ("case", "verdict", "value"),
    [
        ("fair", "pass", 0.005), ("unfair", "fail", 0.205), ("close", "inconclusive", 0.08), ("odds", "pass", 0.0),
        ("unfair odds", "fail", 1 / 6), ("ratio", "pass", 500 / 505), ("unfair ratio", "fail", 300 / 505),
    ],
)  # fmt: skip
def test_both_libraries_agree_and_the_interval_decides(judge, tool, case, verdict, value) -> None:
    found = judge(tool, case)
    assert (found.verdict, found.value) == (verdict, pytest.approx(value))
    assert found.details[tool] == pytest.approx(value)


def test_the_interval_is_newcombes(judge, tool) -> None:
    # Newcombe's hybrid score interval (Statistics in Medicine 17, 1998)
    assert judge(tool, "close").interval.high == pytest.approx(0.164545, abs=1e-6)


@pytest.mark.parametrize("case", ["one group", "strings"])
def test_fairlearn_says_zero_where_nothing_was_compared_and_we_do_not(reports, judge, case) -> None:
    assert reports["fairlearn"][case]["attributes"]["gender"]["value"] == 0.0
    assert judge("fairlearn", case).verdict == "inconclusive"


@pytest.mark.parametrize("case", ["one group", "strings", "three classes", "three rows"])
def test_vacuous_is_inconclusive_by_both(judge, tool, case) -> None:
    assert judge(tool, case).verdict == "inconclusive"


def test_a_group_of_three_rows_is_named(reports, judge, tool) -> None:
    assert reports[tool]["three rows"]["attributes"]["gender"]["value"] == pytest.approx(0.5)
    found = judge(tool, "three rows")
    assert (found.value, found.samples["other"]) == (pytest.approx(0.005), 3)
    assert "other" in found.reason


def test_small_groups_do_not_save_an_unfair_model(judge, tool) -> None:
    assert judge(tool, "unfair with three rows").verdict == "fail"


@pytest.mark.parametrize(
    ("case", "reason"),
    [("empty", "no rows"), ("missing", "missing values"), ("no attribute", "lacks gender")],
)
def test_what_can_not_be_measured_says_why(reports, tool, case, reason) -> None:
    assert reason in reports[tool][case]["problem"]


def test_a_library_that_contradicts_its_counts_is_not_believed() -> None:
    counts = {"rows": 100, "selected": 50, "positives": 50, "truePositives": 50, "falsePositives": 0}
    report = {"value": 0.01, "binary": True, "groups": {"a": counts, "b": {**counts, "selected": 90}}}
    gate = fairness(fairness=DIFFERENCE, tool="fairlearn", atMost=0.1)
    assert measure_from_report(gate, "gender", report).verdict == "inconclusive"


@pytest.mark.parametrize("selected", [0, 100])
@pytest.mark.parametrize("measure", [DIFFERENCE, RATIO, ODDS])
def test_predictions_that_are_all_the_same_are_not_fair(measure: str, selected: int) -> None:
    counts = {"rows": 100, "selected": selected, "positives": 50}
    counts |= {"truePositives": selected // 2, "falsePositives": selected // 2}
    report = {"value": 1.0 if measure == RATIO else 0.0, "binary": True, "groups": {"a": counts, "b": counts}}
    bound = {"atLeast": 0.8} if measure == RATIO else {"atMost": 0.9}
    found = measure_from_report(fairness(fairness=measure, tool="fairlearn", **bound), "gender", report)
    assert found.verdict == "inconclusive"


def test_a_group_without_positives_has_no_odds() -> None:
    counts = {"rows": 100, "selected": 10, "truePositives": 0, "falsePositives": 10}
    none = {"a": {**counts, "positives": 0}, "b": {**counts, "positives": 50}}
    assert estimate(ODDS, none)[0] is None
