"""Whatever a webhook holds: a request or a refusal, never a traceback, and a reason stays in its entry."""

from __future__ import annotations

import copy
import io
import json
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from generator.pipeline import revert_requests
from generator.pipeline.revert_requests import Notification, RevertRequest, as_code, from_webhook, shortened
from generator.source.edit import edited
from generator.source.errors import CliError
from generator.source.reader import parse
from tests.unit.history.anything import QUIET, TEXT, nearly

DIGESTS = (
    st.sampled_from([f"sha256:{'a' * 64}", "sha256:" + "A" * 64, "sha256:", f"sha256:{'a' * 64}\n"]) | TEXT
)
NAMES = st.sampled_from(["shop", "ranker", "../..", "a b", "shop/ranker\n"]) | TEXT
ALERTS = nearly(
    status=st.sampled_from(["firing", "resolved"]),
    labels=nearly(alertname=st.just("ModelWatchFailed"), team=NAMES, model=NAMES, environment=TEXT),
    annotations=nearly(digest=DIGESTS, gates=TEXT),
)
ABORTS = nearly(schema=st.just("sluice/abort/v1"), model=NAMES, digest=DIGESTS, environment=TEXT, reason=TEXT)
PAYLOADS = ABORTS | nearly(alerts=st.lists(ALERTS, max_size=4), version=st.just("4"))
EVENTS = PAYLOADS | nearly(client_payload=PAYLOADS | nearly(client_payload=PAYLOADS))


def requested(text: str) -> Notification | None:
    """What standard input asks for; None when it is refused."""
    kept, sys.stdin = sys.stdin, io.StringIO(text)
    try:
        return from_webhook("-")
    except CliError:
        return None
    finally:
        sys.stdin = kept


def check(found: Notification) -> None:
    assert all(len(text.splitlines()) == 1 and len(text) < 400 for text in found.refused)
    for item in found.requests:
        assert revert_requests._MODEL.fullmatch(item.model)
        assert revert_requests._DIGEST.fullmatch(item.digest)
        assert item.reason.isprintable()
        assert 0 < len(item.reason) <= 300
    assert len({(item.model, item.digest) for item in found.requests}) == len(found.requests)


@QUIET
@given(EVENTS)
def test_any_json_is_a_request_or_a_refusal(event: Any) -> None:
    found = requested(json.dumps(event))
    if found is not None:
        check(found)


@QUIET
@given(st.text(max_size=200) | st.text('{}[]",:0 ue\\', max_size=60))
def test_any_text_is_a_request_or_a_refusal(text: str) -> None:
    found = requested(text)
    if found is not None:
        check(found)


@QUIET
@given(st.binary(max_size=200))
def test_any_file_is_a_request_or_a_refusal(tmp_path: Path, raw: bytes) -> None:
    file = tmp_path / "event.json"
    file.write_bytes(raw)
    with suppress(CliError):
        check(from_webhook(str(file)))


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"alerts":' * 50_000, "1" * 10_000, '{"alerts": [' + "9" * 5000]
)
def test_depth_and_length_are_refused(text: str) -> None:
    assert requested(text) is None


def test_what_is_asked_rightly_is_taken() -> None:
    """The strategies above hold what is right: were nothing ever taken, they would prove nothing."""
    alert = {
        "status": "firing",
        "labels": {"alertname": "ModelWatchFailed", "team": "shop", "model": "ranker", "environment": "live"},
        "annotations": {"digest": f"sha256:{'a' * 64}", "gates": "drift"},
    }
    reason = "the daily watch in live: on fresh data it no longer passes drift"
    request = RevertRequest("shop/ranker", reason, f"sha256:{'a' * 64}", halt=True, notified=True)
    body = {"client_payload": {"alerts": [alert, None, {**alert, "annotations": {}}]}}
    refused = ("alert 3 (`shop/ranker`) has no digest (sha256:…)",)
    assert requested(json.dumps(body)) == Notification((request,), refused)


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("500s", "`500s`"),
        ("ask @team and a@example.com", "`ask @ team and a@ example.com`"),
        ("![x](https://evil.example/x.png)", "`!(x)(https:// evil.example/x.png)`"),
        ("[skip ci] [CI SKIP] [no ci]", "`(skip ci) (CI SKIP) (no ci)`"),
        ("a ` b `` c", "`a ' b '' c`"),
        ("closes #12, !7 and www.evil.example", "`closes # 12, ! 7 and www evil.example`"),
        ("closes GH-12, gh-7 and high-5", "`closes GH- 12, gh- 7 and high-5`"),
        ("one\r\n\nskip-checks: true", "`one skip-checks: true`"),
    ],
)
def test_text_from_elsewhere_is_quoted_as_code(reason: str, shown: str) -> None:
    assert as_code(reason) == shown


@QUIET
@given(st.text(max_size=200) | st.text("@[]`#!:/w.\n ac", max_size=40))
def test_no_text_leaves_its_quotes(reason: str) -> None:
    shown = as_code(reason)
    assert (shown[0], shown[-1], shown[1:-1].count("`")) == ("`", "`", 0)
    assert len(shown.splitlines()) == 1
    assert not re.search(r"[\[\]]|@\w|[#!]\d|\bgh-\d|://\S|www\.", shown[1:-1], re.IGNORECASE)


@QUIET
@given(st.text(max_size=400))
def test_a_reason_stays_in_its_entry(reason: str) -> None:
    before = "spec:\n  teams: {}\n  quarantine:\n    - {model: a/b}\n  owners: []\n"
    document = parse(before.encode(), "platform.yaml")
    wanted = copy.deepcopy(document.data)
    wanted["spec"]["quarantine"].append({"model": "shop/ranker", "reason": shortened(reason)})
    after = edited(document, wanted)
    assert after is not None
    written = yaml.load(after.text, Loader=yaml.CSafeLoader)["spec"]
    assert written == {
        "teams": {}, "owners": [],
        "quarantine": [{"model": "a/b"}, {"model": "shop/ranker", "reason": shortened(reason)}],
    }  # fmt: skip
