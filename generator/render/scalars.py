"""Values to text that can't leave the place where a template puts them: YAML, Python, or one line of prose."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import lru_cache

# Plain where every YAML 1.1 and 1.2 reader agrees that it is this text.
_PLAIN = re.compile(r"[A-Za-z/](?:[A-Za-z0-9_./-]*[A-Za-z0-9_/])?")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n", "t", "f"})
_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_SAFE_PUNCTUATION = frozenset(" !#$%&'()*+,-./:;<=>?@[]^_`{|}~")


class Verbatim(str):
    """Text that a filter of ours has already made safe."""

    __slots__ = ()


def yaml_value(value: object) -> str:
    """A value as it stands in YAML: scalars, and collections in flow style.

    Raises:
        TypeError: the value has no form in YAML here; a template used something it should not.
    """
    if isinstance(value, Verbatim):
        return value
    if isinstance(value, str):
        return yaml_text(value)
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return _number(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(yaml_value, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{yaml_value(k)}: {yaml_value(v)}" for k, v in value.items()) + "}"
    raise TypeError(f"{type(value).__name__} can't be written as YAML: {value!r}")


@lru_cache(maxsize=65536)
def yaml_text(text: str) -> str:
    """Text as a YAML scalar: plain when nobody can misread it, else in double quotes."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    short = _SHORT_ESCAPES.get(character)
    if short:
        return short
    if character.isascii():
        return (
            character if character.isalnum() or character in _SAFE_PUNCTUATION else f"\\x{ord(character):02x}"
        )
    code = ord(character)
    if character.isprintable():
        return character
    return f"\\u{code:04x}" if code <= _BMP else f"\\U{code:08x}"


_BMP = 0xFFFF


def _number(value: float) -> str:
    """A float without an exponent: `1e-05` is text to some YAML readers."""
    text = repr(value)
    if "e" in text:
        text = f"{value:.20f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def python_value(value: object) -> str:
    """A value as a Python literal.

    Raises:
        TypeError: the value is no literal.
    """
    if isinstance(value, Verbatim):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        raise TypeError(f"{value!r} is no literal")
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    if isinstance(value, str):
        return ascii(value)
    if isinstance(value, (list, tuple)):
        inner = ", ".join(map(python_value, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{python_value(k)}: {python_value(v)}" for k, v in value.items()) + "}"
    raise TypeError(f"{type(value).__name__} is no literal: {value!r}")


def prose(value: object) -> str:
    """A value on one line of a README or a comment."""
    return " ".join(str(value).split())


FINALIZE: dict[str, Callable[[object], str]] = {".yaml.j2": yaml_value, ".py.j2": python_value}


def finalizer(template: str) -> Callable[[object], str]:
    """How values are written in a template, by its name."""
    return next((write for suffix, write in FINALIZE.items() if template.endswith(suffix)), prose)
