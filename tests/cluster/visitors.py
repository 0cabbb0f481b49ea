"""The visitors of the shop in the scenarios."""

from __future__ import annotations

RPS = 50.0
"""Requests per second: more than the spec counts on, so that evidence comes in time."""
CLICKS = 0.4
"""Share of visitors who click, as the spec's baseline says."""
VISITOR = {"price": 20.0, "device": "ios", "age": 30, "affinity": 0.5}
"""What is asked for."""
