"""Everything that is rendered passes `sluice verify`: shapes, references, Rollouts, syncs."""

from __future__ import annotations

import pytest

from generator.lint import verify
from tests import golden

CASES = [case for case in golden.cases() if case != "spinnaker"]  # pipelines hold objects inside of stages
INTENDED = {
    "CAP504",  # the group of Traefik's objects changed between the two versions that `any` means
}


@pytest.mark.parametrize("case", CASES)
def test_no_error_and_no_warning_that_is_not_intended(case, tmp_path):
    for name, text in golden.render(case, shared=True).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = verify(tmp_path)
    assert found.objects > 10
    told = [f for f in found.findings if f.severity != "info" and f.code not in INTENDED]
    assert [f"{f.place}: {f.code} {f.message}" for f in told] == []
