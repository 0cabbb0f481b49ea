"""Writes values as literals of YAML or Python, or as one line of prose, so that they can't break out of a template."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

from generator.source.line import one_line

# Texts that every YAML 1.1 and 1.2 parser reads as this string without quotes.
_PLAIN = re.compile(r"[A-Za-z/](?:[A-Za-z0-9_./-]*[A-Za-z0-9_/])?")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n", "t", "f"})
# Characters that need an escape in double quotes: all but printable ASCII without quote and backslash.
_SPECIAL = re.compile(r"[^ !#-\[\]-~]")
_json_text = json.encoder.encode_basestring_ascii
_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
# Letters and signs beyond ASCII that are not escaped: ranges that Unicode had filled long before the oldest supported
# Python. For others, `isprintable` differs between Python versions, which would then write different files.
# Compiled on first use: it takes 10 ms.
_READABLE = (
    "[\u00a1-\u00ac\u00ae-\u02ff\u0391-\u03a1\u03a3-\u03ff\u0400-\u0482\u048a-\u052f\u05d0-\u05ea\u0620-\u064a"
    "\u0904-\u0939\u2010-\u2027\u20a0-\u20ba\u2190-\u21ff\u3041-\u3096\u30a1-\u30ff\u3400-\u4db5\u4e00-\u9fa5"
    "\uac00-\ud7a3\U0001f600-\U0001f64f]"
)


class Verbatim(str):
    """Text that one of our filters has already made safe."""

    __slots__ = ()


def yaml_value(value: object) -> str:
    """Return a value as YAML: scalars, and collections in flow style.

    Raises:
        TypeError: a template used a value that can't be written.
    """
    write = _YAML.get(type(value))
    if write is None:
        # An undefined value raises an error that names it.
        raise TypeError(f"{type(value).__name__} can't be written as YAML: {str(value)[:80]}")
    return write(value)


def _sequence(values: list[object] | tuple[object, ...]) -> str:
    return f"[{', '.join(map(yaml_value, values))}]"


def _mapping(values: dict[object, object]) -> str:
    return "{" + ", ".join(f"{yaml_value(key)}: {yaml_value(value)}" for key, value in values.items()) + "}"


def _float(value: float) -> str:
    """Return a float without an exponent: some YAML parsers read `1e-05` as text."""
    if not math.isfinite(value):
        raise TypeError(f"{value!r} can't be written as YAML")
    text = repr(value)
    if "e" not in text:
        return text
    plain = format(Decimal(text), "f")
    return plain if "." in plain else f"{plain}.0"


@lru_cache(maxsize=8192)
def yaml_text(text: str) -> str:
    """Return text as a YAML scalar: plain if that is unambiguous, else in double quotes."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return f'"{_SPECIAL.sub(_escaped, text)}"'


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    short = _SHORT_ESCAPES.get(character)
    if short:
        return short
    code = ord(character)
    if character.isascii():
        return f"\\x{code:02x}"
    if re.match(_READABLE, character):
        return character
    return f"\\u{code:04x}" if code <= _BMP else f"\\U{code:08x}"


_BMP = 0xFFFF


# By exact type: a look-up is several times faster than a chain of isinstance.
_YAML: dict[type, Callable[..., str]] = {
    Verbatim: str.__str__,
    str: yaml_text,
    bool: lambda value: "true" if value else "false",
    int: str,
    float: _float,
    list: _sequence,
    tuple: _sequence,
    dict: _mapping,
}


def python_value(value: object) -> str:
    """Return a value as a Python literal.

    Raises:
        TypeError: the value has no literal.
    """
    if isinstance(value, Verbatim):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        raise TypeError(f"{value!r} is not a literal")
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    if isinstance(value, str):
        return ascii(value)
    if isinstance(value, (list, tuple)):
        inner = ", ".join(map(python_value, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{python_value(k)}: {python_value(v)}" for k, v in value.items()) + "}"
    raise TypeError(f"{type(value).__name__} is not a literal: {str(value)[:80]}")


def inert_json(value: object) -> str:
    """Return JSON without Argo placeholders: `{{` can occur only inside a string, where it is escaped."""
    return json.dumps(value, sort_keys=True).replace("{{", "{\\u007b")


def indented_json(value: object, margin: str = "\n") -> str:
    """Return the same as `json.dumps(value, indent=1)` in a third of the time, for plain values with string keys."""
    if isinstance(value, dict):
        inner = margin + " "
        rows = [f"{inner}{_json_text(key)}: {indented_json(item, inner)}" for key, item in value.items()]
        return f"{{{','.join(rows)}{margin}}}" if rows else "{}"
    if isinstance(value, (list, tuple)):
        inner = margin + " "
        rows = [inner + indented_json(item, inner) for item in value]
        return f"[{','.join(rows)}{margin}]" if rows else "[]"
    if isinstance(value, str):
        return _json_text(value)
    return str(value) if type(value) is int else json.dumps(value)


def prose(value: object) -> str:
    """Return a value on one line without characters that are not seen, for a README or a comment."""
    return one_line(str(value))


def html_value(value: object) -> str:
    """Return a value for a page; Jinja escapes it unless it is already markup."""
    return value if isinstance(value, str) else str(value)


FINALIZE: dict[str, Callable[[object], str]] = {
    ".yaml.j2": yaml_value,
    ".py.j2": python_value,
    ".html.j2": html_value,
}


def finalizer(template: str) -> Callable[[object], str]:
    """Return the function that writes values in a template, by the template's name."""
    return next((write for suffix, write in FINALIZE.items() if template.endswith(suffix)), prose)
