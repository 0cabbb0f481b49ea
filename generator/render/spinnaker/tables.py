"""Strict tables of what Spinnaker and Kayenta read, in the notation of the tables of Kubernetes kinds.

Sources: Kayenta's docs/canary-config.md and PrometheusCanaryMetricSetQueryConfig; Orca's KayentaCanaryContext; the
stages as Deck writes them. The services themselves ignore unknown keys, so a mistyped one would only be missing.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic_core import ValidationError

from generator.lint.kinds.scalars import BOOL, COUNT, FILLED, FREE, NUMBER, POSITIVE, TEXT, TEXT_MAP, TEXTS
from generator.lint.kinds.table import Schema, enum, listof, mapof, record, text, validator, whole

_EFFECT: Final = record({"allowedIncrease allowedDecrease criticalIncrease criticalDecrease": NUMBER})
_CANARY: Final = record(
    {
        "direction!": enum("increase", "decrease", "either"),
        "nanStrategy!": enum("remove", "replace"),
        "critical mustHaveData": {"type": "bool", "strict": True},
        "effectSize": _EFFECT,
    }
)
_QUERY: Final = record(
    {
        "type! serviceType!": enum("prometheus"),
        "metricName!": FILLED,
        "customInlineTemplate!": text("a whole expression (PromQL:…)", "^PromQL:.+$"),
    }
)
_METRIC: Final = record(
    {
        "name!": FILLED,
        "query!": _QUERY,
        "groups!": listof(FILLED, 1),
        "analysisConfigurations!": record({"canary!": _CANARY}),
        "scopeName!": enum("default"),
    }
)
CANARY_CONFIG: Final = record(
    {
        "id! name! description!": FILLED,
        "configVersion!": enum("1"),
        "applications!": listof(FILLED, 1),
        "judge!": record({"name!": enum("NetflixACAJudge-v1.0"), "judgeConfigurations!": record({})}),
        "metrics!": listof(_METRIC, 1),
        "templates": TEXT_MAP,
        "classifier!": record({"groupWeights!": mapof(whole("a weight (0 to 100)", 0, 100), FILLED)}),
    }
)

_SCOPE: Final = record(
    {
        "scopeName!": enum("default"),
        "controlScope! experimentScope!": FILLED,
        "controlLocation experimentLocation": TEXT,
        "step!": POSITIVE,
        "extendedScopeParams": TEXT_MAP,
    }
)
_ANALYSIS: Final = record(
    {
        "canaryConfigId! metricsAccountName!": FILLED,
        "storageAccountName": FILLED,
        "lifetimeDuration!": text("an ISO 8601 duration", r"^PT([0-9]+H)?([0-9]+M)?$"),
        "beginCanaryAnalysisAfterMins lookbackMins": COUNT,
        "canaryAnalysisIntervalMins": POSITIVE,
        "scopes!": listof(_SCOPE, 1),
        "scoreThresholds!": record({"marginal! pass!": whole("a score (0 to 100)", 0, 100)}),
    }
)
_ROWS: Final[dict[str, Schema]] = {
    "name! refId!": FILLED,
    "requisiteStageRefIds!": TEXTS,
    "failPipeline continuePipeline completeOtherBranchesThenFail": BOOL,
    "stageEnabled": record({"type!": enum("expression"), "expression!": FILLED}),
}
_KUBERNETES: Final[dict[str, Schema]] = {"account!": FILLED, "cloudProvider!": enum("kubernetes")}
STAGES: Final[dict[str, Schema]] = {
    "deployManifest": record(
        {
            **_ROWS,
            **_KUBERNETES,
            "type!": enum("deployManifest"),
            "source!": enum("text", "artifact"),
            "manifests!": listof(FREE, 1),
            "moniker!": record({"app!": FILLED}),
            "skipExpressionEvaluation": BOOL,
        }
    ),
    "deleteManifest": record(
        {
            **_ROWS,
            **_KUBERNETES,
            "type!": enum("deleteManifest"),
            "location! manifestName!": FILLED,
            "mode!": enum("static"),
            "options!": record({"cascading": BOOL}),
        }
    ),
    "kayentaCanary": record(
        {
            **_ROWS,
            "type!": enum("kayentaCanary"),
            "analysisType!": enum("realTime", "realTimeAutomatic", "retrospective"),
            "canaryConfig!": _ANALYSIS,
        }
    ),
    "manualJudgment": record(
        {
            **_ROWS,
            "type!": enum("manualJudgment"),
            "instructions": TEXT,
            "judgmentInputs notifications": listof(FREE),
        }
    ),
    "checkPreconditions": record(
        {
            **_ROWS,
            "type!": enum("checkPreconditions"),
            "preconditions!": listof(
                record(
                    {
                        "type!": enum("expression"),
                        "failPipeline!": BOOL,
                        "context!": record({"expression!": FILLED}),
                    }
                ),
                1,
            ),
        }
    ),
}
PIPELINE: Final = record(
    {
        "schema! application! name!": FILLED,
        "description": TEXT,
        "keepWaitingPipelines limitConcurrent": BOOL,
        "spelEvaluator": enum("v4"),
        "parameterConfig triggers notifications": listof(FREE),
        "stages!": listof(FREE, 1),
    }
)


def problems(table: Schema, value: object) -> list[str]:
    """What is wrong with a value, one line a mistake."""
    try:
        validator(table).validate_python(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        return [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in found]
    return []


def pipeline_problems(pipeline: dict[str, Any]) -> list[str]:
    """The same for a pipeline: each stage by the table of its type, and only stages that are there waited for."""
    found = problems(PIPELINE, pipeline)
    references = [stage.get("refId") for stage in pipeline["stages"]]
    for number, stage in enumerate(pipeline["stages"]):
        table = STAGES.get(stage.get("type", ""))
        said = problems(table, stage) if table else ["this type of stage is not known"]
        earlier = set(references[:number])
        said += [f"waits for {name}" for name in stage.get("requisiteStageRefIds", []) if name not in earlier]
        found += [f"stages.{number}.{text}" for text in said]
    if len(set(references)) != len(references):
        found.append("stages: two have the same refId")
    return found
