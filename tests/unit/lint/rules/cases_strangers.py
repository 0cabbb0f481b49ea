"""Cases of the rules that hand-written releases trip: their examples, and near misses of each condition."""

from __future__ import annotations

from generator.lint.engine import CODES, load
from tests.unit.lint.rules.examples import bodies
from tests.unit.lint.rules.samples import (
    GATEWAY,
    GONE,
    HASH,
    Case,
    blue_green,
    case,
    container,
    metric,
    other,
    prometheus,
    rollout,
)

load("generator.lint.rules")
TIMED = [{"setWeight": 5}, {"pause": {"duration": "10m"}}]
STEP = {"analysis": {"templates": [{"templateName": "quality"}], "args": [HASH]}}
NUMBER = "len(result) == 1 && !isInf(result[0]) && result[0] >= 0.9"
RATE = 'sum(rate(good{hash="{{args.hash}}"}[5m]))'
SHARE = "len(result) == 1 && result[0] < 0.05"
BY_EXAMPLE = (
    *(
        "ANA415",
        "ANA416",
        "ANA417",
        "ANA418",
        "ANA426",
        "ANA431",
        "ANA432",
        "ANA435",
        "ANA446",
        "ANA449",
        "ANA450",
    ),
    *("ANA451", "ANA456", "ANA467", "ANA468", "ANA469", "ANA470", "CAP507", "CAP508", "ROL222", "ROL223"),
    *("SYN605", "SYN606", "SYN607"),
)


def _own(code):
    """The example of a code, and what to write instead."""
    sides = (tuple(bodies(text)) for text in (CODES[code].example, CODES[code].instead))
    return Case(code, *sides, file="shop/model/all.yaml", controller="1.10")


def headers(**header):
    return metric({"provider/prometheus/headers": [header]})


def background(pause, limit, **fields):
    canary = {"steps": [{"setWeight": 50}, {"pause": pause}], "analysis": STEP["analysis"]}
    return [rollout(canary=canary), metric({"count": GONE, "failureLimit": limit, **fields})]


def later(first, last):
    """A background run from the second weight on, with the pauses of both weights."""
    steps = [{"setWeight": 5}, {"pause": first}, {"setWeight": 50}, {"pause": last}]
    canary = {"steps": steps, "analysis": {"startingStep": 2, **STEP["analysis"]}}
    return [rollout(canary=canary), metric({"count": GONE, "failureLimit": 5})]


def scaler(target="Rollout", **metric_target):
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": metric_target}}
    ref = {"apiVersion": "argoproj.io/v1alpha1", "kind": target, "name": "model"}
    return other(
        "HorizontalPodAutoscaler",
        "autoscaling",
        "model",
        {"maxReplicas": 5, "scaleTargetRef": ref, "metrics": [cpu]},
    )


