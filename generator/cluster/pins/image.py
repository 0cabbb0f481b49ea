"""The image of a model: which manifest the registry holds under its computed tag."""

from __future__ import annotations

from dataclasses import replace

from generator.cluster.pins.failure import NOT_LOCKED, PinError
from generator.cluster.pins.reference import Reference, Surroundings
from generator.cluster.pins.registry import find
from generator.plan.values import Image
from generator.source.document import Document
from generator.source.finding import Finding

_PLACE = ("image",)


def locked_image(
    around: Surroundings, image: Image, lock: Document
) -> tuple[dict[str, str] | None, list[Finding]]:
    """What belongs into the lock as `image`; None, with a finding, when the registry holds no such tag.

    Args:
        around: where to ask, and with which credentials.
        image: the computed image.
        lock: findings point there.
    """
    tagged = replace(image, digest=None)
    try:
        found = find(Reference(f"oci://{tagged.reference}"), around)
    except PinError as error:
        return None, [lock.finding(error.code, _PLACE, error.message, error.hint, key=True)]
    bento = image.tag.rpartition("-")[2]
    return {"digest": found.resolved.rpartition("@")[2], "bento": bento}, []


def moved(lock: Document, image: dict[str, str]) -> Finding:
    """The lock does not hold the image that the registry has."""
    message = f"the registry holds the image {image['digest']}, the lock does not"
    return lock.finding(NOT_LOCKED, _PLACE, message, "run `sluice pin --image`", key=True)
