"""Two hundred pull requests on different models, open at once: git merges all of them, and what comes out is current.

A pull request is what one team commits: its edited spec and what `sluice render` made of it. That a render of one edit
writes exactly these files is shown for some; with that, the branches are made by git from one render of all edits.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from tests.bench.organisation import generate
from tests.system.repositories import sluice

MODELS, SHOWN = 200, 3


def git(root: Path, *arguments: str, given: str | None = None, fails: bool = False) -> str:
    own = {"HOME": str(root), "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
    names = {
        f"GIT_{who}_{what}": "test@example.com"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    done = subprocess.run(
        ["git", *arguments],
        cwd=root,
        env=own | names,
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) != fails, done.stdout + done.stderr
    return done.stdout.strip()


def edit(spec: Path) -> None:
    """What a team would change: its own description, and the traffic that the odds use."""
    text = spec.read_text()
    head = f"owner: {spec.parent.name}@example.com"
    assert head in text
    spec.write_text(
        text.replace(head, f"{head}, description: changed by {spec.stem}").replace("minRps: 1", "minRps: 2")
    )


def owner(path: str) -> str:
    """The model whose pull request a changed file belongs to."""
    parts = path.split("/")
    return (
        parts[-1].partition(".")[0]
        if parts[0] == "specs"
        else next(p for p in parts if p.startswith("model-"))
    )


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A repository on `main`, and a commit `edited` in which all models were edited and rendered at once."""
    root = generate(tmp_path_factory.mktemp("parallel") / "repository", MODELS, 1)
    assert sluice(root, "render").code == 0
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "all models")
    for spec in sorted(root.glob("specs/*/model-?????.yaml")):
        edit(spec)
    assert sluice(root, "render").code == 0
    git(root, "checkout", "-q", "-b", "edited")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "all edits at once")
    return root


@pytest.fixture(scope="module")
def changes(repository):
    return changed_files(repository)


def changed_files(repository: Path) -> dict[str, list[tuple[str, str, str]]]:
    """The changed files of each model, with their new blobs."""
    found = defaultdict(list)
    for line in git(repository, "diff-tree", "-r", "main", "edited").splitlines():
        about, _, path = line.partition("\t")
        _, mode, _, blob, status = about.split()
        assert status in "AM", line
        found[owner(path)].append((mode, blob, path))
    assert len(found) == MODELS
    return found


def test_a_render_of_one_edit_writes_the_files_of_its_model_and_no_other(repository, changes, tmp_path):
    for name in sorted(changes)[:: MODELS // SHOWN]:
        alone = tmp_path / name
        git(repository, "worktree", "add", "-q", "--detach", str(alone), "main")
        (spec,) = alone.glob(f"specs/*/{name}.yaml")
        edit(spec)
        assert sluice(alone, "render").code == 0
        git(alone, "add", "-A")
        listed = git(alone, "diff-index", "--cached", "HEAD").splitlines()
        told = sorted((line.split()[1], line.split()[3], line.partition("\t")[2]) for line in listed)
        assert told == sorted(changes[name])
        git(repository, "worktree", "remove", "--force", str(alone))
        shutil.rmtree(alone, ignore_errors=True)


def test_two_hundred_pull_requests_merge_without_a_conflict(repository, changes):
    merge_all(repository, changes)


def merge_all(repository: Path, changes: dict[str, list[tuple[str, str, str]]]) -> None:
    """Merge the pull requests of all models one after the other: the result is the commit `edited`, and current."""
    branches = "".join(pull_request(name, files) for name, files in changes.items())
    git(repository, "fast-import", "--quiet", given=branches)
    merged = git(repository, "rev-parse", "main")
    for name in sorted(changes):
        tree = git(repository, "merge-tree", "--write-tree", merged, f"pull/{name}")
        merged = git(
            repository, "commit-tree", tree, "-p", merged, "-p", f"pull/{name}", "-m", f"merge {name}"
        )
    assert git(repository, "rev-parse", f"{merged}^{{tree}}") == git(repository, "rev-parse", "edited^{tree}")
    git(repository, "checkout", "-q", "--detach", merged)
    checked = sluice(repository, "render", "--check")
    assert (checked.code, "error" in checked.err) == (0, False)


def test_two_pull_requests_on_one_model_do_conflict(repository, changes):
    """The test above can fail: the same lines changed in two ways are git's to refuse."""
    name = min(changes)
    git(repository, "checkout", "-q", "-B", "other", "main")
    (spec,) = repository.glob(f"specs/*/{name}.yaml")
    spec.write_text(spec.read_text().replace("@example.com", "@elsewhere.example", 1))
    git(repository, "commit", "-qam", "another owner")
    git(repository, "merge-tree", "--write-tree", "other", "edited", fails=True)


def pull_request(name: str, files: list[tuple[str, str, str]]) -> str:
    """The branch of a model, as `git fast-import` reads it."""
    rows = "".join(f"M {mode} {blob} {path}\n" for mode, blob, path in files)
    message = f"{name} by its team"
    head = f"commit refs/heads/pull/{name}\ncommitter test <test@example.com> 1700000000 +0000\n"
    return f"{head}data {len(message)}\n{message}\nfrom refs/heads/main\n{rows}\n"
