"""Gates and their tools: every kind and every tool is complete for every spec."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import ValidationError

from generator.gates.adapters import adapter
from generator.source.shipped import builtin_folder
from generator.spec.gate_tools import BARE, IMAGES, TOOLS, choices, drift_test, program
from generator.spec.gate_tools.base import GateTool, Statistic
from generator.spec.gates import GATE_KINDS, GateBase, gate_of
from generator.spec.tier import Requires

SCRIPTS = builtin_folder() / "gates"
WINDOWS = {"reference": "a.csv", "current": "b.csv"}
GATES = {
    "tests": {"junit": "reports/junit.xml"},
    "metric": {"metric": "accuracy", "atLeast": 0.9},
    "fairness": {"fairness": "demographic-parity-difference", "sensitive": ["age"], "atMost": 0.1},
    "drift": {"drift": {**WINDOWS, "features": ["x"]}},
    "data": {"data": {"current": "b.csv", "suite": "suite.json"}},
    "explain": {"explain": WINDOWS, "atMost": 0.1},
    "custom": {"custom": "r.example/check@sha256:" + "0" * 64},
}


def gate(kind: str, **more: object) -> GateBase:
    return gate_of({"name": "gate", **GATES[kind], **more})


def test_there_is_an_example_of_every_kind():
    assert set(GATES) == {kind.kind for kind in GATE_KINDS}
    assert all(gate(kind).kind == kind for kind in GATES)
    assert len({kind.key for kind in GATE_KINDS}) == len({kind.tag for kind in GATE_KINDS}) == len(GATE_KINDS)


@pytest.mark.parametrize("kind", GATES)
def test_every_kind_has_an_adapter(kind):
    assert callable(adapter(kind).run)


def test_tiers_know_every_kind():
    (element,) = get_args(Requires.model_fields["gates"].annotation)
    assert set(get_args(element)) == set(GATES)


@pytest.mark.parametrize("kind", [kind.kind for kind in GATE_KINDS if "tool" in kind.model_fields])
def test_every_tool_of_a_kind_runs_a_script_in_an_image(kind):
    assert choices(kind)
    for choice in choices(kind):
        found = gate(kind, tool=choice)
        assert found.tool_name == choice
        assert found.needs.programs == (program(kind, choice),)
        assert (SCRIPTS / found.needs.programs[0].tool / f"{found.needs.programs[0].script}.py").is_file()
        assert found.image == found.needs.programs[0].tool
        assert found.image in IMAGES
    with pytest.raises(ValidationError, match="Input should be"):
        gate(kind, tool="abacus")


def test_every_folder_of_scripts_has_its_descriptor():
    assert {path.parent.name for path in SCRIPTS.glob("*/requirements.txt")} == set(TOOLS)
    assert {path.parent.name for path in SCRIPTS.glob("*/requirements.in")} == set(TOOLS)


def test_every_image_holds_environments_that_exist():
    assert {tool for tools in IMAGES.values() for tool in tools} == set(TOOLS)
    assert IMAGES[BARE] == ()


@pytest.mark.parametrize("choice", choices("drift"))
def test_every_drift_tool_says_how_its_report_is_judged(choice):
    found = drift_test(choice)
    assert found.statistic in get_args(Statistic)
    assert 0 < found.floor < 1


def test_a_part_of_a_tool_that_is_missing_is_an_error():
    parts = {field: getattr(TOOLS["shap"], field) for field in GateTool.__slots__}
    for part in parts:
        with pytest.raises(TypeError, match=part):
            GateTool(**{name: value for name, value in parts.items() if name != part})


@pytest.mark.parametrize(
    ("more", "image", "scripts", "files"),
    [
        ({}, BARE, [], ("metrics.json",)),
        ({"source": "scores.json"}, BARE, [], ("scores.json",)),
        ({"source": "mlflow:7"}, "mlflow", ["run"], ()),
        ({"against": "champion"}, "scipy", ["paired"], ("metrics.json",)),
        ({"against": "champion", "source": "mlflow:7"}, "mlflow", ["run", "paired"], ()),
    ],
)
def test_what_a_metric_gate_needs(more, image, scripts, files):
    found = gate("metric", **more)
    assert found.image == image
    assert [each.script for each in (*found.needs.programs, *found.needs.comparisons)] == scripts
    assert {each.tool for each in (*found.needs.programs, *found.needs.comparisons)} <= set(IMAGES[image])
    assert found.needs.files == files
    assert found.needs.predictions == ("against" in more)


@pytest.mark.parametrize(
    ("kind", "more", "data", "fresh"),
    [
        ("tests", {}, [], ""),
        ("drift", {}, ["a.csv", "b.csv"], "b.csv"),
        ("explain", {}, ["a.csv", "b.csv"], ""),
        ("data", {}, ["b.csv"], ""),
        ("fairness", {}, [], ""),
        ("fairness", {"data": "dvc:rows.csv"}, ["dvc:rows.csv"], "dvc:rows.csv"),
        ("custom", {}, [], ""),
    ],
)
def test_the_data_sets_of_a_gate(kind, more, data, fresh):
    found = gate(kind, **more)
    assert [*found.needs.data.values()] == data
    written = found.model_dump(by_alias=True)
    for path, ref in found.needs.data.items():
        value = written
        for key in path:
            value = value[key]
        assert value == ref
    assert found.needs.fresh == fresh
    assert found.needs.predictions == (kind == "fairness" and not more)


def test_a_kind_that_does_not_say_what_it_needs_is_an_error():
    class Silent(GateBase):
        kind, tag, key = "silent", "a silent gate", "silent"

    with pytest.raises(TypeError, match="needs"):
        Silent.model_validate({"name": "gate"})


def test_a_custom_gate_brings_its_image():
    assert gate("custom").image is None
    assert gate("tests").image == BARE


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
def test_a_limit_is_a_number(number):
    with pytest.raises(ValidationError, match="finite number"):
        gate("metric", atLeast=number)


@pytest.mark.parametrize(
    ("place", "accepted"),
    [
        ("lake/predictions@12", True),
        ("s3://lake/predictions@12", True),
        ("gs://lake/predictions@12", True),
        ("abfss://lake@account.dfs.core.windows.net/predictions@12", True),
        ("abfss://lake/predictions@12", False),
        ("gs://lake@account/predictions@12", False),
        ("wasbs://lake@account.blob.core.windows.net/predictions@12", False),
        ("gs://lake/predictions", False),
    ],
)
def test_a_table_is_at_a_version_here_or_in_a_store_that_gates_read(place, accepted):
    config = {"name": "g", "drift": {"reference": "a.csv", "current": {"delta": place}, "features": ["x"]}}
    if accepted:
        (source,) = gate_of(config).needs.sources.values()
        assert source.name == f"delta:{place}"
    else:
        with pytest.raises(ValidationError):
            gate_of(config)


@pytest.mark.parametrize(
    ("gaps", "accepted"),
    [(["saturday", "2026-12-25"], True), (["sat"], False), (["2026-13-01"], False), ([], False)],
)
def test_gaps_of_a_window_are_days_of_the_week_and_dates(gaps, accepted):
    window = {"column": "at", "days": 30, "gaps": gaps}
    current = {"data": "b.csv", "window": window}
    config = {"name": "g", "drift": {"reference": "a.csv", "current": current, "features": ["x"]}}
    if accepted:
        assert gate_of(config).model_dump(by_alias=True)["drift"]["current"]["window"]["gaps"] == gaps
    else:
        with pytest.raises(ValidationError):
            gate_of(config)
