"""Tier defaults, spec and environment override as one tree: who wins, and who is named for it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from generator.plan.layers import Layers
from generator.source.document import Document
from generator.source.reader import parse
from tests.system.repositories import MODEL, PLATFORM, codes, resolve_one, small


def dump(value: Any, file: str) -> Document:
    document = parse(yaml.safe_dump(value, sort_keys=False).encode(), file)
    assert document.findings == []
    return document


def layers(defaults: Any, spec: Any, override: Any = None) -> Layers:
    tree = {"spec": {**spec, **({} if override is None else {"environments": {"live": override}})}}
    platform = {"spec": {"tiers": {"basic": {"defaults": defaults}}}}
    return Layers(dump(tree, "s.yaml"), dump(platform, "p.yaml"), "basic", "live")


@pytest.mark.parametrize(
    ("defaults", "spec", "override", "merged"),
    [
        ({"a": 1, "b": 1, "c": 1}, {"b": 2, "c": 2}, {"c": 3}, {"a": 1, "b": 2, "c": 3}),
        ({"m": {"a": 1, "b": 1}}, {"m": {"b": 2}}, {"m": {"c": 3}}, {"m": {"a": 1, "b": 2, "c": 3}}),
        ({"l": [1, 2, 3]}, {"l": [4]}, None, {"l": [4]}),
        ({"l": [{"a": 1}]}, {"l": [{"b": 1}]}, None, {"l": [{"b": 1}]}),
        ({"l": [1]}, {}, {"l": []}, {"l": []}),
        ({"m": {"a": 1}}, {"m": None}, None, {"m": None}),
        ({"m": {"a": 1}}, {"m": 5}, {"m": {"b": 2}}, {"m": {"b": 2}}),
        ({"m": 5}, {"m": {"a": 1}}, None, {"m": {"a": 1}}),
        ({"m": {"a": False}}, {}, {"m": {"b": 0}}, {"m": {"a": False, "b": 0}}),
        (None, {"a": 1}, None, {"a": 1}),
        ("text", {"a": 1}, None, {"a": 1}),
    ],
)
def test_merge(defaults, spec, override, merged):
    assert layers(defaults, spec, override).merged["spec"] == merged


def test_merging_leaves_the_documents_alone():
    found = layers({"m": {"a": [1]}}, {"m": {"b": 2}}, {"m": {"c": 3}})
    before = (repr(found.spec.data), repr(found.platform.data))
    found.merged["spec"]["m"]["z"] = 1
    assert (repr(found.spec.data), repr(found.platform.data)) == before


CANARY = {"strategy": "canary", "steps": [1], "shadow": {"x": 1}, "risk": {"power": "80%"}, "noData": "fail"}
GREEN = {"strategy": "blue-green", "approve": "x", "watch": "5m", "risk": {"power": "90%"}, "noData": "pause"}


@pytest.mark.parametrize(
    ("defaults", "spec", "override", "rollout"),
    [
        (CANARY, {"strategy": "blue-green"}, None, {"strategy": "blue-green", "risk": {"power": "80%"}, "noData": "fail"}),
        (GREEN, {"strategy": "canary"}, None, {"strategy": "canary", "risk": {"power": "90%"}, "noData": "pause"}),
        (CANARY, {"strategy": "canary"}, None, CANARY),
        (CANARY, {}, None, CANARY),
        (CANARY, {"noData": "pass"}, {"strategy": "blue-green"}, {"strategy": "blue-green", "risk": {"power": "80%"}, "noData": "pass"}),
        (GREEN, CANARY, {"strategy": "blue-green"}, {"strategy": "blue-green", "risk": {"power": "80%"}, "noData": "fail"}),
    ],
)  # fmt: skip
def test_defaults_of_another_strategy_do_not_reach_the_chosen_one(defaults, spec, override, rollout):
    under = None if override is None else {"rollout": override}
    assert layers({"rollout": defaults}, {"rollout": spec}, under).merged["spec"]["rollout"] == rollout


NAMES = st.sampled_from("abc")
TREES = st.recursive(
    st.integers(0, 9) | st.none() | st.lists(st.integers(0, 9), max_size=2),
    lambda inner: st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
MAPPINGS = st.dictionaries(NAMES, TREES, max_size=3)


def leaves(tree: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    if not isinstance(tree, dict):
        return {path: tree}
    return {found: value for key, item in tree.items() for found, value in leaves(item, (*path, key)).items()}


def seen(layer: Any, path: tuple[str, ...]) -> tuple[bool, Any]:
    for part in path:
        if not isinstance(layer, dict) or part not in layer:
            return False, None
        layer = layer[part]
    return True, layer


@given(MAPPINGS, MAPPINGS, MAPPINGS)
def test_every_leaf_comes_from_the_highest_layer_that_has_it(defaults, spec, override):
    found = layers(defaults, spec, override)
    sources = {"environment": override, "spec": spec, "tier": defaults}
    for path, value in leaves(found.merged["spec"]).items():
        origin = found.origin(("spec", *path))
        name, layer = next((name, layer) for name, layer in sources.items() if seen(layer, path)[0])
        assert origin.source == name
        assert seen(layer, path)[1] == value
        document, local = found.where(("spec", *path))
        assert document.has(local)
        assert origin.place == document.place(local)


def test_nobody_wrote_it():
    found = layers({}, {"a": 1})
    assert str(found.origin(("spec", "b"))) == "default"
    assert str(found.origin(("spec", "a"))) == "spec s.yaml:2:6"
    assert found.where(("spec", "b")) == (found.spec, ("spec", "b"))


def test_what_stands_outside_the_spec_is_the_specs_own():
    found = Layers(
        dump({"metadata": {"name": "x", "owner": "me"}, "spec": {"owner": "not me"}}, "s.yaml"),
        dump({}, "p.yaml"),
        "t",
        "e",
    )
    assert found.origin(("metadata", "owner")).source == "spec"
    assert found.origin(("metadata", "owner")).place == found.spec.place(("metadata", "owner"))


OVERRIDE = "  environments:\n    live:\n      rollout:\n        steps: [{weight: 10%}]\n"


def test_what_is_missing_in_an_overriding_list_is_told_in_that_list(tmp_path):
    """The list replaces the spec's as a whole: the spec's own first step has nothing to do with it."""
    found = resolve_one(small(tmp_path, MODEL + OVERRIDE))
    assert codes(found) == ["SPEC103"]
    assert found.findings[0].place.line == len((MODEL + OVERRIDE).splitlines())


def test_a_default_inside_an_overriding_list_is_no_value_of_the_list_below():
    found = layers({"l": [{"a": 1, "b": 2}]}, {"l": [{"a": 3}]})
    assert found.merged["spec"]["l"] == [{"a": 3}]
    assert found.origin(("spec", "l", 0, "b")).source == "default"


def test_a_tier_default_that_is_wrong_is_told_in_the_platform(tmp_path):
    platform = PLATFORM.replace("{evidence: [cluster]}", "{defaults: {replicas: many}}")
    found = resolve_one(small(tmp_path, platform=platform))
    assert [str(f.place).partition(":")[0] for f in found.findings] == ["specs/platform.yaml"]
