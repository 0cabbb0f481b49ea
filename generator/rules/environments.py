"""Rules on environments: what each requires before it takes a release, and its rings."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic.alias_generators import to_camel

from generator.lint.engine import Problem, rule
from generator.rules.context import FleetContext
from generator.source.document import Path
from generator.source.suggest import did_you_mean
from generator.spec.environment import Environment, normal_server
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
