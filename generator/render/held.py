"""Held releases: what a bundle runs stays as it is in git, and what governs it follows the spec."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Final

from generator.plan.names import ROLLOUT_FILE
from generator.plan.promotion import kept, standing
from generator.plan.values import Plan
from generator.render.bundle import OF_A_RELEASE, OUTPUTS, FilesOfPlan, digest, render_bundle
from generator.render.environment import Templates
from generator.render.outputs.rollout import rollout
from generator.source.errors import UserError

# Pods name the configuration and the secrets; the gates and the shadow are those of a version.
_HELD: Final = re.compile(
    r"configmap-config\.yaml|cronworkflow-watch\.yaml|deployment-shadow\.yaml|externalsecret-.*|workflow-gates\.yaml"
)
_TEMPLATE: Final = "\n  template:\n"
_OUTSIDE: Final = re.compile(r"(?:^|[\r\x85\u2028\u2029])(?! {4}|[^\S\n]*$)", re.MULTILINE)
"""The begin of a line that does not belong to the pod template; YAML knows all of these line breaks."""


def is_held(file: str) -> bool:
    """Return whether a file of a bundle, or a part of it, belongs to the release."""
    return file == ROLLOUT_FILE or _HELD.fullmatch(file) is not None


def held_part(files: Mapping[str, str]) -> dict[str, str]:
    """Return the release in a bundle: text by file name; of the Rollout, the pod template.

    Raises:
        UserError: the pod template is not the last part of the Rollout.
    """
    return {
        name: _parted(text)[1] if name == ROLLOUT_FILE else text
        for name, text in sorted(files.items())
        if is_held(name)
    }


def held_digest(files: Mapping[str, str]) -> str:
    """Return the digest ("sha256:…") of the release in a bundle, as the lock of an environment names it."""
    total = hashlib.sha256()
    for name, text in held_part(files).items():
        total.update(f"{name}\0{len(text)}\0{text}".encode())
    return f"sha256:{total.hexdigest()}"


def render_promoted(
    plan: Plan, templates: Templates, odds: Mapping[str, str], read: Callable[[Plan], Mapping[str, str]]
) -> dict[str, str]:
    """Render the bundle of a gated environment.

    Args:
        plan: a plan with a promotion.
        templates: the templates.
        odds: annotations of the Rollout with the odds of the plan.
        read: reads the release in git, text by file name, whose digest is the one in the lock.
    """
    lock = plan.promotion
    if lock is None:
        raise ValueError("nothing was promoted")
    if standing(plan) == "promoted":
        whole = render_bundle(plan, templates, odds)
        # Else the environment's own resources have changed since: they wait for a promotion, too.
        if held_digest(whole) == lock.held:
            return whole
    governing, in_git = kept(plan), read(plan)
    files = FilesOfPlan.of(governing, templates)
    groups = [outputs for outputs in OUTPUTS if outputs not in OF_A_RELEASE]
    texts = files.render(out for outputs in groups for out in outputs(governing) if not is_held(out.file))
    texts |= {name: text for name, text in in_git.items() if is_held(name) and name != ROLLOUT_FILE}
    (last,) = files.render([rollout(governing, digest(texts), odds, held=True)]).values()
    return {**texts, ROLLOUT_FILE: _parted(last)[0] + _parted(in_git[ROLLOUT_FILE])[1]}


def _parted(text: str) -> tuple[str, str]:
    """Return a Rollout until its pod template, and the pod template, which is its last part.

    Raises:
        UserError: it is not.
    """
    head, found, pods = text.partition(_TEMPLATE)
    if not found or _OUTSIDE.search(pods):
        message = f"the pod template is not the last part of {ROLLOUT_FILE}, so a release can't be held"
        raise UserError(message, "keep `template:` at the end in the template of the Rollout")
    return head, found + pods
