"""Keys of other tools at one place of a file, and their names in Sluice."""

from __future__ import annotations

from typing import Final

from generator.spec.mistakes.habits import METADATA, NAMESPACE, Habit, Inline, Say, all_of, put

AT: Final[dict[tuple[str, ...], dict[str, Habit]]] = {
    ("metadata",): {
        "labels": METADATA,
        "annotations": METADATA,
        "namespace": NAMESPACE,
        **all_of("owners contact email maintainer author ownerEmail", put("owner")),
        **all_of("desc summary comment title displayName notes", put("description")),
        **all_of("id model modelName", put("name")),
        **all_of("squad group organization org department unit", put("team")),
        "version": Say("is not part of `metadata`", "the version of the model is part of `model.ref`"),
    },
    ("spec", "model"): {
        **all_of(
            "uri path source name reference modelUri storageUri artifact tag url location model from "
            "registry",
            put("ref"),
        ),
        **all_of(
            "version stage alias revision run runId",
            Say(
                "is part of the reference",
                "write it into `ref`, such as "
                "`mlflow:NAME/VERSION`, `mlflow:NAME@ALIAS` or `bentoml:NAME:VERSION`",
            ),
        ),
        **all_of("type format flavor flavour kind library runtime modelFormat", put("framework")),
        **all_of("digest checksum hash sha md5", put("sha256")),
        **all_of("class loader module entrypoint entryPoint", put("load")),
    },
    ("spec", "service"): {
        **all_of("environment environmentVariables envs envVars vars", put("env")),
        **all_of("pythonVersion runtime", put("python")),
        **all_of("packages dependencies pip", put("requirements")),
        **all_of("features columns input schema signature", put("inputs")),
        **all_of("concurrency maxConcurrency containerConcurrency parallelism", put("threads")),
        **all_of("processes workerCount numWorkers", put("workers")),
        **all_of("batchSize maxBatch maxBatchSize max_batch_size maxBatchRows", put("maxRows")),
        **all_of("requestTimeout timeoutSeconds maxLatency max_latency_ms deadline", put("timeout")),
        **all_of("startupTimeout initialDelaySeconds warmup startupProbe", put("startup")),
    },
    ("spec", "service", "env", "[]"): {
        **all_of("key variable env", put("name")),
        **all_of("default val content", put("value")),
        **all_of("valueFrom secretKeyRef from secretName secretRef", put("secret")),
    },
    ("spec", "service", "inputs", "{}"): {
        **all_of("dtype kind", put("type")),
        "range": Say("is two keys here", "write `minimum: {first}, maximum: {last}`"),
        **all_of("min ge gte lower minValue lowerBound", put("minimum")),
        **all_of("max le lte upper maxValue upperBound", put("maximum")),
        "default": Say(
            "is not a key: a request contains every column", "write `nullable: true` for one that may be null"
        ),
        **all_of("enum choices categories options allowed", put("values")),
        **all_of("optional nullable_ allowNull null", put("nullable")),
        "required": Say(
            "is not a key: every column is required", "write `nullable: true` for one that may be null"
        ),
    },
    ("spec", "traffic"): {
        **all_of(
            "rps qps requestsPerSecond rate min minQps load minimum throughput minRequests", put("minRps")
        ),
        **all_of("host hostname hostnames domain domains", put("hosts")),
        **all_of(
            "maxRps peakRps max",
            Say("has no equivalent: odds use the lowest traffic", "write `minRps` only"),
        ),
        **all_of(
            "split weight percent canary",
            Say("is written as steps of the rollout", "write `steps: [{weight: 5%, hold: 1h}]`"),
        ),
    },
    ("spec", "outcomes", "{}"): {
        **all_of("rate expected base normal current value", put("baseline")),
        **all_of("lag latency after window", put("delay")),
        **all_of("direction goal higherIsBetter increase", put("better")),
        **all_of("type", put("kind")),
        **all_of("eventName name metric counter", put("event")),
    },
    ("spec", "autoscaling"): {
        "metrics": put("cpu"),
        **all_of("minReplicas minReplicaCount minimum minPods minScale lower", put("min")),
        **all_of("maxReplicas maxReplicaCount maximum maxPods maxScale upper", put("max")),
        **all_of(
            "targetCPUUtilizationPercentage targetCPU targetCpu cpuUtilization target averageUtilization "
            "utilization targetCPUUtilization scaleTarget targetUtilization",
            put("cpu"),
        ),
        **all_of("rps rpsPerReplica requestsPerPod requestsPerSecond targetRps qps", put("rpsPerPod")),
        **all_of("type scaler autoscaler", put("kind")),
        "enabled": Say("has no meaning here: writing `autoscaling` enables it", "remove it"),
        **all_of(
            "memory targetMemory targetMemoryUtilizationPercentage",
            Say(
                "is not a target of the autoscaler: pods scale by CPU or by requests",
                "write `cpu: 70%`, or `kind: keda` with `rpsPerPod: 50`",
            ),
        ),
    },
    ("spec", "resources"): {
        **all_of("requests request", Inline()),
        "limit": put("limits"),
        **all_of("mem ram", put("memory")),
        **all_of("cpus cores vcpu vcpus", put("cpu")),
        **all_of("gpus nvidia.com/gpu accelerators", put("gpu")),
    },
    ("spec", "rollout"): {
        **all_of(
            "weight setWeight percent percentage",
            Say("is part of a step", "write `steps: [{weight: {weight}, hold: 1h}]`"),
        ),
        **all_of(
            "hold pause duration wait",
            Say("is part of a step", "write `steps: [{weight: 5%, hold: {hold}}]`"),
        ),
        **all_of("kind type mode", put("strategy")),
        **all_of("stages phases weights schedule traffic percentages", put("steps")),
        **all_of("checks metrics alerts slos conditions monitors", put("guards")),
        **all_of(
            "bakeTime bake soak observe watchTime monitorFor",
            Say(
                "is the `hold` of a step (`watch` of a blue-green rollout)",
                "write it into each step: `{weight: 5%, hold: 1h}`",
            ),
        ),
        **all_of("missingData onMissingData nodata noDataPolicy", put("noData")),
        **all_of("scaleDownDelaySeconds scaleDownDelay", put("watch")),
        **all_of(
            "mirror mirroring mirrorTraffic shadowing shadowTraffic trafficMirroring dark darkLaunch",
            put("shadow"),
        ),
        **all_of("tolerance errorBudget falsePositives", put("risk")),
        "canary": Inline(),
        "blueGreen": Inline(),
    },
    ("spec", "rollout", "steps", "[]"): {
        **all_of(
            "setWeight percent percentage traffic share canary canaryTrafficPercent stepWeight canaryWeight "
            "canaryPercent",
            put("weight"),
        ),
        **all_of(
            "pause duration wait for time delay bakeTime bake interval timeout soak minutes seconds hours "
            "days mins secs watch sleep length",
            put("hold"),
        ),
        **all_of(
            "approval approver manual judge manualJudgment manualApproval requireApproval requiresApproval "
            "approvedBy reviewer gate approvals",
            put("approve"),
        ),
        **all_of("headers header match setHeaderRoute users group segment", put("cohort")),
    },
    ("spec", "rollout", "steps", "[]", "cohort"): {
        "cookie": Say("can't choose a cohort: only a header can", "write `header: x-cohort`", "header"),
        "headers": Say(
            "is one header and its value here", "write `cohort: {header: {name}, exact: {value}}`", "header"
        ),
        **all_of("name headerName key", put("header")),
        **all_of("value equals headerValue is", put("exact")),
        **all_of("pattern regexp re matches", put("regex")),
        **all_of("startsWith beginsWith", put("prefix")),
    },
    ("spec", "rollout", "guards", "[]"): {
        **all_of(
            "threshold max maximum bound below thresholdRange atMost lessThan budget value", put("limit")
        ),
        **all_of(
            "operator comparison comparator op direction",
            Say("is not a key: a guard measures what is bad, and more of it is worse", "remove it"),
        ),
        **all_of("expected base normal current", put("baseline")),
        **all_of("latency longerThan slower above bucket over", put("slowerThan")),
        **all_of("effect change sensitivity tolerance", put("detect")),
        **all_of("kind type watch metricName signal", put("metric")),
        **all_of("attributes groups sensitiveAttributes", put("sensitive")),
    },
    ("spec", "rollout", "guards", "[]", "detect"): {
        **all_of(
            "increase up growth above higher change effect delta difference relative by ratio size min "
            "minimum max maximum atLeast threshold value limit amount",
            put("rise"),
        ),
        **all_of("decrease down fall loss below lower decline", put("drop")),
    },
    ("spec", "rollout", "risk"): {
        **all_of(
            "alpha falsePositive falsePositives fpr typeI falseAlarm falseRollbacks", put("falseRollback")
        ),
        **all_of("beta sensitivity recall confidence", put("power")),
        **all_of("exposed maxRequests maxExposure exposure blastRadius", put("maxExposed")),
    },
    ("spec", "rollout", "shadow"): {
        **all_of(
            "weight percentage share mirror sample sampling sampleRate rate ratio fraction traffic",
            put("percent"),
        ),
        **all_of("duration for time wait", put("hold")),
    },
    ("spec", "rollout", "preview"): {
        **all_of(
            "pods count instances replicaCount numReplicas previewReplicas previewReplicaCount",
            put("replicas"),
        ),
    },
    ("spec", "gates", "[]", "drift"): all_of("columns inputs", put("features")),
    ("spec", "gates", "[]"): {
        **all_of("min minimum threshold above gte lowerBound floor target atleast", put("atLeast")),
        **all_of("max maximum below lte upperBound ceiling atmost limit", put("atMost")),
        **all_of("baseline champion compareTo compare reference", put("against")),
        **all_of("tolerance delta maxDrop margin regression maxLoss", put("noWorseBy")),
        **all_of("report junitXml tests xml", put("junit")),
        **all_of("file path metricsFile", put("source")),
        **all_of("attributes groups sensitiveAttributes protected", put("sensitive")),
        **all_of("id title", put("name")),
        **all_of(
            "type kind", Say("is not a key: the kind of a gate follows from its other keys", "remove it")
        ),
        **all_of(
            "explainability explainer explanation explanations attribution attributions shap", put("explain")
        ),
        **all_of("bias parity equity fairlearn", put("fairness")),
        **all_of("dataDrift drifting shift distribution psi ks", put("drift")),
        **all_of("expectations dataQuality dataset greatExpectations suite", put("data")),
        **all_of("score measure", put("metric")),
        **all_of("library test method statistic", put("tool")),
        **all_of("pValue pvalue p_value significance significanceLevel confidence", put("alpha")),
        **all_of("minGroupSize groupSize minRows minSamples", put("minGroup")),
        **all_of(
            "pytest unittest unitTests script",
            Say(
                "is not run by Sluice: CI runs the tests, and a gate reads their report",
                "write `junit: reports/junit.xml`, the report of `pytest --junitxml=reports/junit.xml`",
            ),
        ),
        **all_of("samples sampleSize n", put("rows")),
    },
    ("spec", "accept", "[]"): {
        **all_of("rule finding id check", put("code")),
        **all_of("why justification comment", put("reason")),
        **all_of("expires expiry end expiresAt deadline", put("until")),
    },
}
"""Habits at one place of a model's spec, by its pattern; `GENERAL` has those of all places."""

