"""Any tree of rendered files: read fast, with positions found afterwards for the few files that need them.

Files are read as the Kubernetes tools read them. A first, fast reader (YAML 1.2) also bounds depth and
repetition, so no file can make the rest of the program recurse or swell. Only a file with a word that the
YAML 1.1 reader of Kubernetes sees differently (`yes`, `012`, `1_000`, merge keys, tags) is read again by its
rules.
"""

from __future__ import annotations

import io
import json
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path as FilePath
from typing import Any, Final

import ryaml
import yaml

from generator.lint.kinds.codes import Issue, issue
from generator.lint.kinds.objects import Document
from generator.source.document import Path
from generator.source.finding import Place

LIMIT: Final = 8 << 20
SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})

_DEPTH: Final = 128  # the limit of the YAML reader

_TRICKY: Final = re.compile(
    r"(?:^|[\s,\[{])(?:[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF|<<"
    r"|[-+]?0[0-9_boxX][0-9a-fA-F_]*|[-+]?[1-9][0-9]*_[0-9_]*|![^\s=]*)(?=\s*(?:$|[,\]}#:]|\s\S))",
    re.MULTILINE,
)
_POSITION: Final = re.compile(r" at line (\d+) column (\d+)")


class _KubernetesLoader(yaml.CSafeLoader):
    """Plain scalars as sigs.k8s.io/yaml reads them: YAML 1.1 without times and base-60 numbers."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's protocol


def _resolve(tag: str, pattern: str, first: str) -> None:
    _KubernetesLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), list(first)
    )


_resolve(
    "bool", "y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF", "yYnNtTfFoO"
)
_resolve("null", "~|null|Null|NULL|", "~nN")
_resolve("null", "", "")
_resolve("int", r"[-+]?(?:0b[01_]+|0[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)", "-+0123456789")
_resolve(
    "float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan", "-+.0123456789"
)
_resolve("merge", "<<", "<")
_KubernetesLoader.yaml_implicit_resolvers.setdefault("", []).append(
    ("tag:yaml.org,2002:null", re.compile("^$")),
)
_KubernetesLoader.add_constructor(
    "tag:yaml.org,2002:bool",
    lambda _loader, node: node.value.lower() in ("y", "yes", "true", "on"),
)


@dataclass(frozen=True, slots=True)
class Tree:
    """What a folder holds.

    Args:
        documents: every Kubernetes object, in the order of file names.
        issues: what is wrong with the files themselves.
        ignored: files that hold no Kubernetes object, each with the reason.
        texts: the text of each file that was read.
    """

    documents: Sequence[Document]
    issues: Sequence[Issue]
    ignored: Sequence[tuple[str, str]]
    texts: dict[str, str]


def read_tree(root: FilePath) -> Tree:
    """Read every YAML and JSON file below a folder, or a single file. Links are reported and not followed."""
    documents: list[Document] = []
    issues: list[Issue] = []
    ignored: list[tuple[str, str]] = []
    texts: dict[str, str] = {}
    for path, shown in _walk(root, issues):
        text = _text(path, shown, issues)
        if text is None:
            continue
        texts[shown] = text
        found = [
            doc
            for doc in _documents(shown, text, issues)
            if doc.body.get("apiVersion") or doc.body.get("kind")
        ]
        documents.extend(found)
        if not found and not (issues and issues[-1].document.file == shown):
            ignored.append((shown, "holds no Kubernetes object"))
    return Tree(documents, issues, ignored, texts)


def _walk(root: FilePath, issues: list[Issue]) -> Iterator[tuple[FilePath, str]]:
    if not root.is_dir():
        yield root, root.name
        return
    for folder, folders, names in os.walk(
        root, onerror=lambda error: issues.append(_unreadable(root, error))
    ):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        here = FilePath(folder)
        links = [_shown(here / name, root) for name in folders if (here / name).is_symlink()]
        issues.extend(issue(Document(shown), (), "VER102", "is a link to a folder") for shown in links)
        for name in sorted(names):
            path = here / name
            if path.suffix.lower() in SUFFIXES:
                yield path, _shown(path, root)


def _shown(path: FilePath, root: FilePath) -> str:
    return path.relative_to(root).as_posix()


def _unreadable(root: FilePath, error: OSError) -> Issue:
    path = FilePath(error.filename or root)
    shown = _shown(path, root) if path.is_relative_to(root) else path.name
    return issue(Document(shown), (), "VER101", f"cannot be read: {error.strerror}")


def _text(path: FilePath, shown: str, issues: list[Issue]) -> str | None:
    """The text of a file, or None with an issue that says why not."""
    document = Document(shown)
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            issues.append(issue(document, (), "VER102", "is a link"))
        elif not stat.S_ISREG(status.st_mode):
            issues.append(issue(document, (), "VER101", "is not a regular file"))
        elif status.st_size > LIMIT:
            issues.append(
                issue(document, (), "VER103", f"has {status.st_size} bytes; at most {LIMIT} are read")
            )
        else:
            return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        issues.append(issue(document, (), "VER101", f"cannot be read: {error.strerror}"))
    except UnicodeDecodeError as error:
        issues.append(issue(document, (), "VER104", f"is not UTF-8 text (byte {error.start})"))
    return None


def _documents(shown: str, text: str, issues: list[Issue]) -> Iterator[Document]:
    for index, body in enumerate(_values(shown, text, issues)):
        if isinstance(body, dict):
            yield from _open(Document(shown, index, body))


def _open(document: Document) -> Iterator[Document]:
    """A document, or the items of a `List`."""
    items = document.body.get("items")
    if document.body.get("kind") != "List" or not isinstance(items, list):
        yield document
        return
    for number, item in enumerate(items):
        if isinstance(item, dict):
            yield from _open(
                Document(document.file, document.index, item, (*document.prefix, "items", number))
            )


def _values(shown: str, text: str, issues: list[Issue]) -> list[Any]:
    try:
        if shown.endswith(".json"):
            return [_json(text)]
        values = ryaml.load_all(io.StringIO(text))
        if not _TRICKY.search(text):
            return values or []
        return list(yaml.load_all(text, _KubernetesLoader))
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        issues.append(_syntax(shown, text, error))
        return []


def _json(text: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            names = [key for key, _ in pairs]
            twice = next(key for key in names if names.count(key) > 1)
            raise ValueError(f'duplicate entry with key "{twice}"')
        return made

    value = json.loads(text, object_pairs_hook=once)
    if _deeper_than(value, _DEPTH):
        raise RecursionError
    return value


def _deeper_than(value: object, most: int) -> bool:
    """Whether mappings and lists nest deeper than so many levels."""
    level = [value]
    for _ in range(most + 1):
        holders = [entry for entry in level if isinstance(entry, dict | list)]
        level = [one for entry in holders for one in (entry.values() if isinstance(entry, dict) else entry)]
    return any(isinstance(entry, dict | list) for entry in level)


def _syntax(shown: str, text: str, error: Exception) -> Issue:
    message = "nests too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())
    code = "VER106" if "duplicate entry" in message else "VER105"
    line, column = _where(text, message, error)
    said = _POSITION.sub("", message)
    wrong = f"holds a key twice ({said})" if code == "VER106" else f"cannot be parsed: {said}"
    return issue(Document(shown), (), code, wrong, place=Place(shown, line, column))


def _where(text: str, message: str, error: Exception) -> tuple[int, int]:
    """Line and column of a syntax error, as far as the reader says it."""
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return mark.line + 1, mark.column + 1
    if isinstance(error, json.JSONDecodeError):
        return error.lineno, error.colno
    if found := _POSITION.search(message):
        return int(found[1]), int(found[2])
    twice = re.search(r'duplicate entry with key "(.*)"$', message)
    lines = text.split("\n")
    hits = [
        number for number, line in enumerate(lines, 1) if twice and line.strip(" -\"'").startswith(twice[1])
    ]
    return (hits[1], 1) if len(hits) == 2 else (0, 0)


class Positions:
    """The places of the values of one file; made once for a file that has findings."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._text = text
        self._lines = text.split("\n")

    @cached_property
    def _roots(self) -> list[yaml.Node]:
        """The documents as nodes, of a text that the first reader took: libyaml itself has no bound."""
        try:
            return list(yaml.compose_all(self._text, yaml.CSafeLoader))
        except yaml.YAMLError:
            return []

    def place(self, index: int, path: Path, *, key: bool = False) -> Place:
        """The place of the value at a path, or of the nearest thing above it that is there.

        Args:
            index: number of the document in the file.
            path: keys and list positions.
            key: point at the key instead of the value.
        """
        if index >= len(self._roots) or self._roots[index] is None:
            return Place(self._file)
        node, mark = self._roots[index], self._roots[index]
        for step in path:
            pair = _step(node, step)
            if pair is None:
                break
            name, node = pair
            mark = name if key or not isinstance(node, yaml.ScalarNode) else node
        start, end = mark.start_mark, mark.end_mark
        end_column = end.column + 1 if end.line == start.line else 0
        return Place(self._file, start.line + 1, start.column + 1, end_column)

    def excerpt(self, line: int) -> str:
        """A line of the file, without its end."""
        return self._lines[line - 1].rstrip("\r") if 0 < line <= len(self._lines) else ""


def _step(node: yaml.Node, step: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """The key node and the value node of one step down."""
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == str(step):
                return name, value
    elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None
