"""Code owners of a repository: who must agree to a change of what (GitHub's and GitLab's CODEOWNERS)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from generator.plan.entries import PLATFORM, SPECS
from generator.spec.platform import PlatformSpec

# What both hosts understand: a user or group, or the e-mail address of one.
_OWNER = re.compile(r"@[A-Za-z0-9][A-Za-z0-9_./-]*|[^\s@#]+@[^\s@#]+\.[^\s@#]+")


def is_owner(text: str) -> bool:
    """Whether a host would know an owner by this: anything else makes it skip the whole line."""
    return _OWNER.fullmatch(text) is not None


def rows(platform: PlatformSpec) -> list[str]:
    """One line a pattern; the last pattern that matches a file decides.

    A team owns its specs and what is rendered from them. What limits the teams is the platform's: its file, the
    templates, projects, namespaces, policies, and this list itself.
    """
    folder = platform.git.path
    found = []
    for name in sorted(platform.teams):
        for pattern in (
            f"/{SPECS}/{name}/",
            f"/{folder}/*/{name}/",
            f"/{folder}/*/argocd/applications/{name}/",
        ):
            found += _row(pattern, platform.teams[name].owners)
    for pattern in (
        f"/{SPECS}/{PLATFORM}", "/templates/", f"/{folder}/*/platform/", f"/{folder}/*/argocd/projects/",
        f"/{folder}/*/argocd/platform/", "/.github/", "/.gitlab-ci.yml", "CODEOWNERS",
    ):  # fmt: skip
        found += _row(pattern, platform.owners)
    return found


def _row(pattern: str, owners: Sequence[str]) -> list[str]:
    known = [owner for owner in owners if is_owner(owner)]
    return [f"{pattern} {' '.join(known)}"] if known else []
