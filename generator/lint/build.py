"""Builds the charts and kustomizations of a tree with the tools on the path, so that what is applied is verified."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Final

import yaml

from generator.lint.engine import CODES, Code, Problem, declare
from generator.lint.objects import File, Object
from generator.lint.sources import Sources
from generator.lint.tree import FileProblem, Tree, objects_of
from generator.lint.values import values_of

_SECONDS: Final = 120

declare(
    Code(
        "VER119",
        "error",
        "a chart or a kustomization cannot be built",
        why="Argo CD and Flux run the same build: they sync nothing of it.",
        remedy="Run the command of the message in the folder, and fix what it reports.",
        example="$ echo 'resources: [missing.yaml]' > kustomization.yaml",
        instead="$ echo 'resources: []' > kustomization.yaml",
    )
)


def with_builds(tree: Tree, root: FilePath) -> tuple[Tree, list[str]]:
    """Return a tree with what its charts and kustomizations give in their place, and what could not be built.

    A kustomization that another one lists is part of that one.
    """
    sources = tree.sources
    listed = {name for found in sources.kustomizations for name in found.listed}
    brought = {name for found in sources.kustomizations for name in sources.brought(found.folder)}
    objects = [item for item in tree.objects if item.file.name not in brought]
    problems, missing = list(tree.problems), []
    leaves = [found.folder for found in sources.kustomizations if found.folder not in listed]
    for folder, tools in [
        *((folder, _kustomize(root / folder)) for folder in leaves),
        *(
            (folder, [["helm", "template", "release", str(root / folder)]])
            for folder in sorted(sources.charts)
        ),
    ]:
        command = next((tool for tool in tools if shutil.which(tool[0])), None)
        if command is None:
            missing.append(f"{folder or 'the folder'}: {tools[0][0]} is not on the path")
            continue
        built = File(f"{folder}/{command[0]} output".lstrip("/"))
        try:
            objects += _objects(built, command)
        except (OSError, ValueError, yaml.YAMLError, subprocess.SubprocessError) as error:
            reason = " ".join(str(getattr(error, "stderr", None) or error).split())[:300]
            message = f"`{' '.join(command[:2])}` fails: {reason}"
            problems.append(FileProblem(CODES["VER119"], Problem((), message), built))
    return replace(tree, objects=objects, problems=problems, sources=Sources(), templates=()), missing


def _kustomize(folder: FilePath) -> list[list[str]]:
    return [["kustomize", "build", str(folder)], ["kubectl", "kustomize", str(folder)]]


def _objects(file: File, command: list[str]) -> Iterator[Object]:
    """Yield the objects that a command prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_SECONDS)  # noqa: S603
    file.text = done.stdout
    yield from objects_of(file, values_of(file.name, done.stdout))
