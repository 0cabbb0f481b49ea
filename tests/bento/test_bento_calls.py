"""The rendered module that calls the model, with predictors that show what they were given."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
import threading
import time
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from generator.render.bento import render_bento
from generator.render.environment import Templates
from tests.bento.bentos import BENTOS


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The module of a service with three threads."""
    path = tmp_path_factory.mktemp("calls") / "calls.py"
    path.write_text(render_bento(replace(BENTOS["fraud"], threads=3, max_rows=20), Templates())["calls.py"])
    spec = importlib.util.spec_from_file_location("calls", path)
    assert spec
    assert spec.loader
    module = sys.modules["calls"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Doubling:
    """Doubles numbers. A row of -1 is refused, -2 fails, and a row above 100 takes a second."""

    def __init__(self, *, rowwise: bool) -> None:
        self.rowwise = rowwise
        self.seen: list[list] = []
        self.running = self.peak = 0
        self.lock = threading.Lock()

    def encode(self, rows: list) -> list:
        if -1 in rows:
            raise ValueError("-1")
        return rows

    def predict(self, data: list) -> list:
        with self.lock:
            self.seen.append(data)
            self.running += 1
            self.peak = max(self.peak, self.running)
        time.sleep(1.0 if max(data) > 100 else 0.02)
        with self.lock:
            self.running -= 1
        if -2 in data:
            raise RuntimeError("-2")
        return [2 * value for value in data]

    def scores(self, data: list) -> list:
        return [[value] for value in data]


def ask(calls: ModuleType, predictor: Doubling, requests: list[list], **more: Any) -> list:
    """Send requests at once; the answer or the failure of each."""

    async def main() -> list:
        caller = calls.Calls(predictor)
        waits = [caller.answer(rows, scores=more.get("scores", False)) for rows in requests]
        return await asyncio.gather(*waits, return_exceptions=True)

    return asyncio.run(main())


def test_requests_that_wait_share_a_call(calls: ModuleType) -> None:
    predictor = Doubling(rowwise=True)
    found = ask(calls, predictor, [[n, n + 50] for n in range(15)], scores=True)
    assert [one.predictions for one in found] == [[2 * n, 2 * n + 100] for n in range(15)]
    assert json.loads(found[3].to_json("v")) == {
        "predictions": [6, 106],
        "scores": [[3], [53]],
        "classes": None,
        "served_by": "v",
    }
    assert len(predictor.seen) <= 4
    assert max(map(len, predictor.seen)) <= 20  # `maxRows`


def test_a_model_that_looks_at_other_rows_gets_each_request_alone(calls: ModuleType) -> None:
    predictor = Doubling(rowwise=False)
    ask(calls, predictor, [[n] for n in range(9)])
    assert sorted(predictor.seen) == [[n] for n in range(9)]
    assert predictor.peak == 3


@pytest.mark.parametrize(("bad", "failure"), [(-1, "RefusedError"), (-2, "RuntimeError")])
def test_a_bad_row_fails_its_own_request_only(calls: ModuleType, bad: int, failure: str) -> None:
    found = ask(calls, Doubling(rowwise=True), [[1], [2], [bad], [3], [4, 5]])
    assert type(found[2]).__name__ == failure
    assert [one.predictions for one in found if not isinstance(one, Exception)] == [[2], [4], [6], [8, 10]]


def test_a_long_call_does_not_hold_up_the_others(calls: ModuleType) -> None:
    predictor = Doubling(rowwise=True)

    async def main() -> float:
        caller = calls.Calls(predictor)
        long = asyncio.ensure_future(caller.answer([101], scores=False))
        await asyncio.sleep(0)
        started = time.perf_counter()
        await caller.answer([1], scores=False)
        short = time.perf_counter() - started
        assert not long.done()
        await long
        return short

    assert asyncio.run(main()) < 1.0


def test_a_cancelled_request_is_not_started(calls: ModuleType) -> None:
    predictor = Doubling(rowwise=False)

    async def main() -> None:
        caller = calls.Calls(predictor)
        waits = [asyncio.ensure_future(caller.answer([n], scores=False)) for n in range(6)]
        await asyncio.sleep(0)
        for wait in waits:
            wait.cancel()
        await caller.answer([7], scores=False)

    asyncio.run(main())
    assert sorted(predictor.seen) == [[0], [1], [2], [7]]


class Scalar:
    """A number as numpy and torch have it."""

    def tolist(self) -> float:
        return 1.5


def test_numbers_of_numpy_and_torch_become_plain_ones(calls: ModuleType) -> None:
    assert calls.to_json([Scalar(), {"a": Scalar()}]) == '[1.5, {"a": 1.5}]'


@pytest.mark.parametrize("value", [float("nan"), [1.0, float("inf")], {"a": float("-inf")}, object()])
def test_what_is_not_json_is_a_failure(calls: ModuleType, value: object) -> None:
    with pytest.raises(RuntimeError, match="the model's answer is not JSON"):
        calls.to_json(value)


def test_more_calls_run_at_a_time_only_while_each_computes(calls: ModuleType) -> None:
    caller = calls.Calls(Doubling(rowwise=True))
    seen = []
    for share in [0.95] * 100 + [0.5] * 50 + [0.95] * 300:
        caller._adapt(share)
        seen.append(caller._most)
    assert (seen[0], seen[99], seen[149], seen[250], seen[-1]) == (1, 3, 1, 1, 3)
