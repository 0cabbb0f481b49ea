"""What rendered text depends on beside its inputs and templates: the rendering contract."""

from __future__ import annotations

import hashlib

CONTRACT = 1


def contract_digest() -> str:
    """SHA-256 (hex) of the rendering contract, which changes only with what rendered files say."""
    return hashlib.sha256(f"sluice/rendering/v{CONTRACT}".encode()).hexdigest()
