"""A release cut in a scratch clone: what is committed, tagged and built, and what is refused."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

from generator import __version__
from tests.ci.demo import git
from tests.ci.runner import Runner
from tests.tools.programs import actionlint, program

ROOT = Path(__file__).resolve().parents[2]
NEW = "0.9.0"
WORKFLOW = ".github/workflows/release.yaml"


def release(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "SOURCE_DATE"))}
    identity = {
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in {"NAME": "Ada", "EMAIL": "ada@example.com"}.items()
    }
    environment = kept | identity | {"PYTHONPATH": str(checkout)}
    command = [sys.executable, checkout / ".ci" / "release", *arguments]
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This checkout as it is now, committed on main, with one more fragment."""
    root = tmp_path_factory.mktemp("release") / "clone"
    for name in git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines():
        if (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
    (root / "docs/changes/7.fixed.md").write_text("A fragment that only this test has.\n")
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Everything")
    return root


@pytest.fixture(scope="module")
def released(checkout: Path) -> Path:
    done = release(checkout, NEW)
    assert done.returncode == 0, done.stdout + done.stderr
    return checkout


@pytest.mark.slow
def test_a_release_is_one_commit_and_one_tag(released: Path):
    assert git(released, "log", "-1", "--format=%s").strip() == f"Release {NEW}"
    assert git(released, "describe", "--exact-match").strip() == f"v{NEW}"
    assert git(released, "status", "--porcelain").strip() == ""
    assert f'__version__ = "{NEW}"' in (released / "generator/__init__.py").read_text()
    action = yaml.safe_load((released / ".github/actions/sluice/action.yml").read_text())
    assert action["inputs"]["version"]["default"] == NEW
    for other in (".github/actions/odds/action.yml", ".gitlab/odds.yml"):
        assert f'default: "{NEW}"' in (released / other).read_text()


@pytest.mark.slow
def test_the_fragments_become_the_changelog(released: Path):
    changelog = (released / "CHANGELOG.md").read_text()
    section = changelog.partition(f"## {NEW} (")[2].partition(f"## {__version__} (")[0]
    assert "- A fragment that only this test has. (#7)" in section
    assert not list((released / "docs/changes").glob("*.md"))
    assert "A fragment that only this test has." in (released / "dist/NOTES.md").read_text()


@pytest.mark.slow
def test_the_archives_hold_the_package_and_nothing_else(released: Path):
    dist = released / "dist"
    with zipfile.ZipFile(dist / f"sluicegate-{NEW}-py3-none-any.whl") as wheel:
        tops = {name.split("/")[0] for name in wheel.namelist()}
    assert tops <= {"generator", "sluice", f"sluicegate-{NEW}.dist-info"}
    with tarfile.open(dist / f"sluicegate-{NEW}.tar.gz") as source:
        files = {name.split("/")[1] for name in source.getnames()}
    expected = {"generator", "templates", "README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md"}
    assert files == expected | {"pyproject.toml", "PKG-INFO", ".gitignore"}


@pytest.mark.slow
def test_the_bill_of_materials_names_every_requirement(released: Path):
    document = json.loads((released / f"dist/sluicegate-{NEW}.cdx.json").read_text())
    root = document["metadata"]["component"]
    assert (root["name"], root["version"]) == ("sluicegate", NEW)
    pins = dict(
        re.findall(r"^(\S+)==(\S+)", (released / "generator/pins/core.txt").read_text(), re.MULTILINE)
    )
    found = {entry["name"]: entry["version"] for entry in document["components"]}
    project = (released / "pyproject.toml").read_text().partition("\ndependencies = [")[2].partition("\n]")[0]
    direct = re.findall(r'^  "([a-z0-9-]+)', project, re.MULTILINE)
    assert set(direct) <= set(found)
    assert found.items() <= pins.items()
    (edges,) = [entry for entry in document["dependencies"] if entry["ref"] == root["bom-ref"]]
    assert len(edges["dependsOn"]) == len(found)


@pytest.mark.slow
def test_checksums_hold_and_the_same_commit_gives_the_same_bytes(released: Path):
    dist = released / "dist"
    first = (dist / "SHA256SUMS").read_text()
    assert len(first.splitlines()) == 4
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=dist, check=True)
    done = release(released, "--build")
    assert done.returncode == 0, done.stderr
    assert (dist / "SHA256SUMS").read_text() == first


@pytest.mark.slow
@pytest.mark.parametrize(
    ("version", "reason"),
    [
        (NEW, f"the tag v{NEW} exists"),
        ("0.0.1", "is not newer than"),
        ("v1.0", "write v1.0 as 1.0"),
        ("next", "is not a version"),
    ],
)
def test_a_wrong_version_is_refused(released: Path, version: str, reason: str):
    done = release(released, version)
    assert done.returncode == 2
    assert reason in done.stderr


@pytest.mark.slow
def test_releases_are_cut_from_a_clean_main(released: Path):
    git(released, "switch", "--quiet", "--create", "feature")
    assert "cut from main" in release(released, "1.0.0").stderr
    git(released, "switch", "--quiet", "main")
    (released / "notes.txt").write_text("not committed\n")
    assert "uncommitted changes" in release(released, "1.0.0").stderr
    (released / "notes.txt").unlink()


def test_the_workflow_is_valid_and_pins_what_it_uses():
    subprocess.run([actionlint(), "-shellcheck", program("shellcheck"), str(ROOT / WORKFLOW)], check=True)
    text = (ROOT / WORKFLOW).read_text() + (ROOT / ".github/actions/sluice/action.yml").read_text()
    for line in re.findall(r"uses: (.*)", text):
        assert re.fullmatch(r"actions/(checkout|setup-python)@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)


@pytest.mark.slow
def test_the_workflow_publishes_only_what_it_built(released: Path, tmp_path: Path):
    """The steps around the upload, with a stand-in for gh; the upload itself needs the package index."""
    runner = Runner(released, tmp_path, {"github.token": "x"}, {"GITHUB_REF_NAME": f"v{NEW}"})
    document = yaml.safe_load((released / WORKFLOW).read_text())
    draft = document["jobs"]["build"]["steps"][-1]
    (ran,) = runner.steps([draft])
    assert ran.code == 0, ran.output
    assert f"gh release create v{NEW} --draft --verify-tag" in runner.calls[-1]
    assert "dist/SHA256SUMS" in runner.calls[-1]
    fetch = next(
        step for step in document["jobs"]["publish"]["steps"] if step.get("name", "").startswith("Fetch")
    )
    (ran,) = runner.steps([fetch])
    assert ran.code == 0, ran.output
    wheel = next((released / "dist").glob("*.whl"))
    original = wheel.read_bytes()
    wheel.write_bytes(original + b"\0")
    (ran,) = runner.steps([fetch])
    wheel.write_bytes(original)
    assert ran.code != 0
