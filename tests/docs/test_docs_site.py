"""The site builds without a warning, has a page for every code, and loads nothing from other hosts."""

from __future__ import annotations

import re

import pytest

from generator.report.codes import all_codes
from tests.docs.site import build

pytestmark = pytest.mark.slow  # makes the environment of MkDocs on first use


def test_the_site_builds_and_stands_alone(tmp_path):
    site = tmp_path / "site"
    build(site)
    assert {path.stem for path in (site / "codes").glob("*.html")} == {"index", *all_codes()}
    assert "sluice plan" in (site / "reference" / "commands.html").read_text()
    assert "firstWeight" in (site / "reference" / "platform.html").read_text()
    for page in site.rglob("*.html"):
        assert "<p>```" not in page.read_text(), f"a fence of {page.name} is shown as text"
        loaded = re.findall(
            r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(https?:[^"]+)"', page.read_text()
        )
        assert not [address for address in loaded if "canonical" not in address], page
