"""What `sluice render` does, in this process and without writing: survey, resolve, judge, render."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import ryaml

from generator.pipeline.render import plan_render
from generator.pipeline.session import Session
from generator.pipeline.stale import RenderRequest
from generator.render.environment import Templates
from generator.report.formats import render
from generator.source.finding import Finding
from tests.system.repositories import TODAY, write_tree


@dataclass(frozen=True)
class Outcome:
    """What became of a repository.

    Args:
        findings: all of them.
        files: rendered text by path below `rendered/`.
    """

    findings: list[Finding]
    files: dict[str, str] = field(default_factory=dict)

    @property
    def errors(self) -> list[str]:
        return [f"{f.place} {f.code} {f.message}" for f in self.findings if f.severity == "error"]

    @property
    def objects(self) -> dict[str, Any]:
        return {name: ryaml.loads(text) for name, text in self.files.items() if name.endswith(".yaml")}


def run(root: Path) -> Outcome:
    """Render a repository to memory.

    Raises:
        Exception: whatever the program would answer with exit code 3.
    """
    session = Session(root, TODAY)
    if not (root / "templates").exists():
        session.templates = _ours()
    plan = plan_render(session, RenderRequest(root / "no such folder"))
    _tell(list(plan.findings))
    return Outcome(
        list(plan.findings),
        {f"{b.path}/{name}": text for b in plan.bundles() for name, text in b.files.items()},
    )


@cache
def _ours() -> Templates:
    """The built-in templates, compiled once for all repositories without overrides."""
    return Templates()


# Controls, format characters, line and paragraph separators: they would steer a terminal, or hide.
_STEERING = {"Cc", "Cf", "Zl", "Zp"}


def _tell(findings: list[Finding]) -> None:
    """The report that a user would read: no text of theirs steers the terminal."""
    assert all(finding.message and finding.hint for finding in findings)
    report = render(findings, "text")
    assert all(unicodedata.category(character) not in _STEERING for character in report.replace("\n", ""))


def run_files(root: Path, files: Mapping[str, bytes]) -> Outcome:
    """Render these files, written into a folder that may hold older ones of the same names."""
    write_tree(root, files)
    return run(root)
