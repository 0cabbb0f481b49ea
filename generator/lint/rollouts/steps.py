"""Rules about the steps of a canary (C9 to C21 but C20; validation.go ValidateRolloutStrategyCanary)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.lint.go_values import is_qualified_name, pause_seconds
from generator.lint.rollouts.canary import applies, refusals
from generator.lint.rollouts.model import Body, Path, as_int, as_list, as_map, as_text
from generator.lint.rollouts.registry import Flaw, rule
from generator.lint.rollouts.view import ROUTING, STEP_KINDS, RolloutContext, Use, has

_VALIDATION = "pkg/apis/rollouts/validation/validation.go"
_ALONE = ("setWeight", "pause", "experiment", "analysis")
_ROUTES = ("setHeaderRoute", "setMirrorRoute")
_PLAIN_FIELDS = frozenset(
    {"metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"}
)
_SUBSCRIPT = re.compile(r"(metadata\.annotations|metadata\.labels)\['(.*)'\]")


def steps_with(ctx: RolloutContext, key: str) -> Iterator[tuple[Path, Body]]:
    """The steps that have a key, as (path of the key, its value)."""
    for path, step in ctx.rollout.steps if applies(ctx) else ():
        if has(step, key):
            yield (*path, key), as_map(step[key])


@rule(
    "ROL139",
    "error",
    "every step does something",
    scope="rollout",
    hint=f"Give the step one of {', '.join(STEP_KINDS)}; an endless pause is `pause: {{}}`.",
    origin=f"C9 {_VALIDATION}",
)
def step_is_known(ctx: RolloutContext) -> Iterator[Flaw]:
    """C9."""
    for path, step in ctx.rollout.steps if applies(ctx) else ():
        if not any(has(step, kind) for kind in STEP_KINDS):
            yield path, "the step says nothing that the controller knows"


@rule(
    "ROL140",
    "error",
    "a step does one thing",
    scope="rollout",
    hint="Make it several steps.",
    origin=f"C10 {_VALIDATION}",
)
def step_is_single(ctx: RolloutContext) -> Iterator[Flaw]:
    """C10."""
    for path, step in ctx.rollout.steps if applies(ctx) else ():
        if len(kinds := [kind for kind in _ALONE if has(step, kind)]) > 1:
            yield path, f"the step has {' and '.join(kinds)}"


@rule(
    "ROL141",
    "error",
    "weights lie between 0 and the maximum",
    scope="rollout",
    hint="Use a whole number from 0 to 100 (or to maxTrafficWeight).",
    origin=f"C11 {_VALIDATION}",
)
def weight_in_range(ctx: RolloutContext) -> Iterator[Flaw]:
    """C11."""
    for path, step in ctx.rollout.steps if applies(ctx) else ():
        if has(step, "setWeight") and not 0 <= as_int(step["setWeight"]) <= ctx.rollout.max_weight:
            yield (*path, "setWeight"), f"{step['setWeight']} is not between 0 and {ctx.rollout.max_weight}"


@rule(
    "ROL142",
    "error",
    "a pause has a duration that Go can read",
    scope="rollout",
    hint="Write seconds, or a Go duration such as 90s, 15m or 24h; Go knows no days.",
    origin=f"C12 {_VALIDATION}",
)
def pause_is_readable(ctx: RolloutContext) -> Iterator[Flaw]:
    """C12."""
    for path, pause in steps_with(ctx, "pause"):
        if pause_seconds(pause.get("duration")) < 0:
            yield (*path, "duration"), f"{pause['duration']!r} is no duration"


@rule(
    "ROL143",
    "error",
    "setCanaryScale has a router",
    scope="rollout",
    hint="Remove the step or add trafficRouting.",
    origin=f"C13 {_VALIDATION}",
)
def scale_needs_router(ctx: RolloutContext) -> Iterator[Flaw]:
    """C13."""
    for path, _ in steps_with(ctx, "setCanaryScale"):
        if ctx.rollout.routing is None:
            yield path, "there is no trafficRouting"


@rule(
    "ROL144",
    "error",
    "setHeaderRoute has a router that routes by header",
    scope="rollout",
    hint="Use Istio, ALB, Apisix or the Gateway API plugin.",
    origin=f"C14 {_VALIDATION}",
)
def header_router(ctx: RolloutContext) -> Iterator[Flaw]:
    """C14."""
    for path, _ in steps_with(ctx, "setHeaderRoute"):
        if why := refusals(ctx, "header"):
            yield path, why


def _matches(value: object) -> int:
    match = as_map(value)
    return sum(bool(as_text(match.get(key))) for key in ("exact", "prefix", "regex"))


@rule(
    "ROL145",
    "error",
    "a header is matched in exactly one way",
    scope="rollout",
    hint="Give headerValue exactly one of exact, prefix and regex; ALB knows exact only.",
    origin=f"C15 {_VALIDATION}",
)
def header_match(ctx: RolloutContext) -> Iterator[Flaw]:
    """C15."""
    alb = ctx.rollout.router("alb") is not None
    for path, route in steps_with(ctx, "setHeaderRoute"):
        for i, match in enumerate(as_list(route.get("match")) if not refusals(ctx, "header") else ()):
            value = as_map(match).get("headerValue")
            if _matches(value) != 1 or (alb and not as_text(as_map(value).get("exact"))):
                wanted = "exact" if alb else "exactly one of exact, prefix and regex"
                yield (*path, "match", i, "headerValue"), f"there must be {wanted}"


@rule(
    "ROL146",
    "error",
    "setMirrorRoute has a router that the controller accepts",
    scope="rollout",
    hint="Use Istio, or render the mirror statically in the route.",
    origin=f"C16 {_VALIDATION}",
)
def mirror_router(ctx: RolloutContext) -> Iterator[Flaw]:
    """C16."""
    for path, _ in steps_with(ctx, "setMirrorRoute"):
        if why := refusals(ctx, "mirror"):
            yield path, why


@rule(
    "ROL147",
    "error",
    "a mirrored method or path is matched in exactly one way",
    scope="rollout",
    hint="Give method and path exactly one of exact, prefix and regex each.",
    origin=f"C17 {_VALIDATION}",
)
def mirror_match(ctx: RolloutContext) -> Iterator[Flaw]:
    """C17."""
    for path, route in steps_with(ctx, "setMirrorRoute"):
        for i, match in enumerate(as_list(route.get("match"))):
            for key in ("method", "path"):
                if has(as_map(match), key) and _matches(match[key]) != 1:
                    yield (*path, "match", i, key), "there must be exactly one of exact, prefix and regex"


@rule(
    "ROL148",
    "error",
    "a route that a step sets is a managed route",
    scope="rollout",
    hint="List the name under trafficRouting.managedRoutes.",
    origin=f"C18 {_VALIDATION}",
)
def route_is_managed(ctx: RolloutContext) -> Iterator[Flaw]:
    """C18."""
    routing = ctx.rollout.routing
    if routing is None:
        return
    managed = [as_text(as_map(route).get("name")) for route in as_list(routing.get("managedRoutes"))]
    for kind in _ROUTES:
        for path, route in steps_with(ctx, kind):
            if as_text(route.get("name")) not in managed:
                yield (
                    (*path, "name"),
                    f"{route.get('name')!r} is not in {'.'.join(map(str, ROUTING))}.managedRoutes",
                )


@rule(
    "ROL149",
    "error",
    "an experiment takes traffic only from a router that can give it",
    scope="rollout",
    hint="Remove the weight, or use Istio, ALB, SMI or a plugin.",
    origin=f"C19 {_VALIDATION}",
)
def experiment_router(ctx: RolloutContext) -> Iterator[Flaw]:
    """C19."""
    for path, experiment in steps_with(ctx, "experiment"):
        for i, template in enumerate(as_list(experiment.get("templates"))):
            if has(as_map(template), "weight") and (why := refusals(ctx, "experiment_weight")):
                yield (*path, "templates", i, "weight"), why


@rule(
    "ROL151",
    "error",
    "metadata that arguments refer to can be resolved",
    scope="rollout",
    hint="Use metadata.name, .namespace, .uid, .labels['x'] or .annotations['x'].",
    origin=f"C21 {_VALIDATION}",
)
def metadata_resolves(ctx: RolloutContext) -> Iterator[Flaw]:
    """C21 (for steps; of the background run the controller says nothing until it starts)."""
    for use in ctx.rollout.uses if applies(ctx) else ():
        if use.moment in {"step", "experiment"}:
            yield from _unresolvable(use)


def metadata_resolves_in(use: Use) -> bool:
    """Whether all metadata that a use refers to can be resolved; if not, no argument is passed."""
    return not any(True for _ in _unresolvable(use))


def _unresolvable(use: Use) -> Iterator[Flaw]:
    for i, arg in enumerate(use.args):
        field = as_text(as_map(as_map(arg.get("valueFrom")).get("fieldRef")).get("fieldPath"))
        if field.startswith("metadata") and not _resolves(field):
            yield (*use.path, "args", i, "valueFrom", "fieldRef", "fieldPath"), f"{field!r} is not supported"


def _resolves(field: str) -> bool:
    if match := _SUBSCRIPT.fullmatch(field):
        name = match[2].lower() if match[1] == "metadata.annotations" else match[2]
        return is_qualified_name(name)
    return field in _PLAIN_FIELDS
