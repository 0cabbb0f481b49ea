"""Renders the files of a service: all that CI needs to build the image of a model version."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from generator.plan.bento import OTHER, Bento
from generator.plan.column import MAX_FLOAT32, Json
from generator.source.cache import cache_folder

if TYPE_CHECKING:
    from generator.render.environment import Templates

_TEMPLATES = {
    "README.md": "bento/README.md.j2",
    "bentofile.yaml": "bento/bentofile.yaml.j2",
    "calls.py": "bento/calls.py.j2",
    "counters.py": "bento/counters.py.j2",
    "edge.py": "bento/edge.py.j2",
    "import_model.py": "bento/import_model.py.j2",
    "messages.py": "bento/messages.py.j2",
    "requirements.txt": "bento/requirements.txt.j2",
    "service.py": "bento/service.py.j2",
}
_OWN = {
    "README.md": "bento/own/README.md.j2",
    "counters.py": "bento/counters.py.j2",
    "import_model.py": "bento/import_model.py.j2",
    "requirements.txt": "bento/requirements.txt.j2",
    "sluice_service.py": "bento/frameworks/bento.py.j2",
}
_KINDS = {"kinds.py": "bento/kinds.py.j2"}
_WITH_OUTCOMES = {"feedback.py": "bento/feedback.py.j2", "tokens.py": "bento/tokens.py.j2"}


def bento_templates(bento: Bento) -> dict[str, str]:
    """Return the template of each file of a service, by file name, sorted."""
    outcomes = _WITH_OUTCOMES if bento.events else {}
    if bento.endpoints:
        own = {"messages.py": "bento/own/messages.py.j2"} if bento.events else {}
        return dict(sorted({**_OWN, **outcomes, **own}.items()))
    framework = {"predictor.py": f"bento/frameworks/{bento.framework}.py.j2"}
    optional = {**outcomes, **(_KINDS if bento.kinds else {})}
    return dict(sorted({**_TEMPLATES, **framework, **optional}.items()))


def render_bento(bento: Bento, templates: Templates) -> dict[str, str]:
    """Render the folder of one service.

    Args:
        bento: the resolved service.
        templates: ours, with the platform team's overrides.

    Returns:
        Text by file name, sorted by name. Every text ends with one newline.
    """
    context = {"bento": bento, "other": OTHER, "max_float": MAX_FLOAT32, "request": _sample_request(bento)}
    return {file: templates.render(name, context) for file, name in bento_templates(bento).items()}


class Bentos:
    """Rendered services.

    A service's digest is part of its image tag, so the plan needs it. The last service is cached: the environments of
    a model share it, and it is rendered right after planning.

    Args:
        templates: ours, with the platform team's overrides.
        remembered: keep digests in the user's cache, by all that decides them: a command that renders nothing then
            need not load the template engine. Templates of the platform team are always rendered.
    """

    def __init__(self, templates: Templates, *, remembered: bool = False) -> None:
        self._templates = templates
        self._last: tuple[str, dict[str, str]] = ("", {})
        self._remembered = (
            cache_folder("bentos") if remembered and not templates.own_digest(templates.files) else None
        )

    def trace(self, bento: Bento) -> None:
        """Record the templates of a service as used, for a bundle that only contains its digest."""
        self._templates.trace(bento_templates(bento).values())

    def files(self, bento: Bento) -> dict[str, str]:
        """Return the text of each file of a service, by name."""
        self.trace(bento)
        key = repr(bento)  # not the value: 1, 1.0 and True are equal, and are rendered differently
        if self._last[0] != key:
            self._last = key, render_bento(bento, self._templates)
        return dict(self._last[1])

    def digest(self, bento: Bento) -> str:
        """Return the SHA-256 (hex) of the files of a service, names included."""
        if self._remembered is None:
            return self._computed(bento)
        file = self._remembered / hashlib.sha256(f"{_source_digest()}\0{bento!r}".encode()).hexdigest()
        with suppress(OSError, UnicodeDecodeError):
            found = file.read_text("utf-8")
            if re.fullmatch(r"[0-9a-f]{64}", found):
                return found
        digest = self._computed(bento)
        with suppress(OSError):
            file.write_bytes(digest.encode())
        return digest

    def _computed(self, bento: Bento) -> str:
        total = hashlib.sha256()
        for name, text in self.files(bento).items():
            total.update(f"{name}\0{len(text)}\0{text}".encode())
        return total.hexdigest()


@cache
def _source_digest() -> str:
    """Return the SHA-256 (hex) of what renders a service: its templates and this room."""
    from generator.source.shipped import builtin_folder

    folders = ((builtin_folder() / "bento", "*.j2"), (Path(__file__).parent, "*.py"))
    files = sorted(file for folder, pattern in folders for file in folder.rglob(pattern))
    return hashlib.sha256(
        b"".join(b"%s\0%s\0" % (file.name.encode(), file.read_bytes()) for file in files)
    ).hexdigest()


def _sample_request(bento: Bento) -> str:
    row: dict[str, Json] | str = bento.examples[0] if bento.examples else "..."
    return shlex.quote(json.dumps({"rows": [row]}, ensure_ascii=False))
