"""Signs the documents next to a spec, and verifies their signatures."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from generator.gates import envelope, ssh_signature
from generator.gates.signatures import (
    SignedBy,
    SignedDocument,
    check_signatures,
    signature_findings,
    signed_documents,
)
from generator.pipeline.atomic_write import write_file
from generator.pipeline.session import Session
from generator.plan.model_files import ModelFiles
from generator.source.errors import CliError
from generator.source.finding import Finding, unique_findings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_SUFFIXES = {"ssh": ".sig", "dsse": ".dsse.json"}


def sign_documents(
    session: Session, entry: ModelFiles, key: Path, kinds: Collection[str], form: str
) -> Iterator[str]:
    """Write a signature next to each document; yield a line about each.

    Args:
        session: the repository.
        entry: the model.
        key: file of the private key.
        kinds: evidence, lock.
        form: ssh or dsse.

    Raises:
        CliError: the key can't be used, or there is nothing to sign.
    """
    private = _private_key(key)
    documents = [document for document in _documents(session, entry) if document.kind in kinds]
    if not documents:
        raise CliError(f"{entry.name} has nothing to sign", f"`sluice validate {entry.name}` shows why")
    for document in documents:
        path = document.path.with_name(document.path.name + _SUFFIXES[form])
        write_file(path, _signature(private, document, form).encode())
        where = f" for the namespace {document.namespace}" if form == "ssh" else ""
        yield f"signed {document.shown}: wrote {path.name}{where}"


def verified(session: Session, entry: ModelFiles) -> tuple[list[SignedBy], list[Finding]]:
    """Return who signed the documents of a model, and what is wrong with their signatures."""
    resolved = session.resolve(entry)
    signers = session.platform.signers
    checked = [check_signatures(document, signers) for document in _documents(session, entry)]
    required = [f for planned in resolved.plans for f in signature_findings(planned, entry, session.root)]
    problems = [finding for one in checked for finding in one.problems]
    found = unique_findings([*resolved.findings, *problems, *required])
    return [item for one in checked for item in one.valid], found


def _documents(session: Session, entry: ModelFiles) -> list[SignedDocument]:
    plans = session.resolve(entry).plans
    return signed_documents(entry, session.root, plans[0]) if plans else []


def _signature(key: Ed25519PrivateKey, document: SignedDocument, form: str) -> str:
    if form == "ssh":
        return ssh_signature.sign(key, document.namespace, document.content)
    return envelope.sign(key, document.statement, ssh_signature.fingerprint(key.public_key()))


def _private_key(path: Path) -> Ed25519PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

    hint = "make one: `ssh-keygen -t ed25519 -N '' -f KEY`; a key in an agent signs with `ssh-keygen -Y sign`"
    try:
        raw = path.read_bytes()
        load = load_ssh_private_key if b"OPENSSH PRIVATE KEY" in raw else load_pem_private_key
        key = load(raw, None)
    except OSError as error:
        raise CliError(f"{path} can't be read: {error.strerror}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CliError(f"{path} is not a private key without a passphrase", hint) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise CliError(f"{path} is not an Ed25519 key", hint)
    return key
