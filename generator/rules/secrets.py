"""Text that looks like a credential. Conservative: a false alarm teaches people to look away."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Final

# Published prefixes of credentials, with the length of what follows.
_KNOWN: Final = (
    ("an AWS access key", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a GitHub token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{40,})")),
    ("a GitLab token", re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}")),
    ("a Slack token", re.compile(r"\bxox[abposr]-[A-Za-z0-9-]{10,}")),
    ("a Google API key", re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b")),
    ("a Hugging Face token", re.compile(r"\bhf_[A-Za-z0-9]{30,}\b")),
    ("a secret key of an API", re.compile(r"\bsk[-_](?:live|test|proj|ant)?[-_]?[A-Za-z0-9_-]{20,}")),
    ("a JSON web token", re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")),
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*(?:PRIVATE KEY|CERTIFICATE)-----")),
    ("an address with a password", re.compile(r"\b[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s:@]{3,}@")),
)
_RANDOM = re.compile(r"[A-Za-z0-9+/_=-]{32,}")
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# Random base64 of 32 characters has 4.4 to 4.9 bits a character; words joined by separators stay below 4.
_BITS = 4.2
# `a://b:ccc@`; most texts of a spec are shorter, and every model of a repository is looked at.
_SHORTEST = 10


def looks_secret(text: str) -> str:
    """What kind of credential a text looks like; empty when it does not.

    Digests and UUIDs in hexadecimal pass: they are random, but seldom secret.
    """
    if len(text) < _SHORTEST:
        return ""
    for kind, pattern in _KNOWN:
        if pattern.search(text):
            return kind
    if (
        _RANDOM.fullmatch(text)
        and not _HEX.fullmatch(text)
        and not _UUID.fullmatch(text)
        and _is_random(text)
    ):
        return "a random token"
    return ""


def _is_random(text: str) -> bool:
    """Upper case, lower case and digits together, as evenly spread as chance spreads them."""
    kinds = (str.isupper, str.islower, str.isdigit)
    if not all(any(kind(character) for character in text) for kind in kinds):
        return False
    shares = [count / len(text) for count in Counter(text).values()]
    return -math.fsum(share * math.log2(share) for share in shares) >= _BITS
