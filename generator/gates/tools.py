"""The scripts of the gate tools, and what determines their reports."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from generator.dataclass import dataclass

COMMON: Final = "common.py"
LIST: Final = "requirements.txt"


@dataclass(frozen=True, slots=True)
class Tool:
    """A script and the environment that it runs in.

    Args:
        folder: has one folder per tool.
        name: the tool's folder.
        script: the script in it, without `.py`.
    """

    folder: Path
    name: str
    script: str

    @property
    def requirements(self) -> Path:
        """The list of packages with their hashes."""
        return self.folder / self.name / LIST

    @property
    def program(self) -> Path:
        """The script."""
        return self.folder / self.name / f"{self.script}.py"

    @property
    def digest(self) -> str:
        """Return `sha256:…` of everything that determines the report: packages, script, and shared code.

        The scripts of one tool share modules whose names start with an underscore.
        """
        total = hashlib.sha256()
        shared = sorted((self.folder / self.name).glob("_*.py"))
        for path in (self.requirements, self.program, self.folder / COMMON, *shared):
            text = path.read_bytes()
            total.update(f"{path.name}\0{len(text)}\0".encode() + text)
        return f"sha256:{total.hexdigest()}"
