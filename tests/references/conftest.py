"""The fixtures of these tests, each from the module that holds what it gives."""

from __future__ import annotations

from tests.references.bentoml_store import store, stored
from tests.references.dvc_tree import own, template
from tests.references.hub import hub
from tests.references.mlflow_server import mlflow
from tests.references.registry import guarded, registry
from tests.references.sandbox import sandbox

__all__ = ["guarded", "hub", "mlflow", "own", "registry", "sandbox", "store", "stored", "template"]
