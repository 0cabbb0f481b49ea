"""The images that gates run in: their build files, and a tag that identifies them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generator import __version__
from generator.dataclass import dataclass
from generator.render.environment import Templates
from generator.source.shipped import builtin_folder
from generator.spec.gate_tools import IMAGES, TOOLS

if TYPE_CHECKING:
    from generator.plan.values import Plan

CONTAINERFILE: Final = "Containerfile"
TAG: Final = "IMAGE"
_TEMPLATE: Final = "gates/containerfile.txt.j2"
_CORE: Final = Path(__file__).resolve().parent.parent / "pins" / "core.txt"
_CORE_NAME: Final = "sluice.txt"
_COMMON: Final = "common.py"
_PACKAGES: Final = "requirements.txt"
_SHORT: Final = 12


@dataclass(frozen=True)
class GateImages:
    """The gate images of one platform.

    Args:
        prefix: of their names.
        base: the base image.
        templates: has the template of their build file.
    """

    prefix: str
    base: str
    templates: Templates

    def reference(self, name: str) -> str:
        """Return an image's reference; the tag has Sluice's version and 12 digits of the build files' digest."""
        return f"{self.prefix}/{name}:{__version__}-{_digest(name, self._containerfile(name))[:_SHORT]}"

    def files(self, name: str) -> dict[str, str]:
        """Return all files of one image: text by name."""
        own = dict(_sources(name)) | {CONTAINERFILE: self._containerfile(name)}
        return dict(sorted(own.items())) | {TAG: f"{self.reference(name)}\n"}

    def _containerfile(self, name: str) -> str:
        self.templates.trace((_TEMPLATE,))
        return _containerfile(self.templates, self.base, name)


def gate_images(plan: Plan, templates: Templates) -> GateImages:
    """Return the gate images of a plan's platform."""
    return GateImages(plan.gate_pods.prefix, plan.gate_pods.base, templates)


def by_digest(plan: Plan, reference: str) -> str:
    """Return a gate image by digest, if the platform has the one of exactly this tag."""
    digest = dict(plan.gate_pods.digests).get(reference)
    return f"{reference}@{digest}" if digest else reference


@lru_cache(maxsize=64)
def _containerfile(templates: Templates, base: str, name: str) -> str:
    tools = IMAGES[name]
    context = {
        "name": name,
        "version": __version__,
        "base": base,
        "tools": tools,
        "system_packages": [package for tool in tools for package in TOOLS[tool].system_packages],
    }
    return templates.render(_TEMPLATE, context)


@lru_cache(maxsize=64)
def _digest(name: str, containerfile: str) -> str:
    total = hashlib.sha256(containerfile.encode())
    for file, text in _sources(name).items():
        total.update(f"\0{file}\0{len(text)}\0{text}".encode())
    return total.hexdigest()


@lru_cache(maxsize=len(IMAGES))
def _sources(name: str) -> Mapping[str, str]:
    """Return the hashed lists of packages and the scripts: text by name, sorted."""
    found = {_CORE_NAME: _CORE.read_text(encoding="utf-8")}
    folder = builtin_folder() / "gates"
    for tool in IMAGES[name]:
        found[_COMMON] = (folder / _COMMON).read_text(encoding="utf-8")
        for path in (folder / tool / _PACKAGES, *sorted((folder / tool).glob("*.py"))):
            found[f"{tool}/{path.name}"] = path.read_text(encoding="utf-8")
    return dict(sorted(found.items()))
