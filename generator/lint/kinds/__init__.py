"""Strict types of every kind that Sluice renders, fast enough to check each object of each run.

`check` looks at one object: fields that do not exist, values of the wrong type, words outside an enumeration,
names, quantities, durations and ports of the wrong form, missing keys, fields that exclude each other. One
mistake gives one problem. The field lists are those of Kubernetes 1.37 and of the custom resource definitions
of Argo Rollouts 1.10, Argo CD 3.6, Argo Workflows 3.7, Gateway API 1.7, Istio 1.31, Traefik 3.7, KEDA 2.21,
External Secrets 1.3 and prometheus-operator 0.95; tests hold the tables against them.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic_core import ValidationError

from generator.lint.kinds.problem import Problem, details
from generator.lint.kinds.registry import KINDS, compiled, table

__all__ = ["KINDS", "Problem", "check"]


def check(obj: Mapping[str, object]) -> list[Problem]:
    """What is wrong with one Kubernetes object.

    Args:
        obj: the object as a YAML or JSON reader gives it: plain dicts, lists and scalars.

    Returns:
        One problem a mistake, none for a good object; a single one of sort `unknown-kind` when there is no
        table for its apiVersion and kind.
    """
    api_version, kind = obj.get("apiVersion"), obj.get("kind")
    if not isinstance(api_version, str) or not isinstance(kind, str):
        key = "kind" if isinstance(api_version, str) else "apiVersion"
        return [Problem((key,), "is required and must be a string", "missing")]
    if (api_version, kind) not in KINDS:
        return [Problem(("kind",), f"{api_version} {kind} is not a kind that can be checked", "unknown-kind")]
    try:
        compiled(api_version, kind).validate_python(obj)
    except ValidationError as error:
        return details(error.errors(include_url=False, include_context=False), table(api_version, kind))
    return []
