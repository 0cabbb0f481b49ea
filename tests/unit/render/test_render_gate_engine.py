"""The Workflow of a gate whose data an engine reads: resources, the engine's memory, and a window that is fixed."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import yaml

from generator.lint.kinds import check
from generator.pipeline.render import plan_render
from generator.pipeline.session import Session
from generator.pipeline.stale import RenderRequest
from tests.unit.rules.repository import Sample

NAME = "workflow-gates.yaml"
CURRENT = {"data": "seen.parquet", "columns": ["x", "at"], "window": {"column": "at", "days": 30}}
DRIFT = {"reference": "train.parquet", "current": CURRENT, "features": ["x"]}
EDITS: dict[str, Any] = {
    "platform.tiers.standard.evidence": ["cluster"],
    "platform.gates": {"resources": {"cpu": "2", "memory": "4Gi", "scratch": "100Gi"}},
    "spec.gates": [{"name": "drift", "drift": DRIFT, "tool": "ks"}],
    "lock.data": {
        name: {"digest": f"sha256:{digit * 64}", "resolved": name, "at": "2026-11-20T08:00:00Z"}
        for name, digit in (("train.parquet", "b"), ("seen.parquet", "c"))
    },
}


def workflow(root: Path, edits: dict[str, Any]) -> Any:
    Sample(root, edits)
    plan = plan_render(Session(root, dt.date(2026, 11, 23)), RenderRequest(root / "rendered"))
    assert [finding for finding in plan.findings if finding.severity == "error"] == []
    (text,) = [bundle.files[NAME] for bundle in plan.bundles() if NAME in bundle.files]
    found = yaml.safe_load(text)
    assert check(found) == []
    return found


def containers(found: Any) -> dict[str, Any]:
    return {item["name"]: item["container"] for item in found["spec"]["templates"] if "container" in item}


def test_a_gate_with_an_engine_gets_the_resources_of_the_platform(tmp_path: Path) -> None:
    found = containers(workflow(tmp_path, EDITS))
    gate = found["ibis-framework"]
    assert gate["resources"] == {
        "requests": {"cpu": "2", "memory": "4Gi", "ephemeral-storage": "100Gi"},
        "limits": {"memory": "4Gi", "ephemeral-storage": "100Gi"},
    }
    memory = next(item for item in gate["env"] if item["name"] == "SLUICE_GATE_MEMORY_MIB")
    assert memory["valueFrom"]["resourceFieldRef"] == {"resource": "limits.memory", "divisor": "1Mi"}
    assert found["verdict"]["resources"]["limits"]["memory"] != "4Gi"


def test_a_gate_that_reads_whole_files_keeps_its_own(tmp_path: Path) -> None:
    gates = [{"name": "drift", "drift": {**DRIFT, "current": "seen.parquet"}, "tool": "ks"}]
    found = containers(workflow(tmp_path, {**EDITS, "spec.gates": gates}))
    (gate,) = [container for name, container in found.items() if name != "verdict"]
    assert gate["resources"]["limits"] == {"memory": "2Gi", "ephemeral-storage": "10Gi"}
    assert "SLUICE_GATE_MEMORY_MIB" not in {item["name"] for item in gate["env"]}


def test_a_window_without_an_end_ends_on_the_day_of_the_lock(tmp_path: Path) -> None:
    text = json.dumps(workflow(tmp_path, EDITS))
    assert "2026-11-20" in text
