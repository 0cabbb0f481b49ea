"""Keys of Kubernetes, Argo Rollouts, Flagger, Helm, KServe, Seldon and others, and their equivalents in Sluice.

Tables only: `foreign_keys` looks keys up here.
"""

from __future__ import annotations

from typing import Final

from generator.dataclass import dataclass
from generator.spec.pod import POD_KEYS


@dataclass(frozen=True, slots=True)
class Put:
    """A foreign key whose value belongs under another key.

    Args:
        path: that key, relative to the mapping with the foreign key; a leading `/` means from the root of the file.
    """

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inline:
    """A foreign key whose keys belong in the mapping around it."""


@dataclass(frozen=True, slots=True)
class Say:
    """A foreign key without an equivalent, and what to do instead.

    Args:
        message: the rest of a sentence that starts with the key.
        hint: what to do; `{weight}` and `{hold}` stand for the value, `{first}` and `{last}` for the items of a
            list, `{name}` and `{value}` for the first entry of a mapping, `{twelfth}` for a twelfth of an amount.
        replaces: the key that the hint writes instead; empty for none.
    """

    message: str
    hint: str
    replaces: str = ""


Habit = Put | Inline | Say


def put(path: str) -> Put:
    """Return the habit of a key whose value belongs at a dotted path."""
    return Put(tuple(path.split(".")))


def all_of(keys: str, habit: Habit) -> dict[str, Habit]:
    """Return one habit for several keys, separated by spaces."""
    return dict.fromkeys(keys.split(), habit)


_PLATFORM = "ask the platform team"
_POD = Say(
    "is a field of pods that Sluice decides",
    "remove it; `pod` has what a spec can add to its pods (docs/pods.md), and the platform team can override the "
    "template `kubernetes/_pod.yaml.j2`",
)
_PROBES = Say(
    "is generated: every pod has startup, readiness and liveness probes of the service",
    "remove it; set `service.startup` for a model that loads slowly, such as `service: {startup: 5m}`, and "
    "`pod.probes` for the times of the probes",
)
_IMAGE = Say(
    "is computed from the model and its service: CI builds the image and `sluice pin` locks its digest",
    "remove it; `model.ref` names the model",
)
_ROUTING = Say(
    "is generated from the router of the environment in specs/platform.yaml",
    "remove it; host names are set with `traffic: {hosts: [HOST]}`",
)
_TRANSITION = Say(
    "is generated: Sluice sets it so that an aborted release rolls back safely",
    "remove it; a spec sets only steps, holds and guards",
)
_ANALYSIS = Say(
    "is generated: analysis follows from guards",
    "write guards, such as `guards: [{metric: error-rate, baseline: 1%, detect: {rise: 100%}}]`",
)
_CONDITION = Say(
    "is generated: the condition follows from what the guard must detect",
    "write `detect: {rise: 100%}` (against the stable version) or `limit: 5%` (an absolute bound)",
)
_PACE = Say(
    "is set for all models: the interval of guards is `prometheus.lookInterval` in specs/platform.yaml",
    "remove it; the duration of a step is its `hold`",
)
_ROLLBACK = Say(
    "is always on: a failed guard aborts the release, and all traffic returns to the stable version",
    "remove it; what missing data means is set with `noData: pause`, `fail` or `pass`",
)
_NOTIFY = Say(
    "is set by the platform team, per team: `spec.teams.TEAM.notify` in specs/platform.yaml",
    "remove it, or " + _PLATFORM,
)
METADATA = Say(
    "is generated: Sluice sets the labels and annotations of all objects",
    "remove it; free text goes into `metadata.description`",
)
NAMESPACE = Say(
    "follows from team and environment: `spec.environments.NAME.namespace` in specs/platform.yaml",
    "remove it, or " + _PLATFORM,
)
_SECRETS = Say(
    "is written per environment variable",
    "write `service: {env: [{name: TOKEN, secret: {name: SECRET, key: KEY}}]}`",
)
_WEBHOOK = Say(
    "has no equivalent: checks before a release are gates",
    "add a gate, for example `gates: [{name: smoke, custom: IMAGE-OR-COMMAND}]`",
)
_SCALING = "/.spec.autoscaling"

