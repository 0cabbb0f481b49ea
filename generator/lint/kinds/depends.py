"""The `depends` expressions of a Workflow's DAG: `a.Succeeded && (b || c.Failed)`.

Source: enhanced depends logic of Argo Workflows (`workflow/common/ancestry.go`). A bare task name means that
the task succeeded, was skipped or runs as a daemon. A task has either `depends` or `dependencies`, a list of
tasks that must all be so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

RESULTS: Final = frozenset(
    {"Succeeded", "Failed", "Errored", "Skipped", "Omitted", "Daemoned", "AnySucceeded", "AllFailed"}
)
_SIGNS: Final = frozenset({"&&", "||", "!", "(", ")"})
_BARE: Final = frozenset({"Succeeded", "Skipped", "Daemoned"})
_TOKEN: Final = re.compile(r"\s*(&&|\|\||!|\(|\)|[A-Za-z0-9_][-A-Za-z0-9_]*(?:\.[A-Za-z]+)?)\s*")


class DependsError(ValueError):
    """An expression that is not well formed, or names a result that no task can have."""


@dataclass(slots=True)
class _Parser:
    """Recursive descent over the tokens; evaluates while it reads."""

    tokens: list[str]
    results: Mapping[str, str]
    at: int = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def either(self) -> bool:
        value = self.both()
        while self.peek() == "||":
            self.take()
            value = self.both() or value
        return value

    def both(self) -> bool:
        value = self.term()
        while self.peek() == "&&":
            self.take()
            value = self.term() and value
        return value

    def term(self) -> bool:
        match self.take():
            case "!":
                return not self.term()
            case "(":
                value = self.either()
                if self.take() != ")":
                    raise DependsError("a parenthesis is not closed")
                return value
            case "":
                raise DependsError("a task name is expected at the end")
            case "&&" | "||" | ")" as sign:
                raise DependsError(f"a task name is expected before {sign}")
            case name:
                return self.outcome(name)

    def outcome(self, name: str) -> bool:
        task, _, wanted = name.partition(".")
        if wanted and wanted not in RESULTS:
            raise DependsError(f"{wanted} is no result of a task; there are {', '.join(sorted(RESULTS))}")
        return self.results.get(task, "Succeeded") in ({wanted} if wanted else _BARE)


def _tokens(expression: str) -> list[str]:
    expression = expression.strip()
    tokens, at = [], 0
    while at < len(expression):
        found = _TOKEN.match(expression, at)
        if found is None:
            raise DependsError(f"{expression[at:].split(maxsplit=1)[0]} is not understood")
        tokens.append(found[1])
        at = found.end()
    return tokens


def tasks_of(expression: str) -> list[str]:
    """The tasks that an expression names, each once.

    Raises:
        DependsError: it is not well formed.
    """
    names = [token.partition(".")[0] for token in _tokens(expression) if token not in _SIGNS]
    return list(dict.fromkeys(names))


def runs(expression: str, results: Mapping[str, str]) -> bool:
    """Whether a task with this expression runs, given the results of others; those not named have succeeded.

    Raises:
        DependsError: it is not well formed.
    """
    parser = _Parser(_tokens(expression), results)
    value = parser.either()
    if parser.peek():
        raise DependsError(f"{parser.peek()} is not expected here")
    return value
