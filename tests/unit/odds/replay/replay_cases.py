"""Metrics made by hand."""

from __future__ import annotations

from generator.odds.replay.machine import Limits, Timing
from generator.odds.replay.schedule import Kind, Watched
from generator.promql.conditions import Condition, harm, proof


def watched(name: str, kind: Kind, condition: Condition, limits: Limits, delay_s: float = 0.0) -> Watched:
    """A metric that is looked at every minute."""
    return Watched(name, name, kind, name, condition, 4.0, Timing(60.0, delay_s), limits, None)


HARM = watched("ctr", "sequential", harm(4), Limits())
EVIDENCE = watched("ctr", "evidence", proof(">=", 100), Limits(5, 0, 4, 30, 1))
