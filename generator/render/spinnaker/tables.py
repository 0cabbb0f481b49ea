"""Strict schemas of the documents that Spinnaker and Kayenta read, in the notation of `lint.kinds`.

Sources: Kayenta's docs/canary-config.md and PrometheusCanaryMetricSetQueryConfig; Orca's KayentaCanaryContext; the
stages as Deck writes them. The services ignore unknown keys: a mistyped one would silently have no effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import SchemaValidator, ValidationError

from generator.lint.kinds import notation
from generator.lint.kinds.notation import Schema, field, listof, mapof, text, whole
from generator.lint.kinds.scalars import BOOL, COUNT, FILLED, FREE, NUMBER, POSITIVE, TEXT, TEXT_MAP, TEXTS


def record(rows: Mapping[str, Schema]) -> Schema:
    """Return a mapping with exactly these fields.

    Args:
        rows: names of fields, separated by blanks, a trailing `!` for a required one -> their common type.
    """
    fields = {}
    for names, schema in rows.items():
        for name in names.split():
            fields[name.rstrip("!")] = field(schema, required=name.endswith("!"))
    return notation.record(fields)


_EFFECT: Final = record({"allowedIncrease allowedDecrease criticalIncrease criticalDecrease": NUMBER})
_CANARY: Final = record(
    {
        "direction!": notation.enum(("increase", "decrease", "either")),
        "nanStrategy!": notation.enum(("remove", "replace")),
        "critical mustHaveData": {"type": "bool", "strict": True},
        "effectSize": _EFFECT,
    }
)
_QUERY: Final = record(
    {
        "type! serviceType!": notation.enum(("prometheus",)),
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
        "scopeName!": notation.enum(("default",)),
    }
)
CANARY_CONFIG: Final = record(
    {
        "id! name! description!": FILLED,
        "configVersion!": notation.enum(("1",)),
        "applications!": listof(FILLED, 1),
        "judge!": record(
            {"name!": notation.enum(("NetflixACAJudge-v1.0",)), "judgeConfigurations!": record({})}
        ),
        "metrics!": listof(_METRIC, 1),
        "templates": TEXT_MAP,
        "classifier!": record({"groupWeights!": mapof(whole("a weight (0 to 100)", 0, 100), FILLED)}),
    }
)

_SCOPE: Final = record(
    {
        "scopeName!": notation.enum(("default",)),
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
    "stageEnabled": record({"type!": notation.enum(("expression",)), "expression!": FILLED}),
}
_KUBERNETES: Final[dict[str, Schema]] = {"account!": FILLED, "cloudProvider!": notation.enum(("kubernetes",))}
STAGES: Final[dict[str, Schema]] = {
    "deployManifest": record(
        {
            **_ROWS,
            **_KUBERNETES,
            "type!": notation.enum(("deployManifest",)),
            "source!": notation.enum(("text", "artifact")),
            "manifests!": listof(FREE, 1),
            "moniker!": record({"app!": FILLED}),
            "skipExpressionEvaluation": BOOL,
        }
    ),
    "deleteManifest": record(
        {
            **_ROWS,
            **_KUBERNETES,
            "type!": notation.enum(("deleteManifest",)),
            "location! manifestName!": FILLED,
            "mode!": notation.enum(("static",)),
            "options!": record({"cascading": BOOL}),
        }
    ),
    "kayentaCanary": record(
        {
            **_ROWS,
            "type!": notation.enum(("kayentaCanary",)),
            "analysisType!": notation.enum(("realTime", "realTimeAutomatic", "retrospective")),
            "canaryConfig!": _ANALYSIS,
        }
    ),
    "manualJudgment": record(
        {
            **_ROWS,
            "type!": notation.enum(("manualJudgment",)),
            "instructions": TEXT,
            "judgmentInputs notifications": listof(FREE),
        }
    ),
    "checkPreconditions": record(
        {
            **_ROWS,
            "type!": notation.enum(("checkPreconditions",)),
            "preconditions!": listof(
                record(
                    {
                        "type!": notation.enum(("expression",)),
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
        "spelEvaluator": notation.enum(("v4",)),
        "parameterConfig triggers notifications": listof(FREE),
        "stages!": listof(FREE, 1),
    }
)


def problems(table: Schema, value: object) -> list[str]:
    """Return the errors in a value, one line each."""
    try:
        SchemaValidator(table).validate_python(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        return [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in found]
    return []


def pipeline_problems(pipeline: dict[str, Any]) -> list[str]:
    """Return the errors in a pipeline: in each stage by the schema of its type, and in the dependencies of stages."""
    found = problems(PIPELINE, pipeline)
    references = [stage.get("refId") for stage in pipeline["stages"]]
    for number, stage in enumerate(pipeline["stages"]):
        table = STAGES.get(stage.get("type", ""))
        said = problems(table, stage) if table else ["unknown type of stage"]
        earlier = set(references[:number])
        said += [f"waits for {name}" for name in stage.get("requisiteStageRefIds", []) if name not in earlier]
        found += [f"stages.{number}.{text}" for text in said]
    if len(set(references)) != len(references):
        found.append("stages: two have the same refId")
    return found
