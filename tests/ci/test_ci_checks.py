"""What both hosts do with a pull request, script by script in a real repository; see `runner.py` for its stand-ins."""

from __future__ import annotations

import http.server
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.ci.demo import Demo
from tests.ci.jobs import CHECK, good, runner
from tests.ci.runner import Ran, Runner
from tests.tools.http_server import listening


def checked(demo: Demo, scratch: Path) -> tuple[Runner, list[Ran]]:
    base = demo.git("rev-parse", "main")
    found = runner(
        demo,
        scratch,
        {"github.event.pull_request.base.sha": base},
    )
    return found, found.job(CHECK, "check")


def test_a_pull_request_is_checked_and_its_plan_told(demo: Demo, scratch: Path) -> None:
    found, ran = checked(demo, scratch)
    good(ran)
    names = [
        "Install",
        "Rules",
        "Evidence",
        "Rendered files",
        "Promotions",
        "Workflows and owners",
        "Images",
        "Plan",
    ]
    assert [step.name for step in ran] == names
    assert "shop/recommender" in found.summary
    assert "1h30m" in found.summary
    assert "support/ticket-classifier" not in found.summary
    assert found.output("plan") == found.summary
    assert found.calls == []  # a token that can only read is enough for all of it


def test_each_check_fails_by_itself_and_hides_no_other(demo: Demo, scratch: Path) -> None:
    spec = demo.root / "specs/shop/recommender.yaml"
    spec.write_text(spec.read_text().replace("weight: 5%", "weight: 50%"))
    (demo.root / "rendered/production/support/ticket-classifier/service-active.yaml").write_text(
        "edited: true\n"
    )
    _, ran = checked(demo, scratch)
    codes = {step.name: step.code for step in ran}
    assert codes["Rules"] == 1
    assert codes["Rendered files"] == 1
    assert codes["Evidence"] == 0
    rules = next(step.output for step in ran if step.name == "Rules")
    assert "::error file=specs/shop/recommender.yaml,line=" in rules


@pytest.mark.parametrize("file", ["CODEOWNERS", "ci/build-image.sh", ".github/workflows/sluice-images.yml"])
def test_an_edited_workflow_and_edited_owners_fail_the_check(demo: Demo, scratch: Path, file: str) -> None:
    path = demo.root / file
    first, _, rest = (
        path.read_text().partition("\n* @") if file == "CODEOWNERS" else ("", "", path.read_text())
    )
    path.write_text(f"{first}\n* @shop-ml {rest}" if first else f"{rest}true\n")
    _, ran = checked(demo, scratch)
    codes = {step.name: step.code for step in ran}
    assert codes["Workflows and owners"] == 1
    assert codes["Rendered files"] == 1  # which compares them, too
    assert codes["Rules"] == 0


@pytest.mark.parametrize(
    ("there", "method"),
    [("", "POST repos/acme/models/issues/7/comments"), ("99", "PATCH repos/acme/models/issues/comments/99")],
)
def test_the_comment_is_one_and_kept_up_to_date(demo: Demo, scratch: Path, there: str, method: str) -> None:
    plan = '<!-- sluice plan -->\n# Plan\n`$(false)` "quotes"\n'
    given = {"github.token": "x", "github.event.pull_request.number": "7", "needs.check.outputs.plan": plan}
    found = runner(demo, scratch, given, STANDIN_COMMENT=there)
    good(found.job(CHECK, "comment"))
    assert found.calls[-1] == f"gh api --silent --method {method} --field body=@comment.md"
    assert (scratch / "posted.md").read_text() == f"{plan}\n"


def merge_request(demo: Demo, scratch: Path) -> Runner:
    return runner(
        demo, scratch, CI_MERGE_REQUEST_IID="7", CI_DEFAULT_BRANCH="main", CI_REPOSITORY_URL=str(demo.remote)
    )


def on_main(demo: Demo, file: str, old: str, new: str) -> None:
    """Change a file on the remote's main while the branch of the demo is open."""
    demo.git("checkout", "--quiet", "main")
    path = demo.root / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    demo.commit("Meanwhile")
    demo.git("push", "--quiet", "origin", "main")
    demo.git("checkout", "--quiet", "-")


def test_gitlab_checks_and_plans(demo: Demo, scratch: Path) -> None:
    found = merge_request(demo, scratch)
    good(found.gitlab("check") + found.gitlab("plan"))
    assert json.loads((demo.root / "gl-code-quality-report.json").read_text()) == []
    assert "shop/recommender" in (demo.root / "plan.md").read_text()


def test_gitlab_judges_what_a_merge_would_give(demo: Demo, scratch: Path) -> None:
    """The branch itself has the tiers of the day it began; the merge has those of today."""
    spec = demo.root / "specs/shop/recommender.yaml"
    spec.write_text(spec.read_text().replace("weight: 5%", "weight: 6%"))
    demo.commit("A little more")
    on_main(demo, "specs/platform.yaml", "firstWeight: 25%", "firstWeight: 5%")
    (ran,) = merge_request(demo, scratch).gitlab("check")
    assert ran.code == 1
    found = json.loads((demo.root / "gl-code-quality-report.json").read_text())
    assert "TIER301" in {finding["check_name"] for finding in found}


def test_gitlab_merges_what_does_not_concern_the_change(demo: Demo, scratch: Path) -> None:
    on_main(demo, "README.md", "# Models", "# Our models")
    good(merge_request(demo, scratch).gitlab("check"))
    assert "# Our models" in (demo.root / "README.md").read_text()


