"""Rules on the apiVersion and kind of an object: what exists, what was removed, and slips of the keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.lint.engine import Problem, rule
from generator.lint.kinds.definitions import KINDS
from generator.lint.objects import GROUPS, Object, as_text
from generator.lint.rules.contexts import TreeContext
from generator.source.finding import Severity
from generator.source.suggest import distance

_REMOVED: Final = {
    ("extensions/v1beta1", "Ingress"): ("networking.k8s.io/v1", "1.22"),
    ("networking.k8s.io/v1beta1", "Ingress"): ("networking.k8s.io/v1", "1.22"),
    ("networking.k8s.io/v1beta1", "IngressClass"): ("networking.k8s.io/v1", "1.22"),
    ("extensions/v1beta1", "Deployment"): ("apps/v1", "1.16"),
    ("extensions/v1beta1", "DaemonSet"): ("apps/v1", "1.16"),
    ("extensions/v1beta1", "ReplicaSet"): ("apps/v1", "1.16"),
    ("apps/v1beta1", "Deployment"): ("apps/v1", "1.16"),
    ("apps/v1beta2", "Deployment"): ("apps/v1", "1.16"),
    ("apps/v1beta1", "StatefulSet"): ("apps/v1", "1.16"),
    ("policy/v1beta1", "PodDisruptionBudget"): ("policy/v1", "1.25"),
    ("policy/v1beta1", "PodSecurityPolicy"): ("", "1.25"),
    ("autoscaling/v2beta1", "HorizontalPodAutoscaler"): ("autoscaling/v2", "1.25"),
    ("autoscaling/v2beta2", "HorizontalPodAutoscaler"): ("autoscaling/v2", "1.26"),
    ("batch/v1beta1", "CronJob"): ("batch/v1", "1.25"),
    ("rbac.authorization.k8s.io/v1beta1", "Role"): ("rbac.authorization.k8s.io/v1", "1.22"),
    ("rbac.authorization.k8s.io/v1beta1", "RoleBinding"): ("rbac.authorization.k8s.io/v1", "1.22"),
    ("rbac.authorization.k8s.io/v1beta1", "ClusterRole"): ("rbac.authorization.k8s.io/v1", "1.22"),
    ("rbac.authorization.k8s.io/v1beta1", "ClusterRoleBinding"): ("rbac.authorization.k8s.io/v1", "1.22"),
    ("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition"): ("apiextensions.k8s.io/v1", "1.22"),
}
"""Versions of Kubernetes' API that are gone: what replaces each, and the release without it."""

_ARGO: Final = "argoproj.io/v1alpha1"
_CORE: Final = frozenset({"", "apps", "batch", "policy", "autoscaling", "networking.k8s.io"})
_SHOWN: Final = "apiVersion: {}\nkind: {}\nmetadata: {{name: other, namespace: shop}}\n"


@rule(
    "VER117",
    "warning",
    "there is no such apiVersion or kind",
    scope=TreeContext,
    why="The API server does not know the pair, so the object cannot be applied.",
    remedy="Write an apiVersion and a kind that the cluster serves.",
    example=_SHOWN.format("v1", "Servce"),
    instead=_SHOWN.format("v1", "ServiceAccount"),
    source="Kubernetes, deprecated API migration guide; the definitions of the projects",
)
def unknown_pair(ctx: TreeContext) -> Iterator[Problem]:
    """Check that no kind is misspelt, in another group, in a version that never existed, or in one that is gone."""
    for item in ctx.objects.all:
        pair = (as_text(item.body.get("apiVersion")), item.kind)
        if pair in KINDS or not all(pair):
            continue
        if pair in _REMOVED:
            instead, release = _REMOVED[pair]
            hint = f"write apiVersion: {instead}" if instead else "remove the object"
            message = f"{pair[0]} {pair[1]} is not served from Kubernetes {release} on"
            yield Problem(("apiVersion",), message, hint, document=item)
        elif found := _meant(item):
            version, kind = found
            path = "kind" if kind != item.kind else "apiVersion"
            severity: Severity | None = "error" if item.group == "argoproj.io" else None
            message = f"there is no {pair[0]} {pair[1]}; did you mean {version} {kind}?"
            hint = f"write {path}: {kind if path == 'kind' else version}"
            right = kind if path == "kind" else version
            yield Problem((path,), message, hint, document=item, severity=severity, replacement=right)


def _meant(item: Object) -> tuple[str, str] | None:
    """Return the apiVersion and kind that an unknown pair may mean, if the group or the kind is known for sure."""
    version = as_text(item.body.get("apiVersion"))
    same_kind = sorted(api for api, kind in KINDS if kind == item.kind)
    own_group = [api for api in same_kind if api.rpartition("/")[0] == item.group]
    if own_group and (item.group == "argoproj.io" or item.group in _CORE):
        return own_group[-1], item.kind
    if item.group == "argoproj.io" or item.group in _CORE:
        near = [
            (distance(item.kind.lower(), kind.lower()), api, kind)
            for api, kind in KINDS
            if api == version or (item.group == "argoproj.io" and api == _ARGO)
        ]
        errors, api, kind = min(near, default=(9, "", ""))
        if 0 < errors <= 2 and len(item.kind) > 4 and kind not in _SIBLINGS.get(item.kind, ()):
            return api, kind
    if len(same_kind) == 1 and item.group in _CORE and item.kind in GROUPS:
        return same_kind[0], item.kind
    if (
        item.kind in ("Rollout", "AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun")
        and item.group in _CORE
    ):
        return _ARGO, item.kind
    return None


_SIBLINGS: Final = {"EventSource": ("EventBus",)}
"""Kinds that are not in the tables and look like one that is."""
