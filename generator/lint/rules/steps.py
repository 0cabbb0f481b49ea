"""Rules on the steps of a canary that the controller refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from generator.lint.controller import is_qualified_name, pause_seconds
from generator.lint.engine import Problem
from generator.lint.objects import Body, as_int, as_list, as_map, as_text, each, has
from generator.lint.rollout import STEP_KINDS, Use
from generator.lint.rules.capabilities import refusal
from generator.lint.rules.contexts import RolloutContext, invalid_rollout
from generator.source.document import Path

_ALONE: Final = ("setWeight", "pause", "experiment", "analysis")
_ROUTES: Final = ("setHeaderRoute", "setMirrorRoute")
_ONE_WAY: Final = "exactly one of exact, prefix and regex"
_PLAIN_FIELDS: Final = frozenset(
    {"metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"}
)
_SUBSCRIPT: Final = re.compile(r"(metadata\.annotations|metadata\.labels)\['(.*)'\]")


def _steps(ctx: RolloutContext) -> list[tuple[Path, Body]]:
    """Return the steps, none when the controller does not read them."""
    return ctx.rollout.steps if ctx.rollout.is_canary else []


def _steps_with(ctx: RolloutContext, key: str) -> Iterator[tuple[Path, Body]]:
    """Yield the values of a key in the steps that have it, with their paths."""
    for path, step in _steps(ctx):
        if has(step, key):
            yield (*path, key), as_map(step[key])


@invalid_rollout(
    "ROL139",
    "a step does nothing",
    remedy=f"Give the step one of {', '.join(STEP_KINDS)}; a pause without an end is `pause: {{}}`.",
    example="spec: {strategy: {canary: {steps: [{setWeight: 50}, {}, {pause: {}}]}}}",
    instead="spec: {strategy: {canary: {steps: [{setWeight: 50}, {pause: {}}]}}}",
)
def empty_step(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that each step has a key that the controller knows."""
    for path, step in _steps(ctx):
        if not any(has(step, kind) for kind in STEP_KINDS):
            yield Problem(path, "the step has no key that the controller knows")