def test_only_changes_of_the_protected_branch_are_judged(demo: Demo) -> None:
    """A host counts a check for the commit. Judged for another branch, its errors could be those that this one has too."""
    workflow = yaml.safe_load((demo.root / CHECK).read_text())
    events = workflow[True]  # YAML 1.1 reads `on` as a boolean
    assert set(events) == {"pull_request", "merge_group", "push"}
    assert {name: event["branches"] for name, event in events.items()} == {name: ["main"] for name in events}
    assert not [event for event in events.values() if {"paths", "paths-ignore"} & set(event)]
    # A pull request that is moved to this branch is checked again.
    assert set(events["pull_request"]["types"]) == {"opened", "synchronize", "reopened", "edited"}
    # A job that is left out counts as passed.
    assert "if" not in workflow["jobs"]["check"]
    pipeline = yaml.safe_load((demo.root / ".gitlab-ci.yml").read_text())
    rules = [rule for name in ("check", "plan") for rule in pipeline[name]["rules"]]
    requests = [rule["if"] for rule in rules if "merge_request_event" in rule["if"]]
    target = " && $CI_MERGE_REQUEST_TARGET_BRANCH_NAME == $CI_DEFAULT_BRANCH"
    assert [rule.endswith(target) for rule in requests] == [True, True]
    assert not [rule for rule in rules if "changes" in rule or "allow_failure" in rule]


class GitLab(http.server.BaseHTTPRequestHandler):
    """A stand-in for GitLab: one open merge request with a plan, its notes on two pages, and what was posted."""

    notes: list[dict[str, object]]
    plan: str
    described = "\x01" * 1_048_576
    seen: list[tuple[str, str, str]]

    def do_GET(self) -> None:
        path = self.path.removeprefix("/projects/3")
        answers: dict[str, object] = {
            "/user": {"id": 5},
            # A description may have a million characters, each of which takes six in JSON.
            "/merge_requests": [{"iid": 9, "description": self.described}, {"iid": 7}, {"iid": 8}],
            "/merge_requests/7/pipelines": [{"id": 70, "project_id": 3}],
            "/merge_requests/8/pipelines": [],
            "/merge_requests/9/pipelines": [{"id": 90, "project_id": 4}],
            "/pipelines/70/jobs": [{"id": 700, "name": "check"}, {"id": 701, "name": "plan"}],
            "/merge_requests/7/notes": [{"id": 1, "body": "hello", "author": {"id": 6}}],
        }
        if path == "/jobs/701/artifacts/plan.md":
            self.send_response(302)
            self.send_header("Location", "/storage/plan.md")
            self.end_headers()
        elif path == "/storage/plan.md":
            # The token is GitLab's, and storage may be on another host.
            self._answer(self.plan.encode(), "", None)
        elif path.startswith("/merge_requests/7/notes") and path.endswith("page=2"):
            self._answer(json.dumps(self.notes).encode(), "")
        else:
            found = path.partition("?")[0]
            following = "2" if found.endswith("/notes") else ""
            self._answer(json.dumps(answers[found]).encode(), following)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
        self.seen.append((self.command, self.path, body))
        self._answer(b"{}", "")

    def do_PUT(self) -> None:
        self.do_POST()

    def _answer(self, body: bytes, following: str, token: str | None = "t") -> None:
        assert self.headers["PRIVATE-TOKEN"] == token
        self.send_response(200)
        self.send_header("X-Next-Page", following)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def gitlab_standin(
    notes: list[dict[str, object]], plan: str
) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    seen: list[tuple[str, str, str]] = []
    handler = type("Handler", (GitLab,), {"notes": notes, "plan": plan, "seen": seen})
    with listening(handler) as address:
        yield address, seen


def noted(demo: Demo, scratch: Path, notes: list[dict[str, object]], plan: str) -> list[tuple[str, str, str]]:
    """What the scheduled job writes."""
    with gitlab_standin(notes, plan) as (address, seen):
        found = runner(demo, scratch, CI_API_V4_URL=address, CI_PROJECT_ID="3", SLUICE_COMMENT_TOKEN="t")
        good(found.gitlab("comment"))
    return seen


MINE = {"id": 5}
PLAN = "<!-- sluice plan -->\n# Plan\n"


@pytest.mark.parametrize(
    ("notes", "asked"),
    [
        ([], ("POST", "/projects/3/merge_requests/7/notes")),
        (
            [{"id": 9, "body": "<!-- sluice plan -->\nold", "author": MINE}],
            ("PUT", "/projects/3/merge_requests/7/notes/9"),
        ),
        (
            [{"id": 9, "body": "<!-- sluice plan -->\nforged", "author": {"id": 6}}],
            ("POST", "/projects/3/merge_requests/7/notes"),
        ),
    ],
    ids=["the first", "a later one", "someone else's"],
)
def test_gitlab_keeps_one_note(demo: Demo, scratch: Path, notes, asked) -> None:
    ((method, path, body),) = noted(demo, scratch, notes, PLAN)
    assert (method, path) == asked
    assert body.startswith("<!-- sluice plan -->\n")
    assert "# Plan" in body


def test_gitlab_writes_no_note_that_is_there(demo: Demo, scratch: Path) -> None:
    ((_, _, body),) = noted(demo, scratch, [], PLAN)
    assert noted(demo, scratch, [{"id": 9, "body": body, "author": MINE}], PLAN) == []


@pytest.mark.parametrize("line", ["/merge", "  /approve", "\t/close", "\u2028/merge", "\x0b/merge"])
def test_a_plan_gives_no_order_to_gitlab(demo: Demo, scratch: Path, line: str) -> None:
    """The job of a merge request decides what its plan is: a quick action in it would run as the token's account."""
    ((_, _, body),) = noted(demo, scratch, [], f"{PLAN}{line}\nfor @everyone\n{'x' * 300_000}")
    assert not [part for part in body.splitlines() if part.lstrip().startswith("/")]
    assert "@everyone" not in body
    assert len(body) < 250_000
