"""Sigstore bundles: what a workload identity signed, verified offline with the library `sigstore`.

The library ships the trust root, so nothing is requested; an identity is one that the platform lists.
"""

from __future__ import annotations

from collections.abc import Sequence

from generator.spec.signers import Signer


class BundleError(Exception):
    """A bundle does not count: why, in one sentence."""


def verify(raw: bytes, content: bytes, signers: Sequence[Signer]) -> Signer:
    """Return the signer whose identity signed a document.

    Args:
        raw: the bundle, as `sigstore sign FILE` writes it.
        content: the bytes of the document.
        signers: those with an identity.

    Raises:
        BundleError: none of them did; the library is not installed; or it is not a bundle.
    """
    try:
        from sigstore.errors import Error
        from sigstore.models import Bundle
        from sigstore.verify import Verifier, policy
    except ImportError as error:
        raise BundleError("this is a bundle of Sigstore: install the extra `sluicegate[sigstore]`") from error
    try:
        bundle = Bundle.from_json(raw)
    except (Error, ValueError) as error:
        raise BundleError("this is not a bundle of Sigstore") from error
    verifier = Verifier.production(offline=True)
    reason = "the platform lists no identity"
    for signer in signers:
        if signer.oidc is None:
            continue
        try:
            verifier.verify_artifact(
                content, bundle, policy.Identity(identity=signer.oidc.identity, issuer=signer.oidc.issuer)
            )
        except (Error, ValueError) as error:
            reason = " ".join(str(error).split())[:300]
            continue
        return signer
    raise BundleError(f"no identity of the platform signed this: {reason}")
