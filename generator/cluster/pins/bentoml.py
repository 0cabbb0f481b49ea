"""Models in a BentoML model store, read from its files without the library."""

from __future__ import annotations

import re
from pathlib import Path

from generator.cluster.artifacts.formats import contents_of
from generator.cluster.pins.errors import MALFORMED, NOT_CONFIGURED, UNKNOWN, PinError
from generator.cluster.pins.reference import Content, PinContext, Reference, Resolution
from generator.source.content import path_digest

_TAG = re.compile(r"bentoml:([a-z0-9][a-z0-9._-]*):([a-z0-9][a-z0-9._-]*)")


def resolve(reference: Reference, context: PinContext) -> Resolution:
    """Find a model by its tag in the local store: BENTOML_HOME, else `~/bentoml`.

    The digest is that of the model's folder, which `import_model.py` checks in the exported folder.

    Raises:
        PinError: there is no store, or no such model in it.
    """
    matched = _TAG.fullmatch(reference.text.lower())
    if matched is None or matched[2] == "latest":
        message = f"{reference.shown} does not name one version"
        raise PinError(MALFORMED, message, "name a version, for example bentoml:ticket_classifier:7")
    name, version = matched.groups()
    models = _store(context)
    folder = models / name / version
    if not (folder / "model.yaml").is_file():
        message = f"{reference.shown} is not in the BentoML store"
        raise PinError(UNKNOWN, message, _known(models / name, name))
    return Resolution(
        f"bentoml:{name}:{version}",
        version,
        lambda: Content(
            path_digest(folder, reference.shown), "the local BentoML store", files=contents_of(folder)
        ),
        local=True,
    )


def _store(context: PinContext) -> Path:
    models = Path(context.variables.get("BENTOML_HOME") or context.home / "bentoml", "models")
    if not models.is_dir():
        message = "there is no BentoML model store on this machine"
        raise PinError(
            NOT_CONFIGURED, message, "set BENTOML_HOME, or import the model: `bentoml models import`"
        )
    return models


def _known(folder: Path, name: str) -> str:
    versions = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    if not versions:
        return f"import it with `bentoml models import`; the store has no version of {name}"
    return f"versions in the store: {', '.join(versions[-8:])}"
