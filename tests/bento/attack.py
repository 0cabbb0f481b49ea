"""Half an hour of two versions with users and an attacker, by the rendered modules that count feedback; no network.

    python attack.py CLICKS ATTACKED TRUSTING

CLICKS is the share of the canary's users who click (stable: 4%), ATTACKED the version that the attacker sends clicks for
(c, s or none), TRUSTING 1 a service that believes signatures without checking them. Prints the two counters of each
version at every scrape, as JSON.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import sys
import time
from typing import Any

import counters
import feedback
import messages
import tokens
from prometheus_client import REGISTRY

SCRAPES, STABLE, CANARY = 120, 2850, 150
NUMBERS = itertools.count()


def trusting(token: str) -> tokens.Token:
    """What a service without signatures does: it believes the version, and that the token is new."""
    return tokens.Token(token.partition(".")[0], bytes(8), next(NUMBERS), 2**31, tokens.NOWHERE)


def forged(version: str) -> str:
    """A token with a signature of the attacker's own."""
    return f"{version}.{base64.urlsafe_b64encode(os.urandom(52)).decode().rstrip('=')}"


def event(token: str) -> Any:
    """A click."""
    return messages.Feedback(served_by=token, outcome="click")


def clicks_of(version: str) -> float:
    """The counter as Prometheus scrapes it."""
    labels = {"model": counters.MODEL, "outcome": "ctr", "served_by": version}
    found: float = REGISTRY.get_sample_value("sluice_outcomes_total", labels)
    return found


async def main(clicks: float, attacked: str, *, trust: bool) -> dict[str, dict[str, list[int]]]:
    receiver = feedback.Receiver(None)
    if trust:
        tokens.verify = trusting
    counts = {arm: {"requests": [0], "events": [0]} for arm in "cs"}
    due = dict.fromkeys("cs", 0.0)
    for _ in range(SCRAPES):
        for arm, requests, share in (("s", STABLE, 0.04), ("c", CANARY, clicks)):
            counters.SERVED_BY = arm  # of the process that answers
            served = [tokens.served_by() for _ in range(requests)]
            due[arm] += requests * share
            told = [event(token) for token in served[: int(due[arm])]]
            due[arm] -= int(due[arm])
            await receiver._settle(told, forwarded=False)
            if arm == attacked:
                await receiver._settle([event(forged(arm)) for _ in range(requests // 20)], forwarded=False)
                await receiver._settle(told[:5] * 10, forwarded=False)  # its own clicks, again and again
                await receiver._settle(
                    [event(forged(f"arm-{number}")) for number in range(101)], forwarded=False
                )
            counts[arm]["requests"].append(counts[arm]["requests"][-1] + requests)
        for arm in "cs":
            counts[arm]["events"].append(int(clicks_of(arm)))
    return counts


if __name__ == "__main__":
    _, clicks, attacked, trust = sys.argv
    counters.admit("c")
    counters.admit("s")
    time.sleep(0.5)  # the series are held for two scrapes, here 0 s
    print(json.dumps(asyncio.run(main(float(clicks), attacked, trust=trust == "1"))))
