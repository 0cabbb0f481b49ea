"""Rules on environments: what each requires before it takes a release, its rings, and the settings of its router."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydantic.alias_generators import to_camel

from generator.lint.engine import Problem, rule
from generator.routers import ROUTERS
from generator.rules.context import FleetContext
from generator.source.document import Path
from generator.source.suggest import did_you_mean
from generator.spec.environment import Environment, Router, normal_server
from generator.spec.network import is_network
from generator.spec.promotion import Proof
from generator.spec.rings import ring_name


@rule(
    "PLAT904",
    "error",
    "an environment requires one that does not exist",
    scope=FleetContext,
    why="No version can ever pass it.",
    remedy="Correct the name, or remove it.",
    example="# specs/platform.yaml\nspec: {environments: {production: {requires: [stagging]}}}",
    instead="""
# specs/platform.yaml
spec:
  environments:
    staging: {server: "https://staging.example.com", router: {kind: traefik}}
    production: {requires: [staging]}
# specs/shop/ranker.yaml
spec: {environments: {staging: {traffic: {minRps: 200}}}}
""",
)
def required_environments(context: FleetContext) -> Iterator[Problem]:
    """Check the environments that others require."""
    known = list(context.platform.environments)
    for name, environment in context.platform.environments.items():
        for key, required in _required(environment):
            if required not in known:
                path = ("spec", "environments", name, "requires", key)
                yield Problem(path, f"unknown environment `{required}`", did_you_mean(required, known))


@rule(
    "PLAT905",
    "error",
    "environments require each other",
    scope=FleetContext,
    why="A version would have to pass each of them before the other.",
    remedy="Remove one of the requirements.",
    example="""
# specs/platform.yaml
spec:
  environments:
    staging: {server: "https://staging.example.com", router: {kind: traefik}, requires: [production]}
    production: {requires: [staging]}
""",
    instead="""
# specs/platform.yaml
spec:
  environments:
    staging: {server: "https://staging.example.com", router: {kind: traefik}}
    production: {requires: [staging]}
# specs/shop/ranker.yaml
spec: {environments: {staging: {traffic: {minRps: 200}}}}
""",
)
def circles(context: FleetContext) -> Iterator[Problem]:
    """Check `requires` for cycles; each is reported at every environment that is part of one."""
    requires = {name: list(one.proofs) for name, one in context.platform.environments.items()}
    followers = {name for name, ring in context.platform.rings.items() if ring.index}
    for name, environment in context.platform.environments.items():
        for key, required in _required(environment):
            if name not in followers and name in _reachable(requires, required):
                message = f"`{name}` requires `{required}`, which requires `{name}`"
                path = ("spec", "environments", name, "requires", key)
                yield Problem(path, message, "remove one of the requirements")


@rule(
    "PLAT946",
    "error",
    "the rings of an environment have the same name or cluster, or are not several",
    scope=FleetContext,
    why="A ring is the environment `<environment>-<ring>`, in a cluster that no other ring of it uses: two of one name "
    "would share their locks and records, and two of one cluster their objects.",
    remedy="Give each ring its own name and cluster; write `server` for an environment with one cluster.",
    example="""
# specs/platform.yaml
spec:
  environments:
    production:
      server: null
      rings:
        - {name: eu, server: "https://eu.example.com"}
""",
    instead="""
# specs/platform.yaml
spec:
  environments:
    production:
      server: null
      rings:
        - {name: eu, server: "https://eu.example.com"}
        - {name: us, server: "https://us.example.com", soak: 2h}
