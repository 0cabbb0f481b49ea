"""The contexts of rules on trees: the data that each rule can use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Final

from generator.dataclass import dataclass
from generator.lint.controller import ControllerVersion, go_duration
from generator.lint.engine import Check, rule
from generator.lint.links import dangling_references
from generator.lint.objects import Body, Object, Reference, as_map, as_text, each
from generator.lint.placement import Nearby, Objects
from generator.lint.pods import PodIndex
from generator.lint.rollout import Rollout, Use
from generator.lint.rules.arguments import instantiations, reach
from generator.lint.rules.metric import MetricContext, metrics_of
from generator.lint.rules.queries import QueryContext
from generator.lint.sync_order import is_sequenced
from generator.source.document import Path

VALIDATION: Final = "Argo Rollouts 1.10, pkg/apis/rollouts/validation/validation.go"
REFERENCES: Final = "Argo Rollouts 1.10, pkg/apis/rollouts/validation/validation_references.go"
INVALID: Final = (
    "The controller marks the Rollout as invalid (InvalidSpec) and replaces no pod until it is fixed."
)
_USUAL_SCRAPE_S: Final = 30.0
_TEMPLATES: Final = ("AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun")
_WORKFLOWS: Final = ("Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow")


@dataclass(frozen=True)
class RolloutContext:
    """The context of rules about a Rollout.

    Args:
        rollout: the Rollout.
        objects: the tree.
        owners: names of the Rollouts that name a Service, by namespace and name of the Service.
        versions: controller versions to satisfy.
        complete: whether everything that is referred to must be in the tree.
    """

    rollout: Rollout
    objects: Nearby
    owners: Mapping[tuple[str, str], set[str]]
    versions: tuple[ControllerVersion, ...]
    complete: bool

    @property
    def document(self) -> Object:
        """The Rollout's object."""
        return self.rollout.object

    @property
    def namespace(self) -> str:
        """The namespace of the Rollout, empty when it writes none."""
        return self.document.namespace

    @cached_property
    def pod_template(self) -> tuple[Path, Body] | None:
        """The pod template and its path, that of the reference when the template is in another object of the tree.

        None when that object is not in the tree.
        """
        if not self.rollout.has_workload_ref:
            return ("spec", "template"), self.rollout.template
        ref = as_map(self.rollout.spec["workloadRef"])
        workload = self.objects.find(as_text(ref.get("kind")), self.namespace, as_text(ref.get("name")))
        if workload is None:
            return None
        own = workload.body if workload.kind == "PodTemplate" else workload.spec
        return ("spec", "workloadRef"), as_map(own.get("template"))


@dataclass(frozen=True)
class UseContext:
    """The context of rules about one use of templates.

    Args:
        rollout: the Rollout.
        use: the use.
        templates: the templates that it reaches.
        missing: the templates that are not in the tree.
        objects: the tree.
        complete: whether everything that is referred to must be in the tree.
    """

    rollout: Rollout
    use: Use
    templates: tuple[Object, ...]
    missing: tuple[str, ...]
    objects: Nearby
    complete: bool

    @property
    def document(self) -> Object:
        """The Rollout's object."""
        return self.rollout.object

    @property
    def templates_path(self) -> Path:
        """The path of the list of templates."""
        return (*self.use.path, "templates")


@dataclass(frozen=True)
class TemplateContext:
    """The context of rules about an AnalysisTemplate, a ClusterAnalysisTemplate or an AnalysisRun."""

    document: Object

    @property
    def spec(self) -> Body:
        """Its `spec`."""
        return self.document.spec

    @cached_property
    def metrics(self) -> list[tuple[Path, Body]]:
        """Its metrics with their paths."""
        return list(each(self.spec.get("metrics"), ("spec", "metrics")))