PLATFORM: Final[dict[tuple[str, ...], dict[str, Habit]]] = {
    ("spec", "git"): {
        **all_of("url repository repoURL repoUrl remote", put("repo")),
        **all_of("branch ref targetRevision tag", put("revision")),
        **all_of("folder directory dir", put("path")),
    },
    ("spec", "prometheus"): {
        **all_of("url host endpoint server serverAddress", put("address")),
        **all_of("interval scrape_interval scrape", put("scrapeInterval")),
    },
    ("spec", "environments", "{}"): {
        **all_of("cluster url apiServer endpoint api host address", put("server")),
        **all_of("dependsOn after promoteFrom previous needs from", put("requires")),
        **all_of("dns baseDomain hostname", put("domain")),
        **all_of("routing gateway ingress trafficRouter", put("router")),
    },
    ("spec", "environments", "{}", "router"): {
        **all_of("type provider", put("kind")),
        **all_of("ns gatewayNamespace", put("namespace")),
        **all_of("controller gatewayClass gatewayClassName", put("implementation")),
    },
    ("spec", "teams", "{}"): {
        **all_of("members contacts people email emails users", put("owners")),
        **all_of("classes allowedTiers", put("tiers")),
        **all_of("limits resources resourceQuota", put("quota")),
        **all_of("notifications alerts", put("notify")),
    },
    ("spec", "teams", "{}", "quota"): all_of("requests limits", Inline()),
    ("spec", "teams", "{}", "budget"): {
        **all_of("month perMonth amount limit", put("monthly")),
        **all_of(
            "yearly annual annually year perYear",
            Say("is not a key: a budget is an amount per month", "write `monthly: {twelfth}`", "monthly"),
        ),
    },
    ("spec", "tiers", "{}", "ceilings"): {
        **all_of("maxDuration duration maxRollout rolloutDuration longest maxTime", put("longestRollout")),
        **all_of("maxReplicas pods maxPods", put("replicas")),
        **all_of("maxCpu cpus cores", put("cpu")),
        **all_of("maxMemory mem ram", put("memory")),
        **all_of("exposed maxExposure exposure maxRequests", put("maxExposed")),
    },
    ("spec", "tiers", "{}", "requires"): {
        **all_of("approvers reviewers approval approve", put("approvals")),
        **all_of("digest digests pinned imageDigests", put("imageDigest")),
        **all_of("checks gate", put("gates")),
    },
    ("spec", "gates"): all_of("schedule time at cron dailyAt every", put("daily")),
    ("spec", "secrets"): {
        **all_of("name secretStore storeRef vault", put("store")),
        **all_of("refreshInterval interval", put("refresh")),
        **all_of("path remoteKey prefix", put("key")),
    },
    ("spec", "monitoring", "alerts"): all_of("runbookUrl runbook_url runbookURL url docs", put("runbooks")),
    ("spec", "monitoring", "dashboards"): all_of("dir directory path name", put("folder")),
    ("spec", "prices"): {
        **all_of("cpu core cpus cores cpuPerHour vcpu", put("cpuHour")),
        **all_of("memory mem ram gib memoryPerHour", put("memoryHour")),
        **all_of("gpu gpus gpuPerHour", put("gpuHour")),
    },
    ("spec", "tiers", "{}"): {
        **all_of("limits max maximums constraints caps", put("ceilings")),
        **all_of("default spec values", put("defaults")),
        **all_of("require required mandatory", put("requires")),
    },
    ("spec", "waivers", "[]"): {
        **all_of("expires expiry validUntil end", put("until")),
        **all_of("approver approved approvedby by", put("approvedBy")),
        **all_of("why justification comment", put("reason")),
    },
}
"""Habits at one place of the platform, by its pattern."""
