"""`sluice verify --cluster`: what a real API server refuses becomes findings; why it can't be asked, one sentence."""

from __future__ import annotations

import json
import socket
import sys

import pytest
from click.testing import CliRunner

from generator.cli.main import cli
from generator.cluster.server import ApiResource, ClusterError, connect, path_of
from generator.lint import CODES
from tests.unit.cluster.conftest import kubeconfig, status

CONFIG_MAP = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: {space}\ndata:\n  key: text\n"
)


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "one.yaml").write_text(CONFIG_MAP.format(name="one", space="shop"))
    (folder / "two.yaml").write_text(CONFIG_MAP.format(name="two", space="shop"))
    return folder


def ask(tree, config, *more):
    """Return the exit code, the findings by code and place, and the rest of the output."""
    arguments = [str(tree), "--cluster", "--kubeconfig", str(config), "--format", "json", *more]
    done = CliRunner().invoke(cli, ["verify", *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    found = json.loads(done.stdout)["findings"] if done.stdout else []
    return done.exit_code, found, done.stderr


def codes(found):
    return sorted(item["code"] for item in found)


def test_what_is_accepted_leaves_no_finding_and_is_asked_strictly(tree, tmp_path, standin):
    code, found, _ = ask(tree, kubeconfig(tmp_path, standin.address))
    assert (code, found) == (0, [])
    patches = sorted(asked for asked in standin.asked if asked[0] == "PATCH")
    assert [path.partition("?")[0] for _, path, _ in patches] == [
        "/api/v1/namespaces/shop/configmaps/one",
        "/api/v1/namespaces/shop/configmaps/two",
    ]
    for _, path, media in patches:
        query = path.partition("?")[2].split("&")
        assert {"dryRun=All", "fieldValidation=Strict", "force=true"} <= set(query)
        assert media == "application/apply-patch+yaml"
    assert {asked[0] for asked in standin.asked} == {"GET", "PATCH"}


def test_a_refusal_points_at_the_field(tree, tmp_path, standin):
    message = 'ConfigMap "one" is invalid: data[key]: Invalid value: "text": not this'
    standin.reply = lambda _, path: (
        status(422, message, [{"reason": "FieldValueInvalid", "field": "data[key]"}])
        if path.endswith("/one")
        else (200, {})
    )
    code, found, _ = ask(tree, kubeconfig(tmp_path, standin.address))
    assert (code, codes(found)) == (1, ["VER170"])
    assert message in found[0]["message"]
    place = found[0]["place"]
    assert (place["file"], place["line"]) == ("one.yaml", 7)


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("failed to create typed patch object (shop/one; /v1, Kind=ConfigMap): .metadata.names: field not declared in schema", 3),
        ('ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "metadata.names"', 3),
    ],
)  # fmt: skip
def test_an_unknown_field_is_found_in_the_words_of_both_decoders(message, line, tree, tmp_path, standin):
    standin.reply = lambda _, path: status(500, message) if path.endswith("/one") else (200, {})
    code, found, _ = ask(tree, kubeconfig(tmp_path, standin.address))
    assert (code, codes(found)) == (1, ["VER170"])
    place = found[0]["place"]
    assert place["line"] == line


def test_admission_is_a_refusal_and_a_missing_right_is_not(tree, tmp_path, standin):
    admission = 'pods "one" is forbidden: violates PodSecurity "restricted:latest": privileged'
    standin.reply = lambda _, __: status(403, admission)
    code, found, _ = ask(tree, kubeconfig(tmp_path, standin.address))
    assert (code, codes(found)) == (1, ["VER170", "VER170"])
    right = 'configmaps "one" is forbidden: User "ci" cannot patch resource "configmaps" in API group "" in the namespace "shop"'
    standin.reply = lambda _, __: status(403, right)
    code, found, _ = ask(tree, kubeconfig(tmp_path, standin.address))
    assert (code, codes(found)) == (1, ["VER173"])  # told once for a kind and a namespace


