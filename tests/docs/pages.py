"""Run the pages of the documents: write their files, run their commands, compare their output.

A fence ```yaml title="specs/a.yaml" is a file (any language with a title is); ```sh has commands; a ```text fence right after
commands is their output: each of its lines must be printed, in this order, and `…` matches anything. A fence
```sh in="evidence.md" continues in the repository that this page of docs/ creates; ```console needs="a cluster" is not run, for the reason given.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from tests.tools.environment import OFFLINE

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r'^```(\w+)(?:\s+(title|in|needs)="([^"]+)")?\s*$')


@dataclass(frozen=True, slots=True)
class Block:
    """One fence.

    Args:
        language: the language after the backticks.
        title: the path of the file that it is, or empty.
        text: its text.
        line: the number of its first line.
        within: the page of docs/ in whose repository it runs, or empty for the page's own repository.
        needs: what it needs that a build machine does not have, or empty.
    """

    language: str
    title: str
    text: str
    line: int
    within: str = ""
    needs: str = ""


def blocks(page: Path) -> list[Block]:
    """Return all fences of a page, in order.

    Raises:
        ValueError: a fence is not closed, or its attributes are unknown.
    """
    found, opened, lines = [], None, []
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if opened is None:
            match = _FENCE.match(line)
            if match:
                opened, lines = (match[1], {match[2]: match[3]} if match[2] else {}, number), []
            elif line.startswith("```"):
                raise ValueError(f"{page.name}:{number}: unknown kind of fence: {line}")
        elif line.startswith("```"):
            language, attributes, start = opened
            text = "\n".join(lines) + "\n"
            found.append(
                Block(
                    language,
                    attributes.get("title", ""),
                    text,
                    start,
                    attributes.get("in", ""),
                    attributes.get("needs", ""),
                )
            )
            opened = None
        else:
            lines.append(line)
    if opened is not None:
        raise ValueError(f"{page.name}:{opened[2]}: this fence is not closed")
    return found


def program(found: list[Block], output: Path) -> str:
    """Return a script that writes the files and runs the commands; each block has its own file of output."""
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
    """Return the blocks of a page after those of the page whose repository they continue in; their lines are negative."""
    pages = dict.fromkeys(block.within for block in found if block.within)
    before = [block for page in pages for block in begun(blocks(ROOT / "docs" / page))]
    return [replace(block, line=-1 - number) for number, block in enumerate(before)] + found


def run(found: list[Block], folder: Path, **environment: str) -> dict[int, str]:
    """Run the blocks of a page in a folder.

    Returns:
        The output, by the line of the block.

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
    environ = os.environ | author | {"PATH": path, "NO_COLOR": "1", "COLUMNS": "200"} | OFFLINE | environment
    for name in ("CI", "SOURCE_DATE_EPOCH"):
        environ.pop(name, None)
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environ, stdin=subprocess.DEVNULL, timeout=900, check=False
    )
    printed = {int(file.name): file.read_text() for file in output.iterdir()}
    if done.returncode:
        last = max(printed)
        raise AssertionError(f"the commands on line {last} ended with {done.returncode}:\n{printed[last]}")
    return printed


def missed(expected: str, printed: str) -> str:
    """Return the first expected line that was not printed in its turn; empty when all were."""
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
