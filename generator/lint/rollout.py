"""A Rollout as the controller reads it: its strategy, its uses of analysis templates, and its references."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias

from generator.dataclass import dataclass
from generator.lint.objects import Body, Object, Reference, as_int, as_list, as_map, as_text, each, has
from generator.routers.argo_rollouts import router_name
from generator.source.document import Path

Moment: TypeAlias = Literal["step", "background", "pre", "post", "experiment"]

CANARY: Final[Path] = ("spec", "strategy", "canary")
BLUE_GREEN: Final[Path] = ("spec", "strategy", "blueGreen")
ROUTING: Final[Path] = (*CANARY, "trafficRouting")
STEP_KINDS: Final = (
    "setWeight",
    "pause",
    "experiment",
    "analysis",
    "setCanaryScale",
    "setHeaderRoute",
    "setMirrorRoute",
    "plugin",
)
ONE_OR_MANY: Final[Mapping[str, tuple[str, str]]] = {
    "nginx": ("stableIngress", "stableIngresses"),
    "alb": ("ingress", "ingresses"),
    "istio": ("virtualService", "virtualServices"),
}
"""Routers that name either one object or a list of them."""

_BUILT_IN_ROUTERS: Final = ("istio", "nginx", "alb", "smi", "ambassador", "appMesh", "traefik", "apisix")
_PLUGIN_ROUTES: Final[Mapping[str, str]] = {
    "httpRoute": "HTTPRoute",
    "grpcRoute": "GRPCRoute",
    "tcpRoute": "TCPRoute",
    "tlsRoute": "TLSRoute",
}
_GATEWAY: Final = "gateway.networking.k8s.io"


@dataclass(frozen=True, slots=True)
class Use:
    """One place where a Rollout uses analysis templates.

    Args:
        moment: when the run happens.
        path: where in the Rollout.
        body: the analysis (for an experiment: one of its analyses in the same format).
        waits: the release waits for the end of the run; not for a background run, or one that ends with the duration of
            its experiment (Argo Rollouts 1.10, experiments/experiment.go, calculateStatus).
    """

    moment: Moment
    path: Path
    body: Body
    waits: bool = True

    @property
    def refs(self) -> list[Body]:
        """The references to templates."""
        return [as_map(ref) for ref in as_list(self.body.get("templates"))]

    @property
    def args(self) -> list[Body]:
        """The arguments that the Rollout passes."""
        return [as_map(arg) for arg in as_list(self.body.get("args"))]

    @property
    def named(self) -> list[tuple[Path, Body]]:
        """The references to templates with their paths; an analysis of an experiment is itself the reference."""
        if self.moment == "experiment":
            return [(self.path, ref) for ref in self.refs]
        return list(each(self.body.get("templates"), (*self.path, "templates")))


def template_kind(ref: Body) -> str:
    """Return the kind of a template reference."""
    return "ClusterAnalysisTemplate" if ref.get("clusterScope") is True else "AnalysisTemplate"


@dataclass(frozen=True)
class Rollout:
    """A Rollout of a tree.

    Args:
        object: the object.
    """

    object: Object

    @cached_property
    def spec(self) -> Body:
        """`spec`."""
        return self.object.spec

    @cached_property
    def canary(self) -> Body | None:
        """`spec.strategy.canary`, None when it is absent."""
        return self._strategy("canary")

    @cached_property
    def blue_green(self) -> Body | None:
        """`spec.strategy.blueGreen`, None when it is absent."""
        return self._strategy("blueGreen")

    def _strategy(self, name: str) -> Body | None:
        value = as_map(self.spec.get("strategy")).get(name)
        return value if isinstance(value, Mapping) else None

    @cached_property
    def is_canary(self) -> bool:
        """Whether the controller reads the canary strategy: with two strategies it stops before."""
        return self.canary is not None and self.blue_green is None

    @cached_property
    def routing(self) -> Body | None:
        """`trafficRouting` of the canary, None when it is absent."""
        value = (self.canary or {}).get("trafficRouting")
        return value if isinstance(value, Mapping) else None

    @cached_property
    def plugins(self) -> Body:
        """Router plugins by id."""
        return as_map((self.routing or {}).get("plugins"))

    @cached_property
    def routers(self) -> list[str]:
        """The routers in use: built-in names, and ids of plugins (which have a slash)."""
        built_in = [name for name in _BUILT_IN_ROUTERS if has(self.routing or {}, name)]
        return [*built_in, *map(str, self.plugins)]

    def router(self, name: str) -> Body | None:
        """Return the settings of a built-in router, None when it is not in use."""
        value = (self.routing or {}).get(name)
        return value if isinstance(value, Mapping) else None

    @cached_property
    def steps(self) -> list[tuple[Path, Body]]:
        """The canary steps with their paths."""
        return list(each((self.canary or {}).get("steps"), (*CANARY, "steps")))

    @cached_property
    def max_weight(self) -> int:
        """The weight that means all traffic."""
        return as_int((self.routing or {}).get("maxTrafficWeight"), 100)

    @cached_property
    def template(self) -> Body:
        """The pod template."""
        return as_map(self.spec.get("template"))

    @cached_property
    def has_workload_ref(self) -> bool:
        """Whether the pod template is in another object."""
        return has(self.spec, "workloadRef")

    @cached_property
    def stable_and_canary(self) -> tuple[str, str]:
        """The names of the stable and the canary Service; those of ping-pong when the two are not set."""
        canary = self.canary or {}
        stable, other = as_text(canary.get("stableService")), as_text(canary.get("canaryService"))
        if has(canary, "pingPong") and not stable and not other:
            pair = as_map(canary["pingPong"])
            return as_text(pair.get("pongService")), as_text(pair.get("pingService"))
        return stable, other

    @cached_property
    def uses(self) -> list[Use]:
        """Every use of analysis templates, in the order of the document."""
        return [*self._blue_green_uses(), *self._canary_uses()]

    def _blue_green_uses(self) -> Iterator[Use]:
        strategy = self.blue_green or {}
        if has(strategy, "prePromotionAnalysis"):
            yield Use("pre", (*BLUE_GREEN, "prePromotionAnalysis"), as_map(strategy["prePromotionAnalysis"]))
        if has(strategy, "postPromotionAnalysis"):
            yield Use(
                "post", (*BLUE_GREEN, "postPromotionAnalysis"), as_map(strategy["postPromotionAnalysis"])
            )

    def _canary_uses(self) -> Iterator[Use]:
        for path, step in self.steps:
            if has(step, "analysis"):
                yield Use("step", (*path, "analysis"), as_map(step["analysis"]))
            experiment = as_map(step.get("experiment"))
            for at, analysis in each(experiment.get("analyses"), (*path, "experiment", "analyses")):
                args, dry_run = analysis.get("args"), experiment.get("dryRun")
                waits = bool(analysis.get("requiredForCompletion")) or not experiment.get("duration")
                body = {"templates": [analysis], "args": args, "dryRun": dry_run}
                yield Use("experiment", at, body, waits)
        if has(self.canary or {}, "analysis"):
            analysis = as_map((self.canary or {})["analysis"])
            yield Use("background", (*CANARY, "analysis"), analysis, waits=False)

    @cached_property
    def version_words(self) -> set[str]:
        """Words that name one of the two versions in labels of series: Services, subsets, labels of one version."""
        canary, rule = self.canary or {}, as_map((self.router("istio") or {}).get("destinationRule"))
        words = {reference.name for reference in self.services}
        words |= {as_text(rule.get(key)) for key in ("canarySubsetName", "stableSubsetName")}
        for strategy, keys in (
            (canary, ("canaryMetadata", "stableMetadata")),
            (self.blue_green or {}, ("activeMetadata", "previewMetadata")),
        ):
            for key in keys:
                words |= {str(value) for value in as_map(as_map(strategy.get(key)).get("labels")).values()}
        return words - {""}

    @cached_property
    def services(self) -> list[Reference]:
        """Every Service that the Rollout names."""
        paths: list[Path] = [(*CANARY, key) for key in ("stableService", "canaryService")]
        paths += [(*CANARY, "pingPong", key) for key in ("pingService", "pongService")]
        paths += [(*BLUE_GREEN, key) for key in ("activeService", "previewService")]
        found = [self._reference(path, "", "Service", as_text(self._at(path))) for path in paths]
        return [reference for reference in found if reference.name]

    @cached_property
    def virtual_services(self) -> list[tuple[Path, Body]]:
        """The settings of each VirtualService that the Rollout names, with their paths."""
        istio = self.router("istio") or {}
        path = (*ROUTING, "istio")
        one = (
            [((*path, "virtualService"), as_map(istio["virtualService"]))]
            if has(istio, "virtualService")
            else []
        )
        return [*one, *each(istio.get("virtualServices"), (*path, "virtualServices"))]

    @cached_property
    def ingresses(self) -> list[Reference]:
        """Every Ingress that the Rollout names."""
        found = []
        for router in ("nginx", "alb"):
            one, many = ONE_OR_MANY[router]
            settings, path = self.router(router) or {}, (*ROUTING, router)
            names = [((*path, one), settings.get(one))] if as_text(settings.get(one)) else []
            names += [((*path, many, i), name) for i, name in enumerate(as_list(settings.get(many)))]
            found += [
                self._reference(at, "networking.k8s.io", "Ingress", as_text(name)) for at, name in names
            ]
        return found

    @cached_property
    def gateway_routes(self) -> list[Reference]:
        """Every route that the Rollout names for the Gateway API plugin."""
        return list(self._gateway_routes())

    def _gateway_routes(self) -> Iterator[Reference]:
        for plugin, settings in self.plugins.items():
            if router_name(plugin) != "gateway-api":
                continue
            path, body = (*ROUTING, "plugins", plugin), as_map(settings)
            namespace = as_text(body.get("namespace")) or self.object.namespace
            for key, kind in _PLUGIN_ROUTES.items():
                if as_text(body.get(key)):
                    yield Reference((*path, key), _GATEWAY, kind, namespace, as_text(body[key]))
                for at, item in each(body.get(f"{key}s"), (*path, f"{key}s")):
                    yield Reference((*at, "name"), _GATEWAY, kind, namespace, as_text(item.get("name")))

    @cached_property
    def references(self) -> list[Reference]:
        """Every Service, workload and routing object that the Rollout names; templates are in `uses`."""
        return [*self.services, *self._workload(), *self._routing_objects()]

    def _workload(self) -> Iterator[Reference]:
        if self.has_workload_ref:
            ref = as_map(self.spec["workloadRef"])
            group = as_text(ref.get("apiVersion")).rpartition("/")[0]
            yield self._reference(
                ("spec", "workloadRef", "name"), group, as_text(ref.get("kind")), as_text(ref.get("name"))
            )

    def _routing_objects(self) -> Iterator[Reference]:
        yield from self.ingresses
        for path, settings in self.virtual_services:
            yield self.virtual_service(path, settings)
        for i, name in enumerate(as_list((self.router("ambassador") or {}).get("mappings"))):
            path = (*ROUTING, "ambassador", "mappings", i)
            yield self._reference(path, "getambassador.io", "Mapping", as_text(name))
        if traefik := as_text((self.router("traefik") or {}).get("weightedTraefikServiceName")):
            path = (*ROUTING, "traefik", "weightedTraefikServiceName")
            yield self._reference(path, "traefik.io", "TraefikService", traefik)
        rule = as_text(as_map((self.router("istio") or {}).get("destinationRule")).get("name"))
        if rule:
            path = (*ROUTING, "istio", "destinationRule", "name")
            yield self._reference(path, "networking.istio.io", "DestinationRule", rule)
        if apisix := as_text(as_map((self.router("apisix") or {}).get("route")).get("name")):
            path = (*ROUTING, "apisix", "route", "name")
            yield self._reference(path, "apisix.apache.org", "ApisixRoute", apisix)
        yield from self.gateway_routes

    def virtual_service(self, path: Path, settings: Body) -> Reference:
        """Return the reference of VirtualService settings, whose name is `name` or `name.namespace`."""
        name, _, namespace = as_text(settings.get("name")).partition(".")
        home = namespace.partition(".")[0] or self.object.namespace
        return Reference((*path, "name"), "networking.istio.io", "VirtualService", home, name)

    def _reference(self, path: Path, group: str, kind: str, name: str) -> Reference:
        return Reference(path, group, kind, self.object.namespace, name)

    def _at(self, path: Path) -> Any:
        value: Any = self.object.body
        for part in path:
            value = as_map(value).get(str(part))
        return value
