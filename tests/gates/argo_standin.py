"""A stand-in for the Workflow controller: runs a rendered gate Workflow's containers as processes of this machine.

It knows parameters, defaults of outputs, retries by exit code, and what the phase of a DAG follows from: its leaves. It
knows no pods, mutexes or deadlines; the cluster scenarios ask the real controller.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.gates.images import Built

_NEVER = re.compile(r"lastRetry\.exitCode != '(\d+)'")


@dataclass
class Ran:
    """What became of a Workflow.

    Args:
        codes: exit codes of each task's attempts.
        outputs: the parameter `evidence` of each task.
        phase: of the Workflow.
    """

    codes: dict[str, list[int]] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    phase: str = "Running"


def run(
    workflow: dict[str, Any], image_of: Callable[[str], Built | Callable], inputs: Path, scratch: Path
) -> Ran:
    """Run all tasks.

    Args:
        workflow: the object.
        image_of: a built image by its reference, or a function from variables to (exit code, report or None).
        inputs: what the claim `inputs` holds.
        scratch: folder for the containers' `/tmp`.
    """
    spec = workflow["spec"]
    templates = {template["name"]: template for template in spec["templates"]}
    told = {f"workflow.parameters.{p['name']}": p["value"] for p in spec["arguments"]["parameters"]}
    tasks, ran = templates[spec["entrypoint"]]["dag"]["tasks"], Ran()
    for task in sorted(tasks, key=lambda task: "depends" in task):
        upstream = {f"tasks.{name}.outputs.parameters.evidence": text for name, text in ran.outputs.items()}
        given = {
            f"inputs.parameters.{p['name']}": _filled(p["value"], {**told, **upstream})
            for p in task.get("arguments", {}).get("parameters", [])
        }
        template = templates[task["template"]]
        _attempts(task["name"], template, {**told, **given}, image_of, (inputs, scratch / task["name"]), ran)
    leaves = {task["name"] for task in tasks} - set(re.findall(r"([a-z0-9-]+)\.Succeeded", json.dumps(tasks)))
    ran.phase = "Succeeded" if all(ran.codes[leaf][-1] == 0 for leaf in leaves) else "Failed"
    return ran


def _attempts(
    name: str,
    template: dict[str, Any],
    values: Mapping[str, str],
    image_of: Callable,
    where: tuple[Path, Path],
    ran: Ran,
) -> None:
    retry = template["retryStrategy"]
    final = {int(code) for code in _NEVER.findall(retry["expression"])} | {0}
    container = json.loads(
        _filled(json.dumps(template["container"]), {k: json.dumps(v)[1:-1] for k, v in values.items()})
    )
    output = template["outputs"]["parameters"][0]["valueFrom"]
    for _ in range(1 + int(retry["limit"])):
        folder = where[1]
        folder.mkdir(parents=True, exist_ok=True)
        image = image_of(container["image"])
        variables = {item["name"]: item["value"] for item in container.get("env", [])}
        left = folder / Path(output["path"]).name
        if isinstance(image, Built):
            arguments = [*container["command"][1:], "--to", str(left)]
            arguments += ["--inputs", str(where[0])] if "judge" in container["command"] else []
            code = image.run(*arguments, *container.get("args", []), **variables).returncode
        else:
            code, report = image(variables)
            if report is not None:
                left.write_text(report)
        ran.codes.setdefault(name, []).append(code)
        ran.outputs[name] = left.read_text() if left.exists() else output["default"]
        if code in final:
            return


def _filled(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\{\{([a-zA-Z0-9._-]+)\}\}", lambda found: values[found[1]], text)
