"""Queries that teams write: one that only reads.

Spark runs a statement as soon as it is asked for the columns of its result, so a statement that writes is refused
before any engine sees it. An engine gets what was parsed, not the text, so that both read the same.
"""

from __future__ import annotations

from typing import Any, Final

import sqlglot
from common import Problem
from sqlglot import expressions as sge

_WRITES: Final = (
    sge.DDL,
    sge.DML,
    sge.Alter,
    sge.Command,
    sge.Copy,
    sge.Drop,
    sge.Into,
    sge.Lock,
    sge.Merge,
    sge.QueryTransform,
)
"""Parts of a query that change something, or that run a program (TRANSFORM of Spark)."""
_CALLS: Final = frozenset({"java_method", "reflect", "try_reflect"})
"""Functions of Spark that call any method of Java."""


def one_query(text: str, dialect: Any) -> str:
    """Return a query as the dialect writes it, without comments.

    Raises:
        Problem: it is not one query, or it does more than read tables.
    """
    try:
        statements = [one for one in sqlglot.parse(text, read=dialect) if one is not None]
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        raise Problem(f"the query can't be parsed: {type(error).__name__}") from error
    if len(statements) != 1 or not isinstance(statements[0], sge.Query):
        raise Problem("the query is not one SELECT")
    (query,) = statements
    for part in query.walk():
        if isinstance(part, _WRITES):
            raise Problem(f"the query does more than read: it has {part.key.upper()}")
        if isinstance(part, sge.Table):
            if not isinstance(part.this, sge.Identifier):
                raise Problem("the query reads from a function: name a table")
            check_table(".".join(one.name for one in part.parts))
        name = part.name if isinstance(part, sge.Anonymous) else ""
        if name.lower() in _CALLS:
            raise Problem(f"the query calls {name}, which runs a program")
    return query.sql(dialect=dialect, comments=False)


def check_table(name: str) -> None:
    """Check the name of a table: Spark reads csv.`/folder/file` as a file of its machines.

    Raises:
        Problem: it is a path or an address.
    """
    if "/" in name or ":" in name or "\\" in name:
        raise Problem(f"{name} is a path: name a table")
