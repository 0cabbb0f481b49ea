"""An image is built, pushed, and its digest proposed, script by script; see `runner.py` for its stand-ins."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from tests.ci.conftest import with_model
from tests.ci.demo import Demo, git
from tests.ci.jobs import HEAD, IMAGE, IMAGES, MODEL, built, built_on_gitlab, good, proposed, pushed, pushes
from tests.ci.runner import Runner
from tests.references.registry import Registry


def test_an_image_is_built_pushed_and_its_digest_proposed(demo: Demo, scratch: Path, imaged: Runner) -> None:
    good(imaged.job(IMAGES, "list"))
    models = imaged.output("models")
    (item,) = json.loads(models)
    assert item["model"] == MODEL
    image = (demo.root / f"rendered/bentos/{MODEL}/IMAGE").read_text().strip()
    imaged.given = {**imaged.given, "needs.list.outputs.models": models}
    built(imaged, item)
    (context,) = scratch.glob("machines/*build/temp/context")
    assert (context / "env" / "docker" / "Dockerfile").exists()
    assert (context / "src" / "service.py").exists()
    rendered = demo.root / f"rendered/bentos/{MODEL}/requirements.txt"
    assert (context / "env/python/requirements.txt").read_text() == rendered.read_text()
    dockerfile = context.with_name("Dockerfile").read_text()
    installs = [line for line in dockerfile.splitlines() if "pip install" in line]
    assert len(installs) == 2
    assert "pip install --require-hashes --requirement ./env/docker/uv.txt" in installs[0]
    assert installs[1].endswith("pip install -r $BENTO_PATH/env/python/requirements.txt")
    digest = pushed(image)
    attested = {"subject-digest": digest, "subject-name": image.rpartition(":")[0]}
    assert f"actions/attest-build-provenance {json.dumps(attested)}" in imaged.calls
    (described,) = [call for call in imaged.calls if call.startswith("actions/attest {")]
    attested_packages = json.loads(described.partition(" ")[2])
    assert attested.items() < attested_packages.items()
    sbom = json.loads(Path(attested_packages["sbom-path"]).read_text())
    assert (sbom["bomFormat"], sbom["metadata"]["component"]["version"]) == ("CycloneDX", digest)
    named = {(item["name"], item["version"]) for item in sbom["components"]}
    pinned = (demo.root / f"rendered/bentos/{MODEL}/requirements.txt").read_text().splitlines()
    assert named == {tuple(line.split("==")) for line in pinned}
    good(imaged.job(IMAGES, "digests"))
    title = f"Digest of the image of {MODEL}"
    create = f"gh pr create --head {HEAD} --base main --title {title} --body-file {scratch}/body.md"
    assert [call for call in imaged.calls if call.startswith("gh pr create")] == [create]
    proposed(demo, digest)


def test_bytes_that_are_not_those_of_the_lock_become_no_image(
    demo: Demo, scratch: Path, imaged: Runner
) -> None:
    (scratch / "s3/models/ticket/7.pkl").write_bytes(b"other bytes")
    model = yaml.safe_load((demo.root / f"specs/{MODEL}.lock.yaml").read_text())["model"]
    resolved, digest = model["resolved"], model["digest"]
    item = {"model": MODEL, "resolved": resolved, "digest": digest, "python": "3.11", "indexes": ""}
    imaged.given = {**imaged.given, **{f"inputs.{key}": value for key, value in item.items()}}
    ran = imaged.alone(IMAGE, "fetch")
    assert ran[-1].name == "Fetch"
    assert ran[-1].code == 1
    assert f"the lock pins {digest}" in ran[-1].output
    assert imaged.artifacts == {}


def test_a_model_that_cannot_start_becomes_no_image(demo: Demo, scratch: Path, registry: Registry) -> None:
    found = with_model(demo, registry, scratch, b"not a pickle")
    good(found.job(IMAGES, "list"))
    (item,) = json.loads(found.output("models"))
    found.given = {**found.given, **{f"inputs.{key}": value for key, value in item.items()}}
    good(found.alone(IMAGE, "fetch"))
    ran = found.alone(IMAGE, "build")
    assert (ran[-1].name, ran[-1].code) == ("Build", 1)
    assert "error (start)" in ran[-1].output
    assert "`model.framework` does not fit the files of the model" in ran[-1].output
    assert not [call for call in found.calls if call.startswith("docker")]


def test_a_tag_that_the_registry_does_not_hold_is_told(imaged: Runner) -> None:
    document = yaml.safe_load((imaged.checkout / "specs/platform.yaml").read_text())
    assert document["spec"]["registry"].endswith("/models")
    imaged.given = {
        **imaged.given,
        "needs.list.outputs.models": json.dumps([{"model": "support/ticket-classifier"}]),
    }
    (imaged.checkout / "specs/platform.yaml").write_text(
        (imaged.checkout / "specs/platform.yaml").read_text().replace("/models\n", "/elsewhere\n", 1)
    )
    git(imaged.checkout, "commit", "--quiet", "--all", "--message", "Another registry")
    ran = imaged.job(IMAGES, "digests")
    assert ran[-1].code == 1
    assert "PIN104" in ran[-1].output


def test_gitlab_builds_pushes_and_proposes(demo: Demo, scratch: Path, imaged: Runner) -> None:
    imaged.variables = {**imaged.variables, **pushes(demo)}
    git(demo.remote, "config", "receive.advertisePushOptions", "true")
    hook = demo.remote / "hooks" / "pre-receive"
    hook.write_text(f'#!/bin/sh\nenv | grep ^GIT_PUSH_OPTION > "{scratch}/options"\n')
    hook.chmod(0o755)
    good(imaged.gitlab("images"))
    built_on_gitlab(demo, imaged, MODEL)
    good(imaged.gitlab("digests"))
    proposed(demo, pushed((demo.root / f"rendered/bentos/{MODEL}/IMAGE").read_text().strip()))
    options = (scratch / "options").read_text()
    assert "merge_request.create" in options
    assert "merge_request.target=main" in options
