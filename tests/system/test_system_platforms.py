"""Commands give the same output and the same files without what only POSIX has, as on Windows; gates are excepted.

`without_posix.py` takes modules, flags, descriptors of folders, fork and signals away before Sluice is imported.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
SHIM = Path(__file__).with_name("without_posix.py")
PLAIN = "import sys; sys.argv[0] = 'sluice'; from generator.cli.main import run; run()"


@dataclass(frozen=True)
class Machine:
    """A folder, and the command as one kind of machine runs it.

    Args:
        folder: where commands run.
        start: Python's arguments before those of the command.
    """

    folder: Path
    start: tuple[str, ...]

    def sluice(self, *arguments: str, **variables: str) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        cache = self.folder.parent / f"cache-{self.folder.name}"
        env = {
            **os.environ, "PYTHONPATH": str(CHECKOUT), "XDG_CACHE_HOME": str(cache), "SOURCE_DATE_EPOCH": "1795392000",
            "SLUICE_DEBUG": "1", "GIT_CONFIG_GLOBAL": os.devnull, "NO_COLOR": "1", **variables,
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-X", "warn_default_encoding", *self.start, *arguments],
            cwd=self.folder, env=env, capture_output=True, text=True, encoding=variables.get("PYTHONIOENCODING", "utf-8"),
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    def git(self, *arguments: str) -> None:
        who = {f"GIT_{role}_{part}": "ada@example.com" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}  # fmt: skip
        when = {"GIT_AUTHOR_DATE": "2026-11-01T00:00:00Z", "GIT_COMMITTER_DATE": "2026-11-01T00:00:00Z"}
        subprocess.run(["git", "-c", "init.defaultBranch=main", *arguments], cwd=self.folder, env={**os.environ, **who, **when, "GIT_CONFIG_GLOBAL": os.devnull}, check=True, capture_output=True)  # fmt: skip

    def files(self) -> dict[str, bytes]:
        paths = (path for path in self.folder.rglob("*") if path.is_file() and ".git" not in path.parts)
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in paths}


@dataclass(frozen=True)
class Pair:
    """This machine, and one without what only POSIX has."""

    posix: Machine
    other: Machine

    def sluice(self, *arguments: str, code: int = 0, **variables: str) -> str:
        """Run a command on both, and compare everything it leaves; its standard output."""
        with ThreadPoolExecutor(2) as pool:
            runs = [
                pool.submit(machine.sluice, *arguments, **variables) for machine in (self.posix, self.other)
            ]
        here, there = (run.result() for run in runs)
        assert here == there
        assert here[0] == code, here[1] + here[2]
        assert self.posix.files() == self.other.files()
        return here[1]

    def change(self, change: Callable[[Machine], object]) -> None:
        change(self.posix)
        change(self.other)


def pair(folder: Path) -> Pair:
    """Two folders of the same name, for some output has it."""
    return Pair(
        Machine(folder / "posix" / "demo", ("-c", PLAIN)), Machine(folder / "other" / "demo", (str(SHIM),))
    )


@pytest.fixture
def empty(tmp_path: Path) -> Pair:
    """Two empty folders."""
    made = pair(tmp_path)
    made.change(lambda machine: machine.folder.mkdir(parents=True))
    return made


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new repository, rendered and committed on both machines; tests take copies."""
    made = pair(tmp_path_factory.mktemp("platforms"))
    made.change(lambda machine: machine.folder.mkdir(parents=True))
    made.sluice("init", ".")
    made.sluice("render")
    made.change(lambda machine: machine.git("init", "-q"))
    made.change(lambda machine: machine.git("add", "--all"))
    made.change(lambda machine: machine.git("commit", "-qm", "Begin"))
    return made.posix.folder.parents[1]


@pytest.fixture
def repository(rendered: Path, tmp_path: Path) -> Pair:
    """A repository with one commit."""
    shutil.copytree(rendered, tmp_path, dirs_exist_ok=True)
    return pair(tmp_path)


