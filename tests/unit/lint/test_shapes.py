"""The shape of objects: the models of the kubernetes and argo_workflows packages, if they are installed."""

from __future__ import annotations

import copy
import importlib.util
import subprocess
import sys

import pytest
import yaml

from generator.lint import shapes
from generator.lint.objects import Object
from generator.lint.verification import verify
from tests.unit.lint.bundle import EXAMPLES, SERVICE, TEMPLATE


def test_all_examples_are_fine_to_the_clients(tmp_path):
    for kind, document in EXAMPLES.items():
        (tmp_path / f"{kind}.yaml").write_text(yaml.safe_dump(document))
    assert [f for f in verify(tmp_path).findings if f.code in ("VER120", "VER121")] == []


@pytest.mark.parametrize(
    ("kind", "path", "value", "code"),
    [
        ("Service", ("spec", "evilField"), 1, "VER120"),
        ("Service", ("spec", "ports", 0, "port"), "80", "VER120"),
        (
            "Rollout",
            ("spec", "template", "spec", "containers", 0, "livenessProbe", "httpGet"),
            {"port": []},
            "VER120",
        ),
        ("Workflow", ("spec", "entrypoint"), 3, "VER121"),
        ("Workflow", ("spec", "evilField"), 3, "VER121"),
        ("Workflow", ("spec", "templates", 1, "container", "evilField"), "x", "VER121"),
        ("Workflow", ("spec", "templates"), {}, "VER121"),
        ("Workflow", ("metadata",), ..., "VER121"),
    ],
)
def test_the_clients_are_called(kind, path, value, code):
    body = copy.deepcopy(EXAMPLES[kind])
    holder = body
    for step in path[:-1]:
        holder = holder[step]
    if value is ...:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    ask = shapes.kubernetes_refusals if code == "VER120" else shapes.workflow_refusals
    refusals = list(ask(Object.read(body)))
    assert refusals
    assert all(found[: len(path)] == path[: len(found)] for found, _ in refusals)


def test_a_missing_extra_is_reported(tree, tmp_path, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        shapes, "find_spec", lambda name: None if name in ("kubernetes", "argo_workflows") else real(name)
    )
    flow = yaml.safe_dump(EXAMPLES["CronWorkflow"])
    assert [
        code for code, *_ in tree({"service.yaml": SERVICE % "a", "flow.yaml": flow}) if code == "VER120"
    ] == []
    assert verify(tmp_path).unchecked == (
        "1 object was not checked with the models of kubernetes: install sluicegate[kubernetes]",
        ("1 object was not checked with the models of argo_workflows: install sluicegate[workflows]"),
    )


def test_the_clients_are_imported_only_when_needed(tmp_path):
    (tmp_path / "a.yaml").write_text(TEMPLATE)
    code = (
        "import sys, pathlib; from generator.lint import verify; "
        f"verify(pathlib.Path({str(tmp_path)!r})); print(*(m for m in sys.modules if '.' not in m))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"kubernetes", "argo_workflows", "pydantic"}.isdisjoint(done.stdout.split())
