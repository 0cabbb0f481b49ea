"""The jobs of both hosts, and what they are given."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.request import Request, urlopen

import yaml

from tests.ci.demo import Demo, git, sha256
from tests.ci.runner import Ran, Runner

CHECK, IMAGES = ".github/workflows/sluice.yml", ".github/workflows/sluice-images.yml"
IMAGE = ".github/workflows/sluice-image.yml"
REVERT = ".github/workflows/sluice-revert.yml"
MODEL, HEAD = "support/ticket-classifier", "sluice/image-support-ticket-classifier"


def good(ran: list[Ran]) -> None:
    for step in ran:
        assert step.code == 0, f"{step.name}:\n{step.output}"


def runner(demo: Demo, scratch: Path, given: dict[str, str] | None = None, **variables: str) -> Runner:
    return Runner(demo.root, scratch, given or {}, {"GITHUB_REPOSITORY": "acme/models", **variables})


def pushed(image: str) -> str:
    """The digest of an image in the registry, as the registry's own bytes give it."""
    host, _, rest = image.partition("/")
    name, _, tag = rest.rpartition(":")
    kinds = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"
    request = Request(f"http://{host}/v2/{name}/manifests/{tag}", headers={"Accept": kinds})
    with urlopen(request, timeout=60) as answer:
        return "sha256:" + sha256(answer.read())


def built(found: Runner, item: dict[str, str]) -> None:
    """Run the jobs that build and push one image on GitHub, each on its own machine."""
    before = found.given
    found.given = {**before, **{f"inputs.{key}": value for key, value in item.items()}}
    for name in ("fetch", "build", "push"):
        good(found.alone(IMAGE, name))
    found.given = before


def built_on_gitlab(demo: Demo, found: Runner, model: str) -> None:
    """Run the jobs that build and push one image on GitLab, each on its own machine."""
    document = yaml.safe_load((demo.root / "images.yml").read_text())
    for stage in document["stages"]:
        good(found.gitlab_alone(document, f"{stage} {model.replace('/', '.')}"))


def proposed(demo: Demo, digest: str) -> None:
    """What was pushed: the lock with the digest, its comment kept, rendered with it, ready to merge."""
    assert (
        git(demo.remote, "diff", "--name-only", "main", HEAD).splitlines()[-1] == f"specs/{MODEL}.lock.yaml"
    )
    lock = git(demo.remote, "show", f"{HEAD}:specs/{MODEL}.lock.yaml")
    assert lock.startswith("# Ours.\n")
    assert yaml.safe_load(lock)["image"]["digest"] == digest
    rollout = git(demo.remote, "show", f"{HEAD}:rendered/production/{MODEL}/rollout-main.yaml")
    assert f"ticket-classifier@{digest}" in rollout
    demo.git("fetch", "--quiet", "origin", HEAD)
    demo.git("checkout", "--quiet", "--detach", "FETCH_HEAD")
    demo.sluice("render", "--check")
    assert json.loads(demo.sluice("ci", "images", "--format", "json")) == []


def pushes(demo: Demo) -> dict[str, str]:
    """A stand-in for GitLab: the bare repository next to the clone."""
    return {
        "GITLAB_CI": "true",
        "SLUICE_TOKEN": "t",
        "CI_REPOSITORY_URL": "https://gitlab-ci-token:x@gitlab.example.com/acme/models.git",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{demo.remote}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://oauth2:t@gitlab.example.com/acme/models.git",
    }
