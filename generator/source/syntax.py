"""Explains why a text is not valid YAML: libyaml reports where it stopped, and known slips give the reason.

Each cause is a function that looks for its slip near the line where the parser stopped, and returns None if there is
none; the first match explains the file. The finding points at the line with the slip, often one line above.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from generator.source.brackets import comment_slip, flow_slip, last_comma_slip, stray_slip, unclosed_slip
from generator.source.characters import LOOKALIKES, describe, oddities, straighten_line
from generator.source.indentation import nearest_level, open_levels, out_of_step
from generator.source.outline import BLANK, outline
from generator.source.slips import KEY, SCHEMES, Broken, Slip, in_quotes, quoted, short, value_at

_NO_SPACE = re.compile(rf"^(?P<head>\s*(?:- +)*)(?P<key>{KEY}):(?P<value>[^\s:/].*)$")
_EQUALS = re.compile(rf"^(?P<head>\s*(?:- +)*)(?P<key>{KEY})\s*(?:=|:=|=>)\s*(?P<value>\S.*)$")
_NO_COLON = re.compile(rf"^(?P<head>\s*(?:- +)*)(?P<key>{KEY})\s+(?P<value>[^\s:=-][^:]*)$")
_NO_BLANK = re.compile(r"^(?P<head>\s*)-(?P<rest>[A-Za-z_{\[\"'].*)$")
_COLON_INSIDE = re.compile(rf"^(?P<head>\s*(?:- +)*{KEY}:\s+)(?P<value>[^\s\"'{{\[][^#]*:(?:\s.*)?)$")
_MARKER = re.compile(r"^(?:<{7}|\|{7}|={7}|>{7})(?:\s|$)")
PLACEHOLDER: Final = re.compile(
    r"\{\{.*?(?:\}\}|$)|\{%.*?(?:%\}|$)|<%.*?(?:%>|$)|\$\{[A-Za-z_][^{}\s]*\}|\$\([A-Za-z_][A-Za-z0-9_]*\)"
)
_QUOTED_STARTS = "@`%*&!,|>?"


def explain(
    text: str, line: int, column: int, problem: str, start: tuple[int, int] | None, context: str
) -> Slip:
    """Explain why libyaml refused a text.

    Args:
        text: the file.
        line: 0-based line where the parser stopped.
        column: 0-based column there.
        problem: the parser's message.
        start: line and column of the construct that it was reading, if known.
        context: the parser's name for that construct.
    """
    broken = Broken(text.splitlines(), outline(text), line, column, problem, start, context)
    for cause in _CAUSES:
        slip = cause(broken)
        if slip is not None:
            return slip
    for bracket in broken.shape.unclosed:
        return unclosed_slip(broken, bracket.line, bracket.column, bracket.mark)
    return Slip(line, column, f"this is not YAML: {problem}", "check this line and the one above it")


def leftover(text: str) -> Slip | None:
    """Return the first merge marker or template placeholder outside quotes and comments."""
    shape = outline(text)
    for number, line in enumerate(text.splitlines()):
        if _MARKER.match(line):
            return _merge_marker(number, line)
        found = PLACEHOLDER.search(shape.lines[number].replace(BLANK, " "))
        if found is not None:
            placeholder = line[found.start() : found.end()].strip()
            return Slip(number, found.start(), left_over(placeholder), LEFT_OVER_HINT, "SRC113")
    return None


def left_over(placeholder: str) -> str:
    """Return the slip for a placeholder of a template language or a shell."""
    what = "a variable" if placeholder.startswith("$") else "a template"
    return f"`{placeholder}` is left over from {what}: specs are not templates, so nothing replaces it"


LEFT_OVER_HINT: Final = (
    "write the value itself; put values that differ between environments into `environments:`"
)


def _merge_marker(number: int, line: str) -> Slip:
    message = f"`{line.strip()}` is left over from a merge conflict"
    hint = "keep one of the two sides between `<<<<<<<` and `>>>>>>>`, and delete the three marker lines"
    return Slip(number, 0, message, hint, "SRC113")


def _control(broken: Broken) -> Slip | None:
    character = broken.text(broken.line)[broken.column : broken.column + 1]
    if character and not character.isprintable() and character != "\t" and character not in LOOKALIKES:
        message = f"{describe(character)} is not allowed in YAML"
        return Slip(
            broken.line, broken.column, message, "delete it; most editors can show invisible characters"
        )
    return None


def _tab(broken: Broken) -> Slip | None:
    for line in broken.near():
        text = broken.text(line)
        indent = text[: len(text) - len(text.lstrip())]
        if "\t" in indent:
            above = broken.shape.code(broken.shape.before(line))
            step = 2 if above.endswith(":") else 0
            spaces = " " * (len(above) - len(above.lstrip(" ")) + step)
            hint = f"indent with {len(spaces)} spaces: {quoted(spaces + text.strip())}"
            return Slip(line, indent.index("\t"), "a tab can't indent YAML", hint)
    return None


def _lookalike(broken: Broken) -> Slip | None:
    for line in broken.near():
        shape = broken.shape.lines[line] if line < len(broken.shape.lines) else ""
        column = next((at for at, character in enumerate(shape) if character in LOOKALIKES), -1)
        if column >= 0:
            fixed = straighten_line(broken.text(line)).strip()
            message = f"this line has {oddities(shape.replace(BLANK, ''))} where YAML needs plain ASCII"
            return Slip(line, column, message, f"write {quoted(fixed)}")
    return None


def _quote(broken: Broken) -> Slip | None:
    for quote in broken.shape.quotes:
        if quote.line > broken.line:
            continue
        text = broken.text(quote.line)
        if quote.rest < 0:
            fixed = _with_quote(text, quote.column, quote.mark)
            message = f"the quote {quote.mark} that opens here is not closed on this line"
            return Slip(quote.line, quote.column, message, f"close it: {quoted(fixed)}")
        rest = text[quote.rest :]
        if rest and quote.line in broken.near():
            message = f"the quote {quote.mark} closes before the value ends: `{short(rest)}` is left over"
            value = value_at(broken, quote.line, quote.column).strip(quote.mark)
            whole = re.sub(rf"{quote.mark}(?=\s)", "", value)
            return Slip(quote.line, quote.column, message, f"write {quoted(in_quotes(whole))}")
    return None


def _with_quote(text: str, column: int, mark: str) -> str:
    """Return the line with a closing quote where the value probably ends: before a comma or bracket, or at the end."""
    body = text.rstrip()
    end = re.search(r"(?:,\s|[\]}]+\s*$|\s#)", body[column:]) if re.search(r"[\[{]", body[:column]) else None
    at = column + end.start() if end else len(body)
    return f"{body[:at]}{mark}{body[at:]}"


def _dash(broken: Broken) -> Slip | None:
    for line in broken.near():
        found = _NO_BLANK.match(broken.shape.code(line))
        if found and not broken.shape.inside[line]:
            column = found.end("head")
            fixed = f"- {broken.text(line)[column + 1 :].strip()}"
            return Slip(line, column, "a space is missing after the dash", f"write {quoted(fixed)}")
    return None


def _no_space(broken: Broken) -> Slip | None:
    for line in broken.near()[:2]:
        found = _NO_SPACE.match(broken.shape.code(line))
        if found and found["key"] not in SCHEMES and ": " not in found["value"].split("{")[0]:
            return _after_colon(broken, line, found)
    return None


def _after_colon(broken: Broken, line: int, found: re.Match[str]) -> Slip:
    at = found.end("key") + 1
    text = broken.text(line).rstrip()
    fixed = f"{text[found.end('head') : at]} {text[at:]}"
    return Slip(line, at - 1, "a space is missing after the colon", f"write {quoted(fixed)}")


def _separator(broken: Broken) -> Slip | None:
    """Find a key that is separated from its value by an equals sign or only by a blank."""
    if not any(
        word in broken.problem for word in ("mapping values", "could not find expected ':'", "expected key")
    ):
        return None
    for line in broken.near()[:2]:
        code = broken.shape.code(line)
        for pattern, what in ((_EQUALS, "`=` does not separate a key from its value"), (_NO_COLON, "")):
            found = pattern.match(code)
            if found and not broken.shape.inside[line]:
                text = broken.text(line).rstrip()
                fixed = f"{found['key']}: {text[found.start('value') :]}"
                message = what or f"a colon is missing after `{found['key']}`"
                return Slip(line, found.end("key"), message, f"write {quoted(fixed)}")
    return None


def _lone_key(broken: Broken) -> Slip | None:
    """Find a key without its colon, whose content is on the lines below it."""
    line = broken.shape.before(broken.line)
    text = broken.text(line)
    found = re.fullmatch(rf"(?P<head>\s*(?:- +)*)(?P<key>{KEY})\s*", broken.shape.code(line))
    below = broken.text(broken.line)
    deeper = len(below) - len(below.lstrip()) > len(text) - len(text.lstrip())
    if found is None or line >= broken.line or broken.shape.inside[line] or not deeper:
        return None
    return Slip(
        line,
        found.end("key"),
        f"a colon is missing after `{found['key']}`",
        f"write {quoted(found['key'] + ':')}",
    )


def _colon_inside(broken: Broken) -> Slip | None:
    if "mapping values" not in broken.problem:
        return None
    found = _COLON_INSIDE.match(broken.shape.code(broken.line))
    if found is None or broken.column < found.start("value"):
        return None
    text = broken.text(broken.line).rstrip()
    value = text[found.start("value") :]
    head = text[: found.start("value")].lstrip()
    message = "a value with a colon and a space in it needs quotes"
    scheme = re.match(r"(\w+):\s+", value)
    if scheme and scheme[1] in SCHEMES:
        return Slip(
            broken.line,
            found.start("value"),
            f"there is a space after `{scheme[1]}:`",
            f"write {quoted(head + scheme[1] + ':' + value[scheme.end() :])}",
        )
    lines = re.split(rf",\s+(?={KEY}: \S)", f"{head}{value}")
    if len(lines) > 1 and not head.startswith("- ") and not re.search(r"[{\[\"']", value):
        listed = " and ".join(quoted(line) for line in lines)
        hint = f"write {listed}, one below the other"
        return Slip(broken.line, found.start("value"), "keys are written on separate lines", hint)
    two = re.fullmatch(rf"(?P<first>[^\s,{{\[\"']+),?\s+(?P<second>{KEY}: \S.*)", value)
    if two and head.startswith("- "):
        fixed = f"- {{{head[2:]}{two['first']}, {two['second']}}}"
        return Slip(
            broken.line,
            found.start("value"),
            "several keys on one line need braces",
            f"write {quoted(fixed)}",
        )
    hint = f"write {quoted(head + in_quotes(value))}"
    round_brackets = re.fullmatch(rf"\(\s*({KEY}: \S(?:.*\S)?)\s*\)", value)
    if round_brackets:
        message, hint = "a mapping has braces, not `( )`", f"write {quoted(f'{head}{{{round_brackets[1]}}}')}"
    elif re.match(rf"{KEY}: \S", value):
        message = "a key and its value on the line of another key need braces"
        hint = f"write {quoted(f'{head}{{{value}}}')}, or {quoted(head + in_quotes(value))} for a text"
    return Slip(broken.line, found.start("value"), message, hint)


def _reserved(broken: Broken) -> Slip | None:
    """Find a value that starts with a special character of YAML."""
    text = broken.text(broken.line)
    at = broken.start[1] if broken.start and broken.start[0] == broken.line else broken.column
    character = text[at : at + 1]
    words = ("cannot start any token", "alphabetic or numeric", "undefined alias", "scanning a tag", "anchor")
    if character not in _QUOTED_STARTS or not any(
        word in f"{broken.problem} {broken.context}" for word in words
    ):
        return None
    value = value_at(broken, broken.line, at)
    if character == "*" and text[at : at + 2] == "* " and not text[:at].strip():
        fixed = f"- {text[at + 2 :].strip()}"
        return Slip(broken.line, at, "a list item starts with a dash, not with `*`", f"write {quoted(fixed)}")
    if character == "`" and value.endswith("`") and len(value) > 1:
        message, value = "a backtick does not quote in YAML", value.strip("`")
    else:
        message = f"a value that starts with `{character}` needs quotes"
    return Slip(broken.line, at, message, f"write {quoted(in_quotes(value))}")


_COMMENT_MARKS: Final = re.compile(r"(?P<head>\s*)(?P<mark>//+|/\*+|--+(?=\s)|;+|<!--|%+)(?P<text>[^\n]*)")


def _foreign_comment(broken: Broken) -> Slip | None:
    """Find a comment in the style of another language."""
    for line in broken.near():
        text = broken.text(line)
        found = _COMMENT_MARKS.fullmatch(text)
        if found and not broken.shape.inside[line] and text.strip("- "):
            comment = found["text"].rstrip().removesuffix("*/").removesuffix("-->").strip()
            message = f"`{found['mark']}` does not start a comment in YAML"
            return Slip(line, found.end("head"), message, f"write {quoted('# ' + comment)}")
    return None


def _indentation(broken: Broken) -> Slip | None:
    """Find a line whose indentation differs from that of its neighbours."""
    if "flow" in broken.context:
        return None
    lines = [(number, indent, item) for number, indent, item in broken.shape.indented()]
    at = next((index for index, (number, _, _) in enumerate(lines) if number >= broken.line), len(lines))
    if at >= len(lines) or lines[at][0] != broken.line:
        return None
    _, indent, item = lines[at]
    levels = open_levels(lines[:at], broken.shape)
    if (indent, item) in levels or not levels:
        return None
    inner = [level for level, kind in levels if level > indent and not kind]
    if item and (indent, False) in levels:
        return _no_dash(broken, lines[: at + 1])
    opens = broken.shape.code(broken.line).endswith(":")
    after_item = not item and (indent, True) in levels and inner
    if after_item and _repeats_first_key(broken, lines[: at + 1]):
        fixed = f"{' ' * indent}- {broken.text(broken.line).strip()}"
        message = "a dash is missing: this key starts the next item of the list"
        return Slip(broken.line, indent, message, f"write {quoted(fixed.strip())}")
    neighbour = inner[-1] if after_item else nearest_level(lines[at:], levels, opens=opens)
    odd, odd_indent, fits = out_of_step(lines, at, neighbour, broken.shape)
    what = "item" if item else "line"
    spaces = "1 space" if odd_indent == 1 else f"{odd_indent} spaces"
    message = f"this {what} is indented by {spaces}, but its neighbours by {fits}"
    fixed = " " * fits + broken.text(odd).strip()
    hint = f"indent it by {fits}: {quoted(fixed)}"
    if after_item and odd == broken.line:
        hint += f"; if it starts the next item, write {quoted('- ' + fixed.strip())}"
    return Slip(odd, odd_indent, message, hint)


def _repeats_first_key(broken: Broken, lines: list[tuple[int, int, bool]]) -> bool:
    """Return whether the last of these lines has the key that the list item above it starts with."""
    line, indent, _ = lines[-1]
    above = next(number for number, other, item in reversed(lines[:-1]) if item and other == indent)
    key = re.match(r"\s*([\w.-]+):(?:\s|$)", broken.text(line))
    first = re.match(r"\s*-\s+([\w.-]+):(?:\s|$)", broken.text(above))
    return key is not None and first is not None and key[1] == first[1]


def _no_dash(broken: Broken, lines: list[tuple[int, int, bool]]) -> Slip:
    """Explain keys above a list item at the same level: the first one lacks its dash."""
    first, indent, _ = lines[-1]
    for other, other_indent, item in reversed(lines[:-1]):
        if other_indent < indent:
            break
        if other_indent == indent and not item:
            first = other
    fixed = f"- {broken.text(first).strip()}"
    return Slip(
        first, indent, "a dash is missing: the lines below are items of a list", f"write {quoted(fixed)}"
    )


_CAUSES: Final[tuple[Callable[[Broken], Slip | None], ...]] = (
    _control,
    _tab,
    _lookalike,
    _no_space,
    _quote,
    comment_slip,
    _foreign_comment,
    _dash,
    last_comma_slip,
    flow_slip,
    stray_slip,
    _separator,
    _colon_inside,
    _reserved,
    _lone_key,
    _indentation,
)
"""The causes in the order of the search: those that explain others come first."""
