"""What `sluice verify` reads: files, documents and words, and what it says of those that it cannot read."""

from __future__ import annotations

import os
import subprocess
from contextlib import chdir
from pathlib import Path

import pytest

from generator.lint.verification import verify
from tests.unit.lint.bundle import CONFIG


@pytest.mark.parametrize(
    ("name", "content", "code", "place"),
    [
        ("a.yaml", b"a: \xff\n", "VER104", "a.yaml"),
        ("a.yaml", "a: [1\nb: 2\n", "VER105", "a.yaml:2:2"),
        ("a.yaml", "kind: A\nkind: B\n", "VER106", "a.yaml:2:1"),
        ("a.json", '{"kind": "A",\n "kind": "B"}', "VER106", "a.json"),
        ("a.json", "{", "VER105", "a.json:1:2"),
        ("a.yaml", "[" * 5000, "VER105", "a.yaml:1:129"),
        ("a.json", "[" * 100_000, "VER105", "a.json"),
        ("a.json", "[" * 200 + "]" * 200, "VER105", "a.json"),
        ("a.yaml", "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)
        ), "VER105", "a.yaml"),
        ("a.yaml", "a: *b\n", "VER105", "a.yaml:1:4"),
        ("a.yaml", "a: !!python/object/apply:os.getcwd []\n", "VER105", "a.yaml:1:4"),
    ],
    ids=lambda value: repr(value)[:24],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_a_finding(tree, name, content, code, place):
    ((found, where, _),) = tree({name: content})
    assert (found, where) == (code, place)


def test_a_large_file_is_not_read(tree):
    ((code, _, message),) = tree({"a.yaml": b"#" * (8 * 1024 * 1024 + 1)})
    assert code == "VER103"
    assert "at most 8,388,608 are read" in message


def test_links_and_special_files_are_reported_and_not_followed(tree, tmp_path):
    outside = tmp_path / "real"
    outside.mkdir()
    (tmp_path / "folder").symlink_to(outside)
    (tmp_path / "link.yaml").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe.yaml")
    assert [(code, place) for code, place, _ in tree({})] == [
        ("VER102", "folder"),
        ("VER102", "link.yaml"),
        ("VER101", "pipe.yaml"),
    ]


def test_folders_that_are_too_deep_are_a_finding(tree, tmp_path):
    with chdir(tmp_path):
        for _ in range(1500):
            Path("d").mkdir()
            os.chdir("d")
        Path("a.yaml").write_text(CONFIG)
    ((code, place, message),) = tree({})
    subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)
    assert (code, place.count("d/")) == ("VER101", 64)
    assert message == "cannot be read: more than 64 folders deep"


def test_a_missing_folder_is_a_finding(tmp_path):
    (finding,) = verify(tmp_path / "nowhere").findings
    assert finding.code == "VER101"


def test_other_yaml_is_ignored_with_a_note(tree, tmp_path):
    assert (
        tree({"values.yaml": "a: 1\n", "list.yaml": "- a\n", "empty.yaml": "", "notes.txt": "kind: x"}) == []
    )
    assert verify(tmp_path).unchecked == (
        "3 files have no Kubernetes object: empty.yaml, list.yaml, values.yaml",
    )


def test_an_unknown_kind_is_noted(tree, tmp_path):
    ((code, place, _),) = tree({"a.yaml": "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\n"})
    assert (code, place) == ("VER110", "a.yaml:2:7")
    assert "example.com/v1 Thing (1 in the tree)" in verify(tmp_path).unchecked[0]


def test_documents_and_lists_are_opened(tree):
    several = CONFIG + "---\n" + CONFIG.replace("digits-env", "b").replace("\ndata:", "\ndat:")
    listed = (
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Namespace\n  metadata: {name: A}\n"
    )
    found = tree({"a.yaml": several, "b.yaml": listed, "c.json": '{"kind": "Namespace", "apiVersion": "v1"}'})
    assert [(code, place) for code, place, _ in found] == [
        ("VER111", "a.yaml:9:1"),
        ("VER114", "b.yaml:6:20"),
        ("VER112", "c.json:1:1"),
    ]


def test_words_are_read_as_kubernetes_reads_them(tree):
    text = CONFIG.replace('A: "1"', "A: on, B: 012, C: 1_000, D: 2026-11-23, E: 12:30:45, F: yes-or-no")
    found = tree({"a.yaml": text})
    assert [message.partition(":")[0] for _, _, message in found] == ["data.A", "data.B", "data.C"]


def test_merge_keys_are_resolved(tree):
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: &m {name: a}\ndata: {<<: *m, k: v}\n"
    assert tree({"a.yaml": text}) == []


def test_keys_are_text(tree):
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {1: a, true: b, 1.5: c}}\n"
    assert tree({"a.yaml": text}) == []
    found = tree(
        {"a.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {5: b, ports: [{port: 1}]}\n"}
    )
    assert [(code, place) for code, place, _ in found] == [("VER111", "a.yaml:4:8")]


def test_a_null_key_is_a_finding(tree):
    ((code, _, message),) = tree({"a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, ~: b}\n"})
    assert (code, message) == ("VER105", "cannot be parsed: a key is null")
