"""`sluice postmortem`: what git and a recording know of an incident, what would have caught it, and what is missing."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from click.testing import CliRunner, Result

from generator.cli.main import cli
from generator.gates.records import record_bytes
from generator.pipeline.session import open_session
from generator.plan.release_key import release_key
from tests.gates.record_samples import sample
from tests.tools.http_server import listening

CHECKOUT = Path(__file__).resolve().parents[3]
START = 1_748_772_000  # 2025-06-01T10:00:00Z
TIMES = {"start": "2025-06-01T10:00:00Z", "end": "2025-06-01T12:00:00Z"}
ABORT: dict[str, Any] = {
    "aborted": True, "current": False, "phase": "Degraded", "runs.1.verdict": "Failed", "runs.1.metrics.0.verdict": "Failed",
    "runs.1.metrics.0.failed": 1,
}  # fmt: skip


class Repository:
    """The examples in git; days of June 2025, so that no clock matters."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(CHECKOUT / "specs", root / "specs")
        self.git("init", "-q", "-b", "main")
        self.commit(1, "Release version 12")

    def git(self, *words: str, day: int = 1) -> None:
        date = f"2025-06-{day:02d}T09:00:00Z"
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        env = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date, "PATH": "/usr/local/bin:/usr/bin:/bin"}
        subprocess.run(["git", *who, *words], cwd=self.root, check=True, env=env)

    def commit(self, day: int, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message, day=day)

    def key(self, model: str, environment: str = "production") -> str:
        session = open_session(self.root)
        entry = next(one for one in session.entries if one.name == model)
        plans = [one.plan for one in session.resolve(entry).plans]
        return release_key(next(plan for plan in plans if plan.identity.environment == environment))

    def record(
        self,
        day: int,
        edits: dict[str, Any],
        model: str = "shop/recommender",
        environment: str = "production",
    ) -> str:
        lock = (self.root / f"specs/{model}.lock.yaml").read_text()
        digest, version = (
            re.search(r"digest: \"?(sha256:\w+)", lock),
            re.search(r"version: \"?([\w.-]+)", lock),
        )
        assert digest
        assert version
        key = self.key(model, environment)
        named = {
            "subject.model": model, "subject.environment": environment, "subject.releaseKey": key,
            "subject.modelDigest": digest[1], "subject.version": version[1], **TIMES,
            "runs.0.start": TIMES["start"], "runs.1.start": "2025-06-01T11:00:00Z",
        }  # fmt: skip
        path = self.root / f"specs/{model}.{environment}.record.json"
        path.write_bytes(record_bytes(sample({**named, **edits})))
        self.commit(day, "Record")
        return key

    def take_back(
        self, day: int, key: str, model: str = "shop/recommender", reason: str = "clicks fell"
    ) -> None:
        entry = f'{{key: "{key}", version: "12", environment: production, reason: "{reason}", since: 2025-06-{day:02d}}}'
        path = self.root / f"specs/{model}.quarantine.yaml"
        path.write_text(f"schema: sluice/quarantine/v1\nreleases:\n  - {entry}\n")
        self.commit(day, "Take it back")

    def recording(self, ctr: float) -> Path:
        """Counters of the plan's steps: 200 requests a second, each event at its baseline but the clicks of the new version."""
        rows, requests, events = ["time,guard,arm,requests,events,pods"], {"canary": 0.0, "stable": 0.0}, {}
        for at in range(-1800, 6001, 15):
            share = 0.0 if at < 0 else (0.05 if at < 3600 else 0.25 if at < 4800 else 0.5)
            for arm, part in (("canary", share), ("stable", 1 - share)):
                requests[arm] += 3000 * part
                for guard, rate, ratio in (
                    ("ctr", 0.04, ctr),
                    ("error-rate", 0.005, 1.0),
                    ("slow-rate", 0.02, 1.0),
                ):
                    new = 3000 * part * rate * (ratio if arm == "canary" else 1.0)
                    events[guard, arm] = events.get((guard, arm), 0.0) + new
                    if at >= 0 or arm == "stable":
                        rows.append(
                            f"{START + at},{guard},{arm},{requests[arm]:.0f},{events[guard, arm]:.0f},2"
                        )
        path = self.root.parent / "recording.csv"
        path.write_text("\n".join(rows) + "\n")
        return path

    def run(self, *words: str, model: str = "shop/recommender") -> Result:
        return CliRunner().invoke(cli, ["postmortem", model, *words, "--root", str(self.root)])

    def page(self, *words: str, model: str = "shop/recommender") -> str:
        done = self.run(*words, model=model)
        assert done.exit_code == 0, done.output
        return html.unescape(done.stdout.replace("\\", ""))


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(START + 10 * 86_400))
    return Repository(tmp_path / "repository")


