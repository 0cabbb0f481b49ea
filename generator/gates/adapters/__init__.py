"""One module a kind of gate: `judge(task)` measures with the real tool, the other functions are pure."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from generator.gates.environments import Tool
from generator.gates.outcome import Outcome
from generator.gates.task import Task

__all__ = ["judge", "tools"]


def judge(task: Task) -> Outcome:
    """What the gate finds.

    Raises:
        NoVerdictError: it can't be judged.
        InstallError: an environment can't be made.
    """
    measure: Callable[[Task], Outcome] = _module(task).judge
    return measure(task)


def tools(task: Task) -> tuple[Tool, ...]:
    """The tools that the gate will run."""
    needs: Callable[[Task], tuple[Tool, ...]] = _module(task).tools
    return needs(task)


def _module(task: Task):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a module, whose functions are typed above
    return import_module(f"{__name__}.{task.gate.kind}")
