"""Which table holds which kind.

A table's module is imported, and the table compiled, when its kind first occurs.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Final, NamedTuple

from pydantic_core import SchemaValidator

from generator.lint.kinds.table import Schema, validator

_PACKAGE: Final = "generator.lint.kinds"
_TABLES: Final = """
argoproj.io/v1alpha1 Rollout rollout.ROLLOUT
argoproj.io/v1alpha1 AnalysisTemplate analysis.ANALYSIS_TEMPLATE
argoproj.io/v1alpha1 ClusterAnalysisTemplate analysis.CLUSTER_ANALYSIS_TEMPLATE cluster
argoproj.io/v1alpha1 AnalysisRun analysis.ANALYSIS_RUN
argoproj.io/v1alpha1 Application argocd.APPLICATION
argoproj.io/v1alpha1 AppProject argocd.APP_PROJECT
argoproj.io/v1alpha1 ApplicationSet applicationset.APPLICATION_SET
argoproj.io/v1alpha1 Workflow workflow.WORKFLOW
argoproj.io/v1alpha1 WorkflowTemplate workflow.WORKFLOW_TEMPLATE
argoproj.io/v1alpha1 ClusterWorkflowTemplate workflow.CLUSTER_WORKFLOW_TEMPLATE cluster
argoproj.io/v1alpha1 CronWorkflow workflow.CRON_WORKFLOW
v1 Pod core.POD
v1 Service core.SERVICE
v1 ConfigMap core.CONFIG_MAP
v1 Secret core.SECRET
v1 ServiceAccount core.SERVICE_ACCOUNT
v1 Namespace core.NAMESPACE cluster
v1 ResourceQuota core.RESOURCE_QUOTA
v1 LimitRange core.LIMIT_RANGE
apps/v1 Deployment core.DEPLOYMENT
batch/v1 Job core.JOB
networking.k8s.io/v1 NetworkPolicy policy.NETWORK_POLICY
rbac.authorization.k8s.io/v1 Role policy.ROLE
rbac.authorization.k8s.io/v1 RoleBinding policy.ROLE_BINDING
rbac.authorization.k8s.io/v1 ClusterRole policy.CLUSTER_ROLE cluster
rbac.authorization.k8s.io/v1 ClusterRoleBinding policy.CLUSTER_ROLE_BINDING cluster
admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy policy.ADMISSION_POLICY cluster
admissionregistration.k8s.io/v1 ValidatingAdmissionPolicyBinding policy.ADMISSION_BINDING cluster
autoscaling/v2 HorizontalPodAutoscaler autoscaling.AUTOSCALER
policy/v1 PodDisruptionBudget autoscaling.DISRUPTION_BUDGET
keda.sh/v1alpha1 ScaledObject autoscaling.SCALED_OBJECT
gateway.networking.k8s.io/v1 HTTPRoute gateway.HTTP_ROUTE
gateway.networking.k8s.io/v1 Gateway gateway.GATEWAY
gateway.networking.k8s.io/v1 ReferenceGrant gateway.REFERENCE_GRANT
gateway.networking.k8s.io/v1beta1 ReferenceGrant gateway.REFERENCE_GRANT_BETA
networking.istio.io/v1 VirtualService istio.VIRTUAL_SERVICE
networking.istio.io/v1 DestinationRule istio.DESTINATION_RULE
networking.istio.io/v1beta1 VirtualService istio.VIRTUAL_SERVICE_BETA
networking.istio.io/v1beta1 DestinationRule istio.DESTINATION_RULE_BETA
networking.istio.io/v1alpha3 VirtualService istio.VIRTUAL_SERVICE_ALPHA
networking.istio.io/v1alpha3 DestinationRule istio.DESTINATION_RULE_ALPHA
traefik.io/v1alpha1 TraefikService traefik.TRAEFIK_SERVICE
traefik.io/v1alpha1 IngressRoute traefik.INGRESS_ROUTE
monitoring.coreos.com/v1 PodMonitor monitoring.POD_MONITOR
monitoring.coreos.com/v1 ServiceMonitor monitoring.SERVICE_MONITOR
monitoring.coreos.com/v1 PrometheusRule monitoring.PROMETHEUS_RULE
external-secrets.io/v1 ExternalSecret secrets.EXTERNAL_SECRET
external-secrets.io/v1beta1 ExternalSecret secrets.EXTERNAL_SECRET_BETA
"""


class Entry(NamedTuple):
    """Where a kind's table is, and whether its objects live outside any namespace."""

    module: str
    name: str
    cluster: bool


def _read(text: str) -> dict[tuple[str, str], Entry]:
    entries = {}
    for line in text.split("\n")[1:-1]:
        api_version, kind, where, *scope = line.split()
        module, name = where.split(".")
        entries[api_version, kind] = Entry(module, name, bool(scope))
    return entries


KINDS: Final = _read(_TABLES)
"""(apiVersion, kind) of every kind with a table."""


@cache
def table(api_version: str, kind: str) -> Schema:
    """The table of a kind.

    Raises:
        KeyError: there is none.
    """
    entry = KINDS[api_version, kind]
    schema: Schema = getattr(import_module(f"{_PACKAGE}.{entry.module}"), entry.name)
    return schema


@cache
def compiled(api_version: str, kind: str) -> SchemaValidator:
    """The compiled table of a kind.

    Raises:
        KeyError: there is none.
    """
    return validator(table(api_version, kind))
