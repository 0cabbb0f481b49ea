"""Well-formed values that can't do their work, and near misses for each condition."""

from __future__ import annotations

from tests.unit.rules.repository import CTR
from tests.unit.rules.samples import ACCURACY, FAIR, LOCKED, PARITY, SHADOW, Case, G, S, steps


def gate(**keys: object) -> dict[str, object]:
    return {"spec.gates": [{**ACCURACY, **keys}]}


def without_bound(**keys: object) -> dict[str, object]:
    rest = {key: value for key, value in ACCURACY.items() if key != "atLeast"}
    return {"spec.gates": [{**rest, **keys}]}


def switch(approve: str) -> dict[str, object]:
    return {"spec.rollout": {"strategy": "blue-green", "approve": approve, "guards": [{"metric": "error-rate", "limit": "5%"}]}}  # fmt: skip


A = "spec.gates[0]"
AGE = {"platform.attributes.age": ["young", "old"]}
BOOSTED = {"spec.model.framework": "xgboost"}
OWN = {
    "spec.model.framework": "bento",
    "spec.model.load": "service:Ranker",
    "spec.model.ref": "dvc:ranker.bento",
    "lock.model.ref": "dvc:ranker.bento",
    "lock.model.resolved": f"dvc:ranker.bento@{'a' * 40}#md5={'a' * 32}",
    "lock.model.version": "a" * 12,
}
ROUTED = {**OWN, "spec.model.endpoints": ["/rank"]}
ERRORS = {"metric": "error-rate", "baseline": "0.5%", "detect": {"rise": "100%"}}
SCALED = {"spec.autoscaling": {"min": 2, "max": 5}}
KS = {"name": "drift", "drift": {"reference": "a.csv", "current": "b.csv", "features": ["x"]}}
LOCKED_DATA = {"lock.data": LOCKED}
_IN = "spec.service.inputs"


def inputs(**keys: object) -> dict[str, object]:
    """The only input of the sample, with these keys."""
    return {_IN: {"x": {"type": "string", **keys}}}


