"""Reads files as documents: the result is values or findings, never a traceback."""

from __future__ import annotations

import codecs
import errno
import re
from collections.abc import Callable, Iterator
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, Final

import yaml

from generator.source.document import Document, Path
from generator.source.files import RefusedError, regular_bytes
from generator.source.finding import Finding, Place
from generator.source.loader import Mark, StrictLoader, YamlProblem

if TYPE_CHECKING:
    from generator.source.slips import Slip

MARKER: Final = "+argocd:skip-file-rendering"
"""Argo CD 3.6, reposerver/repository/repository.go: it skips a file that contains this text, wherever it is."""
LONGEST: Final = 16_384
"""The longest text of one value or key, in characters; every check of a text takes linear time up to here."""
_REORDERING: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Unicode 16, Standard Annex 9: the embeddings, overrides and isolates that change the order in which text is shown."""
_DEPTH = 64
# Text that may nest deeply or have aliases is checked event by event before it is composed.
_SUSPICIOUS = re.compile(r"[&*]|(?:^|[\s,\[{])!|(?:- ){8}|(?:\? ){8}|^ {60}", re.MULTILINE)
_MANY_BRACKETS = 100
# A cheap test: text without these characters has no merge markers or template placeholders.
_MAY_BE_LEFT_OVER: Final = re.compile(r"\{\{|\{%|<%|\$[{(]|^[<>|=]{7}", re.MULTILINE)


def read(path: FilePath, root: FilePath | None = None, known: bytes | None = None) -> Document:
    """Read one file of plain YAML.

    Args:
        path: the file.
        root: the tree it must stay in, symbolic links followed; paths are shown relative to it.
        known: its content, if it was read before; None to read it.

    Returns:
        A document; `data` is None and `findings` has the reasons when the file can't be used.
    """
    shown = display(path, root)
    try:
        if root is not None and not path.resolve().is_relative_to(root.resolve()):
            return _refused(
                shown,
                "SRC108",
                "this file is a link that leads out of the repository",
                "copy the file into the repository",
            )
        raw = regular_bytes(path) if known is None else known
    except RefusedError as error:
        return _refused(shown, *error.args)
    except (OSError, RuntimeError) as error:
        # Up to Python 3.12, pathlib raises RuntimeError for such a link, with an absolute path as its text.
        loop = isinstance(error, RuntimeError) or error.errno == errno.ELOOP
        reason = (
            "it is a link that leads back to itself" if loop else getattr(error, "strerror", None) or error
        )
        return _refused(
            shown, "SRC101", f"this file can't be read: {reason}", "check the path and the permissions"
        )
    return parse(raw, shown)


def display(path: FilePath, root: FilePath | None) -> str:
    """Return the path for messages: relative to the tree, with forward slashes."""
    if root is not None:
        try:
            return path.relative_to(root).as_posix()
        except ValueError:
            pass
    return path.as_posix()


def parse(raw: bytes, shown: str) -> Document:
    """Read a document from bytes; findings name it as `shown`."""
    try:
        raw = raw.removeprefix(codecs.BOM_UTF8)
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", errors="replace")
        place = Place(shown, before.count("\n") + 1, len(before) - before.rfind("\n"))
        return _refused(shown, "SRC104", *_encoding(raw, error.start), place)
    if text[1:2] == "\0" or text[:1] == "\0":
        return _refused(shown, "SRC104", *_encoding(raw, 0), Place(shown, 1, 1))
    document = Document(shown, text)
    _refuse_reordering(document)
    if document.findings:
        return document
    _load(document)
    if len(document.text) > LONGEST:
        _refuse_long_texts(document)
    _refuse_marker(document)
    return document


def _encoding(raw: bytes, at: int) -> tuple[str, str]:
    """Return the message and the hint for text in another encoding."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in raw[:2]:
        return "this file is UTF-16 text, not UTF-8", "save it as UTF-8"
    character = raw[at : at + 1].decode("cp1252", errors="ignore")
    like = f" (`{character}` in Windows-1252)" if character.isalpha() else ""
    return f"this file is not UTF-8 text: byte 0x{raw[at]:02X}{like}", "save it as UTF-8"


def _load(document: Document) -> None:
    loader = None
    try:
        if _MAY_BE_LEFT_OVER.search(document.text):
            from generator.source.syntax import leftover

            slip = leftover(document.text)
            if slip is not None:
                document.findings.append(_slip(document, slip))
                return
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
    for problem in loader.problems:
        document.findings.append(_problem(document, problem))
    if not document.findings:
        document.data = data


