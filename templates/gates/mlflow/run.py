"""MLflow: the metrics of one run, from the store that MLFLOW_TRACKING_URI names (SQLite files work)."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient


def main() -> None:
    """Write the metrics of the run, the model that its tag `sluice.model` names, and when it ended."""
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    report = {"tool": "mlflow", "version": version("mlflow-skinny")}
    try:
        run = MlflowClient().get_run(config["run"])
        named = run.data.tags.get("sluice.model")
        report |= {
            "metrics": {key: value for key, value in run.data.metrics.items() if value == value},
            "models": [named] if named else [],
            "status": run.info.status,
            "ended": (run.info.end_time or 0) / 1000,
        }
    except MlflowException as error:
        report["problem"] = f"the run {config['run']} can't be read: {error.message}"
    Path(sys.argv[2]).write_text(json.dumps(report, allow_nan=False), encoding="utf-8")


if __name__ == "__main__":
    main()