@dataclass(frozen=True)
class SyncContext:
    """The context of rules about an Application, or about the template of an ApplicationSet.

    Args:
        document: the object.
        spec: the Application's spec.
        path: its place in the object.
        synced: the objects of the tree that the Application syncs.
        objects: the tree.
        owned: namespaces of the Services that Rollouts manage, by name.
    """

    document: Object
    spec: Body
    path: Path
    synced: tuple[Object, ...]
    objects: Objects
    owned: Mapping[str, set[str]]

    def of_kind(self, *kinds: str) -> list[Object]:
        """Return the synced objects of these kinds."""
        return [item for item in self.synced if item.is_a(*kinds)]

    def option(self, text: str) -> Path | None:
        """Return the path of a sync option such as `ServerSideApply=true`, None when it is not set."""
        policy = as_map(self.spec.get("syncPolicy"))
        options = policy.get("syncOptions")
        path = (*self.path, "syncPolicy", "syncOptions")
        found = [i for i, option in enumerate(options if isinstance(options, list) else ()) if option == text]
        return (*path, found[0]) if found else None

    @cached_property
    def ignored(self) -> list[tuple[Path, Body]]:
        """The entries of `ignoreDifferences` with their paths."""
        return list(each(self.spec.get("ignoreDifferences"), (*self.path, "ignoreDifferences")))


@dataclass(frozen=True)
class WorkflowContext:
    """The context of rules about a Workflow, or about an object with the spec of one.

    Args:
        document: the object.
        spec: the Workflow's spec.
        path: its place in the object.
        objects: the tree.
    """

    document: Object
    spec: Body
    path: Path
    objects: Objects

    @classmethod
    def of(cls, item: Object, objects: Objects) -> WorkflowContext:
        """Return the context of an object."""
        if item.kind == "CronWorkflow":
            return cls(item, as_map(item.spec.get("workflowSpec")), ("spec", "workflowSpec"), objects)
        return cls(item, item.spec, ("spec",), objects)

    @cached_property
    def entries(self) -> list[tuple[Path, Body]]:
        """Its templates with their paths."""
        return list(each(self.spec.get("templates"), (*self.path, "templates")))

    @cached_property
    def templates(self) -> dict[str, Body]:
        """Its templates by name."""
        return {as_text(template.get("name")): template for _, template in self.entries}


@dataclass(frozen=True)
class GateContext:
    """The context of rules about a Workflow that may be a gate.

    Args:
        document: the Workflow.
        rollouts: the Rollouts that are synced together with it.
    """

    document: Object
    rollouts: tuple[Object, ...]


@dataclass(frozen=True)
class TreeContext:
    """The context of rules across the objects of a tree."""

    objects: Objects

    @cached_property
    def pods(self) -> PodIndex:
        """Its pod templates."""
        return PodIndex(self.objects)

    @cached_property
    def dangling(self) -> list[tuple[Object, Reference, str]]:
        """References to objects that are not in the tree, with the proof that one is wrong if there is any."""
        return list(dangling_references(self.objects))


def invalid_rollout(
    code: str,
    title: str,
    *,
    remedy: str,
    example: str,
    instead: str,
    because: str = "",
    source: str = VALIDATION,
) -> Callable[[Check[RolloutContext]], Check[RolloutContext]]:
    """Register a rule on Rollouts that the controller refuses; `because` comes before what that means."""
    why = f"{because} {INVALID}".lstrip()
    return rule(
        code,
        "error",
        title,
        scope=RolloutContext,
        why=why,
        remedy=remedy,
        example=example,
        instead=instead,
        source=source,
    )


def invalid_use(
    code: str, title: str, *, remedy: str, example: str, instead: str, because: str = ""
) -> Callable[[Check[UseContext]], Check[UseContext]]:
    """Register a rule on uses of templates that make the controller refuse the Rollout."""
    why = f"{because} {INVALID}".lstrip()
    return rule(
        code,
        "error",
        title,
        scope=UseContext,
        why=why,
        remedy=remedy,
        example=example,
        instead=instead,
        source=REFERENCES,
    )