def section(page: str, title: str) -> str:
    return page.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_a_harm_that_got_through_has_its_change_of_spec_with_odds_and_replay(repository: Repository) -> None:
    key = repository.record(2, {})
    repository.take_back(4, key)
    page = repository.page("--data", str(repository.recording(0.93)), "--start", str(START))
    assert page.startswith("# Postmortem: shop/recommender 12 in production\n")
    timeline = section(page, "Timeline")
    assert re.findall(r"^\| (2025.{12})", timeline, re.MULTILINE) == [
        "2025-06-01 09:00", "2025-06-01 10:00", "2025-06-01 12:00", "2025-06-04 09:00",
    ]  # fmt: skip
    assert "version 12 was merged: Release version 12 | Ada" in timeline
    assert "taken back: clicks fell | Ada" in timeline
    guards = section(page, "What each guard saw")
    assert "stops 99.9% of versions with drop of 10%" in guards
    assert "86.9% of those with this harm (-7.0%) | aborted after 1h 12m |" in guards
    assert "| does not fire |" in guards
    assert "- ctr: -7.0% (-9.2%, -4.8%) against 4% of the stable version" in guards
    exposed = section(page, "Who was exposed")
    assert "| 5% | 1h | 36,000 | 684,000 |" in exposed
    assert "served all requests for 2d 21h, until it was taken back" in exposed
    causes = section(page, "What let it through")
    assert "ceiling: the tier high-traffic accepts outcome guards that detect changes of 20%" in causes
    assert "the tier high-traffic requires no outcome guard" in causes
    assert "ctr aborts it after 1h 12m, but it was completed" in causes
    remedy = section(page, "What would have caught it")
    assert "| as it was released | 86.9%" in remedy
    assert "| with guards for this harm | 96.3%" in remedy
    assert "aborted after 1h 8m at 25% by ctr" in remedy
    assert (
        "-      - {outcome: ctr, detect: {drop: 10%}}\n+      - {outcome: ctr, detect: {drop: 7%}}" in remedy
    )


def test_a_harm_that_is_too_small_for_the_steps_gets_other_steps(repository: Repository) -> None:
    repository.take_back(4, repository.record(2, {}))
    page = repository.page("--harm", "ctr:drop=5%")
    remedy = section(page, "What would have caught it")
    powers = [float(share) for share in re.findall(r"^\| (?:as|with)[^|]*\| ([\d.]+)%", remedy, re.MULTILINE)]
    assert powers == sorted(powers)
    assert powers[0] < 80
    longer = "with steps for this harm" in remedy and powers[-1] >= 80
    assert longer or "no schedule as long as today's catches ctr with 80% power" in section(
        page, "What is missing"
    )
    assert "no traffic was recorded" in remedy
    assert "nothing is replayed" in section(page, "What is missing")


def test_what_is_missing_is_said_and_not_filled_in(repository: Repository) -> None:
    repository.take_back(4, "sha256:" + "c" * 64)
    page = repository.page()
    missing = section(page, "What is missing")
    assert "git has no record of this release" in missing
    assert "the plan below is the nearest" not in missing
    assert "requests to it | not known" in page
    assert "nothing recorded" in section(page, "What each guard saw")
    assert "No harm is known" in section(page, "What would have caught it")


def test_an_abort_is_an_incident_and_its_guard_names_the_harm(repository: Repository) -> None:
    repository.record(2, ABORT)
    page = repository.page()
    assert "aborted in production: aborted | the controller" in section(page, "Timeline")
    assert "stops ctr -10.0%" in section(page, "What would have caught it")
    assert "taken back" not in page


def test_a_change_of_the_spec_since_then_is_shown_next_to_it(repository: Repository) -> None:
    repository.take_back(4, repository.record(2, {}))
    spec = repository.root / "specs/shop/recommender.yaml"
    spec.write_text(spec.read_text().replace("{drop: 10%}", "{drop: 8%}"))
    page = repository.page("--harm", "ctr:drop=8%")
    remedy = section(page, "What would have caught it")
    assert remedy.index("as it was released") < remedy.index("| the spec of today | ")
    assert "with guards for this harm" not in remedy


