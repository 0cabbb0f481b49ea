"""The counters that the guards of a rollout read: predictions, outcomes and groups, by the version that served.

Rendered by Sluice. One answered request is one prediction, however many rows it holds: the request is what the router
gives to a version. Groups are counted by row, because each row is a decision about a person.
"""

from __future__ import annotations

import os
import threading
import time

from prometheus_client import Counter

MODEL = 'shop-recommender'
SERVED_BY = os.environ.get("SLUICE_SERVED_BY") or '12'
HOLD_S = 30.0  # two scrapes
EVENTS = {'click': ('ctr',)}  # event: the outcomes it counts for
OUTCOMES = sorted({name for names in EVENTS.values() for name in names})
MAX_ARMS = 100  # versions other than this one; one without feedback for a day makes room for a new one
FORGET_S = 86_400.0


class HeldCounter:
    """A counter whose new series stay at 0 until two scrapes have seen them; increments wait meanwhile.

    Prometheus' increase() misses the events that a series starts with: without the wait every new pod, and every version
    that feedback names for the first time, would lose its first events.
    """

    def __init__(self, name: str, text: str, *labels: str) -> None:
        self._counter = Counter(name, text, labels)
        self._lock = threading.Lock()
        self._held: dict[tuple[str, ...], int] = {}

    def create(self, *series: tuple[str, ...]) -> None:
        with self._lock:
            for labels in series:
                self._counter.labels(*labels)
                self._held[labels] = 0
        timer = threading.Timer(HOLD_S, self._release, series)
        timer.daemon = True
        timer.start()

    def inc(self, *labels: str, by: int = 1) -> None:
        with self._lock:
            if labels in self._held:
                self._held[labels] += by
                return
        self._counter.labels(*labels).inc(by)

    def _release(self, *series: tuple[str, ...]) -> None:
        with self._lock:
            for labels in series:
                self._counter.labels(*labels).inc(self._held.pop(labels))


predictions = HeldCounter("sluice_predictions", "Requests answered with predictions.", "model", "served_by")
outcomes = HeldCounter("sluice_outcomes", "Outcomes reported by feedback.", "model", "outcome", "served_by")
refused = Counter("sluice_feedback_refused", "Outcomes that do not count, by reason.", ("model", "reason"))
arms: dict[str, float] = {}  # version: when its last outcome came
admission = threading.Lock()


def create() -> None:
    """Create every series of our own version at 0: in the worker, before it is ready."""
    predictions.create((MODEL, SERVED_BY))
    admit(SERVED_BY)


def count_request() -> None:
    """Count one answered request."""
    predictions.inc(MODEL, SERVED_BY)


def admit(arm: str) -> bool:
    """Return whether outcomes of this version are counted; a new one is admitted while there is room."""
    now = time.monotonic()
    with admission:
        if arm not in arms:
            if len(arms) > MAX_ARMS:
                oldest = min(arms.keys() - {SERVED_BY}, key=arms.__getitem__)
                if arms[oldest] > now - FORGET_S:
                    return False
                del arms[oldest]
            outcomes.create(*((MODEL, outcome, arm) for outcome in OUTCOMES))
        arms[arm] = now
        return True


def count_event(arm: str, event: str) -> None:
    """Credit an event to the version that served the prediction; `admit` it first."""
    for outcome in EVENTS[event]:
        outcomes.inc(MODEL, outcome, arm)


def count_refused(reason: str, number: int = 1) -> None:
    """Count outcomes that do not count."""
    refused.labels(MODEL, reason).inc(number)
