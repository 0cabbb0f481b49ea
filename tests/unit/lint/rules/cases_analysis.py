"""Cases of the rules about metrics, their verdicts, and surprises (ANA3xx, ANA4xx)."""

from __future__ import annotations

from tests.unit.lint.rules.cases_references import (
    DEPLOYED,
    DEPLOYMENT,
    ENDLESS,
    FREE,
    background,
    template,
    used,
)
from tests.unit.lint.rules.cases_rollout import ISTIO, PLUGIN
from tests.unit.lint.rules.samples import (
    ALL,
    CONTAINER,
    ERRORS,
    GONE,
    HASH,
    JOB_METRIC,
    METRIC,
    TEMPLATE,
    blue_green,
    case,
    container,
    edit,
    failing,
    job,
    metric,
    other,
    prometheus,
    rollout,
)

GOOD = METRIC["successCondition"]
BACK = [{"setCanaryScale": {"matchTrafficWeight": True}}, {"setWeight": 60}]
POD = "provider/job/spec/template/spec"
CONTAINERS = "spec/template/spec/containers"
DIVIDED = "sum(a) / sum(b)"
WEB = {"name": "web", "successCondition": "result.ok", "provider": {"web": {"url": "http://a"}}}
RUN = edit(TEMPLATE, {"kind": "AnalysisRun", "spec/metrics": [FREE]})
SUBSETS = {
    "istio": {
        "virtualService": {"name": "model"},
        "destinationRule": {"name": "m", "canarySubsetName": "c", "stableSubsetName": "s"},
    }
}
SCALER = other(
    "HorizontalPodAutoscaler",
    "autoscaling",
    "model",
    {"scaleTargetRef": {"kind": "Rollout", "name": "model"}},
)


CPU, MEMORY = (
    {"metrics": [{"type": "Resource", "resource": {"name": name, "target": {}}}]}
    for name in ("cpu", "memory")
)


def scaled(spec, name="model"):
    """An autoscaler of a Rollout: of Kubernetes with metrics, otherwise of KEDA."""
    target = {"scaleTargetRef": {"kind": "Rollout", "name": name}}
    kind = ("HorizontalPodAutoscaler", "autoscaling") if "metrics" in spec else ("ScaledObject", "keda.sh")
    return other(*kind, "model", {**target, **spec})


def web(condition, **fields):
    return metric(base=WEB, successCondition=condition, provider={"web": {"url": "http://a", **fields}})


def sleeping(*command):
    return container(lifecycle={"preStop": {"exec": {"command": list(command)}}})


def budget(**spec):
    return other(
        "PodDisruptionBudget", "policy", "model", {"selector": {"matchLabels": {"app": "model"}}, **spec}
    )