USE = {"type": "Utilization", "averageUtilization": 60}
CASES = [
    *map(_own, BY_EXAMPLE),
    case(
        "ANA415",
        prometheus(NUMBER, f"{RATE} / clamp_min({RATE}, 0.5)"),
        prometheus(NUMBER, f"{RATE} / clamp_min({RATE}, 0.001)"),
    ),
    case(
        "ANA415",
        prometheus(NUMBER, f"{RATE} / clamp_min({RATE}, 5)"),
        prometheus(NUMBER, f"clamp_min({RATE}, 5) / {RATE}"),
    ),
    case(
        "ANA416",
        prometheus("len(result) == 1 && result[0] >= 99", RATE),
        prometheus("len(result) == 1 && result[0] >= 5", RATE),
    ),
    case("ANA416", prometheus(NUMBER, RATE), prometheus(SHARE, RATE)),  # few errors a second are a limit
    case("ANA416", prometheus(NUMBER, RATE), prometheus(NUMBER, f"avg({RATE})")),
    case(
        "ANA417",
        prometheus(SHARE, RATE, failureCondition="len(result) == 1 && isNaN(result[0])"),
        prometheus(SHARE, RATE),
    ),
    case(
        "ANA418",
        prometheus("result[0] < 1", RATE, failureCondition="result[0] > 1"),
        prometheus("result[0] < 1", RATE, failureCondition="result[0] > 1", inconclusiveLimit=2),
    ),
    case(
        "ANA418",
        prometheus(SHARE, RATE, failureCondition="len(result) == 1 && result[0] >= 0.05"),
        prometheus(SHARE, RATE, failureCondition="len(result) != 1 || result[0] >= 0.05"),
    ),
    case(
        "ANA418",
        prometheus("result[0] < 1", RATE, failureCondition="result[0] > 1"),
        prometheus("result[0] < 1", RATE, failureCondition="result[0] > 2"),  # a range on purpose
    ),
    case(
        "ANA426",
        headers(key="Authorization", value="Bearer abc"),
        headers(key="Authorization", value="Bearer {{args.hash}}"),
    ),
    case("ANA426", headers(key="X-Api-Key", value="abc"), headers(key="X-Scope-OrgID", value="abc")),
    case(
        "ANA426",
        metric({"provider/prometheus/authentication": {"oauth2": {"clientSecret": "abc"}}}),
        metric({"provider/prometheus/authentication": {"oauth2": {"clientSecret": "{{args.hash}}"}}}),
    ),
    case(
        "ANA426",
        metric({"provider/prometheus/address": "https://a:b@prometheus"}),
        metric({"provider/prometheus/address": "https://a:{{args.hash}}@prometheus"}),
    ),
    case("ANA432", background({"duration": "1m"}, 5), background({"duration": "1m"}, 1)),
    case("ANA432", background({"duration": "1m"}, 5), background({}, 5)),  # a person ends the pause
    case(
        "ANA432", later({}, {"duration": "1m"}), later({"duration": "1m"}, {})
    ),  # which may be before the run
    case(
        "ANA432",
        background({"duration": "10m"}, 5, initialDelay="9m"),
        background({"duration": "10m"}, 5, initialDelay="1m"),
    ),
    case(
        "ANA435",
        [rollout(steps=[{"setWeight": 5}, STEP]), metric(count=1)],
        [rollout(steps=[{"setWeight": 5}, {"pause": {"duration": "5m"}}, STEP]), metric(count=1)],
    ),
    case(
        "ANA435",
        [rollout(steps=[{"setWeight": 5}, STEP]), metric(count=1)],
        [rollout(steps=[{"setWeight": 5}, STEP]), metric(count=5)],
    ),
    case("ANA446", rollout(steps=TIMED), rollout(steps=[*TIMED, STEP])),
    case("ANA446", rollout(steps=TIMED), rollout(steps=[*TIMED, {"experiment": {"templates": []}}])),
    case("ANA446", rollout(steps=[]), rollout(steps=[{"setWeight": 5}, {"pause": {}}])),
    case("ANA446", blue_green(), blue_green(autoPromotionEnabled=False)),
    case("ANA446", blue_green(), blue_green(prePromotionAnalysis=STEP["analysis"])),
    case(
        "ANA467", [container(), scaler(**USE)], [container(), scaler(type="AverageValue", averageValue="1")]
    ),
    case(
        "ANA467",
        [container(resources={"requests": {"memory": "1Gi"}}), scaler(**USE)],
        [container(resources={"limits": {"cpu": "1"}}), scaler(**USE)],  # a limit is a request, too
    ),
    case(
        "ANA453",
        [
            rollout({"spec/replicas": 3}),
            other(
                "PodDisruptionBudget",
                "policy",
                "model",
                {"maxUnavailable": "0%", "selector": {"matchLabels": {"app": "model"}}},
            ),
        ],
        [
            rollout({"spec/replicas": 3}),
            other(
                "PodDisruptionBudget",
                "policy",
                "model",
                {"maxUnavailable": "1%", "selector": {"matchLabels": {"app": "model"}}},
            ),
        ],
    ),
    case(
        "ANA453",
        [
            rollout({"spec/replicas": 3}),
            other(
                "PodDisruptionBudget",
                "policy",
                "model",
                {"minAvailable": "67%", "selector": {"matchLabels": {"app": "model"}}},
            ),
        ],
        [
            rollout({"spec/replicas": 3}),
            other(
                "PodDisruptionBudget",
                "policy",
                "model",
                {"minAvailable": "66%", "selector": {"matchLabels": {"app": "model"}}},
            ),
        ],
    ),
    case(
        "CAP507",
        rollout(
            routing={"plugins": {GATEWAY: {"httpRoutes": [{"name": "model"}]}}},
            steps=[{"setWeight": 5}, {"setHeaderRoute": {"name": "r", "match": [{"headerName": "x"}]}}],
        ),
        rollout(
            routing={"plugins": {GATEWAY: {"httpRoutes": [{"name": "model"}], "httpRoute": "model"}}},
            steps=[{"setWeight": 5}, {"setHeaderRoute": {"name": "r", "match": [{"headerName": "x"}]}}],
        ),
    ),
]
