"""Package indexes: which a spec may name, and where each package may come from."""

from __future__ import annotations

from typing import Any

from tests.unit.rules.samples import CEILINGS, Case

_HASH = f"--hash=sha256:{'a' * 64}"
_OF = {
    name: {"url": f"https://{name}.example.com/simple", "packages": ["acme-features", "torch"]}
    for name in "ab"
}
_KNOWN = {"platform.indexes": _OF, f"{CEILINGS}.indexes": ["a", "b"]}
_SHARED = {**_KNOWN, "platform.indexes": {"a": {**_OF["a"], "exclusive": False}}}
_NAMED = {"spec.service.requirements": ["acme-features==1.4.0"]}


def _list(*lines: str, of: str = "") -> dict[str, Any]:
    head = (
        "# All packages of the service, for Python 3.11 on Linux (x86_64), with the hashes of their files.\n"
    )
    pinned = ("bentoml==1.4.39", "numpy==2.4.6", "scikit-learn==1.9.1", *lines)
    return {"packages": head + of + "".join(f"{line} {_HASH}\n" for line in pinned)}


_FROM_A = _list("acme-features==1.4.0", of="# From the index a: acme-features.\n")
CASES = (
    Case(
        "TIER355",
        {**_KNOWN, f"{CEILINGS}.indexes": ["b"], "spec.service.indexes": ["a"]},
        {**_KNOWN, f"{CEILINGS}.indexes": ["a"], "spec.service.indexes": ["a"]},
        "spec.service.indexes[0]",
    ),
    Case("PLAN569", {**_KNOWN, "spec.service.indexes": ["a", "c"]}, {**_KNOWN, "spec.service.indexes": ["a", "b"]}, "spec.service.indexes[1]"),
    Case(
        "PLAN570",
        {**_KNOWN, **_NAMED},
        {**_KNOWN, **_NAMED, "spec.service.requirements": ["acme-features-more==1.4.0"]},
        "spec.service.requirements[0]",
    ),
    Case("PLAN570", {**_KNOWN, **_NAMED}, {**_SHARED, **_NAMED}, "spec.service.requirements[0]"),
    Case("PLAN570", {**_KNOWN, **_NAMED}, {**_KNOWN, **_NAMED, **_FROM_A, "spec.service.indexes": ["a"]}, "spec.service.requirements[0]"),
    Case("PLAN570", {**_KNOWN, **_list("torch==2.15.0")}, {**_KNOWN, **_list("torchvision==0.30.0")}, "spec.model.framework"),
    Case(
        "PLAN570",
        {**_KNOWN, **_NAMED, "spec.service.indexes": ["a", "b"]},
        {**_KNOWN, **_NAMED, **_FROM_A, "spec.service.indexes": ["a"]},
        "spec.service.indexes[1]",
    ),
    Case(
        "PLAN571",
        {**_KNOWN, **_NAMED, "spec.service.indexes": ["a"]},
        {**_KNOWN, **_NAMED, **_FROM_A, "spec.service.indexes": ["a"]},
        "spec.service.indexes[0]",
    ),
    Case("PLAN571", {**_KNOWN, **_NAMED, "spec.service.indexes": ["a"]}, {**_KNOWN, "spec.service.indexes": ["a"]}, "spec.service.indexes[0]"),
)  # fmt: skip
