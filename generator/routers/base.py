"""The descriptor of a router, its input, and its output."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Literal

from generator.dataclass import dataclass
from generator.routers.argo_rollouts import Version, features

GATEWAY: Final = {
    "gateway": "the Gateway that routes attach to",
    "namespace": "the namespace of that Gateway",
}
Known = Literal["yes", "no", "unknown"]
EACH: Final = "*"
"""In a path: every item of a list."""
TEXT: Final = "{}"
"""In a path: the value is JSON in a text; what follows is inside it."""


@dataclass(frozen=True, slots=True)
class Backend:
    """A Service and its share of the requests in percent, as git has it."""

    name: str
    weight: int


@dataclass(frozen=True, slots=True)
class Route:
    """One path of the model's API.

    Args:
        name: name of the route where a router names its routes.
        path: exact path of the requests.
        mirror: percentage of the requests that is copied to the shadow; 0 for none.
    """

    name: str
    path: str
    mirror: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """The live requests of one model, and where git sends them.

    Args:
        name: name of the objects that route: predictions, or feedback.
        hosts: host names that clients use.
        routes: the paths of its API, predictions first.
        backends: stable and canary, or the only Service: the active one of a blue-green release, or that of feedback.
        shadow: Service that gets the copies.
        timeout_s: seconds after which a request is given up.
        port: port of the Services.
        health: path and port of a pod that answer whether it is ready.
    """

    name: str
    hosts: tuple[str, ...]
    routes: tuple[Route, ...]
    backends: tuple[Backend, ...]
    shadow: str
    timeout_s: float
    port: int
    health: tuple[str, int]

    @property
    def context(self) -> Mapping[str, object]:
        """The variables of a route's template, in addition to the plan."""
        return {
            "name": self.name,
            "routes": self.routes,
            "backends": self.backends,
            "timeout_s": self.timeout_s,
        }


