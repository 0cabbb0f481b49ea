"""PyTorch models: TorchScript, programs of torch.export, or weights in safetensors with the team's class."""

from __future__ import annotations

from typing import Final

from generator.spec.frameworks.base import Framework

FRAMEWORK: Final = Framework(
    name="pytorch",
    requirements=("torch==2.15.0", "safetensors==0.8.0", "numpy==2.4.6"),
    own_class="sometimes",
    reads=frozenset({"torchscript", "pt2", "safetensors"}),
    attributed=False,
    probabilities=True,
    gpu=("torch==2.15.0", "safetensors==0.8.0", "numpy==2.4.6"),
    takes=frozenset({"array", "list"}),
)
