"""The syntax of conditions: tokens, a parser, and the tree that it builds.

The controller compiles conditions with antonmedv/expr 1.15 (Argo Rollouts 1.9) or expr-lang/expr 1.17 (1.10).
Tokens and precedences are those of `parser/lexer` and `parser/operator` there. A construct that is left out raises
`Unsupported`; a construct that the language does not have raises `Rejected`.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from generator.dataclass import dataclass


class Rejected(Exception):  # noqa: N818 - the controller's answer, not a failure of ours
    """The controller cannot compile or run the condition: the measurement is an Error."""


class Unsupported(Exception):  # noqa: N818 - a limit of ours, not of the controller
    """The condition uses a part of the language that is not evaluated here."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a string, true, false or nil."""

    value: float | int | str | bool | None


@dataclass(frozen=True, slots=True)
class Name:
    """A variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Pointer:
    """`#`: the current element inside a predicate."""


@dataclass(frozen=True, slots=True)
class Unary:
    """`!x`, `-x`, `+x`."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """A binary operator with its operands."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Member:
    """`base[index]` or `base.name`; with `?.` (optional), nil when the base is nil."""

    base: Node
    index: Node
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain of members: nil as a whole when the base of an optional member is nil."""

    body: Node


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; a predicate is one of the arguments."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Conditional:
    """`test ? yes : no`."""

    test: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True)
class Items:
    """A list, `[a, b]`."""

    values: tuple[Node, ...]


Node: TypeAlias = Literal | Name | Pointer | Unary | Binary | Member | Chain | Call | Conditional | Items

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>0[xX][0-9a-fA-F_]+|(?:\d[\d_]*(?:\.(?!\.)\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)
    | (?P<name>[A-Za-z_$][A-Za-z0-9_$]*)
    | (?P<mark>\?\.|\?\?|\.\.|\*\*|&&|\|\||==|!=|>=|<=|[-+*/%^<>!?:.,()\[\]{}\#|;=])
    )""",
    re.VERBOSE,
)
_MOST_TOKENS: Final = 150
"""Conditions have about 30 tokens; parser and compiler recurse at most this often."""
_SHOWN: Final = 40
_BINARY = {
    "or": 10,
    "||": 10,
    "and": 15,
    "&&": 15,
    "==": 20,
    "!=": 20,
    "<": 20,
    ">": 20,
    ">=": 20,
    "<=": 20,
    "in": 20,
    "contains": 20,
    "startsWith": 20,
    "endsWith": 20,
    "+": 30,
    "-": 30,
    "*": 60,
    "/": 60,
    "%": 60,
    "**": 100,
    "^": 100,
    "??": 500,
}
_RIGHT = frozenset({"**", "^"})
_UNARY = {"not": 50, "!": 50, "-": 90, "+": 90}
_ORDER = frozenset({"<", ">", "<=", ">="})
_NEGATABLE = frozenset({"in", "contains", "startsWith", "endsWith", "matches"})
_OUTSIDE = frozenset({"matches", "|", "..", ";", "let", "if", "$env"})
_ALIAS = {"or": "||", "and": "&&", "not": "!", "**": "^"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}


def parse(text: str, *, chained: bool = True) -> Node:
    """Parse a condition.

    Args:
        text: the condition.
        chained: read `a < b < c` as `a < b && b < c` (Argo Rollouts 1.10 and later).

    Raises:
        Rejected: it is not a valid expression.
        Unsupported: it uses a construct that is not evaluated here.
    """
    parser = _Parser(_tokens(text), chained=chained)
    node = parser.expression(0)
    if parser.peek:
        raise Rejected(f"unexpected {parser.peek!r}")
    return node


def _tokens(text: str) -> list[str]:
    found: list[str] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        if text[position:].lstrip().startswith(("//", "/*")):
            raise Unsupported("a comment")
        match = _TOKEN.match(text, position)
        if match is None:
            raise Rejected(f"unexpected {text[position:].lstrip()[:1]!r}")
        found.append(match[0].strip())
        if len(found) > _MOST_TOKENS:
            raise Unsupported(f"more than {_MOST_TOKENS} tokens")
        position = match.end()
        if match["number"] and text[position : position + 1].isidentifier():
            raise Rejected(f"bad number {match['number']}{text[position]}")
    return found


def _string(word: str) -> str:
    body = word[1:-1]
    if word[0] == "`":
        return body

    def escape(match: re.Match[str]) -> str:
        if match[1] not in _ESCAPES:
            raise Unsupported(f"the escape \\{match[1]}")
        return _ESCAPES[match[1]]

    return re.sub(r"\\(.)", escape, body)


