"""The text of a service: valid whatever the values, and no value ever leaves its place."""

from __future__ import annotations

import ast
from contextlib import nullcontext
from dataclasses import replace

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.plan.bento import Bento
from generator.plan.column import MAX_FLOAT32, Column
from generator.render.bento import render_bento
from generator.render.environment import Templates
from tests.bento.bentos import BENTOS

TEMPLATES = Templates()
TEXT = st.text(max_size=30) | st.sampled_from(
    ['"""', "'", '"); import os  #', "{{ 7 }}", "\\", "# x\n", "*/", "no"]
)
SCALAR = TEXT | st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)


def inputs() -> st.SearchStrategy[tuple[Column, ...]]:
    column = st.builds(
        Column,
        name=TEXT,
        type=st.sampled_from(["string", "number", "integer", "boolean"]),
        values=st.none() | st.lists(SCALAR, min_size=1, max_size=3).map(tuple),
        minimum=st.none() | st.floats(-1e6, 0),
        maximum=st.none() | st.floats(1, 1e6),
        nullable=st.booleans(),
    )
    return st.lists(column, max_size=3, unique_by=lambda column: column.name).map(tuple)


@st.composite
def bentos(draw: st.DrawFn) -> Bento:
    framework = draw(st.sampled_from(["sklearn", "xgboost", "lightgbm", "mlflow", "onnx", "custom"]))
    names = st.lists(TEXT, max_size=2, unique=True)
    return Bento(
        name=draw(TEXT),
        class_name="Served",
        framework=framework,
        custom_class="team.rules:Rules" if framework == "custom" else None,
        tag=draw(TEXT),
        version=draw(TEXT),
        digest="0" * 64,
        python_version="3.11",
        base_image=draw(TEXT),
        requirements=("bentoml==1.4.39",),
        inputs=draw(inputs()),
        outcomes=tuple((name, draw(TEXT)) for name in draw(names)),
        groups=tuple((name, tuple(draw(st.lists(SCALAR, max_size=2)))) for name in draw(names)),
        positive=tuple(draw(st.lists(SCALAR, max_size=2))),
        path=draw(TEXT),
    )


def constants(text: str) -> dict[str, object]:
    """Module-level names bound to literals."""
    found = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue
    return found


def skeleton(text: str) -> list[str]:
    """The classes and functions of a module: what no value may add to."""
    return [n.name for n in ast.walk(ast.parse(text)) if isinstance(n, ast.ClassDef | ast.FunctionDef)]


@settings(max_examples=60, deadline=None)
@given(bentos())
def test_no_value_leaves_its_place(bento: Bento) -> None:
    files = render_bento(bento, TEMPLATES)
    tame = render_bento(replace(bento, name="n", tag="t", version="1", base_image="b", path="/p"), TEMPLATES)
    for name, text in files.items():
        assert text.endswith("\n")
        if name.endswith(".py"):
            assert skeleton(text) == skeleton(tame[name])
    assert constants(files["import_model.py"])["TAG"] == bento.tag
    assert constants(files["counters.py"])["MODEL"] == bento.name
    assert constants(files["predictor.py"]).get("INPUTS", bento.input_names) == bento.input_names
    if bento.inputs:
        assert constants(files["service.py"])["EXAMPLES"] == list(bento.examples)
    document = yaml.safe_load(files["bentofile.yaml"])
    assert (document["name"], document["models"]) == (bento.name, [bento.tag])
    assert document["docker"] == {"base_image": bento.base_image}
    assert files["requirements.txt"] == "bentoml==1.4.39\n"


