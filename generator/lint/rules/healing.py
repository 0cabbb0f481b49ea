"""Rules on an Application that sets back what a Rollout writes into a route while it moves traffic."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from generator.lint.engine import Problem, rule
from generator.lint.objects import Object, as_list, as_map, as_text, each, has
from generator.lint.rollout import Rollout
from generator.lint.rules.contexts import SyncContext
from generator.source.document import Path

_WEIGHTS: Final = {
    "VirtualService": ".spec.http[].route[].weight",
    "HTTPRoute": ".spec.rules[].backendRefs[].weight",
    "GRPCRoute": ".spec.rules[].backendRefs[].weight",
    "TCPRoute": ".spec.rules[].backendRefs[].weight",
    "TLSRoute": ".spec.rules[].backendRefs[].weight",
    "TraefikService": ".spec.weighted.services[].weight",
}
"""Expression of the weights that a Rollout writes, by the kind of the route; Sluice renders the same."""

_NAMED: Final = re.compile(r"\.name\s*==\s*\"([^\"]+)\"")
_LABEL_FIRST: Final = re.compile(r"\.metadata\.labels|rollouts\.argoproj\.io/gatewayapi-canary")
_APPLICATION: Final = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: model, namespace: argocd}}
spec:
  source: {{path: shop/model}}
  syncPolicy: {{automated: {{selfHeal: true}}}}
  ignoreDifferences:
    - {{group: {group}, kind: HTTPRoute, jqPathExpressions: [{expressions}]}}
"""
_HEADER: Final = """\
spec:
  strategy:
    canary:
      trafficRouting:
        managedRoutes: [{name: staff}]
        plugins: {argoproj-labs/gatewayAPI: {httpRoute: model, namespace: shop}}
      steps:
        - setWeight: 5
        - setHeaderRoute: {name: staff, match: [{headerName: x-staff, headerValue: {exact: "1"}}]}
        - pause: {}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: model, namespace: shop}
spec:
  rules:
    - backendRefs: [{name: model-stable, port: 80}, {name: model-canary, port: 80}]
    - backendRefs: [{name: model-stable, port: 80}, {name: model-canary, port: 80}]
---
"""
_WEIGHT: Final = "'.spec.rules[].backendRefs[].weight'"
_GATEWAY: Final = "gateway.networking.k8s.io"


def _example(*expressions: str, group: str = _GATEWAY) -> str:
    return _APPLICATION.format(group=group, expressions=", ".join(expressions))


@rule(
    "SYN605",
    "error",
    "self-healing sets back the weights of a Rollout",
    scope=SyncContext,
    why="The controller writes the weights into the route, and Argo CD restores those of git as often: the canary gets "
    "its share for moments only, or none.",
    remedy="Ignore the weights of the route in `ignoreDifferences`, or leave `selfHeal` out.",
    example=_example(_WEIGHT, group="example.com"),
    instead=_example(_WEIGHT),
    source="argoproj/argo-rollouts#849, #3854; our own tests on a real cluster, Argo CD 3.6",
)
def weights_healed(ctx: SyncContext) -> Iterator[Problem]:
    """Check that an Application that heals itself ignores the weights of every route that a Rollout of it moves."""
    if not _heals(ctx):
        return
    for _, route in _moved_routes(ctx):
        if not any(map(_is_weight, _expressions(ctx, route))):
            message = f"every change of the weights of {route} is set back to git"
            hint = (
                f"add to ignoreDifferences: {{group: {route.group}, kind: {route.kind}, "
                f'jqPathExpressions: ["{_WEIGHTS[route.kind]}"]}}'
            )
            yield Problem((*ctx.path, "syncPolicy", "automated", "selfHeal"), message, hint)


@rule(
    "SYN606",
    "error",
    "self-healing removes rules of a header route",
    scope=SyncContext,
    why="The Gateway API plugin writes one rule per rule of the route: `x`, `x-1` and so on. Of a list of rules that "
    "differs, Argo CD restores all: the header route is gone as long as its step.",
    remedy="Ignore every rule whose name begins with the name of the header route.",
    example=_HEADER + _example(_WEIGHT, "'.spec.rules[] | select(.name == \"staff\")'"),
    instead=_HEADER + _example(_WEIGHT, '\'.spec.rules[] | select(.name // "" | startswith("staff"))\''),
    source="Gateway API plugin 0.15, pkg/plugin/httproute.go, setHTTPHeaderRoute; its issues 207, 208, 190",
)
def header_rules_healed(ctx: SyncContext) -> Iterator[Problem]:
    """Check that an Application that heals itself ignores every rule that the plugin writes for a header route."""
    if not _heals(ctx):
        return
    for rollout, route in _moved_routes(ctx):
        if route.kind not in ("HTTPRoute", "GRPCRoute"):
            continue
        for name in _header_routes(rollout):
            if any(_ignores_rules(text, name, route) for text in _expressions(ctx, route)):
                continue
            path: Path = (*ctx.path, "syncPolicy", "automated", "selfHeal")
            message = f"the rules that the header route `{name}` adds to {route} are removed"
            hint = (
                f"""ignore '.spec.rules[] | select(.name // "" | startswith("{name}"))' of the {route.kind}"""
            )
            yield Problem(path, message, hint)


