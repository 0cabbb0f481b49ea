"""The releases of KServe: a share of the traffic that stays until a person changes it."""

from __future__ import annotations

from collections.abc import Iterator

from generator.lint.objects import as_int, as_map, has
from generator.lint.placement import Objects
from generator.lint.releases.values import Release, Stage


def kserve_releases(objects: Objects) -> Iterator[Release]:
    """Yield the release of every InferenceService with a share for its canary."""
    for item in objects.of_kind("InferenceService"):
        for part in ("predictor", "transformer", "explainer"):
            body = as_map(item.spec.get(part))
            if has(body, "canaryTrafficPercent"):
                share = min(1.0, max(0.0, as_int(body["canaryTrafficPercent"]) / 100))
                yield Release(
                    object=item,
                    tool="KServe",
                    strategy="traffic split",
                    stages=(Stage(share, 0.0, f"{100 * share:.4g}%", waits=True),),
                    notes=(
                        "no metric can stop it: the share stays until a person changes `canaryTrafficPercent`",
                    ),
                )
                break
