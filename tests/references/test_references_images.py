"""`sluice pin --platform`: base images, gate images and images of CI by digest, from a real registry."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from generator.pipeline.pins import _platform_images
from generator.pipeline.session import open_session
from tests.references.registry import Registry, serving
from tests.references.sandbox import Sandbox

DRIFT = "{name: drift, drift: {reference: a.csv, current: b.csv, features: [x]}, tool: ks, atMost: 0.1}"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry on this machine."""
    with serving(tmp_path_factory.mktemp("registry")) as host:
        yield Registry(host)


@pytest.fixture
def gated(sandbox: Sandbox, registry: Registry, tmp_path: Path) -> Sandbox:
    """A model whose gate runs in the cluster, and a platform with a registry that answers."""
    store = tmp_path / "store/models/ranker/7"
    store.mkdir(parents=True)
    (store / "model.yaml").write_text("name: ranker\n")
    (sandbox.root / "a.csv").write_text("x\n1\n")
    (sandbox.root / "b.csv").write_text("x\n2\n")
    platform = sandbox.root / "specs/platform.yaml"
    text = platform.read_text().replace("registry.example.com/models", f"{registry.host}/models")
    text = text.replace("    standard:\n", "    standard:\n      evidence: [cluster]\n")
    text = re.sub(r"(?m)^      models: .*\n", "", text)
    text = re.sub(r"(?m)^  waivers:\n(?:   .*\n|  -.*\n)+", "", text)
    platform.write_text(f"{text}  images:\n    base: {registry.host}/base/python:3.11  # ours\n")
    sandbox.ask("bentoml:ranker:7", gates=DRIFT)
    sandbox.pinned(BENTOML_HOME=str(tmp_path / "store"))
    return sandbox


def published(gated: Sandbox, registry: Registry, content: bytes = b"an image") -> dict[str, str]:
    """Every image that the platform names, pushed; its digest by name and tag."""
    found = {}
    for reference in _platform_images(open_session(gated.root)):
        host, _, rest = reference.partition("/")
        name, _, tag = rest.rpartition(":")
        assert host == registry.host
        found[reference] = registry.push(name, tag, content + reference.encode())
    return found


def rendered(gated: Sandbox) -> str:
    """All rendered files in one text."""
    done = gated._run("render")
    assert done.exit_code == 0, done.output
    folders = os.walk(gated.root / "rendered")
    return "\n".join(Path(folder, file).read_text() for folder, _, files in folders for file in sorted(files))


def test_images_are_rendered_by_the_digests_that_the_registry_has(gated: Sandbox, registry: Registry) -> None:
    digests = published(gated, registry)
    assert len(digests) == 3  # the base, the image of the tool, the image of the verdict
    for reference in digests:
        assert f"{reference}@" not in rendered(gated)
    done = gated.pin("--platform")
    assert done.exit_code == 0, done.output
    # The base is part of the gate images' build files, so their tags change once.
    digests = published(gated, registry)
    assert gated.pin("--platform").exit_code == 0
    text = (gated.root / "specs/platform.yaml").read_text()
    assert yaml.safe_load(text)["spec"]["images"]["digests"] == digests
    assert "# ours" in text
    everything = rendered(gated)
    base = f"{registry.host}/base/python:3.11"
    assert f"FROM {base}@{digests[base]}" in everything
    assert f'base_image: "{base}@{digests[base]}"' in everything
    for reference in digests.keys() - {base}:
        assert f'image: "{reference}@{digests[reference]}"' in everything
        assert f'image: "{reference}"' not in everything
    assert gated.pin("--platform", "--check").exit_code == 0


def test_a_tag_that_moved_is_found(gated: Sandbox, registry: Registry) -> None:
    published(gated, registry)
    assert gated.pin("--platform").exit_code == 0
    published(gated, registry)
    assert gated.pin("--platform").exit_code == 0
    published(gated, registry, b"another image")
    moved = gated.pin("--platform", "--check")
    assert moved.exit_code == 1
    assert "PIN201" in moved.output
    assert "3 images have other digests" in moved.output


def test_an_image_that_is_not_there_changes_nothing(gated: Sandbox, registry: Registry) -> None:
    platform = gated.root / "specs/platform.yaml"
    platform.write_text(platform.read_text().replace("/base/python:3.11", "/base/none:1"))
    before = platform.read_text()
    done = gated.pin("--platform")
    assert done.exit_code == 1
    assert "PIN104" in done.output
    assert platform.read_text() == before


def test_a_digest_of_another_tag_is_not_used(gated: Sandbox, registry: Registry) -> None:
    """The build files of an image changed: its new tag has no digest yet, and the old digest is not it."""
    digests = published(gated, registry)
    platform = gated.root / "specs/platform.yaml"
    document = yaml.safe_load(platform.read_text())
    document["spec"]["images"]["digests"] = {f"{reference}0": digest for reference, digest in digests.items()}
    platform.write_text(yaml.safe_dump(document, sort_keys=False).replace("daily: 04:30", 'daily: "04:30"'))
    everything = rendered(gated)
    assert not [digest for digest in digests.values() if digest in everything]


def test_jobs_of_gitlab_run_in_images_by_digest(gated: Sandbox) -> None:
    names = [f"docker.io/library/python:{version}-slim" for version in ("3.11", "3.13")]
    names.append("docker.io/library/docker:28-dind")
    digests = {name: f"sha256:{number:064x}" for number, name in enumerate(names)}
    platform = gated.root / "specs/platform.yaml"
    rows = "".join(f'      "{name}": {digest}\n' for name, digest in digests.items())
    platform.write_text(f"{platform.read_text()}    digests:\n{rows}")
    assert gated._run("render").exit_code == 0
    assert gated._run("ci", "gitlab").exit_code == 0
    files = (gated.root / ".gitlab-ci.yml").read_text() + gated._run(
        "ci", "images", "--format", "gitlab"
    ).stdout
    for name, digest in digests.items():
        assert f'"{name}@{digest}"' in files
        assert f'"{name}"' not in files
    assert set(names) < set(_platform_images(open_session(gated.root)))
