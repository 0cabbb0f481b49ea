"""A class that the team writes."""

from __future__ import annotations

from typing import Final

from generator.spec.frameworks.base import Framework

FRAMEWORK: Final = Framework(
    name="custom",
    requirements=(),
    own_class="always",
    reads=frozenset({"program"}),
    attributed=False,
    probabilities=False,
    gpu=(),
    takes=None,
)