def _refuse_reordering(document: Document) -> None:
    """Refuse a document that a reviewer sees in another order than a program reads it, comments included."""
    found = None if document.text.isascii() else _REORDERING.search(document.text)
    if found is None:
        return
    line, column = document.text.count("\n", 0, found.start()), found.start()
    column -= document.text.rfind("\n", 0, found.start()) + 1
    message = f"U+{ord(found[0]):04X} changes the order in which this line is shown"
    document.findings.append(_at(document, "SRC116", line, column, message, "remove the character"))


def _refuse_long_texts(document: Document) -> None:
    """Refuse a document with a text that no check should have to read."""
    for place in _places_of(document, lambda text: len(text) > LONGEST, document.data):
        message = f"a value or key has more than {LONGEST:,} characters"
        hint = "shorten it, or keep the text in a file that the service or the gate reads"
        document.findings.append(
            Finding("SRC115", "error", message, hint, place, "", document.excerpt(place.line))
        )
    if document.findings:
        document.data = None


def _refuse_marker(document: Document) -> None:
    """Refuse a document with a text that Argo CD obeys."""
    if "skip-file-rendering" in document.text or "\\" in document.text:  # an escape could spell it
        document.findings += (
            _marked(document, place)
            for place in _places_of(document, lambda text: MARKER in text, document.data)
        )
        if document.findings:
            document.data = None


def _places_of(
    document: Document, refused: Callable[[str], bool], value: Any, path: Path = ()
) -> Iterator[Place]:
    """Yield the place of every value or key with a refused text."""
    if isinstance(value, str):
        if refused(value):
            yield document.place(path)
    elif isinstance(value, dict):
        for key, item in value.items():
            inner = (*path, key)
            if refused(str(key)):
                yield document.place(inner, key=True)
            yield from _places_of(document, refused, item, inner)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _places_of(document, refused, item, (*path, index))


def _marked(document: Document, place: Place) -> Finding:
    message = f"Argo CD does not apply a file that contains `{MARKER}`"
    return Finding("SRC114", "error", message, "remove it", place, "", document.excerpt(place.line))


def _screen(document: Document) -> None:
    """Refuse deep nesting and aliases event by event, before anything is composed."""
    depth = 0
    for event in yaml.parse(document.text, Loader=yaml.CSafeLoader):
        mark = event.start_mark
        if mark is None:
            continue
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            document.findings.append(_reference(document, mark))
            return
        tag = getattr(event, "tag", None)
        if tag:
            word = document.excerpt(mark.line + 1)[mark.column :].split(" ")[0].rstrip(",]}")
            message = f"`{word}` is a YAML tag, which has no meaning in specs"
            hint = f'write the plain value; quote it if the text is meant: `"{word}"`'
            document.findings.append(_at(document, "SRC112", mark.line, mark.column, message, hint))
            return
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEPTH:
            message = f"this file nests deeper than {_DEPTH} levels"
            document.findings.append(_at(document, "SRC107", mark.line, mark.column, message, "flatten it"))
            return


def _reference(document: Document, mark: Mark) -> Finding:
    word = document.excerpt(mark.line + 1)[mark.column :].split(" ")[0].rstrip(",]}")
    what = "an alias" if word.startswith("*") else "an anchor"
    message = (
        f"`{word}` is {what} of YAML; specs don't use them, so that every value is visible where it applies"
    )
    hint = f'write the value out, or move it to a tier\'s defaults; quote it if the text is meant: `"{word}"`'
    return _at(document, "SRC107", mark.line, mark.column, message, hint)


def _syntax(document: Document, error: yaml.YAMLError) -> Finding:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line, column = (mark.line, mark.column) if mark else (0, 0)
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "it can't be parsed")
    if "but found another document" in problem:
        message = f"a second document begins here; {_one_spec(document.file)}"
        return _at(
            document, "SRC106", line, column, message, "move it to a separate file, or delete this `---`"
        )
    if mark is None and getattr(error, "position", None) is not None:
        line, column = _offset(document.text, error.position)  # type: ignore[attr-defined]
    began = getattr(error, "context_mark", None)
    start = (began.line, began.column) if began else None
    from generator.source.syntax import explain

    return _slip(
        document, explain(document.text, line, column, problem, start, str(getattr(error, "context", "")))
    )


def _one_spec(file: str) -> str:
    return "one file holds one lock" if file.endswith(".lock.yaml") else "one file holds one spec"


def _slip(document: Document, slip: Slip) -> Finding:
    return _at(document, slip.code, slip.line, slip.column, slip.message, slip.hint)


def _problem(document: Document, problem: YamlProblem) -> Finding:
    place = Place(document.file, problem.mark.line + 1, problem.mark.column + 1)
    related: tuple[tuple[str, Place], ...] = ()
    if problem.first is not None:
        related = (("the first one", Place(document.file, problem.first.line + 1, problem.first.column + 1)),)
    excerpt = document.excerpt(place.line)
    return Finding(problem.code, "error", problem.message, problem.hint, place, "", excerpt, related)


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
