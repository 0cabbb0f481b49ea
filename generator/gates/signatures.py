"""Signatures of the documents next to a spec: who signed them, and whether that is who the tier requires.

A signature of `X` is a file next to it: `X.sig` (SSH), `X.dsse.json` (DSSE) or `X.sigstore.json` (Sigstore). Keys are
those of the platform. A signature is judged by the day that the document itself has, so no clock is read.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generator.dataclass import dataclass
from generator.gates import envelope, ssh_signature
from generator.gates.records import read_record, record_bytes
from generator.gates.strict_json import parse_json
from generator.plan.model_files import SIGNATURES, ModelFiles
from generator.plan.resolve import Planned
from generator.source.files import RefusedError, regular_bytes
from generator.source.finding import Finding, Place
from generator.source.reader import display, parse
from generator.spec.check import check
from generator.spec.promotion import PromotionFile
from generator.spec.signers import Oidc, SignedBy, Signer

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MISSING, INVALID, REFUSED = "SIGN101", "SIGN102", "SIGN103"
SCHEMAS: Final = {kind: f"sluice/{kind}/v1" for kind in ("evidence", "lock", "record", "promotion")}


class SignatureError(Exception):
    """A signature does not count: the code of its finding, and one sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class SignedDocument:
    """A document that can be signed.

    Args:
        kind: evidence, lock, record or promotion.
        path: the file.
        shown: its path in messages.
        model: team/model.
        model_sha256: SHA-256 (hex) of the model's bytes.
        day: the day that the document itself has (ISO 8601); empty if it has none.
        content: its bytes.
        environment: of a promotion, which does not name it itself; empty for the others.
    """

    kind: str
    path: Path
    shown: str
    model: str
    model_sha256: str
    day: str
    content: bytes
    environment: str = ""

    @property
    def schema(self) -> str:
        """The schema of the document."""
        return SCHEMAS[self.kind]

    @property
    def namespace(self) -> str:
        """The namespace of its SSH signatures: a signature of another kind, model or environment does not fit."""
        return f"{self.schema}:{self._subject}"

    @property
    def _subject(self) -> str:
        return f"{self.model}:{self.environment}" if self.environment else self.model

    @property
    def statement(self) -> dict[str, object]:
        """The in-toto statement about it."""
        digest = hashlib.sha256(self.content).hexdigest()
        return envelope.statement(self._subject, self.model_sha256, self.schema, digest)


@dataclass(frozen=True, slots=True)
class CheckedSignatures:
    """The signatures of one document: those that count, and why others do not."""

    valid: tuple[SignedBy, ...]
    problems: tuple[Finding, ...]


def signed_documents(entry: ModelFiles, root: Path, planned: Planned) -> list[SignedDocument]:
    """Return the documents next to a spec that exist and can be signed."""
    lock = planned.source.lock
    if lock is None:
        return []
    digest = lock.model.digest.removeprefix("sha256:")
    found = []
    for kind, path in (("evidence", entry.evidence), ("lock", entry.lock)):
        try:
            content = regular_bytes(path)
        except (OSError, RefusedError):
            continue
        day = lock.model.at[:10] if kind == "lock" else evidence_day(content)
        found.append(SignedDocument(kind, path, display(path, root), entry.name, digest, day, content))
    environments = planned.source.platform.environments
    return (
        found + record_documents(entry, root, environments) + promotion_documents(entry, root, environments)
    )


def promotion_documents(entry: ModelFiles, root: Path, environments: Iterable[str]) -> list[SignedDocument]:
    """Return the locks of a model in some environments; each is signed for the bytes and the day that it names."""
    found = []
    for environment in environments:
        path = entry.promotion(environment)
        shown = display(path, root)
        try:
            content = regular_bytes(path)
        except (OSError, RefusedError):
            continue
        document = parse(content, shown)
        lock = None if document.findings else check(PromotionFile, document)[0]
        if lock is not None:
            digest, day = lock.model.digest.removeprefix("sha256:"), lock.at[:10]
            found.append(
                SignedDocument("promotion", path, shown, entry.name, digest, day, content, environment)
            )
    return found


