from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given

from generator import DOCUMENTATION, __version__
from generator.report.codes import all_codes, page
from generator.report.formats import render, sarif
from generator.source.finding import Finding, Place
from tests.unit.report.formats.samples import CEILING, ENCODING, EXAMPLES, POWER, REPORT, REPORTS, UNKNOWN_KEY

TOKEN = re.compile(
    r"(?P<open>\{\{)|(?P<close>\}\})|\{(?P<placeholder>\d+)\}"
    r"|(?<!\\)\[(?P<link>(?:[^\\\[\]]|\\[\\\[\]])*)\]\((?P<to>[^()\s]+)\)"
    r"|(?P<bracket>\\+)\]\("
)


def _shown(text: str) -> tuple[str, list[int]]:
    """A plain text message as the standard has a viewer show it (3.11.5, 3.11.6), and what it links to."""
    links: list[int] = []

    def show(match: re.Match[str]) -> str:
        if match["placeholder"] is not None:
            pytest.fail(f"a placeholder without an argument: {match[0]}")
        if match["link"] is not None:
            links.append(int(match["to"]))
            return re.sub(r"\\(.)", r"\1", match["link"]).replace("{{", "{").replace("}}", "}")
        if match["bracket"] is not None:
            assert len(match["bracket"]) % 2
            return "\\" * (len(match["bracket"]) // 2) + "]("
        return "{" if match["open"] else "}"

    return TOKEN.sub(show, text), links


def _run(findings: tuple[Finding, ...] | list[Finding]) -> dict[str, Any]:
    log = json.loads(render(findings, "sarif"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def test_the_tool_and_its_rules() -> None:
    run = _run(REPORT)
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("sluice", __version__)
    assert driver["informationUri"].startswith("https://")
    assert [rule["id"] for rule in driver["rules"]] == ["OWN001", "PLAN210", "SPEC101", "SPEC301", "SRC101"]
    known = all_codes()["SPEC101"]
    assert driver["rules"][2] == {
        "id": "SPEC101",
        "shortDescription": {"text": known.title},
        "fullDescription": {"text": known.why},
        "defaultConfiguration": {"level": known.severity},
        "helpUri": f"{DOCUMENTATION}/codes/SPEC101.html",
        "help": {"text": page(known), "markdown": page(known)},
    }
    assert driver["rules"][3]["shortDescription"] == {"text": "SPEC301"}  # not a code of ours


def test_a_result() -> None:
    (result,) = _run([CEILING])["results"]
    assert re.fullmatch("[0-9a-f]{32}", result["partialFingerprints"].pop("sluiceFinding/v1"))
    place = result["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "specs/shop/recommender.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 14, "startColumn": 22, "endColumn": 25},
    }
    assert result["locations"][0]["logicalLocations"] == [
        {"fullyQualifiedName": "spec.rollout.steps[0].weight"}
    ]
    assert (result["ruleId"], result["ruleIndex"], result["level"]) == ("SPEC301", 0, "error")
    assert result["message"]["text"] == (
        f"{CEILING.message}. Hint: {CEILING.hint}\n"
        "See [the ceiling of the tier](1).\nSee [the tier of this model](2)."
    )
    assert [location["id"] for location in result["relatedLocations"]] == [1, 2]
    assert result["relatedLocations"][0]["message"] == {"text": "the ceiling of the tier"}
    assert result["relatedLocations"][0]["physicalLocation"]["region"]["startLine"] == 22


def test_columns_count_code_points_and_a_whole_file_is_its_first_line() -> None:
    run = _run([ENCODING, POWER])
    assert run["columnKind"] == "unicodeCodePoints"
    regions = [result["locations"][0]["physicalLocation"]["region"] for result in run["results"]]
    assert regions == [{"startLine": 1}, {"startLine": 17}]


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("specs/a b.yaml", "specs/a%20b.yaml"),
        ("specs/モデル.yaml", "specs/%E3%83%A2%E3%83%87%E3%83%AB.yaml"),
        ("a:b?c#d%.yaml", "a%3Ab%3Fc%23d%25.yaml"),
        ("./specs/a.yaml", "specs/a.yaml"),
    ],
)
def test_uris_are_relative_and_percent_encoded(file: str, uri: str) -> None:
    (result,) = _run([replace(UNKNOWN_KEY, place=Place(file, 1))])["results"]
    artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": uri, "uriBaseId": "%SRCROOT%"}


