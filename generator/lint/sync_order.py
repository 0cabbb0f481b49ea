"""The order in which Argo CD applies objects: phases and waves (gitops-engine/pkg/sync/sync_tasks.go, Argo CD 3.6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from generator.lint.objects import Object, as_text

Moment: TypeAlias = tuple[int, int]
"""Phase and wave: objects with a lower one are applied and become healthy first."""

WAVE: Final = "argocd.argoproj.io/sync-wave"
_OPTIONS: Final = "argocd.argoproj.io/sync-options"
_HOOK: Final = "argocd.argoproj.io/hook"
_HELM_HOOK: Final = "helm.sh/hook"
_PHASES: Final[Mapping[str, int]] = {
    "PreSync": -1,
    "Sync": 0,
    "PostSync": 1,
    "crd-install": -1,
    "pre-install": -1,
    "pre-upgrade": -1,
    "post-install": 1,
    "post-upgrade": 1,
}


def own_options(item: Object) -> list[str]:
    """Return the sync options that an object sets for itself."""
    return [option.strip() for option in as_text(item.annotations.get(_OPTIONS)).split(",")]


def hooks(item: Object) -> list[str]:
    """Return the hook types of an object; none for an ordinary object."""
    text = as_text(item.annotations.get(_HOOK)) or as_text(item.annotations.get(_HELM_HOOK))
    return [hook.strip() for hook in text.split(",") if hook.strip()]


def is_sequenced(item: Object) -> bool:
    """Return whether an object sets its phase or wave."""
    return bool(hooks(item)) or WAVE in item.annotations


def moment(item: Object) -> Moment | None:
    """Return when a sync applies an object; None for a hook on failures or deletions."""
    try:
        wave = int(item.annotations.get(WAVE, 0))
    except (OverflowError, TypeError, ValueError):
        wave = 0
    names = hooks(item)
    phases = [_PHASES[name] for name in names if name in _PHASES] if names else [0]
    return (min(phases), wave) if phases else None


def comes_before(one: Object, other: Object) -> bool:
    """Return whether a sync applies one object, and waits for it, before another."""
    first, then = moment(one), moment(other)
    return first is not None and then is not None and first < then
