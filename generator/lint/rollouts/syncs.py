"""What Argo CD does with objects: which Application syncs them, how, and in which order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from generator.lint.rollouts.model import Body, Object, Objects, Path, as_list, as_map, as_text
from generator.source.folders import synced

Moment: TypeAlias = tuple[int, int]
"""Phase and wave: what has a lower one is applied and healthy before."""

_OPTIONS = "argocd.argoproj.io/sync-options"
WAVE = "argocd.argoproj.io/sync-wave"
_HOOK = "argocd.argoproj.io/hook"
_HELM_HOOK = "helm.sh/hook"
_PHASES: Mapping[str, int] = {
    "PreSync": -1,
    "Sync": 0,
    "PostSync": 1,
    "crd-install": -1,
    "pre-install": -1,
    "pre-upgrade": -1,
    "post-install": 1,
    "post-upgrade": 1,
}


@dataclass(frozen=True, slots=True)
class SyncContext:
    """What a rule about an Application, or about the template of an ApplicationSet, may look at.

    Args:
        spec: of the Application.
        path: where it stands.
        brought: the objects of the tree that it syncs.
        owned: namespaces of the Services that Rollouts manage, by name.
    """

    spec: Body
    path: Path
    brought: tuple[Object, ...]
    owned: Mapping[str, set[str]]

    def of_kind(self, *kinds: str) -> list[Object]:
        """What it brings of these kinds."""
        return [item for item in self.brought if item.key.kind in kinds]

    def option(self, text: str) -> Path | None:
        """Where a sync option such as `ServerSideApply=true` is set, None where it is not."""
        options = as_list(as_map(self.spec.get("syncPolicy")).get("syncOptions"))
        path = (*self.path, "syncPolicy", "syncOptions")
        return next(((*path, i) for i, option in enumerate(options) if option == text), None)

    @property
    def ignored(self) -> list[tuple[Path, Body]]:
        """The entries of `ignoreDifferences` with their paths."""
        entries = as_list(self.spec.get("ignoreDifferences"))
        return [((*self.path, "ignoreDifferences", i), as_map(entry)) for i, entry in enumerate(entries)]


@dataclass(frozen=True, slots=True)
class WorkflowContext:
    """What a rule about a Workflow may look at: the Workflow, and the Rollouts that are synced with it."""

    workflow: Object
    rollouts: tuple[Object, ...]


def sync_contexts(objects: Objects, owned: Collection[tuple[str, str]]) -> list[tuple[Object, SyncContext]]:
    """Every Application and ApplicationSet of a tree, with what it brings.

    Args:
        objects: the tree.
        owned: namespace and name of the Services that Rollouts manage.
    """
    namespaces: dict[str, set[str]] = {}
    for namespace, name in owned:
        namespaces.setdefault(name, set()).add(namespace)
    return [
        (item, SyncContext(spec, path, tuple(_brought(spec, objects)), namespaces))
        for item, path, spec in _specs(objects)
    ]


def workflow_contexts(objects: Objects, syncs: Iterable[SyncContext]) -> Iterator[WorkflowContext]:
    """Every Workflow with the Rollouts beside it: of its Applications, or of a folder with waves or hooks."""
    together: dict[int, list[Object]] = {}
    for context in syncs:
        for item in context.of_kind("Workflow"):
            together.setdefault(id(item), []).extend(context.of_kind("Rollout"))
    for workflow in objects.of_kind("Workflow"):
        beside = together.get(id(workflow))
        if beside is None:
            folder = objects.by_folder.get(workflow.source.folder, [])
            rollouts = [item for item in folder if item.key.kind == "Rollout"]
            beside = [item for item in rollouts if sequenced(workflow) or sequenced(item)]
        yield WorkflowContext(workflow, tuple(beside))


def _specs(objects: Objects) -> Iterator[tuple[Object, Path, Body]]:
    for item in objects.of_kind("Application"):
        yield item, ("spec",), as_map(item.body.get("spec"))
    for item in objects.of_kind("ApplicationSet"):
        template = as_map(as_map(item.body.get("spec")).get("template"))
        yield item, ("spec", "template", "spec"), as_map(template.get("spec"))


def _brought(spec: Body, objects: Objects) -> Iterator[Object]:
    for source in (spec.get("source"), *as_list(spec.get("sources"))):
        for folder in synced(as_map(source), objects.by_folder):
            yield from objects.by_folder[folder]


def marks_of(item: Object) -> Body:
    """Its annotations."""
    return as_map(as_map(item.body.get("metadata")).get("annotations"))


def own_options(item: Object) -> Sequence[str]:
    """The sync options that an object sets for itself."""
    return [option.strip() for option in as_text(marks_of(item).get(_OPTIONS)).split(",")]


def hooks(item: Object) -> Sequence[str]:
    """The hooks that an object is; empty for a plain one."""
    marks = marks_of(item)
    text = as_text(marks.get(_HOOK)) or as_text(marks.get(_HELM_HOOK))
    return [hook.strip() for hook in text.split(",") if hook.strip()]


def sequenced(item: Object) -> bool:
    """Whether an object says when it is to be applied."""
    return bool(hooks(item)) or WAVE in marks_of(item)


def moment(item: Object) -> Moment | None:
    """When an object is applied in a sync; None where it is not (a hook for failures or deletions)."""
    try:
        wave = int(marks_of(item).get(WAVE, 0))
    except (OverflowError, TypeError, ValueError):
        wave = 0
    names = hooks(item)
    phases = [_PHASES[name] for name in names if name in _PHASES] if names else [0]
    return (min(phases), wave) if phases else None
