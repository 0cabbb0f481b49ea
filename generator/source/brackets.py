"""Slips in lists and mappings in brackets: what is not closed, not opened, or not separated by commas."""

from __future__ import annotations

import re

from generator.source.slips import Broken, Slip, in_quotes, quoted, short, value_at

_CLOSES = {"[": "]", "{": "}"}


def comment_slip(broken: Broken) -> Slip | None:
    """Find a value in brackets that starts with `#`, which makes the rest of the line a comment."""
    if broken.start is None or "flow" not in broken.context or broken.start[0] >= len(broken.source):
        return None
    line = broken.start[0]
    text, at = broken.source[line], len(broken.shape.code(line)) + 1
    found = (
        re.match(r"\s*(#[^,\]}]*)([,\]}].*)?$", text[at - 1 :])
        if broken.shape.code(line).endswith(":")
        else None
    )
    if found is None:
        return None
    column = at - 1 + found.start(1)
    value = found[1].strip()
    fixed = f'{text[:column]}"{value}"{found[2] or ""}'.strip()
    return Slip(
        line, column, "`#` starts a comment: the rest of this line is ignored", f"write {quoted(fixed)}"
    )


def flow_slip(broken: Broken) -> Slip | None:
    """Find a list or mapping in brackets that is not closed or lacks a comma."""
    if broken.start is None or "flow" not in broken.context:
        return None
    line, column = broken.start
    mark = broken.text(line)[column : column + 1]
    if mark not in _CLOSES:
        return None
    unclosed = any((one.line, one.column) == broken.start for one in broken.shape.unclosed)
    if unclosed and (
        broken.line != line or broken.text(line)[broken.column : broken.column + 1] in {"]", "}", ""}
    ):
        return unclosed_slip(broken, line, column, mark)
    return _comma(broken) or (unclosed_slip(broken, line, column, mark) if unclosed else None)


def unclosed_slip(broken: Broken, line: int, column: int, mark: str) -> Slip:
    """Explain a bracket that is not closed."""
    text = broken.text(line).rstrip()
    closing = _CLOSES[mark]
    code = broken.shape.code(line)
    wrong = re.search(r"[\]}]+$", code) if broken.line == line else None
    end = broken.column if wrong else len(code)
    while not wrong and end and code[end - 1] in ", ":
        end -= 1
    fixed = (
        f"{text[:end]}{closing}{text[end:]}" if wrong and not _instead(code, end) else text[:end] + closing
    )
    if wrong and _instead(code, end):
        fixed = f"{text[:end]}{closing}{text[end + 1 :]}"
    where = f" before the `{text[end]}` in column {end + 1}" if wrong else ""
    message = f"the `{mark}` that opens here is not closed{where}"
    return Slip(line, column, message, f"add `{closing}`: {quoted(fixed.strip())}")


def _instead(code: str, at: int) -> bool:
    """Return whether the bracket at a column has no partner, so that another kind was meant."""
    depth = 0
    for character in code[:at]:
        depth += (character in "[{") - (character in "]}")
    return depth <= 1


def _comma(broken: Broken) -> Slip | None:
    """Find two entries in brackets without a comma between them."""
    text, code = broken.text(broken.line), broken.shape.code(broken.line)
    head = code[: broken.column]
    # The last key and the separators before it, read backwards: a search would start at every character.
    word = re.match(r"\s*(?P<key>[\w-]*[A-Za-z_])(?P<gap>[;|\s]*)", head[::-1])
    if word is None or code[broken.column : broken.column + 1] not in {":", ""}:
        return _between(broken, text)
    at, start, key = len(head) - word.end("gap"), len(head) - word.end("key"), word["key"][::-1]
    above = broken.shape.before(broken.line)
    if not code[:at].strip() and above >= 0:
        upper = broken.text(above).rstrip()
        return Slip(
            above,
            len(upper),
            f"a comma is missing before `{key}`",
            f"write {quoted(upper.strip() + ',')}",
        )
    if code[:at].endswith(":"):
        return _colon_in_flow(broken, start)
    fixed = f"{text[:at].lstrip()}, {text[start:].rstrip()}"
    what = (
        "entries in brackets are separated by commas"
        if word["gap"].strip()
        else f"a comma is missing before `{key}`"
    )
    return Slip(broken.line, start, what, f"write {quoted(fixed)}")


def _colon_in_flow(broken: Broken, at: int) -> Slip:
    """Explain a value in brackets that contains a colon and a space."""
    text = broken.text(broken.line)
    value = value_at(broken, broken.line, at)
    value_in_quotes = in_quotes(re.sub(r":\s+", ":", value))
    fixed = f"{text[:at].lstrip()}{value_in_quotes}{text[at + len(value) :].rstrip()}"
    return Slip(
        broken.line, at, "a value with a colon and a space in it needs quotes", f"write {quoted(fixed)}"
    )


def _between(broken: Broken, text: str) -> Slip | None:
    """Explain text after a complete value, where a comma or a bracket is missing."""
    if broken.start is None or not text[broken.column :].strip() or text[broken.column] in "]}":
        return None
    above = broken.shape.before(broken.line)
    if not text[: broken.column].strip() and above >= 0:
        upper = broken.text(above).rstrip()
        message = f"a comma is missing before `{short(text.strip())}`"
        return Slip(above, len(upper), message, f"write {quoted(upper.strip() + ',')}")
    fixed = f"{text[: broken.column].rstrip()}, {text[broken.column :].strip()}".lstrip()
    message = f"a comma is missing before `{short(text[broken.column :].strip())}`"
    return Slip(broken.line, broken.column, message, f"write {quoted(fixed)}")


def last_comma_slip(broken: Broken) -> Slip | None:
    """Find a comma at the end of a line outside brackets."""
    for line in broken.near()[:2]:
        code = broken.shape.code(line)
        if code.endswith(",") and not broken.shape.inside[line] and not _opens(code):
            fixed = broken.text(line).rstrip()[:-1].strip()
            return Slip(line, len(code) - 1, "lines do not end with a comma", f"write {quoted(fixed)}")
    return None


def _opens(code: str) -> bool:
    """Return whether a line opens more brackets than it closes."""
    return sum((character in "[{") - (character in "]}") for character in code) > 0


def stray_slip(broken: Broken) -> Slip | None:
    """Find a closing bracket that has no opening one."""
    for bracket in broken.shape.stray:
        if bracket.line <= broken.line:
            text = broken.text(bracket.line)
            fixed = (text[: bracket.column] + text[bracket.column + 1 :]).strip()
            message = f"this `{bracket.mark}` has no opening bracket"
            return Slip(bracket.line, bracket.column, message, f"delete it: {quoted(fixed)}")
    return None
