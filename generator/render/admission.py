"""Admission policies: the API server refuses releases that Sluice would refuse, in case they bypass it.

CEL sees one object and its namespace, so it can enforce what a tier says about steps (the first weight, cohorts, the
largest increase, the shortest hold, a switch), images by digest, approvals, an analysis, and that a release names the
gates it passed. The rest needs the plan.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from generator.plan.build import namespace_of
from generator.render.bundle import render_object
from generator.render.environment import Templates
from generator.render.output import PLATFORM_ORIGIN, Output
from generator.spec.platform import KnownCohort, PlatformSpec

T = TypeVar("T")
_POLICIES = ("images", "releases")
_MOST_STEPS: Final = 240
"""More than a spec can have: 30 steps, each of at most five of the controller's, 40 repetitions, and a shadow."""
_OUTPUTS = tuple(
    Output(f"{kind}-{policy}.yaml", f"platform/{kind}{suffix}.yaml.j2", {"policy": policy})
    for policy in _POLICIES
    for kind, suffix in (
        ("validatingadmissionpolicy", f"-{policy}"),
        ("validatingadmissionpolicybinding", ""),
    )
)


def render_admission(platform: PlatformSpec, environment: str, templates: Templates) -> dict[str, str]:
    """Return the policies of one environment, each with its binding.

    Returns:
        Text by file name; empty when the platform has none configured.
    """
    if platform.admission == "none":
        return {}
    context = {
        "environment": environment,
        "labels": {"app.kubernetes.io/managed-by": "sluice", "sluice.dev/environment": environment},
        "actions": {"deny": ["Deny"], "warn": ["Warn", "Audit"]}[platform.admission],
        **_adopted(platform, environment),
        **_limits(platform),
    }
    return {output.file: render_object(output, context, templates, PLATFORM_ORIGIN) for output in _OUTPUTS}


def _adopted(platform: PlatformSpec, environment: str) -> dict[str, object]:
    """Return what the policies of adopted namespaces need: no label or annotation of these is Sluice's."""
    if platform.namespaces == "managed":
        return {"adopted": [], "tiers": ""}
    tiers = {
        namespace_of(platform, environment, name): ",".join(team.tiers)
        for name, team in platform.teams.items()
    }
    return {"adopted": sorted(tiers), "tiers": _cel(tiers)}


def admission_files(platform: PlatformSpec) -> list[str]:
    """Return the names of the files of `render_admission`."""
    return [] if platform.admission == "none" else [output.file for output in _OUTPUTS]


def _limits(platform: PlatformSpec) -> dict[str, object]:
    """Return the ceilings and requirements of tiers as CEL literals (JSON is valid CEL)."""
    ceilings = {name: tier.ceilings for name, tier in platform.tiers.items()}
    requires = {name: tier.requires for name, tier in platform.tiers.items()}
    first = {name: found.first_weight for name, found in ceilings.items()}
    increase = {name: found.largest_increase for name, found in ceilings.items()}
    holds = {name: found.shortest_hold for name, found in ceilings.items()}
    return {
        "by_digest": _cel([name for name, found in requires.items() if found.image_digest]),
        "first_weight": _cel(_declared(first)),
        "largest_increase": _cel(_declared(increase)),
        "shortest_hold": _cel({name: math.ceil(seconds) for name, seconds in _declared(holds).items()}),
        "gradual": _cel([name for name, found in ceilings.items() if found.max_exposed or found.power]),
        "guarded": _cel([name for name, found in requires.items() if found.guards]),
        "approved": _cel([name for name, found in requires.items() if found.approvals]),
        "cohorts": _cel(_cohorts(platform.cohorts)),
        "positions": _cel(list(range(_MOST_STEPS))),
        "most_steps": _MOST_STEPS,
    }


def _declared(values: Mapping[str, T | None]) -> dict[str, T]:
    return {name: value for name, value in values.items() if value is not None}


def _cohorts(known: Sequence[KnownCohort]) -> dict[str, int]:
    """Return the share of each cohort, in whole percent rounded up, by comparison, header and value."""
    shares: dict[str, int] = {}
    for cohort in known:
        key = f"{cohort.match}:{cohort.header.lower()}:{cohort.value}"
        shares[key] = max(shares.get(key, 0), math.ceil(100 * cohort.share - 1e-9))
    return shares


def _cel(value: object) -> str:
    return json.dumps(value, sort_keys=True)
