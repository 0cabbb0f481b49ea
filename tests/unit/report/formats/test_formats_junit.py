from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from lxml import etree

from generator.report.formats import render
from generator.source.finding import Finding, Place
from tests.unit.report.formats.samples import EXAMPLES, REPORT, REPORTS

# What Jenkins, GitLab and Azure Pipelines agree on: names and totals are there, a case has one outcome.
RULES = etree.XMLSchema(
    etree.XML("""
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:attributeGroup name="totals">
    <xs:attribute name="name" type="xs:string" use="required"/>
    <xs:attribute name="tests" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="failures" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="errors" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="skipped" type="xs:nonNegativeInteger"/>
    <xs:attribute name="time" type="xs:decimal"/>
  </xs:attributeGroup>
  <xs:element name="testsuites">
    <xs:complexType>
      <xs:sequence><xs:element ref="testsuite" maxOccurs="unbounded"/></xs:sequence>
      <xs:attributeGroup ref="totals"/>
    </xs:complexType>
  </xs:element>
  <xs:element name="testsuite">
    <xs:complexType>
      <xs:sequence><xs:element ref="testcase" maxOccurs="unbounded"/></xs:sequence>
      <xs:attributeGroup ref="totals"/>
    </xs:complexType>
  </xs:element>
  <xs:element name="testcase">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="failure" minOccurs="0">
          <xs:complexType>
            <xs:simpleContent>
              <xs:extension base="xs:string">
                <xs:attribute name="type" type="xs:string" use="required"/>
                <xs:attribute name="message" type="xs:string" use="required"/>
              </xs:extension>
            </xs:simpleContent>
          </xs:complexType>
        </xs:element>
        <xs:element name="system-out" type="xs:string" minOccurs="0"/>
      </xs:sequence>
      <xs:attribute name="classname" type="xs:string" use="required"/>
      <xs:attribute name="name" type="xs:string" use="required"/>
      <xs:attribute name="file" type="xs:string"/>
      <xs:attribute name="time" type="xs:decimal"/>
    </xs:complexType>
  </xs:element>
</xs:schema>""")
)


def _read(findings: tuple[Finding, ...] | list[Finding], checked: int = 0) -> etree._Element:
    root = etree.fromstring(render(findings, "junit", checked=checked).encode())
    RULES.assertValid(root)
    return root


def _expected(text: str) -> str:
    """The text as XML 1.0 can hold it."""
    legal = [
        c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c >= "\U00010000" for c in text
    ]
    return "".join(c if ok else "\ufffd" for c, ok in zip(text, legal, strict=True))


@pytest.mark.parametrize(("checked", "name"), [(0, "no findings"), (12, "12 specs are fine")])
def test_no_findings_are_one_case_that_passes(checked: int, name: str) -> None:
    root = _read([], checked)
    (case,) = root.iter("testcase")
    assert (case.get("name"), len(case)) == (name, 0)
    assert (root.get("tests"), root.get("failures")) == ("1", "0")


def test_a_report() -> None:
    root = _read(REPORT)
    assert [suite.get("name") for suite in root] == ["specs/risk/fraud.yaml", "specs/shop/recommender.yaml"]
    assert [child.tag for child in root.iter("failure", "system-out")] == [
        "failure",
        "system-out",
        "failure",
        "failure",
        "system-out",
    ]
    failure = root.find(".//testcase[@name='SPEC101: `stratgy` is not a key of a rollout']/failure")
    assert failure is not None
    assert failure.get("type") == "SPEC101"
    assert failure.text is not None
    assert "    13 |     stratgy: canary\n       |     ^^^^^^^\n" in failure.text


def test_findings_that_say_the_same_are_cases_of_their_own() -> None:
    places = [Place("a.yaml", 1), Place("./a.yaml", 2), Place("b.yaml", 1)]
    findings = [Finding("A1", "error", "twice", "", place) for place in places]
    findings.append(Finding("A1", "warning", "twice (2)", "", places[0]))
    names = [(case.get("classname"), case.get("name")) for case in _read(findings).iter("testcase")]
    assert sorted(names) == [
        ("a.yaml", "A1: twice"),
        ("a.yaml", "A1: twice (2)"),
        ("a.yaml", "A1: twice (3)"),
        ("b.yaml", "A1: twice"),
    ]


@EXAMPLES
@given(findings=REPORTS)
def test_totals_and_names_are_right_and_messages_arrive(findings: list[Finding]) -> None:
    root = _read(findings)
    for element in root.iter("testsuites", "testsuite"):
        assert int(element.get("tests", -1)) == len(list(element.iter("testcase")))
        assert int(element.get("failures", -1)) == len(list(element.iter("failure")))
    cases = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(set(cases)) == len(cases) == max(len(findings), 1)
    sent = Counter((f.code, _expected(f.message)) for f in findings if f.severity == "error")
    assert Counter((e.get("type"), e.get("message")) for e in root.iter("failure")) == sent
    others = sorted(f"{f.code}: {_expected(f.message)}" for f in findings if f.severity != "error")
    names = [re.sub(r" \(\d+\)$", "", str(e.getparent().get("name"))) for e in root.iter("system-out")]
    assert sorted(names) == sorted(re.sub(r" \(\d+\)$", "", name) for name in others)
