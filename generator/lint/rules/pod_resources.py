"""Rules on what the containers of a pod request and may use."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from generator.lint.engine import Problem, rule
from generator.lint.objects import Body, as_map
from generator.lint.pods import containers, templates_of
from generator.lint.rules.contexts import TreeContext
from generator.source.document import Path
from generator.source.quantity import parse_quantity


@rule(
    "VER130",
    "error",
    "a container requests more of a resource than its limit",
    scope=TreeContext,
    why="The API server refuses the pods.",
    remedy="Lower the request, or raise the limit.",
    example="""\
apiVersion: v1
kind: Pod
metadata: {name: check, namespace: shop}
spec: {containers: [{name: check, image: "check:1", resources: {requests: {cpu: 2}, limits: {cpu: 1}}}]}
""",
    instead="""\
apiVersion: v1
kind: Pod
metadata: {name: check, namespace: shop}
spec: {containers: [{name: check, image: "check:1", resources: {requests: {cpu: 1}, limits: {cpu: 2}}}]}
""",
    source="Kubernetes 1.36, pkg/apis/core/validation/validation.go",
)
def request_above_limit(ctx: TreeContext) -> Iterator[Problem]:
    """Check that no request is above its limit, in every pod template of the tree."""
    for item in ctx.objects.all:
        for path, template in templates_of(item):
            for at, container in containers(template, path):
                for name, request, limit in _above_limits(as_map(container.get("resources"))):
                    message = f"{item} requests {request} of {name} but is limited to {limit}"
                    yield Problem((*at, "resources", "requests", name), message, document=item)


def resource_problems(container: Body, path: Path) -> Iterator[Problem]:
    """Yield quantities that are invalid or negative; requests above limits are VER130 for every kind."""
    resources = as_map(container.get("resources"))
    for side in ("limits", "requests"):
        for name, value in as_map(resources.get(side)).items():
            number = parse_quantity(value)
            if number is None or number < 0:
                message = f"`{value}` is not a quantity such as 500m, 2 or 512Mi"
                yield Problem((*path, "resources", side, name), message)


def _above_limits(resources: Body) -> Iterator[tuple[str, object, object]]:
    limits = as_map(resources.get("limits"))
    for name, request in as_map(resources.get("requests")).items():
        asked, most = _amount(request), _amount(limits.get(name))
        if asked is not None and most is not None and asked > most:
            yield name, request, limits[name]


def _amount(value: object) -> Decimal | None:
    number = parse_quantity(value)
    return None if number is None or number < 0 else number
