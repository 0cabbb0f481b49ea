"""The objects of one release: the workload, its Services, its route, its autoscaler, its analyses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any, Final

from generator.dataclass import dataclass
from generator.lint import Object, Objects, Release, Rollout, as_list, as_map, as_text, each, selects
from generator.pipeline.imports.account import Account
from generator.source.document import Path

TEMPLATE: Final[Path] = ("spec", "template")
_ROUTES: Final = ("HTTPRoute", "VirtualService", "Ingress", "TraefikService")
_MONITORS: Final = ("PodMonitor", "ServiceMonitor")


@dataclass(frozen=True, slots=True)
class Assumed:
    """A value of a spec that is not in the tree.

    Args:
        key: its key.
        value: what was written.
        why: why it is needed, and what the tree lacks.
    """

    key: str
    value: str
    why: str


@dataclass
class Family:
    """The objects of one release, and the spec that is made of them.

    Args:
        release: the release.
        main: the object that describes it.
        workload: the object that has the pod template; None where it is not in the tree.
        namespace: where it runs.
        services: its Services by role: stable, canary, active, preview, or empty for one without a role.
        routes: what sends requests to it.
        scaler: its autoscaler.
        account: its ServiceAccount.
        analyses: templates of its analyses.
        others: monitors and budgets of its pods.
        spec: the spec, as far as it is read.
        assumed: what the tree does not show.
        blocked: why it can't be imported; empty when it can.
        lock: the lock that the tree has; empty for none.
    """

    release: Release
    main: Account
    workload: Account | None
    namespace: str
    services: dict[str, Account] = field(default_factory=dict)
    routes: list[Account] = field(default_factory=list)
    scaler: Account | None = None
    account: Account | None = None
    analyses: list[Account] = field(default_factory=list)
    others: list[Account] = field(default_factory=list)
    spec: dict[str, Any] = field(default_factory=dict)
    assumed: list[Assumed] = field(default_factory=list)
    blocked: str = ""
    lock: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the workload, which is that of the model."""
        item = self.main.item
        target = as_map(item.spec.get("targetRef")) if self.release.tool == "Flagger" else {}
        return as_text(target.get("name")) or item.name

    @property
    def accounts(self) -> list[Account]:
        """Every object of the release."""
        found = [self.main, *self.services.values(), *self.routes, *self.analyses, *self.others]
        found += [one for one in (self.workload, self.scaler, self.account) if one is not None]
        return list(dict.fromkeys(found))

    @property
    def container(self) -> int:
        """The position of the model's container: the one whose port the Services lead to, else the first."""
        for number, container in enumerate(as_list(self.pod.get("containers"))):
            if any(self.leads_to(port) for _, port in each(as_map(container).get("ports"), ())):
                return number
        return 0

    @property
    def targets(self) -> list[object]:
        """The ports of pods, by name or number, that its Services lead to."""
        ports = [port for one in self.services.values() for _, port in each(one.get("spec", "ports"), ())]
        return [port.get("targetPort", port.get("port")) for port in ports]

    def leads_to(self, port: Mapping[str, Any]) -> bool:
        """Return whether a Service leads to a port of a container."""
        names = (port.get("name"), port.get("containerPort"))
        return any(target is not None and target in names for target in self.targets)

    @property
    def pod(self) -> dict[str, Any]:
        """The spec of its pods."""
        return dict(as_map(self.workload.get(*TEMPLATE, "spec"))) if self.workload else {}

    def assume(self, key: str, value: str, why: str) -> str:
        """Note a value that the tree does not show, and return it."""
        self.assumed.append(Assumed(key, value, why))
        return value


