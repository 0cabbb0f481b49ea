"""`sluice verify`: what it says of our own tree, of others', and how it ends."""

from __future__ import annotations

import json

import pytest

from generator.report.formats import FORMATS
from tests.unit.cli.conftest import CHECKOUT

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: shelf}
spec: {prots: [{port: 80}], selector: {app: shelf}}
"""


def test_our_own_tree_is_fine(sluice):
    done = sluice("verify", str(CHECKOUT / "rendered"), "--strict")
    assert done.exit_code == 0, done.stdout
    assert done.stdout.endswith(" files: nothing found, 3 things not checked\n")
    assert "has no Kubernetes object" in done.stderr


@pytest.mark.parametrize("fmt", FORMATS)
def test_somebody_elses_tree_is_judged_in_every_form(tmp_path, sluice, fmt):
    (tmp_path / "service.yaml").write_text(SERVICE)
    done = sluice("verify", str(tmp_path), "--format", fmt)
    assert done.exit_code == 1
    assert "VER111" in done.stdout
    assert "did you mean `ports`?" in done.stdout
    if fmt in {"json", "gitlab", "sarif"}:
        json.loads(done.stdout)


def test_a_tree_without_objects_is_wrong_usage(tmp_path, sluice):
    done = sluice("verify", str(tmp_path))
    assert done.exit_code == 2
    assert "has no objects to check" in done.stderr
    assert not done.stdout


def test_a_tree_that_is_not_there_is_wrong_usage(tmp_path, sluice):
    done = sluice("verify", str(tmp_path / "nowhere"))
    assert done.exit_code == 2
    assert "nowhere does not exist" in done.stderr
