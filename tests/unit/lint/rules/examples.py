"""The examples of rules as whole trees: what an example leaves out is taken from small objects that are right."""

from __future__ import annotations

import copy
from typing import Any

import yaml

from generator.lint.controller import NEWEST
from generator.lint.engine import Code
from generator.lint.objects import File, Object
from generator.lint.placement import Objects
from generator.lint.verification import Violation, run_rules
from tests.unit.lint.rules.samples import ROLLOUT, TEMPLATE, http_route, service

_COMPLETE = {"ROL201", "ROL209"}
"""Codes of trees that have everything they refer to."""
_OF_WHOLE_RELEASES = {"ANA446", "ANA467", "ANA470", "CAP508", "CAN120", "CAN121"}
"""Codes on what a short example leaves out: who judges, requests, a router, pods, a query by version."""
_REPLACED = {"trafficRouting", "provider"}
"""Mappings that an example gives as a whole: a Rollout has one router, and a metric one provider."""


def bodies(text: str) -> list[Any]:
    """The objects of an example, and those that it does not mention.

    A document without a kind is a part of the Rollout (`spec` or `metadata`) or of the metric of the template. A document
    of a kind that the sample tree has changes the object of that name; any other stands alone.
    """
    found = {
        ("Rollout", "model"): copy.deepcopy(ROLLOUT),
        ("AnalysisTemplate", "quality"): copy.deepcopy(TEMPLATE),
        ("Service", "model-stable"): service(),
        ("Service", "model-canary"): service("model-canary"),
        ("HTTPRoute", "model"): http_route(("model-stable", "model-canary")),
    }
    others = []
    for part in yaml.safe_load_all(text):
        kind, name = part.get("kind"), part.get("metadata", {}).get("name")
        if kind is None and not part.keys() & {"spec", "metadata"}:
            metric = found["AnalysisTemplate", "quality"]["spec"]["metrics"][0]
            found["AnalysisTemplate", "quality"]["spec"]["metrics"][0] = merged(metric, part)
        elif kind is None or (kind, name) == ("Rollout", None):
            found["Rollout", "model"] = merged(found["Rollout", "model"], part)
        elif kind == "AnalysisRun":
            others.append(
                merged({**copy.deepcopy(TEMPLATE), "metadata": {"name": "run", "namespace": "shop"}}, part)
            )
        elif (kind, name) in found:
            found[kind, name] = part
        else:
            others.append(part)
    return [*found.values(), *others]


def merged(whole: Any, part: Any) -> Any:
    """A value with the parts that an example gives: null removes a key, containers are merged by their position."""
    if isinstance(whole, dict) and isinstance(part, dict):
        if "blueGreen" in part:
            return part
        kept = {key: value for key, value in whole.items() if part.get(key, value) is not None}
        changed = {
            key: value if key in _REPLACED else merged(whole.get(key), value)
            for key, value in part.items()
            if value is not None
        }
        return kept | changed
    if isinstance(whole, list) and whole and isinstance(whole[0], dict) and "image" in whole[0]:
        return [merged(old, new) for old, new in zip(whole, part, strict=True)]
    return part


def found_in(code: Code, text: str) -> list[Violation]:
    """Return the violations in an example of a code that are at least as severe as the code."""
    objects = [Object.read(body, _file_of(body), i) for i, body in enumerate(bodies(text))]
    found = run_rules(Objects(objects), NEWEST, complete=code.code in _COMPLETE)
    return [
        violation
        for violation in found
        if violation.code is code
        or (violation.severity != "info" and violation.code.code not in _OF_WHOLE_RELEASES)
    ]


def _file_of(body: Any) -> File:
    """Applications and projects are in a separate folder, which they do not sync."""
    return File("argocd/all.yaml" if body["kind"] in {"Application", "AppProject"} else "shop/model/all.yaml")
