"""The example specs under every router: what the API server must accept."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import yaml

from generator.plan.repository import Repository
from generator.plan.resolve import resolve
from generator.render.argocd import render_application, render_platform_application, render_project
from generator.render.bento import Bentos
from generator.render.bundle import render_bundle
from generator.render.platform import render_team
from tests.cluster.repository import templates

ROUTERS: dict[str, dict[str, object]] = {
    "gateway-api": {
        "kind": "gateway-api",
        "gateway": "public",
        "namespace": "gateways",
        "implementation": "envoy-gateway",
    },
    "istio": {"kind": "istio", "gateway": "public", "namespace": "gateways"},
    "traefik": {"kind": "traefik", "namespace": "traefik"},
    "none": {"kind": "none"},
}
_KEDA = {"kind": "keda", "min": 2, "max": 6, "rpsPerPod": 50}


def write(root: Path, examples: Path, router: str) -> Repository:
    """A copy of the example repository whose environments use this router.

    In `staging` the regulated model scales by requests, so that this autoscaler is rendered, too.
    """
    shutil.copytree(examples, root / "specs")
    file = root / "specs" / "platform.yaml"
    platform = yaml.safe_load(file.read_text())
    for environment in platform["spec"]["environments"].values():
        environment["router"] = ROUTERS[router]
    file.write_text(json.dumps(platform, default=str))
    for spec in (root / "specs").glob("*/*.yaml"):
        if not spec.name.endswith(".lock.yaml"):
            _adapt(spec, router)
    return Repository(root)


def _adapt(spec: Path, router: str) -> None:
    model = yaml.safe_load(spec.read_text())
    rollout = model["spec"]["rollout"]
    if router == "none":
        rollout.pop("shadow", None)  # only routers copy requests
    if model["spec"]["tier"] == "regulated":  # no autoscaler among its defaults, which would be merged in
        model["spec"]["environments"] = {"staging": {"autoscaling": _KEDA}}
    spec.write_text(json.dumps(model, default=str))


def rendered(repository: Repository) -> Iterator[tuple[str, str]]:
    """Path and text of every rendered object: bundles, Argo CD's objects, the platform's."""
    platform = repository.platform
    assert platform is not None, repository.findings
    digest = Bentos(templates()).digest
    for entry in repository.entries:
        resolved = resolve(repository, entry, digest)
        assert not resolved.findings, [(f.place, f.message, f.hint) for f in resolved.findings]
        for planned in resolved.plans:
            plan = planned.plan
            files = {**render_bundle(plan, templates(), {}), **render_application(plan, templates())}
            objects = {name: text for name, text in files.items() if name.endswith(".yaml")}
            yield from ((f"{plan.identity.path}/{name}", text) for name, text in objects.items())
    for environment in platform.environments:
        parts = {f"{environment}/platform": render_platform_application(platform, environment, templates())}
        for team in platform.teams:
            parts[f"{environment}/{team}"] = {
                **render_project(platform, environment, team, templates()),
                **render_team(platform, environment, team, templates()),
            }
        for folder, files in parts.items():
            yield from ((f"{folder}/{name}", text) for name, text in files.items())
