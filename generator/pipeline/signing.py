"""Signs the documents next to a spec, and verifies their signatures."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from generator.gates import envelope, ssh_signature
from generator.gates.signatures import (
    SignedDocument,
    check_signatures,
    evidence_day,
    signature_findings,
    signed_documents,
)
from generator.history.git import Git
from generator.history.recorded import EVIDENCE, LOCK, mapping, path_of, plain
from generator.history.releases import Release
from generator.pipeline.atomic_write import write_file
from generator.pipeline.session import Session
from generator.plan.model_files import PLATFORM, SIGNATURES, SPECS, ModelFiles
from generator.source.errors import CliError
from generator.source.finding import Finding, unique_findings
from generator.spec.signers import SignedBy, Signer

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_SUFFIXES = {"ssh": ".sig", "dsse": ".dsse.json"}


def sign_documents(
    session: Session,
    entry: ModelFiles,
    key: Path,
    kinds: Collection[str],
    form: str,
    environment: str | None = None,
) -> Iterator[str]:
    """Write a signature next to each document; yield a line about each.

    Args:
        session: the repository.
        entry: the model.
        key: file of the private key.
        kinds: evidence, lock, record, promotion.
        form: ssh or dsse.
        environment: only promotions to this one.

    Raises:
        CliError: the key can't be used, or there is nothing to sign.
    """
    private = _private_key(key)
    documents = [
        document
        for document in _documents(session, entry)
        if document.kind in kinds and document.environment in {"", environment or document.environment}
    ]
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


def with_signers(git: Git, releases: Iterable[Release]) -> list[Release]:
    """Return releases with who signed their evidence, lock and promotions, by the platform's signers of that time."""
    return [replace(release, signed=tuple(_signed_then(git, release))) for release in releases]


def _signed_then(git: Git, release: Release) -> Iterator[SignedBy]:
    platform = f"{SPECS}/{PLATFORM}"
    paths = {("evidence", ""): path_of(release.name, EVIDENCE), ("lock", ""): path_of(release.name, LOCK)}
    entered = dict.fromkeys(one.environment for one in release.entered)
    paths |= {("promotion", name): path_of(release.name, f".{name}{LOCK}") for name in entered}
    wanted = [platform, *(path + end for path in paths.values() for end in ("", *SIGNATURES))]
    read = {path: content for (_, path), content in git.read((release.commit, one) for one in wanted).items()}
    signers = list(_signers(mapping(plain(read.get(platform)).get("spec")).get("signers")))

    def signature(path: Path) -> bytes:
        if (content := read.get(path.as_posix())) is None:
            raise FileNotFoundError
        return content

    for (kind, environment), path in paths.items():
        content = read.get(path)
        if not signers or content is None:
            continue
        lock = {} if kind == "evidence" else plain(content)
        model = mapping(lock.get("model"))
        if environment and model.get("digest") != release.digest:
            continue  # another release has taken its place
        days = {"lock": model.get("at"), "promotion": lock.get("at")}
        day = evidence_day(content) if kind == "evidence" else str(days[kind])[:10]
        digest = release.digest.removeprefix("sha256:")
        document = SignedDocument(kind, Path(path), path, release.name, digest, day, content, environment)
        yield from check_signatures(document, signers, signature).valid


def _signers(listed: Any) -> Iterator[Signer]:
    """Yield the signers in a platform file of the past; what is broken there signs nothing."""
    for item in listed if isinstance(listed, list) else ():
        with suppress(ValidationError):
            yield Signer.model_validate(item)


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
