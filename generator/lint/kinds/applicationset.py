"""ApplicationSet (argoproj.io/v1alpha1)."""

from __future__ import annotations

from typing import Final

from generator.lint.kinds.argocd import APPLICATION_ROWS
from generator.lint.kinds.metadata import LOOSE_MARKS, LOOSE_SELECTOR, manifest
from generator.lint.kinds.scalars import (
    ANY,
    BOOL,
    COUNT,
    FILLED,
    FREE,
    INT_OR_PERCENT,
    TEXT,
    TEXT_MAP,
    TEXTS,
)
from generator.lint.kinds.table import Schema, checked, enum, extend, listof, mapof, one_of, record

# A template's values are Go templates until the controller has filled them in, so only their shape is known.
# A generator's own template holds just what it overrides.
_METADATA: Final = extend(LOOSE_MARKS, {"name namespace": TEXT, "finalizers": TEXTS})
_SPEC: Final = record(APPLICATION_ROWS)
_TEMPLATE: Final = record({"metadata!": _METADATA, "spec!": _SPEC})

_COMMON: Final[dict[str, Schema]] = {"template": FREE, "values": TEXT_MAP}
_POLL: Final[dict[str, Schema]] = {**_COMMON, "requeueAfterSeconds": COUNT}
_PATHS: Final = listof(record({"path!": FILLED, "exclude": BOOL}))
_GIT: Final = record(
    {"repoURL! revision!": FILLED, "pathParamPrefix": TEXT, "directories files": _PATHS, **_POLL},
)
_PULL_REQUEST: Final = record(
    {
        **_POLL,
        "continueOnRepoNotFoundError": BOOL,
        "filters": listof(record({"branchMatch targetBranchMatch titleMatch": TEXT})),
        "azuredevops bitbucket bitbucketServer gitea github gitlab": FREE,
    }
)
_SCM: Final = record(
    {
        **_POLL,
        "cloneProtocol": TEXT,
        "filters": listof(
            record({"branchMatch labelMatch repositoryMatch": TEXT, "pathsExist pathsDoNotExist": TEXTS})
        ),
        "awsCodeCommit azureDevOps bitbucket bitbucketServer gitea github gitlab": FREE,
    }
)
_LEAVES: Final[dict[str, Schema]] = {
    "list": record({"elements": listof(ANY), "elementsYaml": TEXT, "template": FREE}),
    "clusters": record({**_COMMON, "selector": LOOSE_SELECTOR, "flatList": BOOL}),
    "git oci": _GIT,
    "plugin": record(
        {
            **_POLL,
            "configMapRef!": record({"name!": FILLED}),
            "input": record({"parameters": mapof(ANY)}),
        }
    ),
    "clusterDecisionResource": record(
        {**_POLL, "configMapRef!": FILLED, "name": TEXT, "labelSelector": LOOSE_SELECTOR}
    ),
    "pullRequest": _PULL_REQUEST,
    "scmProvider": _SCM,
}


def _generator(rows: dict[str, Schema]) -> Schema:
    """One item of a list of generators: exactly one kind of them, perhaps a selector over its results."""
    return checked(record({**rows, "selector": LOOSE_SELECTOR}), one_of(" ".join(rows)))


def _combined(item: Schema) -> dict[str, Schema]:
    return {
        "matrix": record({"generators!": listof(item, 1), "template": FREE}),
        "merge": record({"generators!": listof(item, 1), "mergeKeys!": TEXTS, "template": FREE}),
    }


_NESTED: Final = _generator({**_LEAVES, "matrix merge": FREE})  # the controller refuses a third level itself
_GENERATOR: Final = _generator({**_LEAVES, **_combined(_NESTED)})
_ROLLING_STEP: Final = record(
    {
        "matchExpressions": listof(record({"key operator": TEXT, "values": TEXTS})),
        "maxUpdate": INT_OR_PERCENT,
    }
)
_SET: Final = record(
    {
        "generators!": listof(_GENERATOR),
        "template!": _TEMPLATE,
        "templatePatch": TEXT,
        "goTemplate applyNestedSelectors": BOOL,
        "goTemplateOptions": TEXTS,
        "syncPolicy": record(
            {
                "applicationsSync": enum("create-only", "create-update", "create-delete", "sync"),
                "preserveResourcesOnDeletion": BOOL,
            }
        ),
        "strategy": record(
            {
                "type": enum("AllAtOnce", "RollingSync"),
                "deletionOrder": enum("AllAtOnce", "Reverse"),
                "rollingSync": record({"steps": listof(_ROLLING_STEP)}),
            }
        ),
        "preservedFields": record({"annotations labels": TEXTS}),
        "ignoreApplicationDifferences": listof(
            record({"name": TEXT, "jsonPointers jqPathExpressions": TEXTS})
        ),
    }
)
APPLICATION_SET: Final = manifest("argoproj.io/v1alpha1", "ApplicationSet", {"spec!": _SET})