@rule(
    "SYN607",
    "warning",
    "an ignored difference is read from one side only",
    scope=SyncContext,
    why="Argo CD applies an expression to git's object and to the live one. A label that only the live object has "
    "takes the rules out of one side, so the Application is OutOfSync while a canary runs.",
    remedy="Select by what both objects have, such as the name of the rule.",
    example=_example(_WEIGHT, '\'select(.metadata.labels["canary"] == "yes") | .spec.rules\''),
    instead=_example(_WEIGHT, '\'.spec.rules[] | select(.name // "" | startswith("staff"))\''),
    source="Argo CD 3.6, util/argo/normalizers/diff_normalizer.go",
)
def one_sided(ctx: SyncContext) -> Iterator[Problem]:
    """Check that no ignored expression on a route depends on a label that git's object lacks."""
    kinds = {item.kind: item for item in ctx.synced}
    for path, entry in ctx.ignored:
        kind = as_text(entry.get("kind"))
        for number, text in enumerate(as_list(entry.get("jqPathExpressions"))):
            found = _LABEL_FIRST.search(as_text(text)) if kind in _WEIGHTS else None
            if found and (kind not in kinds or not any(key in as_text(text) for key in kinds[kind].labels)):
                message = "the expression depends on a label that only the live object has"
                yield Problem((*path, "jqPathExpressions", number), message)


def _heals(ctx: SyncContext) -> bool:
    automated = as_map(as_map(ctx.spec.get("syncPolicy")).get("automated"))
    return automated.get("selfHeal") is True and automated.get("enabled") is not False


def _moved_routes(ctx: SyncContext) -> Iterator[tuple[Rollout, Object]]:
    """Yield the routes of the Application whose weights a Rollout writes, with the Rollout."""
    synced = set(ctx.synced)
    for item in ctx.objects.of_kind("Rollout"):
        rollout = Rollout(item)
        near = ctx.objects.near(item)
        if not any(has(step, "setWeight") or has(step, "setHeaderRoute") for _, step in rollout.steps):
            continue
        for reference in rollout.references:
            if reference.kind in _WEIGHTS:
                route = near.find(reference.kind, reference.namespace, reference.name)
                if route is not None and route in synced:
                    yield rollout, route


def _header_routes(rollout: Rollout) -> list[str]:
    found = (as_text(as_map(step.get("setHeaderRoute")).get("name")) for _, step in rollout.steps)
    return list(dict.fromkeys(name for name in found if name))


def _expressions(ctx: SyncContext, route: Object) -> list[str]:
    """Return the expressions and pointers of `ignoreDifferences` for a route; a manager may own all fields."""
    found: list[str] = []
    for _, entry in ctx.ignored:
        if (
            as_text(entry.get("group")) in (route.group, "*")
            and as_text(entry.get("kind")) in (route.kind, "*")
            and as_text(entry.get("name")) in ("", route.name)
            and as_text(entry.get("namespace")) in ("", route.namespace)
        ):
            found += map(as_text, as_list(entry.get("jqPathExpressions")))
            found += map(as_text, as_list(entry.get("jsonPointers")))
            found += ["/spec"] * bool(as_list(entry.get("managedFieldsManagers")))
    return found


def _last(text: str) -> str:
    """Return what an expression takes out, with dots: its last part, or the pointer."""
    return text.rpartition("|")[2].strip().strip("/").replace("/", ".").lstrip(".")


def _is_weight(text: str) -> bool:
    """Return whether an expression takes out the weights, or a list or object around them."""
    plain = _last(text)
    whole = {
        "spec",
        "spec.http",
        "spec.rules",
        "spec.weighted",
        "spec.weighted.services",
        "spec.tcp",
        "spec.tls",
    }
    return "weight" in plain.rpartition(".")[2] or "backendRefs" in plain or plain.removesuffix("[]") in whole


def _ignores_rules(text: str, name: str, route: Object) -> bool:
    """Return whether an expression takes out every rule that the plugin writes for a header route."""
    if _last(text).removesuffix("[]") in ("spec", "spec.rules"):
        return True
    if "startswith" in text or "test(" in text or "match(" in text:
        return any(word and name.startswith(word) for word in re.findall(r"\"\^?([\w-]+)", text))
    exact = set(_NAMED.findall(text))
    rules = [
        f"{name}-{number}" if number else name for number, _ in enumerate(each(route.spec.get("rules"), ()))
    ]
    return "select" in text and set(rules) <= exact
