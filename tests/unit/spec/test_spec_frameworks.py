"""Frameworks: every one is complete."""

from __future__ import annotations

import pytest

from generator.plan.serving import requirements
from generator.source.shipped import builtin_folder
from generator.spec.frameworks import FRAMEWORKS
from generator.spec.frameworks.base import Framework
from generator.spec.model import ModelSource
from generator.spec.service import Service

TEMPLATES = builtin_folder() / "bento" / "frameworks"


def test_the_register_holds_what_specs_may_say():
    assert {"sklearn", "xgboost", "lightgbm", "mlflow", "onnx", "custom"} < set(FRAMEWORKS)
    assert ModelSource.model_json_schema()["properties"]["framework"]["enum"] == list(FRAMEWORKS)
    assert {path.name.removesuffix(".py.j2") for path in TEMPLATES.glob("[a-z]*.py.j2")} == set(FRAMEWORKS)


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_its_packages_are_pinned(name):
    lines = requirements(name, Service.model_construct())
    assert all("==" in line for line in lines)
    assert any(line.startswith("bentoml==") for line in lines)
    assert list(lines) == sorted(lines)


def test_shap_can_load_what_the_descriptors_promise():
    script = (builtin_folder() / "gates" / "shap" / "run.py").read_text()
    loaded = {name for name in FRAMEWORKS if f'framework == "{name}"' in script}
    assert {name for name, framework in FRAMEWORKS.items() if framework.attributed} == loaded


def test_a_part_that_is_missing_is_an_error():
    parts = {field: getattr(FRAMEWORKS["onnx"], field) for field in Framework.__slots__}
    for part in parts:
        with pytest.raises(TypeError, match=part):
            Framework(**{name: value for name, value in parts.items() if name != part})
