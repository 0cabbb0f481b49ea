"""Indentation of a broken YAML text: the level of each line, and the line that is out of step."""

from __future__ import annotations

import re

from generator.source.outline import Outline

_KEY = r"[A-Za-z_][\w-]*"
Line = tuple[int, int, bool]
"""A line that starts a key or an item: its 0-based number, its indentation, and whether it is an item."""


def open_levels(lines: list[Line], shape: Outline) -> list[tuple[int, bool]]:
    """Return the indentation levels open after some lines, outermost first, each with whether it has items."""
    levels: list[tuple[int, bool]] = []
    for number, indent, item in lines:
        levels = [level for level in levels if level < (indent, item)] + [(indent, item)]
        if item:
            rest = shape.code(number)[indent + 1 :]
            inner = rest.lstrip(" ")
            if re.match(rf"{_KEY}:(?:\s|$)", inner):
                levels.append((indent + 1 + len(rest) - len(inner), False))
    return levels


def nearest_level(lines: list[Line], levels: list[tuple[int, bool]], *, opens: bool) -> int:
    """Return the nearest open level of the same kind for the first of some lines; the deeper one of two.

    Lines below one that opens a mapping or list must be below its level too.
    """
    _, indent, item = lines[0]
    below = lines[1][1] if opens and len(lines) > 1 and lines[1][1] > indent else None
    fitting = [level for level, kind in levels if kind == item] or [level for level, _ in levels]
    fitting = [level for level in fitting if below is None or level < below] or fitting
    return min(fitting, key=lambda level: (abs(level - indent), -level))


def out_of_step(lines: list[Line], at: int, level: int, shape: Outline) -> tuple[int, int, int]:
    """Return the line that is out of step, its indentation, and the right one.

    It is the line where the parser stopped, or one line above that disagrees with several others.
    """
    number, indent, _ = lines[at]
    lost = _not_indented(lines, at, level, shape)
    if lost is not None:
        return lost, level, indent
    above = []
    for other, other_indent, _ in reversed(lines[:at]):
        if other_indent < min(level, indent):
            break
        if other_indent == level:
            above.append(other)
    below = 0
    for _, other_indent, _ in lines[at:]:
        if other_indent < indent:
            break
        below += other_indent == indent
    if len(above) == 1 and below > 1:
        return above[0], level, indent
    return number, indent, level


def _not_indented(lines: list[Line], at: int, level: int, shape: Outline) -> int | None:
    """Return the first of a few lines that follow an empty key without indentation, if later lines are indented."""
    indent, below = lines[at][1], 0
    for _, other, _ in lines[at:]:
        if other < indent:
            break
        below += other == indent
    run: list[int] = []
    for number, other, _ in reversed(lines[:at]):
        if other != level or indent <= level:
            return None
        if shape.code(number).endswith(":"):
            return run[-1] if run and len(run) < below else None
        run.append(number)
    return None
