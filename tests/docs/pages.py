"""Pages of the documents as programs: their files are written, their commands run, their output compared.

A fence ```yaml title="specs/a.yaml" is a file (any language with a title is); ```sh holds commands; a ```text fence right after
commands is what they print: each of its lines must come, in this order, and `…` stands for anything. A fence
```sh in="evidence.md" goes on in the repository that this page of docs/ makes; ```console needs="a cluster" is not run, for this reason.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r'^```(\w+)(?:\s+(title|in|needs)="([^"]+)")?\s*$')


@dataclass(frozen=True, slots=True)
class Block:
    """One fence.

    Args:
        language: what it is written in.
        title: the file that it is, or empty.
        text: its text.
        line: the line it begins on.
        within: the page of docs/ in whose repository it runs, or empty for the page's own.
        needs: why it can't run on a build machine, or empty.
    """

    language: str
    title: str
    text: str
    line: int
    within: str = ""
    needs: str = ""


def blocks(page: Path) -> list[Block]:
    """All fences of a page, in order.

    Raises:
        ValueError: a fence is not closed, or says something that is not known.
    """
    found, opened, held = [], None, []
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if opened is None:
            match = _FENCE.match(line)
            if match:
                opened, held = (match[1], {match[2]: match[3]} if match[2] else {}, number), []
            elif line.startswith("```"):
                raise ValueError(f"{page.name}:{number}: a fence that is not understood: {line}")
        elif line.startswith("```"):
            language, said, start = opened
            text = "\n".join(held) + "\n"
            found.append(
                Block(language, said.get("title", ""), text, start, said.get("in", ""), said.get("needs", ""))
            )
            opened = None
        else:
            held.append(line)
    if opened is not None:
        raise ValueError(f"{page.name}:{opened[2]}: this fence is not closed")
    return found


def program(found: list[Block], output: Path) -> str:
    """A script that does what a reader would: write the files, run the commands; one file of output a block."""
    lines = ["set -euo pipefail"]
    for block in found:
        if block.title:
            end = "END_OF_THIS_FILE"
            folder = shlex.quote(str(Path(block.title).parent))
            lines.append(f"mkdir -p {folder}")
            lines.append(f"cat > {shlex.quote(block.title)} <<'{end}'\n{block.text}{end}")
        elif block.language == "sh":
            lines.append(f"exec > {shlex.quote(str(output / str(block.line)))} 2>&1")
            lines.append(block.text)
    return "\n".join(lines) + "\n"


def begun(found: list[Block]) -> list[Block]:
    """The blocks of a page behind those of the page whose repository they go on in; their lines are negative."""
    pages = dict.fromkeys(block.within for block in found if block.within)
    before = [block for page in pages for block in begun(blocks(ROOT / "docs" / page))]
    return [replace(block, line=-1 - number) for number, block in enumerate(before)] + found


def run(found: list[Block], folder: Path, **environment: str) -> dict[int, str]:
    """Run the blocks of a page in a folder.

    Returns:
        What was printed, by the line of the block.

    Raises:
        AssertionError: a command failed.
    """
    output = folder.parent / f"{folder.name}-output"
    output.mkdir()
    folder.mkdir(exist_ok=True)
    script = program(found, output)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    author = {"GIT_AUTHOR_NAME": "A reader", "GIT_AUTHOR_EMAIL": "reader@example.com"}
    author |= {"GIT_COMMITTER_NAME": "A reader", "GIT_COMMITTER_EMAIL": "reader@example.com"}
    environ = os.environ | author | {"PATH": path, "NO_COLOR": "1", "COLUMNS": "200"} | environment
    environ.pop("CI", None)
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environ, stdin=subprocess.DEVNULL, timeout=900, check=False
    )
    said = {int(file.name): file.read_text() for file in output.iterdir()}
    if done.returncode:
        last = max(said)
        raise AssertionError(f"the commands on line {last} ended with {done.returncode}:\n{said[last]}")
    return said


def missed(expected: str, printed: str) -> str:
    """The first expected line that was not printed in its turn; empty when all were."""
    lines = iter(_flat(line) for line in printed.splitlines())
    for wanted in expected.splitlines():
        if _flat(wanted) in {"", "…"}:
            continue
        pattern = re.compile(".*".join(re.escape(part) for part in _flat(wanted).split("…")))
        if not any(pattern.fullmatch(line) for line in lines):
            return wanted
    return ""


def _flat(line: str) -> str:
    return " ".join(line.split())