def _number(word: str) -> float | int:
    digits = word.replace("_", "")
    try:
        if any(mark in digits for mark in ".eE") and digits[:2].lower() != "0x":
            return float(digits)
        number = int(digits, 16 if digits[:2].lower() == "0x" else 10)
    except ValueError as error:  # no digits, or more than Python reads
        raise Rejected(f"{word[:_SHOWN]} is not a number") from error
    if number >= 2**63:
        raise Rejected(f"{word[:_SHOWN]} is too large")
    return number


class _Parser:
    """Operator-precedence parser over a list of tokens."""

    def __init__(self, words: list[str], *, chained: bool) -> None:
        self.words, self.at, self.chained, self.depth = words, 0, chained, 0

    @property
    def peek(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ""

    def take(self, wanted: str = "") -> str:
        word = self.peek
        if not word or (wanted and word != wanted):
            raise Rejected(f"unexpected {word!r}, expected {wanted!r}" if word else "unexpected end")
        self.at += 1
        return word

    def skip(self, word: str) -> bool:
        if self.peek == word:
            self.at += 1
            return True
        return False

    def expression(self, floor: int) -> Node:
        """Parse an expression whose operators bind at least as tightly as `floor`."""
        left, before = self.prefix(), ""
        while (operator := self.operator()) and _BINARY[operator.removeprefix("not ")] >= floor:
            if before == "??" != operator:
                raise Rejected("?? and other operators cannot be mixed without parentheses")
            left, before = self.infix(left, operator), operator
        if floor == 0 and self.skip("?"):
            if self.peek == ":":
                raise Unsupported("the operator '?:'")
            yes = self.expression(0)
            self.take(":")
            return Conditional(left, yes, self.expression(0))
        return left

    def operator(self) -> str:
        """Return the binary operator at the current token, or an empty string."""
        word = self.peek
        if word == "not" and self.at + 1 < len(self.words) and self.words[self.at + 1] in _NEGATABLE:
            word = f"not {self.words[self.at + 1]}"
        if word.removeprefix("not ") in _OUTSIDE:
            raise Unsupported(f"the operator {word!r}")
        return word if word.removeprefix("not ") in _BINARY else ""

    def infix(self, left: Node, operator: str) -> Node:
        self.at += len(operator.split())
        name = operator.removeprefix("not ")
        level = _BINARY[name]
        right = self.expression(level if name in _RIGHT else level + 1)
        node: Node = Binary(_ALIAS.get(name, name), left, right)
        while self.chained and name in _ORDER and self.peek in _ORDER:
            following = self.take()
            beyond = self.expression(level + 1)
            node = Binary("&&", node, Binary(following, right, beyond))
            right = beyond
        return Unary("!", node) if operator != name else node

    def prefix(self) -> Node:
        word = self.peek
        if word in _UNARY:
            self.take()
            return Unary(_ALIAS.get(word, word), self.expression(_UNARY[word]))
        return self.postfix(self.primary())

    def primary(self) -> Node:
        word = self.take()
        if word in _OUTSIDE or word == "{":
            raise Unsupported(f"{word!r}")
        if word == "(":
            node = self.expression(0)
            self.take(")")
            return node
        if word == "[":
            return Items(self.sequence("]"))
        if word == "#":
            return Pointer()
        if word == "." and self.depth and re.match(r"[A-Za-z_]", self.peek):
            return Member(Pointer(), Literal(self.take()))
        return self.atom(word)

    def atom(self, word: str) -> Node:
        if word[0] in "\"'`":
            return Literal(_string(word))
        if word[0].isdigit() or (word[0] == "." and word[1:2].isdigit()):
            return Literal(_number(word))
        if word in {"true", "false"}:
            return Literal(word == "true")
        if word == "nil":
            return Literal(None)
        if not re.match(r"[A-Za-z_$]", word):
            raise Rejected(f"unexpected {word!r}")
        if not self.skip("("):
            return Name(word)
        self.depth += 1
        arguments = self.sequence(")")
        self.depth -= 1
        return Call(word, arguments)

    def sequence(self, end: str) -> tuple[Node, ...]:
        values: list[Node] = []
        while not self.skip(end):
            if values:
                self.take(",")
                if self.skip(end):
                    break
            if self.skip("{"):
                values.append(self.expression(0))
                self.take("}")
            else:
                values.append(self.expression(0))
        return tuple(values)

    def postfix(self, node: Node) -> Node:
        optional = False
        while self.peek in {".", "?.", "["}:
            mark = self.take()
            if mark == "[":
                index = self.expression(0)
                if self.peek == ":":
                    raise Unsupported("a slice")
                self.take("]")
            elif re.match(r"[A-Za-z_$]", self.peek):
                index = Literal(self.take())
                if self.peek == "(":
                    raise Unsupported("a method")
            else:
                raise Rejected(f"unexpected {self.peek!r}")
            optional |= mark == "?."
            node = Member(node, index, mark == "?.")
        return Chain(node) if optional else node
