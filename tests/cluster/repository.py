"""The repositories of the scenarios: specs, the locks of the versions under test, and what Sluice renders from them.

Every scenario has an environment, and with it namespaces, host names, an Argo CD project and its own git repository,
so that scenarios can run side by side in one cluster.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from generator.plan.repository import Repository
from generator.plan.resolve import resolve
from generator.plan.values import Plan
from generator.render.bento import Bentos
from generator.render.bundle import render_bundle
from generator.render.environment import Templates
from generator.render.platform import render_team
from generator.spec.platform import PlatformSpec
from tests.cluster import routers

SPECS = Path(__file__).with_name("specs")
ORIGINS = Path("/run/sluice")
"""The folder of the git repositories: every run has its own /run."""
LIVE = "live"
"""The environment of the platform's file."""
ADOPTED = "s21"
"""The environment whose namespaces have pods of others."""


@dataclass(frozen=True)
class Version:
    """A version of a model: its label, and the digest (hex) of its artifact."""

    label: str
    digest: str


@cache
def templates() -> Templates:
    """Our own templates."""
    return Templates(None)


def origin(environment: str) -> Path:
    """The bare git repository that Argo CD reads in a scenario's environment."""
    return ORIGINS / f"{environment}.git"


def write(
    root: Path,
    versions: Mapping[str, Version],
    changes: Mapping[str, Any] | None = None,
    environment: str = LIVE,
) -> None:
    """Write specs and locks.

    Args:
        root: the repository; locks that are there are replaced.
        versions: what the references of a model, `team/model`, resolved to; a model without one is left out.
        changes: what the specs say instead at some keys; nested mappings are merged, another strategy replaces.
        environment: of the scenario.
    """
    (root / "specs").mkdir(parents=True, exist_ok=True)
    (root / "specs" / "platform.yaml").write_text(_yaml(_platform(environment)))
    for name, version in versions.items():
        spec = root / "specs" / f"{name}.yaml"
        spec.parent.mkdir(exist_ok=True)
        model = yaml.safe_load((SPECS / f"{name}.yaml").read_text())
        _merge(model["spec"], changes or {})
        spec.write_text(_yaml(model))
        spec.with_suffix(".lock.yaml").write_text(_yaml(_lock(name, version)))


def _yaml(document: Mapping[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False)


def _platform(environment: str) -> dict[str, Any]:
    given: dict[str, Any] = yaml.safe_load((SPECS / "platform.yaml").read_text())
    spec = given["spec"]
    spec["git"]["repo"] = f"file://{origin(environment)}"
    live = spec["environments"].pop(LIVE)
    if router := routers.settings(environment):
        live["router"] = dict(router)
    spec["environments"][environment] = {**live, "domain": f"{environment}.sluice.test"}
    if environment == ADOPTED:
        spec["namespaces"] = "adopt"
    return given


def _lock(name: str, version: Version) -> dict[str, Any]:
    model = name.rpartition("/")[2]
    locked = {
        "ref": f"mlflow:{model}@champion",
        "resolved": f"mlflow:{model}/{version.label}",
        "version": version.label,
        "digest": f"sha256:{version.digest}",
        "at": "2026-11-23T00:00:00Z",
        "by": "test bed",
    }
    return {"schema": "sluice/lock/v1", "model": locked}


def _merge(into: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict) and "strategy" not in value:
            _merge(into[key], value)
        else:
            into[key] = value


def plans(root: Path) -> list[Plan]:
    """The plans of all models in all environments.

    Raises:
        AssertionError: a spec has findings.
    """
    repository = Repository(root)
    assert repository.platform is not None, repository.findings
    digest, found = Bentos(templates()).digest, []
    for entry in repository.entries:
        resolved = resolve(repository, entry, digest)
        assert not resolved.findings, [(f.place, f.message, f.hint) for f in resolved.findings]
        found += [planned.plan for planned in resolved.plans]
    return found


def plan(
    name: str, version: Version, changes: Mapping[str, Any] | None = None, environment: str = LIVE
) -> Plan:
    """The plan of one model at one version."""
    with tempfile.TemporaryDirectory() as root:
        write(Path(root), {name: version}, changes, environment)
        return plans(Path(root))[0]


@cache
def platform(environment: str) -> PlatformSpec:
    """The platform of a scenario."""
    with tempfile.TemporaryDirectory() as root:
        write(Path(root), {}, environment=environment)
        found = Repository(Path(root)).platform
    assert found is not None
    return found


def bundle(given: Plan) -> dict[str, str]:
    """The rendered files of one plan."""
    return render_bundle(given, templates(), {})


def team(given: Plan) -> dict[str, str]:
    """The rendered files of the team's namespace."""
    environment = given.identity.environment
    return render_team(platform(environment), environment, given.identity.team, templates())
