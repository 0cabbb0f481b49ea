"""Locks with made-up digests, clearly named: for previews before a real model exists."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from generator.render.environment import Templates


def example_lock(templates: Templates, name: str, ref: str, data: Sequence[str] = ()) -> str:
    """The text of a lock whose digests say nothing about any model.

    Args:
        templates: what is rendered with.
        name: `team/model`; the digest is made of it.
        ref: the reference that the spec asks for.
        data: references of data sets that gates read.
    """
    digest = hashlib.sha256(f"example of {name}".encode()).hexdigest()
    version = re.sub(r"[^A-Za-z0-9._-]", "-", re.split(r"[:/@]", ref)[-1])[:63].lstrip("._-") or "1"
    context = {"ref": ref, "version": version, "digest": f"sha256:{digest}", "data": list(data)}
    return templates.render("new/lock.yaml.j2", context)