_XGBOOST = {"spec.model.framework": "xgboost"}
_PARITY = {"spec.gates": [{**PARITY, "sensitive": ["x"]}], "platform.attributes.x": ["a", "b"]}
_EXPLAIN = {
    "spec.gates": [{"name": "why", "explain": {"reference": "a.csv", "current": "b.csv"}, "atMost": 0.15}],
    **_XGBOOST,
    **LOCKED_DATA,
}
CASES = (
    Case("REF218", inputs(type="integer", maxLength=3), inputs(maxLength=3), f"{_IN}.x.maxLength"),
    Case("REF218", inputs(maximum=3), inputs(type="number", maximum=3), f"{_IN}.x.maximum"),
    Case("REF218", inputs(zone="none"), inputs(type="datetime", zone="none"), f"{_IN}.x.zone"),
    Case("REF218", inputs(type="bytes", formats=["png"]), inputs(type="image", formats=["png"]), f"{_IN}.x.formats"),
    Case("REF218", inputs(type="object"), inputs(type="object", fields={"a": {"type": "date"}}), f"{_IN}.x.type"),
    Case("REF218", inputs(type="object", fields={"a": {"type": "date", "minimum": 1}}), inputs(type="object", fields={"a": {"type": "integer", "minimum": 1}}), f"{_IN}.x.fields.a.minimum"),
    Case("REF218", inputs(type="json", jsonSchema={"type": "array"}), inputs(type="json", jsonSchema={"type": "array"}, example=[]), f"{_IN}.x.jsonSchema"),
    Case("REF218", inputs(type="json", jsonSchema={"items": [{"$ref": "https://example.com/a"}]}, example=[]), inputs(type="json", jsonSchema={"items": [{"$ref": "#/$defs/a"}]}, example=[]), f"{_IN}.x.jsonSchema"),
    Case("REF218", inputs(shape=[2], maxItems=2), inputs(shape=[2]), f"{_IN}.x.maxItems"),
    Case("REF218", inputs(minItems=1), inputs(minItems=1, maxItems=1), f"{_IN}.x.minItems"),
    Case("REF218", inputs(minItems=3, maxItems=2), inputs(minItems=2, maxItems=2), f"{_IN}.x.minItems"),
    Case("REF218", inputs(type="integer", values=["1"]), inputs(type="integer", values=[1]), f"{_IN}.x.values"),
    Case("REF218", inputs(type="integer", values=[True]), inputs(type="boolean", values=[True]), f"{_IN}.x.values"),
    Case("REF218", {"spec.service.output": {"type": "date", "maximum": 1}}, {"spec.service.output": {"type": "number", "maximum": 1}}, "spec.service.output.maximum"),
    Case("PLAN545", {**_XGBOOST, **inputs(type="date")}, inputs(type="date"), f"{_IN}.x.type"),
    Case("PLAN545", {**_XGBOOST, **inputs(maxItems=3)}, {**_XGBOOST, **inputs(shape=[3])}, f"{_IN}.x.maxItems"),
    Case("PLAN545", {"spec.model.framework": "catboost", **inputs(shape=[3])}, {"spec.model.framework": "custom", "spec.model.load": "a:B", **inputs(shape=[3])}, f"{_IN}.x.shape"),
    Case("PLAN546", inputs(type="image", maxBytes="8Mi"), {**inputs(type="image", maxBytes="8Mi"), "spec.service.maxRows": 4}, "spec.service.maxRows", "warning"),
    Case("GATE312", {**inputs(type="image"), "spec.gates": [KS], **LOCKED_DATA}, {**inputs(), "spec.gates": [KS], **LOCKED_DATA}, f"{A}.drift.features[0]"),
    Case("GATE312", {**inputs(shape=[3]), "spec.gates": [KS], **LOCKED_DATA}, {**inputs(shape=[3]), "spec.gates": [{**KS, "drift": {**KS["drift"], "features": ["y"]}}], **LOCKED_DATA}, f"{A}.drift.features[0]"),
    Case("GATE312", {**inputs(maxItems=3), **_PARITY}, {**inputs(), **_PARITY}, f"{A}.sensitive[0]"),
    Case("GATE312", {**inputs(shape=[3]), **_EXPLAIN}, {**inputs(), **_EXPLAIN}, f"{A}.explain"),
    Case("GATE312", {**inputs(type="date"), "spec.service.attributes": {"x": ["a"]}, "spec.service.positive": [1]}, {**inputs(), "spec.service.attributes": {"x": ["a"]}, "spec.service.positive": [1]}, "spec.service.attributes.x"),
    Case("GATE304", gate(atLeast=92), gate(atLeast=0.92), f"{A}.atLeast"),
    Case("GATE304", gate(atLeast=1.5), gate(atLeast=1), f"{A}.atLeast"),
    Case("GATE304", gate(metric="f1_macro", atLeast=80), gate(metric="lift", atLeast=80), f"{A}.atLeast"),
    Case("GATE304", gate(metric="precision_at_10", atLeast=5), gate(metric="gain_at_10", atLeast=5), f"{A}.atLeast"),
    Case("GATE304", without_bound(atMost=-0.1), without_bound(metric="r2", atMost=-0.1), f"{A}.atMost"),
    Case("GATE305", gate(noWorseBy="150%", against="champion"), gate(noWorseBy="99%", against="champion"), f"{A}.noWorseBy"),
    Case("GATE305", gate(noWorseBy="100pp", against="champion"), gate(noWorseBy="99pp", against="champion"), f"{A}.noWorseBy"),
    Case("GATE305", without_bound(metric="error_rate", atMost=5), without_bound(metric="rmse", atMost=5), f"{A}.atMost"),
    Case("GATE305", gate(atLeast=0), gate(metric="r2", atLeast=0), f"{A}.atLeast"),
    Case("GATE305", {"spec.gates": [{**PARITY, "atMost": 1}]}, {"spec.gates": [{**PARITY, "atMost": 0.99}]}, f"{A}.atMost"),
    Case(
        "GATE305",
        {"spec.gates": [{"name": "p", "fairness": "demographic-parity-ratio", "sensitive": ["gender"], "atLeast": 0}]},
        {"spec.gates": [{"name": "p", "fairness": "demographic-parity-ratio", "sensitive": ["gender"], "atLeast": 0.1}]},
        f"{A}.atLeast",
    ),
    Case("GATE305", {"spec.gates": [{**KS, "atMost": 1}], **LOCKED_DATA}, {"spec.gates": [{**KS, "tool": "psi", "atMost": 1}], **LOCKED_DATA}, f"{A}.atMost"),
    Case("GATE306", gate(metric="acuracy"), gate(metric="accuracy"), f"{A}.metric", "warning"),
    Case("GATE306", gate(metric="presicion"), gate(metric="ndcg_at_5"), f"{A}.metric", "warning"),
    Case("GATE306", gate(metric="roc_acu"), gate(metric="click_gain"), f"{A}.metric", "warning"),
    Case("PLAN514", {f"{G}.0": {"metric": "error-rate", "limit": "100%"}}, {f"{G}.0": {"metric": "error-rate", "limit": "99%"}}, f"{G}[0].limit"),
    Case("PLAN514", {f"{G}.0": {**FAIR, "atMost": 1}}, {f"{G}.0": {**FAIR, "atMost": 0.9}}, f"{G}[0].atMost"),
    Case("PLAN514", {"spec.rollout.shadow": {**SHADOW, "guards": [{**FAIR, "atMost": 1}]}}, {"spec.rollout.shadow": SHADOW}, "spec.rollout.shadow.guards[0].atMost"),
    Case("PLAN517", {**AGE, G: [CTR, FAIR], "spec.service.positive": [1, 0]}, {**AGE, G: [CTR, FAIR], "spec.service.positive": [1, 2]}, "spec.service.positive", "warning"),
    Case("PLAN517", {"spec.rollout.shadow": SHADOW, "spec.service.positive": [True, False]}, {"spec.service.positive": [True, False]}, "spec.service.positive", "warning"),
    Case("PLAN519", {"spec.model.framework": "mlflow", "spec.service.threshold": 0.3}, {"spec.service.threshold": 0.3}, "spec.service.threshold"),
    Case("PLAN519", {"spec.model.framework": "onnx", "spec.service.threshold": 0.3}, {"spec.model.framework": "onnx"}, "spec.service.threshold"),
    Case("PLAN520", {**BOOSTED, "spec.service.positive": ["stays"], "spec.service.classes": ["stays", "stays"]}, {**BOOSTED, "spec.service.positive": ["stays"], "spec.service.classes": ["stays", "leaves"]}, "spec.service.classes"),
    Case("PLAN520", {**BOOSTED, "spec.service.positive": ["a"], "spec.service.classes": ["a"]}, {**BOOSTED, "spec.service.positive": ["a"], "spec.service.classes": ["a", "b"]}, "spec.service.classes"),
    Case("PLAN520", {"spec.model.framework": "mlflow", "spec.service.positive": ["no"], "spec.service.classes": ["no", "yes"]}, {"spec.model.framework": "mlflow"}, "spec.service.classes"),
    Case(
        "PLAN520",
        {**BOOSTED, "spec.service.classes": ["no", "yes"], "spec.service.positive": [1]},
        {**BOOSTED, "spec.service.classes": ["no", "yes"], "spec.service.positive": ["yes"]},
        "spec.service.positive[0]",
    ),
    Case("PLAN524", {"spec.model.endpoints": ["/rank"]}, {}, "spec.model.endpoints"),
    Case("PLAN524", {"spec.model.example": {"user": 7}}, {}, "spec.model.example"),
    Case(
        "PLAN524",
        {**OWN, "spec.model.endpoints": ["/rank", "/similar"], G: [CTR, {**ERRORS, "endpoint": "/ranks"}]},
        {**OWN, "spec.model.endpoints": ["/rank", "/similar"], G: [CTR, {**ERRORS, "endpoint": "/similar"}]},
        f"{G}[1].endpoint",
    ),
    Case("PLAN525", {**ROUTED, "spec.service.threads": 8}, {"spec.service.threads": 8}, "spec.service.threads"),
    Case("PLAN525", {**ROUTED, **AGE, G: [CTR, FAIR]}, {**AGE, G: [CTR, FAIR]}, f"{G}[1]"),
    Case("PLAN523", {"spec.resources.gpu": 1}, {**BOOSTED, "spec.resources.gpu": 1}, "spec.resources.gpu"),
    Case("PLAN523", {"spec.model.framework": "onnx", "spec.service.requirements": ["torch==2.15.0+cpu"], "spec.resources.gpu": 1}, {"spec.model.framework": "onnx", "spec.service.requirements": ["torch==2.15.0+cpu"]}, "spec.resources.gpu"),
    Case("PLAN523", {"spec.model.framework": "onnx", "spec.service.requirements": ["torch==2.15.0+cpu"], "spec.resources.gpu": 1}, {"spec.model.framework": "onnx", "spec.service.requirements": ["torch==2.15.0+cu128"], "spec.resources.gpu": 1}, "spec.resources.gpu"),
    Case("PLAN523", {"spec.model.framework": "lightgbm", "spec.resources.gpu": 1}, {"spec.model.framework": "lightgbm"}, "spec.resources.gpu"),
    Case("GATE311", {**AGE, G: [CTR, FAIR]}, {**AGE, G: [CTR, FAIR, {**FAIR, "name": "age", "sensitive": ["age"]}]}, f"{G}[1].sensitive", "warning"),
    Case("GATE311", {**AGE, "spec.rollout.shadow": SHADOW}, {"spec.rollout.shadow": SHADOW}, "spec.rollout.shadow.guards[0].sensitive", "warning"),
    Case("GATE311", {**AGE, "spec.gates": [PARITY]}, {**AGE, "spec.gates": [{**PARITY, "sensitive": ["age", "gender"]}]}, "spec.gates[0].sensitive", "warning"),
    Case("PLAN515", {S: steps((5, "6h"), (100, "6h"))}, {S: steps((5, "6h"), (99, "6h"))}, f"{S}[1].weight", "warning"),
    Case("PLAN515", {S: steps((100, "6h"))}, {S: steps((50, "6h"))}, f"{S}[0].weight", "warning"),
    Case("REF213", {"metadata.owner": "shop-ml"}, {"metadata.owner": "shop-ml@example.com"}, "metadata.owner", "warning"),
    Case("REF213", {"metadata.owner": "Ada Lovelace"}, {"metadata.owner": "#shop-ml"}, "metadata.owner", "warning"),
    Case("REF213", {"metadata.owner": "acme/shop"}, {"metadata.owner": "@acme/shop"}, "metadata.owner", "warning"),
    Case("REF213", {"metadata.owner": "shop-ml@example.com,"}, {"metadata.owner": "https://example.com/oncall"}, "metadata.owner", "warning"),
    Case("REF213", {"metadata.owner": "mailto:a@example.com"}, {"metadata.owner": "a.b+c@ml.example.com"}, "metadata.owner", "warning"),
    Case("GATE307", without_bound(atMost=0.9), gate(atMost=0.99), f"{A}.atMost", "warning"),
    Case("GATE307", gate(metric="log_loss"), gate(metric="log_loss", atLeast=0.1, atMost=0.9), f"{A}.atLeast", "warning"),
    Case("GATE307", without_bound(metric="recall_at_10", atMost=0.9), without_bound(metric="click_gain", atMost=0.9), f"{A}.atMost", "warning"),
    Case("PLAN521", {"spec.replicas": 3, **SCALED}, SCALED, "spec.replicas", "warning"),
    Case("PLAN521", {"spec.environments.production.replicas": 9, **SCALED}, {"spec.replicas": 3, "spec.environments.production": {"autoscaling": {"min": 2, "max": 5}}}, "spec.environments.production.replicas", "warning"),
    Case("PLAN522", switch("manually"), switch("manual"), "spec.rollout.approve", "warning"),
    Case("PLAN522", switch("auto"), switch("automatic"), "spec.rollout.approve", "warning"),
    Case("PLAN522", switch("maual"), switch("ml-lead"), "spec.rollout.approve", "warning"),
    Case("PLAN522", {S: [*steps((5, "6h")), {"approve": "human"}, *steps((50, "6h"))]}, {S: [*steps((5, "6h")), {"approve": "auto"}, *steps((50, "6h"))]}, f"{S}[1].approve", "warning"),
)  # fmt: skip
