"""A model as an HTTP service: predictions.

Rendered by Sluice from the spec of the model: edit the spec, not this file. Next to it: `messages.py`, what a client may
send; `edge.py`, which checks it; `predictor.py`, which loads the model and predicts; `calls.py`, which calls it;
`counters.py`, which the guards of a rollout read.
"""

from __future__ import annotations

import gc
import json
import logging
import pathlib

import bentoml
import calls
import counters
import edge
import messages
import predictor
from starlette.responses import Response

logger = logging.getLogger("bentoml.service")
LATENCY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]
EXAMPLES = [  # corners of the declared inputs, as JSON
    {'amount': 0.0, 'hour': 0, 'merchant_risk': 0.0},
    {'amount': 0.0, 'hour': 23, 'merchant_risk': 1.0},
]


@bentoml.service(
    name='risk-fraud',
    workers=1,
    traffic={"timeout": 10.0},
    metrics={"namespace": "bentoml_service", "duration": {"buckets": LATENCY_BUCKETS}},
    logging={"access": {"skip_paths": ["/metrics", "/healthz", "/livez", "/readyz"]}},
)
class FraudService:
    stored = bentoml.models.BentoModel('risk-fraud:12')

    def __init__(self) -> None:
        self.predictor = predictor.Predictor(pathlib.Path(self.stored.path))
        counters.create()
        self.calls = calls.Calls(self.predictor)
        self.warm = self._warm_up()
        edge.Edge.serve = self.answer
        # A full collection walks the model and BentoML's timer of every recent request, while all requests wait: collect
        # rarely, and never again what exists now.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)

    def __is_ready__(self) -> bool:
        return self.warm

    @bentoml.api(route='/predict')
    async def predict(self, request: messages.Request, /) -> messages.Prediction:
        """Predict every row: in this process; over HTTP, `edge.py` answers."""
        return await self.answer(request)

    async def answer(self, request: messages.Request) -> Response:
        """Return the answer to a request that is valid."""
        if request.groups and len(request.groups) != len(request.rows):
            return edge.error(400, "`groups` has one entry a row")
        try:
            answer = await self.calls.answer(request.rows, scores=request.scores)
        except calls.RefusedError as refused:
            return edge.error(400, str(refused))
        except Exception:  # noqa: BLE001 - logged where it happened
            return edge.error(500, "the model failed; the log of the service has the place")
        counters.count_request()
        groups = request.groups or [{}] * len(request.rows)
        groups = [{**row, **group} for row, group in zip(request.rows, groups, strict=True)]
        counters.count_groups(groups, answer.predictions)
        served_by = counters.SERVED_BY
        headers = {"X-Served-By": counters.SERVED_BY}
        return Response(answer.to_json(served_by), media_type="application/json", headers=headers)

    def _warm_up(self) -> bool:
        """Return whether one real prediction succeeds; no counter sees it."""
        try:
            rows = [messages.Request.model_validate_json(json.dumps({"rows": [row]})).rows[0] for row in EXAMPLES]
            answer = calls.warm_up(self.predictor, rows)
            counters.check_answers(answer.predictions, calls.class_names(self.predictor))
        except Exception:
            logger.exception("the warm-up prediction failed: this pod never becomes ready")
            return False
        return True


FraudService.add_asgi_middleware(edge.Edge)
# The built bento has the description that the service gives: BentoML's own does not know the errors.
type(FraudService).openapi_spec = property(lambda _: edge.document())
