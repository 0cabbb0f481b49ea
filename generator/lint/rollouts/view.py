"""Readable views of what rules ask about: a Rollout, its uses of templates, and their metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from generator.lint.controller import ControllerVersion
from generator.lint.go_values import int_value
from generator.lint.rollouts.model import Body, Object, Objects, Path, as_int, as_list, as_map, as_text

Moment: TypeAlias = Literal["step", "background", "pre", "post", "experiment"]

CANARY: Path = ("spec", "strategy", "canary")
BLUE_GREEN: Path = ("spec", "strategy", "blueGreen")
ROUTING: Path = (*CANARY, "trafficRouting")
STEP_KINDS = (
    "setWeight",
    "pause",
    "experiment",
    "analysis",
    "setCanaryScale",
    "setHeaderRoute",
    "setMirrorRoute",
    "plugin",
)
BUILT_IN_ROUTERS = ("istio", "nginx", "alb", "smi", "ambassador", "appMesh", "traefik", "apisix")


def has(body: Body, key: str) -> bool:
    """Whether a pointer field is set: Go reads `key: null` as absent and `key: {}` as present."""
    return body.get(key) is not None


@dataclass(frozen=True, slots=True)
class Use:
    """One place where a Rollout uses analysis templates.

    Args:
        moment: when the run happens; only a background run may go on for ever.
        path: where in the Rollout.
        body: the RolloutAnalysis (of an experiment: one of its analyses, brought into that shape).
    """

    moment: Moment
    path: Path
    body: Body

    @property
    def refs(self) -> Sequence[Body]:
        """References to templates."""
        return [as_map(ref) for ref in as_list(self.body.get("templates"))]

    @property
    def args(self) -> Sequence[Body]:
        """Arguments that the Rollout passes."""
        return [as_map(arg) for arg in as_list(self.body.get("args"))]


@dataclass(frozen=True, slots=True)
class Rollout:
    """A Rollout, read as the controller reads it."""

    object: Object

    @property
    def spec(self) -> Body:
        """`spec`."""
        return as_map(self.object.body.get("spec"))

    @property
    def canary(self) -> Body | None:
        """`spec.strategy.canary`, None where it is absent."""
        return self._strategy("canary")

    @property
    def blue_green(self) -> Body | None:
        """`spec.strategy.blueGreen`, None where it is absent."""
        return self._strategy("blueGreen")

    def _strategy(self, name: str) -> Body | None:
        value = as_map(self.spec.get("strategy")).get(name)
        return value if isinstance(value, Mapping) else None

    @property
    def routing(self) -> Body | None:
        """`trafficRouting` of the canary, None where it is absent."""
        value = (self.canary or {}).get("trafficRouting")
        return value if isinstance(value, Mapping) else None

    @property
    def routers(self) -> list[str]:
        """The routers in use: built-in names, and `plugin` ids (they hold a slash)."""
        routing = self.routing or {}
        return [name for name in BUILT_IN_ROUTERS if has(routing, name)] + list(self.plugins)

    @property
    def plugins(self) -> Body:
        """Router plugins by id."""
        return as_map((self.routing or {}).get("plugins"))

    def router(self, name: str) -> Body | None:
        """The settings of a built-in router, None where it is not in use."""
        value = (self.routing or {}).get(name)
        return value if isinstance(value, Mapping) else None

    @property
    def steps(self) -> list[tuple[Path, Body]]:
        """Canary steps with their paths."""
        steps = as_list((self.canary or {}).get("steps"))
        return [((*CANARY, "steps", i), as_map(step)) for i, step in enumerate(steps)]

    @property
    def max_weight(self) -> int:
        """The weight that means all traffic."""
        return as_int((self.routing or {}).get("maxTrafficWeight"), 100)

    @property
    def template(self) -> Body:
        """The pod template."""
        return as_map(self.spec.get("template"))

    @property
    def has_ref(self) -> bool:
        """Whether the pod template lives in another object."""
        return has(self.spec, "workloadRef")

    @property
    def uses(self) -> list[Use]:
        """Every use of analysis templates, in document order."""
        return [*self._blue_green_uses(), *self._canary_uses()]

    def _blue_green_uses(self) -> Iterator[Use]:
        moments: tuple[tuple[Moment, str], ...] = (
            ("pre", "prePromotionAnalysis"),
            ("post", "postPromotionAnalysis"),
        )
        for moment, name in moments:
            if has(self.blue_green or {}, name):
                yield Use(moment, (*BLUE_GREEN, name), as_map((self.blue_green or {})[name]))

    def _canary_uses(self) -> Iterator[Use]:
        for path, step in self.steps:
            if has(step, "analysis"):
                yield Use("step", (*path, "analysis"), as_map(step["analysis"]))
            experiment = as_map(step.get("experiment"))
            for i, analysis in enumerate(as_list(experiment.get("analyses"))):
                one = as_map(analysis)
                body = {"templates": [one], "args": one.get("args"), "dryRun": experiment.get("dryRun")}
                yield Use("experiment", (*path, "experiment", "analyses", i), body)
        if has(self.canary or {}, "analysis"):
            yield Use("background", (*CANARY, "analysis"), as_map((self.canary or {})["analysis"]))

    @property
    def services(self) -> list[tuple[Path, str]]:
        """Every Service that the Rollout names, with the path of the name."""
        named = [(*CANARY, key) for key in ("stableService", "canaryService")]
        named += [(*CANARY, "pingPong", key) for key in ("pingService", "pongService")]
        named += [(*BLUE_GREEN, key) for key in ("activeService", "previewService")]
        found = [(path, as_text(self.at(path))) for path in named]
        return [(path, name) for path, name in found if name]

    def at(self, path: Path) -> Any:
        """The value at a path of mapping keys, None where there is none."""
        value: Any = self.object.body
        for part in map(str, path):
            value = as_map(value).get(part)
        return value

    @property
    def stable_and_canary(self) -> tuple[str, str]:
        """Names of the stable and the canary Service; ping and pong count where the two are not set."""
        canary = self.canary or {}
        stable, other = as_text(canary.get("stableService")), as_text(canary.get("canaryService"))
        if has(canary, "pingPong") and not stable and not other:
            pair = as_map(canary["pingPong"])
            return as_text(pair.get("pongService")), as_text(pair.get("pingService"))
        return stable, other


@dataclass(frozen=True, slots=True)
class RolloutContext:
    """What a rule about a Rollout may look at.

    Args:
        rollout: the Rollout.
        objects: the tree.
        owners: names of the Rollouts that name a Service, by namespace and name of the Service.
        versions: controller versions to satisfy.
        complete: whether everything that is referred to must be in the tree.
    """

    rollout: Rollout
    objects: Objects
    owners: Mapping[tuple[str, str], set[str]]
    versions: tuple[ControllerVersion, ...]
    complete: bool

    @property
    def pod_template(self) -> tuple[Path, Body] | None:
        """The pod template and its path, that of the reference where it lives in another object of the tree.

        None where that object is not in the tree.
        """
        if not self.rollout.has_ref:
            return ("spec", "template"), self.rollout.template
        ref, namespace = as_map(self.rollout.spec["workloadRef"]), self.rollout.object.key.namespace
        workload = self.objects.get(as_text(ref.get("kind")), namespace, as_text(ref.get("name")))
        if workload is None:
            return None
        own = workload.body if workload.key.kind == "PodTemplate" else as_map(workload.body.get("spec"))
        return ("spec", "workloadRef"), as_map(own.get("template"))


@dataclass(frozen=True, slots=True)
class UseContext:
    """What a rule about one use of templates may look at: the Rollout, the use, the templates it reaches."""

    rollout: Rollout
    use: Use
    templates: tuple[Object, ...]
    missing: tuple[str, ...]
    objects: Objects
    complete: bool


@dataclass(frozen=True, slots=True)
class TemplateContext:
    """What a rule about an AnalysisTemplate, a ClusterAnalysisTemplate or an AnalysisRun may look at."""

    object: Object

    @property
    def spec(self) -> Body:
        """`spec`."""
        return as_map(self.object.body.get("spec"))

    @property
    def metrics(self) -> list[tuple[Path, Body]]:
        """Metrics with their paths."""
        return [(("spec", "metrics", i), as_map(m)) for i, m in enumerate(as_list(self.spec.get("metrics")))]


@dataclass(frozen=True, slots=True)
class MetricContext:
    """What a rule about one metric may look at, its arguments filled in as far as the tree knows them.

    Args:
        body: the metric.
        path: where it stands in its template.
        moments: when the template is used by the Rollouts of the tree, as far as this form of the metric
            goes.
        declared: names of the arguments that may stand in braces.
        versions: controller versions to satisfy.
        uses: the Rollouts of the tree that use this form, and where.
        objects: the tree.
    """

    body: Body
    path: Path
    moments: frozenset[Moment]
    declared: frozenset[str]
    versions: tuple[ControllerVersion, ...]
    uses: tuple[tuple[Rollout, Use], ...] = ()
    objects: Objects = field(default_factory=lambda: Objects(()))

    @property
    def effective_count(self) -> int | None:
        """Measurements that the metric takes; None without an end (EffectiveCount)."""
        if count := int_value(self.body.get("count")):
            return count
        return None if self.body.get("interval") else 1

    def limit(self, name: str) -> int:
        """A limit as the controller reads it."""
        return int_value(self.body.get(name))

    @property
    def provider(self) -> str:
        """The provider's field, empty unless there is exactly one."""
        names = [name for name, value in as_map(self.body.get("provider")).items() if value is not None]
        return names[0] if len(names) == 1 else ""

    @property
    def settings(self) -> Body:
        """The provider's settings."""
        return as_map(as_map(self.body.get("provider")).get(self.provider))
