"""Gates of the team's own in the cluster: only an image can run there, and only what Argo leaves alone reaches it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.lint.engine import Problem, rule
from generator.rules.context import GATES, Context
from generator.spec.gates import CustomGate

_BY_DIGEST: Final = "@sha256:"
_PLACEHOLDER: Final = "{{"


@rule(
    "GATE330",
    "error",
    "a custom gate that can't run in the cluster",
    scope=Context,
    why="A command of your repository is in no image: its gate would be inconclusive, and block every release.",
    remedy="Put the program into an image and name that by digest, or let the tier enforce gates in git alone.",
)
def commands(context: Context) -> Iterator[Problem]:
    """Custom gates that are commands, where the tier enforces gates in the cluster."""
    for index, gate in _custom(context):
        if _BY_DIGEST not in gate.custom:
            tier = context.plan.identity.tier
            message = f"`{gate.name}` is a command, and the tier `{tier}` runs gates in the cluster"
            hint = "name an image by digest: name@sha256:…"
            yield Problem((*GATES, index, "custom"), message, hint)


@rule(
    "GATE331",
    "error",
    "an image or argument that Argo Workflows would change",
    scope=Context,
    why="Argo replaces what stands between double braces, wherever it stands, and stops at what it does not know.",
    remedy="Write it without double braces.",
)
def placeholders(context: Context) -> Iterator[Problem]:
    """Images and arguments of custom gates that hold a placeholder of Argo."""
    for index, gate in _custom(context):
        if _PLACEHOLDER in gate.custom:
            message = f"Argo Workflows would replace a part of the image of `{gate.name}`"
            yield Problem((*GATES, index, "custom"), message, "leave the double braces out")
        for place, argument in enumerate(gate.args):
            if _PLACEHOLDER in argument:
                message = f"Argo Workflows would replace a part of this argument of `{gate.name}`"
                yield Problem((*GATES, index, "args", place), message, "leave the double braces out")


def _custom(context: Context) -> Iterator[tuple[int, CustomGate]]:
    if "cluster" not in context.tier.evidence:
        return
    for index, gate in enumerate(context.spec.gates):
        if isinstance(gate, CustomGate):
            yield index, gate
