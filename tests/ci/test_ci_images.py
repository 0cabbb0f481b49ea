"""An image is built, pushed, and its digest proposed, script by script; see `runner.py` for its stand-ins."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from tests.ci.demo import Demo, git
from tests.ci.jobs import HEAD, IMAGES, MODEL, good, proposed, pushes
from tests.ci.runner import Runner


def test_an_image_is_built_pushed_and_its_digest_proposed(demo: Demo, scratch: Path, imaged: Runner) -> None:
    good(imaged.job(IMAGES, "list"))
    models = imaged.output("models")
    (item,) = json.loads(models)
    assert item["model"] == MODEL
    image = (demo.root / f"rendered/bentos/{MODEL}/IMAGE").read_text().strip()
    given = {
        **imaged.given,
        "matrix.image.model": item["model"],
        "matrix.image.resolved": item["resolved"],
        "needs.list.outputs.models": models,
    }
    imaged.given = given
    good(imaged.job(IMAGES, "build"))
    assert (scratch / "context" / "env" / "docker" / "Dockerfile").exists()
    assert (scratch / "context" / "src" / "service.py").exists()
    assert f"docker push {image}" in imaged.calls
    assert (scratch / "password").read_text() == "word"
    good(imaged.job(IMAGES, "digests"))
    title = f"Digest of the image of {MODEL}"
    create = f"gh pr create --head {HEAD} --base main --title {title} --body-file {scratch}/body.md"
    assert [call for call in imaged.calls if call.startswith("gh pr create")] == [create]
    proposed(demo, scratch)


def test_bytes_that_are_not_those_of_the_lock_become_no_image(
    demo: Demo, scratch: Path, imaged: Runner
) -> None:
    (scratch / "s3/models/ticket/7.pkl").write_bytes(b"other bytes")
    resolved = yaml.safe_load((demo.root / f"specs/{MODEL}.lock.yaml").read_text())["model"]["resolved"]
    imaged.given = {**imaged.given, "matrix.image.model": MODEL, "matrix.image.resolved": resolved}
    ran = imaged.job(IMAGES, "build")
    assert ran[-1].name == "Fetch and build"
    assert ran[-1].code == 1
    assert "the lock pins" in ran[-1].output
    assert not [call for call in imaged.calls if call.startswith("docker")]


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
    # The same script was run for real in the test above.
    (demo.root / "ci" / "build-image.sh").write_text('echo "built $1 from $2" >> "$STANDIN_CALLS"\n')
    good(imaged.gitlab("images"))
    built = next(call for call in imaged.calls if call.startswith("built "))
    assert built.startswith(f"built {MODEL} from s3://models/ticket/7.pkl#sha256=")
    proposed(demo, scratch)
    options = (scratch / "options").read_text()
    assert "merge_request.create" in options
    assert "merge_request.target=main" in options
