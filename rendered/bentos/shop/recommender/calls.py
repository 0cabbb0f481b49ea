"""The calls of the model: never more than `threads` at a time, whatever clients and time-outs do.

Rendered by Sluice. Requests that wait while the model is busy share its next call, if its answer for a row does not depend
on the other rows: a call has a fixed cost. No request waits for others to come.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
import traceback
import typing as t
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

logger = logging.getLogger("bentoml.service")
THREADS = 8
MAX_ROWS = 256
_ALONE, _CROWDED = 0.8, 0.6  # share of its time in which a call computes
_PATIENCE_S = 0.05
_TRIAL = 16  # calls until their number at a time may change
_REST = 16  # trials after a decrease in which it does not increase


class RefusedError(Exception):
    """The model does not accept the rows: the client's mistake."""


class AnswerError(RuntimeError):
    """The model's answer can't be sent; the text has no value of a client."""


@dataclass(frozen=True)
class Answer:
    """The predictions of one request, and the JSON text of predictions and scores."""

    predictions: list
    text: str

    def to_json(self, served_by: str) -> str:
        """Return the body of the answer."""
        return "".join(("{", self.text, ', "served_by": ', json.dumps(served_by), "}"))


@dataclass(frozen=True)
class Request:
    """The rows of one request, and who waits for the answer."""

    rows: list
    scores: bool
    waiter: asyncio.Future


def to_json(value: object) -> str:
    """Return JSON text; numbers and arrays of numpy or torch become plain ones.

    Raises:
        AnswerError: the value has NaN or an infinity, which JSON does not have, or something else that JSON lacks.
    """
    try:
        return json.dumps(value, allow_nan=False, default=_plain)
    except (TypeError, ValueError) as error:
        raise AnswerError(f"the model's answer is not JSON: {error}") from error


def _plain(value: t.Any) -> object:
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"it contains a {type(value).__name__}")


def class_names(predictor: t.Any) -> list | None:
    """Return the classes that predictions and scores are about; None if the model does not name them."""
    return getattr(predictor, "classes", None)


def answer(predictor: t.Any, rows: list, *, scores: bool) -> Answer:
    """Answer one request.

    Raises:
        RefusedError: the client's mistake.
        AnswerError: the model's answer can't be sent.
    """
    return _answers(predictor, rows, [len(rows)], scores=scores)[0]


def warm_up(predictor: t.Any, rows: list) -> Answer:
    """Answer rows once, scores included where the model has them.

    Raises:
        RefusedError: the model does not accept the rows.
        AnswerError: the answer can't be sent.
    """
    try:
        found = answer(predictor, rows, scores=True)
    except RefusedError:
        found = answer(predictor, rows, scores=False)
    if not hasattr(predictor, "takes_null"):
        predictor.takes_null = _takes_null(predictor, rows)
    return found


def _takes_null(predictor: t.Any, rows: list) -> bool:
    """Return whether the model has an answer where numbers are missing."""
    missing = [
        {name: value if isinstance(value, str) else None for name, value in row.items()}
        if isinstance(row, dict)
        else [None] * len(row)
        for row in rows
        if not isinstance(row, str)
    ]
    try:
        return bool(missing) and bool(answer(predictor, missing, scores=False))
    except Exception:  # noqa: BLE001 - whatever the model raises
        return False


def _check_nulls(rows: list) -> None:
    for number, row in enumerate(rows):
        cells = row.items() if isinstance(row, dict) else enumerate(row)
        if name := next((repr(name) for name, value in cells if value is None), None):
            raise RefusedError(f"row {number}, column {name}: the model takes no null")


def _answers(predictor: t.Any, rows: list, sizes: list[int], *, scores: bool) -> list[Answer]:
    if not getattr(predictor, "takes_null", True):
        _check_nulls(rows)
    try:
        data = predictor.encode(rows)
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise RefusedError(f"the model does not accept these rows: {error}") from error
    predictions = predictor.predict(data)
    if len(predictions) != len(rows):
        raise AnswerError(f"{len(predictions)} predictions for {len(rows)} rows")
    probabilities = predictor.scores(data) if scores else None
    if scores and probabilities is None:
        raise RefusedError("this model has no scores")
    answers, start = [], 0
    for size in sizes:
        part = slice(start, start := start + size)
        own = None if probabilities is None else probabilities[part]
        classes = class_names(predictor) if scores else None
        text = f'"predictions": {to_json(predictions[part])}, "scores": {to_json(own)}, "classes": {to_json(classes)}'
        answers.append(Answer(predictions[part], text))
    return answers