CASES = [
    case("ANA301", edit(TEMPLATE, {"spec/metrics": []}), TEMPLATE),
    case(
        "ANA301",
        edit(TEMPLATE, {"spec/metrics/+": METRIC}),
        edit(TEMPLATE, {"spec/metrics/+": {**METRIC, "name": "b"}}),
    ),
    case("ANA302", metric(failureLimit=-1), metric(failureLimit=-1, consecutiveSuccessLimit=1)),
    case("ANA302", metric(inconclusiveLimit=-1), metric(inconclusiveLimit=0)),
    case("ANA303", metric(count=5, failureLimit=6), metric(count=5, failureLimit=4)),
    case(
        "ANA303",
        metric(consecutiveSuccessLimit=5, failureLimit=1),
        metric(consecutiveSuccessLimit=4, failureLimit=1),
    ),
    case("ANA304", metric(interval="1d"), metric(interval="24h")),
    case("ANA304", metric({"interval": GONE}), metric({"interval": GONE}, count=1, failureLimit=0)),
    case("ANA305", metric({"provider/web": {"url": "http://a"}}), metric({"provider/web": None})),
    case(
        "ANA305",
        metric(provider={"plugin": {"a/b": {}, "c/d": {}}}),
        metric(provider={"plugin": {"a/b": {}}}),
    ),
    case(
        "ANA306",
        used(template(), dryRun=[{"metricName": "*"}]),
        used(template(), dryRun=[{"metricName": "^err.*"}]),
    ),
    case(
        "ANA316",
        edit(RUN, {"spec/dryRun": [{"metricName": "other"}]}),
        edit(RUN, {"spec/dryRun": [{"metricName": "err"}]}),
    ),
    case("ANA307", prometheus(GOOD, "sum({{ $labels.a }})"), prometheus(GOOD, "sum({{ args.hash }})")),
    case("ANA308", prometheus("result[0] = 5"), prometheus("len(result) == 1 && result[0] == 5")),
    case("ANA308", prometheus("result < 5"), prometheus("result < 5", "scalar(x)")),
    case("ANA308", prometheus("max(result) < 5"), prometheus("mean(result) < 5")),
    case("ANA308", prometheus("0.1 < result[0] < 0.9"), prometheus("0.1 < result[0] && result[0] < 0.9")),
    case(
        "ANA309",
        metric({"provider/prometheus/address": "prometheus:9090"}),
        metric({"provider/prometheus/address": "https://prometheus"}),
    ),
    case("ANA310", job(name="Check"), job(name="a-check-with-a-name-that-is-cut")),
    case("ANA310", job(name="a-check-that-is-cut-at-a-dash"), job(name="a-check-that-is-cut-elsewhere")),
    case(
        "ANA317",
        edit(
            job(name="a-check-of-the-new-model-1"),
            {"spec/metrics/+": {**JOB_METRIC, "name": "a-check-of-the-new-model-2"}},
        ),
        edit(job(name="a-check-1"), {"spec/metrics/+": {**JOB_METRIC, "name": "a-check-2"}}),
    ),
    case("ANA401", metric(count=3, failureLimit=3), metric(count=3, failureLimit=2)),
    case(
        "ANA401",
        metric({"count": GONE, "interval": GONE}, failureLimit=1),
        metric({"count": GONE}, failureLimit=9),
    ),
    case(
        "ANA401",
        metric({"count": GONE}, failureLimit=-1, consecutiveSuccessLimit=3),
        metric(failureLimit=-1, consecutiveSuccessLimit=3),
    ),
    case("ANA402", metric({"successCondition": GONE}), job()),
    case("ANA403", prometheus("len(result) == 1"), prometheus("len(result) == 1 && result[0] > 0")),
    case(
        "ANA404",
        prometheus("result[0] > 1 && result[0] < 0.5"),
        prometheus("result[0] > 0.5 && result[0] < 1"),
    ),
    case(  # the query shows what is within the limit only
        "ANA403", prometheus("len(result) == 1"), prometheus("len(result) == 1", "sum(x) < 0.05")
    ),
    case(
        "ANA403",
        prometheus("len(result) == 1", "sum(x) < bool 0.05"),
        prometheus("len(result) == 1", "sum(x) < 0.05"),
    ),
    case(
        "ANA404", prometheus("len(result) == 0"), prometheus("len(result) == 0", "sum(x) > 0.05 or vector(0)")
    ),
    case("ANA405", failing("result[0] > 0.05"), failing("!(result[0] <= 0.05)")),
    case("ANA405", prometheus("!(result[0] > 0.05)"), prometheus("result[0] <= 0.05")),
    case(
        "ANA406", prometheus("all(result, # < 0.05)"), prometheus("len(result) > 0 && all(result, # < 0.05)")
    ),
    case("ANA406", prometheus("mean(result) < 0.05"), prometheus("len(result) == 1 && mean(result) < 0.05")),
    case(
        "ANA407",
        prometheus("len(result) == 1 && result[0] > 0.95", DIVIDED),
        prometheus("len(result) == 1 && result[0] > 0.95 && !isInf(result[0])", DIVIDED),
    ),
    case(  # a value that is not a ratio is never infinite
        "ANA407",
        prometheus("len(result) == 1 && result[0] > 0.95", DIVIDED),
        prometheus("len(result) == 1 && result[0] > 0.95", 'sum(a{path="/b"}) # a/b'),
    ),
    case(  # every number passes: that is another mistake
        "ANA407",
        prometheus("len(result) == 1 && result[0] > 0.95", DIVIDED),
        prometheus("len(result) == 1", DIVIDED),
    ),
    case("ANA408", prometheus("result[0] < 0.05"), prometheus("result[0] < 0.05", "sum(x) or vector(1)")),
    case(
        "ANA409",
        prometheus("result[0] < 0.05", "sum by (pod) (x)"),
        prometheus("result[0] < 0.05", "sum by (le) (x)"),
    ),
    case("ANA410", prometheus("len(result) == 0 || result[0] < 5"), prometheus(GOOD)),
    case(
        "ANA411",
        prometheus("result[0] < 0.05", "sum(x) or vector(0)"),
        prometheus("result[0] < 0.05", "sum(x) or vector(1)"),
    ),
    case(
        "ANA413",
        prometheus("len(result) == 0 || result[0] > 0.2", f"{ERRORS} / {ALL}"),
        prometheus("len(result) == 0 || result[0] > 0.2", f"({ERRORS} or vector(0)) / {ALL}"),
        at=("query",),
    ),
    case(
        "ANA413",
        prometheus("len(result) == 0 || result[0] < 3", f"{ERRORS} - {ALL} * ln({ALL} / {ALL})"),
        prometheus("len(result) == 0 || result[0] < 0.2", f"{ERRORS} / {ALL}"),
    ),
    case(
        "ANA413",
        prometheus("len(result) == 0 || result[0] < 0.9", f"1 - {ERRORS} / {ALL}"),
        prometheus("len(result) == 0 || result[0] >= 0.9", f"1 - {ERRORS} / {ALL}"),
    ),
    case(
        "ANA414",
        prometheus("len(result) == 1 && result[0] < 0.05", f"{ERRORS} / {ALL}"),
        prometheus("len(result) == 1 && result[0] > 0.95", f"{ERRORS} / {ALL}"),
        at=("query",),
    ),
    case(
        "ANA414",
        prometheus("result[0] >= 95", f"100 - 100 * {ERRORS} / {ALL}"),
        prometheus("result[0] >= 95", f"100 - 100 * ({ERRORS} or vector(0)) / {ALL}"),
    ),
    case("ANA412", prometheus("let x = result[0]; x > 5"), prometheus("result[0] > 5")),
    case("ANA420", job({"provider/job/spec/activeDeadlineSeconds": GONE}), job()),
    case("ANA421", job({"provider/job/spec/backoffLimit": GONE}), job()),
    case("ANA425", job({f"{POD}/restartPolicy": GONE}), job({f"{POD}/restartPolicy": "OnFailure"})),
    case(
        "ANA425",
        job({f"{POD}/containers/0/resources": {"requests": {"memory": "invalid"}}}),
        job({f"{POD}/containers/0/resources": {"requests": {"memory": "{{args.hash}}"}}}),
    ),
    case("ANA422", web('result == "OK"'), web('result == "OK"', jsonPath="{$.status}")),
    case("ANA423", web("result.ok"), job()),
    case("ANA424", background(template()), background(template(metrics=[ENDLESS]))),
    case(
        "ANA428",
        metric(failureCondition="false", inconclusiveLimit=5),
        metric(failureCondition="false", inconclusiveLimit=4),
    ),
    case("ANA430", used(template(), dryRun=[{"metricName": ".*"}]), used(template())),
    case(
        "ANA433",
        rollout(
            steps=[{"analysis": {"args": [{"name": "a", "valueFrom": {"podTemplateHashValue": "latest"}}]}}]
        ),
        rollout(steps=[{"analysis": {"args": [HASH]}}]),
    ),
    case("ANA434", used(template(), args=[HASH]), used(template(args=[{"name": "hash"}]), args=[HASH])),
    case(
        "ANA437",
        [blue_green(prePromotionAnalysis={"templates": [{"templateName": "quality"}]}), TEMPLATE],
        [blue_green(postPromotionAnalysis={"templates": [{"templateName": "quality"}]}), TEMPLATE],
    ),
    case(
        "ANA441",
        rollout({"spec/replicas": 4}, steps=[{"setWeight": 50}, {"setCanaryScale": {"replicas": 1}}, *BACK]),
        rollout({"spec/replicas": 4}, steps=[{"setWeight": 50}, {"setCanaryScale": {"replicas": 2}}, *BACK]),
    ),
    case(
        "ANA441",
        rollout(steps=[{"setWeight": 50}, {"setCanaryScale": {"weight": 49}}, *BACK]),
        rollout(steps=[{"setWeight": 50}, {"setCanaryScale": {"weight": 50}}, *BACK]),
    ),
    case(
        "ANA441",
        rollout(steps=[{"setCanaryScale": {"replicas": 1}}, {"setWeight": 50}]),
        rollout(
            steps=[
                {"setCanaryScale": {"replicas": 1}},
                {"setCanaryScale": {"matchTrafficWeight": True}},
                {"setWeight": 50},
            ]
        ),
    ),
    case(
        "ANA441",
        rollout(steps=[{"setCanaryScale": {"weight": 49}}, {"setWeight": 50}]),
        rollout(steps=[{"setCanaryScale": {"weight": 50}}, {"setWeight": 50}]),
    ),
    case(
        "ANA442",
        rollout(canary={"abortScaleDownDelaySeconds": 0}),
        rollout(canary={"abortScaleDownDelaySeconds": 30}),
    ),
    case("ANA443", rollout(canary={"dynamicStableScale": True}), rollout()),
    case("ANA444", rollout({"spec/progressDeadlineAbort": False}), rollout()),
    case(
        "ANA445",
        rollout({"spec/replicas": 3}, routing=GONE, steps=[{"setWeight": 10}]),
        rollout({"spec/replicas": 3}, routing=GONE, steps=[{"setWeight": 34}]),
    ),
    case(
        "ANA447",
        rollout({"spec/strategy/canary/canaryService": GONE}, routing=SUBSETS),
        rollout(routing=ISTIO),
    ),
    case("ANA448", [rollout({"spec/replicas": 3}), SCALER], [rollout(), SCALER]),
    case(
        "ANA448",
        [rollout({"spec/replicas": 3}), scaled({})],
        [rollout({"spec/replicas": 3}), scaled({}, "other")],
    ),
    *(
        case("ANA466", [rollout(routing=ISTIO), scaled(memory)], miss)
        for memory, miss in (
            (MEMORY, [rollout(routing=ISTIO), scaled(CPU)]),
            (MEMORY, [rollout(routing=GONE), scaled(MEMORY)]),
            (MEMORY, [rollout(routing=ISTIO), scaled(MEMORY, "other")]),
            (MEMORY, [blue_green(), scaled(MEMORY)]),
            (
                {"triggers": [{"type": "memory"}]},
                [rollout(routing=ISTIO), scaled({"triggers": [{"type": "cpu"}]})],
            ),
        )
    ),
    case(
        "ANA452",
        blue_green(autoPromotionEnabled=False, autoPromotionSeconds=60),
        blue_green(autoPromotionEnabled=True, autoPromotionSeconds=60),
    ),
    case(
        "ANA453",
        [rollout({"spec/replicas": 3}), budget(minAvailable=3)],
        [rollout({"spec/replicas": 3}), budget(maxUnavailable=1)],
    ),
    case("ANA454", rollout({"spec/rollbackWindow": {"revisions": 3}}), rollout({"spec/rollbackWindow": {}})),
    case(
        "ANA455",
        rollout(steps=[{"pause": {}}, {"analysis": {}}, {"setWeight": 5}]),
        rollout(steps=[{"setWeight": 5}, {"analysis": {}}]),
    ),
    case("ANA457", container(image="registry:5000/model"), container(image="registry:5000/model:7")),
    case("ANA462", rollout({"spec/paused": True}), rollout({"spec/paused": False})),
    case(
        "ANA463",
        rollout(routing=PLUGIN, steps=[{"setCanaryScale": {"weight": 5}, "setWeight": 5}]),
        rollout(routing=PLUGIN, steps=[{"setWeight": 5}]),
    ),
    case("ANA464", container(ports=[{"containerPort": 3000}]), rollout(), at=("lifecycle",)),
    case("ANA464", container(lifecycle={"postStart": {}}), container(lifecycle={"preStop": {"exec": {}}})),
    case(
        "ANA464",
        edit(blue_green(), {f"{CONTAINERS}/0/lifecycle": GONE}),
        rollout({f"{CONTAINERS}/0/lifecycle": GONE}, routing=GONE),
    ),
    case(
        "ANA464",
        [DEPLOYED, edit(DEPLOYMENT, {CONTAINERS: [{"name": "model"}]})],
        [DEPLOYED, edit(DEPLOYMENT, {CONTAINERS: [CONTAINER]})],
    ),
    case(
        "ANA464",
        rollout({f"{CONTAINERS}/0/lifecycle": GONE}),
        rollout({f"{CONTAINERS}/+": {"name": "sidecar", "image": "a:1"}}),
    ),
    case(
        "ANA465",
        rollout(pod={"terminationGracePeriodSeconds": 10}),
        rollout(pod={"terminationGracePeriodSeconds": 11}),
        at=("terminationGracePeriodSeconds",),
    ),
    case("ANA465", sleeping("sleep", "30"), sleeping("sleep", "29.5")),
    case("ANA465", sleeping("sh", "-c", "nginx -s quit; sleep 1m"), sleeping("sh", "-c", "oversleep 60")),
]
