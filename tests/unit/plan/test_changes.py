"""Facts hold everything that is rendered, and changes tell one decision as one difference."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.plan.changes import changes
from generator.plan.facts import facts
from generator.plan.repository import Repository
from generator.plan.resolve import Planned, no_digest, resolve
from generator.plan.strategy import Canary, Step

EXAMPLES = Path(__file__).resolve().parents[3] / "specs"
# Follows from other facts, each of which is compared: the reason stands in generator/plan/facts.py.
FOLLOWS = {
    "identity.team", "bento.custom_class", "identity.model", "identity.environment", "version.ref", "image.digest", "image.tag",
    "bento.name", "bento.class_name", "bento.tag", "bento.version", "bento.digest", "bento.buckets", "bento.scrape_s",
    "bento.path", "gate_key", "gates.config", "gates.kind", "gates.waiver.gate", "version.at",
}  # fmt: skip
GUARD_FOLLOWS = {"limit", "name", "index", "alpha", "mask_s", "at_most"}


def planned(model: str, root: Path = EXAMPLES.parent, environment: str = "production") -> Planned:
    repository = Repository(root)
    entry = next(entry for entry in repository.entries if entry.name == model)
    resolved = resolve(repository, entry, no_digest)
    assert not [finding for finding in resolved.findings if finding.severity == "error"]
    return next(found for found in resolved.plans if found.plan.identity.environment == environment)


def with_plan(found: Planned, **values: object) -> Planned:
    return dataclasses.replace(found, plan=dataclasses.replace(found.plan, **values))


def other(value: object) -> object:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    if isinstance(value, str):
        return "x" + value
    if isinstance(value, tuple):
        return (*value, value[0]) if value else value
    return "something"


def leaves(prefix: str, value: object):
    for field in dataclasses.fields(value):
        inner, path = getattr(value, field.name), f"{prefix}{field.name}"
        if dataclasses.is_dataclass(inner):
            for deeper, changed in leaves(f"{path}.", inner):
                yield deeper, dataclasses.replace(value, **{field.name: changed})
        elif isinstance(inner, tuple) and inner and dataclasses.is_dataclass(inner[0]):
            for deeper, changed in leaves(f"{path}.", inner[0]):
                yield deeper, dataclasses.replace(value, **{field.name: (changed, *inner[1:])})
        elif inner != other(inner) and path not in FOLLOWS:
            yield path, dataclasses.replace(value, **{field.name: other(inner)})


@pytest.mark.parametrize("model", ["shop/recommender", "risk/fraud", "support/ticket-classifier"])
def test_every_value_of_a_plan_is_a_fact_or_follows_from_facts(model):
    """A field that is new in the plan and forgotten in the facts fails here."""
    found = planned(model)
    tried, silent = set(), set()
    for path, plan in leaves("", found.plan):
        tried.add(path)
        try:
            told = changes(found, dataclasses.replace(found, plan=plan))
        except (TypeError, AttributeError):  # a value that this type can't hold
            continue
        if not told:
            silent.add(path)
    guards = {path for path in silent if ".guards." in path and path.rpartition(".")[2] in GUARD_FOLLOWS}
    assert len(tried) > 60
    assert silent == guards


def test_equal_plans_have_no_changes_and_a_new_one_is_told_whole():
    found = planned("shop/recommender")
    assert changes(found, planned("shop/recommender")) == ()
    assert changes(None, None) == ()
    (new,) = changes(None, found)
    (gone,) = changes(found, None)
    assert new.text == "model: new, version 12, canary, tier high-traffic"
    assert gone.text == "model: gone, was version 12, canary, tier high-traffic"


def test_what_follows_is_not_told(tmp_path):
    """A guard more shares the risk with the others; only the guard is told."""
    root = tmp_path / "repository"
    shutil.copytree(EXAMPLES, root / "specs")
    spec = root / "specs/shop/recommender.yaml"
    spec.write_text(
        spec.read_text().replace(
            "    risk:", "      - {metric: error-rate, name: harder, limit: 3%}\n    risk:"
        )
    )
    (change,) = changes(planned("shop/recommender"), planned("shop/recommender", root))
    assert (change.topic, change.item, change.old) == ("guard", "harder", None)
    assert change.new.startswith("threshold at most 3%")


def steps(weights: list[int]) -> tuple[Step, ...]:
    return tuple(Step(weight=weight, hold_s=60.0) for weight in weights)


def with_steps(weights: list[int]) -> Planned:
    found = planned("shop/recommender")
    assert isinstance(found.plan.rollout, Canary)
    return with_plan(found, rollout=dataclasses.replace(found.plan.rollout, steps=steps(weights)))


def test_a_step_in_between_moves_no_other():
    told = changes(with_steps([5, 25, 50]), with_steps([5, 10, 25, 50]))
    assert [change.text for change in told] == ["step 2: new, weight 10%, hold 1m"]
    told = changes(with_steps([5, 10, 25, 50]), with_steps([5, 25, 50]))
    assert [change.text for change in told] == ["step 2 (old): gone, was weight 10%, hold 1m"]
    told = changes(with_steps([5, 25, 50]), with_steps([10, 25, 50]))
    assert [change.text for change in told] == ["step 1 weight: 5% → 10%"]


BASE = with_steps([5, 25, 50])


@settings(deadline=None)
@given(st.lists(st.integers(1, 99), max_size=6), st.lists(st.integers(1, 99), max_size=6))
def test_steps_differ_exactly_if_something_is_told(old, new):
    rollout = BASE.plan.rollout
    before = with_plan(BASE, rollout=dataclasses.replace(rollout, steps=steps(old)))
    after = with_plan(BASE, rollout=dataclasses.replace(rollout, steps=steps(new)))
    told = changes(before, after)
    assert bool(told) == (old != new)
    # Reading the differences forwards from the old steps gives the new ones.
    assert sum(c.old is None for c in told) - sum(c.new is None for c in told) == len(new) - len(old)


def test_facts_of_one_item_stand_together():
    for model in ("shop/recommender", "risk/fraud", "support/ticket-classifier"):
        items = [(fact.topic, fact.item) for fact in facts(planned(model))]
        assert len(
            {(*key, fact.field) for key, fact in zip(items, facts(planned(model)), strict=True)}
        ) == len(items)
