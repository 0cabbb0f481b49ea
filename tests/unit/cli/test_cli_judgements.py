"""Models are judged without keeping their plans, and what changes in between is not rendered."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from generator.output.errors import OutputError
from generator.pipeline.produce import produce
from generator.pipeline.session import Session
from generator.pipeline.work import Request, platform_inputs, survey
from generator.plan.values import Plan
from tests.system.repositories import TODAY, small


def product(root: Path):
    session = Session(root, TODAY)
    request = Request(root, root / "rendered", "", session.entries, None, TODAY)
    return produce(session, request, survey(request, platform_inputs(root)))


def test_no_plan_outlives_its_judgement(tmp_path):
    small(tmp_path)
    before = sum(isinstance(value, Plan) for value in gc.get_objects())
    made = product(tmp_path)
    gc.collect()
    assert len(made.good) == 1
    assert sum(isinstance(value, Plan) for value in gc.get_objects()) == before


@pytest.mark.parametrize("suffix", [".yaml", ".lock.yaml", ".evidence.json"])
def test_what_changed_since_it_was_judged_is_not_rendered(tmp_path, suffix):
    small(tmp_path)
    made = product(tmp_path)
    (entry,) = made.good
    file = entry.spec.with_name(entry.model + suffix)
    file.write_bytes((file.read_bytes() if file.exists() else b"") + b"\n")
    with pytest.raises(OutputError, match="changed while it was rendered; run again"):
        list(made.bundles())