def record_documents(entry: ModelFiles, root: Path, environments: Iterable[str]) -> list[SignedDocument]:
    """Return the records of a model in some environments; each is signed for the bytes and the day that it names."""
    found = []
    for environment in environments:
        path = entry.record(environment)
        record = read_record(path, root, entry.name, environment).content
        if record is None:
            continue
        digest = record.subject.model_digest.removeprefix("sha256:")
        shown, content = display(path, root), record_bytes(record)
        found.append(SignedDocument("record", path, shown, entry.name, digest, record.end[:10], content))
    return found


def check_signatures(
    document: SignedDocument, signers: Sequence[Signer], read: Callable[[Path], bytes] | None = None
) -> CheckedSignatures:
    """Verify every signature next to a document.

    Args:
        document: what was signed.
        signers: of the platform.
        read: returns the bytes of a file that exists, else raises FileNotFoundError; None reads from the disk.
    """
    valid, problems = [], []
    for suffix, (form, verify) in _FORMS.items():
        path = document.path.with_name(document.path.name + suffix)
        try:
            found = _counting(verify((read or _signature_bytes)(path), document, signers), signers, document)
        except FileNotFoundError:
            continue
        except SignatureError as error:
            problems.append(_finding(error.code, f"{document.shown}{suffix}", str(error), document))
        except (OSError, RefusedError, ValueError) as error:
            message = str(error.args[-1]) if isinstance(error, ValueError) else "this signature can't be read"
            problems.append(_finding(INVALID, f"{document.shown}{suffix}", message, document))
        else:
            valid += [
                SignedBy(document.kind, signer.name, signer.role, form, document.environment)
                for signer in found
            ]
    return CheckedSignatures(tuple(valid), tuple(problems))


def _signature_bytes(path: Path) -> bytes:
    """Return the bytes of a signature; a link could lead out of the repository, and the result say what is there."""
    if path.is_symlink():
        raise RefusedError(INVALID, "a link leads to this file", "")
    return regular_bytes(path)


def signature_findings(planned: Planned, entry: ModelFiles, root: Path) -> list[Finding]:
    """Return what is wrong with the signatures that the tier of a plan requires; nothing if it requires none."""
    platform = planned.source.platform
    requires = platform.tiers[planned.plan.identity.tier].requires
    documents = signed_documents(entry, root, planned)
    wanted = [kind for kind in requires.signed if kind != "evidence" or planned.plan.gates]
    # What a tier requires of evidence from gates holds for evidence from releases.
    kinds = {*wanted, *(["record"] if "evidence" in requires.signed else [])}
    found: list[Finding] = []
    for kind in wanted:
        if not any(document.kind == kind for document in documents):
            path = entry.evidence if kind == "evidence" else entry.lock
            message = f"the tier `{planned.plan.identity.tier}` requires signed {kind}, and there is none"
            found.append(
                Finding(MISSING, "error", message, "commit it with a signature", Place(display(path, root)))
            )
    for document in documents:
        if document.kind not in kinds:
            continue
        checked = check_signatures(document, platform.signers)
        roles = [item.role for item in checked.valid]
        if requires.signed_by and roles and not set(roles) & set(requires.signed_by):
            names = " and ".join(f"`{item.signer}` ({item.role})" for item in checked.valid)
            message = f"{names} signed this, but in the tier `{planned.plan.identity.tier}` only "
            message += f"{' or '.join(requires.signed_by)} counts"
            found.append(_finding(REFUSED, document.shown, message, document))
        elif not roles:
            found += checked.problems or [_missing(planned, document)]
    return found


def signers_shown(planned: Planned, entry: ModelFiles, root: Path) -> list[SignedBy]:
    """Return every valid signature of the documents next to a spec."""
    signers = planned.source.platform.signers
    if not signers:
        return []
    documents = signed_documents(entry, root, planned)
    return [item for document in documents for item in check_signatures(document, signers).valid]


def _missing(planned: Planned, document: SignedDocument) -> Finding:
    message = (
        f"the tier `{planned.plan.identity.tier}` requires signed {document.kind}, and this has no signature"
    )
    return _finding(MISSING, document.shown, message, document)


def _finding(code: str, file: str, message: str, document: SignedDocument) -> Finding:
    hint = f"let a signer of the platform run `sluice gates sign {document.model} --key KEY`"
    return Finding(code, "error", message, hint, Place(file), document.kind)


def evidence_day(content: bytes) -> str:
    """Return the day of the last verdict; empty when the evidence can't be read, which is reported elsewhere."""
    try:
        day = json.loads(content)["predicate"]["created"]["end"][:10]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return day if isinstance(day, str) else ""


