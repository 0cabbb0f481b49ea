"""Signatures of evidence, locks and records, judged by `ssh-keygen` and `securesystemslib`: only what a listed signer signed counts."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from generator.cli.main import cli
from generator.gates import sigstore_bundle, ssh_signature
from generator.gates.records import record_bytes
from generator.gates.signatures import check_signatures, record_documents
from generator.plan.model_files import ModelFiles
from generator.spec.signers import Signer
from tests.gates.record_samples import sample
from tests.unit.history.story import Story

ROOT = Path(__file__).resolve().parents[2]
RECORDED = Path(__file__).with_name("sigstore") / "rfc8785-0.1.2.whl"
WORKFLOW = "https://github.com/trailofbits/rfc8785.py/.github/workflows/release.yml@refs/tags/v0.1.2"
ISSUER = "https://token.actions.githubusercontent.com"
LOCK, EVIDENCE = "specs/risk/fraud.lock.yaml", "specs/risk/fraud.evidence.json"
KINDS = {"lock": LOCK, "evidence": EVIDENCE}


@dataclass
class Signing:
    """A copy of the example, whose regulated tier requires signatures."""

    root: Path

    @property
    def platform(self) -> Path:
        return self.root / "specs/platform.yaml"

    def key(self, name: str) -> Path:
        """A fresh key of that name, and its public half next to it."""
        path = self.root.parent / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path], check=True)
        return path

    def require(self, requires: str, *signers: str) -> Signing:
        """Let the regulated tier require signatures, and list the signers."""
        data = yaml.safe_load(self.platform.read_text())
        data["spec"]["tiers"]["regulated"]["requires"] |= yaml.safe_load(f"{{{requires}}}")
        data["spec"]["signers"] = [yaml.safe_load(one) for one in signers]
        self.platform.write_text(json.dumps(data, indent=1, default=str))
        return self

    def run(self, *arguments: str) -> Result:
        done = CliRunner().invoke(cli, [*arguments, "--root", str(self.root)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        return done

    def codes(self) -> set[str]:
        """The codes of signatures that `validate` finds."""
        done = self.run("validate", "risk/fraud", "--format", "json")
        return {f["code"] for f in json.loads(done.stdout)["findings"] if f["code"].startswith("SIGN")}

    def sign(self, key: Path, *more: str) -> None:
        done = self.run("gates", "sign", "risk/fraud", "--key", str(key), *more)
        assert done.exit_code == 0, done.output


def signer(name: str, key: Path, more: str = "", role: str = "ci") -> str:
    public = key.with_name(key.name + ".pub").read_text().strip()
    return f'{{name: {name}, role: {role}, ssh: "{public}"{more}}}'


@pytest.fixture
def signing(tmp_path: Path) -> Signing:
    shutil.copytree(ROOT / "specs", tmp_path / "repository/specs")
    return Signing(tmp_path / "repository")


@pytest.mark.parametrize("form", ["ssh", "dsse"])
@pytest.mark.parametrize("requires", ["signed: true", "signed: [evidence, lock], signedBy: [ci]"])
def test_what_the_tier_requires_is_what_a_listed_signer_signed(signing: Signing, form: str, requires: str):
    key = signing.key("ci")
    signing.require(requires, signer("ci", key))
    assert signing.codes() == {"SIGN101"}
    signing.sign(key, "--format", form)
    assert signing.codes() == set()
    shown = signing.run("gates", "verify-signature", "risk/fraud")
    assert shown.exit_code == 0
    assert shown.output.splitlines() == [
        f"risk/fraud: {kind} signed by ci (ci, {form})" for kind in ("evidence", "lock")
    ]


def _record(signing: Signing, edits: dict[str, Any] | None = None) -> Path:
    """A record of the model in staging."""
    about = {"subject.model": "risk/fraud", **(edits or {})}
    path = signing.root / "specs/risk/fraud.staging.record.json"
    path.write_bytes(record_bytes(sample(about)))
    return path


@pytest.mark.parametrize("form", ["ssh", "dsse"])
@pytest.mark.parametrize(("requires", "code"), [("signed: [evidence]", "SIGN101"), ("signed: [lock]", "")])
def test_records_are_signed_where_evidence_is(signing: Signing, form: str, requires: str, code: str):
    key = signing.key("ci")
    signing.require(requires, signer("ci", key)).sign(key)
    path = _record(signing)
    assert signing.codes() == ({code} if code else set())
    signing.sign(key, "--format", form, "--document", "record")
    assert signing.codes() == set()
    assert (
        f"risk/fraud: record signed by ci (ci, {form})"
        in signing.run("gates", "verify-signature", "risk/fraud").output
    )
    _record(signing, {"exposed": 36001})
    assert signing.codes() == ({"SIGN102"} if code else set())
    path.unlink()
    assert signing.codes() == set()


def test_no_field_of_a_signed_record_can_be_edited(signing: Signing):
    key = signing.key("ci")
    _record(signing)
    signing.require("signed: true", signer("ci", key)).sign(key)
    (document,) = record_documents(files_of(signing), signing.root, ["staging"])
    signers = [Signer.model_validate(yaml.safe_load(signer("ci", key)))]
    assert check_signatures(document, signers).valid
    texts = re.findall(r'(?m)^ +"\w+": (?:"[^"]+"|[0-9.]+|true|false)', document.content.decode())
    assert len(texts) > 40
    for text in texts:
        changed = (
            document.content.decode()
            .replace(text, text[:-1] + ("x" if text[-1] != '"' else 'x"'), 1)
            .encode()
        )
        assert changed != document.content
        assert not check_signatures(dataclasses.replace(document, content=changed), signers).valid, text


def files_of(signing: Signing) -> ModelFiles:
    return ModelFiles("risk", "fraud", signing.root / "specs/risk/fraud.yaml")


def test_the_plan_and_the_page_show_who_signed(signing: Signing, tmp_path: Path):
    key = signing.key("ci")
    signing.require("signed: true", signer("ci-main", key)).sign(key)
    lines = [f"{kind} signed by ci-main (ci, dsse)" for kind in ("evidence", "lock")]
    text = signing.run("plan", "risk/fraud", "--full").output
    assert all(line in text for line in lines)
    plans = json.loads(signing.run("plan", "risk/fraud", "--format", "json").stdout)["plans"]
    signed = [
        {"document": kind, "by": "ci-main", "role": "ci", "form": "dsse"} for kind in ("evidence", "lock")
    ]
    assert all(plan["gates"]["signed"] == signed for plan in plans)
    page = signing.run("plan", "risk/fraud", "--format", "html").output
    assert all(line in page for line in lines)


def test_the_audit_shows_who_signed_each_release_by_the_signers_of_that_time(signing: Signing):
    key = signing.key("ci-old")
    signing.require("signed: true", signer("ci-2026", key)).sign(key, "--format", "ssh")
    story = Story(signing.root)
    story.git("init", "--quiet")
    story.commit("Release", "2026-11-24T10:00:00+00:00")
    lock = signing.root / LOCK
    text = lock.read_text()
    lock.write_text(text.replace(yaml.safe_load(text)["model"]["digest"], f"sha256:{'1' * 64}"))
    story.commit("Another version, with the signature of the first", "2026-11-26T10:00:00+00:00")
    lock.write_text(text)
    signing.require("signed: true", signer("ci-2027", signing.key("ci-new")))
    story.commit("Replace the key", "2026-11-28T10:00:00+00:00")
    lines = ["evidence signed by ci-2026 (ci, ssh)", "lock signed by ci-2026 (ci, ssh)"]
    text = story.told("audit", "risk/fraud", "--at", "2026-11-25")
    assert all(line in text for line in lines)
    assert all(line in story.told("audit", "risk/fraud", "--format", "html") for line in lines)
    assert f"; {lines[1]}" in story.told("audit", "risk/fraud", "--format", "csv")
    first, second, third = json.loads(story.told("audit", "risk/fraud", "--format", "json"))["releases"]
    signed = {"environment": None, "by": "ci-2026", "role": "ci", "form": "ssh"}
    assert first["signatures"] == [{"document": kind, **signed} for kind in ("evidence", "lock")]
    assert [item["document"] for item in second["signatures"]] == ["evidence"]
    assert third["signatures"] == []


def test_a_tier_that_requires_nothing_needs_no_signature(signing: Signing):
    assert signing.codes() == set()


def test_render_refuses_what_is_not_signed(signing: Signing):
    signing.require("signed: [lock]", signer("ci", signing.key("ci")))
    done = signing.run("render", "risk/fraud")
    assert (done.exit_code, "SIGN101" in done.output) == (1, True)
    assert not list(signing.root.glob("rendered/production/risk/fraud/rollout*"))


@pytest.mark.parametrize("form", ["ssh", "dsse"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_document_that_changed_after_it_was_signed(signing: Signing, form: str, kind: str):
    key = signing.key("ci")
    signing.require(f"signed: [{kind}]", signer("ci", key)).sign(key, "--format", form)
    path = signing.root / KINDS[kind]
    path.write_bytes(path.read_bytes() + b"\n")
    assert "SIGN102" in signing.codes()


@pytest.mark.parametrize("form", ["ssh", "dsse"])
def test_a_laptop_is_refused_where_only_the_key_of_ci_counts(signing: Signing, form: str):
    laptop = signing.key("laptop")
    signing.require("signed: true, signedBy: [ci]", signer("alice", laptop, role="person"))
    signing.sign(laptop, "--format", form)
    assert signing.codes() == {"SIGN103"}
    done = signing.run("gates", "verify-signature", "risk/fraud")
    assert (done.exit_code, "`alice` (person) signed this" in done.output) == (1, True)


@pytest.mark.parametrize("form", ["ssh", "dsse"])
def test_a_key_that_is_not_listed(signing: Signing, form: str):
    signing.require("signed: true", signer("ci", signing.key("ci"))).sign(
        signing.key("other"), "--format", form
    )
    assert signing.codes() == {"SIGN102"}


@pytest.mark.parametrize("form", ["ssh", "dsse"])
@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("", None),
        (", from: 2026-11-23, until: 2026-11-23", None),
        (", until: 2026-11-22", "SIGN103"),
        (", from: 2026-11-24", "SIGN103"),
        (", revoked: 2026-11-29", "SIGN103"),
        (", from: 2026-11-01, until: 2027-11-01, revoked: 2026-11-30", "SIGN103"),
    ],
)
def test_rotation_and_revocation(signing: Signing, form: str, more: str, code: str | None):
    """The documents are of 2026-11-23. A key that was replaced still counts for them; a revoked one never does."""
    key = signing.key("ci")
    signing.require("signed: true", signer("ci", key, more)).sign(key, "--format", form)
    assert signing.codes() == ({code} if code else set())


def test_after_a_rotation_either_key_counts_for_its_own_time(signing: Signing):
    old, new = signing.key("old"), signing.key("new")
    signing.require(
        "signed: true", signer("old", old, ", until: 2026-11-23"), signer("new", new, ", from: 2026-11-24")
    )
    signing.sign(old)
    assert signing.codes() == set()
    signing.sign(new)
    assert signing.codes() == {"SIGN103"}


@pytest.mark.parametrize("form", ["ssh", "dsse"])
def test_a_revoked_key_counts_under_no_other_name_or_form(signing: Signing, form: str):
    key = signing.key("ci")
    raw = base64.b64encode(ssh_signature.public_bytes(key.with_name("ci.pub").read_text())[-32:]).decode()
    revoked = f'{{name: old, role: ci, ed25519: "{raw}", revoked: 2026-11-29}}'
    signing.require("signed: [lock]", signer("ci", key), revoked).sign(key, "--format", form)
    assert signing.codes() == {"SIGN103"}


def test_one_signature_that_counts_is_enough_next_to_others(signing: Signing):
    """An envelope that a laptop, a revoked key and CI signed: CI counts, in whichever order the platform lists them."""
    old, laptop, ci = (signing.key(name) for name in ("old", "laptop", "ci"))
    path = signing.root / f"{LOCK}.dsse.json"
    signers = (
        signer("old", old, ", revoked: 2026-11-01"),
        signer("alice", laptop, role="person"),
        signer("ci", ci),
    )
    signing.require("signed: [lock], signedBy: [ci]", *signers)
    envelopes = []
    for key in (old, laptop, ci):
        signing.sign(key, "--document", "lock", "--format", "dsse")
        envelopes.append(json.loads(path.read_text()))
    both = {**envelopes[0], "signatures": [one["signatures"][0] for one in envelopes]}
    path.write_text(json.dumps(both))
    assert signing.codes() == set()
    path.write_text(json.dumps({**both, "signatures": both["signatures"][:2]}))
    assert signing.codes() == {"SIGN103"}
    path.write_text(json.dumps({**both, "signatures": both["signatures"] * 2_000}))
    assert signing.codes() == {"SIGN102"}


def test_a_key_that_the_library_can_not_load_is_a_finding(signing: Signing):
    point = b"".join(map(ssh_signature._string, (b"ecdsa-sha2-nistp256", b"nistp256", b"\2" + b"\1" * 32)))
    public = f"ecdsa-sha2-nistp256 {base64.b64encode(point).decode()}"
    parts = (
        point,
        b"sluice/lock/v1:risk/fraud",
        b"",
        b"sha512",
        ssh_signature._string(b"ecdsa-sha2-nistp256") * 2,
    )
    raw = b"SSHSIG\0\0\0\1" + b"".join(map(ssh_signature._string, parts))
    text = f"-----BEGIN SSH SIGNATURE-----\n{base64.b64encode(raw).decode()}\n-----END SSH SIGNATURE-----\n"
    (signing.root / f"{LOCK}.sig").write_text(text)
    listed = f'{{name: ci, role: ci, ssh: "{public}"}}'
    for signers in ([listed], [signer("ci", signing.key("ci"))]):
        signing.require("signed: [lock]", *signers)
        assert signing.codes() == {"SIGN102"}


@pytest.mark.parametrize("command", [["sign", "--key", "ci"], ["verify-signature"]])
def test_an_invalid_platform_is_reported(signing: Signing, command: list[str]):
    signing.require("signed: [lock], signedBy: [CI]", signer("ci", signing.key("ci")))
    command = [str(signing.root.parent / part) if part == "ci" else part for part in command]
    done = signing.run("gates", *command, "risk/fraud")
    assert (done.exit_code in {1, 2}, "platform.yaml" in done.output) == (True, True), done.output


def test_a_signature_is_not_read_through_a_link(signing: Signing):
    key = signing.key("ci")
    signing.require("signed: [lock]", signer("ci", key)).sign(key, "--format", "ssh")
    signature = signing.root / f"{LOCK}.sig"
    signature.symlink_to(signature.rename(signing.root.parent / "elsewhere"))
    assert signing.codes() == {"SIGN102"}


def test_a_signature_of_another_kind_or_model_does_not_fit(signing: Signing):
    key = signing.key("ci")
    signing.require("signed: [lock]", signer("ci", key)).sign(key, "--format", "ssh")
    lock = signing.root / LOCK
    for namespace in ("sluice/evidence/v1:risk/fraud", "sluice/lock/v1:shop/recommender", "git", "file"):
        _ssh_keygen(key, namespace, lock)
        assert signing.codes() == {"SIGN102"}
    _ssh_keygen(key, "sluice/lock/v1:risk/fraud", lock)
    assert signing.codes() == set()


def _ssh_keygen(key: Path, namespace: str, document: Path) -> None:
    document.with_name(document.name + ".sig").unlink(missing_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", namespace, document], check=True)


@pytest.mark.parametrize(
    "kind", [["ed25519"], ["rsa", "-b", "2048"], ["ecdsa", "-b", "256"], ["ecdsa", "-b", "521"]]
)
def test_signatures_of_ssh_keygen_verify(signing: Signing, tmp_path: Path, kind: list[str]):
    key = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", *kind, "-N", "", "-C", "me", "-f", key], check=True)
    signing.require("signed: [lock]", signer("ci", key))
    _ssh_keygen(key, "sluice/lock/v1:risk/fraud", signing.root / LOCK)
    assert signing.codes() == set()


def test_ssh_keygen_verifies_our_signatures(signing: Signing, tmp_path: Path):
    key = signing.key("ci")
    signing.require("signed: [lock]", signer("ci", key)).sign(key, "--format", "ssh")
    (tmp_path / "allowed").write_text(f"ci {key.with_name('ci.pub').read_text()}")
    command = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        tmp_path / "allowed",
        "-I",
        "ci",
        "-n",
        "sluice/lock/v1:risk/fraud",
    ]
    signature = signing.root / f"{LOCK}.sig"
    content = (signing.root / LOCK).read_bytes()
    for given, fine in ((content, True), (content + b"x", False)):
        done = subprocess.run([*command, "-s", signature], input=given, capture_output=True)
        assert (done.returncode == 0) is fine, done.stderr


def test_securesystemslib_verifies_our_envelopes(signing: Signing):
    """The implementation of DSSE that in-toto and TUF use."""
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import VerificationError
    from securesystemslib.signer import SSlibKey

    key = signing.key("ci")
    signing.require("signed: [lock]", signer("ci", key)).sign(key)
    data = json.loads((signing.root / f"{LOCK}.dsse.json").read_text())
    raw = ssh_signature.public_bytes(key.with_name("ci.pub").read_text())[-32:]
    keyid = data["signatures"][0]["keyid"]
    public = SSlibKey(keyid, "ed25519", "ed25519", {"public": raw.hex()})
    envelope = Envelope.from_dict(data)
    assert list(envelope.verify([public], 1)) == [keyid]
    statement = json.loads(envelope.payload)
    lock = signing.root / LOCK
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"][0]["name"] == "risk/fraud"
    assert f"sha256:{statement['subject'][0]['digest']['sha256']}" in lock.read_text()
    assert statement["predicate"]["digest"]["sha256"] == hashlib.sha256(lock.read_bytes()).hexdigest()
    envelope.payload += b" "
    with pytest.raises(VerificationError):
        envelope.verify([public], 1)


def test_a_plain_ed25519_key_signs(signing: Signing, tmp_path: Path):
    private = Ed25519PrivateKey.generate()
    (tmp_path / "key.pem").write_bytes(
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    public = base64.b64encode(private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    signing.require("signed: true", f'{{name: ci, role: ci, ed25519: "{public}"}}').sign(tmp_path / "key.pem")
    assert signing.codes() == set()


@pytest.mark.parametrize("form", ["ssh", "dsse"])
def test_every_changed_byte_of_a_signature_is_seen(signing: Signing, form: str):
    key = signing.key("ci")
    signing.require("signed: [lock]", signer("ci", key)).sign(key, "--format", form)
    path = signing.root / f"{LOCK}.{'sig' if form == 'ssh' else 'dsse.json'}"
    text = path.read_text()
    for number in range(0, len(text), 29):
        changed = text[:number] + ("A" if text[number] != "A" else "B") + text[number + 1 :]
        path.write_text(changed)
        if form == "dsse" and json_equal(changed, text):
            continue
        assert signing.codes() == {"SIGN102"}, changed


def json_equal(one: str, other: str) -> bool:
    """Whether two envelopes differ at most in the hint which key was used."""
    try:
        a, b = json.loads(one), json.loads(other)
        for item in (a, b):
            item["signatures"][0].pop("keyid", None)
            item["signatures"][0] = {k: v for k, v in item["signatures"][0].items() if k == "sig"}
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return a == b


@pytest.mark.parametrize("text", ["", "x", "{}", "[]", "null", '{"payload": 1}', "[" * 5000, "-----BEGIN SSH SIGNATURE-----\n\n-----END SSH SIGNATURE-----\n", "-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----\n", "ü\x00"])  # fmt: skip
@pytest.mark.parametrize("suffix", [".sig", ".dsse.json", ".sigstore.json"])
def test_what_is_no_signature(signing: Signing, suffix: str, text: str):
    signing.require("signed: [lock]", signer("ci", signing.key("ci")))
    (signing.root / f"{LOCK}{suffix}").write_text(text)
    assert signing.codes() == {"SIGN102"}


@pytest.mark.parametrize("kind", ["rsa", "text", "encrypted", "missing algorithm"])
def test_a_key_that_can_not_sign(signing: Signing, tmp_path: Path, kind: str):
    key = tmp_path / "key"
    commands = {"rsa": ["-t", "rsa", "-b", "2048", "-N", ""], "encrypted": ["-t", "ed25519", "-N", "secret"]}
    if kind in commands:
        subprocess.run(["ssh-keygen", "-q", *commands[kind], "-f", key], check=True)
    else:
        key.write_text("-----BEGIN PRIVATE KEY-----\n" if kind == "text" else "")
    done = signing.run("gates", "sign", "risk/fraud", "--key", str(key))
    assert done.exit_code == 2
    assert "ssh-keygen -t ed25519" in done.output


def _identity(identity: str = WORKFLOW, issuer: str = ISSUER) -> Signer:
    return Signer.model_validate(
        {"name": "ci", "role": "ci", "oidc": {"issuer": issuer, "identity": identity}}
    )


def test_a_recorded_bundle_of_a_workload_verifies_offline():
    raw = RECORDED.with_name(RECORDED.name + ".sigstore.json").read_bytes()
    assert sigstore_bundle.verify(raw, RECORDED.read_bytes(), [_identity()]).name == "ci"
    refused = {
        "another workflow": (raw, RECORDED.read_bytes(), [_identity(WORKFLOW.replace("release", "other"))]),
        "another issuer": (raw, RECORDED.read_bytes(), [_identity(issuer="https://gitlab.com")]),
        "other bytes": (raw, RECORDED.read_bytes() + b"x", [_identity()]),
        "no identity": (raw, RECORDED.read_bytes(), []),
        "no bundle": (b"{}", RECORDED.read_bytes(), [_identity()]),
    }
    for arguments in refused.values():
        with pytest.raises(sigstore_bundle.BundleError):
            sigstore_bundle.verify(*arguments)