@invalid_rollout(
    "ROL140",
    "a step does two things",
    remedy="Make it several steps.",
    example="spec: {strategy: {canary: {steps: [{setWeight: 50, pause: {}}]}}}",
    instead="spec: {strategy: {canary: {steps: [{setWeight: 50}, {pause: {}}]}}}",
)
def two_things(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that a step has one of setWeight, pause, experiment and analysis."""
    for path, step in _steps(ctx):
        if len(kinds := [kind for kind in _ALONE if has(step, kind)]) > 1:
            yield Problem(path, f"the step has {' and '.join(kinds)}")


@invalid_rollout(
    "ROL141",
    "a weight is below 0 or above the maximum",
    remedy="Use a whole number from 0 to 100 (or to `maxTrafficWeight`).",
    example="spec: {strategy: {canary: {steps: [{setWeight: 101}, {pause: {}}]}}}",
    instead="spec: {strategy: {canary: {steps: [{setWeight: 50}, {pause: {}}]}}}",
)
def weight_out_of_range(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that every weight is from 0 to 100, or to `maxTrafficWeight`."""
    for path, step in _steps(ctx):
        weight, most = step.get("setWeight"), ctx.rollout.max_weight
        if weight is not None and not 0 <= as_int(weight) <= most:
            yield Problem((*path, "setWeight"), f"the weight {weight} is not from 0 to {most}")


@invalid_rollout(
    "ROL142",
    "the duration of a pause is invalid",
    because="Durations are those of Go, which has no unit for days.",
    remedy="Write seconds, or a duration such as 90s, 15m or 24h.",
    example="spec: {strategy: {canary: {steps: [{setWeight: 50}, {pause: {duration: 1d}}]}}}",
    instead="spec: {strategy: {canary: {steps: [{setWeight: 50}, {pause: {duration: 24h}}]}}}",
)
def invalid_pause(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that every pause has a valid duration, or none."""
    for path, pause in _steps_with(ctx, "pause"):
        if pause_seconds(pause.get("duration")) < 0:
            message = f"`{pause['duration']}` is not a duration such as 90s, 15m or 24h"
            yield Problem((*path, "duration"), message)


@invalid_rollout(
    "ROL143",
    "`setCanaryScale` is used without a router",
    because="Without traffic routing the weight decides how many pods there are.",
    remedy="Remove the step, or add `trafficRouting`.",
    example="""\
spec: {strategy: {canary: {trafficRouting: , steps: [{setCanaryScale: {replicas: 1}}, {setWeight: 0}]}}}
""",
    instead="spec: {strategy: {canary: {trafficRouting: , steps: [{setWeight: 50}, {pause: {}}]}}}",
)
def scale_without_router(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that a canary without a router has no `setCanaryScale`."""
    for path, _ in _steps_with(ctx, "setCanaryScale"):
        if ctx.rollout.routing is None:
            yield Problem(path, "`setCanaryScale` needs `trafficRouting`")


@invalid_rollout(
    "ROL144",
    "the router cannot route by header",
    remedy="Use Istio, ALB, Apisix or the Gateway API plugin.",
    example="""\
spec:
  strategy:
    canary:
      trafficRouting: {managedRoutes: [{name: testers}], traefik: {weightedTraefikServiceName: model}}
      steps:
        - setWeight: 5
        - setHeaderRoute: {name: testers, match: [{headerName: x-group, headerValue: {exact: testers}}]}
        - pause: {}
""",
    instead="""\
spec:
  strategy:
    canary:
      trafficRouting: {managedRoutes: [{name: testers}], plugins: {argoproj-labs/gatewayAPI: {httpRoute: model}}}
      steps:
        - setWeight: 5
        - setHeaderRoute: {name: testers, match: [{headerName: x-group, headerValue: {exact: testers}}]}
        - pause: {}
""",
)
def refused_header_route(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that the controller accepts a header route with one of the routers."""
    why = refusal(ctx, "header")
    for path, _ in _steps_with(ctx, "setHeaderRoute") if why else ():
        yield Problem(path, f"`setHeaderRoute` cannot be used: {why}")


def _matches(value: object) -> int:
    """Return in how many ways a string is matched."""
    return sum(bool(as_text(as_map(value).get(key))) for key in ("exact", "prefix", "regex"))


@invalid_rollout(
    "ROL145",
    "a header is not matched in exactly one way",
    remedy="Give `headerValue` exactly one of exact, prefix and regex; ALB supports exact only.",
    example="""\
spec:
  strategy:
    canary:
      trafficRouting: {managedRoutes: [{name: testers}], plugins: {argoproj-labs/gatewayAPI: {httpRoute: model}}}
      steps:
        - setWeight: 5
        - setHeaderRoute: {name: testers, match: [{headerName: x-group, headerValue: {exact: a, regex: b}}]}
        - pause: {}
""",
    instead="""\
spec:
  strategy:
    canary:
      trafficRouting: {managedRoutes: [{name: testers}], plugins: {argoproj-labs/gatewayAPI: {httpRoute: model}}}
      steps:
        - setWeight: 5
        - setHeaderRoute: {name: testers, match: [{headerName: x-group, headerValue: {regex: a|b}}]}
        - pause: {}
""",
)
def ambiguous_header(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that every header is matched in one way, unless the router refuses the step as a whole."""
    alb = ctx.rollout.router("alb") is not None
    if refusal(ctx, "header"):
        return
    for path, route in _steps_with(ctx, "setHeaderRoute"):
        for at, match in each(route.get("match"), (*path, "match")):
            value = match.get("headerValue")
            if _matches(value) != 1 or (alb and not as_text(as_map(value).get("exact"))):
                message = f"`headerValue` needs {'`exact`: ALB supports nothing else' if alb else _ONE_WAY}"
                yield Problem((*at, "headerValue"), message)


@invalid_rollout(
    "ROL146",
    "the controller refuses a mirror step with this router",
    remedy="Use Istio, or write the mirror into the route itself.",
    example="""\
spec:
  strategy:
    canary:
      trafficRouting: {managedRoutes: [{name: shadow}], traefik: {weightedTraefikServiceName: model}}
      steps: [{setMirrorRoute: {name: shadow, percentage: 100}}, {setWeight: 50}, {pause: {}}]
""",
    instead="""\
spec:
  strategy:
    canary:
      trafficRouting: {managedRoutes: [{name: shadow}], istio: {virtualService: {name: model}}}
      steps: [{setMirrorRoute: {name: shadow, percentage: 100}}, {setWeight: 50}, {pause: {}}]
""",
)
def refused_mirror_route(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that the controller accepts a mirror route with one of the routers."""
    why = refusal(ctx, "mirror")
    for path, _ in _steps_with(ctx, "setMirrorRoute") if why else ():
        yield Problem(path, f"`setMirrorRoute` cannot be used: {why}")


@invalid_rollout(
    "ROL147",
    "a mirrored method or path is not matched in exactly one way",
    remedy="Give `method` and `path` exactly one of exact, prefix and regex each.",
    example="""\
spec:
  strategy:
    canary:
      trafficRouting: {managedRoutes: [{name: shadow}], istio: {virtualService: {name: model}}}
      steps:
        - {setMirrorRoute: {name: shadow, match: [{method: {exact: GET, prefix: P}}]}}
        - {setWeight: 50}
        - {pause: {}}
""",
    instead="""\
spec:
  strategy:
    canary:
      trafficRouting: {managedRoutes: [{name: shadow}], istio: {virtualService: {name: model}}}
      steps: [{setMirrorRoute: {name: shadow, match: [{method: {exact: GET}}]}}, {setWeight: 50}, {pause: {}}]
""",
)
def ambiguous_mirror(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that the method and the path of a mirrored request are matched in one way each."""
    for path, route in _steps_with(ctx, "setMirrorRoute"):
        for at, match in each(route.get("match"), (*path, "match")):
            for key in ("method", "path"):
                if has(match, key) and _matches(match[key]) != 1:
                    yield Problem((*at, key), f"`{key}` needs {_ONE_WAY}")


@invalid_rollout(
    "ROL148",
    "a step sets a route that is not a managed route",
    because="The controller creates and removes managed routes only.",
    remedy="List the name under `trafficRouting.managedRoutes`.",
    example="""\
spec:
  strategy:
    canary:
      trafficRouting: {managedRoutes: [{name: insiders}], plugins: {argoproj-labs/gatewayAPI: {httpRoute: model}}}
      steps:
        - setWeight: 5
        - setHeaderRoute: {name: testers, match: [{headerName: x-group, headerValue: {exact: testers}}]}
        - pause: {}
""",
    instead="""\
spec:
  strategy:
    canary:
      trafficRouting: {managedRoutes: [{name: testers}], plugins: {argoproj-labs/gatewayAPI: {httpRoute: model}}}
      steps:
        - setWeight: 5
        - setHeaderRoute: {name: testers, match: [{headerName: x-group, headerValue: {exact: testers}}]}
        - pause: {}
""",
)
def unmanaged_route(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that every route that a step sets is in `trafficRouting.managedRoutes`."""
    routing = ctx.rollout.routing
    if routing is None:
        return
    managed = [as_text(as_map(route).get("name")) for route in as_list(routing.get("managedRoutes"))]
    for kind in _ROUTES:
        for path, route in _steps_with(ctx, kind):
            if as_text(route.get("name")) not in managed:
                message = f"`{route.get('name')}` is not in `trafficRouting.managedRoutes`"
                yield Problem((*path, "name"), message)


@invalid_rollout(
    "ROL149",
    "the router cannot send traffic to an experiment",
    remedy="Remove the weight, or use Istio, ALB, SMI or a plugin.",
    example="""\
spec:
  strategy:
    canary:
      steps: [{experiment: {templates: [{name: trial, specRef: canary, weight: 5}]}}]
      trafficRouting: {traefik: {weightedTraefikServiceName: model}}
""",
    instead="""\
spec:
  strategy:
    canary:
      steps: [{experiment: {templates: [{name: trial, specRef: canary}]}}]
      trafficRouting: {traefik: {weightedTraefikServiceName: model}}
""",
)
def refused_experiment_weight(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that the controller accepts the weight of an experiment with one of the routers."""
    why = refusal(ctx, "experiment_weight")
    for path, experiment in _steps_with(ctx, "experiment") if why else ():
        for at, template in each(experiment.get("templates"), (*path, "templates")):
            if has(template, "weight"):
                yield Problem((*at, "weight"), f"an experiment cannot have a weight: {why}")


@invalid_rollout(
    "ROL151",
    "an argument refers to metadata that does not exist",
    because="The controller resolves a few fields of the Rollout's metadata only.",
    remedy="Use metadata.name, .namespace, .uid, .labels['x'] or .annotations['x'].",
    example="""\
spec:
  strategy:
    canary:
      steps:
        - {setWeight: 50}
        - analysis:
            templates: [{templateName: quality}]
            args: [{name: hash, valueFrom: {fieldRef: {fieldPath: metadata.generation}}}]
""",
    instead="""\
spec:
  strategy:
    canary:
      steps:
        - {setWeight: 50}
        - analysis:
            templates: [{templateName: quality}]
            args: [{name: hash, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}]
""",
)
def unknown_metadata(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that the metadata of step arguments can be resolved; the background run does so when it starts."""
    for use in ctx.rollout.uses if ctx.rollout.is_canary else ():
        if use.moment in {"step", "experiment"}:
            yield from _unresolved(use)


def metadata_resolves(use: Use) -> bool:
    """Return whether the controller can resolve all metadata of a use; otherwise it passes no argument."""
    return not any(True for _ in _unresolved(use))


def _unresolved(use: Use) -> Iterator[Problem]:
    for at, arg in each(use.body.get("args"), (*use.path, "args")):
        field = as_text(as_map(as_map(arg.get("valueFrom")).get("fieldRef")).get("fieldPath"))
        if field.startswith("metadata") and not _resolves(field):
            yield Problem((*at, "valueFrom", "fieldRef", "fieldPath"), f"`{field}` cannot be resolved")


def _resolves(field: str) -> bool:
    if match := _SUBSCRIPT.fullmatch(field):
        return is_qualified_name(match[2].lower() if match[1] == "metadata.annotations" else match[2])
    return field in _PLAIN_FIELDS
