"""The descriptor of a framework."""

from __future__ import annotations

from typing import Literal

from generator.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    """One way to load a model.

    `templates/bento/frameworks/<name>.py.j2` has its code, the class `Predictor`.

    Args:
        name: its name in specs.
        requirements: pinned packages that its services need, apart from BentoML; the project's tests serve them.
        own_class: whether the team brings a class (`load` in the spec): never, for some of its files, or always.
        reads: formats of files that its template loads; `pin` recognizes them by their content. A class of the
            team may load others too.
        probabilities: its services know classes and their probabilities, which `service.threshold` and
            `service.classes` need.
        gpu: the packages instead, where pods have GPUs; None if its services can't use a GPU.
        takes: types of inputs that its template passes on, apart from numbers, texts and booleans, with `array` and
            `list`; None for any.
        attributed: `templates/gates/shap/run.py` loads its models, so that explain gates can attribute them.
    """

    name: str
    requirements: tuple[str, ...]
    own_class: Literal["never", "sometimes", "always"]
    reads: frozenset[str]
    attributed: bool
    probabilities: bool
    gpu: tuple[str, ...] | None
    takes: frozenset[str] | None
