"""The table of our own demands: every row meets a field of a published definition, every pattern has words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic_core import SchemaValidator, ValidationError

from generator.lint.kinds import KINDS, definitions, scalars, strict
from generator.lint.kinds.definitions import node
from generator.lint.kinds.strict import Rows, demands_on, layers, rows_of
from generator.lint.kinds.tables import _target

OBJECTS = {kind for _, kind in KINDS}
Use = tuple[int, str]
"""Some rows, by identity, and a field that they say something about."""


TABLES = {
    name: rows
    for name in strict._LINES
    if (name[0].isupper() or name[0] == "@")
    and (rows := demands_on(name) if name in OBJECTS else rows_of(name))
}


def said(rows: Rows) -> Iterator[str]:
    """The fields that rows say something about themselves."""
    yield from (name for name, demand in rows.fields.items() if not isinstance(demand, Rows))
    yield from rows.required | rows.full
    for kind, *rest in rows.conditions:
        if kind == "type":
            yield from (rest[0], *rest[2].values())
        elif kind != "check":
            yield from (name.lstrip("-") for name in rest if name != "*")


def every(rows: Rows, seen: set[int]) -> Iterator[Rows]:
    """Rows and all rows below and under them."""
    if id(rows) not in seen:
        seen.add(id(rows))
        yield rows
        below = [demand for demand in rows.fields.values() if isinstance(demand, Rows)]
        for other in [*below, *layers(rows.shared)]:
            yield from every(other, seen)


def walk(digest: str, demands: list[Rows], used: set[Use], seen: set[tuple[object, ...]]) -> None:
    """Note which demands meet a field, below one node."""
    found = node(digest)
    mark = (digest, *map(id, demands))
    if mark in seen:
        return
    seen.add(mark)
    if "same" in found:
        walk(_target(*found["same"]), demands, used, seen)
    elif "properties" in found:
        demands = [*layers(found.get("is", "")), *demands]
        for name, below in found["properties"].items():
            used |= {(id(rows), name) for rows in demands}
            last = next((rows.fields[name] for rows in reversed(demands) if name in rows.fields), None)
            walk(below, last.layers() if isinstance(last, Rows) else [], used, seen)
    else:
        for key in ("items", "values"):
            if key in found:
                walk(found[key], demands, used, seen)


def test_every_row_meets_a_field():
    used: set[Use] = set()
    for (_, kind), entry in KINDS.items():
        for root in entry.roots.values():
            walk(root, demands_on(kind).layers(), used, set())
    dead = [
        f"{name}: {field}"
        for name, table in TABLES.items()
        for rows in every(table, set())
        for field in said(rows)
        if (id(rows), field) not in used
        and not (name in OBJECTS and rows is table and field == "spec")  # demanded of every kind that has one
    ]
    assert dead == []


def test_a_row_that_meets_no_field_would_be_noticed():
    rows = Rows()
    strict._add(rows, "spec.noSuchField", "PORT")
    used: set[Use] = set()
    walk(definitions.root("v1", "Pod"), rows.layers(), used, set())
    assert [field for row in every(rows, set()) for field in said(row) if (id(row), field) not in used] == [
        "noSuchField"
    ]


def test_every_published_pattern_has_words():
    patterns = {node(digest)["pattern"] for digest in definitions._LINES if "pattern" in node(digest)}
    assert patterns <= strict.PATTERNS.keys()
    assert strict.PATTERNS.keys() <= patterns


@pytest.mark.parametrize("names", [strict.TEMPLATED, strict.MAY_BE_EMPTY, strict.MAY_BE_NEGATIVE])
def test_lists_of_names_are_not_empty(names):
    assert len(names) >= 4


def test_templated_kinds_are_known():
    assert {kind for _, kind in KINDS} >= strict.TEMPLATED


@pytest.mark.parametrize("demand", ["NO_SUCH_TYPE", "1..x"])
def test_a_demand_that_is_not_understood_is_an_error(demand):
    with pytest.raises((AttributeError, ValueError)):
        strict._add(Rows(), "a", demand)


def test_a_field_has_a_type_or_demands_below_it():
    rows = Rows()
    strict._add(rows, "a", "PORT")
    with pytest.raises(TypeError, match="a has a type, and demands below it"):
        strict._add(rows, "a.b", "PORT")


# For each form: texts that it takes, and near misses.
FORMS = {
    "DNS_LABEL": (["a", "a-1", "9", "a" * 63], ["", "A", "-a", "a-", "a.b", "a_b", "a" * 64]),
    "DNS_1035": (["a", "a-1"], ["", "9a", "-a", "A"]),
    "DNS_NAME": (["a", "a.b-c.d", "1.2"], ["", "a..b", ".a", "a.", "a_b", "A", "a" * 254]),
    "PATH_SEGMENT": (["a:b", "A b"], ["", "a/b", "a%b"]),
    "CONFIG_KEY": (["a", "A_b.c-d", ".x"], ["", "a b", "a/b"]),
    "ENV_NAME": (["A", "a.b", "with space"], ["", "A=B", "é"]),
    "SYNC_OPTION": (["CreateNamespace=true"], ["PruneLast", "=x", "a=b=c"]),
    "PORT_NAME": (["http", "a-1", "9090-x"], ["", "1234", "a--b", "-a", "a-", "A", "a" * 16]),
    "INT_OR_PERCENT": (["25%", 0, 3], ["25", "-1%", "%", -1, 1.5]),
    "INT_OR_PLACEHOLDER": (["{{args.n}}", "3", 3, "-1"], ["many", "3x", "", 1.5]),
    "QUANTITY": (["500m", "1Gi", 2, 0.5, "1e3", "+1", ".5", "5."], ["-1", "1 Gi", "2GB", "Gi", "", -1, -0.5]),
    "WHOLE_QUANTITY": (["500m", 2], ["-1", -1, 0.5]),
    "SIGNED_QUANTITY": (["-1", "1.5", -1], ["x", "", 1.5]),
    "GO_DURATION": (["90s", "1h30m", "1.5s", "0", "-1s", ".5h"], ["10", "1d", "1 m", "", "s"]),
    "ARGO_DURATION": (["90s", "600", "{{inputs.t}}"], ["1d", "1 minute", "", "-1s"]),
    "PAUSE_DURATION": ([10, "10", "90s"], ["1d", -1, "-1s", ""]),
    "TIME": (
        ["2026-11-29T08:30:00Z", "2026-11-29T08:30:00.5+01:00"],
        ["2026-11-29", "08:30", "2026-11-29T08:30:00"],
    ),
    "QUALIFIED_NAME": (["a", "a.b/c", "A_b"], ["", "a/b/c", "-a", "a/", "/a", "a" * 64]),
    "LABEL_VALUE": (["", "a", "A_b.c-d"], ["-a", "a-", "a b", "a/b", "a" * 64]),
    "INT": ([0, -1, 2**63 - 1, -(2**63)], [2**63, "1", 1.0, True]),
    "INT32": ([0, -1, 2**31 - 1], [2**31, -(2**31) - 1]),
    "COUNT": ([0, 2**40], [-1, 2**63]),
    "COUNT32": ([0, 2**31 - 1], [-1, 2**31]),
    "POSITIVE": ([1], [0, -1]),
    "PORT": ([1, 65535], [0, 65536, "80", True]),
    "PORT_OR_NAME": ([1, "http"], [0, "1234", "a--b"]),
    "FILE_MODE": ([0, 0o777], [-1, 0o1000]),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_form_takes_what_it_says_and_nothing_near(name):
    run = SchemaValidator(getattr(scalars, name)).validate_python
    good, bad = FORMS[name]
    for value in good:
        assert run(value) == value
    for value in bad:
        with pytest.raises(ValidationError):
            run(value)


def test_every_form_is_tried():
    demanded = {
        name
        for name, schema in vars(scalars).items()
        if name.isupper() and isinstance(schema, dict) and schema.get("type") in ("str", "int", "union")
    }
    plain = {"TEXT", "FILLED", "INT_OR_TEXT", "PLACEHOLDER"}
    assert demanded - plain == FORMS.keys()