def _answer_together(predictor: t.Any, requests: list[Request]) -> list[Answer | Exception]:
    """Answer requests with one call; if it fails, each with a separate one."""
    try:
        rows = [row for request in requests for row in request.rows]
        sizes = [len(request.rows) for request in requests]
        return _answers(predictor, rows, sizes, scores=requests[0].scores)
    except RefusedError as error:
        failed: Exception = error
    except Exception as error:  # noqa: BLE001 - whatever the model raises
        # Without its text, which may have values that a client sent.
        lines = "".join(traceback.format_tb(error.__traceback__))
        reason = f": {error}" if isinstance(error, AnswerError) else ""
        logger.error("the model failed with %s%s\n%s", type(error).__name__, reason, lines)
        failed = error
    if len(requests) == 1:
        return [failed]
    return [one for request in requests for one in _answer_together(predictor, [request])]


def _timed(predictor: t.Any, requests: list[Request]) -> tuple[list[Answer | Exception], float]:
    """Answer requests together; the answers, and the share of the time in which the call had a core and Python's lock."""
    started, computed = time.perf_counter(), time.thread_time()
    answers = _answer_together(predictor, requests)
    return answers, (time.thread_time() - computed) / max(time.perf_counter() - started, 1e-9)


class Calls:
    """Calls the model in its own threads. All methods belong to the event loop.

    Where requests share calls, one call more runs at a time while each has a core, and one less when they wait for each
    other: fewer calls with more rows then answer more requests.

    Args:
        predictor: the model.
    """

    def __init__(self, predictor: t.Any) -> None:
        self._predictor = predictor
        self._together = MAX_ROWS if getattr(predictor, "rowwise", False) else 1
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="predict")
        self._most = 1 if self._together > 1 else THREADS  # calls at a time
        self._running = 0
        self._shares: list[float] = []
        self._rest = 0  # trials until one call more may run
        self._waiting: deque[Request] = deque()

    async def answer(self, rows: list, *, scores: bool) -> Answer:
        """Answer one request; a cancelled one is not started, and one that runs keeps its thread until it ends."""
        waiter = asyncio.get_running_loop().create_future()
        request = Request(rows, scores, waiter)
        self._waiting.append(request)
        self._start(self._most)
        if self._waiting:
            asyncio.get_running_loop().call_later(_PATIENCE_S, self._relieve, request)
        return await waiter

    def _relieve(self, request: Request) -> None:
        """Start one call more for a request that has waited long: a long call must not hold up all others."""
        if self._waiting and self._waiting[0] is request:
            self._start(min(self._running + 1, THREADS))

    def _start(self, most: int) -> None:
        while self._running < most and (requests := self._next()):
            self._running += 1
            call = asyncio.get_running_loop().run_in_executor(self._threads, _timed, self._predictor, requests)
            call.add_done_callback(partial(self._done, requests))

    def _next(self) -> list[Request]:
        """Return the requests of the next call, as many as fit."""
        requests: list[Request] = []
        rows = 0
        while self._waiting:
            first = self._waiting[0]
            rows += len(first.rows)
            if requests and (rows > self._together or first.scores != requests[0].scores):
                break
            self._waiting.popleft()
            if first.waiter.done():
                rows -= len(first.rows)
            else:
                requests.append(first)
        return requests

    def _done(self, requests: list[Request], call: asyncio.Future) -> None:
        self._running -= 1
        results, share = call.result()
        if self._together > 1:
            self._adapt(share)
        for request, result in zip(requests, results, strict=True):
            if request.waiter.done():
                continue
            if isinstance(result, Exception):
                request.waiter.set_exception(result)
            else:
                request.waiter.set_result(result)
        self._start(self._most)

    def _adapt(self, share: float) -> None:
        self._shares.append(share)
        if len(self._shares) < _TRIAL:
            return
        mean = sum(self._shares) / len(self._shares)
        self._shares.clear()
        self._rest = max(0, self._rest - 1)
        if mean < _CROWDED and self._most > 1:
            self._most, self._rest = self._most - 1, _REST
        elif mean > _ALONE and self._most < THREADS and not self._rest:
            self._most += 1
