"""Who may do what: network policies, roles and their bindings, validating admission policies."""

from __future__ import annotations

from typing import Final

from generator.lint.kinds.metadata import SELECTOR, manifest, named
from generator.lint.kinds.scalars import (
    DNS_NAME,
    FILLED,
    PATH_SEGMENT,
    PORT,
    PORT_OR_NAME,
    TEXT,
    TEXTS,
)
from generator.lint.kinds.table import Schema, checked, enum, listof, one_of, record

_PEER: Final = checked(
    record(
        {
            "podSelector namespaceSelector": SELECTOR,
            "ipBlock": record({"cidr!": FILLED, "except": TEXTS}),
        }
    ),
    lambda value: (
        "has ipBlock, which excludes every selector"
        if "ipBlock" in value and len(value) > 1
        else ("" if value else "needs a podSelector, a namespaceSelector or an ipBlock")
    ),
)
_PEER_PORTS: Final = listof(
    record({"port": PORT_OR_NAME, "endPort": PORT, "protocol": enum("TCP", "UDP", "SCTP")})
)
_NETWORK: Final = record(
    {
        "podSelector": SELECTOR,
        "policyTypes": listof(enum("Ingress", "Egress")),
        "ingress": listof(record({"from": listof(_PEER), "ports": _PEER_PORTS})),
        "egress": listof(record({"to": listof(_PEER), "ports": _PEER_PORTS})),
    }
)

_RULES: Final = listof(
    record({"verbs!": TEXTS, "apiGroups resources resourceNames nonResourceURLs": TEXTS}),
)
_SUBJECT: Final = record(
    {"kind!": enum("ServiceAccount", "User", "Group"), "name!": FILLED, "apiGroup namespace": TEXT}
)
_BINDING: Final[dict[str, Schema]] = {
    "roleRef!": record({"kind!": enum("Role", "ClusterRole"), "name!": FILLED, "apiGroup": TEXT}),
    "subjects": listof(_SUBJECT),
}

_OPERATION: Final = enum("*", "CREATE", "UPDATE", "DELETE", "CONNECT")
_RESOURCE_RULE: Final = record(
    {
        "apiGroups apiVersions resources resourceNames": TEXTS,
        "operations": listof(_OPERATION),
        "scope": enum("*", "Cluster", "Namespaced"),
    }
)
_MATCH: Final = record(
    {
        "resourceRules excludeResourceRules": listof(_RESOURCE_RULE),
        "namespaceSelector objectSelector": SELECTOR,
        "matchPolicy": enum("Exact", "Equivalent"),
    }
)
_EXPRESSION: Final = listof(record({"name! expression!": FILLED}))
_ADMISSION: Final = record(
    {
        "matchConstraints": _MATCH,
        "matchConditions variables": _EXPRESSION,
        "validations": listof(
            record(
                {
                    "expression!": FILLED,
                    "message messageExpression": TEXT,
                    "reason": enum("Unauthorized", "Forbidden", "Invalid", "RequestEntityTooLarge"),
                }
            )
        ),
        "auditAnnotations": listof(record({"key! valueExpression!": FILLED})),
        "failurePolicy": enum("Fail", "Ignore"),
        "paramKind": record({"apiVersion kind": FILLED}),
    }
)
_PARAM: Final = checked(
    record(
        {
            "name": DNS_NAME,
            "namespace": TEXT,
            "selector": SELECTOR,
            "parameterNotFoundAction": enum("Allow", "Deny"),
        }
    ),
    one_of("name selector"),
)
_ADMISSION_BINDING: Final = record(
    {
        "policyName!": DNS_NAME,
        "validationActions!": listof(enum("Deny", "Warn", "Audit"), 1),
        "matchResources": _MATCH,
        "paramRef": _PARAM,
    }
)

_RBAC: Final = "rbac.authorization.k8s.io/v1"
_ADMISSION_API: Final = "admissionregistration.k8s.io/v1"
_ROLE_ROWS: Final[dict[str, Schema]] = {"rules": _RULES}
_CLUSTER_ROLE_ROWS: Final[dict[str, Schema]] = {
    **_ROLE_ROWS,
    "aggregationRule": record({"clusterRoleSelectors": listof(SELECTOR)}),
}
NETWORK_POLICY: Final = manifest("networking.k8s.io/v1", "NetworkPolicy", {"spec!": _NETWORK}, status=False)
ROLE: Final = manifest(_RBAC, "Role", _ROLE_ROWS, named(PATH_SEGMENT), status=False)
CLUSTER_ROLE: Final = manifest(_RBAC, "ClusterRole", _CLUSTER_ROLE_ROWS, named(PATH_SEGMENT), status=False)
ROLE_BINDING: Final = manifest(_RBAC, "RoleBinding", _BINDING, named(PATH_SEGMENT), status=False)
CLUSTER_ROLE_BINDING: Final = manifest(
    _RBAC, "ClusterRoleBinding", _BINDING, named(PATH_SEGMENT), status=False
)
ADMISSION_POLICY: Final = manifest(_ADMISSION_API, "ValidatingAdmissionPolicy", {"spec!": _ADMISSION})
ADMISSION_BINDING: Final = manifest(
    _ADMISSION_API, "ValidatingAdmissionPolicyBinding", {"spec!": _ADMISSION_BINDING}, status=False
)