class Families:
    """Finds the objects of every release of a tree.

    Args:
        objects: the tree.
        default: the namespace of objects that have none.
    """

    def __init__(self, objects: Objects, default: str) -> None:
        self._objects, self._default = objects, default
        self.accounts = {id(item): Account(item) for item in objects.all}

    def of(self, releases: Iterable[Release]) -> Iterator[Family]:
        """Yield the objects of each release."""
        for release in releases:
            yield self._family(release)

    def _family(self, release: Release) -> Family:
        item = release.object
        namespace = item.namespace or self._default
        workload = self._workload(release)
        found = Family(release, self._of(item), self._of(workload) if workload else None, namespace)
        near = self._objects.near(item)
        for role, name in _services(release):
            service = near.find("Service", item.namespace, name)
            if service is not None:
                found.services[role] = self._of(service)
        labels = (
            as_map(as_map(found.workload.get(*TEMPLATE, "metadata")).get("labels")) if found.workload else {}
        )
        if not found.services:
            services = near.of("", "Service")
            chosen = next(
                (
                    one
                    for one in services
                    if _same_space(one, item) and one.spec.get("selector") and _picks(one, labels)
                ),
                None,
            )
            if chosen is not None:
                found.services[""] = self._of(chosen)
        found.routes = [self._of(one) for one in self._routes(found)]
        found.scaler = self._scaler(found)
        if account := near.get(
            "", "ServiceAccount", item.namespace, as_text(found.pod.get("serviceAccountName"))
        ):
            found.account = self._of(account)
        found.analyses = [
            self._of(one)
            for one in dict.fromkeys(metric.template for metric in release.metrics)
            if one is not item
        ]
        for kind in ("PodDisruptionBudget", *_MONITORS):
            found.others += [
                self._of(one)
                for one in near.of_kind(kind)
                if _same_space(one, item)
                and labels
                and as_map(one.spec.get("selector"))
                and selects(as_map(one.spec["selector"]), labels)
            ]
        return found

    def _of(self, item: Object) -> Account:
        return self.accounts[id(item)]

    def _workload(self, release: Release) -> Object | None:
        item = release.object
        key = {"Argo Rollouts": "workloadRef", "Flagger": "targetRef"}.get(release.tool, "")
        ref = as_map(item.spec.get(key))
        if ref:
            near = self._objects.near(item)
            return near.find(
                as_text(ref.get("kind")) or "Deployment", item.namespace, as_text(ref.get("name"))
            )
        return item if release.tool == "Argo Rollouts" else None

    def _routes(self, family: Family) -> Iterator[Object]:
        """Yield the routes that the release names, and those that lead to its Services."""
        item, near = family.main.item, self._objects.near(family.main.item)
        if family.release.tool == "Argo Rollouts":
            rollout = Rollout(item)
            refs = [*rollout.gateway_routes, *rollout.ingresses]
            refs += [rollout.virtual_service(path, settings) for path, settings in rollout.virtual_services]
            for ref in refs:
                found = near.find(ref.kind, ref.namespace or item.namespace, ref.name)
                if found is not None:
                    yield found
            if refs:
                return
        names = {service.item.name for service in family.services.values()}
        for kind in _ROUTES:
            yield from (
                one for one in near.of_kind(kind) if _same_space(one, item) and names & set(backends(one))
            )

    def _scaler(self, family: Family) -> Account | None:
        targets = {family.name, family.main.item.name}
        for kind in ("HorizontalPodAutoscaler", "ScaledObject"):
            for one in self._objects.near(family.main.item).of_kind(kind):
                target = as_text(as_map(one.spec.get("scaleTargetRef")).get("name"))
                if target in targets and _same_space(one, family.main.item):
                    return self._of(one)
        return None


def _same_space(one: Object, other: Object) -> bool:
    return one.namespace == other.namespace or not one.namespace or not other.namespace


def _picks(service: Object, labels: Any) -> bool:
    return all(labels.get(key) == value for key, value in as_map(service.spec["selector"]).items())


def _services(release: Release) -> Iterator[tuple[str, str]]:
    """Yield the Services that a release names, by their role."""
    strategy = as_map(release.object.spec.get("strategy"))
    canary, switch = as_map(strategy.get("canary")), as_map(strategy.get("blueGreen"))
    for body, role in ((canary, "stable"), (canary, "canary"), (switch, "active"), (switch, "preview")):
        if name := as_text(body.get(f"{role}Service")):
            yield role, name
    if release.tool == "Flagger":
        service = as_map(release.object.spec.get("service"))
        yield (
            "",
            as_text(service.get("name")) or as_text(as_map(release.object.spec.get("targetRef")).get("name")),
        )


def backends(route: Object) -> Iterator[str]:
    """Yield the names of the Services that a route leads to."""
    for _, rule in each(route.spec.get("rules"), ()):
        yield from (as_text(one.get("name")) for _, one in each(rule.get("backendRefs"), ()))
        for _, path in each(as_map(rule.get("http")).get("paths"), ()):
            yield as_text(as_map(as_map(path.get("backend")).get("service")).get("name"))
    for _, rule in each(route.spec.get("http"), ()):
        for _, one in each(rule.get("route"), ()):
            yield as_text(as_map(one.get("destination")).get("host")).partition(".")[0]
    for _, one in each(as_map(route.spec.get("weighted")).get("services"), ()):
        yield as_text(one.get("name"))
