"""`sluice validate` and `sluice explain`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from generator.report.formats import FORMATS

SPEC = "specs/shop/recommender.yaml"


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def codes(done) -> list[str]:
    return [finding["code"] for finding in json.loads(done.stdout)["findings"]]


def test_the_examples_have_no_error(repository, sluice):
    done = sluice("validate", "--format", "json")
    assert done.exit_code == 0
    document = json.loads(done.stdout)
    assert (document["summary"]["error"], document["summary"]["checked"]) == (0, 3)


def test_the_examples_say_how_large_their_test_sets_are(repository, sluice):
    assert "GATE302" not in codes(sluice("validate", "--format", "json"))
    change(repository / SPEC, ", rows: 600", "")
    assert "GATE302" in codes(sluice("validate", "--format", "json"))


def test_a_structural_mistake_is_a_finding_with_its_place(repository, sluice):
    change(repository / SPEC, "minRps: 200", "min_rps: 200")
    done = sluice("validate", "shop/recommender")
    assert done.exit_code == 1
    assert "SPEC102" in done.stdout
    assert f"{SPEC}:9:13" in done.stdout
    assert "did you mean `minRps`?" in done.stdout


def test_a_policy_rule_is_a_finding(repository, sluice):
    change(repository / SPEC, "weight: 5%", "weight: 10%")
    done = sluice("validate", "--format", "json")
    assert done.exit_code == 1
    (finding, *_) = [f for f in json.loads(done.stdout)["findings"] if f["severity"] == "error"]
    assert finding["place"]["file"] == SPEC
    assert "specs/platform.yaml" in {related["place"]["file"] for related in finding["related"]}


def test_only_what_was_named_is_reported(repository, sluice):
    change(repository / SPEC, "framework: sklearn", "framework: sclearn")
    (repository / "specs" / "risk" / "stray.yml").write_text("{}\n")
    assert sluice("validate", "risk/fraud").exit_code == 0
    assert {"SPEC106", "REF210"} <= set(codes(sluice("validate", "--format", "json")))
    assert not {"SPEC106", "REF210"} & set(codes(sluice("validate", "risk/fraud", "--format", "json")))


def test_a_broken_platform_is_a_finding_whatever_was_named(repository, sluice):
    change(repository / "specs" / "platform.yaml", "registry:", "regstry:")
    for arguments in ([], ["risk/fraud"]):
        done = sluice("validate", "--format", "json", *arguments)
        assert done.exit_code == 1
        assert "SPEC102" in codes(done)


def test_each_finding_is_told_once(repository, sluice):
    change(repository / SPEC, "weight: 5%", "weight: 5")
    found = json.loads(sluice("validate", "--format", "json").stdout)["findings"]
    keys = [(f["code"], json.dumps(f["place"]), f["message"]) for f in found]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("fmt", FORMATS)
def test_the_report_in_every_format_to_a_file_or_to_the_terminal(repository, sluice, fmt):
    change(repository / SPEC, "framework: sklearn", "framework: sclearn")
    shown = sluice("validate", "--format", fmt)
    written = sluice("validate", "--format", fmt, "--output", "reports/out")
    assert (shown.exit_code, written.exit_code, written.stdout) == (1, 1, "")
    assert (repository / "reports" / "out").read_text() == shown.stdout
    assert re.fullmatch(r"[0-9]+ findings? in specs/, written to reports/out\n", written.stderr)


def test_an_output_that_cannot_be_written_is_refused(repository, sluice):
    (repository / "file").write_text("")
    done = sluice("validate", "--output", "file/report")
    assert done.exit_code == 2
    assert done.stderr.startswith("Error: ")


def test_strict_counts_warnings(repository, sluice, monkeypatch):
    from generator.source.finding import Finding, Place

    warning = Finding("TST100", "warning", "said", "do", Place(SPEC, 1, 1))
    monkeypatch.setattr("generator.pipeline.evaluate.run_fleet_rules", lambda *_: [warning])
    assert sluice("validate").exit_code == 0
    assert sluice("validate", "--strict").exit_code == 1


def test_rules_that_span_models_see_the_whole_team(repository, sluice, monkeypatch):
    seen = []
    spec = (repository / SPEC).read_text().replace("name: recommender", "name: other")
    (repository / "specs" / "shop" / "other.yaml").write_text(spec)
    lock = (repository / "specs" / "shop" / "recommender.lock.yaml").read_text()
    (repository / "specs" / "shop" / "other.lock.yaml").write_text(lock)
    monkeypatch.setattr(
        "generator.pipeline.evaluate.run_fleet_rules",
        lambda found, *_: seen.extend(f"{f.team}/{f.model}" for f in found) or [],
    )
    sluice("validate", "shop/recommender")
    assert list(dict.fromkeys(seen)) == ["shop/other", "shop/recommender"]


def test_explain_lists_families_then_codes_then_a_page(sluice):
    from generator.report.codes import FAMILIES, all_codes

    families = sluice("explain").stdout.split("\n\n")[0].splitlines()
    assert [line.split()[0] for line in families] == list(FAMILIES)
    listed = [
        line.split()[0] for family in FAMILIES for line in sluice("explain", family).stdout.splitlines()
    ]
    assert sorted(listed) == list(all_codes())
    one = sluice("explain", "ref202")
    assert one.exit_code == 0
    assert one.stdout.startswith("# REF202: ")
    for part in ("## Why it matters", "## What to do"):
        assert part in one.stdout


def test_an_unknown_code_names_the_nearest(sluice):
    done = sluice("explain", "REF2O2")
    assert done.exit_code == 2
    assert "REF202" in done.stderr
