"""The picture of a timeline: to scale where it can be, and nothing leaves it."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.plan.repository import Repository
from generator.plan.resolve import no_digest, resolve
from generator.plan.values import Plan
from generator.report.charts.segments import segments
from generator.report.charts.svg import Label, Line, Picture, Polygon, Rect
from generator.report.charts.timeline import NARROW, WIDE, timeline_picture
from generator.stats.delay import mask_dead_time
from tests.unit.plan.rollouts import approval, weight_step, with_steps

ROOT = Path(__file__).resolve().parents[4]


def plan_of(model: str) -> Plan:
    repository = Repository(ROOT)
    entry = next(entry for entry in repository.entries if entry.name == model)
    return resolve(repository, entry, no_digest).plans[-1].plan


RECOMMENDER, FRAUD, TICKETS = map(plan_of, ("shop/recommender", "risk/fraud", "support/ticket-classifier"))


weight_steps = st.builds(weight_step, st.integers(1, 99), st.floats(1, 1e6))
approvals = st.just(approval())


@settings(deadline=None)
@given(st.lists(weight_steps | approvals, min_size=1, max_size=12), st.sampled_from((WIDE, NARROW)))
def test_segments_fill_the_width_and_keep_their_order(steps, width):
    found = segments(with_steps(RECOMMENDER, steps), 10.0, width - 20.0)
    assert found[0].left == 10.0
    assert found[-1].right == pytest.approx(width - 10.0)
    for one, following in itertools.pairwise(found):
        assert one.right == pytest.approx(following.left)
        assert one.width > 0
    timed = sorted((s.lasts_s, s.width) for s in found if s.lasts_s)
    assert all(a[1] <= b[1] + 1e-6 for a, b in itertools.pairwise(timed)), "longer is never narrower"


@settings(deadline=None, max_examples=30)
@given(st.lists(weight_steps | approvals, min_size=1, max_size=12), st.sampled_from((WIDE, NARROW)))
def test_nothing_leaves_the_picture(steps, width):
    inside(timeline_picture(with_steps(RECOMMENDER, steps), width))


@pytest.mark.parametrize("plan", [FRAUD, TICKETS])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_shadows_and_switches_stay_inside_too(plan, width):
    inside(timeline_picture(plan, width))


def inside(picture: Picture) -> None:
    for shape in picture.shapes:
        if isinstance(shape, Rect):
            corners = [(shape.x, shape.y), (shape.x + shape.width, shape.y + shape.height)]
        elif isinstance(shape, Line):
            corners = [(shape.x1, shape.y1), (shape.x2, shape.y2)]
        elif isinstance(shape, Polygon):
            corners = [tuple(map(float, point.split(","))) for point in shape.points.split()]
        else:
            assert isinstance(shape, Label)
            half = len(shape.text) * 3.3
            left = {"start": shape.x, "middle": shape.x - half, "end": shape.x - 2 * half}[shape.anchor]
            corners = [(left, shape.y), (left + 2 * half, shape.y)]
        for x, y in corners:
            assert -0.1 <= x <= picture.width + 0.1, shape
            assert 0 <= y <= picture.height, shape


def test_long_spans_are_to_scale():
    found = segments(RECOMMENDER, 0.0, 800.0)
    hour, third = (s for s in found if s.weight in {5, 25})
    assert hour.width / third.width == pytest.approx(3600 / 1200)


def test_masks_last_as_long_as_the_statistics_leave_out():
    (guard,) = (guard for guard in RECOMMENDER.guards if guard.mask_s)
    shapes = timeline_picture(RECOMMENDER, WIDE).shapes
    masks = [shape for shape in shapes if isinstance(shape, Rect) and shape.css == "mask"]
    bodies = [s for s in shapes if isinstance(s, Rect) and s.css == "weight"]
    assert len(masks) == len(bodies) == 3
    for mask, body, hold in zip(masks, bodies, (3600, 1200, 1200), strict=True):
        assert mask.x == body.x
        assert mask.width / body.width == pytest.approx(mask_dead_time(guard.mask_s) / hold)


def test_each_widening_asks_each_guard_that_wants_evidence():
    asks = [
        s for s in timeline_picture(RECOMMENDER, WIDE).shapes if isinstance(s, Polygon) and s.css == "ask"
    ]
    assert len(asks) == 3 * 3
    people = [s for s in timeline_picture(FRAUD, WIDE).shapes if isinstance(s, Polygon) and s.css == "person"]
    assert len(people) == 1