def test_guards_that_are_missing_are_named(repository: Repository) -> None:
    spec = repository.root / "specs/shop/recommender.yaml"
    spec.write_text(re.sub(r" +- \{(outcome: ctr|metric: error-rate).*\n", "", spec.read_text()))
    repository.commit(2, "Fewer guards")
    repository.take_back(4, repository.record(3, {"runs": [], "start": ..., "traffic": []}))
    page = repository.page(
        "--harm", "ctr:drop=10%", "--harm", "error-rate:rise=100%", "--harm", "fraud:rise=40%"
    )
    causes = section(page, "What let it through")
    assert "missing guard: nothing watched ctr (-10.0% of ctr)" in causes
    remedy = section(page, "What would have caught it")
    assert "+      - {outcome: ctr, detect: {drop: 10%}}" in remedy.replace("        - ", "      - ")
    assert "nothing in the spec counts fraud" in section(page, "What is missing")
    assert "The record has no traffic of weight steps" in page


def powers_of(page: str, harm: str) -> dict[str, str]:
    """Return what stops a harm, by plan."""
    head, _, *rows = [
        [cell.strip() for cell in line.strip("| ").split(" | ")]
        for line in section(page, "What would have caught it").splitlines()
        if line.startswith("| ")
    ]
    at = next(index for index, name in enumerate(head) if name.startswith(f"stops {harm} "))
    return {row[0]: row[at] for row in rows}


def test_a_harm_that_nothing_counts_has_the_odds_of_an_outcome(repository: Repository) -> None:
    repository.take_back(4, repository.record(2, {}))
    harm = ("--harm", "refunds:rise=40%")
    plain = repository.page(*harm)
    assert powers_of(plain, "refunds") == {"as it was released": "no odds: no guard on it"}
    assert "--baseline refunds=5%" in section(plain, "What is missing")
    page = repository.page(*harm, "--baseline", "refunds=5%", "--delay", "refunds=1m")
    found = powers_of(page, "refunds")
    assert found["as it was released"] == "no odds: no guard on it"
    stops = re.match(
        r"([\d.]+)%, after .* on average, [\d,]+ requests exposed", found["with guards for this harm"]
    )
    assert stops
    assert float(stops[1]) > 80
    added = "+    refunds: {kind: ratio, event: refunds, baseline: 5%, delay: 1m, better: lower}"
    assert added in page
    assert "{outcome: refunds, detect: {rise: 20%}}" in page  # the tier accepts no looser guard
    missing = section(page, "What is missing")
    assert "--delay" not in missing
    assert "the rules refuse" not in missing
    assert "reported at once" in section(
        repository.page(*harm, "--baseline", "refunds=5%"), "What is missing"
    )


def test_a_harm_that_is_known_too_late_is_not_caught(repository: Repository) -> None:
    repository.take_back(4, repository.record(2, {}))
    page = repository.page("--harm", "refunds:rise=40%", "--baseline", "refunds=5%", "--delay", "refunds=14d")
    assert powers_of(page, "refunds")["with guards for this harm"].startswith("0%")
    assert "the rules refuse these guards (CAN210): `refunds`: 0% of 20% rises are caught" in section(
        page, "What is missing"
    )


def test_the_page_says_why_a_harm_has_no_odds(repository: Repository) -> None:
    spec = repository.root / "specs/shop/recommender.yaml"
    spec.write_text(re.sub(r"  traffic: .*\n", "", spec.read_text()))
    repository.commit(2, "No traffic")
    repository.take_back(4, repository.record(3, {}))
    page = repository.page("--harm", "refunds:rise=40%", "--harm", "ctr:rise=20%", "--baseline", "refunds=5%")
    reason = "no odds: `traffic.minRps` is not declared"
    assert powers_of(page, "refunds")["with guards for this harm"] == reason
    assert "ctr watches for the other direction" in page
    assert f"against +20.0% of ctr: {reason.replace(': ', ', ', 1)}" in section(page, "What let it through")


