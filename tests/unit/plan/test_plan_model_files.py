"""The files below `specs/`: models, and every file that looks like a spec but is not read, named once."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.plan.model_files import discover


def found(root: Path, *files: str) -> tuple[list[str], list[tuple[str, str]]]:
    for name in ("platform.yaml", *files):
        path = root / "specs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("metadata: {name: churn, team: risk}\n")
    entries, findings = discover(root)
    assert {finding.code for finding in findings} <= {"REF210"}
    return [entry.name for entry in entries], [
        (f.place.file.removeprefix("specs/"), f.hint) for f in findings
    ]


UNREAD = {
    "shop/churn.json": "`git mv specs/shop/churn.json specs/shop/churn.yaml`",
    "shop/Rank.YAML": "`git mv specs/shop/Rank.YAML specs/shop/rank.yaml`",
    "shop/churn.yml": "`git mv specs/shop/churn.yml specs/shop/churn.yaml`",
    "shop/Churn_Model.Yml": "`git mv specs/shop/Churn_Model.Yml specs/shop/churn-model.yaml`",
    "shop/churn.yaml.txt": "`git mv specs/shop/churn.yaml.txt specs/shop/churn.yaml`",
    "shop/churn.yaml.j2": "`git mv specs/shop/churn.yaml.j2 specs/shop/churn.yaml`",
    "shop/eu/churn.yaml": "`git mv specs/shop/eu/churn.yaml specs/shop/churn.yaml`",
    "shop/eu/Churn.YAML": "`git mv specs/shop/eu/Churn.YAML specs/shop/churn.yaml`",
    "churn.yaml": "`git mv specs/churn.yaml specs/risk/churn.yaml`",
    "churn.json": "`git mv specs/churn.json specs/risk/churn.yaml`",
    "platform.yml": "`git mv specs/platform.yml specs/platform.yaml`",
}


@pytest.mark.parametrize("name", UNREAD)
def test_a_spec_that_is_not_read_is_named_with_what_to_do(name, tmp_path):
    models, findings = found(tmp_path, name, "shop/ranker.yaml")
    assert models == ["shop/ranker"]
    ((file, hint),) = findings
    assert file == name
    assert UNREAD[name] in hint


def test_a_misnamed_copy_of_a_spec_is_removed(tmp_path):
    _, findings = found(tmp_path, "shop/churn.yml", "shop/churn.yaml")
    assert findings == [("shop/churn.yml", "remove it")]


@pytest.mark.parametrize(
    "name",
    ["shop/README.md", "shop/.churn.yaml.swp", "shop/churn.yaml~", "shop/churn.yaml.bak", "shop/#churn.yaml#",
     "shop/churn.yaml.orig", "README.md", "shop/reports/junit.xml", "shop/expectations/suite.json", "shop/notes.txt"],
)  # fmt: skip
def test_other_files_and_copies_of_editors_are_left_alone(name, tmp_path):
    assert found(tmp_path, name) == ([], [])


def test_a_lock_or_evidence_without_its_spec(tmp_path):
    _, findings = found(tmp_path, "shop/churn.lock.yaml", "shop/churn.evidence.json")
    assert findings == [
        ("shop/churn.evidence.json", "remove it, or restore the spec"),
        ("shop/churn.lock.yaml", "remove it, or restore the spec"),
    ]


def test_the_lock_of_a_spec_that_was_renamed(tmp_path):
    _, findings = found(
        tmp_path, "shop/churn.lock.yaml", "shop/churn-v2.yaml", "shop/ranker.yaml", "shop/ranker.lock.yaml"
    )
    ((_, hint),) = findings
    assert "`git mv specs/shop/churn.lock.yaml specs/shop/churn-v2.lock.yaml`" in hint


def test_several_specs_without_a_lock_do_not_claim_one(tmp_path):
    _, findings = found(tmp_path, "shop/churn.lock.yaml", "shop/a.yaml", "shop/b.yaml")
    assert findings == [("shop/churn.lock.yaml", "remove it, or restore the spec")]
