"""A model as an HTTP service: predictions.

Rendered by Sluice from the spec of the model: edit the spec, not this file. Next to it: `messages.py`, what a client may
send; `predictor.py`, which loads the model and predicts; `counters.py`, which the guards of a rollout read.
"""

from __future__ import annotations

import gc
import logging
import pathlib

import bentoml
import counters
import messages
import predictor

logger = logging.getLogger("bentoml.service")
LATENCY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]
EXAMPLES = [  # corners of the declared inputs
    {'amount': 0.0, 'hour': 0, 'merchant_risk': 0.0},
    {'amount': 0.0, 'hour': 23, 'merchant_risk': 1.0},
]


@bentoml.service(
    name='risk-fraud',
    workers=1,
    threads=4,  # synchronous predictions at a time; BentoML's default of 1 would queue them
    traffic={"timeout": 10.0},
    metrics={"namespace": "bentoml_service", "duration": {"buckets": LATENCY_BUCKETS}},
    logging={"access": {"skip_paths": ["/metrics", "/healthz", "/livez", "/readyz"]}},
)
class FraudService:
    stored = bentoml.models.BentoModel('risk-fraud:12')

    def __init__(self) -> None:
        self.predictor = predictor.Predictor(pathlib.Path(self.stored.path))
        counters.create()
        self.warm = self._warm_up()
        # A full collection walks the model and BentoML's timer of every recent request, while all requests wait: collect
        # rarely, and never again what exists now.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)

    def __is_ready__(self) -> bool:
        return self.warm

    @bentoml.api(route='/predict')
    def predict(self, request: messages.Request, /, ctx: bentoml.Context) -> messages.Prediction:
        """Predict every row."""
        if request.groups and len(request.groups) != len(request.rows):
            raise bentoml.exceptions.InvalidArgument("`groups` has one entry a row")
        answer = self._answer(request.rows, scores=request.scores)
        counters.count_request()
        groups = request.groups or [{}] * len(request.rows)
        groups = [{**row, **group} for row, group in zip(request.rows, groups, strict=True)]
        counters.count_groups(groups, answer.predictions)
        ctx.response.headers["X-Served-By"] = counters.SERVED_BY
        return answer

    def _answer(self, rows: list, *, scores: bool) -> messages.Prediction:
        try:
            data = self.predictor.encode(rows)
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            raise bentoml.exceptions.InvalidArgument(f"the model does not accept these rows: {error}") from error
        values = self.predictor.predict(data)
        if len(values) != len(rows):
            raise RuntimeError(f"{len(values)} predictions for {len(rows)} rows")
        probabilities = self.predictor.scores(data) if scores else None
        if scores and probabilities is None:
            raise bentoml.exceptions.InvalidArgument("this model has no scores")
        # Not validated: the server would blame the client (400) for a model's bad answer.
        return messages.Prediction.model_construct(
            predictions=values, scores=probabilities, served_by=counters.SERVED_BY
        )

    def _warm_up(self) -> bool:
        """Return whether one real prediction succeeds; no counter sees it."""
        try:
            self._answer(EXAMPLES, scores=False).model_dump_json()
            answer = self._answer(EXAMPLES, scores=False)
            classes = getattr(getattr(self.predictor, "model", None), "classes_", None)
            counters.check_answers(answer.predictions, list(classes) if getattr(classes, "ndim", 0) == 1 else None)
        except Exception:
            logger.exception("the warm-up prediction failed: this pod never becomes ready")
            return False
        return True


FraudService.add_asgi_middleware(messages.JsonOnly)
