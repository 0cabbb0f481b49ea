"""The gates as an Argo Workflow, for tiers that enforce them in the cluster."""

from __future__ import annotations

from collections.abc import Iterator

from generator import __version__
from generator.plan.values import Plan
from generator.render.output import Output
from generator.render.scalars import inert_json

# Every gate must have said `pass`; a waived one may say anything. 10: a verdict; it is never tried again.
_VERDICT = """\
import json, sys
waived, failed = set(sys.argv[1].split()), []
for item in sys.argv[2:]:
    name, _, text = item.partition("=")
    try:
        found = json.loads(text).get("verdict")
    except (ValueError, AttributeError):
        found = None
    print(name, found, "(waived)" if name in waived else "")
    if found != "pass" and name not in waived:
        failed.append(name)
sys.exit(10 if failed else 0)"""


def gates(plan: Plan) -> Iterator[Output]:
    """The Workflow; none where the tier enforces gates in git alone, or there are none."""
    if not plan.gates or "cluster" not in plan.enforcement:
        return
    image = plan.delivery.gate_image
    tools = sorted({gate.tool for gate in plan.gates})
    tasks = [
        {
            "task": gate.name,
            "tool": gate.tool,
            "config": inert_json(gate.config),
            "waived": bool(gate.waiver),
        }
        for gate in plan.gates
    ]
    ended = (
        f"({task['task']}.Succeeded || {task['task']}.Failed || {task['task']}.Errored)" for task in tasks
    )
    yield Output(
        "workflow-gates.yaml",
        "kubernetes/workflow-gates.yaml.j2",
        {
            "gates": tasks,
            "tools": [{"name": tool, "image": f"{image}/{tool}:{__version__}"} for tool in tools],
            "depends": " && ".join(ended),
            "waived": " ".join(str(task["task"]) for task in tasks if task["waived"]),
            "verdict_image": f"{image}/verdict:{__version__}",
            "verdict_script": _VERDICT,
        },
    )
