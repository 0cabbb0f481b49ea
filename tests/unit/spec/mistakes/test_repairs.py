"""Repairs are values that the field accepts; whatever is written, it is explained and never a crash."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from generator.source.flow import flow
from generator.source.reader import parse
from generator.spec import types
from generator.spec.check import check_data
from generator.spec.gate_data import TimeWindow
from generator.spec.mistakes import repairs
from generator.spec.mistakes.amounts import Typed, number
from generator.spec.mistakes.annotations import Target, accepts, locate
from generator.spec.mistakes.suggestions import candidates
from generator.spec.mistakes.words import WORDS
from generator.spec.model import ModelFile
from generator.spec.platform import PlatformFile
from generator.spec.schema import model_schema, platform_schema
from generator.spec.units import unit_of
from tests.unit.spec.mistakes.base import PLATFORM, SPEC

ALIASES = {name: alias for name, alias in vars(types).items() if unit_of(getattr(alias, "__metadata__", ()))}


def test_every_unit_has_repairs():
    assert {unit_of(alias.__metadata__) for alias in ALIASES.values()} <= set(repairs.UNITS)


@pytest.mark.parametrize("name", sorted(ALIASES))
def test_the_example_of_a_unit_is_a_value_and_repairs_to_itself(name):
    alias = ALIASES[name]
    example = TypeAdapter(alias).json_schema()["examples"][0]
    assert accepts(alias, example)
    adapter = TypeAdapter(alias)
    repaired = candidates(Target((), (), None, None, alias), example)[0].value
    assert adapter.validate_python(repaired) == adapter.validate_python(example)


TYPED = st.text("0123456789 .,%:/-_+eEmhsdkMGiBpTwZ€$aüx@", max_size=12)


@given(st.sampled_from(sorted(ALIASES)), TYPED)
def test_a_repair_is_accepted_and_reads_back(name, text):
    for repair in candidates(Target((), (), None, None, ALIASES[name]), text):
        assert accepts(ALIASES[name], repair.value)
        assert parse(f"a: {flow(repair.value)}\n".encode(), "s").data == {"a": repair.value}


@given(st.sampled_from(sorted(repairs.UNITS)), st.text(max_size=20))
def test_any_text_has_repairs_or_none(unit, text):
    list(repairs.UNITS[unit](Typed(text, "60m")))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5), ("0,5", 0.5), ("1,000", 1000), ("1.000,5", 1000.5), ("1 000", 1000), ("1_000", 1000), ("10k", 10000),
        ("2m", 2000000), ("1/20", 0.05), ("five", 5), ("half", 0.5), (">= 5", 5), ("~5", 5), ("1e-2", 0.01),
    ],
)  # fmt: skip
def test_numbers(text, value):
    assert float(number(text)) == value


@pytest.mark.parametrize("text", ["", "five percent", "x", "1/0", "--", "e3", "%"])
def test_what_is_no_number(text):
    assert number(text) is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10**6) | st.floats(-10, 10, allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["weight", "hold", "x", "steps", "min", "requests", "pause"]), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
RECORDS = {"model": (ModelFile, SPEC), "platform": (PlatformFile, PLATFORM)}


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in inner for found in paths(item, (*path, key)))]


KEYS = [
    "zzz",
    "weigth",
    "minReplicas",
    "limits",
    "steps",
    "tier",
    "setWeight",
    "image",
    "name",
    "Spec",
    "-hold",
    "",
    "replicaCount",
    "canary",
]


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_whatever_is_written_is_explained(data):
    kind = data.draw(st.sampled_from(sorted(RECORDS)))
    record, text = RECORDS[kind]
    document = parse(text.encode(), "s.yaml")
    broken = copy.deepcopy(document.data)
    for _ in range(data.draw(st.integers(1, 3))):
        known = [path for path in paths(broken) if path]
        if not known:
            break
        path = data.draw(st.sampled_from(known))
        holder = broken
        for part in path[:-1]:
            holder = holder[part]
        if isinstance(holder, dict) and data.draw(st.booleans()):
            holder[data.draw(st.sampled_from(KEYS))] = holder.pop(path[-1])
        else:
            holder[path[-1]] = data.draw(VALUES)
    file, findings = check_data(record, broken, lambda path: (document, path))
    assert (file is None) == bool(findings)
    for finding in findings:
        assert finding.message
        assert finding.hint
        assert "\n" not in finding.message
        assert finding.place.line > 0
    partial = check_data(record, broken, lambda path: (document, path), partial=True)[1]
    assert len(partial) <= len(findings) + 1


def test_every_key_that_a_habit_stands_for_exists():
    from generator.spec.mistakes.annotations import sites
    from generator.spec.mistakes.habits import GENERAL, Put
    from generator.spec.mistakes.habits_by_place import AT
    from generator.spec.mistakes.habits_by_place import PLATFORM as PLATFORM_HABITS

    known = {(*site.pattern, site.key) for site in sites(ModelFile)}
    for habit in GENERAL.values():
        assert not isinstance(habit, Put) or habit.path[1:] in known, habit
    for table, record in ((AT, ModelFile), (PLATFORM_HABITS, PlatformFile)):
        places = {(*site.pattern, site.key) for site in sites(record)}
        for pattern, habits in table.items():
            for foreign, habit in habits.items():
                assert not isinstance(habit, Put) or (*pattern, *habit.path) in places, (pattern, foreign)


def test_every_word_that_others_have_stands_for_one_of_ours():
    known = json.dumps([model_schema(), platform_schema()])
    assert [word for word in WORDS if f'"{word}"' not in known] == []


def test_a_member_of_a_union_keeps_what_restricts_it():
    annotation = locate(TimeWindow, ("gaps", 0, "a date")).annotation
    assert [accepts(annotation, day) for day in ("2026-12-25", "2026-13-40")] == [True, False]
