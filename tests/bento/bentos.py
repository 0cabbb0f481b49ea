"""What a plan would say of the models that `train.py` trains."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from generator.plan.bento import Bento, Column

_COMMON: dict[str, Any] = {
    "version": "7",
    "digest": "0" * 64,
    "python_version": "3.11",
    "base_image": "registry.example/python:3.11-slim",
    "requirements": ("bentoml==1.4.39",),
    "scrape_s": 0.5,
}
# Not the order of training: the service must go by name.
_PAYMENT = tuple(Column(name, "number") for name in ("merchant_risk", "amount", "hour"))
_VISIT = (
    Column("price", "number", minimum=0, nullable=True),
    Column("device", "string", values=("web", "ios", "android")),
    Column("age", "integer", minimum=18, maximum=80),
)

BENTOS = {
    "ticket": Bento(
        name="support-ticket",
        class_name="Ticket",
        framework="sklearn",
        tag="ticket_classifier:7",
        inputs=(Column("text", "string", max_length=200),),
        outcomes=(("escalation", "escalate"),),
        max_rows=5,
        **_COMMON,
    ),
    "recommender": Bento(
        name="shop-recommender",
        class_name="Recommender",
        framework="sklearn",
        tag="recommender:12",
        inputs=(
            Column("price", "number", minimum=0),
            Column("device", "string", values=("ios", "android", "web")),
            Column("age", "integer", minimum=18, maximum=120),
            Column("affinity", "number", minimum=-10, maximum=10),
        ),
        outcomes=(("ctr", "click"), ("basket", "add-to-basket")),
        groups=(("device", ("ios", "android")), ("age_band", ("under-30", "over-30"))),
        positive=(1,),
        buckets=(0.12, 0.3),
        **_COMMON,
    ),
    "fraud": Bento(
        name="risk-fraud", class_name="Fraud", framework="xgboost", tag="fraud:12", inputs=_PAYMENT, **_COMMON
    ),
    "churn": Bento(
        name="risk-churn", class_name="Churn", framework="lightgbm", tag="churn:1", inputs=_PAYMENT, **_COMMON
    ),
    "homes": Bento(
        name="homes-price",
        class_name="Homes",
        framework="skops",
        tag="homes:1",
        inputs=(
            Column("district", "string", values=("Nord", "Ost", "Süd")),
            Column("area", "number", minimum=10, maximum=500),
        ),
        **_COMMON,
    ),
    "topics": Bento(
        name="support-topics",
        class_name="Topics",
        framework="spacy",
        tag="topics:1",
        inputs=(Column("text", "string", max_length=200),),
        **_COMMON,
    ),
    "visits": Bento(
        name="shop-visits",
        class_name="Visits",
        framework="catboost",
        tag="visits:1",
        inputs=_VISIT,
        **_COMMON,
    ),
    "boosted": Bento(
        name="shop-boosted",
        class_name="Boosted",
        framework="xgboost",
        tag="boosted:1",
        inputs=_VISIT,
        **_COMMON,
    ),
    "leaves": Bento(
        name="shop-leaves",
        class_name="Leaves",
        framework="lightgbm",
        tag="leaves:1",
        inputs=_VISIT,
        **_COMMON,
    ),
    "demand": Bento(
        name="shop-demand",
        class_name="Demand",
        framework="statsmodels",
        tag="demand:1",
        inputs=(
            Column("hour", "number", minimum=-10, maximum=10),
            Column("amount", "number", minimum=-10, maximum=10),
        ),
        **_COMMON,
    ),
    "formula": Bento(
        name="shop-formula",
        class_name="Formula",
        framework="statsmodels",
        tag="formula:1",
        inputs=tuple(
            replace(column, nullable=False) for column in _VISIT
        ),  # a logit model has no answer for null
        **_COMMON,
    ),
    "vision": Bento(name="lab-vision", class_name="Vision", framework="onnx", tag="vision:1", **_COMMON),
    "pricing": Bento(
        name="shop-pricing",
        class_name="Pricing",
        framework="mlflow",
        tag="pricing:1",
        inputs=_PAYMENT,
        **_COMMON,
    ),
    "typed": Bento(name="lab-typed", class_name="Typed", framework="mlflow", tag="typed:1", **_COMMON),
    "rules": Bento(
        name="ops-rules",
        class_name="OpsRules",
        framework="custom",
        custom_class="team_rules:Rules",
        tag="rules:1",
        threads=8,
        workers=2,
        outcomes=(("complaints", "complain"),),
        **_COMMON | {"scrape_s": 2.5},
    ),
}
