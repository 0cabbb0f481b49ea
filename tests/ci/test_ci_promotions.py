"""The jobs that record releases and propose promotions: their own scripts, in a real repository with a remote.

The forge's API is a stand-in (`standins/gh`); git, branches and pushes are real.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import tarfile
from pathlib import Path

import pytest
import yaml

from tests.ci.demo import Demo, git
from tests.ci.jobs import good, pushes, runner
from tests.ci.runner import Ran, Runner
from tests.unit.cluster.ended_standin import Ended

PROMOTE = ".github/workflows/sluice-promote.yml"
MODEL = "shop/recommender"
RECORDED, PROPOSED = f"sluice/record/{MODEL}/staging", f"sluice/promote/{MODEL}/production"
LOCK, RECORD = f"specs/{MODEL}.production.lock.yaml", f"specs/{MODEL}.staging.record.json"
GATE = "      requires: {staging: {soak: 24h}}\n"
NOW = dt.datetime(2026, 11, 27, tzinfo=dt.UTC)
FREEZE = '  freezes:\n    - {environments: [production], from: "2026-11-26T00:00", to: "2026-12-01T00:00", reason: a sale}\n'


@pytest.fixture(scope="module")
def gated(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo whose production keeps what it has, while staging has another release of one model."""
    folder = tmp_path_factory.mktemp("gated") / "demo"
    shutil.copytree(made, folder, symlinks=True)
    demo = Demo(folder / "clone", folder / "remote.git")
    demo.git("checkout", "--quiet", "main")
    platform = demo.root / "specs/platform.yaml"
    text = platform.read_text()
    text = re.sub(r"\n( +#[^\n]*\n)? +#? ?requires: [^\n]*staging[^\n]*\n", "\n", text)
    platform.write_text(re.sub(r"(\n    production:\n)", rf"\1{GATE}", text, count=1))
    demo.sluice("promote", "--to", "production", "--adopt", "--reason", "from before")
    demo.sluice("render")
    demo.sluice("ci", "github")
    demo.sluice("ci", "gitlab")
    released(demo, 2)
    return folder


def released(demo: Demo, threads: int) -> None:
    """Release another configuration of the service in staging, and merge it."""
    spec = demo.root / f"specs/{MODEL}.yaml"
    text = re.sub(r"  service: .*\n", "", spec.read_text())
    spec.write_text(text.replace("  traffic:", f"  service: {{threads: {threads}}}\n  traffic:"))
    demo.sluice("render")
    demo.commit(f"{threads} threads")
    demo.git("push", "--quiet", "origin", "HEAD:main")


@pytest.fixture
def demo(gated: Path, tmp_path: Path) -> Demo:
    shutil.copytree(gated, tmp_path / "demo", symlinks=True)
    return Demo(tmp_path / "demo" / "clone", tmp_path / "demo" / "remote.git")


def event(demo: Demo, scratch: Path, **how: int) -> Path:
    """The notification of the release in staging, as GitHub hands it to a job."""
    rollout = yaml.safe_load((demo.root / f"rendered/staging/{MODEL}/rollout-main.yaml").read_text())
    ended = Ended(rollout, **how)
    body = {
        "schema": "sluice/ended/v1",
        "event": "aborted" if how.get("abort_at", -1) >= 0 else "completed",
        "at": ended.end,
        "rollout": ended.rollout_at_event,
        "analysisRuns": ended.runs_at_event,
    }
    file = scratch / "event.json"
    file.write_text(json.dumps({"action": "sluice-record", "client_payload": body}))
    return file


def jobs(demo: Demo, scratch: Path, notification: Path | None, hours: float = 0, pulls: str = "[]") -> Runner:
    at = int((NOW + dt.timedelta(hours=hours)).timestamp())
    found = runner(
        demo, scratch, {"secrets.KUBECONFIG": "", "secrets.SLUICE_TOKEN || github.token": "x"},
        SOURCE_DATE_EPOCH=str(at), STANDIN_PULLS=pulls,
        GITHUB_EVENT_NAME="repository_dispatch" if notification else "schedule",
        GITHUB_EVENT_PATH=str(notification or ""),
    )  # fmt: skip
    for name in ("record", "propose"):
        ran = found.alone(PROMOTE, name)
        good(ran)
        print(ran[-1].output)  # shown when a test fails
    return found


def branches(demo: Demo) -> dict[str, str]:
    listed = demo.git(
        "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads/sluice"
    ).splitlines()
    return dict(line.split(" ") for line in listed)


def created(found: Runner) -> list[str]:
    return [call for call in found.calls if call.startswith("gh pr create")]


