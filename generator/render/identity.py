"""Inputs of rendered text other than specs: the rendering contract, which is in ledgers, and the code, which is not."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generator.render.environment import Templates
from generator.source.canonical import sha256_of
from generator.source.shipped import builtin_folder

if TYPE_CHECKING:
    from generator.plan.values import Plan

CONTRACT = 1
"""The version of the rendering contract. Raise it when rendered files get a new meaning for their readers, not when
their text changes: texts are compared."""

POD: Final = "kubernetes/_pod.yaml.j2"
CONFIG: Final = "kubernetes/configmap.yaml.j2"
BLUE_GREEN: Final = "kubernetes/rollout-bluegreen.yaml.j2"
_PACKAGE = Path(__file__).resolve().parent.parent
_LIBRARIES = ("site-packages", "dist-packages")


def contract_digest() -> str:
    """Return the SHA-256 (hex) of the rendering contract."""
    return hashlib.sha256(f"sluice/rendering/v{CONTRACT}".encode()).hexdigest()


def code_digest(templates: Templates) -> str:
    """Return the SHA-256 (hex) of everything that renders: every file of this program, the templates, the libraries.

    The platform team's templates are read. Other files count by size and times, as in git's index, and libraries by the
    time of the last installation: an equal program that was installed again renders once more.

    Raises:
        OSError: a file can't be examined.
    """
    total = hashlib.sha256(f"{sys.version}\0{templates.own_digest()}".encode())
    for path in sys.path:
        if path.endswith(_LIBRARIES):
            total.update(f"\0{os.stat(path).st_mtime_ns}".encode())  # noqa: PTH116 - plain text
    for folder in (_PACKAGE, builtin_folder()):
        for file in sorted(_files(str(folder))):
            found = os.stat(file)  # noqa: PTH116 - hundreds of files, at every start
            seen = (file[len(str(folder)) :], found.st_size, found.st_mtime_ns, found.st_ctime_ns)
            total.update("\0".join(map(str, ("", *seen))).encode())
    return total.hexdigest()


def pod_templates_digest(plan: Plan, templates: Templates) -> str:
    """Return the SHA-256 (hex) of what renders a plan's pods, for its release key.

    Of our templates the text counts. A template of the platform team may print any value of the plan; so what the pods
    of a plan without the differences between environments are counts, where they are not what ours would make of it.
    """
    # An unchanged `render` needs this module, and loads no plans.
    from generator.plan.release_key import in_any_environment
    from generator.spec.rollout import Canary

    total = hashlib.sha256("\0".join(map(_ours().text, (POD, CONFIG))).encode())
    rollout = plan.routing.router.rollout if isinstance(plan.rollout, Canary) else BLUE_GREEN
    if templates.own_digest((rollout, POD, CONFIG)):
        from generator.render.bundle import what_runs

        common = in_any_environment(plan)
        found = what_runs(common, templates)
        if found != what_runs(common, _ours()):
            total.update(sha256_of(found, lenient=True).encode())
    return total.hexdigest()


@cache
def _ours() -> Templates:
    return Templates()


def _files(folder: str) -> Iterator[str]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        yield from (f"{parent}/{name}" for name in names)
