"""What a plan would say of the models that `train.py` trains."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from generator.plan.bento import Bento
from generator.plan.column import Column

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

_FREE = '{"type": "object", "required": ["a"], "properties": {"a": {"type": ["integer", "object"]}}}'

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
    "shown": Bento(
        name="lab-shown",
        class_name="Shown",
        framework="custom",
        custom_class="team_shown:Shown",
        tag="shown:1",
        inputs=(
            Column("day", "date"),
            Column("at (UTC)", "datetime", unit="UTC"),
            Column("local", "datetime", zoned=False, nullable=True),
            Column('kind of "thing"', "string", values=("", "it's", 'a"b', "ü\n", "\\u0041 {{ 7 }}")),
            Column("level", "integer", values=(1, 2)),
            Column("share", "number", values=(0.5, 1, 2)),
            Column("sure", "boolean", values=(True,)),
            Column("tags", "string", items=(1, 3), max_length=20),
            Column("place", "number", shape=(2,), unit="m", description="east and north"),
            Column("grid", "integer", shape=(2, 3), minimum=0, maximum=255),
            Column("photo", "image", formats=("png", "jpeg"), max_bytes=2000),
            Column("raw", "bytes", max_bytes=10, nullable=True),
            Column(
                "who",
                "object",
                fields=(
                    Column("age", "integer", minimum=0),
                    Column("name", "string", nullable=True, example="Ada"),
                    Column(
                        "visits",
                        "object",
                        items=(0, 2),
                        fields=(Column("day", "date"), Column("spent", "number", unit="EUR")),
                    ),
                ),
            ),
            Column("free", "json", json_schema=_FREE, example={"a": 1}, max_bytes=100),
        ),
        output=Column(
            "",
            "object",
            fields=(Column("label", "string", values=("a", "b")), Column("seen", "json", max_bytes=10_000)),
        ),
        max_rows=5,
        **_COMMON | {"requirements": ("bentoml==1.4.39", "jsonschema==4.26.0")},
    ),
    "pictures": Bento(
        name="lab-pictures",
        class_name="Pictures",
        framework="onnx",
        tag="pictures:1",
        inputs=(Column("pixels", "integer", shape=(3, 8, 8), minimum=0, maximum=255),),
        output=Column("", "number", shape=(3,), minimum=0, maximum=255),
        **_COMMON,
    ),
    "tokens": Bento(
        name="lab-tokens",
        class_name="Tokens",
        framework="onnx",
        tag="tokens:1",
        inputs=(
            Column("ids", "integer", items=(1, 5), minimum=0),
            Column("mask", "integer", items=(1, 5), minimum=0, maximum=1),
            Column("plus", "integer"),
        ),
        output=Column("", "integer"),
        **_COMMON,
    ),
    "vectors": Bento(
        name="lab-vectors",
        class_name="Vectors",
        framework="sklearn",
        tag="vectors:1",
        inputs=(Column("square", "number", shape=(2, 2)), Column("last", "number")),
        **_COMMON,
    ),
    "stays": Bento(
        name="shop-stays",
        class_name="Stays",
        framework="sklearn",
        tag="stays:1",
        inputs=(Column("booked", "datetime"), Column("from (day)", "date")),
        **_COMMON,
    ),
    "drawn": Bento(
        name="lab-drawn",
        class_name="Drawn",
        framework="mlflow",
        tag="drawn:1",
        inputs=(Column("signal", "number", shape=(4, 2)),),
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