GENERAL: Final[dict[str, Habit]] = {
    # Pods in Kubernetes and Helm charts.
    **all_of(
        "securityContext podSecurityContext serviceAccountName hostNetwork dnsPolicy lifecycle persistence "
        "persistentVolumeClaim storage containers container command restartPolicy envFrom podTemplate "
        "componentSpecs podDisruptionBudget pdb",
        _POD,
    ),
    **{key: put(f"/.spec.pod.{key}") for key in POD_KEYS if key not in ("labels", "annotations", "service")},
    **all_of("podLabels", put("/.spec.pod.labels")),
    **all_of("podAnnotations", put("/.spec.pod.annotations")),
    **all_of("imagePullSecret", put("/.spec.pod.imagePullSecrets")),
    **all_of("extraContainers", put("/.spec.pod.sidecars")),
    **all_of("terminationGracePeriodSeconds", put("/.spec.pod.termination.grace")),
    **all_of("accelerator accelerators", put("/.spec.resources.gpuKind")),
    **all_of(
        "livenessProbe readinessProbe startupProbe readiness liveness probe healthcheck healthCheck "
        "initialDelaySeconds",
        _PROBES,
    ),
    **all_of(
        "image imagePullPolicy tag containerImage dockerImage docker dockerfile",
        _IMAGE,
    ),
    **all_of("labels annotations commonLabels tags", METADATA),
    **all_of("namespace fullnameOverride nameOverride", NAMESPACE),
    **all_of(
        "ingress route routes router gatewayRefs trafficRouting virtualService port ports portName "
        "targetPort match istio nginx ingressRef routing gateway",
        _ROUTING,
    ),
    **all_of("secrets secretRef secretKeyRef valueFrom configMap configMapRef envSecret", _SECRETS),
    # Argo Rollouts.
    **all_of(
        "stableService canaryService activeService previewService maxSurge maxUnavailable "
        "progressDeadlineSeconds progressDeadlineAbort abortScaleDownDelaySeconds scaleDownDelaySeconds "
        "scaleDownDelayRevisionLimit dynamicStableScale revisionHistoryLimit minReadySeconds workloadRef "
        "canaryMetadata stableMetadata antiAffinity rollbackWindow selector template setCanaryScale "
        "setHeaderRoute setMirrorRoute restartAt startingStep targetRef autoscalerRef scaleTargetRef",
        _TRANSITION,
    ),
    **all_of(
        "analysis analyses templates templateName args canaryAnalysis prePromotionAnalysis "
        "postPromotionAnalysis analysisTemplate experiment metrics measurements",
        _ANALYSIS,
    ),
    **all_of(
        "successCondition failureCondition failureLimit inconclusiveLimit consecutiveErrorLimit threshold "
        "thresholdRange thresholds successThreshold query promql provider prometheus expression",
        _CONDITION,
    ),
    **all_of("interval count initialDelay evaluationInterval window lookback", _PACE),
    **all_of(
        "autoRollback rollback rollbackOnFailure onFailure abortOnFailure automaticRollback skipAnalysis",
        _ROLLBACK,
    ),
    **all_of("webhooks hooks preHook postHook prePromotion loadtester smokeTest", _WEBHOOK),
    **all_of("notify notifications notification slack channel email pagerduty alertmanager", _NOTIFY),
    # Numbers of pods.
    **all_of("replicaCount numReplicas instances pods desiredReplicas", put("/.spec.replicas")),
    **all_of("minReplicas minReplicaCount minPods minScale minInstances", put(f"{_SCALING}.min")),
    **all_of("maxReplicas maxReplicaCount maxPods maxScale maxInstances", put(f"{_SCALING}.max")),
    **all_of(
        "targetCPUUtilizationPercentage targetCPU targetCpu averageUtilization cpuUtilization "
        "targetCPUUtilization targetUtilization",
        put(f"{_SCALING}.cpu"),
    ),
    **all_of("hpa horizontalPodAutoscaler autoscaler scaling scaler keda scaledObject", put(_SCALING)),
    **all_of(
        "behavior triggers pollingInterval cooldownPeriod scaleMetric scaleUp scaleDown",
        Say("is generated with the autoscaler", "remove it; `autoscaling` has `min`, `max` and a target"),
    ),
    # Resources of pods.
    **all_of("requests limits request", Inline()),
    **all_of("mem ram memoryLimit memoryRequest", put("/.spec.resources.memory")),
    **all_of("cpus cpuLimit cpuRequest cores vcpu", put("/.spec.resources.cpu")),
    **all_of("gpus nvidia.com/gpu", put("/.spec.resources.gpu")),
    # Models in KServe, Seldon, MLflow and BentoML.
    **all_of(
        "modelUri storageUri modelURI storageURI model_uri modelRef modelPath artifact artifactUri uri "
        "bento registered_model_name modelName",
        put("/.spec.model.ref"),
    ),
    **all_of(
        "modelFormat runtime serverType implementation flavor flavour backend library",
        put("/.spec.model.framework"),
    ),
    **all_of(
        "predictor predictors graph transformer explainer children endpoint protocolVersion "
        "containerConcurrency batching batcher",
        Say(
            "has no equivalent: a spec serves one model, and its service is generated",
            "write `model: {ref: REFERENCE, framework: FRAMEWORK}`, with the framework `custom` and `load` for your "
            "own class",
        ),
    ),
    # Releases in Flagger, Spinnaker, KServe and Seldon.
    **all_of(
        "stepWeight canaryTrafficPercent canaryPercent canaryWeight initialWeight maxWeight stepWeights iterations "
        "stepDuration",
        Say(
            "is written as steps, each with its weight and how long it lasts",
            "write `rollout: {strategy: canary, steps: [{weight: {weight}, hold: 1h}]}`",
        ),
    ),
    **all_of(
        "mirror mirroring mirrorTraffic shadowing shadowTraffic trafficMirroring",
        put("/.spec.rollout.shadow"),
    ),
    **all_of(
        "mirrorWeight mirrorPercent shadowPercent shadowWeight mirrorPercentage",
        put("/.spec.rollout.shadow.percent"),
    ),
    **all_of("canary", Say("is a strategy", "write `rollout: {strategy: canary, steps: {steps}}`")),
    **all_of(
        "blueGreen bluegreen blue_green blue-green",
        Say("is a strategy", "write `rollout: {strategy: blue-green, approve: manual}`"),
    ),
    **all_of(
        "autoPromotionEnabled autoPromote autoPromotionSeconds manualApproval approval approvals "
        "approvers requireApproval",
        Say(
            "is a separate step, or the `approve` of a blue-green rollout",
            "write `approve: manual` next to `strategy: blue-green`; in a canary, add the step `{approve: ROLE}`",
        ),
    ),
    **all_of("deployment release deploy", put("/.spec.rollout")),
    **all_of("previewReplicas previewReplicaCount", put("/.spec.rollout.preview.replicas")),
    # Quality.
    **all_of("tests checks validation validations evaluation qualityGates quality", put("/.spec.gates")),
    **all_of(
        "slo slos sla objectives errorRate latency p95 p99 alerts errorBudget",
        Say(
            "is written as a guard of the rollout",
            "write `guards: [{metric: error-rate, limit: 5%}]` or "
            "`{metric: slow-rate, slowerThan: 250ms, limit: 5%}`",
        ),
    ),
    **all_of("kpi kpis businessMetrics feedback conversion", put("/.spec.outcomes")),
    # People and the rest.
    **all_of("owners maintainer maintainers contact author ownerEmail", put("/.metadata.owner")),
    **all_of("rps qps requestsPerSecond minQps throughput load", put("/.spec.traffic.minRps")),
    **all_of("host hostname hostnames domain domains url", put("/.spec.traffic.hosts")),
    **all_of("environment environmentVariables envs envVars variables vars", put("/.spec.service.env")),
    **all_of("packages dependencies pip requirementsTxt pythonPackages", put("/.spec.service.requirements")),
    **all_of("pythonVersion python_version py", put("/.spec.service.python")),
    **all_of("features columns inputSchema signature schema", put("/.spec.service.inputs")),
    **all_of("requestTimeout timeoutSeconds", put("/.spec.service.timeout")),
    **all_of(
        "retries retry circuitBreaker headers cors auth authentication rateLimit tls",
        Say("is not part of a spec: callers and the gateway decide it", "remove it, or " + _PLATFORM),
    ),
    **all_of(
        "schedule cron freeze maintenanceWindow",
        Say(
            "is not part of a spec: a release starts when its pull request is merged",
            "remove it, or merge at the intended time",
        ),
    ),
    **all_of("overrides envOverrides values stages overlays profiles", put("/.spec.environments")),
    **all_of(
        "enabled disabled version chart dependsOn depends_on",
        Say("has no meaning here", "remove it; the version of the model is part of `model.ref`"),
    ),
}
"""Habits with the same meaning in every place; `habits_by_place` has those of one place."""

ARGO_STEP: Final = frozenset(
    {
        "setWeight",
        "pause",
        "analysis",
        "experiment",
        "setCanaryScale",
        "setHeaderRoute",
        "setMirrorRoute",
        "plugin",
    }
)
"""Keys of Argo Rollouts steps: one of them makes the whole list one of Argo Rollouts."""
