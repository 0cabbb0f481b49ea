"""Digests are of content: what changes no rendered text changes no rendered byte, and what does is noticed at once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.repositories import CHECKOUT, EPOCH, ROLLOUT, Ran, read_tree, sluice, write_tree

BENTO = "rendered/bentos/shop/recommender"
COPY = "import sys; sys.path.insert(0, sys.argv.pop(1)); from generator.cli.main import run; run()"


class Copy:
    """A copy of the program that a developer edits, and the repository that it renders."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder, self.root = folder, root
        ignored = shutil.ignore_patterns("__pycache__")
        for name in ("generator", "templates"):
            shutil.copytree(CHECKOUT / name, folder / name, ignore=ignored)

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    def run(self, *arguments: str) -> Ran:
        environ = {"HOME": str(self.folder), "SOURCE_DATE_EPOCH": EPOCH}
        command = [sys.executable, "-c", COPY, str(self.folder), *arguments]
        done = subprocess.run(command, cwd=self.root, env=environ, capture_output=True, text=True)
        return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def copy(tmp_path: Path, repo: Path) -> Copy:
    made = Copy(tmp_path / "program", repo)
    assert made.run("render").code == 0
    return made


def test_what_changes_no_text_changes_no_byte(copy: Copy) -> None:
    before = read_tree(copy.root)
    (copy.folder / "templates/bento/frameworks/keras.py.j2").write_text("# a framework that no model uses\n")
    copy.edit("templates/bento/service.py.j2", "", "{# a comment #}")
    copy.edit("templates/kubernetes/rollout-canary.yaml.j2", "", "{# another one #}")
    copy.edit("generator/render/bundle.py", '"""', '"""A longer docstring. ')
    for command in (("render", "--check"), ("render",), ("render",)):
        assert copy.run(*command).code == 0
    assert read_tree(copy.root) == before


def test_a_template_that_changes_text_is_noticed_at_once(copy: Copy) -> None:
    copy.edit("templates/kubernetes/_rollout-head.yaml.j2", "kind: Rollout", "kind: Rollout  # edited")
    checked = copy.run("render", "--check")
    assert (checked.code, ROLLOUT in checked.out) == (1, True)
    assert ROLLOUT in copy.run("render").out
    assert b"kind: Rollout  # edited" in (copy.root / ROLLOUT).read_bytes()
    assert copy.run("render", "--check").code == 0


def test_code_that_changes_text_is_noticed_at_once(copy: Copy) -> None:
    copy.edit("generator/render/bundle.py", "# Rendered by Sluice from", "# Made by Sluice from")
    assert copy.run("render", "--check").code == 1
    assert copy.run("render").code == 0
    assert (copy.root / ROLLOUT).read_bytes().startswith(b"# Made by Sluice from")


def inputs(root: Path, bundle: str) -> dict[str, str]:
    lines = (root / bundle / ".sluice").read_text().splitlines()
    return dict(line.split(" ")[2:] for line in lines if line.startswith("# input "))


def test_a_ledger_names_the_overrides_that_its_bundle_is_made_of(rendered: Path) -> None:
    models = ("rendered/production/shop/recommender", "rendered/production/risk/fraud")
    bentos = ("rendered/bentos/shop/recommender", "rendered/bentos/risk/fraud")
    before = read_tree(rendered)
    assert not any("overrides" in inputs(rendered, bundle) for bundle in (*models, *bentos))
    folder = CHECKOUT / "templates/bento/frameworks"
    unused = {"templates/bento/frameworks/onnx.py.j2": (folder / "onnx.py.j2").read_text() + "# ours\n"}
    write_tree(rendered, unused)
    assert sluice(rendered, "render").code == 0
    assert {**before, **unused}.keys() == read_tree(rendered).keys()
    assert all(read_tree(rendered)[name] == content for name, content in before.items())
    write_tree(rendered, {"templates/bento/frameworks/sklearn.py.j2": (folder / "sklearn.py.j2").read_text()})
    assert sluice(rendered, "render").code == 0
    assert [("overrides" in inputs(rendered, bundle)) for bundle in (*models, *bentos)] == [
        True,
        False,
        True,
        False,
    ]


def test_a_ledger_that_was_sealed_again_proves_nothing(rendered: Path) -> None:
    """A user edits a file and writes its new hash, and a new seal, into the ledger."""
    from hashlib import sha256

    path, ledger = rendered / ROLLOUT, rendered / "rendered/production/shop/recommender/.sluice"
    before = path.read_bytes()
    path.write_bytes(before + b"# by hand\n")
    body = ledger.read_text().rpartition("# seal")[0]
    body = body.replace(sha256(before).hexdigest(), sha256(path.read_bytes()).hexdigest())
    ledger.write_text(f"{body}# seal sha256:{sha256(body.encode()).hexdigest()}\n")
    checked = sluice(rendered, "render", "--check")
    assert (checked.code, ROLLOUT in checked.out) == (1, True)
    assert ROLLOUT in sluice(rendered, "render").out
    assert path.read_bytes() == before


def stamps(cache: Path) -> list[Path]:
    return sorted((cache / "sluice/stamps").iterdir())


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def run(root: Path, cache: Path, *arguments: str) -> Ran:
    return sluice(root, *arguments, XDG_CACHE_HOME=str(cache))


@pytest.mark.parametrize("damage", ["lost", "cut", "empty", "edited", "a folder"])
def test_without_a_stamp_everything_is_rendered_and_compared(repo: Path, cache: Path, damage: str) -> None:
    assert run(repo, cache, "render").code == 0
    (stamp,) = stamps(cache)
    whole, before = stamp.read_bytes(), read_tree(repo)
    stamp.unlink()
    if damage == "a folder":
        stamp.mkdir()
    elif damage != "lost":
        stamp.write_bytes({"cut": whole[:-1], "empty": b"", "edited": whole[:60] + b"x" + whole[61:]}[damage])
    ran = run(repo, cache, "render")
    assert (ran.code, "nothing changed" in ran.out, read_tree(repo)) == (0, True, before)
    assert damage == "a folder" or stamp.read_bytes() == whole


def test_a_check_notes_what_is_right_and_only_that(repo: Path, cache: Path) -> None:
    assert run(repo, cache, "render").code == 0
    (stamp,) = stamps(cache)
    whole = stamp.read_bytes()
    stamp.unlink()
    assert run(repo, cache, "render", "--check").code == 0
    assert stamp.read_bytes() == whole
    (repo / ROLLOUT).write_text("by: hand\n")
    assert run(repo, cache, "render", "--check").code == 1
    assert len(stamp.read_bytes()) == len(whole) - 16


def test_a_run_on_one_model_forgets_nothing_of_the_others(repo: Path, cache: Path) -> None:
    assert run(repo, cache, "render").code == 0
    (stamp,) = stamps(cache)
    whole = stamp.read_bytes()
    assert run(repo, cache, "render", "shop/recommender").code == 0
    assert run(repo, cache, "render", "--env", "staging").code == 0
    assert stamp.read_bytes() == whole


def test_a_cache_that_cannot_be_written_to_costs_only_time(repo: Path, tmp_path: Path) -> None:
    file = tmp_path / "no-folder"
    file.write_text("")
    for _ in range(2):
        assert run(repo, file, "render").code == 0
    assert "nothing changed" in run(repo, file, "render").out


def test_two_output_folders_have_a_stamp_each(repo: Path, cache: Path) -> None:
    assert run(repo, cache, "render").code == 0
    assert run(repo, cache, "render", "--output", "elsewhere").code == 0
    assert len(stamps(cache)) == 2
