"""The text of locks: comments stay, and what is written reads back as what was meant."""

from __future__ import annotations

import string

import yaml
from hypothesis import given
from hypothesis import strategies as st

from generator.cluster.pins.lock import lock_text
from generator.source.reader import parse

A, B, C = ("sha256:" + digit * 64 for digit in "abc")
OLD = f"""\
# yaml-language-server: $schema=../../docs/schema/lock.json
schema: sluice/lock/v1
model:
  # asked by the team
  ref: 'mlflow:fraud@champion'   # moves
  resolved: "models:/m-1"
  version: "12"
  digest: {A}
  at: "2026-01-01T00:00:00Z"
  by: sluice 0.1.0, MLflow
# pushed by CI
image:
  digest: {B}
  bento: "0123456789ab"

# what the gates read
data:
  # training
  "dvc:a": {{resolved: "dvc:a@1#md5=1", digest: "{A}"}}
  # production
  "dvc:b": {{resolved: "dvc:b@1#md5=1", digest: "{B}"}}
# the end
"""


def old():
    return parse(OLD.encode(), "lock").data


def test_what_changed_is_edited_and_every_comment_stays():
    wanted = old()
    wanted["model"] |= {"resolved": "models:/m-2", "version": "13", "digest": C, "by": "sluice: by me"}
    wanted["data"]["dvc:b"]["digest"] = C
    lines = lock_text(OLD, wanted).splitlines()
    assert len(lines) == len(OLD.splitlines())
    changed = [line for line, before in zip(lines, OLD.splitlines(), strict=True) if line != before]
    assert changed == [
        '  resolved: "models:/m-2"',
        '  version: "13"',
        f"  digest: {C}",
        '  by: "sluice: by me"',
        f'  "dvc:b": {{resolved: "dvc:b@1#md5=1", digest: "{C}"}}',
    ]


def test_the_style_of_quotes_stays():
    wanted = old()
    wanted["model"]["ref"] = "mlflow:it's/13"
    assert "  ref: 'mlflow:it''s/13'   # moves\n" in lock_text(OLD, wanted)


def test_an_image_goes_with_the_comment_above_it():
    wanted = old()
    del wanted["image"]
    assert lock_text(OLD, wanted) == OLD[: OLD.index("# pushed")] + OLD[OLD.index("\n# what the gates") :]


def test_data_sets_come_and_go():
    wanted = old()
    del wanted["data"]["dvc:a"]
    wanted["data"]["c d"] = {"resolved": "c d#sha256=1", "digest": C}
    text = lock_text(OLD, wanted)
    assert "# training" not in text
    assert f'"{B}"}}\n  "c d": {{resolved: "c d#sha256=1", digest: {C}}}\n# the end\n' in text
    del wanted["data"]["dvc:b"]
    assert "# production" not in lock_text(text, wanted)
    del wanted["data"]
    text = lock_text(OLD, wanted)
    assert "data" not in yaml.safe_load(text)
    assert text.endswith("# the end\n")


def test_data_where_there_was_none():
    wanted = old()
    data = wanted.pop("data")
    text = lock_text(OLD, wanted).rstrip("\n")
    wanted["data"] = data
    added = lock_text(text, wanted)
    head, _, end = text.partition('"0123456789ab"\n')
    assert added.startswith(head)
    assert added.endswith(end)
    assert yaml.safe_load(added) == wanted


def test_a_lock_that_can_not_be_edited_is_written_anew_below_its_first_comments():
    folded = "# first\n# second\nschema: sluice/lock/v1\nmodel:\n  # lost\n  ref: >-\n    mlflow:fraud\n"
    wanted = old()
    text = lock_text(folded, wanted)
    assert text.startswith("# first\n# second\nschema: sluice/lock/v1\nmodel:\n")
    assert yaml.safe_load(text) == wanted


def test_windows_line_ends_and_a_missing_last_one():
    wanted = old()
    wanted["data"]["c"] = {"resolved": "c", "digest": C}
    text = OLD.replace("# the end\n", "").rstrip("\n").replace("\n", "\r\n")
    assert yaml.safe_load(lock_text(text, wanted)) == wanted


LINES = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"], include_characters=" "), min_size=1
)
NAMES = st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=20)
DIGESTS = st.sampled_from([A, B, C])
LOCKS = st.fixed_dictionaries(
    {
        "schema": st.just("sluice/lock/v1"),
        "model": st.fixed_dictionaries(
            {"ref": LINES, "resolved": LINES, "version": NAMES, "digest": DIGESTS, "at": LINES, "by": LINES}
        ),
    },
    optional={
        "image": st.fixed_dictionaries({"digest": DIGESTS, "bento": NAMES}),
        "data": st.dictionaries(
            LINES, st.fixed_dictionaries({"resolved": LINES, "digest": DIGESTS}), min_size=1, max_size=4
        ),
    },
)


@given(LOCKS, LOCKS)
def test_whatever_a_lock_held_it_then_holds_what_was_meant(before, after):
    text = lock_text(None, before)
    assert yaml.safe_load(text) == before
    assert lock_text(text, before) == text
    assert yaml.safe_load(lock_text(text, after)) == after


@given(LOCKS)
def test_a_commented_lock_becomes_any_other(after):
    text = lock_text(OLD, after)
    assert yaml.safe_load(text) == after
    assert text.startswith("# yaml-language-server")