def test_a_missing_namespace_is_told_once_and_fails_only_strictly(tree, tmp_path, standin):
    standin.reply = lambda _, __: status(404, 'namespaces "shop" not found')
    config = kubeconfig(tmp_path, standin.address)
    code, found, _ = ask(tree, config)
    assert (code, codes(found)) == (0, ["VER172"])
    code, found, _ = ask(tree, config, "--strict")
    assert (code, codes(found)) == (1, ["VER172"])


def test_a_kind_that_is_not_served(tree, tmp_path, standin):
    text = CONFIG_MAP.format(name="three", space="shop").replace("ConfigMap", "Secret")
    text = text.replace("\ndata", "\nstringData")
    (tree / "three.yaml").write_text(text)
    code, found, _ = ask(tree, kubeconfig(tmp_path, standin.address))
    assert (code, codes(found)) == (1, ["VER171"])


_ANSWERS = {
    "VER170": status(422, 'ConfigMap "one" is invalid: data[key]: Invalid value: "text": not this'),
    "VER171": (200, {}),
    "VER172": status(404, 'namespaces "missing" not found'),
    "VER173": status(403, 'configmaps "one" is forbidden: User "ci" cannot patch resource "configmaps"'),
}


@pytest.mark.parametrize("name", _ANSWERS)
def test_the_example_of_a_code_trips_it(name, tmp_path, standin):
    standin.reply = lambda _, __: _ANSWERS[name]
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "one.yaml").write_text(CODES[name].example.partition("$ ")[0])
    _, found, _ = ask(folder, kubeconfig(tmp_path, standin.address))
    assert codes(found) == [name]


def test_nobody_is_asked_without_the_option(tree, standin):
    done = CliRunner().invoke(cli, ["verify", str(tree)])
    assert done.exit_code == 0
    assert standin.asked == []


def refused(tree, config, *more):
    code, _, said = ask(tree, config, *more)
    assert code == 2
    assert "Traceback" not in said
    return said


def test_no_kubeconfig(tree, tmp_path):
    assert "no cluster is configured by" in refused(tree, tmp_path / "nothing")


@pytest.mark.parametrize("text", ["", "a: [", "[1]", "5", "clusters: 7\nusers: 8\ncontexts: 9\n", "\x00"])
def test_a_kubeconfig_that_is_none(text, tree, tmp_path):
    (tmp_path / "broken").write_text(text)
    assert "no cluster is configured by" in refused(tree, tmp_path / "broken")


def test_a_context_that_is_not_there(tree, tmp_path, standin):
    assert "nowhere" in refused(tree, kubeconfig(tmp_path, standin.address), "--context", "nowhere")


def test_nothing_is_configured_anywhere(tmp_path, monkeypatch):
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "none"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ClusterError, match=r"KUBECONFIG or ~/\.kube/config"):
        connect(None, None)


def test_an_unreachable_server(tree, tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        said = refused(tree, kubeconfig(tmp_path, address))
    assert f"{address} can't be reached: Connection refused" in said
    assert "refused" in said


def test_a_server_that_does_not_know_who_asks(tree, tmp_path, standin):
    standin.reply = lambda _, __: status(401, "Unauthorized")
    assert " failed: Unauthorized" in refused(tree, kubeconfig(tmp_path, standin.address))


def test_a_server_that_speaks_no_json(tree, tmp_path, standin):
    standin.reply = lambda _, __: (502, ["not", "a", "status"])
    code, found, _ = ask(tree, kubeconfig(tmp_path, standin.address))
    assert (code, codes(found)) == (1, ["VER170", "VER170"])


def test_the_client_is_not_installed(tree, tmp_path, standin, monkeypatch):
    monkeypatch.setitem(sys.modules, "kubernetes.client", None)
    config = kubeconfig(tmp_path, standin.address)
    with pytest.raises(ClusterError, match=r"sluicegate\[kubernetes\]"):
        connect(config, None)


def test_options_that_need_the_option(tree):
    done = CliRunner().invoke(cli, ["verify", str(tree), "--context", "here"])
    assert done.exit_code == 2
    assert "--context and --kubeconfig need --cluster" in done.stderr


def test_a_name_does_not_leave_its_place_in_the_path():
    assert path_of("v1", ApiResource("configmaps", True), "a/b", "../c?d") == (
        "/api/v1/namespaces/a%2Fb/configmaps/..%2Fc%3Fd"
    )