def test_an_absolute_path_is_a_file_uri() -> None:
    (result,) = _run([replace(UNKNOWN_KEY, place=Place("/srv/a b.yaml", 1))])["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "file:///srv/a%20b.yaml"}


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("{name: x} and [a, b]", "{name: x} and [a, b]"),
        ("{0}", "{{0}}"),
        ("{{x}", "{{{{x}}"),
        ("[a](1)", r"[a\](1)"),
        ("[a\\](1)", r"[a\\\](1)"),
    ],
)
def test_user_text_is_no_placeholder_and_no_link(message: str, text: str) -> None:
    (result,) = _run([Finding("A1", "info", message, "", Place("a.yaml"))])["results"]
    assert result["message"]["text"] == text
    assert _shown(text) == (message, [])


@EXAMPLES
@given(findings=REPORTS)
def test_results_say_what_was_found(findings: list[Finding]) -> None:
    run = _run(findings)
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    shown: Counter[tuple[str, str]] = Counter()
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        text, links = _shown(result["message"]["text"])
        assert links == [location["id"] for location in result["relatedLocations"]]
        shown[result["ruleId"], text.split("\nSee ")[0].split(" Hint: ")[0].rstrip(".")] += 1
        for location in result["relatedLocations"]:
            assert not _shown(location["message"]["text"])[1]
    found = Counter((f.code, f.message.split("\nSee ")[0].split(" Hint: ")[0].rstrip(".")) for f in findings)
    assert shown == found


@EXAMPLES
@given(findings=REPORTS)
def test_places_are_regions_of_encoded_files(findings: list[Finding]) -> None:
    run = _run(findings)
    files = []
    for result in run["results"]:
        for location in [*result["locations"], *result["relatedLocations"]]:
            artifact = location["physicalLocation"]["artifactLocation"]
            region = location["physicalLocation"]["region"]
            assert re.fullmatch(r"(?:file://)?(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})*", artifact["uri"])
            assert region["startLine"] >= 1
            assert "endColumn" not in region or region["endColumn"] > region["startColumn"] >= 1
        files.append(unquote(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]))
    expected = [re.sub(r"\A(?:\./+)+", "", finding.place.file) for finding in findings]
    assert sorted(files) == sorted(f"file://{file}" if file.startswith("/") else file for file in expected)


@EXAMPLES
@given(findings=REPORTS)
def test_fingerprints_are_unique(findings: list[Finding]) -> None:
    marks = [result["partialFingerprints"]["sluiceFinding/v1"] for result in _run(findings * 2)["results"]]
    assert len(set(marks)) == len(findings) * 2


def test_the_limits_of_github() -> None:
    assert sarif.MAX_RESULTS == 25_000
    assert sarif.MAX_RELATED <= 1_000
    related = tuple((f"place {n}", Place("a.yaml", n)) for n in range(1, 1_500))
    (result,) = _run([replace(CEILING, related=related)])["results"]
    assert len(result["relatedLocations"]) == sarif.MAX_RELATED
    assert len(_shown(result["message"]["text"])[1]) == sarif.MAX_RELATED


def test_what_github_would_refuse_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _run(REPORT)["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]
    monkeypatch.setattr(sarif, "MAX_RESULTS", 3)
    run = _run([*REPORT, UNKNOWN_KEY])
    assert [result["level"] for result in run["results"]] == ["error"] * 3
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["SPEC101", "SRC101"]
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("the 3 least severe of 6 findings are left out")
