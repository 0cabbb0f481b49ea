"""Workflow, WorkflowTemplate, ClusterWorkflowTemplate and CronWorkflow (argoproj.io/v1alpha1).

Both the fields of 3.7 and those of 4.x are known; which of them a target version has is a rule of the bundle.
"""

from __future__ import annotations

from typing import Final

from generator.lint.kinds.artifacts import ARTIFACT_GC_ROWS
from generator.lint.kinds.metadata import GENERATED, LOOSE_MARKS, PARTIAL_METADATA, SELECTOR, manifest
from generator.lint.kinds.pods import (
    AFFINITY,
    DNS_CONFIG,
    HOST_ALIASES,
    POD_SECURITY,
    PULL_SECRETS,
    TOLERATION,
)
from generator.lint.kinds.scalars import (
    ARGO_DURATION,
    BOOL,
    COUNT,
    FILLED,
    INT,
    INT_OR_PERCENT,
    POSITIVE,
    TEXT,
    TEXT_MAP,
    TEXTS,
)
from generator.lint.kinds.table import Schema, checked, enum, extend, listof, mapof, one_of, record
from generator.lint.kinds.volumes import CLAIM_SPEC, VOLUME
from generator.lint.kinds.workflow_parts import ARGUMENTS, HOOKS, METRICS, RETRY, SYNCHRONIZATION
from generator.lint.kinds.workflow_templates import TEMPLATE, TEMPLATE_DEFAULTS

_POD_GC: Final = record(
    {
        "strategy": enum("", "OnPodCompletion", "OnPodSuccess", "OnWorkflowCompletion", "OnWorkflowSuccess"),
        "deleteDelayDuration": ARGO_DURATION,
        "labelSelector": SELECTOR,
    }
)
_DISRUPTION: Final = record(
    {
        "minAvailable maxUnavailable": INT_OR_PERCENT,
        "selector": SELECTOR,
        "unhealthyPodEvictionPolicy": enum("IfHealthyBudget", "AlwaysAllow"),
    }
)
_CLAIM: Final = record(
    {
        "apiVersion kind": TEXT,
        "metadata!": extend(PARTIAL_METADATA, {"name!": FILLED}),
        "spec!": CLAIM_SPEC,
    }
)
_ROWS: Final[dict[str, Schema]] = {
    "entrypoint onExit": FILLED,
    "templates": listof(TEMPLATE),
    "templateDefaults": TEMPLATE_DEFAULTS,
    "workflowTemplateRef": record({"name!": FILLED, "clusterScope": BOOL}),
    "arguments": ARGUMENTS,
    "serviceAccountName schedulerName podPriorityClassName podSpecPatch": FILLED,
    "automountServiceAccountToken archiveLogs hostNetwork suspend": BOOL,
    "executor": record({"serviceAccountName": TEXT}),
    "securityContext": POD_SECURITY,
    "activeDeadlineSeconds": COUNT,
    "parallelism": POSITIVE,
    "priority": INT,
    "retryStrategy": RETRY,
    "synchronization": SYNCHRONIZATION,
    "hooks": HOOKS,
    "metrics": METRICS,
    "shutdown": enum("", "Terminate", "Stop"),
    "podGC": _POD_GC,
    "ttlStrategy": record({"secondsAfterCompletion secondsAfterSuccess secondsAfterFailure": COUNT}),
    "podMetadata": LOOSE_MARKS,
    "workflowMetadata": record(
        {"labels annotations": TEXT_MAP, "labelsFrom": mapof(record({"expression!": FILLED}))},
    ),
    "podDisruptionBudget": _DISRUPTION,
    "artifactRepositoryRef": record({"configMap key": TEXT}),
    "artifactGC": record({**ARTIFACT_GC_ROWS, "forceFinalizerRemoval": BOOL, "podSpecPatch": TEXT}),
    "volumes": listof(VOLUME),
    "volumeClaimTemplates": listof(_CLAIM),
    "volumeClaimGC": record({"strategy": enum("", "OnWorkflowCompletion", "OnWorkflowSuccess")}),
    "imagePullSecrets": PULL_SECRETS,
    "nodeSelector": TEXT_MAP,
    "affinity": AFFINITY,
    "tolerations": listof(TOLERATION),
    "hostAliases": HOST_ALIASES,
    "dnsPolicy": enum("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
    "dnsConfig": DNS_CONFIG,
}
SPEC: Final = record(_ROWS)
_RUN: Final = checked(SPEC, one_of("templates workflowTemplateRef"))

_CRON_ROWS: Final[dict[str, Schema]] = {
    "schedule timezone": FILLED,
    "schedules": TEXTS,
    "concurrencyPolicy": enum("Allow", "Forbid", "Replace"),
    "startingDeadlineSeconds successfulJobsHistoryLimit failedJobsHistoryLimit": COUNT,
    "suspend": BOOL,
    "stopStrategy": record({"expression!": FILLED}),
    "when": TEXT,
    "workflowMetadata": PARTIAL_METADATA,
    "workflowSpec!": _RUN,
}
_CRON: Final = checked(record(_CRON_ROWS), one_of("schedule schedules"))

_API: Final = "argoproj.io/v1alpha1"
WORKFLOW: Final = manifest(_API, "Workflow", {"spec!": _RUN}, GENERATED)
WORKFLOW_TEMPLATE: Final = manifest(_API, "WorkflowTemplate", {"spec!": SPEC})
CLUSTER_WORKFLOW_TEMPLATE: Final = manifest(_API, "ClusterWorkflowTemplate", {"spec!": SPEC})
CRON_WORKFLOW: Final = manifest(_API, "CronWorkflow", {"spec!": _CRON})
