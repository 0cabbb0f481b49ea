"""The descriptor of a framework."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    """One way to load a model.

    `templates/bento/frameworks/<name>.py.j2` has its code, the class `Predictor`.

    Args:
        name: its name in specs.
        requirements: pinned packages that its services need, apart from BentoML; the project's tests serve them.
        own_class: the team brings the class (`load` in the spec).
        reads: formats of files that its template loads; `pin` recognizes them by their content. Empty for any.
        probabilities: its services know the probabilities of two classes, which `service.threshold` needs.
        attributed: `templates/gates/shap/run.py` loads its models, so that explain gates can attribute them.
    """

    name: str
    requirements: tuple[str, ...]
    own_class: bool
    reads: frozenset[str]
    attributed: bool
    probabilities: bool
