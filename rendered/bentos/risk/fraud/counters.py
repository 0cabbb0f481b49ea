"""The counters that the guards of a rollout read: predictions, outcomes and groups, by the version that served.

Rendered by Sluice. One answered request is one prediction, however many rows it holds: the request is what the router
gives to a version. Groups are counted by row, because each row is a decision about a person.
"""

from __future__ import annotations

import os
import threading

from prometheus_client import Counter

MODEL = 'risk-fraud'
SERVED_BY = os.environ.get("SLUICE_SERVED_BY") or '12'
HOLD_S = 30.0  # two scrapes
GROUPS = {  # attribute: the group of each value
    'age_band': {'18-29': '18-29', '30-49': '30-49', '50-64': '50-64', '65+': '65+'},
    'gender': {'female': 'female', 'male': 'male', 'other': 'other'},
}
OTHER = 'other'  # group of undeclared and missing values
POSITIVE = (1,)  # predictions that count as selected


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
GROUP = ("model", "attribute", "group", "served_by")
group_predictions = HeldCounter("sluice_group_predictions", "Rows predicted, by group.", *GROUP)
group_positives = HeldCounter("sluice_group_positives", "Rows predicted positive, by group.", *GROUP)


def create() -> None:
    """Create every series of our own version at 0: in the worker, before it is ready."""
    predictions.create((MODEL, SERVED_BY))
    series = [(MODEL, a, g, SERVED_BY) for a, groups in GROUPS.items() for g in sorted({*groups.values(), OTHER})]
    group_predictions.create(*series)
    group_positives.create(*series)


def count_request() -> None:
    """Count one answered request."""
    predictions.inc(MODEL, SERVED_BY)


def check_answers(answers: list, classes: list | None) -> None:
    """Check that answers of the model can be positive, and not all of them.

    Raises:
        ValueError: they can't, so that all groups would look equal.
    """
    for answer in answers:
        if not any(isinstance(answer, str) == isinstance(one, str) for one in POSITIVE):
            raise ValueError(f"the model answers {answer!r}, which is never one of `service.positive`: {POSITIVE}")
        if not isinstance(answer, str | int | float):
            raise ValueError(f"the model answers {answer!r}, and only a text or a number can be positive")
    counted = [one in POSITIVE for one in classes or ()]
    if counted and (all(counted) or not any(counted)):
        raise ValueError(f"of the classes {classes}, `service.positive` lists {'all' if all(counted) else 'none'}")


def count_groups(groups: list[dict], answers: list) -> None:
    """Count each row under its group of every sensitive attribute.

    Args:
        groups: the values of the attributes, one dict a row.
        answers: the predictions, one a row.
    """
    for attribute, labels in GROUPS.items():
        for values, answer in zip(groups, answers, strict=True):
            series = (MODEL, attribute, labels.get(values.get(attribute), OTHER), SERVED_BY)
            group_predictions.inc(*series)
            group_positives.inc(*series, by=int(answer in POSITIVE))
