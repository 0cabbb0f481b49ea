"""Codes of the signatures of evidence and locks, which `gates` verifies and may not declare."""

from __future__ import annotations

from typing import Final

from generator.lint.engine import Code, declare

# A key pair for the examples only: its private half is the bytes 0 to 31.
_PUBLIC: Final = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="
_PRIVATE: Final = """\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f
-----END PRIVATE KEY-----
"""
_SIGNED: Final = f"""
# specs/platform.yaml
spec:
  tiers: {{standard: {{requires: {{signed: [lock]}}}}}}
  signers: [{{name: ci, role: ci, ed25519: "{_PUBLIC}"}}]
"""
_AGAIN: Final = "Let a signer of the platform sign the document as it is now: `sluice gates sign`."

declare(
    Code(
        "SIGN101",
        "error",
        "a document that the tier requires to be signed is not signed",
        "A digest that anyone can compute does not show who wrote a document; a signature does.",
        _AGAIN,
        example=_SIGNED,
    ),
    Code(
        "SIGN102",
        "error",
        "a signature is not valid",
        "The document changed after it was signed, the signature is one of another document or model, or no signer of "
        "the platform made it.",
        _AGAIN,
        example=f"{_SIGNED}# specs/shop/ranker.lock.yaml.sig\n-----BEGIN SSH SIGNATURE-----\n",
    ),
    Code(
        "SIGN103",
        "error",
        "a signer does not count",
        "The key was revoked or replaced, or its role is not one that the tier accepts: gates may run on any machine, "
        "but a tier can accept only what CI signed.",
        "Let a signer with an accepted role and a current key sign it.",
        example=f"""
# specs/platform.yaml
spec:
  tiers: {{standard: {{requires: {{signed: [lock], signedBy: [ci]}}}}}}
  signers: [{{name: mine, role: person, ed25519: "{_PUBLIC}"}}]
# test-key.pem
{_PRIVATE}$ sluice gates sign shop/ranker --key test-key.pem --document lock
$ sluice validate
""",
    ),
)
