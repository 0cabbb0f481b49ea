"""Great Expectations 1.x: a suite that evaluates nothing, or can't be evaluated, proves nothing."""

from __future__ import annotations

import json

import pytest

from generator.gates.adapters.data import measures_from_report
from generator.gates.errors import NoVerdictError
from tests.gates.tables import measured, run, write


def between(column, **kwargs):
    kwargs = {"min_value": 0, "max_value": 10, **kwargs}
    return {"type": "expect_column_values_to_be_between", "kwargs": {"column": column, **kwargs}}


SUITES = {
    "met": [between("amount"), {"type": "expect_column_to_exist", "kwargs": {"column": "amount"}}],
    "unmet": [between("amount", max_value=2), between("amount")],
    "none": [],
    "no column": [between("hour")],
    "unknown": [{"type": "expect_miracles", "kwargs": {}}, between("amount")],
    "bad argument": [{"type": "expect_column_to_exist", "kwargs": {"colum": "amount"}}],
}


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    data = {
        "full": write(folder / "full.csv", {"amount": [1, 2, 3]}),
        "empty": write(folder / "empty.csv", {"amount": []}),
    }
    configs = {}
    for name, expectations in SUITES.items():
        suite = folder / f"{name}.json"
        suite.write_text(json.dumps({"name": name, "expectations": expectations}))
        configs[name] = {"current": str(data["full"]), "suite": str(suite)}
    configs["empty"] = {**configs["met"], "current": str(data["empty"])}
    torn = folder / "torn.json"
    torn.write_text('{"name": "torn", "expect')
    configs["torn"] = {**configs["met"], "suite": str(torn)}
    return measured("great-expectations", configs, folder)


def test_a_suite_that_is_met(reports) -> None:
    assert [m.verdict for m in measures_from_report(reports["met"])] == ["pass", "pass"]
    assert measures_from_report(reports["met"])[0].value == 2


def test_a_suite_that_is_not_names_what(reports) -> None:
    failed = measures_from_report(reports["unmet"])[1]
    assert (failed.verdict, failed.value) == ("fail", 1)
    assert failed.parts == {"expect_column_values_to_be_between(amount)": {"unexpected": 1, "raised": 0}}


def test_zero_expectations_succeed_in_the_library_and_not_here(reports) -> None:
    assert reports["none"]["success"] is True
    with pytest.raises(NoVerdictError, match="no expectations"):
        measures_from_report(reports["none"])


def test_an_expectation_that_raises_is_not_met(reports) -> None:
    failed = measures_from_report(reports["no column"])[1]
    assert failed.verdict == "fail"
    assert failed.parts["expect_column_values_to_be_between(hour)"]["raised"] == 1


@pytest.mark.parametrize(
    ("case", "reason"),
    [("empty", "no rows"), ("unknown", "no suite"), ("bad argument", "no suite"), ("torn", "no suite")],
)
def test_what_can_not_be_evaluated_says_why(reports, case, reason) -> None:
    assert reason in reports[case]["problem"]


def test_another_suite_than_the_one_in_the_repository_is_not_evaluated(tmp_path) -> None:
    data = write(tmp_path / "data.csv", {"amount": [1]})
    (tmp_path / "suite.json").write_text("{}")
    config = {"data": {"current": data.name, "suite": "suite.json"}, "suiteDigest": "sha256:" + "0" * 64}
    entry = run(tmp_path, {**config, "tool": "great-expectations"})
    assert (entry.verdict, "not the suite of the repository" in entry.reason) == ("inconclusive", True)


def test_a_success_that_contradicts_its_statistics_is_not_believed() -> None:
    report = {"rows": 3, "success": True, "evaluated": 2, "unsuccessful": 1, "unmet": []}
    with pytest.raises(NoVerdictError, match="contradicts itself"):
        measures_from_report(report)
