"""Names, steps, resources, overrides."""

from __future__ import annotations

from tests.unit.rules.repository import CTR, DIGEST, ERRORS, STEPS
from tests.unit.rules.samples import (
    BLUE_GREEN,
    CONTAINER,
    FAIR,
    LOCKED,
    NONE_ROUTER,
    ROUTER,
    SHADOW,
    SLOW,
    STAGING,
    TEAM,
    Case,
    G,
    S,
    steps,
)


def matching(expression: str) -> list[dict[str, object]]:
    """Steps that begin with a cohort whose header matches an expression."""
    return [{"cohort": {"header": "x-cohort", "regex": expression}, "hold": "10m"}, *STEPS]


_IN = "spec.service.inputs"
_LATENCY = {"metric": "http_seconds"}
_EXPLAIN = {
    "name": "attribution",
    "explain": {"reference": "a.csv", "current": "b.csv"},
    "tool": "shap",
    "atMost": 0.15,
}
_WEBHOOK = {"url": "https://hooks.example.com/a"}

CASES = (
    Case(
        "NAME401",
        {
            "metadata.name": "r" * 40,
            "platform.environments.production": None,
            "platform.environments.e" + "n" * 20: STAGING,
            "spec.replicas": 20,
        },
        {
            "metadata.name": "r" * 35,
            "platform.environments.production": None,
            "platform.environments.e" + "n" * 20: STAGING,
            "spec.replicas": 20,
        },
        "metadata.name",
    ),
    Case(
        "NAME402",
        {"platform.environments.production.namespace": "{team}-" + "n" * 33, **TEAM},
        {"platform.environments.production.namespace": "{team}-" + "n" * 32, **TEAM},
        "spec.environments.production.namespace",
    ),
    Case(
        "NAME403",
        {"platform.teams.platform": {"owners": ["x"], "tiers": ["standard"]}},  # without a model
        {"platform.teams.platforms": {"owners": ["x"], "tiers": ["standard"]}},
        "spec.teams.platform",
    ),
    Case(
        "NAME403",
        {"platform.notifications": {"webhooks": {"revert": _WEBHOOK}}},
        {"platform.notifications": {"webhooks": {"reverts": _WEBHOOK}}},
        "spec.notifications.webhooks.revert",
    ),
    Case(
        "NAME401",
        {"platform.registry": "registry.example.com/" + "m" * 224},
        {"platform.registry": "registry.example.com/" + "m" * 222},
        "metadata.name",
    ),
    Case(  # CODEOWNERS gives a team `rendered/*/<team>/`, which would be the files of that gate image
        "NAME403",
        {"platform.teams.scipy": {"owners": ["x"], "tiers": ["standard"]}},
        {"platform.teams.numpy": {"owners": ["x"], "tiers": ["standard"]}},
        "spec.teams.scipy",
    ),
    Case(
        "NAME403",
        {"platform.environments.bentos": STAGING, "spec.replicas": 20},
        {"platform.environments.bento": STAGING, "spec.replicas": 20},
        "spec.environments.bentos",
    ),
    Case(
        "NAME409",
        {"spec.traffic.names": {"service": "recs", "newService": "recs"}},
        {"spec.traffic.names": {"service": "recs", "newService": "recs-new"}},
        "spec.traffic.names.service",
    ),
    Case(  # the Service of the version under test has this name by default
        "NAME409",
        {"spec.traffic.names": {"service": "ranker-canary"}},
        {"spec.traffic.names": {"service": "ranker-canary", "newService": "ranker-stable"}},
        "spec.traffic.names.service",
    ),
    Case(
        "NAME409",
        {"spec.traffic.names": {"route": "ranker-feedback"}},
        {"spec.traffic.names": {"route": "ranker-canary"}},
        "spec.traffic.names.route",
    ),
    Case(  # without a router there is neither a second Service nor a route
        "NAME409",
        {ROUTER: NONE_ROUTER, "spec.traffic.names": {"service": "recs", "newService": "recs-new"}},
        {ROUTER: NONE_ROUTER, "spec.traffic.names": {"service": "recs"}},
        "spec.traffic.names.newService",
    ),
    Case(
        "NAME409",
        {ROUTER: NONE_ROUTER, "spec.traffic.names": {"route": "recs"}},
        {"spec.traffic.names": {"route": "recs"}},
        "spec.traffic.names.route",
    ),
    Case(
        "NAME404",
        {"spec.gates": [{"name": "a", "junit": "a.xml"}, {"name": "a", "junit": "b.xml"}]},
        {"spec.gates": [{"name": "a", "junit": "a.xml"}, {"name": "b", "junit": "b.xml"}]},
        "spec.gates[1].name",
    ),
    Case(
        "NAME405",
        {G: [CTR, {"outcome": "ctr", "limit": "1%"}]},
        {G: [CTR, {"outcome": "ctr", "limit": "1%", "name": "floor"}]},
        f"{G}[1]",
    ),
    Case(
        "NAME405",
        {G: [CTR, {"outcome": "ctr", "limit": "1%", "name": "split"}]},
        {G: [CTR, {"outcome": "ctr", "limit": "1%", "name": "splits"}]},
        f"{G}[1]",
    ),
    Case(
        "NAME405",
        {
            G: [CTR, {"name": "a-rather-long-name-of-parity", **FAIR, "sensitive": ["gender", "gentry"]}],
            "platform.attributes.gentry": ["yes", "no"],
        },
        {
            G: [CTR, {"name": "parity", **FAIR, "sensitive": ["gender", "gentry"]}],
            "platform.attributes.gentry": ["yes", "no"],
        },
        f"{G}[1]",
    ),
    Case(
        "NAME406",
        {"spec.service.env": [{"name": "LEVEL", "value": "1"}, {"name": "LEVEL", "value": "2"}]},
        {"spec.service.env": [{"name": "LEVEL", "value": "1"}, {"name": "LEVEL_2", "value": "2"}]},
        "spec.service.env[1].name",
    ),
    Case(
        "NAME406",
        {"spec.service.env": [{"name": "SLUICE_MODEL", "value": "1"}]},
        {"spec.service.env": [{"name": "MY_SLUICE_MODEL", "value": "1"}]},
        "spec.service.env[0].name",
    ),
    Case("PLAN501", {S: steps((5, "2h"), (5, "1h"))}, {S: steps((5, "2h"), (6, "1h"))}, f"{S}[1].weight"),
    Case("PLAN502", {S: steps((5, "2h"), (25, "0s"))}, {S: steps((5, "2h"), (25, "1s"))}, f"{S}[1].hold"),
    Case(
        "PLAN502",
        {"spec.rollout.shadow": {**SHADOW, "hold": "0m"}},
        {"spec.rollout.shadow": {**SHADOW, "hold": "1m"}},
        "spec.rollout.shadow.hold",
    ),
    Case(
        "PLAN502",
        {"spec.rollout": {**BLUE_GREEN, "watch": "0s", "guards": [{"metric": "error-rate", "limit": "5%"}]}},
        {"spec.rollout": {**BLUE_GREEN, "watch": "0s"}},
        "spec.rollout.watch",
    ),
    Case(
        "PLAN503",
        {f"{G}.0": {"outcome": "ctr", "detect": {"rise": "10%"}}},
        {f"{G}.0": {"outcome": "ctr", "detect": {"rise": "10%"}}, "spec.outcomes.ctr.better": "lower"},
        f"{G}[0].detect",
    ),
    Case(
        "PLAN503",
        {f"{G}.1": {**ERRORS, "detect": {"drop": "50%"}}},
        {f"{G}.1": {**ERRORS, "detect": {"rise": "50%"}}},
        f"{G}[1].detect",
    ),
    Case(
        "PLAN504",
        {f"{G}.0": {"outcome": "ctr", "detect": {"drop": "0%"}}},
        {f"{G}.0": {"outcome": "ctr", "detect": {"drop": "0.1%"}}},
        f"{G}[0].detect.drop",
    ),
    Case(
        "PLAN504",
        {f"{G}.0": {"outcome": "ctr", "detect": {"drop": "100%"}}},
        {f"{G}.0": {"outcome": "ctr", "detect": {"drop": "99%"}}},
        f"{G}[0].detect.drop",
    ),
    Case(
        "PLAN505",
        {"spec.autoscaling": {"min": 5, "max": 4}},
        {"spec.autoscaling": {"min": 4, "max": 4}},
        "spec.autoscaling.min",
    ),
    Case(
        "PLAN506",
        {"spec.rollout.risk": {"falseRollback": "0%"}},
        {"spec.rollout.risk": {"falseRollback": "0.01%"}},
        "spec.rollout.risk.falseRollback",
    ),
    Case(
        "PLAN506",
        {"spec.rollout.risk": {"power": "100%"}},
        {"spec.rollout.risk": {"power": "99.9%"}},
        "spec.rollout.risk.power",
    ),
    Case(
        "PLAN518",
        {"spec.rollout.risk": {"power": "49%"}},
        {"spec.rollout.risk": {"power": "50%"}},
        "spec.rollout.risk.power",
        "warning",
    ),
    Case(
        "PLAN518",
        {"spec.rollout.risk": {"falseRollback": "26%"}},
        {"spec.rollout.risk": {"falseRollback": "25%"}},
        "spec.rollout.risk.falseRollback",
        "warning",
    ),
    Case(
        "PLAN551",
        {**CONTAINER, G: [CTR, ERRORS, SLOW]},
        {**CONTAINER, G: [CTR, ERRORS, SLOW], "spec.serve.metrics.latency": _LATENCY},
        f"{G}[2]",
    ),
    Case("PLAN551", {**CONTAINER, "spec.serve.metrics.outcomes": {}}, CONTAINER, f"{G}[0]"),
    Case(
        "PLAN551",
        {**CONTAINER, G: [ERRORS, FAIR], "spec.service.positive": [1]},
        {**CONTAINER, G: [ERRORS]},
        f"{G}[1]",
    ),
    Case(
        "PLAN551",
        {
            **CONTAINER,
            "spec.serve.metrics.latency": _LATENCY,
            "spec.serve.metrics.requests": {"metric": "http_seconds_count"},
        },
        {
            **CONTAINER,
            "spec.serve.metrics.latency": _LATENCY,
            "spec.serve.metrics.requests": {"metric": "http_seconds_total"},
        },
        "spec.serve.metrics.requests.metric",
    ),
    *(
        Case("PLAN552", {**CONTAINER, f"spec.service.{key}": value}, CONTAINER, f"spec.service.{key}")
        for key, value in (("threads", 8), ("inputs", {"x": {"type": "number"}}), ("python", "3.12"))
    ),
    Case(
        "PLAN552",
        {**CONTAINER, "spec.rollout.shadow": {"percent": "20%", "hold": "24h"}},
        {"spec.rollout.shadow": {"percent": "20%", "hold": "24h"}},
        "spec.rollout.shadow",
    ),
    Case(
        "PLAN552",
        {**CONTAINER, "spec.gates": [_EXPLAIN], "lock.data": LOCKED},
        {"spec.gates": [_EXPLAIN], "lock.data": LOCKED},
        "spec.gates[0]",
    ),
    Case(
        "PLAN552",
        {**CONTAINER, "platform.controllers": {"kubernetes": "1.29"}},
        {**CONTAINER, "platform.controllers": {"kubernetes": "1.30"}},
        "spec.serve",
    ),
    Case(
        "PLAN553",
        {
            **CONTAINER,
            "spec.serve.image": "docker.io/someone/ranker:7",
            "lock.model.ref": "oci://docker.io/someone/ranker:7",
            "lock.model.resolved": f"oci://docker.io/someone/ranker@{DIGEST}",
        },
        CONTAINER,
        "spec.serve.image",
    ),
    Case(
        "PLAN531",
        {"lock.model.by": "sluice 0.1.0, MLflow"},
        {"lock.model.by": "a training pipeline"},
        "spec.model.framework",
        "warning",
    ),
    Case(
        "PLAN541",
        {"lock.trained": {"frameworks": ["xgboost", "mlflow"]}},
        {"lock.trained": {"frameworks": ["skops", "sklearn"]}},
        "spec.model.framework",
    ),
    Case(
        "PLAN541",
        {"lock.trained": {"frameworks": ["custom"]}},
        {
            "lock.trained": {"frameworks": ["custom"]},
            "spec.model.framework": "custom",
            "spec.model.load": "ours:Ranker",
        },
        "spec.model.framework",
    ),
    Case(
        "PLAN542",
        {"lock.trained": {"python": "3.12"}},
        {"lock.trained": {"python": "3.11"}},
        "spec.service.python",
        "warning",
    ),
    Case(
        "PLAN543",
        {"lock.packages": ["scikit-learn==1.5.2"], "spec.service.requirements": ["Scikit_Learn==1.9.1"]},
        {"lock.packages": ["scikit-learn==1.5.2"], "spec.service.requirements": ["scikit-learn==1.5.2"]},
        "spec.service.requirements[0]",
        "warning",
    ),
    Case(
        "PLAN544",
        {"lock.trained": {"inputs": {"age": {"type": "number"}}}, _IN: {"age": {"type": "string"}}},
        {"lock.trained": {"inputs": {"age": {"type": "number"}}}, _IN: {"age": {"type": "integer"}}},
        f"{_IN}.age.type",
    ),
    Case(
        "PLAN544",
        {
            "lock.trained": {"inputs": {"age": {"nullable": False}}},
            _IN: {"age": {"type": "number", "nullable": True}},
        },
        {
            "lock.trained": {"inputs": {"age": {"nullable": True}}},
            _IN: {"age": {"type": "number", "nullable": True}},
        },
        f"{_IN}.age.nullable",
    ),
    Case(
        "PLAN544",
        {
            "lock.trained": {"inputs": {"age": {}}},
            _IN: {"age": {"type": "number"}, "ages": {"type": "number"}},
        },
        {"lock.trained": {"inputs": {}}, _IN: {"age": {"type": "number"}, "ages": {"type": "number"}}},
        f"{_IN}.ages",
    ),
    Case(
        "PLAN544",
        {"lock.trained": {"inputs": {"age": {}, "city": {}}}, _IN: {"age": {"type": "number"}}},
        {
            "lock.trained": {"inputs": {"age": {}, "city": {}}},
            _IN: {"age": {"type": "number"}},
            "spec.model.framework": "custom",
            "spec.model.load": "my_model:Model",
        },
        _IN,
    ),
    Case(
        "PLAN544",
        {"lock.trained": {"inputs": {"city": {"type": "string"}}, "texts": True}},
        {"lock.trained": {"inputs": {"age": {"type": "number"}}}},
        "spec.service",
    ),
    Case(
        "PLAN507",
        {"spec.service.env": [{"name": "KEY", "value": "AKIA" + "ABCDEFGHIJKLMNOP"}]},
        {"spec.service.env": [{"name": "KEY", "value": "AKIA"}]},
        "spec.service.env[0].value",
    ),
    Case(
        "PLAN507",
        {"spec.service.env": [{"name": "DB_PASSWORD", "value": "x"}]},
        {"spec.service.env": [{"name": "MAX_TOKENS", "value": "512"}, {"name": "TOKEN_FILE", "value": "/a"}]},
        "spec.service.env[0].value",
    ),
    Case(
        "PLAN507",
        {"metadata.description": "see https://me:hunter2@git.example.com"},
        {"metadata.description": "see https://git.example.com:8443/a@b"},
        "metadata.description",
    ),
    Case("PLAN513", {S: matching("^(staff")}, {S: matching("^(staff|[(]beta)$")}, f"{S}[0].cohort.regex"),
    Case("PLAN513", {S: matching("(?=a)b")}, {S: matching("(?:a)[(?=]b")}, f"{S}[0].cohort.regex"),
    Case("PLAN513", {S: matching(r"(a)\1")}, {S: matching(r"(a)\\1")}, f"{S}[0].cohort.regex"),
    Case("PLAN513", {S: matching("a*+")}, {S: matching(r"\pL*?(?U)\z")}, f"{S}[0].cohort.regex"),
    Case(
        "PLAN512",
        {"spec.service.env": [{"name": "A", "secret": {"name": "s", "key": "k", "version": "2"}}]},
        {
            "spec.service.env": [{"name": "A", "secret": {"name": "s", "key": "k", "version": "2"}}],
            "platform.secrets": {"store": "vault"},
        },
        "spec.service.env[0].secret.version",
    ),
    Case(
        "PLAN508",
        {"spec.environments": {"production": {"service": {"timeout": "3s"}}}},
        {"spec.environments": {"production": {"service": {"timeout": "2s"}, "replicas": 4}}},
        "spec.environments.production.service.timeout",
    ),
    Case(
        "PLAN508",
        {"spec.environments": {"production": {"outcomes": {"ctr": {"event": "buy"}}}}},
        {"spec.environments": {"production": {"outcomes": {"ctr": {"baseline": "3.9%"}}}}},
        "spec.environments.production.outcomes",
    ),
    Case(
        "PLAN508",
        {"spec.environments": {"production": {"rollout": {"guards": [CTR, FAIR]}}}},
        {
            "spec.environments": {"production": {"rollout": {"guards": [CTR, FAIR]}}},
            "spec.service.attributes": {"gender": ["female", "male"]},
        },
        "spec.environments.production.rollout.guards",
    ),
    Case(
        "PLAN509",
        {f"{G}.1": {**SLOW, "slowerThan": "2001ms"}},
        {f"{G}.1": {**SLOW, "slowerThan": "2s"}},
        f"{G}[1].slowerThan",
    ),
    Case(
        "PLAN510",
        {G: [CTR, FAIR], "platform.attributes.gender": ["female"]},
        {G: [CTR, FAIR]},
        f"{G}[1].sensitive[0]",
    ),
    Case(
        "PLAN511",
        {"spec.rollout.shadow": {**SHADOW, "guards": [FAIR, ERRORS]}},
        {"spec.rollout.shadow": SHADOW},
        "spec.rollout.shadow.guards[1]",
    ),
)
