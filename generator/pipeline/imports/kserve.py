"""InferenceServices of KServe as a spec has them: a container or a model, and the share of its canary."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any, Final

from generator.lint import Object, Objects, Release, as_int, as_list, as_map, as_text, each
from generator.pipeline.imports.family import Family
from generator.pipeline.imports.pod import fits, read_containers, read_resources
from generator.pipeline.imports.strategy import APPROVER, SHORTEST
from generator.source.document import Path
from generator.spec.types import Reference

PREDICTOR: Final[Path] = ("spec", "predictor")
_FRAMEWORKS: Final = {
    "catboost": "catboost",
    "huggingface": "transformers",
    "lightgbm": "lightgbm",
    "mlflow": "mlflow",
    "onnx": "onnx",
    "pytorch": "pytorch",
    "sklearn": "sklearn",
    "xgboost": "xgboost",
}
"""Frameworks of specs, by the names that model formats have."""
_MAIN: Final = "kserve-container"
_HF: Final = re.compile(r"hf://(?P<model>[^:]+?)(?::(?P<revision>[\w.-]+))?")


def without_canary(objects: Objects) -> Iterator[Release]:
    """Yield the InferenceServices without a share, whose new version gets everything at once."""
    for item in objects.of_kind("InferenceService"):
        if as_map(item.spec.get("predictor")) and not _has_share(item):
            yield Release(object=item, tool="KServe", strategy="traffic split", stages=())


def _has_share(item: Object) -> bool:
    return any(
        as_map(item.spec.get(part)).get("canaryTrafficPercent") is not None
        for part in ("predictor", "transformer", "explainer")
    )


def read_inference_service(family: Family, *, example: bool) -> None:
    """Write the spec of an InferenceService, without its guards.

    Args:
        family: the release.
        example: write a made-up digest where a reference needs one and the tree has none.
    """
    predictor = as_map(family.main.get(*PREDICTOR))
    if any(family.main.item.spec.get(part) is not None for part in ("transformer", "explainer")):
        family.blocked = "it has a transformer or an explainer, and a spec serves one container"
    elif as_list(predictor.get("containers")):
        _container(family)
    else:
        _model(family, predictor, example=example)
    if not family.blocked:
        _scale(family, predictor)
        family.spec["rollout"] = {"strategy": "canary", "steps": list(_steps(family, predictor))}


def _container(family: Family) -> None:
    at = (*PREDICTOR, "containers")
    containers = list(each(family.main.get(*at), at))
    named = next((path for path, one in containers if one.get("name") == _MAIN), containers[0][0])
    read_containers(family, PREDICTOR, as_int(named[-1]))
    if not family.blocked:
        why = "KServe routes each path of its protocols: this is one of v2, and no path of a spec has the colon of v1"
        path = f"/v2/models/{family.main.item.name}/infer"
        family.spec["serve"]["path"] = family.assume("serve.path", path, why)


def _model(family: Family, predictor: Any, *, example: bool) -> None:
    at, name = next(_formats(predictor), ((), ""))
    if not at:
        family.blocked = "its predictor has neither a container nor a model with a framework that a spec has"
        return
    account = family.main
    uri = as_text(account.get(*at, "storageUri"))
    found = _HF.fullmatch(uri)
    ref = f"hf:{found['model']}" + (f"@{found['revision']}" if found["revision"] else "") if found else uri
    if not fits(Reference, ref):
        family.blocked = (
            f"its model is at {uri or 'no storageUri'}, and a spec reads bentoml:, mlflow:, dvc:, hf:, oci://, s3:// "
            "and https://"
        )
        return
    account.take((*at, "storageUri"), "model.ref")
    account.take((*at, "modelFormat", "name") if at[-1] == "model" else at, "model.framework")
    model = {"ref": ref, "framework": _FRAMEWORKS[name]}
    if ref.startswith(("s3://", "https://")) and example:
        why = "no manifest has the digest of the model's file, and this one is made up"
        made_up = hashlib.sha256(f"example of {ref}".encode()).hexdigest()
        model["sha256"] = family.assume("model.sha256", made_up, why)
    family.spec["model"] = model
    if at[-1] != "model":
        for key in as_map(account.get(*at)):
            account.leave((*at, key), "the service is built from the framework", "`service`, `resources`")
        account.take((*at, "storageUri"), "model.ref")
    read_resources(family, at)
    for key in ("runtime", "protocolVersion", "runtimeVersion"):
        if account.get(*at, key) is not None:
            why = "the service is built from the framework, and answers POST requests to /predict"
            account.leave((*at, key), why, "clients change their path")


def _formats(predictor: Any) -> Iterator[tuple[Path, str]]:
    """Yield the place of a model and the name of its format: `model.modelFormat`, or a key of the old form."""
    name = as_text(as_map(as_map(predictor.get("model")).get("modelFormat")).get("name"))
    if name in _FRAMEWORKS:
        yield (*PREDICTOR, "model"), name
    yield from (
        ((*PREDICTOR, key), key) for key in predictor if key in _FRAMEWORKS and as_map(predictor[key])
    )


def _scale(family: Family, predictor: Any) -> None:
    low, high = as_int(predictor.get("minReplicas"), 1), as_int(predictor.get("maxReplicas"))
    cpu = as_int(predictor.get("scaleTarget"))
    account = family.main
    if low < 1:
        why = "a release always has a pod, so that the stable version answers"
        account.leave((*PREDICTOR, "minReplicas"), why, "`replicas: 1`")
        low = 1
    elif predictor.get("minReplicas") is not None:
        account.take((*PREDICTOR, "minReplicas"), "autoscaling.min" if high > low else "replicas")
    if high > low and predictor.get("scaleMetric") == "cpu" and 1 <= cpu <= 100:
        for key, name in (("maxReplicas", "max"), ("scaleTarget", "cpu"), ("scaleMetric", "cpu")):
            account.take((*PREDICTOR, key), f"autoscaling.{name}")
        family.spec["autoscaling"] = {"min": low, "max": high, "cpu": f"{cpu}%"}
        return
    for key in ("maxReplicas", "scaleTarget", "scaleMetric"):
        if predictor.get(key) is not None:
            account.leave((*PREDICTOR, key), "pods are scaled by CPU or by requests", "`autoscaling`")
    family.spec["replicas"] = low


def _steps(family: Family, predictor: Any) -> Iterator[dict[str, Any]]:
    """Yield the step with the share of the canary, which stays until a person changes it."""
    share, at = as_int(predictor.get("canaryTrafficPercent")), (*PREDICTOR, "canaryTrafficPercent")
    if not 1 <= share < 100:
        why = "a canary has steps, and the tree has none: the new version gets all requests at once"
        if predictor.get("canaryTrafficPercent") is not None:
            family.main.leave(at, "a weight is from 1% to 99%", "a step of `rollout.steps`")
        yield {"weight": family.assume("rollout.steps", "50%", why), "hold": "10m"}
        return
    family.main.take(at, "rollout.steps[0].weight")
    why = "only a person ends this weight in the tree, and in a spec it is held before"
    yield {"weight": f"{share}%", "hold": family.assume("rollout.steps[0].hold", SHORTEST, why)}
    why = "a person changes the share, and specs name a role"
    yield {"approve": family.assume("rollout.steps[1]", APPROVER, why)}
