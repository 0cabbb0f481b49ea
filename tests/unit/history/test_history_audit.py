"""What was merged, told from real git histories: merges, renames, shallow clones, odd clocks and time zones."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from html.parser import HTMLParser

import jsonschema
import pytest

from generator.report.audit import COLUMNS
from generator.report.schemas import schema_text
from tests.unit.history.story import NAME, Story, digest


def releases(story: Story, *arguments: str) -> list[dict[str, object]]:
    document = json.loads(story.told("audit", *arguments, "--format", "json"))
    jsonschema.validate(document, json.loads(schema_text("audit")))
    return document["releases"]


def versions(story: Story, *arguments: str) -> list[object]:
    return [release["version"] for release in releases(story, *arguments)]


def test_all_versions_of_a_model_in_order(two: Story) -> None:
    first, second = releases(two, NAME)
    assert (first["version"], first["since"], first["until"]) == (
        "1",
        "2026-11-01T10:00:00Z",
        "2026-11-03T10:00:00Z",
    )
    assert (second["version"], second["until"], second["digest"]) == ("2", None, digest(2))
    assert second["environments"] == ["staging", "production"]
    assert second["change"]["subject"] == "Release 2"


@pytest.mark.parametrize(
    ("at", "live"),
    [
        ("2026-11-02", ["1"]),
        ("2026-11-03", ["1", "2"]),
        ("2026-11-04", ["2"]),
        ("2026-11-03T09:59:59Z", ["1"]),
        ("2026-11-03T10:00:00Z", ["2"]),
        ("2026-11-03T10:30:00+01:00", ["1"]),
        ("2026-11-03T10:30:00", ["2"]),
    ],
)
def test_a_day_holds_all_that_was_live_in_it_and_a_moment_one(two: Story, at: str, live: list[str]) -> None:
    assert versions(two, NAME, "--at", at) == live
    assert versions(two, "--at", at) == live


def test_before_the_first_version_there_was_none(two: Story) -> None:
    done = two.run("audit", NAME, "--at", "2026-10-31")
    assert (done.exit_code, "was not in git on 2026-10-31" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "at", ["yesterday", "2026-13-01", "2026-11-31", "", "0000-01-01", "9999-12-31T24:00:00"]
)
def test_what_is_no_date(two: Story, at: str) -> None:
    done = two.run("audit", NAME, "--at", at)
    assert (done.exit_code, "is not a date" in done.stderr) == (2, True)


def test_a_merge_counts_when_it_was_merged_and_names_what_it_brought(two: Story) -> None:
    two.git("checkout", "--quiet", "-b", "work")
    two.release(3, "2026-11-04T10:00:00+00:00", "Train on November")
    two.commit("Unrelated", "2026-11-04T11:00:00+00:00")
    two.git("checkout", "--quiet", "main")
    message = "Merge pull request #7\n\nReviewed-by: Grace <grace@example.com>\nApproved-by: model-risk\n"
    two.git("merge", "--quiet", "--no-ff", "work", "-m", message, at="2026-11-06T09:00:00+00:00")
    assert versions(two, NAME, "--at", "2026-11-05") == ["2"]
    (found,) = releases(two, NAME, "--at", "2026-11-07")
    assert found["since"] == "2026-11-06T09:00:00Z"
    assert [commit["subject"] for commit in found["merged"]] == ["Train on November"]
    assert found["approvals"] == ["Reviewed-by: Grace <grace@example.com>", "Approved-by: model-risk"]


def test_a_model_is_followed_through_its_new_name(two: Story) -> None:
    for suffix in (".yaml", ".lock.yaml"):
        two.git("mv", f"specs/shop/ranker{suffix}", f"specs/shop/sorter{suffix}")
    spec = two.root / "specs/shop/sorter.yaml"
    spec.write_text(spec.read_text().replace("name: ranker", "name: sorter"))
    two.commit("Call it what it does", "2026-11-05T10:00:00+00:00")
    assert [(r["model"], r["version"]) for r in releases(two, "shop/sorter")] == [
        (NAME, "1"),
        ("shop/sorter", "2"),
    ]
    (old,) = releases(two, NAME, "--at", "2026-11-04")
    assert (old["model"], old["version"], old["until"]) == (NAME, "2", "2026-11-05T10:00:00Z")
    assert [r["model"] for r in releases(two, "--at", "2026-11-05")] == [NAME, "shop/sorter"]
    assert [r["model"] for r in releases(two, "--at", "2026-11-06")] == ["shop/sorter"]


def test_a_model_that_went_away_is_still_known(two: Story) -> None:
    for file in two.root.glob("specs/shop/*"):
        file.unlink()
    two.commit("Away", "2026-11-08T10:00:00+00:00")
    assert versions(two, NAME, "--at", "2026-11-07") == ["2"]
    assert two.run("audit", NAME, "--at", "2026-11-09").exit_code == 2
    assert releases(two, NAME)[-1]["until"] == "2026-11-08T10:00:00Z"


def test_a_clock_that_ran_backwards_reorders_nothing(two: Story) -> None:
    two.release(3, "2026-11-02T00:00:00+00:00")
    third = releases(two, NAME)[-1]
    assert (third["version"], third["since"]) == ("3", "2026-11-03T10:00:00Z")
    assert versions(two, NAME, "--at", "2026-11-02") == ["1"]


@pytest.mark.parametrize("at", ["@4070908800 +0000", "@99999999999999 +0000"])
def test_a_commit_from_the_future_stops_no_audit_and_moves_no_later_one(two: Story, at: str) -> None:
    two.release(3, at)
    two.release(4, "2026-11-06T10:00:00+00:00")
    assert [(each["version"], each["since"][:10]) for each in releases(two, NAME)][-2:] == [
        ("3", "2026-11-03"),
        ("4", "2026-11-06"),
    ]
    two.told("revert", NAME, "--reason", "it is bad")


def test_a_change_that_leaves_the_version_alone_is_no_release(two: Story) -> None:
    spec = two.root / "specs/shop/ranker.yaml"
    spec.write_text(spec.read_text() + "  replicas: 4\n")
    two.commit("More pods", "2026-11-05T10:00:00+00:00")
    found = releases(two, NAME)[-1]
    assert (found["version"], [item["subject"] for item in found["later"]]) == ("2", ["More pods"])
    assert releases(two, NAME, "--at", "2026-11-04")[0]["later"] == []


def test_evidence_and_waivers_are_those_of_the_day(two: Story) -> None:
    document = {
        "subject": [{"digest": {"sha256": digest(2).removeprefix("sha256:")}}],
        "predicate": {"gates": [{"name": "accuracy", "verdict": "pass", "reason": "0.93, at least 0.92"}]},
    }
    (two.root / "specs/shop/ranker.evidence.json").write_text(json.dumps(document))
    platform = two.root / "specs/platform.yaml"
    waiver = '  waivers: [{model: shop/ranker, gate: fair, reason: "known", approvedBy: risk, until: 2026-11-06}]\n'
    platform.write_text(platform.read_text() + waiver)
    two.commit("Evidence, and a waiver", "2026-11-05T10:00:00+00:00")
    before, after, expired = (releases(two, NAME, "--at", f"2026-11-0{day}")[0] for day in (4, 6, 7))
    assert (before["evidence"], before["evidenceFits"], before["waivers"]) == ([], None, [])
    assert after["evidence"] == [{"gate": "accuracy", "verdict": "pass", "reason": "0.93, at least 0.92"}]
    assert (after["evidenceFits"], after["waivers"][0]["approvedBy"]) == (True, "risk")
    assert (expired["evidenceFits"], expired["waivers"]) == (True, [])


def test_evidence_about_another_digest_is_told(two: Story) -> None:
    document = {"subject": [{"digest": {"sha256": "0" * 64}}], "predicate": {"gates": []}}
    (two.root / "specs/shop/ranker.evidence.json").write_text(json.dumps(document))
    two.commit("Old evidence", "2026-11-05T10:00:00+00:00")
    assert releases(two, NAME)[-1]["evidenceFits"] is False
    assert "IT IS ABOUT ANOTHER DIGEST" in two.told("audit", NAME, "--at", "2026-11-06")


def test_a_lock_that_nothing_was_rendered_from_is_told(two: Story) -> None:
    two.release(3, "2026-11-05T10:00:00+00:00")
    assert releases(two, NAME)[-1]["environments"] == []


def test_a_shallow_clone_says_so_and_refuses_what_it_cannot_know(
    two: Story, clone: Callable[..., Story]
) -> None:
    shallow = clone(two, "--depth=1")
    done = shallow.run("audit", NAME)
    assert (done.exit_code, "shallow" in done.stderr) == (0, True)
    refused = shallow.run("audit", NAME, "--at", "2026-11-02")
    assert (refused.exit_code, "begins after 2026-11-02" in refused.stderr) == (2, True)
    assert shallow.run("audit", NAME, "--at", "2026-11-04").exit_code == 0
    assert "shallow" not in clone(two).run("audit", NAME).stderr


def test_the_branch_that_argo_cd_syncs_is_told_not_the_one_at_hand(two: Story) -> None:
    two.git("checkout", "--quiet", "-b", "work")
    two.release(3, "2026-11-04T10:00:00+00:00")
    assert versions(two, NAME) == ["1", "2"]
    assert versions(two, NAME, "--branch", "work") == ["1", "2", "3"]
    assert two.run("audit", NAME, "--branch", "nowhere").exit_code == 2
    assert two.run("audit", NAME, "--branch", "--output=x").exit_code == 2


def test_a_clone_without_the_branch_asks_the_remote_one(two: Story, clone: Callable[..., Story]) -> None:
    detached = clone(two)
    detached.git("checkout", "--quiet", "--detach")
    detached.git("branch", "--quiet", "--delete", "--force", "main")
    assert versions(detached, NAME) == ["1", "2"]


def test_a_repository_below_the_top_of_its_clone(two: Story) -> None:
    below = Story(two.root / "models")
    below.root.mkdir()
    two.git("mv", "specs", "rendered", "models/")
    two.commit("Below", "2026-11-05T10:00:00+00:00")
    found = releases(below, NAME)
    assert [(item["version"], item["environments"]) for item in found] == [("2", ["staging", "production"])]


def test_csv_is_a_row_a_release_and_no_cell_is_a_formula(two: Story) -> None:
    two.release(3, "2026-11-05T10:00:00+00:00", '=HYPERLINK("x")')
    rows = list(csv.reader(io.StringIO(two.told("audit", NAME, "--format", "csv"))))
    assert rows[0] == list(COLUMNS)
    assert [row[1] for row in rows[1:]] == ["1", "2", "3"]
    assert rows[3][COLUMNS.index("why")] == '\'=HYPERLINK("x")'


def test_html_shows_text_as_text(two: Story) -> None:
    class Page(HTMLParser):
        tags: list[str] = []  # noqa: RUF012
        said = ""

        def handle_starttag(self, tag: str, attrs: object) -> None:
            self.tags.append(tag)

        def handle_data(self, data: str) -> None:
            self.said += data

    two.release(3, "2026-11-05T10:00:00+00:00", "<script>alert(1)</script>")
    page = Page()
    page.feed(two.told("audit", "--at", "2026-11-06", "--format", "html"))
    assert "script" not in page.tags
    assert "<script>alert(1)</script>" in page.said
    assert "Versions in git on 2026-11-06" in page.said


def test_files_that_nobody_can_read_are_no_crash(two: Story) -> None:
    (two.root / "specs/shop/ranker.lock.yaml").write_text("model: [")
    (two.root / "specs/shop/ranker.evidence.json").write_text("[[[")
    two.commit("Broken", "2026-11-05T10:00:00+00:00")
    assert releases(two, NAME)[-1]["until"] == "2026-11-05T10:00:00Z"


def test_odd_names_and_messages(two: Story) -> None:
    (two.root / 'specs/shop/sp ace\n"ü.yaml').write_text("x: 1\n")
    two.commit("A message\n\nwith \x01 and \x02, an \u202e override and ∞", "2026-11-05T10:00:00+00:00")
    two.release(3, "2026-11-06T10:00:00+00:00")
    assert versions(two, NAME) == ["1", "2", "3"]


def test_no_repository_at_all(story: Story, tmp_path) -> None:
    import shutil

    shutil.rmtree(story.root / ".git")
    done = story.run("audit")
    assert (done.exit_code, "is not in a git repository" in done.stderr) == (2, True)


def test_an_unknown_model_gets_the_nearest_name(two: Story) -> None:
    done = two.run("audit", "shop/rancker")
    assert (done.exit_code, "did you mean `shop/ranker`" in done.stderr) == (2, True)
