"""Objects follow the declared Kubernetes version: each is valid by the definitions of that release."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import ryaml

from generator.lint.kinds import KINDS, check
from generator.plan.repository import Repository
from generator.plan.resolve import no_digest, resolve
from generator.render.bundle import render_bundle
from generator.render.environment import Templates
from generator.render.platform import render_team
from tests import golden

RELEASES = ("1.27", "1.28", "1.29", "1.30", "1.34", "1.36", "1.37")
KNOWN = tuple(KINDS["v1", "Pod"].roots)


@cache
def objects(release: str, folder: Path) -> list[dict[str, Any]]:
    """Every object of some golden cases under a release of Kubernetes, pod templates as Pods."""
    found: list[dict[str, Any]] = []
    for case in ("whole", "bluegreen-gateway-api", "observed"):
        root = folder / f"{case}-{release}"
        shutil.copytree(golden.CASES / case / "specs", root / "specs")
        platform = root / "specs/platform.yaml"
        text = re.sub(r"\n  controllers:[^\n]*", "", platform.read_text())
        platform.write_text(
            text.replace("\nspec:\n", f'\nspec:\n  controllers: {{kubernetes: "{release}"}}\n', 1)
        )
        repository = Repository(root)
        assert repository.platform is not None, repository.findings
        files: dict[str, str] = {}
        for entry in repository.entries:
            for planned in resolve(repository, entry, no_digest).plans:
                files |= render_bundle(planned.plan, Templates(), {})
                files |= render_team(
                    repository.platform, planned.plan.identity.environment, entry.team, Templates()
                )
        parsed = [ryaml.loads(text) for name, text in files.items() if name.endswith(".yaml")]
        found += [*parsed, *(pod for item in parsed for pod in _pods(item))]
    return found


def _pods(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The pod template of a workload, as a Pod."""
    template = item.get("spec", {}).get("template")
    if isinstance(template, dict) and "containers" in template.get("spec", {}):
        yield {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": template["spec"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("versions")


@pytest.mark.parametrize("release", RELEASES)
def test_every_object_is_valid_in_the_declared_release(release, folder):
    found = objects(release, folder)
    assert sum(item["kind"] == "Pod" for item in found) >= 3
    for item in found:
        assert check(item, {"kubernetes": release}) == [], (item["kind"], item["metadata"]["name"])


def test_a_field_of_a_later_release_is_seen(folder):
    """The test above can fail: `sleep` is not a field of 1.28."""
    (pod, *_) = [item for item in objects("1.36", folder) if item["kind"] == "Pod"]
    assert "1.28" in KNOWN
    assert [mistake.path[-1] for mistake in check(pod, {"kubernetes": "1.28"})] == ["sleep"]


@pytest.mark.parametrize(
    ("release", "handler"), [("1.28", "exec"), ("1.29", "exec"), ("1.30", "sleep"), ("1.36", "sleep")]
)
def test_pods_wait_before_they_end_in_every_release(release, handler, folder):
    for pod in (item for item in objects(release, folder) if item["kind"] == "Pod"):
        (container,) = pod["spec"]["containers"]
        (name,) = container["lifecycle"]["preStop"]
        assert name == handler
        seconds = re.findall(r"\d+", str(container["lifecycle"]["preStop"][name]))
        assert "10" in seconds


def test_every_container_has_bounded_local_storage(folder):
    for item in objects("1.36", folder):
        for container in _containers(item):
            limits = container["resources"]["limits"]
            assert "ephemeral-storage" in limits, item["metadata"]["name"]
            assert "ephemeral-storage" in container["resources"]["requests"]


def _containers(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "containers":
                yield from item
            elif key == "container" and isinstance(item, dict):
                yield item
            else:
                yield from _containers(item)
    elif isinstance(value, list):
        for item in value:
            yield from _containers(item)
