"""What a sync would change in a cluster: each rendered object against the live one, by a server-side dry run.

The server fills in defaults and merges as it would for real, so what only looks different is no difference. Fields that
an earlier sync wrote and git has no more are found by the annotation of a client-side apply, as `kubectl` and Argo CD
find them. Weights of routes and hashes in selectors are left out: they are the controller's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from generator.cluster.server import Server, path_of
from generator.lint import Object, as_map
from generator.routers import ROUTERS

AT_ONCE: Final = 8
_DRY_RUN: Final = {"dryRun": "All", "fieldManager": "sluice-diff", "force": "true"}
_APPLY: Final = "application/apply-patch+yaml"
_LAST: Final = "kubectl.kubernetes.io/last-applied-configuration"
# What the server and Argo CD keep for themselves, and what follows from everything else in a bundle.
_NOISE: Final = re.compile(
    r"""status(\..*|$) | metadata\.(managedFields|resourceVersion|generation|uid|creationTimestamp|selfLink)(\W.*|$)
      | metadata\.annotations\.(kubectl\.kubernetes\.io/last-applied-configuration|sluice\.dev/bundle)$
      | metadata\.annotations\.argocd\.argoproj\.io/tracking-id$""",
    re.VERBOSE,
)
# What the Rollouts controller writes. A dry run replaces a selector as a whole; a client-side apply keeps its hash.
_CONTROLLED: Final = {
    "Service": re.compile(r"spec\.selector\.rollouts-pod-template-hash$"),
    **{router.weights.kind: router.weights.pattern for router in ROUTERS.values() if router.weights},
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field that differs; None for a value that is not there.

    Args:
        path: as people write it, such as `spec.replicas` or `spec.steps[0].setWeight`; empty for a whole object.
        live: what the cluster has.
        wanted: what it would have after a sync.
    """

    path: str
    live: Any
    wanted: Any


@dataclass(frozen=True, slots=True)
class Found:
    """What a sync would do to one object.

    Args:
        item: the rendered object.
        fields: what differs.
        reason: why that is not known; empty otherwise.
    """

    item: Object
    fields: tuple[Field, ...] = ()
    reason: str = ""


def against_cluster(objects: Sequence[Object], server: Server) -> list[Found]:
    """What a sync would do to each object, in their order.

    Raises:
        ClusterError: the server can't be asked.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda item: _ask(server, item), objects))


def _ask(server: Server, item: Object) -> Found:
    kind = server.kind(str(item.body.get("apiVersion")), item.kind)
    if kind is None:
        return Found(item, reason=f"the cluster does not serve {item.body.get('apiVersion')} {item.kind}")
    path = path_of(str(item.body["apiVersion"]), kind, item.namespace or "default", item.name)
    live = server.request("GET", path)
    if live.status == 404:
        return Found(item, (Field("", None, item.name),))
    if not live.ok:
        return Found(item, reason=live.message)
    wanted = server.request("PATCH", path, _DRY_RUN, dict(item.body), _APPLY)
    if not wanted.ok:
        return Found(item, reason=f"the cluster refuses it: {wanted.message}")
    fields = {field.path: field for field in _differences(live.body, wanted.body, "")}
    fields |= {field.path: field for field in _dropped(live.body, item.body) if field.path not in fields}
    noise = _CONTROLLED.get(item.kind)
    told = (f for f in fields.values() if not _NOISE.match(f.path) and not (noise and noise.match(f.path)))
    return Found(item, tuple(told))


def _dropped(live: Mapping[str, Any], rendered: Mapping[str, Any]) -> Iterator[Field]:
    """Fields that the last client-side apply wrote, and this one would take away."""
    text = as_map(as_map(live.get("metadata")).get("annotations")).get(_LAST)
    try:
        last = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        last = None
    if isinstance(last, dict):
        yield from (field for field in _differences(last, rendered, "") if field.wanted is None)


def _differences(live: Any, wanted: Any, path: str) -> Iterator[Field]:
    if live == wanted:
        return
    if isinstance(live, Mapping) and isinstance(wanted, Mapping):
        for key in dict.fromkeys((*wanted, *live)):
            below = f"{path}.{key}" if path else str(key)
            yield from _differences(live.get(key), wanted.get(key), below)
    elif isinstance(live, list) and isinstance(wanted, list):
        yield from _of_lists(live, wanted, path)
    else:
        yield Field(path, live, wanted)


def _of_lists(live: list[Any], wanted: list[Any], path: str) -> Iterator[Field]:
    """Items of the same name belong together; without names, as lines of a text do."""
    names = [[as_map(item).get("name") for item in side] for side in (live, wanted)]
    if all(isinstance(name, str) for side in names for name in side) and all(
        len(set(side)) == len(side) for side in names
    ):
        old, new = (
            dict(zip(side, items, strict=True)) for side, items in zip(names, (live, wanted), strict=True)
        )
        for name in dict.fromkeys((*new, *old)):
            yield from _differences(old.get(name), new.get(name), f"{path}[{name}]")
        return
    was, now = ([json.dumps(item, sort_keys=True) for item in side] for side in (live, wanted))
    for kind, a, a_end, b, b_end in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        paired = min(a_end - a, b_end - b)
        for offset in range(paired):
            yield from _differences(live[a + offset], wanted[b + offset], f"{path}[{b + offset}]")
        for index in range(a + paired, a_end):
            yield Field(f"{path}[{index}] (live)", live[index], None)
        for index in range(b + paired, b_end):
            yield Field(f"{path}[{index}]", None, wanted[index])
