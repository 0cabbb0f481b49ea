"""The walk of one request: the modules that `sluice render` of one model goes through, from the command to the file.

`python -m tests.tools.walk` prints the diagram in docs/rooms.md. The walk is the union of the call stacks at the first
call of each function in `STEPS`. Consecutive calls inside one module are one stop.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import generator
from tests.system.repositories import EPOCH, examples

PACKAGE = f"{Path(generator.__file__).parent.as_posix()}/"
COMMAND = "cli/render"
STEPS = {
    "plan/model_files.discover": "find the specs",
    "pipeline/stale.find_stale": "compare ledgers with inputs",
    "source/reader.read": "read YAML with positions",
    "spec/check.check_data": "check against the spec language",
    "plan/resolve.resolve": "merge spec, tier and environment",
    "plan/build.build": "compute the plan",
    "rules/evaluate.run_rules": "run the rules on the plan",
    "gates/enforce.evidence_findings": "check evidence in git",
    "rules/evaluate.run_fleet_rules": "run the rules across models",
    "render/bundle.render_object": "render one object",
    "render/environment.render": "run its template",
    "lint/kinds/__init__.check": "verify it against its kind",
    "output/compare.compare": "compare with the disk",
    "output/folder._replace": "replace the file in one step",
}
"""What is done in each step, by module and function."""


@dataclass
class Stop:
    """A module on the walk.

    Args:
        module: its path in the package.
        steps: what is done there.
        calls: the modules that it calls.
    """

    module: str
    steps: list[str] = field(default_factory=list)
    calls: list[Stop] = field(default_factory=list)

    def lines(self, indent: int = 0) -> Iterator[str]:
        """Yield the walk as text, one line per stop."""
        yield f"{'  ' * indent}{self.module:<{40 - 2 * indent}}{'; '.join(self.steps)}".rstrip()
        for stop in self.calls:
            yield from stop.lines(indent + 1)


def stacks(root: Path, wanted: set[str]) -> dict[str, list[str]]:
    """Render one model, and return the call stack at the first call of each wanted function, the command first."""
    found: dict[str, list[str]] = {}

    def trace(frame: FrameType, event: str, _: object) -> None:
        name = function(frame)
        if event == "call" and name in wanted and name not in found:
            found[name] = [*callers(frame)][::-1]

    arguments = ["render", "--root", str(root), "--env", "production", "shop/recommender"]
    from generator.cli.main import cli

    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        sys.setprofile(trace)
        try:
            cli.main(arguments)
        except SystemExit as done:
            if done.code:
                raise
        finally:
            sys.setprofile(None)
    return found


def callers(frame: FrameType | None) -> Iterator[str]:
    """Yield the functions of the package on a stack, the innermost first."""
    while frame:
        name = function(frame)
        if name and "<" not in name:
            yield name
        frame = frame.f_back


def function(frame: FrameType) -> str:
    """Return module and function of a frame, such as `plan/build.build`; empty outside the package."""
    code = frame.f_code
    file = code.co_filename.replace("\\", "/")
    return f"{file.removeprefix(PACKAGE)[:-3]}.{code.co_name}" if file.startswith(PACKAGE) else ""


def walk(root: Path, steps: dict[str, str]) -> Stop:
    """Return the walk, which begins at the command."""
    found = stacks(root, set(steps))
    if missing := steps.keys() - found.keys():
        raise LookupError(f"`sluice render` does not call these functions: {', '.join(sorted(missing))}")
    start = Stop(COMMAND)
    for name, stack in found.items():
        stop = start
        for caller in stack[stack.index(f"{COMMAND}.command") :]:
            module = caller.rpartition(".")[0]
            if module == stop.module:
                continue
            known = next((call for call in stop.calls if call.module == module), None)
            if known is None:
                stop.calls.append(known := Stop(module))
            stop = known
        stop.steps.append(steps[name])
    return start


def diagram() -> str:
    """Return the walk in the example repository as text."""
    os.environ["SOURCE_DATE_EPOCH"] = EPOCH
    with tempfile.TemporaryDirectory() as folder:
        found = walk(examples(Path(folder) / "repository"), STEPS)
    return "".join(f"{line}\n" for line in found.lines())


if __name__ == "__main__":
    sys.stdout.write(diagram())
