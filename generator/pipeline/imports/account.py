"""The account of one object: each of its values is imported, a default, or left over."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from generator.dataclass import dataclass
from generator.lint import Object, value_at
from generator.pipeline.imports.reasons import reason
from generator.source.document import Path, dotted

Status = Literal["imported", "default", "leftover"]

_DEFAULTS: Final[Mapping[str, tuple[Any, ...]]] = {
    "protocol": ("TCP",),
    "type": ("ClusterIP",),
    "scheme": ("HTTP",),
    "imagePullPolicy": ("IfNotPresent",),
    "restartPolicy": ("Always",),
    "dnsPolicy": ("ClusterFirst",),
    "schedulerName": ("default-scheduler",),
    "terminationMessagePath": ("/dev/termination-log",),
    "terminationMessagePolicy": ("File",),
    "sessionAffinity": ("None",),
    "internalTrafficPolicy": ("Cluster",),
    "successThreshold": (1,),
    "initialDelaySeconds": (0,),
    "minReadySeconds": (0,),
    "progressDeadlineSeconds": (600,),
    "revisionHistoryLimit": (10,),
    "group": ("", "gateway.networking.k8s.io"),
    "kind": ("Service", "Gateway"),
}
"""Values of fields that Kubernetes, the Gateway API and Argo Rollouts fill in themselves."""
_BY_THE_CLUSTER: Final = re.compile(
    r"status(\W.*|$)|metadata\.(uid|resourceVersion|generation|creationTimestamp|managedFields|selfLink)(\W.*|$)"
    r"|metadata\.annotations\.(kubectl\.kubernetes\.io/last-applied-configuration"
    r"|deployment\.kubernetes\.io/revision|rollout\.argoproj\.io/revision)"
)
_IDENTITY: Final = frozenset({"apiVersion", "kind", "metadata.namespace"})


@dataclass(frozen=True, slots=True)
class Mark:
    """What became of a value and of everything below it.

    Args:
        status: its status.
        key: where it went, such as `rollout.steps[0].weight` in the spec; empty for what is left over.
        why: why it is left over.
        where: what could be done with it.
    """

    status: Status
    key: str = ""
    why: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value of an object, and what became of it."""

    item: Object
    path: Path
    value: Any
    mark: Mark


class Account:
    """The values of one object, and what became of them."""

    def __init__(self, item: Object) -> None:
        self.item = item
        self.release = ""
        self._marks: dict[Path, Mark] = {}

    def get(self, *path: str | int) -> Any:
        """Return a value, None where there is none."""
        return value_at(self.item.body, path)

    def take(self, path: Path, key: str) -> Any:
        """Return a value that goes to a key of the spec; everything below it goes there as well."""
        self._marks[path] = Mark("imported", key)
        return value_at(self.item.body, path)

    def leave(self, path: Path, why: str, where: str = "") -> None:
        """Leave a value over, whatever it was before."""
        self._marks[path] = Mark("leftover", "", why, where)

    def drop(self, key: str, why: str, where: str = "") -> None:
        """Leave over what went to a key of the spec, or below it."""
        for path, mark in self._marks.items():
            if mark.status == "imported" and _within(mark.key, key):
                self._marks[path] = Mark("leftover", "", why, where)

    def drop_all(self, why: str) -> None:
        """Leave everything over."""
        self._marks = {(): Mark("leftover", "", why, "keep it where it is")}

    def settle(self, path: Path, key: str) -> None:
        """Say that a value is rendered as it is, unless something else became of it."""
        if self._mark(path) is None:
            self._marks[path] = Mark("imported", key)

    def leaves(self) -> Iterator[Leaf]:
        """Yield every value with what became of it."""
        for path, value in leaves_of(self.item.body):
            yield Leaf(self.item, path, value, self._mark(path) or self._usual(path, value))

    def _mark(self, path: Path) -> Mark | None:
        for end in range(len(path), -1, -1):
            found = self._marks.get(path[:end])
            if found is not None:
                return found
        return None

    def _usual(self, path: Path, value: Any) -> Mark:
        shown = dotted(path)
        if _BY_THE_CLUSTER.match(shown):
            return Mark("default", "the cluster writes it")
        if self.release and shown in _IDENTITY:
            return Mark("imported", self.release)
        if self.release and path and value in _DEFAULTS.get(str(path[-1]), ()):
            return Mark("default", "it is the default")
        why, where = reason(self.item, shown, part=bool(self.release))
        return Mark("leftover", "", why, where)


def leaves_of(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield the values without parts of an object, each with its path; an empty mapping or list is one."""
    if isinstance(value, Mapping) and value:
        for key, below in value.items():
            yield from leaves_of(below, (*path, str(key)))
    elif isinstance(value, list) and value:
        for number, below in enumerate(value):
            yield from leaves_of(below, (*path, number))
    else:
        yield path, value


def alike(live: Any, rendered: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the paths of the values of an object that a rendered one has as well; items of lists pair by name."""
    if isinstance(live, Mapping) and isinstance(rendered, Mapping):
        for key in live:
            if key in rendered:
                yield from alike(live[key], rendered[key], (*path, str(key)))
    elif isinstance(live, list) and isinstance(rendered, list):
        for number, item in enumerate(live):
            partner = _partner(item, number, rendered)
            yield from alike(item, partner, (*path, number))
    elif live == rendered:
        yield path


def _partner(item: Any, number: int, rendered: list[Any]) -> Any:
    if item in rendered:
        return item
    name = item.get("name") if isinstance(item, Mapping) else None
    if name is not None:
        return next((one for one in rendered if isinstance(one, Mapping) and one.get("name") == name), None)
    return rendered[number] if number < len(rendered) else None


def _within(key: str, above: str) -> bool:
    return key == above or key.startswith((f"{above}.", f"{above}["))
