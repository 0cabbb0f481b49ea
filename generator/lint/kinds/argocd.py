"""Application and AppProject (argoproj.io/v1alpha1)."""

from __future__ import annotations

from typing import Any, Final

from generator.lint.kinds.metadata import MARKS, manifest
from generator.lint.kinds.scalars import (
    ANY,
    ARGO_DURATION,
    BOOL,
    COUNT,
    FILLED,
    FREE,
    INT,
    INT_OR_TEXT,
    TEXT,
    TEXT_MAP,
    TEXTS,
)
from generator.lint.kinds.table import Schema, checked, enum, listof, mapof, one_of, record, text

_VALUE: Final = listof(record({"name! value!": TEXT, "code": BOOL}))
_DIRECTORY: Final = record(
    {
        "recurse disableExtensionFilter": BOOL,
        "include exclude": TEXT,
        "jsonnet": record({"extVars tlas": _VALUE, "libs": TEXTS}),
    }
)
_HELM: Final = record(
    {
        "releaseName values version kubeVersion namespace": TEXT,
        "valuesObject": FREE,
        "valueFiles apiVersions": TEXTS,
        "parameters": listof(record({"name value": TEXT, "forceString": BOOL})),
        "fileParameters": listof(record({"name path": TEXT})),
        "passCredentials ignoreMissingValueFiles skipCrds skipSchemaValidation skipTests": BOOL,
    }
)
_PATCH_TARGET: Final = record(
    {"group version kind name namespace labelSelector annotationSelector": TEXT},
)
_KUSTOMIZE: Final = record(
    {
        "namePrefix nameSuffix namespace version kubeVersion": TEXT,
        "images components apiVersions": TEXTS,
        "commonLabels commonAnnotations": TEXT_MAP,
        "commonAnnotationsEnvsubst forceCommonAnnotations forceCommonLabels ignoreMissingComponents": BOOL,
        "labelIncludeTemplates labelWithoutSelector": BOOL,
        "replicas": listof(record({"name!": FILLED, "count!": INT_OR_TEXT})),
        "patches": listof(record({"path patch": TEXT, "options": mapof(BOOL), "target": _PATCH_TARGET})),
    }
)
_PLUGIN: Final = record(
    {
        "name": TEXT,
        "env": listof(record({"name! value!": TEXT})),
        "parameters": listof(record({"name string": TEXT, "array": TEXTS, "map": TEXT_MAP})),
    }
)
_TOOLS: Final[dict[str, Schema]] = {
    "directory": _DIRECTORY,
    "helm": _HELM,
    "kustomize": _KUSTOMIZE,
    "plugin": _PLUGIN,
}
SOURCE: Final = record(
    {"repoURL!": FILLED, "path targetRevision chart ref name tagPrefix": TEXT, **_TOOLS},
)
_HYDRATOR: Final = record(
    {
        "drySource!": record({"repoURL! path! targetRevision!": FILLED, **_TOOLS}),
        "syncSource!": record({"targetBranch! path!": FILLED, "repoURL": TEXT}),
        "hydrateTo": record({"targetBranch!": FILLED}),
    }
)
_SYNC_OPTION: Final = text("a sync option such as CreateNamespace=true", "^[A-Za-z]+=[^=]+$")
SYNC_POLICY: Final = record(
    {
        "automated": record({"prune selfHeal allowEmpty enabled": BOOL}),
        "syncOptions": listof(_SYNC_OPTION),
        "retry": record(
            {
                "limit": INT,
                "refresh": BOOL,
                "backoff": record({"duration maxDuration": ARGO_DURATION, "factor": COUNT}),
            }
        ),
        "managedNamespaceMetadata": MARKS,
    }
)
_DESTINATION: Final = checked(record({"server name namespace": TEXT}), one_of("server name"))
_IGNORE: Final = record(
    {
        "kind!": FILLED,
        "group name namespace": TEXT,
        "jsonPointers jqPathExpressions managedFieldsManagers": TEXTS,
    }
)
APPLICATION_ROWS: Final[dict[str, Schema]] = {
    "project!": FILLED,
    "destination!": _DESTINATION,
    "source": SOURCE,
    "sources": listof(SOURCE),
    "sourceHydrator": _HYDRATOR,
    "syncPolicy": SYNC_POLICY,
    "ignoreDifferences": listof(_IGNORE),
    "revisionHistoryLimit": COUNT,
    "info": listof(record({"name! value!": TEXT})),
}
APPLICATION_SPEC: Final = checked(record(APPLICATION_ROWS), one_of("source sources sourceHydrator"))

_GROUP_KIND: Final = record({"group! kind!": TEXT})
_NAMED_KIND: Final = record({"group! kind!": TEXT, "name": TEXT})
_ROLE: Final = record(
    {
        "name!": FILLED,
        "description": TEXT,
        "policies groups": TEXTS,
        "jwtTokens": listof(record({"iat!": INT, "exp": INT, "id": TEXT})),
    }
)


def _window(value: dict[str, Any]) -> str:
    missing = [key for key in ("kind", "schedule", "duration") if key not in value]
    return f"needs {', '.join(missing)}" if missing else ""


_WINDOW: Final = checked(
    record(
        {
            "kind": enum("allow", "deny"),
            "schedule timeZone description": TEXT,
            "duration": ARGO_DURATION,
            "applications namespaces clusters": TEXTS,
            "manualSync andOperator syncOverrun": BOOL,
        }
    ),
    _window,
)
_INTEGRITY: Final = record(
    {
        "git!": record(
            {
                "policies!": listof(
                    record(
                        {
                            "gpg!": record({"mode!": FILLED, "keys!": TEXTS}),
                            "repos!": listof(record({"url!": FILLED})),
                        }
                    )
                )
            }
        )
    }
)
_PROJECT: Final = record(
    {
        "description": TEXT,
        "sourceRepos sourceNamespaces": TEXTS,
        "destinations": listof(record({"server name namespace": TEXT})),
        "clusterResourceWhitelist clusterResourceBlacklist": listof(_NAMED_KIND),
        "namespaceResourceWhitelist namespaceResourceBlacklist": listof(_GROUP_KIND),
        "roles": listof(_ROLE),
        "syncWindows": listof(_WINDOW),
        "orphanedResources": record({"warn": BOOL, "ignore": listof(record({"group kind name": TEXT}))}),
        "signatureKeys": listof(record({"keyID!": FILLED})),
        "sourceIntegrity": _INTEGRITY,
        "permitOnlyProjectScopedClusters": BOOL,
        "destinationServiceAccounts": listof(
            record({"server! defaultServiceAccount!": FILLED, "namespace": TEXT})
        ),
    }
)

_API: Final = "argoproj.io/v1alpha1"
APPLICATION: Final = manifest(_API, "Application", {"spec!": APPLICATION_SPEC, "operation": ANY})
APP_PROJECT: Final = manifest(_API, "AppProject", {"spec!": _PROJECT})
