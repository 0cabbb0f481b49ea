"""A kind of guard that lacks a part can't be made: mypy reports it, and so does the first use."""

from __future__ import annotations

from typing import ClassVar

import pytest

from generator.spec.guards.base import GaugeGuard, GuardBase, ParityGuard, RatioGuard


@pytest.mark.parametrize(
    ("base", "missing"),
    [(RatioGuard, "counts"), (GaugeGuard, "gauge"), (ParityGuard, "bound"), (GuardBase, "subject")],
)
def test_a_forgotten_part_is_a_type_error(base: type[GuardBase], missing: str):
    class Forgetful(base):  # type: ignore[misc, valid-type]
        kind: ClassVar[str] = "forgetful"

    with pytest.raises(TypeError, match=f"abstract .*{missing}"):
        Forgetful()
