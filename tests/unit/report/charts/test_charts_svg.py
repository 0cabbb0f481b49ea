"""One writer of SVG: well-formed whatever the texts are, the same bytes for the same shapes."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from generator.report.charts.svg import Label, Line, Picture, Polygon, Polyline, Rect, points

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn"), exclude_characters="\ufffe\uffff"))


@given(TEXT)
def test_any_text_is_escaped(text):
    shapes = (
        Rect(0, 1, 2, 3, "weight", text), Line(0, 0, 1, 1, "grid"), Polyline("0,0", "value"),
        Polygon(points((0, 0), (1.26, 2)), "person", text), Label(1, 2, text, "soft", "end"),
    )  # fmt: skip
    found = ElementTree.fromstring(f"<svg>{Picture(10, 10, shapes).markup}</svg>")
    assert [node.tag for node in found] == ["rect", "line", "polyline", "polygon", "text"]
    assert (found[4].text or "") == text
    assert [node.findtext("title") or "" for node in (found[0], found[3])] == [text, text]
    assert found[3].get("points") == "0.0,0.0 1.3,2.0"