def test_the_other_machine_lacks_what_it_should():
    code = (
        f"import sys; sys.path.insert(0, {str(SHIM.parent)!r}); import os, without_posix; without_posix.take_away()\n"
        "found = [name for name in ('fork', 'O_NONBLOCK', 'O_NOFOLLOW', 'geteuid', 'sched_getaffinity') if hasattr(os, name)]\n"
        "try: import fcntl\n"
        "except ImportError: found.append('no fcntl')\n"
        "try: os.open('x', os.O_RDONLY, dir_fd=3)\n"
        "except NotImplementedError: found.append('no dir_fd')\n"
        "print(found)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['no fcntl', 'no dir_fd']\n"


def test_from_nothing_to_a_release(empty: Pair):
    empty.sluice("init", ".")
    empty.sluice("new", "shop/churn", "--yes", "--example-lock")
    assert "created" in empty.sluice("render")
    assert "nothing changed" in empty.sluice("render")
    empty.sluice("render", "--check")
    empty.sluice("validate")
    empty.sluice("verify")


def edit(name: str, old: str, new: str) -> Callable[[Machine], object]:
    def change(machine: Machine) -> None:
        file = machine.folder / name
        text = file.read_bytes()
        assert old.encode() in text
        file.write_bytes(text.replace(old.encode(), new.encode()))

    return change


def test_what_changed_is_found_shown_and_repaired(repository: Pair):
    rollout = "rendered/production/shop/recommender/rollout-main.yaml"
    repository.change(edit(rollout, "apiVersion", "# by hand\napiVersion"))
    repository.change(lambda machine: (machine.folder / "rendered/production/shop/recommender/extra.yaml").write_bytes(b"a: 1\n"))  # fmt: skip
    assert rollout in repository.sluice("render", "--check", code=1)
    repository.sluice("render", "--diff")
    repository.sluice("render", code=1)
    repository.change(
        lambda machine: (machine.folder / "rendered/production/shop/recommender/extra.yaml").unlink()
    )
    repository.sluice("render", "--check")
    repository.change(edit("specs/shop/recommender.yaml", "weight: 5%", "weight: 6%"))
    assert "5% → 6%" in repository.sluice("diff")
    repository.sluice("plan", "shop/recommender", "--against", "HEAD")
    repository.sluice("render")
    repository.change(lambda machine: shutil.rmtree(machine.folder / "specs" / "support"))
    repository.sluice("render")
    assert not (repository.other.folder / "rendered/production/support/ticket-classifier").exists()


def test_a_broken_spec_is_explained(repository: Pair):
    repository.change(edit("specs/shop/recommender.yaml", "weight: 5%", "weight: 5"))
    assert "error[" in repository.sluice("validate", code=1)
    for form in ("json", "sarif", "junit"):
        repository.sluice("validate", "--format", form, code=1)
    repository.sluice("render", code=1)


READING = [
    ("--help",), ("help", "plan"), ("explain", "CAN102"), ("schema", "model"), ("templates",), ("completion", "bash"),
    ("codeowners", "--check"), ("status",), ("audit", "shop/recommender"), ("plan", "shop/recommender"),
    ("plan", "--all", "--format", "json"), ("verify", "--all"),
    ("replay", "shop/recommender", "--simulate", "drop=50%", "--runs", "20", "--env", "production"),
]  # fmt: skip


def test_what_reads(repository: Pair):
    for arguments in READING:
        assert repository.sluice(*arguments)


def test_what_writes(repository: Pair):
    repository.sluice("ci", "gitlab")
    repository.sluice("render", "shop", "--env", "staging", "--output", "elsewhere")
    repository.sluice("spinnaker", "shop/recommender", "--env", "production")
    repository.sluice("pin", "shop/recommender", "--version", "13")


def test_the_way_back(repository: Pair):
    def released(machine: Machine) -> None:
        for name in ("recommender.yaml", "recommender.lock.yaml"):
            edit(f"specs/shop/{name}", "mlflow:recommender@champion", "mlflow:recommender/13")(machine)
        lock = machine.folder / "specs/shop/recommender.lock.yaml"
        pinned = re.sub(r'resolved: ".*"', 'resolved: "mlflow:recommender/13"', lock.read_text("utf-8"))
        lock.write_text(re.sub(r'version: ".*"', 'version: "13"', pinned), "utf-8")
        text = (machine.folder / "specs/shop/recommender.lock.yaml").read_text("utf-8")
        digest = re.search(r"sha256:[0-9a-f]{64}", text)
        assert digest is not None
        edit("specs/shop/recommender.lock.yaml", digest[0], f"sha256:{'7' * 64}")(machine)

    repository.change(released)
    repository.sluice("render")
    repository.change(lambda machine: machine.git("commit", "-qam", "Release 13"))
    who = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "a@b",
           "GIT_AUTHOR_DATE": "2026-11-02T00:00:00Z", "GIT_COMMITTER_DATE": "2026-11-02T00:00:00Z"}  # fmt: skip
    assert "goes back from" in repository.sluice("revert", "shop/recommender", "--reason", "worse", **who)


def test_a_terminal_without_unicode_gets_an_answer(repository: Pair):
    """The encoding of a Windows console in western Europe."""
    code, out, error = repository.other.sluice("plan", "shop/recommender", PYTHONIOENCODING="cp1252")
    assert (code, error) == (0, "")
    assert out


def test_text_is_read_and_written_with_its_encoding_and_line_ends():
    """What the system would choose differs: the encoding of files, and the line ends of those written as text."""
    calls = re.compile(r"\.(write_text|read_text)\(|(?<![.\w\"])open\(|\.open\((?!\"[rwxa]*b)")
    for file in sorted((CHECKOUT / "generator").rglob("*.py")):
        if file.parent.name in {"gates", "adapters"}:
            continue
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            for found in calls.finditer(line):
                rest = line[found.start() :]
                where = f"{file.relative_to(CHECKOUT)}:{number}: {line.strip()}"
                assert "write_text" not in rest, where
                assert re.search(
                    r"utf-8|\"rb\"|\"r\+\"|def |_open\(|os\.open|archive\.open|tarfile\.open", line
                ), where
