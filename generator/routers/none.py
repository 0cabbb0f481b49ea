"""No router: one Service over the pods of both versions, whose numbers decide the share of each."""

from __future__ import annotations

from typing import Final

from generator.routers.base import NO_MIRROR, Router

ROUTER: Final = Router(
    kind="none",
    argo="none",
    since=(1, 9),
    settings={},
    takes=frozenset(),
    writes=(),
    mirroring=NO_MIRROR,
    implementations={},
    sticky=False,
    weights=None,
    kinds=(),
    routes=lambda _: (),
    rollout="kubernetes/rollout-canary.yaml.j2",
    abort=(
        "no router: pods of the new version are replaced by pods of the stable one, a quarter at a time",
        "the new version keeps its share of live requests until its last pod is gone",
    ),
    pipelines=False,
    cohort_gap="",
    no_cohort="",
    retired="",
)
