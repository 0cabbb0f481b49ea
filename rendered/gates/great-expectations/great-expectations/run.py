"""Great Expectations: a suite from a JSON file over one table.

The suite has a `name` and `expectations`, each with a `type` and `kwargs`, as `ExpectationSuite.to_json_dict()` writes
it.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import great_expectations as gx
from common import Problem, main, table

logging.disable(logging.WARNING)


def measure(config: dict[str, Any]) -> dict[str, Any]:
    """Statistics of the suite, and each expectation that was not met."""
    frame = table(config["current"])
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    batch = (
        context.data_sources.add_pandas("gate")
        .add_dataframe_asset("current")
        .add_batch_definition_whole_dataframe("all")
    )
    definition = gx.ValidationDefinition(name="gate", data=batch, suite=suite(context, Path(config["suite"])))
    context.validation_definitions.add(definition)
    result = definition.run(batch_parameters={"dataframe": frame}).to_json_dict()
    statistics = result["statistics"]
    return {
        "rows": len(frame),
        "success": bool(result["success"]),
        "evaluated": statistics["evaluated_expectations"],
        "unsuccessful": statistics["unsuccessful_expectations"],
        "unmet": [unmet(item) for item in result["results"] if not item["success"]],
    }


def suite(context: Any, path: Path) -> Any:
    """The suite as the library knows it; an unknown expectation or argument is a problem, not a pass."""
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        given = [{key: item[key] for key in ("type", "kwargs")} for item in written["expectations"]]
        made = gx.ExpectationSuite(name=str(written["name"]), expectations=given)
        known = [item.expectation_type for item in made.expectations]
    except (ValueError, KeyError, TypeError, gx.exceptions.GreatExpectationsError) as error:
        raise Problem(f"{path.name} is no suite: {type(error).__name__}: {error}") from error
    # The library drops an expectation that it does not know, without a word: the rest would pass alone.
    dropped = sorted({item["type"] for item in given} - set(known))
    if dropped or len(known) != len(given):
        raise Problem(
            f"{path.name} is no suite: unknown or repeated: {', '.join(dropped) or 'an expectation'}"
        )
    return context.suites.add(made)


def unmet(item: dict[str, Any]) -> dict[str, Any]:
    """Which expectation, of which column, by how much."""
    configuration, result = item["expectation_config"], item.get("result") or {}
    return {
        "type": configuration["type"],
        "column": str(configuration["kwargs"].get("column", "")),
        "unexpected": result.get("unexpected_count", 0) or 0,
        "raised": raised(item.get("exception_info") or {}),
    }


def raised(info: dict[str, Any]) -> bool:
    """Whether an exception kept it from being evaluated; the library nests what it says of several metrics."""
    return bool(info.get("raised_exception")) or any(
        isinstance(part, dict) and part.get("raised_exception") for part in info.values()
    )


if __name__ == "__main__":
    main("great-expectations", measure)
