"""Data against expectations: a Great Expectations suite that was really evaluated, and met."""

from __future__ import annotations

from typing import Any

from generator.gates.environments import Tool
from generator.gates.inputs import source_of
from generator.gates.measures import measure
from generator.gates.outcome import NoVerdictError, Outcome
from generator.gates.task import Task
from generator.spec.evidence import Measure

_SHOWN = 5


def tools(task: Task) -> tuple[Tool, ...]:
    """Great Expectations."""
    return (task.tool("great-expectations"),)


def judge(task: Task) -> Outcome:
    """Evaluate the suite over the current window."""
    (tool,) = tools(task)
    asked = task.config["data"]
    current, data = task.inputs.data(asked["current"])
    suite = task.inputs.file(asked["suite"])
    source = source_of("suite", asked["suite"], suite)
    if source.digest != task.config.get("suiteDigest", source.digest):
        raise NoVerdictError(
            f"{asked['suite']} is not the suite of the repository: it has {source.digest[:19]}…"
        )
    report = task.run(tool, {"current": str(current), "suite": str(suite)})
    return Outcome(report["tool"], report["version"], "data", (data, source), judged(report), tool.digest)


def judged(report: dict[str, Any]) -> tuple[Measure, ...]:
    """What a validation says.

    Raises:
        NoVerdictError: nothing was evaluated, or the report contradicts itself.
    """
    evaluated, unsuccessful, unmet = report["evaluated"], report["unsuccessful"], report["unmet"]
    if evaluated < 1:
        raise NoVerdictError("the suite holds no expectations")
    if report["success"] != (unsuccessful == 0) or unsuccessful != len(unmet):
        raise NoVerdictError("the validation contradicts itself: its success is not what its statistics say")
    samples = {"rows": report["rows"], "expectations": evaluated}
    parts = {
        _label(item): {"unexpected": item["unexpected"], "raised": int(item["raised"])} for item in unmet
    }
    named = ", ".join(list(parts)[:_SHOWN])
    return (
        measure("expectations evaluated", evaluated, "atLeast", 1, samples=samples),
        measure(
            "expectations not met", unsuccessful, "atMost", 0, samples=samples, parts=parts, remark=named
        ),
    )


def _label(item: dict[str, Any]) -> str:
    return f"{item['type']}({item['column']})"
