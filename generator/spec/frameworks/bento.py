"""A bento that the team has built: its own routes, batching, workers and packages."""

from __future__ import annotations

from typing import Final

from generator.spec.frameworks.base import Framework

FRAMEWORK: Final = Framework(
    name="bento",
    requirements=(),
    own_class="always",
    reads=frozenset({"bento"}),
    attributed=False,
    probabilities=False,
    gpu=(),
    takes=None,
)
