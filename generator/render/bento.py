"""A bento value to the text of its files: all that CI needs to build the image of a model version."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from generator.plan.bento import MAX_FLOAT32, OTHER, Bento, Scalar

if TYPE_CHECKING:
    from generator.render.environment import Templates

_TEMPLATES = {
    "README.md": "bento/README.md.j2",
    "bentofile.yaml": "bento/bentofile.yaml.j2",
    "counters.py": "bento/counters.py.j2",
    "import_model.py": "bento/import_model.py.j2",
    "messages.py": "bento/messages.py.j2",
    "requirements.txt": "bento/requirements.txt.j2",
    "service.py": "bento/service.py.j2",
}


def render_bento(bento: Bento, templates: Templates) -> dict[str, str]:
    """Render the folder of one service.

    Args:
        bento: the resolved service.
        templates: ours, with the platform team's overrides.

    Returns:
        Text by file name, sorted by name. Every text ends with one newline.
    """
    names = {**_TEMPLATES, "predictor.py": f"bento/frameworks/{bento.framework}.py.j2"}
    context = {"bento": bento, "other": OTHER, "max_float": MAX_FLOAT32, "request": _sample_request(bento)}
    return {file: templates.render(name, context) for file, name in sorted(names.items())}


def _sample_request(bento: Bento) -> str:
    row: dict[str, Scalar | None] | str = bento.examples[0] if bento.examples else "..."
    return shlex.quote(json.dumps({"rows": [row]}, ensure_ascii=False))
