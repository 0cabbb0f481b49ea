"""Files to documents: whatever a file may hold, the answer is values or findings, never a traceback."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

import yaml

from generator.source.document import Document
from generator.source.files import RefusedError, regular_bytes
from generator.source.finding import Finding, Place
from generator.source.loader import StrictLoader

_DEPTH = 64
# What may nest deeply or repeat by reference is looked at event by event before anything is composed.
_SUSPICIOUS = re.compile(r"[&*]|(?:^|[\s,\[{])!|(?:- ){8}|(?:\? ){8}|^ {60}", re.MULTILINE)
_MANY_BRACKETS = 100


def read(path: Path, root: Path | None = None) -> Document:
    """Read one file of plain YAML.

    Args:
        path: the file.
        root: the tree it must stay in, symbolic links followed; paths are shown relative to it.

    Returns:
        A document; `data` is None and `findings` says why when the file can't be used.
    """
    shown = display(path, root)
    try:
        if root is not None and not path.resolve().is_relative_to(root.resolve()):
            return _refused(
                shown, "SRC108", "this file is a link that leaves the tree", "copy the file into the tree"
            )
        raw = regular_bytes(path)
    except RefusedError as error:
        return _refused(shown, *error.args)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return _refused(
            shown, "SRC101", f"this file can't be read: {reason}", "check the path and its permissions"
        )
    return parse(raw, shown)


def display(path: Path, root: Path | None) -> str:
    """The path as the user knows it: relative to the tree, with forward slashes."""
    if root is not None:
        try:
            return path.relative_to(root).as_posix()
        except ValueError:
            pass
    return path.as_posix()


def parse(raw: bytes, shown: str) -> Document:
    """The document in these bytes, shown under this name."""
    try:
        raw = raw.removeprefix(codecs.BOM_UTF8)
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", errors="replace")
        place = Place(shown, before.count("\n") + 1, len(before) - before.rfind("\n"))
        return _refused(shown, "SRC104", "this file is not UTF-8 text", "save it as UTF-8", place)
    document = Document(shown, text)
    _load(document)
    return document


def _load(document: Document) -> None:
    loader = None
    try:
        if (
            _SUSPICIOUS.search(document.text)
            or document.text.count("[") + document.text.count("{") > _MANY_BRACKETS
        ):
            _screen(document)
        if document.findings:
            return
        loader = StrictLoader(document.text)
        data = loader.get_single_data()
    except yaml.YAMLError as error:
        document.findings.append(_syntax(document, error))
        return
    except RecursionError:
        document.findings.append(_at(document, "SRC107", 0, 0, "this file nests too deeply", "flatten it"))
        return
    finally:
        if loader is not None:
            loader.dispose()
    for code, mark, message, hint in loader.problems:
        document.findings.append(_at(document, code, mark.line, mark.column, message, hint))
    if not document.findings:
        document.data = data


def _screen(document: Document) -> None:
    depth = 0
    for event in yaml.parse(document.text, Loader=yaml.CSafeLoader):
        mark = event.start_mark
        if mark is None:
            continue
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            message = (
                "anchors and aliases are not used in specs: a reader should see every value where it counts"
            )
            document.findings.append(
                _at(
                    document,
                    "SRC107",
                    mark.line,
                    mark.column,
                    message,
                    "write the value out, or move it to a tier's defaults",
                )
            )
            return
        tag = getattr(event, "tag", None)
        if tag:
            message = f"the tag `{tag}` has no meaning in specs"
            document.findings.append(
                _at(document, "SRC112", mark.line, mark.column, message, "write the plain value")
            )
            return
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEPTH:
            message = f"this file nests deeper than {_DEPTH} levels"
            document.findings.append(_at(document, "SRC107", mark.line, mark.column, message, "flatten it"))
            return


def _syntax(document: Document, error: yaml.YAMLError) -> Finding:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line, column = (mark.line, mark.column) if mark else (0, 0)
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "it can't be parsed")
    if "but found another document" in problem:
        return _at(
            document,
            "SRC106",
            line,
            column,
            "this file holds several documents",
            "one file, one spec: split it",
        )
    if mark is None and getattr(error, "position", None) is not None:
        line, column = _offset(document.text, error.position)  # type: ignore[attr-defined]
    if "\t" in document.excerpt(line + 1)[: column + 1]:
        return _at(document, "SRC105", line, column, "a tab can't indent YAML", "indent with spaces")
    return _at(
        document,
        "SRC105",
        line,
        column,
        f"this is not YAML: {problem}",
        "mend the line; an editor with YAML support shows where",
    )


def _offset(text: str, position: int) -> tuple[int, int]:
    before = text.encode()[:position].decode(errors="ignore")
    return before.count("\n"), len(before) - before.rfind("\n") - 1


def _at(document: Document, code: str, line: int, column: int, message: str, hint: str) -> Finding:
    place = Place(document.file, line + 1, column + 1)
    return Finding(code, "error", message, hint, place, "", document.excerpt(line + 1))


def _refused(shown: str, code: str, message: str, hint: str, place: Place | None = None) -> Document:
    document = Document(shown)
    document.findings.append(Finding(code, "error", message, hint, place or Place(shown)))
    return document
