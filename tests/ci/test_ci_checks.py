"""What both hosts do with a pull request, script by script in a real repository; see `runner.py` for its stand-ins."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ci.demo import Demo
from tests.ci.jobs import CHECK, good, runner
from tests.ci.runner import Ran, Runner


def checked(demo: Demo, scratch: Path) -> tuple[Runner, list[Ran]]:
    base = demo.git("rev-parse", "main")
    found = runner(demo, scratch, {"github.event.pull_request.base.sha": base})
    return found, found.job(CHECK, "check")


def test_a_pull_request_is_checked_and_its_plan_told(demo: Demo, scratch: Path) -> None:
    found, ran = checked(demo, scratch)
    good(ran)
    assert [step.name for step in ran] == ["Install", "Rules", "Evidence", "Rendered files", "Plan"]
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


def test_gitlab_checks_and_plans(demo: Demo, scratch: Path) -> None:
    found = runner(demo, scratch, CI_MERGE_REQUEST_DIFF_BASE_SHA=demo.git("rev-parse", "main"))
    good(found.gitlab("check") + found.gitlab("plan"))
    assert json.loads((demo.root / "gl-code-quality-report.json").read_text()) == []
    assert "shop/recommender" in (demo.root / "plan.md").read_text()


class GitLab(http.server.BaseHTTPRequestHandler):
    """A stand-in for GitLab's notes: two pages, and what was posted."""

    notes: list[dict[str, object]]
    seen: list[tuple[str, str, str]]

    def do_GET(self) -> None:
        page = 2 if self.path.endswith("page=2") else 1
        self._answer(self.notes if page == 2 else [{"id": 1, "body": "hello"}], "" if page == 2 else "2")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
        self.seen.append((self.command, self.path, body))
        self._answer({}, "")

    def do_PUT(self) -> None:
        self.do_POST()

    def _answer(self, value: object, following: str) -> None:
        assert self.headers["PRIVATE-TOKEN"] == "t"
        self.send_response(200)
        self.send_header("X-Next-Page", following)
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def gitlab_standin(notes: list[dict[str, object]]) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    seen: list[tuple[str, str, str]] = []
    handler = type("Handler", (GitLab,), {"notes": notes, "seen": seen})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("notes", "asked"),
    [
        ([], ("POST", "/projects/3/merge_requests/7/notes")),
        ([{"id": 9, "body": "<!-- sluice plan -->\nold"}], ("PUT", "/projects/3/merge_requests/7/notes/9")),
    ],
)
def test_gitlab_keeps_one_note(demo: Demo, scratch: Path, notes, asked) -> None:
    (demo.root / "plan.md").write_text("<!-- sluice plan -->\n# Plan\n")
    with gitlab_standin(notes) as (address, seen):
        found = runner(
            demo,
            scratch,
            CI_API_V4_URL=address,
            CI_PROJECT_ID="3",
            CI_MERGE_REQUEST_IID="7",
            SLUICE_TOKEN="t",
        )
        good(found.gitlab("comment"))
    assert seen == [(*asked, "<!-- sluice plan -->\n# Plan\n")]
