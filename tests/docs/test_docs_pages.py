"""Every command in README and docs/ runs, from an empty folder to the answer, and prints what the page says."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from itertools import pairwise, takewhile
from pathlib import Path

import click
import pytest

from generator.cli.main import cli
from tests.docs.pages import ROOT, Block, begun, blocks, missed, run

pytestmark = pytest.mark.slow  # gates make their environments on first use

# The examples of codes run in tests/unit: their pages are generated.
PAGES = [
    ROOT / "CONTRIBUTING.md",
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if page.parent.name != "codes"),
]
# Commands that set up or test this repository itself: CI runs them, and here they would run this test again, without end.
OWN = re.compile(r"^(make [a-z-]+( [A-Z]+=\S+)*|git clone \S+( \S+)?|cd sluice|pip install \S+)( *#.*)?$")


# Options of GNU tools that the tools of macOS do not have.
GNU_ONLY = re.compile(
    r"\bsed -i|\bfind\b.* -printf|\bxargs -d|\bgrep -P|\breadlink -f|\bdate -d|\bbase64 -w|\bstat -c"
)
NEEDED = re.compile(r"\b(cluster|container builder|registry|cloud|account|Spinnaker|browser)\b")


def commands(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language == "sh" and not block.title]


@pytest.mark.parametrize(
    "page", [p for p in PAGES if commands(p)], ids=lambda p: p.relative_to(ROOT).as_posix()
)
def test_a_page_does_what_it_says(page, tmp_path):
    found = blocks(page)
    own = [block for block in found if block.language == "sh" and _is_own(block)]
    assert_expected(page, [block for block in found if block not in own], tmp_path)


def test_the_readme_does_what_it_says(tmp_path):
    """Apart from the commands for a clone, the README's commands are a session in a new repository."""
    page = ROOT / "README.md"
    found = [block for block in blocks(page) if not (block.language == "sh" and _is_own(block))]
    assert_expected(page, found, tmp_path)


def test_commands_for_a_clone_are_the_ones_that_ci_runs():
    script = (ROOT / ".ci" / "run").read_text()
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = {
        line.split()[1]
        for page in [ROOT / "README.md", *PAGES]
        for block in commands(page)
        for line in block.text.splitlines()
        if line.startswith("make ")
    }
    assert named <= set(targets)
    for target in ("render", "test"):
        assert target in named
        assert re.search(rf"^make {target}$", script, re.MULTILINE)


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda p: p.relative_to(ROOT).as_posix())
def test_what_does_not_run_here_says_why(page):
    """A fence is left out only if it needs something that a build machine does not have, and it names that."""
    for block in blocks(page):
        unrun = block.language in {"console", "bash", "shell", "zsh", "fish"}
        assert bool(block.needs) == unrun, f"{page.name}:{block.line}"
        if unrun:
            assert block.language == "console", f"{page.name}:{block.line}"
            assert NEEDED.search(block.needs), f"{page.name}:{block.line}: {block.needs}"


@pytest.mark.parametrize("fence", ["console needs", 'sh title="a" in="b"', 'sh why="x"', 'console needs=""'])
def test_a_fence_that_says_something_unknown_is_not_passed_over(fence, tmp_path):
    (tmp_path / "page.md").write_text(f"```{fence}\ntrue\n```\n")
    with pytest.raises(ValueError, match="unknown kind of fence"):
        blocks(tmp_path / "page.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_commands_that_need_more_than_a_folder_are_ones_that_exist(page):
    """Fences `console` are not run, but their commands, options and choices must exist."""
    for block in blocks(page):
        for line in block.text.splitlines() if block.language == "console" else ():
            words = list(
                takewhile(
                    lambda word: word not in {">", "|"}, shlex.split(line.removeprefix("$ "), comments=True)
                )
            )
            if words[:1] == ["sluice"]:
                parse(cli, words)


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda p: p.relative_to(ROOT).as_posix())
def test_commands_work_on_macos_as_well(page):
    for block in blocks(page):
        if block.language in {"sh", "console"}:
            assert not GNU_ONLY.search(block.text), f"{page.name}:{block.line}"


@pytest.mark.parametrize(
    "line", ["sed -i 's/a/b/' x", "find . -type f -printf '%P'", "ls | xargs -d '\\n' cat"]
)
def test_options_of_gnu_tools_are_found(line):
    assert GNU_ONLY.search(line)


def parse(command: click.Command, words: list[str]) -> None:
    """Parse a command line with Click, without running it; missing files do not matter."""
    context = click.Context(command, info_name=words[0])
    if isinstance(command, click.Group):
        assert len(words) > 1, words
        inner = command.get_command(context, words[1])
        assert inner is not None, f"there is no command {' '.join(words[:2])}"
        parse(inner, words[1:])
        return
    with suppress(click.BadParameter):  # a missing file; an unknown option raises another error
        command.make_context(words[0], words[1:])


def _is_own(block: Block) -> bool:
    lines = [line for line in block.text.splitlines() if line.strip() and not line.startswith("#")]
    return bool(lines) and all(OWN.match(line) for line in lines)


def assert_expected(page: Path, found: list[Block], tmp_path: Path) -> None:
    printed = run(begun(found), tmp_path / "reader")
    for before, after in pairwise(found):
        if before.language == "sh" and not before.title and after.language == "text":
            line = missed(after.text, printed[before.line])
            assert not line, f"{page.name}:{after.line}: not printed: {line}\n{printed[before.line]}"