@given(inputs())
def test_examples_of_the_warm_up_are_allowed(columns: tuple[Column, ...]) -> None:
    bento = replace(BENTOS["fraud"], inputs=columns)
    for row in bento.examples:
        for column in columns:
            value = row[column.name]
            if value is None:
                assert column.nullable
            elif column.values is not None:
                assert value in column.values
            elif column.type in ("number", "integer"):
                assert type(value) is (float if column.type == "number" else int)
                low, high = column.minimum, column.maximum
                assert low is None or low <= value
                assert high is None or value <= high
                assert abs(value) <= (MAX_FLOAT32 if column.type == "number" else 2**63 - 1)
            else:
                assert isinstance(value, str if column.type == "string" else bool)


def test_rendering_is_deterministic_and_complete() -> None:
    files = render_bento(BENTOS["recommender"], TEMPLATES)
    assert files == render_bento(BENTOS["recommender"], Templates())
    assert list(files) == [
        "README.md",
        "bentofile.yaml",
        "calls.py",
        "counters.py",
        "edge.py",
        "feedback.py",
        "import_model.py",
        "messages.py",
        "predictor.py",
        "requirements.txt",
        "service.py",
        "tokens.py",
    ]
    included = yaml.safe_load(files["bentofile.yaml"])["include"]
    assert sorted(included) == [name for name in files if name.endswith(".py") and name != "import_model.py"]


@pytest.mark.parametrize("name", sorted(BENTOS))
def test_the_service_stays_readable(name: str) -> None:
    files = render_bento(BENTOS[name], TEMPLATES)
    assert files["service.py"].count("\n") <= 120
    assert "\n\n\n\n" not in "".join(files.values())


@pytest.mark.parametrize(
    ("positive", "answers", "classes", "complaint"),
    [
        ((1,), [0, 1], None, ""),
        ((1,), [0.0, True], None, ""),
        (("yes",), ["no"], ["no", "yes"], ""),
        ((1, "yes"), ["no"], None, ""),
        ((1,), ["yes"], None, "never one of"),
        (("1",), [1], None, "never one of"),
        ((1,), [[0.2, 0.8]], None, "only a text or a number"),
        ((1,), [None], None, "only a text or a number"),
        ((), [1], None, "never one of"),
        ((2,), [1], [0, 1], "lists none"),
        ((0, 1), [1], [0, 1], "lists all"),
        ((0, 1), [1], [0, 1, 2], ""),
    ],
)
def test_the_warm_up_refuses_answers_that_are_never_positive(positive, answers, classes, complaint) -> None:
    """Without it, no group has positive predictions, and all look equal."""
    text = render_bento(replace(BENTOS["recommender"], positive=positive), Templates())["counters.py"]
    wanted = [
        node
        for node in ast.parse(text).body
        if (isinstance(node, ast.FunctionDef) and node.name == "check_answers")
        or (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "POSITIVE")
    ]
    space: dict = {}
    exec(compile(ast.Module(wanted, []), "counters.py", "exec"), space)
    with pytest.raises(ValueError, match=complaint) if complaint else nullcontext():
        space["check_answers"](answers, classes)


def test_latency_buckets_hold_every_bound() -> None:
    bento = replace(BENTOS["fraud"], timeout_s=2.0, buckets=(0.12, 3.0))
    assert bento.latency_buckets == (0.005, 0.01, 0.025, 0.05, 0.1, 0.12, 0.25, 0.5, 1.0, 2.0, 3.0)


def test_events_count_for_every_outcome_that_names_them() -> None:
    bento = replace(BENTOS["fraud"], outcomes=(("ctr", "click"), ("engaged", "click"), ("sales", "order")))
    assert bento.events == {"click": ("ctr", "engaged"), "order": ("sales",)}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"framework": "custom"}, "names its class"),
        ({"custom_class": "team:Rules"}, "names its class"),
        ({"framework": "custom", "custom_class": "predictor:Rules"}, "the name of a module of the service"),
        ({"requirements": ("xgboost==3.2.0",)}, "pin bentoml"),
        ({"digest": "sha256:0"}, "SHA-256"),
    ],
)
def test_impossible_plans_are_bugs(changes: dict, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        replace(BENTOS["fraud"], **changes)
