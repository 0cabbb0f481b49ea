"""The first release of a model whose tier wants its image by digest: by CI alone, from a branch to a green merge.

See `runner.py` for the stand-ins: docker, gh, aws and the conditions of jobs.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.ci.demo import Demo, git
from tests.ci.jobs import CHECK, IMAGES, MODEL, built, built_on_gitlab, good, pushed, pushes
from tests.ci.runner import Runner

NEW, BRANCH, HEAD = "support/escalation", "release/escalation-1", "sluice/image-support-escalation"
TIER = "    regulated: {requires: {imageDigest: true}, evidence: [cluster]}\n"


@pytest.fixture
def first(demo: Demo, imaged: Runner) -> Runner:
    """A branch with a new model of such a tier, as a training pipeline leaves it: spec, lock, bento; no bundle."""
    platform = demo.root / "specs/platform.yaml"
    text = platform.read_text().replace("  tiers:\n", f"  tiers:\n{TIER}")
    before, support, after = text.partition("    support:\n")
    platform.write_text(
        before + support + after.replace("tiers: [internal, standard]", "tiers: [internal, regulated]", 1)
    )
    demo.sluice("render")
    demo.commit("A tier that wants images by digest")
    demo.git("push", "--quiet", "origin", "main")
    demo.git("checkout", "--quiet", "-b", BRANCH)
    old, new = (demo.root / f"specs/{name}" for name in (MODEL, NEW))
    spec = old.with_suffix(".yaml").read_text().replace("name: ticket-classifier", "name: escalation")
    new.with_suffix(".yaml").write_text(spec.replace("tier: internal", "tier: regulated"))
    new.with_name("escalation.lock.yaml").write_text(old.with_name("ticket-classifier.lock.yaml").read_text())
    demo.sluice("render", "--bentos", NEW)
    demo.commit("escalation 1")
    demo.git("push", "--quiet", "origin", BRANCH)
    imaged.variables = {**imaged.variables, "GITHUB_REF_NAME": BRANCH, "CI_COMMIT_BRANCH": BRANCH}
    return imaged


def red(demo: Demo, first: Runner, scratch: Path) -> None:
    """Before the image is there, the checks of the branch refuse it, for this reason alone."""
    given = {"github.event.pull_request.base.sha": demo.git("rev-parse", "main")}
    ran = {step.name: step for step in Runner(demo.root, scratch, given, first.variables).job(CHECK, "check")}
    assert {name for name, step in ran.items() if step.code} == {"Rules", "Rendered files", "Images"}
    assert "TIER313" in ran["Rules"].output
    assert not (demo.root / f"rendered/production/{NEW}").exists()


def green(demo: Demo, first: Runner, scratch: Path, digest: str) -> None:
    """What CI proposed, merged into the branch, then into main: rendered by digest, and every check passes."""
    demo.git("fetch", "--quiet", "origin", HEAD)
    demo.git("checkout", "--quiet", BRANCH)
    demo.git("merge", "--quiet", "--ff-only", "FETCH_HEAD")
    assert yaml.safe_load((demo.root / f"specs/{NEW}.lock.yaml").read_text())["image"]["digest"] == digest
    for environment in ("staging", "production"):
        rollout = (demo.root / f"rendered/{environment}/{NEW}/rollout-main.yaml").read_text()
        assert f"models/{NEW}@{digest}" in rollout
    given = {"github.event.pull_request.base.sha": demo.git("rev-parse", "main")}
    good(Runner(demo.root, scratch, given, first.variables).job(CHECK, "check"))
    demo.git("checkout", "--quiet", "main")
    demo.git("merge", "--quiet", "--ff-only", BRANCH)
    demo.sluice("render", "--check")
    assert NEW not in demo.sluice("ci", "images", "--format", "json")


def test_a_regulated_model_is_released_for_the_first_time_on_github(
    demo: Demo, first: Runner, scratch: Path
) -> None:
    red(demo, first, scratch)
    good(first.job(IMAGES, "list"))
    models = json.loads(first.output("models"))
    item = next(item for item in models if item["model"] == NEW)
    first.given = {**first.given, "needs.list.outputs.models": json.dumps([item])}
    built(first, item)
    good(first.job(IMAGES, "digests"))
    (create,) = [call for call in first.calls if call.startswith("gh pr create")]
    assert create.startswith(f"gh pr create --head {HEAD} --base {BRANCH} --title ")
    green(demo, first, scratch, pushed(item["image"]))


def test_a_regulated_model_is_released_for_the_first_time_on_gitlab(
    demo: Demo, first: Runner, scratch: Path
) -> None:
    red(demo, first, scratch)
    first.variables = {**first.variables, **pushes(demo)}
    git(demo.remote, "config", "receive.advertisePushOptions", "true")
    good(first.gitlab("images"))
    built_on_gitlab(demo, first, NEW)
    (demo.root / "models.txt").write_text(f"{NEW}\n")
    image = (demo.root / f"rendered/bentos/{NEW}/IMAGE").read_text().strip()
    good(first.gitlab("digests"))
    green(demo, first, scratch, pushed(image))
