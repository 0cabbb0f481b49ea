"""The `depends` expressions of a Workflow's DAG: `a.Succeeded && (b || c.Failed)`.

Argo Workflows 3.7 evaluates them with the expr library, which metrics use as well (`workflow/controller/dag.go`,
evaluateDependsLogic), after it has replaced dashes in the names of tasks and written out each bare name: the task
succeeded, was skipped or runs as a daemon (`workflow/common/ancestry.go`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from generator.lint.conditions import syntax

RESULTS: Final = frozenset(
    {"Succeeded", "Failed", "Errored", "Skipped", "Omitted", "Daemoned", "AnySucceeded", "AllFailed"}
)
_BARE: Final = frozenset({"Succeeded", "Skipped", "Daemoned"})
_TASK: Final = re.compile(r"[A-Za-z0-9_][-A-Za-z0-9_]*(?:\.[A-Za-z]+)?")


class DependsError(ValueError):
    """The expression is not valid, or names a result that no task can have."""


def tasks_of(expression: str) -> list[str]:
    """Return the tasks that an expression names, each once."""
    return list(dict.fromkeys(token.partition(".")[0] for token in _TASK.findall(expression)))


def runs(expression: str, results: Mapping[str, str]) -> bool:
    """Return whether a task with this expression runs.

    Args:
        expression: the value of `depends`.
        results: the results of other tasks by name; tasks that are not in it have succeeded.

    Raises:
        DependsError: the expression is not valid.
    """
    try:
        tree = syntax.parse(_TASK.sub(lambda found: found[0].replace("-", "_"), expression))
    except syntax.Rejected as error:
        raise DependsError(str(error)) from error
    except syntax.Unsupported as error:
        raise DependsError(f"{error} is not allowed here") from error
    return _holds(tree, {name.replace("-", "_"): result for name, result in results.items()})


def _holds(node: syntax.Node, results: Mapping[str, str]) -> bool:
    match node:
        case syntax.Unary("!", operand):
            return not _holds(operand, results)
        case syntax.Binary("&&", left, right):
            return all([_holds(left, results), _holds(right, results)])  # both are checked
        case syntax.Binary("||", left, right):
            return any([_holds(left, results), _holds(right, results)])
        case syntax.Name(task):
            return results.get(task, "Succeeded") in _BARE
        case syntax.Member(syntax.Name(task), syntax.Literal(str() as result)):
            if result not in RESULTS:
                known = ", ".join(sorted(RESULTS))
                raise DependsError(f"`{result}` is not a result of a task; use one of {known}")
            return results.get(task, "Succeeded") == result
    raise DependsError("only tasks, their results, `&&`, `||`, `!` and parentheses are allowed")