# specs/shop/ranker.yaml
spec: {environments: {production: {traffic: {minRps: 200}}}}
""",
)
def rings(context: FleetContext) -> Iterator[Problem]:
    """Check the names and clusters of rings, and that there are several; the first one follows no other."""
    written = context.platform.written
    for name, environment in written.items():
        base: Path = ("spec", "environments", name, "rings")
        listed = environment.rings or []
        if len(listed) == 1:
            hint = f"write `server: {listed[0].server}` in place of `rings`, or add the next ring"
            yield Problem(base, f"`{name}` has one ring", hint, on_key=True)
        names: dict[str, int] = {}
        clusters: dict[str, str] = {}
        for index, ring in enumerate(listed):
            if names.setdefault(ring.name, index) != index:
                yield Problem(
                    (*base, index, "name"), f"two rings are named `{ring.name}`", "rename one of them"
                )
            elif ring_name(name, ring.name) in written:
                message = f"`{ring_name(name, ring.name)}` is also an environment"
                yield Problem((*base, index, "name"), message, "rename the ring, or the environment")
            first = clusters.setdefault(normal_server(ring.server), ring.name)
            if first != ring.name:
                message = f"the rings `{first}` and `{ring.name}` are in one cluster"
                yield Problem(
                    (*base, index, "server"), message, "give each ring its own cluster, or remove one"
                )
        for key in sorted(listed[0].model_fields_set & Proof.model_fields.keys() if listed else ()):
            message = f"`{key}` of the first ring has no effect: no ring comes before it"
            hint = f"move it to `requires` of `{name}`, or to the next ring"
            yield Problem((*base, 0, to_camel(key)), message, hint, on_key=True)


def _required(environment: Environment) -> Iterator[tuple[int | str, str]]:
    """Yield what an environment requires, with its place: an index of the list, or a key of the mapping."""
    listed = isinstance(environment.requires, list)
    for index, name in enumerate(environment.requires):
        yield index if listed else name, name


def _reachable(requires: dict[str, list[str]], start: str) -> set[str]:
    """Return all environments that a version must pass before, including this one."""
    seen: set[str] = set()
    left = [start]
    while left:
        name = left.pop()
        if name not in seen:
            seen.add(name)
            left += requires.get(name, [])
    return seen


@rule(
    "PLAT948",
    "error",
    "an environment names a team that does not exist",
    scope=FleetContext,
    why="Its limits, or the name of its AppProject, apply to no team: the team was renamed, or its name is misspelt.",
    remedy="Correct the name, or remove it.",
    example="# specs/platform.yaml\nspec: {environments: {production: {teams: {shopp: {budget: {monthly: 900 EUR}}}}}}",
    instead="# specs/platform.yaml\nspec: {environments: {production: {teams: {shop: {budget: {monthly: 900 EUR}}}}}}",
)
def limited_teams(context: FleetContext) -> Iterator[Problem]:
    """Check the names of teams that an environment has limits or AppProjects for."""
    known = context.platform.teams
    for name, environment in context.platform.written.items():
        named: list[tuple[Path, str]] = [(("teams",), team) for team in environment.teams]
        named += [(("argocd", "projects"), team) for team in environment.argocd.projects]
        for at, team in named:
            if team not in known:
                path: Path = ("spec", "environments", name, *at, team)
                yield Problem(path, f"unknown team `{team}`", did_you_mean(team, known), on_key=True)


@rule(
    "ROUTE610",
    "warning",
    "the project of the router has ended",
    scope=FleetContext,
    why="Its security holes stay open, and it sees every request of every model.",
    remedy="Plan the move to a Gateway API implementation: set up a Gateway, then change the environment's router.",
    example="# specs/platform.yaml\nspec: {environments: {production: {router: {kind: nginx}}}}",
    instead="""
# specs/platform.yaml
spec: {environments: {production: {router: {kind: gateway-api, gateway: public, namespace: gateways}}}}
""",
    source="kubernetes.io, 11 November 2025: Ingress NGINX Retirement; the repository is archived since March 2026",
)
def retired_routers(context: FleetContext) -> Iterator[Problem]:
    """Check that the project of each environment's router is maintained."""
    for name, path, router in _routers(context):
        if retired := ROUTERS[router.kind].retired:
            message = f"{retired}; it is the router of {name}"
            yield Problem((*path, "kind"), message)


@rule(
    "ROUTE611",
    "error",
    "a setting of the router is not read, or written by a controller",
    scope=FleetContext,
    why="It would look as if it worked: each kind of router reads its own settings, and controllers write the "
    "annotations with the weights.",
    remedy="Remove it, or choose the kind of router that reads it.",
    example="""
# specs/platform.yaml
spec:
  environments:
    production:
      router:
        kind: alb
        group: models
        proxyRanges: [10.0.0.0/20]
        annotations: {alb.ingress.kubernetes.io/target-type: instance}
""",
    instead="""
# specs/platform.yaml
spec:
  environments:
    production:
      router:
        kind: alb
        group: models
        proxyRanges: [10.0.0.0/20]
        annotations: {alb.ingress.kubernetes.io/scheme: internal}
""",
)
def router_settings(context: FleetContext) -> Iterator[Problem]:
    """Check that every setting of a router is read by its kind, and that its annotations are the platform's."""
    for name, path, router in _routers(context):
        kind = ROUTERS[router.kind]
        written = {key for key in router.model_fields_set if getattr(router, key)}
        for key in sorted(written - kind.takes - _EVERY_ROUTER):
            others = " or ".join(one.kind for one in ROUTERS.values() if key in one.takes)
            message = f"the router `{router.kind}` of {name} does not read `{to_camel(key)}`: {others} does"
            yield Problem((*path, to_camel(key)), message, "remove it", on_key=True, severity="warning")
        for key in router.annotations:
            if key.startswith((*kind.writes, *_OF_CONTROLLERS)):
                message = f"`{key}` is written by Sluice or by a controller"
                yield Problem((*path, "annotations", key), message, "remove it", on_key=True)
        for index, cidr in enumerate(router.proxy_ranges):
            if not is_network(cidr):
                message = f"`{cidr}` is not a range of addresses"
                yield Problem((*path, "proxyRanges", index), message, "write it as 10.0.0.0/20")


_EVERY_ROUTER: Final = frozenset({"kind", "namespace", "proxy_namespace", "proxy_ranges"})
_OF_CONTROLLERS: Final = ("argocd.argoproj.io/", "rollouts.argoproj.io/", "sluice.dev/")


def _routers(context: FleetContext) -> Iterator[tuple[str, Path, Router]]:
    """Yield the first environment of each router in the file, its path, and the router."""
    seen: set[Path] = set()
    for name, environment in context.platform.environments.items():
        path = context.platform.where_written(("spec", "environments", name, "router"))
        if path not in seen:
            seen.add(path)
            yield name, path, environment.router
