"""The series of a served model that guards read.

The service counts predictions and their outcomes by the version that served them (label `served_by`). BentoML counts
requests; the scrape configuration adds `rollouts_pod_template_hash` and `namespace`.
"""

from __future__ import annotations

from typing import Final

from generator.dataclass import dataclass
from generator.promql.series import Arms, Matcher, Proportion, Series, one_of
from generator.promql.text import number

BY_VERSION: Final = Arms("served_by")
BY_POD: Final = Arms("rollouts_pod_template_hash")
PREDICTIONS: Final = "sluice_predictions_total"
REQUESTS: Final = "bentoml_service_request_total"
OUTCOMES: Final = "sluice_outcomes_total"
LATENCY: Final = "bentoml_service_request_duration_seconds"
STATUS: Final = "http_response_code"
ANSWERED: Final = Matcher(STATUS, "2..", "=~")


@dataclass(frozen=True, slots=True)
class Served:
    """One model in one namespace.

    Args:
        model: value of the label `model` of the service's counters.
        namespace: namespace of its pods; the same model may run in several.
        endpoints: paths of the prediction routes, to leave out probes.
        counts_answers: the service counts answered requests itself; else those of the server with 2xx are.
    """

    model: str
    namespace: str
    endpoints: tuple[str, ...] = ("/predict",)
    counts_answers: bool = True

    def own(self, requests: str, events: str, *labels: Matcher) -> Proportion:
        """Return events among requests by the counters of the service; compare by `BY_VERSION`."""
        return Proportion(self._own(requests), self._own(events, *labels))

    def server(
        self, requests: str, events: str, *labels: Matcher, complement: bool = False, endpoint: str = ""
    ) -> Proportion:
        """Return the same by the counters of BentoML, for one prediction route or all; compare by `BY_POD`."""
        return Proportion(
            self._bento(requests, endpoint), self._bento(events, endpoint).where(*labels), complement
        )

    def requests(self) -> Series:
        """Return the counter of requests for predictions, whatever the answer; one arm by `BY_POD`."""
        return self._bento(REQUESTS)

    def predictions(self) -> Series:
        """Return the counter of predictions; one arm by `BY_VERSION`."""
        return self._own(PREDICTIONS)

    def pods(self) -> Series:
        """Return whether each pod of the namespace answered its scrape: 1 or 0; one arm by `BY_POD`."""
        return Series("up", (Matcher("namespace", self.namespace),))

    def gauge(self, metric: str, *labels: Matcher) -> Series:
        """Return a gauge of the service; one arm by `BY_VERSION`."""
        return self._own(metric, *labels)

    def pod_gauge(self, metric: str, *labels: Matcher) -> Series:
        """Return any other gauge that is scraped from the pods; one arm by `BY_POD`."""
        return Series(metric, (Matcher("namespace", self.namespace), *labels))

    def group_rows(self, attribute: str) -> Proportion:
        """Return positive predictions among rows, with a label `group`; one arm by `BY_VERSION`."""
        matcher = Matcher("attribute", attribute)
        return Proportion(
            requests=self._own("sluice_group_predictions_total", matcher),
            events=self._own("sluice_group_positives_total", matcher),
        )

    def _own(self, metric: str, *matchers: Matcher) -> Series:
        if metric == PREDICTIONS and not self.counts_answers:
            return self._bento(REQUESTS).where(ANSWERED, *matchers)
        return Series(metric, (Matcher("namespace", self.namespace), Matcher("model", self.model), *matchers))

    def _bento(self, metric: str, endpoint: str = "") -> Series:
        routes = (endpoint,) if endpoint else self.endpoints
        route = Matcher("endpoint", routes[0]) if len(routes) == 1 else one_of("endpoint", routes)
        return Series(metric, (Matcher("namespace", self.namespace), route))


def bucket(bound_s: float) -> Matcher:
    """Return a matcher for a histogram bucket by its bound.

    Prometheus 3 rewrites `le="1"` to `le="1.0"` (its migration guide), and clients differ too: both match.

    Raises:
        ValueError: the bound is below 0.1 ms or at least 1e6 s, where clients write it with an exponent.
    """
    if not 1e-4 <= bound_s < 1e6:
        raise ValueError(f"a bucket bound must be between 0.1 ms and 1e6 s, not {bound_s} s")
    bound = number(bound_s)
    return Matcher("le", bound) if "." in bound else Matcher("le", rf"{bound}(\.0)?", "=~")
