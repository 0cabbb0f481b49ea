"""The series a served model exposes, as the counters that guards read.

Own counters credit a prediction, and its late outcomes, to the version that served it (label `served_by`).
BentoML counts requests; the scrape configuration adds `rollouts_pod_template_hash` and `namespace`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from generator.promql.series import Arms, Matcher, Proportion, Series
from generator.promql.text import number

BY_VERSION: Final = Arms("served_by")
BY_POD: Final = Arms("rollouts_pod_template_hash")
PREDICTIONS: Final = "sluice_predictions_total"


@dataclass(frozen=True, slots=True)
class Served:
    """One model in one namespace.

    Args:
        model: value of the label `model` of its own counters.
        namespace: where its pods run; the same model may run in several.
        endpoint: raw path of the prediction route. Without it, probes would dilute every ratio.
    """

    model: str
    namespace: str
    endpoint: str = "/predict"

    def own(self, requests: str, events: str, *labels: Matcher) -> Proportion:
        """Events among requests by the service's own counters; compare by `BY_VERSION`."""
        return Proportion(self._own(requests), self._own(events, *labels))

    def server(self, requests: str, events: str, *labels: Matcher, complement: bool = False) -> Proportion:
        """The same by BentoML's counters, of the prediction route alone; compare by `BY_POD`."""
        return Proportion(self._bento(requests), self._bento(events).where(*labels), complement)

    def scraped(self, arm: Matcher) -> Series:
        """Whether each pod of one arm answered its scrape: 1 or 0; compare by `BY_POD`."""
        return Series("up", (Matcher("namespace", self.namespace), arm))

    def gauge(self, metric: str, *labels: Matcher) -> Series:
        """A gauge of the service itself; one arm by `BY_VERSION`."""
        return self._own(metric, *labels)

    def pod_gauge(self, metric: str, *labels: Matcher) -> Series:
        """Any other gauge that is scraped from the pods; one arm by `BY_POD`."""
        return Series(metric, (Matcher("namespace", self.namespace), *labels))

    def group_rows(self, attribute: str) -> Proportion:
        """Positive predictions among rows, with a label `group`; one arm by `BY_VERSION`."""
        matcher = Matcher("attribute", attribute)
        return Proportion(
            requests=self._own("sluice_group_predictions_total", matcher),
            events=self._own("sluice_group_positives_total", matcher),
        )

    def _own(self, metric: str, *matchers: Matcher) -> Series:
        return Series(metric, (Matcher("namespace", self.namespace), Matcher("model", self.model), *matchers))

    def _bento(self, metric: str) -> Series:
        return Series(metric, (Matcher("namespace", self.namespace), Matcher("endpoint", self.endpoint)))


def bucket(bound_s: float) -> Matcher:
    """Match a histogram bucket by its bound.

    Prometheus 3 rewrites `le="1"` to `le="1.0"` (its migration guide), and clients differ too: both are
    matched.

    Raises:
        ValueError: below 0.1 ms and from 1e6 s on, where clients write bounds with an exponent.
    """
    if not 1e-4 <= bound_s < 1e6:
        raise ValueError(f"{bound_s} s cannot be matched as a bucket bound")
    bound = number(bound_s)
    return Matcher("le", bound) if "." in bound else Matcher("le", rf"{bound}(\.0)?", "=~")