def test_what_is_proven_is_proposed_once_and_kept_up_to_date(demo: Demo, scratch: Path) -> None:
    first = jobs(demo, scratch, event(demo, scratch))
    assert set(branches(demo)) == {RECORDED, PROPOSED}
    assert [re.search(r"--head (\S+)", call)[1] for call in created(first)] == [RECORDED, PROPOSED]  # type: ignore[index]
    assert f"gh pr merge {RECORDED} --auto --merge" in first.calls
    assert f"gh pr merge {PROPOSED} --auto --merge" not in first.calls
    changed = demo.git("diff", "--name-only", "main", PROPOSED).splitlines()
    assert {LOCK, RECORD} < set(changed)
    assert all(path.startswith((f"rendered/production/{MODEL}/", f"specs/{MODEL}.")) for path in changed)
    body = (first.scratch / "machines").rglob("pull.md")
    text = max(body, key=lambda path: path.stat().st_mtime).read_text()
    assert "over on 2026-11-26 " in text  # the soak
    for part in ("runs now", "Record of staging", "verdict", "<!-- sluice plan -->"):
        assert part in text, text
    demo.git("checkout", "--quiet", PROPOSED)
    for check in (("render", "--check"), ("promote", "--check", "--against", "main")):
        done = first_run(demo, *check)
        assert done.code == 0, done.output
    demo.git("checkout", "--quiet", "main")
    before = branches(demo)
    again = jobs(demo, scratch, None, 1, '[{"number": 7, "isCrossRepository": false}]')
    assert branches(demo) == before  # nothing changed, so nothing is pushed
    assert len(created(again)) == len(created(first))


def first_run(demo: Demo, *words: str) -> Ran:
    """Run a command at the time of the jobs."""
    from click.testing import CliRunner

    from generator.cli.main import cli

    env = {"SOURCE_DATE_EPOCH": str(int(NOW.timestamp()))}
    done = CliRunner(env=env).invoke(cli, [*words, "--root", str(demo.root)])
    return Ran(words[0], done.exit_code, done.output)


def test_the_signature_of_an_approver_stays_on_the_branch(demo: Demo, scratch: Path) -> None:
    """What it proves is tested with the check of promotions; here any file of that name is one."""
    jobs(demo, scratch, event(demo, scratch))
    demo.git("checkout", "--quiet", PROPOSED)
    signature = demo.root / f"{LOCK}.dsse.json"
    signature.write_text("approved\n")
    demo.commit("Approve")
    demo.git("checkout", "--quiet", "main")
    before = branches(demo)
    jobs(demo, scratch, None, 1)
    assert branches(demo) == before
    # Its bundle changes, and its lock does not: the branch is made again, with the signature.
    spec = demo.root / f"specs/{MODEL}.yaml"
    spec.write_text(spec.read_text().replace("hold: 60m", "hold: 80m"))
    demo.sluice("render")
    demo.commit("Hold longer")
    jobs(demo, scratch, None, 2)
    assert branches(demo)[PROPOSED] != before[PROPOSED]
    assert demo.git("show", f"{PROPOSED}:{LOCK}.dsse.json") == "approved"


def test_a_soak_that_ends_while_nothing_else_happens_wakes_the_schedule(demo: Demo, scratch: Path) -> None:
    jobs(demo, scratch, event(demo, scratch), hours=-24)
    assert set(branches(demo)) == {RECORDED}
    jobs(demo, scratch, None)  # its record is still on its own branch
    assert set(branches(demo)) == {RECORDED, PROPOSED}


@pytest.mark.parametrize("how", [{"abort_at": 5}, {"revision": "1"}])
def test_what_is_not_proven_is_recorded_and_never_proposed(
    demo: Demo, scratch: Path, how: dict[str, int]
) -> None:
    jobs(demo, scratch, event(demo, scratch, **how))
    assert set(branches(demo)) == {RECORDED}


def test_a_newer_release_withdraws_the_proposal_of_the_older_one(demo: Demo, scratch: Path) -> None:
    jobs(demo, scratch, event(demo, scratch))
    released(demo, 3)
    jobs(demo, scratch, None)
    assert set(branches(demo)) == {RECORDED}
    jobs(demo, scratch, event(demo, scratch))
    assert set(branches(demo)) == {RECORDED, PROPOSED}
    assert "threads: 3" in demo.git("show", f"{PROPOSED}:specs/{MODEL}.yaml")


