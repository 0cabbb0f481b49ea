"""Drift: our own tests by SciPy, and Alibi Detect next to them; an effect AND significance, or no verdict."""

from __future__ import annotations

import pytest

from generator.gates.adapters.drift import measures_from_report
from generator.gates.inputs import tree_digest
from generator.spec.gates import DriftGate
from tests.gates.tables import measured, normal, write

SAME, SHIFTED, SMALL = normal(2000, 2), normal(2000, 3, 0.5), normal(40, 4)
WINDOWS = {
    "reference": {"amount": normal(2000, 1), "hour": normal(2000, 5), "city": ["a", "b", "c", "c"] * 500},
    "same": {"amount": SAME, "hour": normal(2000, 6), "city": ["c", "b", "a", "c"] * 500},
    "shifted": {"amount": SHIFTED, "hour": normal(2000, 6), "city": ["a", "a", "b", "c"] * 500},
    "small": {"amount": SMALL, "hour": normal(40, 7), "city": ["a", "b", "c", "c"] * 10},
    "renamed": {"amount": SAME, "hour_of_day": normal(2000, 6)},
    "text": {"amount": ["1.5 EUR"] * 2000, "hour": normal(2000, 6)},
    "gaps": {"amount": SAME[:1000] + [""] * 1000, "hour": normal(2000, 6)},
    "nothing": {"amount": [], "hour": []},
    "one value": {"amount": [1.0] * 2000, "hour": normal(2000, 6)},
    "dated": {"date": ["2026-10-01", "2026-10-30"] * 1000, "amount": SAME, "hour": normal(2000, 6)},
}
NUMBERS = ["amount", "hour"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drift")
    for name, window in WINDOWS.items():
        write(folder / f"{name}.csv", window)
    return folder


def configs(folder, tool, features=None):
    return {
        name: {
            "reference": str(folder / "reference.csv"),
            "current": str(folder / f"{name}.csv"),
            "features": features or NUMBERS,
            "tool": tool,
            "alpha": 0.05,
        }
        for name in WINDOWS
    }


@pytest.fixture(scope="module")
def reports(folder):
    """What SciPy says under each test, and what Alibi Detect says."""
    asked = {
        f"{tool} {name}": config
        for tool, features in (("ks", NUMBERS), ("psi", NUMBERS), ("chi2", ["city"]))
        for name, config in configs(folder, tool, features).items()
    }
    return {
        **measured("scipy", asked, folder, "drift"),
        **{f"alibi-detect {k}": v for k, v in measured("alibi-detect", configs(folder, "alibi-detect"), folder).items()},
    }  # fmt: skip


def gate(features, **more):
    windows = {"reference": "a.csv", "current": "b.csv", "features": features}
    return DriftGate.model_validate({"name": "drift", "drift": windows, **more})


@pytest.fixture
def judge(reports):
    def judge(tool, name, **more):
        features = ["city"] if tool == "chi2" else NUMBERS
        return measures_from_report(gate(features, tool=tool, **more), reports[f"{tool} {name}"])

    return judge


@pytest.mark.parametrize("tool", ["ks", "psi", "chi2", "alibi-detect"])
def test_a_window_like_the_training_passes_and_a_shifted_one_fails(judge, tool) -> None:
    assert {measure.verdict for measure in judge(tool, "same")} == {"pass"}
    found = judge(tool, "shifted")
    assert found[0].verdict == "fail"
    assert {measure.verdict for measure in found[1:]} <= {"pass"}  # the other feature has not moved


@pytest.mark.parametrize("tool", ["ks", "psi", "chi2", "alibi-detect"])
def test_forty_rows_show_nothing_and_say_so(judge, tool) -> None:
    found = judge(tool, "small")
    assert {measure.verdict for measure in found} == {"inconclusive"}
    assert "so few rows" in found[0].reason or "fewer than five expected rows" in found[0].reason


def test_scipy_gives_the_numbers_of_alibi_detect(reports) -> None:
    for name in ("same", "shifted", "small"):
        ours, theirs = reports[f"ks {name}"]["features"], reports[f"alibi-detect {name}"]["features"]
        for feature in NUMBERS:
            assert ours[feature]["distance"] == pytest.approx(theirs[feature]["distance"], abs=1e-6)
        # Alibi Detect takes the exact p value where scipy does by default; both fall on one side of the level.
        assert (ours["amount"]["p"] < 0.025) == bool(theirs["amount"]["drifted"])


def test_a_shift_by_half_a_standard_deviation(judge) -> None:
    # half a standard deviation is a Kolmogorov-Smirnov distance of 2 Phi(1/4) - 1 = .197
    assert judge("ks", "shifted")[0].value == pytest.approx(0.197, abs=0.03)


@pytest.mark.parametrize(("name", "said"), [("renamed", "hour"), ("text", "amount")])
def test_a_break_of_the_schema_fails(judge, name, said) -> None:
    found = [measure for measure in judge("ks", name) if measure.verdict == "fail"]
    assert len(found) == 1
    assert said in found[0].name
    assert "schema" in found[0].name


def test_alibi_detect_does_not_judge_half_a_table(judge) -> None:
    assert [measure.verdict for measure in judge("alibi-detect", "renamed")] == ["inconclusive", "fail"]


def test_text_is_no_number_for_alibi_detect(reports) -> None:
    assert "numbers only" in reports["alibi-detect text"]["problem"]


def test_values_that_went_missing_are_drift(judge) -> None:
    first = judge("ks", "gaps")[0]
    assert (first.verdict, first.value) == ("fail", 0.5)


def test_an_empty_window_is_no_window(reports) -> None:
    assert all("no rows" in reports[f"{tool} nothing"]["problem"] for tool in ("ks", "psi", "alibi-detect"))


def test_a_constant_column_has_drifted(judge) -> None:
    assert judge("ks", "one value")[0].verdict == "fail"


def test_smaller_values_than_a_constant_reference_have_drifted(folder) -> None:
    """Bins that only split above the constant would put them into its bin, and the index would be 0."""
    for name, value in (("fives", 5.0), ("threes", 3.0), ("sevens", 7.0)):
        write(folder / f"{name}.csv", {"amount": [value] * 2000})
    config = configs(folder, "psi", ["amount"])["same"] | {"reference": str(folder / "fives.csv")}
    currents = {
        name: {**config, "current": str(folder / f"{name}.csv")} for name in ("fives", "threes", "sevens")
    }
    found = measured("scipy", currents, folder, "drift")
    verdicts = [
        measures_from_report(gate(["amount"], tool="psi"), found[name])[0].verdict for name in currents
    ]
    assert verdicts == ["pass", "fail", "fail"]


def test_windows_carry_their_dates(judge) -> None:
    details = judge("ks", "dated")[0].details
    assert (details["current from"], details["current to"]) == ("2026-10-01", "2026-10-30")


def test_words_can_not_be_compared_as_numbers(judge, folder) -> None:
    config = configs(folder, "ks", ["city"])
    report = measured("scipy", {"city": config["same"]}, folder, "drift")["city"]
    (found,) = measures_from_report(gate(["city"]), report)
    assert (found.verdict, found.value) == ("inconclusive", None)


def test_a_tool_that_leaves_a_feature_out_does_not_pass() -> None:
    (found,) = measures_from_report(gate(["amount"]), {"features": {}})
    assert found.verdict == "inconclusive"


def test_the_licence_of_alibi_detect_is_shown(tmp_path, capsys) -> None:
    from generator.gates.adapters import Task
    from generator.gates.environments import Environments
    from generator.pipeline.gates import check_tools
    from generator.plan.values import Gate
    from tests.gates.models import SCRIPTS

    task = Task(
        Gate(gate(["x"], tool="alibi-detect"), {}, None, ()), None, False, None, Environments(print), SCRIPTS
    )
    check_tools([task], print)
    assert "Business Source License" in capsys.readouterr().out


@pytest.mark.parametrize(
    "config",
    [
        {"drift": {"reference": "a.csv", "current": "b.csv", "features": ["x"]}, "tool": "ks", "alpha": 0.05},
        {"explain": {"reference": "a.csv", "current": "b.csv"}, "tool": "shap", "atMost": 0.1, "rows": 50, "seed": 0},
    ],
)  # fmt: skip
def test_a_window_compared_with_itself_proves_nothing(tmp_path, config) -> None:
    from tests.gates.tables import lock, run

    for name in ("a.csv", "b.csv"):
        write(tmp_path / name, {"x": SAME})
    model = tmp_path / "a.csv"
    digest = {"digest": f"sha256:{tree_digest(model)}"}
    locked = lock()
    locked = locked.model_copy(update={"model": locked.model.model_copy(update=digest)})
    entry = run(tmp_path, config, model=model, lock=locked)
    assert (entry.verdict, "both windows are the same file" in entry.reason) == ("inconclusive", True)
