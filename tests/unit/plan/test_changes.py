"""A description holds everything that is rendered, and changes report one decision as one difference."""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.plan.changes import changes
from generator.plan.describe import describe
from generator.plan.repository import Repository
from generator.plan.resolve import Planned, no_digest, resolve
from generator.spec.record import Record
from tests.unit.plan.rollouts import weight_step, with_steps

EXAMPLES = Path(__file__).resolve().parents[3] / "specs"
# Follows from other values, each of which is compared (see generator/plan/describe.py).
FOLLOWS = {
    "identity.team", "server.custom_class", "identity.model", "identity.environment", "version.ref", "image.digest", "image.tag",
    "server.name", "server.class_name", "server.tag", "server.version", "server.digest", "server.buckets", "server.scrape_s",
    "server.path", "gate_key", "gates.config", "gates.spec", "gates.waiver.gate", "gates.waiver.model",
    "version.at", "rollout.guards", "rollout.shadow.guards", "common", "pod_templates", "keeps",
}  # fmt: skip
GUARD_FOLLOWS = re.compile(
    r"(shadow_)?guards\.(name|index|alpha|mask_s|more_is_worse|reported|counted\..*|signal\..*)"
)


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
    if isinstance(value, (tuple, list)):
        return type(value)((*value, value[0])) if value else value
    return "something"


def structured(value: object) -> bool:
    return dataclasses.is_dataclass(value) or isinstance(value, Record)


def with_field(value, name: str, inner: object):
    if isinstance(value, Record):
        return value.model_copy(update={name: inner})
    return dataclasses.replace(value, **{name: inner})


def leaves(prefix: str, value):
    names = (
        type(value).model_fields if isinstance(value, Record) else [f.name for f in dataclasses.fields(value)]
    )
    for name in names:
        inner, path = getattr(value, name), f"{prefix}{name}"
        if path in FOLLOWS:
            continue
        if structured(inner):
            for deeper, changed in leaves(f"{path}.", inner):
                yield deeper, with_field(value, name, changed)
        elif isinstance(inner, (tuple, list)) and inner and structured(inner[0]):
            for deeper, changed in leaves(f"{path}.", inner[0]):
                yield deeper, with_field(value, name, type(inner)((changed, *inner[1:])))
        elif inner != other(inner):
            yield path, with_field(value, name, other(inner))


@pytest.mark.parametrize("model", ["shop/recommender", "risk/fraud", "support/ticket-classifier"])
def test_every_value_of_a_plan_is_described_or_follows_from_those_that_are(model):
    """A field that is new in the plan and forgotten in the description fails here."""
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
    assert len(tried) > 60
    assert not [path for path in silent if not GUARD_FOLLOWS.fullmatch(path)]


def test_equal_plans_have_no_changes_and_a_new_one_is_told_whole():
    found = planned("shop/recommender")
    assert changes(found, planned("shop/recommender")) == ()
    assert changes(None, None) == ()
    (new,) = changes(None, found)
    (gone,) = changes(found, None)
    assert new.text == "model: added, version 12, canary, tier high-traffic"
    assert gone.text == "model: removed"


def test_what_follows_is_not_told(tmp_path):
    """A further guard shares the risk with the others; only the guard is reported."""
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


def with_weights(found: Planned, weights: list[int]) -> Planned:
    return dataclasses.replace(
        found, plan=with_steps(found.plan, [weight_step(weight) for weight in weights])
    )


def recommender_with(weights: list[int]) -> Planned:
    return with_weights(planned("shop/recommender"), weights)


def test_a_step_in_between_moves_no_other():
    told = changes(recommender_with([5, 25, 50]), recommender_with([5, 10, 25, 50]))
    assert [change.text for change in told] == ["step 2: added, weight 10%, hold 1m"]
    told = changes(recommender_with([5, 10, 25, 50]), recommender_with([5, 25, 50]))
    assert [change.text for change in told] == ["step 2 (old): removed"]
    told = changes(recommender_with([5, 25, 50]), recommender_with([10, 25, 50]))
    assert [change.text for change in told] == ["step 1 weight: 5% → 10%"]


BASE = recommender_with([5, 25, 50])


@settings(deadline=None)
@given(st.lists(st.integers(1, 99), max_size=6), st.lists(st.integers(1, 99), max_size=6))
def test_steps_differ_exactly_if_something_is_told(old, new):
    before, after = with_weights(BASE, old), with_weights(BASE, new)
    told = changes(before, after)
    assert bool(told) == (old != new)
    # Reading the differences forwards from the old steps gives the new ones.
    assert sum(c.old is None for c in told) - sum(c.new is None for c in told) == len(new) - len(old)


def test_values_of_one_item_are_together():
    for model in ("shop/recommender", "risk/fraud", "support/ticket-classifier"):
        items = [(value.topic, value.item) for value in describe(planned(model))]
        assert len(
            {(*key, value.field) for key, value in zip(items, describe(planned(model)), strict=True)}
        ) == len(items)
