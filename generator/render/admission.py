"""Admission policies: the API server refuses releases that Sluice would refuse, in case they bypass it.

CEL sees one object and its namespace, so it can enforce three rules of a tier (images by digest, the first weight, an
approval) and that a release names the gates it passed. The rest needs the plan.
"""

from __future__ import annotations

import json

from generator.render.argocd import PLATFORM_ORIGIN
from generator.render.bundle import render_object
from generator.render.environment import Templates
from generator.render.output import Output
from generator.spec.platform import PlatformSpec

_POLICIES = ("images", "releases")


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
        **_limits(platform),
    }
    outputs = [
        Output(f"{kind}-{policy}.yaml", f"platform/{kind}{suffix}.yaml.j2", {"policy": policy})
        for policy in _POLICIES
        for kind, suffix in (
            ("validatingadmissionpolicy", f"-{policy}"),
            ("validatingadmissionpolicybinding", ""),
        )
    ]
    return {output.file: render_object(output, context, templates, PLATFORM_ORIGIN) for output in outputs}


def _limits(platform: PlatformSpec) -> dict[str, str]:
    """Return the requirements of tiers as CEL literals (JSON is valid CEL)."""
    tiers = platform.tiers
    first = {name: tier.ceilings.first_weight for name, tier in tiers.items()}
    return {
        "by_digest": _cel([name for name, tier in tiers.items() if tier.requires.image_digest]),
        "first_weight": _cel({name: weight for name, weight in first.items() if weight is not None}),
        "approved": _cel([name for name, tier in tiers.items() if tier.requires.approvals]),
    }


def _cel(value: object) -> str:
    return json.dumps(value, sort_keys=True)
