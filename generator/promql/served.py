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

_REQUESTS: Final = "bentoml_service_request_total"
_DURATION: Final = "bentoml_service_request_duration_seconds"


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

    def outcome(self, outcome: str) -> Proportion:
        """Outcomes among predictions; compare by `BY_VERSION`."""
        return Proportion(
            requests=self._own("sluice_predictions_total"),
            events=self._own("sluice_outcomes_total", Matcher("outcome", outcome)),
        )

    def errors(self) -> Proportion:
        """Requests that were not answered with 2xx; compare by `BY_POD`.

        Not only 5xx: a version that broke its input contract answers 400 to everything, with not one 5xx. A
        client's own mistakes hit both arms alike, and the comparison with stable ignores what both arms
        share. BentoML creates the series of 400, 429, 503 and 504 at their first use, so each pod's first
        scrape with such a code is not counted.
        """
        requests = self._bento(_REQUESTS)
        return Proportion(requests, requests.where(Matcher("http_response_code", "2..", "!~")))

    def slow(self, bound_s: float) -> Proportion:
        """Requests slower than a bucket bound of the histogram; compare by `BY_POD`.

        Exact, because it never interpolates inside a bucket. All response codes count.
        """
        within = self._bento(f"{_DURATION}_bucket").where(bucket(bound_s))
        return Proportion(self._bento(f"{_DURATION}_count"), within, complement=True)

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
