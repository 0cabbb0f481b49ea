"""One query of each form that Sluice writes, with names that need quoting."""

from __future__ import annotations

from generator.promql.bounds import CanaryRequests, WindowRatio, bounded_ratio, canary_requests
from generator.promql.event_share import EventShare, Mask, event_share
from generator.promql.fairness import ParityTest, parity_difference, parity_lower, parity_upper
from generator.promql.served import BY_POD, BY_VERSION, Served
from generator.promql.split import Split, split_of_arms
from tests.unit.promql.counted import errors, outcome, slow

SERVED = Served('odd"\\name', "shop")
TEST = EventShare(0.9, 60, 15, 7200, mask=Mask(150, 1.1))
PARITY = ParityTest(("18+", "a|b", '"'), 86400)
OWN = [
    *(event_share(p, BY_POD, TEST) for p in (errors(SERVED), slow(SERVED, 0.25), slow(SERVED, 1))),
    event_share(outcome(SERVED, "ctr"), BY_VERSION, TEST),
    bounded_ratio(errors(SERVED), BY_POD.of_canary, WindowRatio(120, 100)),
    bounded_ratio(slow(SERVED, 0.25), BY_POD.of_canary, WindowRatio(120, 100)),
    canary_requests(outcome(SERVED, "ctr"), BY_VERSION, CanaryRequests(3600, 50)),
    split_of_arms(SERVED.requests(), BY_POD, Split(0.05, 1.25, 600, 611, 1.5)),
    *(
        form(SERVED.group_rows("age"), BY_VERSION.of_canary, PARITY)
        for form in (parity_difference, parity_lower, parity_upper)
    ),
]