def contexts(
    objects: Objects, versions: tuple[ControllerVersion, ...], *, complete: bool = False
) -> Iterator[object]:
    """Yield the context of everything in a tree that rules check.

    Args:
        objects: the tree.
        versions: controller versions to satisfy.
        complete: whether everything that is referred to must be in the tree; otherwise a missing object is reported
            as not checked.
    """
    yield TreeContext(objects)
    rollouts = [Rollout(item) for item in objects.of_kind("Rollout")]
    owners: dict[tuple[str, str], set[str]] = {}
    for rollout in rollouts:
        for service in rollout.services:
            owners.setdefault((service.namespace, service.name), set()).add(rollout.object.name)
    for rollout in rollouts:
        near = objects.near(rollout.object)
        yield RolloutContext(rollout, near, owners, versions, complete)
        for use in rollout.uses:
            templates, missing = reach(near, rollout.object.namespace, use.refs)
            yield UseContext(rollout, use, tuple(templates), tuple(missing), near, complete)
    yield from _template_contexts(objects, rollouts, versions)
    syncs = list(_sync_contexts(objects, owners))
    yield from syncs
    yield from _gate_contexts(objects, syncs)
    yield from workflow_contexts(objects)


def workflow_contexts(objects: Objects) -> Iterator[WorkflowContext]:
    """Yield every object of a tree that has the spec of a Workflow."""
    for kind in _WORKFLOWS:
        for item in objects.of("argoproj.io", kind):
            yield WorkflowContext.of(item, objects)


def _template_contexts(
    objects: Objects, rollouts: list[Rollout], versions: tuple[ControllerVersion, ...]
) -> Iterator[TemplateContext | MetricContext | QueryContext]:
    used = instantiations(objects, rollouts)
    for item in objects.of_kind(*_TEMPLATES):
        yield TemplateContext(item)
        for metric in metrics_of(item, used.get(item, []), versions, objects):
            yield metric
            if metric.provider == "prometheus":
                yield _query_context(metric)


def _query_context(metric: MetricContext) -> QueryContext:
    """Return the query of a metric; one that no canary uses need not distinguish versions."""
    words = frozenset(word for rollout, _ in metric.uses for word in rollout.version_words)
    intervals = {
        go_duration(as_text(endpoint.get("interval")))
        for kind, field in (("ServiceMonitor", "endpoints"), ("PodMonitor", "podMetricsEndpoints"))
        for monitor in metric.objects.near(metric.document).of_kind(kind)
        for _, endpoint in each(monitor.spec.get(field), ())
    } - {None}
    scrape = min((value for value in intervals if value), default=0.0)
    split = any(use.moment in ("step", "background") for _, use in metric.uses)
    return QueryContext(
        metric.query,
        scrape or _USUAL_SCRAPE_S,
        metric.document,
        (*metric.path, "provider", "prometheus", "query"),
        words if split else None,
        assumed=not scrape,
    )


def _sync_contexts(objects: Objects, owners: Mapping[tuple[str, str], set[str]]) -> Iterator[SyncContext]:
    owned: dict[str, set[str]] = {}
    for namespace, name in owners:
        owned.setdefault(name, set()).add(namespace)
    for item in objects.of_kind("Application"):
        yield SyncContext(item, item.spec, ("spec",), tuple(objects.synced(item.spec)), objects, owned)
    for item in objects.of_kind("ApplicationSet"):
        spec = as_map(as_map(item.spec.get("template")).get("spec"))
        path = ("spec", "template", "spec")
        yield SyncContext(item, spec, path, tuple(objects.synced(spec)), objects, owned)


def _gate_contexts(objects: Objects, syncs: list[SyncContext]) -> Iterator[GateContext]:
    """Yield every Workflow with the Rollouts of its Applications, or of its folder when waves or hooks are used."""
    together: dict[Object, list[Object]] = {}
    for sync in syncs:
        for item in sync.of_kind("Workflow"):
            together.setdefault(item, []).extend(sync.of_kind("Rollout"))
    for workflow in objects.of_kind("Workflow"):
        rollouts = together.get(workflow)
        if rollouts is None:
            folder = [item for item in objects.by_folder[workflow.folder] if item.is_a("Rollout")]
            rollouts = [item for item in folder if is_sequenced(workflow) or is_sequenced(item)]
        yield GateContext(workflow, tuple(rollouts))
