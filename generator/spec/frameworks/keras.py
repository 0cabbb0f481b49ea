"""Keras models, on JAX."""

from __future__ import annotations

from typing import Final

from generator.spec.frameworks.base import Framework

FRAMEWORK: Final = Framework(
    name="keras",
    requirements=("keras==3.15.1", "jax==0.10.2", "numpy==2.4.6"),
    own_class="never",
    reads=frozenset({"keras"}),
    attributed=False,
    probabilities=True,
    gpu=("keras==3.15.1", "jax[cuda13]==0.10.2", "numpy==2.4.6"),
    takes=frozenset({"array"}),
)
