"""The visitors of the shop in the scenarios."""

from __future__ import annotations

RPS = 40.0
"""Requests per second, as the specs count on."""
CLICKS = 0.4
"""Share of visitors who click, as the spec's baseline says."""
VISITOR = {"price": 20.0, "device": "ios", "age": 30, "affinity": 0.5}
"""The input of a request."""
ITEM = {"item": 1}
"""The input of a request to the shelf (`models/shelf.py`)."""
