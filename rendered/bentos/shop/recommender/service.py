"""A model as an HTTP service: predictions, and feedback on them.

Rendered by Sluice from the spec of the model: edit the spec, not this file. Next to it: `messages.py`, what a client may
send; `predictor.py`, which loads the model and predicts; `counters.py`, which the guards of a rollout read; `feedback.py`, the route for
outcomes; `tokens.py`, the signed `served_by`.
"""

from __future__ import annotations

import gc
import logging
import pathlib

import bentoml
import counters
import feedback
import messages
import predictor
import tokens

logger = logging.getLogger("bentoml.service")
LATENCY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0]


@bentoml.service(
    name='shop-recommender',
    workers=1,
    threads=8,  # synchronous predictions at a time; BentoML's default of 1 would queue them
    traffic={"timeout": 2.0},
    metrics={"namespace": "bentoml_service", "duration": {"buckets": LATENCY_BUCKETS}},
    logging={"access": {"skip_paths": ["/metrics", "/healthz", "/livez", "/readyz"]}},
)
class RecommenderService:
    stored = bentoml.models.BentoModel('shop-recommender:12')

    def __init__(self) -> None:
        self.predictor = predictor.Predictor(pathlib.Path(self.stored.path))
        counters.create()
        self.warm = self._warm_up()
        # One process of the pod receives all feedback: it knows what has counted.
        if (bentoml.server_context.worker_index or 1) == 1:
            feedback.start()
        # A full collection walks the model and BentoML's timer of every recent request, while all requests wait: collect
        # rarely, and never again what exists now.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)

    def __is_ready__(self) -> bool:
        return self.warm and feedback.listens()

    @bentoml.api(route='/predict')
    def predict(self, request: messages.Request, /, ctx: bentoml.Context) -> messages.Prediction:
        """Predict every row."""
        answer = self._answer(request.rows, scores=request.scores)
        counters.count_request()
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
            predictions=values, scores=probabilities, served_by=tokens.served_by()
        )

    def _warm_up(self) -> bool:
        """Return whether one real prediction succeeds; no counter sees it."""
        try:
            self._answer(self.predictor.examples(), scores=False).model_dump_json()
        except Exception:
            logger.exception("the warm-up prediction failed: this pod never becomes ready")
            return False
        return True


RecommenderService.add_asgi_middleware(messages.JsonOnly)
