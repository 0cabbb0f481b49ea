"""PyTorch and Transformers models, trained and served with nothing but the packages of the rendered lists: 5 GB of them."""

from __future__ import annotations

import time
from pathlib import Path

from generator.plan.column import Column
from tests.bento.neural import answers, installed, planned
from tests.world.scenario import Result, Scenario

_NAMES = ("fine", "fraud")
_MODELS = {
    "TorchScript": planned("traced", "pytorch", classes=_NAMES),
    "torch.export": planned("exported", "pytorch", classes=_NAMES),
    "safetensors and a class": planned(
        "weights", "pytorch", classes=_NAMES, custom_class="team_network:Network"
    ),
    "a picture as an array": planned(
        "pixels", "pytorch", inputs=(Column("image", "number", shape=(3, 6, 5)),), classes=_NAMES
    ),
    "lists as separate arguments": planned(
        "sequences",
        "pytorch",
        inputs=(
            Column("age", "number"),
            Column("ids", "integer", items=(1, 8), minimum=0, maximum=8),
            Column("mask", "boolean", items=(1, 8)),
        ),
        custom_class="team_sequences:Sequences",
    ),
    "a classifier of Transformers": planned(
        "requests", "transformers", inputs=(Column("text", "string", max_length=200),)
    ),
    "images of Transformers": planned(
        "photos", "transformers", inputs=(Column("photo", "image", formats=("png",), max_bytes=10_000),)
    ),
}
_CLASSES = {
    "lab-requests": ["outage", "billing"],
    "lab-photos": ["dark above", "dark below"],
    "lab-sequences": None,
}


def run(folder: Path) -> Result:
    """Serve each kind of file, and compare its answers with those of the library itself."""
    figures: dict[str, str | float] = {}
    for framework in ("pytorch", "transformers"):
        started = time.monotonic()
        installed(framework)
        figures[f"installed {framework}, seconds"] = round(time.monotonic() - started)
    for kind, bento in _MODELS.items():
        started = time.monotonic()
        answer = answers(bento, folder / bento.name)
        assert answer["classes"] == _CLASSES.get(bento.name, list(bento.classes)), answer["classes"]
        figures[f"trained, built and served {kind}, seconds"] = round(time.monotonic() - started)
    return Result(figures, {"torch": "2.15.0", "transformers": "5.24.0"})


SCENARIO = Scenario(
    title="PyTorch and Transformers models behind their rendered services",
    covers=(
        "templates/bento",
        "generator/spec/frameworks",
        "tests/bento/networks.py",
        "tests/bento/neural.py",
        "tests/pins/pytorch.txt",
        "tests/pins/transformers.txt",
    ),
    run=run,
)