def test_waivers_and_weak_proofs_let_it_through(repository: Repository) -> None:
    repository.record(
        2, {"steps.skipped": [1], "waivers": {"parity": "until 2027-01-31"}}, "risk/fraud", "staging"
    )
    key = repository.record(3, {"power.seen": 0.2, "power.byGuard": {"error-rate": 0.2}}, "risk/fraud")
    repository.take_back(4, key, "risk/fraud")
    causes = section(repository.page(model="risk/fraud"), "What let it through")
    assert "waiver: parity might fail, regulator-approved exception (model-risk, until 2027-01-31)" in causes
    assert "its record in staging is weak: steps were skipped or cut short: 1" in causes
    assert (
        "missing power: with the traffic that came, error-rate would have stopped 20% of harmful versions"
        in causes
    )


HOT_FIX = """\
schema: sluice/promotion/v1
key: {key}
model: {{digest: "{digest}"}}
at: "2025-06-01T09:30:00Z"
by: Ada
reason: prices are wrong
hotfix: {{until: 2025-06-02}}
"""


def test_a_hot_fix_let_it_through(repository: Repository) -> None:
    key = repository.record(2, ABORT)
    record = json.loads((repository.root / "specs/shop/recommender.production.record.json").read_text())
    lock = HOT_FIX.format(key=key, digest=record["subject"]["modelDigest"])
    (repository.root / "specs/shop/recommender.production.lock.yaml").write_text(lock)
    repository.commit(3, "Promote a hot fix")
    page = repository.page()
    how = "hot fix until 2025-06-02: prices are wrong"
    assert f"promoted to production ({how})" in section(page, "Timeline")
    assert f"it entered production with less than a passed proof: {how}" in section(
        page, "What let it through"
    )


def test_the_release_can_be_named(repository: Repository) -> None:
    key = repository.record(2, {})
    assert repository.run().exit_code == 2
    assert "no release of shop/recommender in git was aborted or taken back" in repository.run().output
    page = repository.page("--release", key.removeprefix("sha256:")[:10])
    assert f"| release | {key} |" in page
    unknown = repository.run("--release", "0123")
    assert (unknown.exit_code, "no record and no quarantine" in unknown.output) == (2, True)
    for words in (("--harm", "ctr"), ("--harm", "drop=5%"), ("--data", "a.csv", "--prometheus", "http://b"),
        ("--baseline", "refunds"), ("--baseline", "refunds=1..2"), ("--delay", "refunds"), ("--delay", "refunds=soon"), ("--delay", "refunds=31d"),
    ):  # fmt: skip
        assert repository.run(*words).exit_code == 2


def test_the_page_is_text_whatever_git_holds(repository: Repository) -> None:
    repository.take_back(4, repository.record(2, {}), reason="<script>alert(1)</script> | `x` {{ 7 * 7 }}")
    page = repository.run("--format", "html").stdout
    assert page.startswith("<!doctype html>")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "{{ 7 * 7 }}" in page
    assert page.count("<section") == 7
    assert "<script" not in repository.run().stdout


class Zero(BaseHTTPRequestHandler):
    """A Prometheus whose every query is a large number: sequential guards fire at once."""

    queries: list[str]

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.answer(form)

    def do_GET(self) -> None:
        self.answer(parse_qs(self.path.partition("?")[2]))

    def answer(self, form: dict[str, list[str]]) -> None:
        type(self).queries.append(form["query"][0])
        start, end, step = (float(form[key][0]) for key in ("start", "end", "step"))
        values = [[start + n * step, "99"] for n in range(int((end - start) / step) + 1)]
        body = {
            "status": "success",
            "data": {"resultType": "matrix", "result": [{"metric": {}, "values": values}]},
        }
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    Zero.queries = []
    with listening(Zero) as address:
        yield address


def test_prometheus_is_queried_for_the_pods_and_times_of_the_records(
    repository: Repository, server: str
) -> None:
    earlier = {
        "rollout.podHash": "aaa",
        "start": "2025-05-01T10:00:00Z",
        "runs.0.start": "2025-05-01T10:00:00Z",
        "end": "2025-05-01T12:00:00Z",
    }
    done = repository.run("--release", repository.record(2, {})[7:17], "--prometheus", server)
    assert (done.exit_code, "which one ran before it" in done.output) == (2, True)
    repository.record(
        3, {**earlier, "runs.1.start": "2025-05-01T11:00:00Z", "subject.releaseKey": "sha256:" + "e" * 64}
    )
    repository.record(4, {**ABORT, "rollout.podHash": "bbb", "rollout.revision": 3})
    page = repository.page("--prometheus", server)
    assert "aborted after" in section(page, "What would have caught it")
    assert any("bbb" in query and "aaa" in query for query in Zero.queries)
