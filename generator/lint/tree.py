"""Reads any tree of rendered files as Kubernetes tools do.

A first, fast reader (YAML 1.2) also bounds depth and repetition, so that no file can make the rest of the program
recurse or swell. Only a file with a word that the YAML 1.1 reader of Kubernetes sees differently (`yes`, `012`,
`1_000`, merge keys, tags) is read again by its rules. Positions are found afterwards, for the few files with findings.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import field
from pathlib import Path as FilePath
from typing import Any, Final, NamedTuple

import yaml

from generator.dataclass import dataclass
from generator.lint.engine import CODES, Code, Problem, declare
from generator.lint.objects import File, Object
from generator.lint.sources import KUSTOMIZATIONS, Sources
from generator.lint.values import values_of
from generator.source.document import Path
from generator.source.finding import Place

LIMIT: Final = 8 << 20
SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})

_DEEPEST: Final = 64

_TEMPLATE: Final = re.compile(
    r"""\{\{-|\{\{\s*(?:[.$]|if |range |with |end\b|define |include |template |toYaml)|\{%"""
)
_POSITION: Final = re.compile(r" at line (\d+) column (\d+)")
_DUPLICATE: Final = re.compile(r'duplicate entry with key "((?:(?!duplicate entry with key).)*)"$')

declare(
    Code(
        "VER101",
        "error",
        "a file cannot be read",
        why="A file that cannot be read is not checked, and the tool that applies the tree fails on it as well.",
        remedy="Check the path and its permissions.",
        example="$ mkfifo rollout.yaml",
    ),
    Code(
        "VER102",
        "warning",
        "a link is not followed",
        why="A link can lead out of the tree, so its target is not checked.",
        remedy="Put the file itself into the tree.",
        example="$ ln -s /etc/hostname rollout.yaml",
    ),
    Code(
        "VER103",
        "error",
        "a file is too large to check",
        why="Files above 8 MiB are not read. An object of that size does not fit into a cluster (etcd's limit is "
        "1.5 MiB).",
        remedy="Split the file; one object per file is best.",
        example="$ yes '# filler' | head -c 9000000 > rollout.yaml",
    ),
    Code(
        "VER104",
        "error",
        "a file is not UTF-8 text",
        why="Kubernetes tools read only UTF-8. They fail on the file, or read other characters than you see.",
        remedy="Save the file as UTF-8.",
        example=r"$ printf '# caf\351\n' > rollout.yaml",
    ),
    Code(
        "VER105",
        "error",
        "a file is not valid YAML or JSON",
        why="Argo CD cannot generate manifests from a folder with such a file, so it syncs nothing of the "
        "Application.",
        remedy="Fix the line; an editor with YAML support marks the position.",
        example="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: model\n",
        instead="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: model}\n",
    ),
    Code(
        "VER106",
        "error",
        "a key is given twice in one mapping",
        why="YAML allows a key once. Some readers fail, others silently take the first or the last of the two.",
        remedy="Keep one of the two.",
        example="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: model, name: other}\n",
        instead="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: model}\n",
    ),
)


@dataclass(frozen=True, slots=True)
class SyntaxPlace:
    """The place of a syntax error: a document that could not be read has no other."""

    file: File
    line: int
    column: int

    def place(self, path: Path, *, key: bool = False) -> Place:  # noqa: ARG002 - there is only one place
        """Return the place of the error."""
        return Place(self.file.name, self.line, self.column)

    def excerpt(self, line: int) -> str:
        """Return a line of the file without its end."""
        return self.file.excerpt(line)


class FileProblem(NamedTuple):
    """A problem of a file."""

    code: Code
    problem: Problem
    file: File


@dataclass(frozen=True, slots=True)
class Tree:
    """The content of a folder.

    Args:
        objects: every Kubernetes object, in the order of file names.
        problems: problems of the files.
        ignored: files without Kubernetes objects.
        files: how many files were read.
        sources: its charts and kustomizations.
        commented: files with comments for Sluice.
        templates: files with placeholders of a template engine, which are YAML only after it has run.
    """

    objects: Sequence[Object]
    problems: Sequence[FileProblem]
    ignored: Sequence[str]
    files: int
    sources: Sources = field(default_factory=Sources)
    templates: Sequence[str] = ()
    commented: Sequence[File] = ()


def read_tree(root: FilePath, about: re.Pattern[str] | None = None) -> Tree:
    """Read every YAML and JSON file below a folder, or a single file. Links are reported and not followed.

    Args:
        root: the folder or the file.
        about: only files whose text it matches are parsed; None for all.
    """
    reader = _Reader(root, about)
    paths = list(reader.walk())
    if root.is_dir():
        reader.sources = Sources(root, (path.relative_to(root).as_posix() for path in paths))
    for path in paths:
        reader.read(path)
    return Tree(
        reader.objects,
        reader.problems,
        reader.ignored,
        reader.files,
        reader.sources,
        reader.templates,
        reader.commented,
    )


class _Reader:
    """Collects the objects of a tree and the problems of its files."""

    def __init__(self, root: FilePath, about: re.Pattern[str] | None = None) -> None:
        self.root = root
        self._about = about
        self.objects: list[Object] = []
        self.problems: list[FileProblem] = []
        self.ignored: list[str] = []
        self.templates: list[str] = []
        self.commented: list[File] = []
        self.sources = Sources()
        self.files = 0

    def walk(self) -> Iterator[FilePath]:
        """Yield the files to read, sorted in each folder."""
        if not self.root.is_dir():
            yield self.root
            return
        for folder, folders, names in os.walk(self.root, onerror=self._unreadable_folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            here = FilePath(folder)
            if len(here.parts) - len(self.root.parts) >= _DEEPEST and folders:
                self._report(
                    File(self._shown(here / folders[0])),
                    "VER101",
                    f"cannot be read: more than {_DEEPEST} folders deep",
                )
                folders.clear()
            for name in folders:
                if (here / name).is_symlink():
                    self._report(File(self._shown(here / name)), "VER102", "is a link to a folder")
            for name in sorted(names):
                if FilePath(name).suffix.lower() in SUFFIXES or name in KUSTOMIZATIONS:
                    yield here / name

    def read(self, path: FilePath) -> None:
        """Read one file, unless it is an input of a build."""
        file = File(self._shown(path))
        if self.sources.is_source(file.name):
            return
        text = self._text(path, file)
        if text is None:
            return
        self.files += 1
        file.text = text
        if self._about is not None and not self._about.search(text):
            return
        if "# sluice:" in text:
            self.commented.append(file)
        try:
            values = values_of(file.name, text)
        except (ValueError, RecursionError, yaml.YAMLError) as error:
            if _is_template(file.name, text, error):
                self.templates.append(file.name)
                return
            self.problems.append(_syntax(file, text, error))
            return
        found = list(objects_of(file, values))
        self.objects += found
        if not found:
            self.ignored.append(file.name)

    def _shown(self, path: FilePath) -> str:
        if path == self.root:
            return path.name
        return path.relative_to(self.root).as_posix()

    def _report(self, file: File, code: str, message: str) -> None:
        self.problems.append(FileProblem(CODES[code], Problem((), message), file))

    def _unreadable_folder(self, error: OSError) -> None:
        path = FilePath(error.filename or self.root)
        shown = self._shown(path) if path.is_relative_to(self.root) else path.name
        self._report(File(shown), "VER101", f"cannot be read: {error.strerror}")

    def _text(self, path: FilePath, file: File) -> str | None:
        """Return the text of a file, or None after reporting why it was not read."""
        try:
            status = path.lstat()
            if stat.S_ISLNK(status.st_mode):
                self._report(file, "VER102", "is a link")
            elif not stat.S_ISREG(status.st_mode):
                self._report(file, "VER101", "is not a regular file")
            elif status.st_size > LIMIT:
                self._report(file, "VER103", f"has {status.st_size:,} bytes; at most {LIMIT:,} are read")
            else:
                return path.read_bytes().decode("utf-8-sig")
        except OSError as error:
            self._report(file, "VER101", f"cannot be read: {error.strerror}")
        except UnicodeDecodeError as error:
            self._report(file, "VER104", f"is not UTF-8 text (byte {error.start:,})")
        return None


def objects_of(file: File, values: list[Any]) -> Iterator[Object]:
    """Yield the objects that the documents of a file hold."""
    for index, body in enumerate(values):
        for item in _opened(Object.read(body, file, index)) if isinstance(body, dict) else ():
            if item.body.get("apiVersion") or item.body.get("kind"):
                yield item


def _opened(item: Object) -> Iterator[Object]:
    """Yield an object, or the items of a list of any kind: `List`, `ConfigMapList`, …, as Argo CD and kubectl do."""
    items = item.body.get("items")
    if not item.kind.endswith("List") or "items" not in item.body or not isinstance(items, list | None):
        yield item
        return
    kind, version = item.kind.removesuffix("List"), item.body.get("apiVersion")
    for number, entry in enumerate(items or ()):
        body = {"apiVersion": version, "kind": kind, **entry} if kind and isinstance(entry, dict) else entry
        if isinstance(body, dict):
            yield from _opened(Object.read(body, item.file, item.index, (*item.prefix, "items", number)))


def _syntax(file: File, text: str, error: Exception) -> FileProblem:
    reason = "nested too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())
    line, column = _where(text, reason, error)
    if "unhashable" in reason:
        reason, (line, column) = "a mapping or a list is the key of a mapping", _unhashable(text)
    at = SyntaxPlace(file, line, column)
    duplicate = _DUPLICATE.search(_POSITION.sub("", reason))
    if duplicate:
        return FileProblem(
            CODES["VER106"], Problem((), f"the key `{duplicate[1]}` is given twice", document=at), file
        )
    message = f"cannot be parsed: {_POSITION.sub('', reason)}"
    return FileProblem(CODES["VER105"], Problem((), message, document=at), file)


def _is_template(name: str, text: str, error: Exception) -> bool:
    """Return whether a file that is not YAML becomes it when a template engine or envsubst has filled it in."""
    if _TEMPLATE.search(text) or ("unhashable" in str(error) and "{{" in text):
        return True
    with contextlib.suppress(ValueError, RecursionError, yaml.YAMLError):
        return "${" in text and bool(values_of(name, re.sub(r"\$\{[^{}]*\}", "x", text)))
    return False


def _unhashable(text: str) -> tuple[int, int]:
    """Return line and column of the first key that is not a scalar, (0, 0) when it is not found."""
    waiting: list[yaml.Node | None] = []
    with contextlib.suppress(yaml.YAMLError):
        waiting += yaml.compose_all(text, yaml.CSafeLoader)
    waiting.reverse()
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.SequenceNode):
            waiting += reversed(node.value)
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            if not isinstance(key, yaml.ScalarNode):
                return key.start_mark.line + 1, key.start_mark.column + 1
            waiting.append(value)
    return 0, 0


def _where(text: str, message: str, error: Exception) -> tuple[int, int]:
    """Return line and column of a syntax error as far as the reader knows them, (0, 0) otherwise."""
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return mark.line + 1, mark.column + 1
    if isinstance(error, json.JSONDecodeError):
        return error.lineno, error.colno
    if found := _POSITION.search(message):
        return int(found[1]), int(found[2])
    twice = _DUPLICATE.search(message)
    lines = text.split("\n")
    hits = [
        number for number, line in enumerate(lines, 1) if twice and line.strip(" -\"'").startswith(twice[1])
    ]
    return (hits[1], 1) if len(hits) == 2 else (0, 0)