def _counting(found: Sequence[Signer], signers: Sequence[Signer], document: SignedDocument) -> list[Signer]:
    """Return those of the signers of a file that count; others don't make them worthless.

    Raises:
        SignatureError: none of them counts: why the first does not.
    """
    counting, problems = [], []
    for signer in found:
        try:
            _check_time(signer, signers, document)
        except SignatureError as error:
            problems.append(error)
        else:
            counting.append(signer)
    if problems and not counting:
        raise problems[0]
    return counting


def _check_time(signer: Signer, signers: Sequence[Signer], document: SignedDocument) -> None:
    """Raise SignatureError if the signer does not count for the day of a document."""
    for other in signers:
        if other.revoked and _identity(other) == _identity(signer):
            raise SignatureError(REFUSED, f"the key of `{other.name}` was revoked on {other.revoked}")
    if signer.start and document.day < signer.start:
        raise SignatureError(
            REFUSED, f"`{signer.name}` counts from {signer.start} on, and this document is of {document.day}"
        )
    if signer.until and not "" < document.day <= signer.until:
        raise SignatureError(
            REFUSED, f"`{signer.name}` counts until {signer.until}, and this document is of {document.day}"
        )


def _verify_ssh(raw: bytes, document: SignedDocument, signers: Sequence[Signer]) -> list[Signer]:
    signature = ssh_signature.parse(raw.decode("ascii", "replace"))
    if signature.namespace.decode("utf-8", "replace") != document.namespace:
        raise SignatureError(INVALID, f"this signature is not one for `{document.namespace}`")
    found = [signer for signer in signers if _identity(signer) == signature.public_key]
    if not found:
        shown = ssh_signature.fingerprint_of(signature.public_key)
        raise SignatureError(INVALID, f"the platform lists no signer with the key {shown}")
    if not ssh_signature.is_valid(signature, document.content):
        raise SignatureError(
            INVALID, f"{document.path.name} is not what was signed: it changed, or the signature did"
        )
    return found


def _verify_dsse(raw: bytes, document: SignedDocument, signers: Sequence[Signer]) -> list[Signer]:
    found = envelope.parse(raw)
    try:
        stated = parse_json(found.payload)
    except ValueError as error:
        raise ValueError("the payload of this envelope is not JSON") from error
    if stated != document.statement:
        raise SignatureError(
            INVALID, f"this envelope is not about {document.path.name} of this model as it is now"
        )
    made = [one for one in signers if (key := _ed25519(one)) and envelope.is_valid(found, key)]
    if not made:
        raise SignatureError(INVALID, "no key of the platform's signers made this envelope")
    return made


def _verify_sigstore(raw: bytes, document: SignedDocument, signers: Sequence[Signer]) -> list[Signer]:
    from generator.gates import sigstore_bundle

    identities = [signer for signer in signers if signer.oidc]
    try:
        found = sigstore_bundle.verify(raw, document.content, identities)
    except sigstore_bundle.BundleError as error:
        raise SignatureError(INVALID, str(error)) from error
    return [signer for signer in identities if signer.oidc == found.oidc]


def _identity(signer: Signer) -> bytes | Oidc | None:
    """Return a signer's public key in SSH's binary form, in whichever form the platform lists it, or its identity."""
    if signer.ssh:
        return ssh_signature.public_bytes(signer.ssh)
    if signer.ed25519:
        return ssh_signature.public_blob(base64.b64decode(signer.ed25519))
    return signer.oidc


def _ed25519(signer: Signer) -> Ed25519PublicKey | None:
    """Return the Ed25519 key of a signer; None if it has another one."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if signer.ed25519:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(signer.ed25519))
    if signer.ssh and signer.ssh.startswith("ssh-ed25519 "):
        return Ed25519PublicKey.from_public_bytes(ssh_signature.public_bytes(signer.ssh)[-32:])
    return None


_FORMS: Final[dict[str, tuple[str, Callable[[bytes, SignedDocument, Sequence[Signer]], list[Signer]]]]] = (
    dict(
        zip(
            SIGNATURES,
            (("ssh", _verify_ssh), ("dsse", _verify_dsse), ("sigstore", _verify_sigstore)),
            strict=True,
        )
    )
)
"""How each form of signature is verified, by the suffix of its file."""
