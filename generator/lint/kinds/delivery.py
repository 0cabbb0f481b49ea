"""What an Application may bring where, by its AppProject: Argo CD refuses the whole Application, or the whole sync.

Destinations, sources and kinds match as in argo-cd pkg/apis/application/v1alpha1 (app_project_types.go: globs; a
pattern that starts with `!` takes away). Seen on a real cluster: an Application without a namespace is refused when
its project lists namespaces, although every object says its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any, Final

from generator.lint.kinds.codes import Issue, issue
from generator.lint.kinds.objects import Object, Objects, as_list, as_map, as_text
from generator.source.folders import synced

_ARGO: Final = "argoproj.io"


def check(objects: Objects) -> Iterator[Issue]:
    """Every Application whose project is in the tree, and the objects below the path that it syncs."""
    for item in objects.of(_ARGO, "Application"):
        project = objects.get(_ARGO, "AppProject", item.namespace, as_text(item.spec.get("project")))
        if project is not None:
            yield from _itself(item, project)
            for brought in _brought(item, objects):
                yield from _object(item, project, brought)


def _itself(item: Object, project: Object) -> Iterator[Issue]:
    destination = as_map(item.spec.get("destination"))
    namespace = as_text(destination.get("namespace"))
    if not _may_go(project, destination, namespace):
        where = f"namespace {namespace}" if namespace else "no namespace"
        message = f"{item} goes to {where} of its server, which {project} does not allow"
        yield issue(item.document, ("spec", "destination"), "VER180", message, on_key=True)
    repo = as_text(as_map(item.spec.get("source")).get("repoURL"))
    if repo and not _matches(repo, as_list(project.spec.get("sourceRepos"))):
        message = f"{item} comes from a repository that {project} does not allow"
        yield issue(item.document, ("spec", "source", "repoURL"), "VER180", message)


def _object(item: Object, project: Object, brought: Object) -> Iterator[Issue]:
    destination = as_map(item.spec.get("destination"))
    namespace = brought.namespace or as_text(destination.get("namespace"))
    if not brought.cluster_wide and not _may_go(project, destination, namespace):
        message = f"{item} may not bring {brought}: {project} does not allow its namespace"
        yield issue(brought.document, ("metadata", "namespace"), "VER181", message)
    if not _may_be(project, brought):
        message = f"{item} may not bring {brought}: {project} does not allow its kind"
        yield issue(brought.document, ("kind",), "VER182", message)


def _may_go(project: Object, destination: Any, namespace: str) -> bool:
    allowed = [as_map(entry) for entry in as_list(project.spec.get("destinations"))]
    for key in ("server", "name"):
        if here := as_text(destination.get(key)):
            allowed = [entry for entry in allowed if _matches(here, [entry.get(key)])]
    return _matches(namespace, [entry.get("namespace") for entry in allowed])


def _may_be(project: Object, brought: Object) -> bool:
    """Cluster-wide kinds must be listed; others are allowed unless there is a list of them."""
    scope = "cluster" if brought.cluster_wide else "namespace"
    white, black = (project.spec.get(f"{scope}Resource{which}") for which in ("Whitelist", "Blacklist"))
    listed = white is None and scope == "namespace"
    return (listed or _listed(brought, white)) and not _listed(brought, black)


def _listed(brought: Object, kinds: Any) -> bool:
    return any(
        _matches(brought.group, [as_map(entry).get("group")])
        and _matches(brought.kind, [as_map(entry).get("kind")])
        for entry in as_list(kinds)
    )


def _matches(value: str, patterns: Iterable[Any]) -> bool:
    texts = [pattern for pattern in patterns if isinstance(pattern, str)]
    taken = any(fnmatchcase(value, pattern[1:]) for pattern in texts if pattern.startswith("!"))
    return not taken and any(fnmatchcase(value, pattern) for pattern in texts if not pattern.startswith("!"))


def _brought(item: Object, objects: Objects) -> Iterator[Object]:
    """Objects in the folder that an Application syncs."""
    for folder in synced(as_map(item.spec.get("source")), objects.by_folder):
        yield from objects.by_folder[folder]