@dataclass(frozen=True, slots=True)
class RouteFile:
    """An object to render.

    Args:
        file: name in the bundle, `<kind>-<role>.yaml`.
        template: name of its template.
        context: what the template reads in addition to the plan.
    """

    file: str
    template: str
    context: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class WeightField:
    """The field of a route that the Rollouts controller writes.

    Args:
        group: API group of the object.
        kind: kind of the object.
        path: keys to the weight, `EACH` for the items of a list, `TEXT` before what is JSON in a text.
        service: keys from the entry that has the weight to the name of its Service.
        cohort: jq expression of the rules that the controller adds for a header cohort; empty where it can't.
    """

    group: str
    kind: str
    path: tuple[str, ...]
    service: tuple[str, ...]
    cohort: str

    @property
    def expression(self) -> str:
        """The weights as a jq expression, such as `.spec.http[].route[].weight`."""
        return "".join(map(_jq, self._field))

    @property
    def pattern(self) -> re.Pattern[str]:
        """Matches the path of one weight, such as `spec.http[0].route[1].weight`."""
        keys = (r"\[[^\[\]]*\]" if key == EACH else rf"\.{re.escape(key)}" for key in self._field)
        return re.compile("".join(keys)[2:] + "$")

    @property
    def _field(self) -> tuple[str, ...]:
        """The keys to the field of the object: the weight, or the text that it is in."""
        return self.path[: self.path.index(TEXT)] if TEXT in self.path else self.path

    def entries(self, manifest: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the name of the Service and the entry of every weight in an object of this kind."""
        for entry in _walk(manifest, self.path[:-1]):
            name: Any = entry
            for key in self.service:
                name = name[key]
            yield str(name).partition(".")[0], entry


def _jq(key: str) -> str:
    if key == EACH:
        return "[]"
    return f".{key}" if key.isidentifier() else f"[{json.dumps(key)}]"


def _walk(value: Any, path: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    if not path:
        yield value
    elif path[0] == TEXT:
        yield from _walk(json.loads(value), path[1:])
    elif path[0] == EACH:
        for item in value:
            yield from _walk(item, path[1:])
    else:
        yield from _walk(value[path[0]], path[1:])


@dataclass(frozen=True, slots=True)
class Mirroring:
    """The ability of a router to copy live requests.

    Args:
        copies: it copies requests.
        share: it copies a share of them; `no` copies all, whatever share the route has.
    """

    copies: Known
    share: Known


MIRRORS: Final = Mirroring("yes", "yes")
MIRRORS_EVERYTHING: Final = Mirroring("yes", "no")
NO_MIRROR: Final = Mirroring("no", "no")
UNKNOWN_MIRROR: Final = Mirroring("unknown", "unknown")


@dataclass(frozen=True, slots=True)
class Implementation:
    """One implementation of a router that has several.

    Args:
        mirroring: what it does with a mirror.
        proxies: a further namespace in which its proxies run; empty for only that of the Gateway.
    """

    mirroring: Mirroring
    proxies: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """One way to split live requests. Everything that differs between routers is here.

    Args:
        kind: its name in `specs/platform.yaml`.
        argo: its row in `generator.routers.argo_rollouts`.
        since: first version of Argo Rollouts that drives what is rendered, without further settings.
        settings: keys of the environment's router that it can't do without, and what each is.
        takes: keys of the environment's router that it reads, apart from those that every router has.
        writes: beginnings of the annotations of its objects that Sluice or a controller writes.
        mirroring: whether it copies requests, unless an implementation overrides it.
        implementations: programs that implement it, by name; empty where there is only one.
        sticky: a user stays with one version without a header.
        weights: the field of its objects in git that holds the weights; None where there is none, because the numbers
            of pods decide or the controller writes an object that git does not have.
        kinds: (group, kind) of every object that `routes` renders.
        routes: objects that carry the traffic.
        rollout: template of the Rollout of a canary; it extends `kubernetes/rollout-canary.yaml.j2`.
        abort: what an abort does to live requests, one sentence each.
        pipelines: a Spinnaker pipeline can write its weights.
        cohort_gap: what requests of a cohort lack, one sentence; empty for nothing.
        no_cohort: why Sluice renders no cohort although the controller could route one; empty where it can't, or does.
        retired: that its project has ended, one sentence; empty for one that is maintained.
    """

    kind: str
    argo: str
    since: Version
    settings: Mapping[str, str]
    takes: frozenset[str]
    writes: tuple[str, ...]
    mirroring: Mirroring
    implementations: Mapping[str, Implementation]
    sticky: bool
    weights: WeightField | None
    kinds: tuple[tuple[str, str], ...]
    routes: Callable[[Traffic], Iterable[RouteFile]]
    rollout: str
    abort: tuple[str, ...]
    pipelines: bool
    cohort_gap: str
    no_cohort: str
    retired: str

    @property
    def splits_requests(self) -> bool:
        """Whether requests are split by weight; otherwise by the numbers of pods."""
        return features(self.argo, self.since).weights == "yes"

    def routes_headers(self, version: Version) -> bool:
        """Return whether a header decides which version answers, under a version of Argo Rollouts."""
        return not self.no_cohort and features(self.argo, version).header == "yes"

    def mirroring_of(self, implementation: str | None) -> Mirroring:
        """Return its mirroring; None if the implementation is unknown."""
        own = self.implementations.get(implementation or "")
        return own.mirroring if own else self.mirroring

    def proxies(self, namespace: str | None, implementation: str | None) -> frozenset[str]:
        """Return the namespaces that requests come from; empty where that is not known.

        Args:
            namespace: that of the Gateway, or of the router's own pods.
            implementation: name of the program that implements it.
        """
        if not namespace:
            return frozenset()
        own = self.implementations.get(implementation or "")
        return frozenset({namespace, own.proxies} if own and own.proxies else {namespace})
