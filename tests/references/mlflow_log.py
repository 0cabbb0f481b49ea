"""Logs two versions of a model and downloads one, with MLflow's own client: `mlflow_log.py FOLDER`."""

import sys
from pathlib import Path

import mlflow
from mlflow import MlflowClient


class Words(mlflow.pyfunc.PythonModel):
    """A model that needs no library."""

    def predict(self, context, model_input: list[str]) -> list[int]:
        """Length of each text."""
        return [len(text) for text in model_input]


def main(folder: Path) -> None:
    """Version 1 is the champion."""
    words = folder / "words ü.txt"
    for text in ("one", "two"):
        words.write_text(text)
        mlflow.pyfunc.log_model(
            name="model",
            python_model=Words(),
            artifacts={"words": str(words)},
            pip_requirements=["mlflow"],
            registered_model_name="ranker",
        )
    MlflowClient().set_registered_model_alias("ranker", "champion", 1)
    mlflow.artifacts.download_artifacts("models:/ranker/1", dst_path=str(folder / "downloaded"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
