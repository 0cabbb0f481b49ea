"""Strict types of every kind that Sluice renders or reads, fast enough to check each object of each run.

`check` looks at one object: fields that do not exist, values of the wrong type, words outside an enumeration,
names, quantities, durations and ports of the wrong form, missing keys, fields that exclude each other. One
mistake gives one `Mistake`. The types are those that Kubernetes, Argo Rollouts, Argo CD, Argo Workflows, Gateway API,
Istio, Traefik, KEDA, External Secrets and prometheus-operator publish, and what `strict` demands on top.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic_core import ValidationError

from generator.lint.kinds.definitions import KINDS
from generator.lint.kinds.mistake import Mistake, mistakes
from generator.lint.kinds.tables import Part, part

__all__ = ["KINDS", "Mistake", "check"]

_SUPPORTED: Final = 4
"""Minor releases of Kubernetes that get patches, with one to spare; other projects have fewer here."""
_ANY_VERSION: Final[Mapping[str, str]] = {}


def check(obj: Mapping[str, object], versions: Mapping[str, str] = _ANY_VERSION) -> list[Mistake]:
    """Return the mistakes in one Kubernetes object.

    Args:
        obj: the object as a YAML or JSON reader gives it: plain dicts, lists and scalars.
        versions: minor versions by project, such as `{"argo-rollouts": "1.9"}`. An object of another project is valid
        if any known version accepts it.

    Returns:
        The mistakes, none for a valid object; a single one of sort `unknown-kind` for an unknown apiVersion and kind.
    """
    api_version, kind = obj.get("apiVersion"), obj.get("kind")
    if not isinstance(api_version, str) or not isinstance(kind, str):
        key = "kind" if isinstance(api_version, str) else "apiVersion"
        return [Mistake((key,), "is required and must be a string", "missing")]
    known = KINDS.get((api_version, kind))
    if known is None:
        return [Mistake(("kind",), f"{api_version} {kind} is not a kind that can be checked", "unknown-kind")]
    if known.project in versions:
        release = versions[known.project]
        found = _mistakes(part(api_version, kind, release), obj)
        return [mistake.in_release(f"{known.project} {release}") for mistake in found]
    found = _mistakes(part(api_version, kind), obj)
    for version in _current(known.roots) if found else ():
        found = min(found, _mistakes(part(api_version, kind, version), obj), key=len)
    return found


def _current(roots: Mapping[str, str]) -> list[str]:
    """Return the releases that count for an object without a declared one: not those that are long out of support."""
    major, newest = _minor(next(iter(roots)))
    return [name for name in roots if _minor(name)[0] != major or newest - _minor(name)[1] < _SUPPORTED]


def _minor(release: str) -> tuple[int, int]:
    major, minor, *_ = map(int, release.split("."))
    return major, minor


def _mistakes(table: Part, obj: Mapping[str, object]) -> list[Mistake]:
    try:
        table.run(obj)
    except ValidationError as error:
        return mistakes(error.errors(include_url=False, include_context=False), table.schema)
    return []
