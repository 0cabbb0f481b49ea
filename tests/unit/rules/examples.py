"""Examples of codes, laid out as files and run as a user runs them.

A part of an example that is a piece of a spec or of the platform is merged into a small repository without findings:
mappings are merged, an empty mapping and a list replace what was there, as does a mapping of another strategy or kind.
Any other part is a file as it is. Lines that start with `$ ` are commands: `export`, `sluice`, or a line of shell. The
last command of `sluice` reports the findings; without one that is `sluice validate`.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner

from generator.cli.main import cli
from generator.report.codes import family, files_of
from tests.unit.rules.repository import LOCK, PLATFORM, SPEC, TODAY, as_yaml, edited, file_of

TREES = {"ROL", "ANA", "CAP", "SYN", "VER"}
_QUERIES = {f"CAN{number}" for number in range(120, 126)}
_SPEC = "specs/shop/ranker.yaml"
_KINDS = {"strategy", "kind"}
_PLATFORM = edited(PLATFORM, {"tiers.standard.evidence": ["cluster"]})  # none is committed beside the specs


def is_tree(code: str) -> bool:
    """Whether the example of a code is a tree of objects, not a repository."""
    return family(code) in TREES or code in _QUERIES


def findings(code: str, example: str, root: Path) -> list[dict[str, Any]]:
    """Lay an example out in an empty folder, run it, and return its findings as `--format json` prints them."""
    commands = _lay_out_repository(example, root)
    last = ["validate"]
    with _inside(root):
        for command in commands:
            words = shlex.split(command)
            if words[0] == "export":
                os.environ.update(word.split("=", 1) for word in words[1:])
            elif words[0] == "sluice":
                last = words[1:]
            else:
                subprocess.run(command, shell=True, check=True, capture_output=True)
        if (
            last[0] == "spinnaker"
        ):  # its findings are a part of its text; most pipelines have several warnings
            result = CliRunner().invoke(cli, last)
            return [
                {"code": found, "severity": severity, "fix": None}
                for severity, found in re.findall(r"^(\w+)\[([A-Z]+\d+)\]", result.output, re.MULTILINE)
                if found == code or severity == "error"
            ]
        result = CliRunner().invoke(cli, [*last, "--format", "json"])
    assert result.exit_code in {0, 1}, result.output
    return json.loads(result.stdout)["findings"]


@contextmanager
def _inside(root: Path) -> Iterator[None]:
    """The folder and an environment that commands may change, with the clock of all examples."""
    before, folder = dict(os.environ), Path.cwd()
    os.environ["SOURCE_DATE_EPOCH"] = str(int(TODAY.strftime("%s")) + 12 * 3600)
    os.chdir(root)
    try:
        yield
    finally:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(before)


def _lay_out_repository(example: str, root: Path) -> list[str]:
    files: dict[str, Any] = {
        "specs/platform.yaml": file_of("Platform", {"name": "acme"}, _PLATFORM),
        _SPEC: _spec(""),
    }
    raw: dict[str, str] = {}
    commands: list[str] = []
    for file, text in files_of(example):
        commands += [line[2:] for line in text.splitlines() if line.startswith("$ ")]
        rest = "".join(f"{line}\n" for line in text.splitlines() if not line.startswith("$ "))
        part = _mapping(rest)
        if part is None:
            raw[file or _SPEC] = rest
        else:
            path = file or _SPEC
            files[path] = _merged(files.get(path) or _base(path), part)
    for path in list(files):
        if path.startswith("specs/") and path != "specs/platform.yaml" and not path.endswith(".lock.yaml"):
            files.setdefault(path.replace(".yaml", ".lock.yaml"), LOCK)
    for path, data in files.items():
        _write(root / path, as_yaml(data))
    for path, text in raw.items():
        if text.strip():
            _write(root / path, text)
    return commands


def _mapping(text: str) -> dict[str, Any] | None:
    """A piece of a spec, of the platform or of a lock; None for anything else."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    return (
        data
        if isinstance(data, dict) and data.keys() <= {"spec", "metadata", "model", "data", "image"}
        else None
    )


def _base(path: str) -> Any:
    return LOCK if path.endswith(".lock.yaml") else _spec(path)


def _spec(path: str) -> Any:
    team, name = (path or _SPEC).removesuffix(".yaml").split("/")[-2:]
    return file_of("Model", {"name": name, "team": team, "owner": "shop-ml@example.com"}, SPEC)


def _merged(base: Any, part: Any) -> Any:
    if not isinstance(base, dict) or not isinstance(part, dict) or not part:
        return part
    if any(key in part and part[key] != base.get(key) for key in _KINDS):
        return part
    return {**base, **{key: _merged(base.get(key), value) for key, value in part.items()}}


def _write(path: Path, text: str) -> None:
    if text.strip():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
