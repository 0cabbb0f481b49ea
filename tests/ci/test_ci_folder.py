"""A repository of Sluice in a folder of a larger git repository: its workflows, owners and annotations."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from generator.cli.main import cli
from tests.ci.demo import Demo
from tests.ci.jobs import CHECK, good, runner
from tests.ci.test_ci_promotions import (
    LOCK,
    MODEL,
    PROPOSED,
    branches,
    event,
    gated,
    jobs,
)

__all__ = ["gated"]
FOLDER = "ml/models"


@pytest.fixture(scope="module")
def moved(gated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo in a folder of a repository that has other files, too."""
    made = tmp_path_factory.mktemp("folder") / "demo"
    shutil.copytree(gated, made, symlinks=True)
    top = made / "clone"
    kept = [path for path in top.iterdir() if path.name != ".git"]
    (top / FOLDER).mkdir(parents=True)
    for path in kept:
        path.rename(top / FOLDER / path.name)
    inner = top / FOLDER
    shutil.rmtree(inner / ".github")
    (inner / ".gitlab-ci.yml").unlink()
    (inner / "CODEOWNERS").unlink()
    (top / "README.md").write_text("# Everything\n")
    (top / ".github").mkdir()
    (top / ".github" / "CODEOWNERS").write_text("* @acme/all\n")
    demo = Demo(inner, made / "remote.git")
    demo.sluice("validate", "--fix", "--apply", "PLAT919")
    for words in (("render",), ("ci", "github"), ("codeowners",)):
        demo.sluice(*words)
    demo.commit("Move")
    demo.git("push", "--quiet", "origin", "HEAD:main")
    return made


@pytest.fixture
def demo(moved: Path, tmp_path: Path) -> Demo:
    shutil.copytree(moved, tmp_path / "demo", symlinks=True)
    return Demo(tmp_path / "demo" / "clone" / FOLDER, tmp_path / "demo" / "remote.git")


def at_top(demo: Demo) -> Demo:
    """The same repository, as jobs check it out."""
    return replace(demo, root=demo.root.parents[1])


def test_paths_start_at_the_top_of_the_repository(demo: Demo) -> None:
    root = demo.root / "rendered" / "production" / "argocd"
    application = yaml.safe_load((root / f"applications/{MODEL}/application.yaml").read_text())
    assert application["spec"]["source"]["path"] == f"{FOLDER}/rendered/production/{MODEL}"
    for file in (root / "root").glob("*.yaml"):
        assert (
            yaml.safe_load(file.read_text())["spec"]["source"]["path"]
            == f"{FOLDER}/rendered/production/argocd"
        )
    owners = (at_top(demo).root / ".github" / "CODEOWNERS").read_text()
    assert owners.startswith("* @acme/all\n")
    assert f"/{FOLDER}/specs/shop/ shop-ml@example.com\n" in owners
    assert not (demo.root / ".github").exists()


def test_a_pull_request_is_checked_and_annotated(demo: Demo, scratch: Path) -> None:
    found = runner(
        at_top(demo), scratch, {"github.event.pull_request.base.sha": demo.git("rev-parse", "HEAD")}
    )
    good(found.job(CHECK, "check"))
    spec = demo.root / "specs/shop/recommender.yaml"
    spec.write_text(spec.read_text().replace("weight: 5%", "weight: 50%"))
    ran = {step.name: step for step in found.job(CHECK, "check")}
    assert ran["Rules"].code == 1
    assert f"::error file={FOLDER}/specs/shop/recommender.yaml,line=" in ran["Rules"].output


def test_releases_are_recorded_and_promotions_proposed(demo: Demo, scratch: Path) -> None:
    jobs(at_top(demo), scratch, event(demo, scratch))
    assert PROPOSED in branches(demo)
    changed = demo.git("diff", "--name-only", "main", PROPOSED).splitlines()
    assert f"{FOLDER}/{LOCK}" in changed
    assert all(path.startswith(f"{FOLDER}/") for path in changed)
    before = branches(demo)
    jobs(at_top(demo), scratch, None, 1, '[{"number": 7, "isCrossRepository": false}]')
    assert branches(demo) == before


def test_a_folder_that_is_somewhere_else_is_an_error(demo: Demo) -> None:
    platform = demo.root / "specs/platform.yaml"
    platform.write_text(platform.read_text().replace(f"root: {FOLDER}", "root: ml/other"))
    for words in (["validate"], ["codeowners"], ["ci", "github"]):
        done = CliRunner().invoke(cli, [*words, "--root", str(demo.root)])
        assert done.exit_code == (1 if words == ["validate"] else 2), done.output
        assert "ml/other" in done.output


def test_gitlab_is_refused_where_the_project_has_other_jobs(demo: Demo) -> None:
    done = CliRunner().invoke(cli, ["ci", "gitlab", "--root", str(demo.root)])
    assert done.exit_code != 0
    assert "one pipeline for a whole project" in done.output