def test_in_a_freeze_the_proposal_stays_and_its_check_is_red(demo: Demo, scratch: Path) -> None:
    jobs(demo, scratch, event(demo, scratch))
    platform = demo.root / "specs/platform.yaml"
    platform.write_text(platform.read_text() + FREEZE)
    demo.sluice("render")
    demo.commit("A freeze")
    jobs(demo, scratch, None)
    assert PROPOSED in branches(demo)
    demo.git("checkout", "--quiet", PROPOSED)
    demo.git("checkout", "--quiet", "main", "--", "specs/platform.yaml")
    done = first_run(demo, "promote", "--check", "--against", "main")
    assert (done.code, "frozen until 2026-12-01" in done.output) == (1, True), done.output


def test_a_release_in_quarantine_is_withdrawn_and_never_proposed_again(demo: Demo, scratch: Path) -> None:
    jobs(demo, scratch, event(demo, scratch))
    key = yaml.safe_load(demo.git("show", f"{PROPOSED}:{LOCK}"))["key"]
    entry = f'{{key: "{key}", version: "12", environment: production, reason: worse, since: 2026-11-26}}'
    (demo.root / f"specs/{MODEL}.quarantine.yaml").write_text(
        f"schema: sluice/quarantine/v1\nreleases:\n  - {entry}\n"
    )
    demo.commit("Taken back")
    for notification in (None, event(demo, scratch)):
        jobs(demo, scratch, notification)
        assert set(branches(demo)) == {RECORDED}


def test_a_cluster_that_cannot_be_read_stops_nothing_and_is_noticed(demo: Demo, scratch: Path) -> None:
    jobs(demo, scratch, event(demo, scratch), hours=-24)
    nowhere = json.dumps(
        {
            "clusters": [{"name": "one", "cluster": {"server": "http://127.0.0.1:1"}}],
            "contexts": [{"name": "staging", "context": {"cluster": "one", "user": ""}}],
        }
    )
    found = runner(
        demo, scratch, {"secrets.KUBECONFIG": nowhere, "secrets.SLUICE_TOKEN || github.token": "x"},
        SOURCE_DATE_EPOCH=str(int(NOW.timestamp())), STANDIN_PULLS="[]", GITHUB_EVENT_NAME="schedule",
    )  # fmt: skip
    read = found.alone(PROMOTE, "record")
    good(read)
    assert "can't be reached: Connection refused" in read[-1].output
    assert f"{MODEL} in staging can't be read (exit code 2)" in read[-1].output
    proposed = found.alone(PROMOTE, "propose")[-1]
    assert (proposed.code, "could not be read from their clusters" in proposed.output) == (1, True)
    assert set(branches(demo)) == {RECORDED, PROPOSED}


def test_a_link_among_the_records_brings_no_file_of_the_machine(demo: Demo, scratch: Path) -> None:
    found = runner(
        demo, scratch, {"secrets.KUBECONFIG": "", "secrets.SLUICE_TOKEN || github.token": "x"},
        SOURCE_DATE_EPOCH=str(int(NOW.timestamp())), STANDIN_PULLS="[]",
        GITHUB_EVENT_NAME="repository_dispatch", GITHUB_EVENT_PATH=str(event(demo, scratch)),
    )  # fmt: skip
    good(found.alone(PROMOTE, "record"))
    secret = scratch / "secret"
    secret.write_text('{"token": "of this machine"}')
    (archive,) = (path for left in found.artifacts.values() for path in left.rglob("records.tar"))
    with tarfile.open(archive, "a") as tar:
        for name in (f"{MODEL.replace('/', ',')}.production.record.json", "shop,other.staging.record.json"):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, str(secret)
            tar.addfile(link)
    good(found.alone(PROMOTE, "propose"))
    assert set(branches(demo)) == {RECORDED, PROPOSED}
    for branch in branches(demo):
        assert "of this machine" not in demo.git("diff", "main", branch)


def test_gitlab_does_the_same(demo: Demo, scratch: Path) -> None:
    git(demo.remote, "config", "receive.advertisePushOptions", "true")
    at = str(int(NOW.timestamp()))
    payload = scratch / "payload"
    payload.write_text(json.dumps(json.loads(event(demo, scratch).read_text())["client_payload"]))
    found = runner(
        demo, scratch, SOURCE_DATE_EPOCH=at, TRIGGER_PAYLOAD=str(payload), CI_DEFAULT_BRANCH="main", **pushes(demo)
    )  # fmt: skip
    for name in ("record", "promote"):
        good(found.gitlab(name))
    listed = git(demo.remote, "for-each-ref", "--format=%(refname:short)", "refs/heads/sluice").splitlines()
    assert set(listed) == {RECORDED, PROPOSED}
