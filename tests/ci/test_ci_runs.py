"""The workflows of both hosts, run script by script in a real repository; see `runner.py` for what stands in."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.ci.conftest import Demo, git, sha256
from tests.ci.runner import Ran, Runner
from tests.references.test_references_oci import MANIFEST, Registry

CHECK, IMAGES = ".github/workflows/sluice.yml", ".github/workflows/sluice-images.yml"
REVERT = ".github/workflows/sluice-revert.yml"
MODEL, HEAD = "support/ticket-classifier", "sluice/image-support-ticket-classifier"


def good(ran: list[Ran]) -> None:
    for step in ran:
        assert step.code == 0, f"{step.name}:\n{step.output}"


def runner(demo: Demo, scratch: Path, given: dict[str, str] | None = None, **variables: str) -> Runner:
    return Runner(demo.root, scratch, given or {}, {"GITHUB_REPOSITORY": "acme/models", **variables})


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


@pytest.fixture
def imaged(demo: Demo, registry: Registry, scratch: Path) -> Runner:
    """The demo with a model whose bytes are there, and a registry that can be pushed to."""
    bytes_ = b"a model; nothing here loads it"
    store = scratch / "s3" / "models" / "ticket"
    store.mkdir(parents=True)
    (store / "7.pkl").write_bytes(bytes_)
    spec, lock = demo.root / f"specs/{MODEL}.yaml", demo.root / f"specs/{MODEL}.lock.yaml"
    digest, ref = sha256(bytes_), "s3://models/ticket/7.pkl"
    spec.write_text(
        spec.read_text()
        .replace("ref: bentoml:ticket_classifier:7", f'ref: "{ref}", sha256: {digest}')
        .replace('ref: "bentoml:ticket_classifier:7"', f'ref: "{ref}", sha256: {digest}')
    )
    platform = demo.root / "specs/platform.yaml"
    platform.write_text(
        platform.read_text().replace("registry.example.com/models", f"{registry.host}/models")
    )
    document = yaml.safe_load(lock.read_text())
    document["model"] |= {
        "ref": ref,
        "resolved": f"{ref}#sha256={digest}",
        "digest": f"sha256:{digest}",
        "version": digest[:12],
    }
    lock.write_text("# Ours.\n" + yaml.safe_dump(document, sort_keys=False))
    for other in demo.root.glob("specs/shop/*"):
        other.unlink()
    demo.sluice("render")
    demo.sluice("ci", "github")
    demo.sluice("ci", "gitlab")
    demo.git("checkout", "--quiet", "-B", "main")
    demo.commit("A model in a bucket")
    demo.git("push", "--quiet", "--force", "origin", "main")
    blob = registry._blob("models/support/ticket-classifier", b"{}")
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": blob, "layers": [blob]}
    (scratch / "manifest.json").write_text(json.dumps(manifest))
    return runner(
        demo, scratch, {
            "vars.MLFLOW_TRACKING_URI": "", "vars.SLUICE_BENTOML_STORE": "", "secrets.MLFLOW_TRACKING_TOKEN": "", "secrets.HF_TOKEN": "",
            "secrets.AWS_ACCESS_KEY_ID": "", "secrets.AWS_SECRET_ACCESS_KEY": "",
            "secrets.REGISTRY_USER": "ci", "secrets.REGISTRY_PASSWORD": "word", "secrets.SLUICE_TOKEN || github.token": "x",
        },
        STANDIN_S3=str(scratch / "s3"), STANDIN_MANIFEST=str(scratch / "manifest.json"), GITHUB_REF_NAME="main",
        REGISTRY_USER="ci", REGISTRY_PASSWORD="word", CI_COMMIT_BRANCH="main",
    )  # fmt: skip


def proposed(demo: Demo, scratch: Path) -> None:
    """What was pushed: the lock with the digest, its comment kept, rendered with it, ready to merge."""
    digest = "sha256:" + sha256((scratch / "manifest.json").read_bytes())
    assert (
        git(demo.remote, "diff", "--name-only", "main", HEAD).splitlines()[-1] == f"specs/{MODEL}.lock.yaml"
    )
    lock = git(demo.remote, "show", f"{HEAD}:specs/{MODEL}.lock.yaml")
    assert lock.startswith("# Ours.\n")
    assert yaml.safe_load(lock)["image"]["digest"] == digest
    rollout = git(demo.remote, "show", f"{HEAD}:rendered/production/{MODEL}/rollout-main.yaml")
    assert f"ticket-classifier@{digest}" in rollout
    demo.git("fetch", "--quiet", "origin", HEAD)
    demo.git("checkout", "--quiet", "--detach", "FETCH_HEAD")
    demo.sluice("render", "--check")
    assert json.loads(demo.sluice("ci", "images", "--format", "json")) == []


def test_an_image_is_built_pushed_and_its_digest_proposed(demo: Demo, scratch: Path, imaged: Runner) -> None:
    good(imaged.job(IMAGES, "list"))
    models = imaged.output("models")
    (item,) = json.loads(models)
    assert item["model"] == MODEL
    image = (demo.root / f"rendered/bentos/{MODEL}/IMAGE").read_text().strip()
    given = {
        **imaged.given,
        "matrix.image.model": item["model"],
        "matrix.image.resolved": item["resolved"],
        "needs.list.outputs.models": models,
    }
    imaged.given = given
    good(imaged.job(IMAGES, "build"))
    assert (scratch / "context" / "env" / "docker" / "Dockerfile").exists()
    assert (scratch / "context" / "src" / "service.py").exists()
    assert f"docker push {image}" in imaged.calls
    assert (scratch / "password").read_text() == "word"
    good(imaged.job(IMAGES, "digests"))
    title = f"Digest of the image of {MODEL}"
    create = f"gh pr create --head {HEAD} --base main --title {title} --body-file {scratch}/body.md"
    assert [call for call in imaged.calls if call.startswith("gh pr create")] == [create]
    proposed(demo, scratch)


def test_bytes_that_are_not_those_of_the_lock_become_no_image(
    demo: Demo, scratch: Path, imaged: Runner
) -> None:
    (scratch / "s3/models/ticket/7.pkl").write_bytes(b"other bytes")
    resolved = yaml.safe_load((demo.root / f"specs/{MODEL}.lock.yaml").read_text())["model"]["resolved"]
    imaged.given = {**imaged.given, "matrix.image.model": MODEL, "matrix.image.resolved": resolved}
    ran = imaged.job(IMAGES, "build")
    assert ran[-1].name == "Fetch and build"
    assert ran[-1].code == 1
    assert "the lock pins" in ran[-1].output
    assert not [call for call in imaged.calls if call.startswith("docker")]


def test_a_tag_that_the_registry_does_not_hold_is_told(imaged: Runner) -> None:
    document = yaml.safe_load((imaged.checkout / "specs/platform.yaml").read_text())
    assert document["spec"]["registry"].endswith("/models")
    imaged.given = {
        **imaged.given,
        "needs.list.outputs.models": json.dumps([{"model": "support/ticket-classifier"}]),
    }
    (imaged.checkout / "specs/platform.yaml").write_text(
        (imaged.checkout / "specs/platform.yaml").read_text().replace("/models\n", "/elsewhere\n", 1)
    )
    git(imaged.checkout, "commit", "--quiet", "--all", "--message", "Another registry")
    ran = imaged.job(IMAGES, "digests")
    assert ran[-1].code == 1
    assert "PIN104" in ran[-1].output


def aborted(demo: Demo, scratch: Path) -> Path:
    """Two merged versions of a model, and the notification that the second was aborted."""
    lock, spec = demo.root / f"specs/{MODEL}.lock.yaml", demo.root / f"specs/{MODEL}.yaml"
    demo.git("checkout", "--quiet", "main")
    old = yaml.safe_load(lock.read_text())["model"]["digest"]
    bad = "sha256:" + "b" * 64
    lock.write_text(lock.read_text().replace(old, bad))
    demo.sluice("render")
    demo.commit("A new version")
    assert spec.exists()
    payload = {
        "schema": "sluice/abort/v1",
        "model": MODEL,
        "environment": "production",
        "digest": bad,
        "reason": "500s",
    }
    event = scratch / "event.json"
    event.write_text(json.dumps({"action": "sluice-abort", "client_payload": payload}))
    return event


def way_back(demo: Demo, calls: list[str]) -> None:
    branch = "sluice/revert-support-ticket-classifier-bbbbbbbb"
    assert "digest: sha256:bbb" not in git(demo.remote, "show", f"{branch}:specs/{MODEL}.lock.yaml")
    platform = yaml.safe_load(git(demo.remote, "show", f"{branch}:specs/platform.yaml"))
    (entry,) = platform["spec"]["quarantine"]
    assert (entry["model"], entry["reason"]) == (MODEL, "aborted in production: 500s")
    assert (
        [call for call in calls if call.startswith("gh pr create")]
        or not calls
        or calls[0].startswith("apt-get")
    )


DISPATCHED = {
    "secrets.SLUICE_TOKEN || github.token": "x", "inputs.model": "", "inputs.reason": "", "inputs.halt": "",
}  # fmt: skip


@pytest.mark.parametrize("event", ["repository_dispatch", "workflow_dispatch"])
def test_an_abort_becomes_a_pull_request(demo: Demo, scratch: Path, event: str) -> None:
    file = aborted(demo, scratch)
    given = {**DISPATCHED}
    if event == "workflow_dispatch":
        given |= {"inputs.model": MODEL, "inputs.reason": "aborted in production: 500s"}
    found = runner(demo, scratch, given, GITHUB_EVENT_NAME=event, GITHUB_EVENT_PATH=str(file))
    good(found.job(REVERT, "revert"))
    way_back(demo, found.calls)
    assert "is in quarantine now: aborted in production: 500s" in (scratch / "pull.md").read_text()


def test_an_abort_becomes_a_merge_request(demo: Demo, scratch: Path) -> None:
    file = aborted(demo, scratch)
    found = runner(demo, scratch, TRIGGER_PAYLOAD=str(file), CI_DEFAULT_BRANCH="main", **pushes(demo))
    git(demo.remote, "config", "receive.advertisePushOptions", "true")
    good(found.gitlab("revert"))
    way_back(demo, found.calls)


def watched(demo: Demo, scratch: Path, event: str) -> tuple[Path, str]:
    """The notification of Alertmanager that the watch of the running version failed, and the branch it makes."""
    demo.git("checkout", "--quiet", "main")
    digest = yaml.safe_load((demo.root / f"specs/{MODEL}.lock.yaml").read_text())["model"]["digest"]
    team, model = MODEL.split("/")
    labels = {"alertname": "ModelWatchFailed", "environment": "staging", "model": model, "team": team}
    notes = {"digest": digest, "gates": "drift"}
    body = {
        "version": "4",
        "status": "firing",
        "alerts": [{"status": "firing", "labels": labels, "annotations": notes}],
    }
    file = scratch / "event.json"
    # Alertmanager's own form, or its `payload` of docs/watching.md as GitHub hands it on.
    handed = {"action": "sluice-watch", "client_payload": {"alerts": body["alerts"]}}
    file.write_text(json.dumps(handed if event else body))
    return file, f"sluice/quarantine-{team}-{model}-{digest.removeprefix('sha256:')[:8]}"


def halts(demo: Demo, branch: str, reason: str) -> None:
    """What was pushed: nothing but the quarantine, ready to merge; the version stays where it is."""
    platform = yaml.safe_load(git(demo.remote, "show", f"{branch}:specs/platform.yaml"))
    (entry,) = platform["spec"]["quarantine"]
    assert (entry["model"], entry["reason"], entry["running"]) == (MODEL, reason, ["staging", "production"])
    assert git(demo.remote, "diff", "--name-only", "main", branch, "--", "specs") == "specs/platform.yaml"
    demo.git("fetch", "--quiet", "origin", branch)
    demo.git("checkout", "--quiet", "--detach", "FETCH_HEAD")
    demo.sluice("render", "--check")
    assert "it stays where it runs" in demo.sluice("validate")


@pytest.mark.parametrize("event", ["repository_dispatch", "workflow_dispatch"])
def test_a_failed_watch_becomes_a_pull_request_that_merges_itself(
    demo: Demo, scratch: Path, event: str
) -> None:
    file, branch = watched(demo, scratch, event)
    reason, given = "the daily watch in staging: on fresh data it no longer passes drift", {**DISPATCHED}
    if event == "workflow_dispatch":
        given |= {"inputs.model": MODEL, "inputs.reason": reason, "inputs.halt": "true"}
    found = runner(demo, scratch, given, GITHUB_EVENT_NAME=event, GITHUB_EVENT_PATH=str(file))
    good(found.job(REVERT, "revert"))
    assert found.calls[-1] == f"gh pr merge {branch} --auto --merge"
    assert "is in quarantine now" in (scratch / "pull.md").read_text()
    halts(demo, branch, reason)


def test_a_failed_watch_becomes_a_merge_request_that_merges_itself(demo: Demo, scratch: Path) -> None:
    file, branch = watched(demo, scratch, "")
    found = runner(demo, scratch, TRIGGER_PAYLOAD=str(file), CI_DEFAULT_BRANCH="main", **pushes(demo))
    git(demo.remote, "config", "receive.advertisePushOptions", "true")
    hook = demo.remote / "hooks" / "pre-receive"
    hook.write_text(f'#!/bin/sh\nenv | grep ^GIT_PUSH_OPTION > "{scratch}/options"\n')
    hook.chmod(0o755)
    good(found.gitlab("revert"))
    halts(demo, branch, "the daily watch in staging: on fresh data it no longer passes drift")
    assert "merge_request.auto_merge" in (scratch / "options").read_text()


def test_what_is_not_halted_asks_for_nothing(demo: Demo, scratch: Path) -> None:
    file, branch = watched(demo, scratch, "")
    file.write_text(file.read_text().replace('"firing"', '"resolved"'))
    found = runner(
        demo, scratch, {**DISPATCHED}, GITHUB_EVENT_NAME="repository_dispatch", GITHUB_EVENT_PATH=str(file)
    )
    good(found.job(REVERT, "revert"))
    assert [call for call in found.calls if "pr " in call] == []
    assert branch not in git(demo.remote, "branch", "--list")


def pushes(demo: Demo) -> dict[str, str]:
    """A GitLab that is the bare repository beside the clone."""
    return {
        "GITLAB_CI": "true",
        "SLUICE_TOKEN": "t",
        "CI_REPOSITORY_URL": "https://gitlab-ci-token:x@gitlab.example.com/acme/models.git",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{demo.remote}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://oauth2:t@gitlab.example.com/acme/models.git",
    }


def test_gitlab_checks_and_plans(demo: Demo, scratch: Path) -> None:
    found = runner(demo, scratch, CI_MERGE_REQUEST_DIFF_BASE_SHA=demo.git("rev-parse", "main"))
    good(found.gitlab("check") + found.gitlab("plan"))
    assert json.loads((demo.root / "gl-code-quality-report.json").read_text()) == []
    assert "shop/recommender" in (demo.root / "plan.md").read_text()


def test_gitlab_builds_pushes_and_proposes(demo: Demo, scratch: Path, imaged: Runner) -> None:
    imaged.variables = {**imaged.variables, **pushes(demo)}
    git(demo.remote, "config", "receive.advertisePushOptions", "true")
    hook = demo.remote / "hooks" / "pre-receive"
    hook.write_text(f'#!/bin/sh\nenv | grep ^GIT_PUSH_OPTION > "{scratch}/options"\n')
    hook.chmod(0o755)
    # The same script was run for real in the test above.
    (demo.root / "ci" / "build-image.sh").write_text('echo "built $1 from $2" >> "$STANDIN_CALLS"\n')
    good(imaged.gitlab("images"))
    built = next(call for call in imaged.calls if call.startswith("built "))
    assert built.startswith(f"built {MODEL} from s3://models/ticket/7.pkl#sha256=")
    proposed(demo, scratch)
    options = (scratch / "options").read_text()
    assert "merge_request.create" in options
    assert "merge_request.target=main" in options


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
