"""Credentials in plain sight: in specs, in the platform, in the values of variables."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from generator.lint.engine import Problem, rule
from generator.rules.context import Context, FleetContext
from generator.source.document import Path

_ENV: Final[Path] = ("spec", "service", "env")
# Names of variables that contain a credential; MAX_TOKENS, TOKEN_FILE and SECRET_NAME do not.
_NAMED: Final = re.compile(
    r"(?:(?:^|_)(?:PASS(?:WORD|WD|PHRASE|CODE)?|PWD|SECRET|TOKEN|API_?KEY|CREDENTIALS?|AUTHORIZATION|CONNECTION_STRING"
    r"|REDISCLI_AUTH|(?:ACCESS|ACCOUNT|ENCRYPTION|HMAC|JWT|MASTER|PRIVATE|SECRET|SHARED|SIGNING|STORAGE)_KEY)"
    r"|[A-Z](?:PASSWORD|PASSWD|PASSPHRASE|APIKEY))(?:_?[0-9]+)?$"
)
# Tokens of texts, not of logins: BOS_TOKEN, PAD_TOKEN, or any that is written `<s>` or `[PAD]`.
_MARKER: Final = re.compile(r"(?:^|_)(?:BOS|CLS|END|EOS|IMAGE|MASK|PAD|SEP|START|STOP|UNK)_TOKEN$")
_MARKED: Final = re.compile(r"<[^<>]{1,30}>|\[[^\[\]]{1,30}\]")
_HINT: Final = "move it into a Secret and write `secret: {name: …, key: …}`; replace the committed credential"
# Published prefixes of credentials, with the length of what follows. A pattern is searched, and compiled, only if the
# text in lower case contains one of the words before it: hardly any text does.
_KNOWN: Final = (
    ("an AWS access key", ("akia", "asia"), r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    (
        "a GitHub token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{40,})",
    ),
    (
        "a GitLab token",
        ("glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glagent-"),
        r"(?<![\w-])gl(?:pat|dt|rt|cbt|ptt|ft|agent)-[A-Za-z0-9_-]{20,}",
    ),
    ("a Slack token", ("xox",), r"(?<![\w-])xox[abeposr]-[A-Za-z0-9-]{10,}"),
    ("a Google API key", ("aiza",), r"\bAIza[0-9A-Za-z_-]{35}\b"),
    ("a Hugging Face token", ("hf_",), r"\bhf_[A-Za-z0-9]{30,}\b"),
    (
        "a secret key of an API",
        ("sk-", "sk_", "rk-", "rk_"),
        r"(?<![\w-])[sr]k[-_](?:live|test|proj|ant)?[-_]?[A-Za-z0-9_-]{20,}",
    ),
    (
        "a token of a package index",
        ("pypi-", "npm_"),
        r"(?<![\w-])(?:pypi-[A-Za-z0-9_-]{40,}|npm_[A-Za-z0-9]{30,})",
    ),
    (
        "a Google client secret",
        ("gocspx-", "ya29."),
        r"(?<![\w-])(?:GOCSPX-[A-Za-z0-9_-]{20,}|ya29\.[A-Za-z0-9_-]{20,})",
    ),
    ("a Vault token", ("hvs.", "hvb.", "hvr."), r"(?<![\w-])hv[sbr]\.[A-Za-z0-9_-]{20,}"),
    ("a Databricks token", ("dapi",), r"(?<![\w-])dapi[0-9a-f]{32}\b"),
    ("a SendGrid key", ("sg.",), r"(?<![\w-])SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    ("a JSON web token", ("eyj",), r"(?<![\w-])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    (
        "a private key",
        ("-----begin ",),
        r"-----BEGIN (?:[A-Z]{2,20} ){0,4}(?:PRIVATE KEY(?: BLOCK)?|CERTIFICATE)-----",
    ),
    ("a private key", ("age-secret-key-1",), r"(?<![\w-])AGE-SECRET-KEY-1[A-Z0-9]{40,}"),
    ("an address with a password", ("://",), r"(?<![\w+.-])[a-z][a-z0-9+.-]{0,30}://[^/\s:@]*:[^/\s:@]{3,}@"),
    ("a bearer token", ("bearer ",), r"(?i:\bbearer) +(?=[A-Za-z._~+/=-]{0,200}[0-9])[A-Za-z0-9._~+/=-]{8,}"),
    (
        "a login for HTTP",
        ("basic ",),
        r"(?i:\bauthorization: *basic) +[A-Za-z0-9+/]{8,}=*|(?<!\S)Basic +[A-Za-z0-9+/]{8,}={1,2}(?!\S)",
    ),
    (
        "an address of a webhook",
        ("://hooks.slack.com/",),
        r"://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/]{20,}",
    ),
    ("a DigitalOcean token", ("_v1_",), r"(?<![\w-])do[opr]_v1_[0-9a-f]{32,}"),
    (
        "a signed address",
        ("sig=", "signature="),
        r"[?&](?:sig|X-Amz-Signature|X-Goog-Signature)=[A-Za-z0-9%+/=_-]{16,}",
    ),
    (
        "a connection string",
        ("accountkey=", "sharedaccess"),
        r"\b(?:AccountKey|SharedAccessKey|SharedAccessSignature)=[^;\s]{16,}",
    ),
    (
        "a password",
        ("=",),
        r"(?i)(?:pass|password|passwd|pwd|secret|token|api_?key)=(?![$<{%*]|true\b|false\b)[^\s;&,]{4,}",
    ),
)
# Hexadecimal digits are a key unless the variable says what they identify: a digest, a commit, a run, a version.
_KEY_DIGITS: Final = re.compile(r"[0-9a-f]{32,}|[0-9A-F]{32,}")
_IDENTIFIES: Final = re.compile(
    r"(?:^|_)(?:ID|UUID|SHA(?:1|256|512)?|MD5|HASH|DIGEST|CHECKSUM|COMMIT|REVISION|REV|VERSION|RUN|MODEL|TAG|ETAG)(?:_|$)"
)
_RANDOM: Final = re.compile(r"[A-Za-z0-9+/_=-]{32,}")
_HEX: Final = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# Random base64 of 32 characters has 4.4 to 4.9 bits a character; words joined by separators stay below 4.
_BITS: Final = 4.2
# `a://b:ccc@`; most texts of a spec are shorter, and every model of a repository is searched.
_SHORTEST: Final = 10


@rule(
    "PLAN507",
    "error",
    "a plain value looks like a secret",
    scope=Context,
    why="Specs stay in git for ever, where everyone can read them: a credential that was committed has to be replaced.",
    remedy="Move it into a Secret and write `secret: {name: …, key: …}`; replace the credential.",
    example="spec: {service: {env: [{name: DB_PASSWORD, value: swordfish}]}}",
    instead="spec: {service: {env: [{name: DB_PASSWORD, secret: {name: ranker-db, key: password}}]}}",
)
def secrets(context: Context) -> Iterator[Problem]:
    """Check all text of a spec for the format of a credential, and the names of variables."""
    named = {(*_ENV, index, "value"): item.name for index, item in enumerate(context.plan.env) if item.value}
    for path, text in _texts(context.planned.source.layers.merged):
        name = named.get(path, "")
        if kind := looks_secret(text):
            what = f"the value of `{name}`" if name else "this text"
            yield Problem(path, f"{what} looks like {kind}", _HINT)
        elif name and _KEY_DIGITS.fullmatch(text) and not _IDENTIFIES.search(name):
            yield Problem(
                path, f"the value of `{name}` looks like a key: {len(text)} hexadecimal digits", _HINT
            )
        elif _NAMED.search(name) and not (_MARKER.search(name) or _MARKED.fullmatch(text)):
            message = f"`{name}` is the name of a secret, and its value is in the spec"
            yield Problem(path, message, _HINT)


@rule(
    "PLAT912",
    "error",
    "a text of the platform looks like a secret",
    scope=FleetContext,
    why="Every team reads the platform file, and parts of it are rendered into every bundle.",
    remedy="Remove it, replace the credential, and give it to the controllers in a Secret.",
    example="# specs/platform.yaml\nspec: {prometheus: {address: 'https://scrape:swordfish@prometheus.example.com'}}",
    instead="# specs/platform.yaml\nspec: {prometheus: {address: 'https://prometheus.example.com'}}",
)
def platform(context: FleetContext) -> Iterator[Problem]:
    """Check all text of the platform: an address with a password, a token in a default."""
    for path, text in _texts(context.document.data):
        public = path[:2] == ("spec", "signers")  # keys that may be known, and look like those that may not
        if not public and (kind := looks_secret(text)):
            hint = "remove it, and replace the credential: it stays in git's history"
            yield Problem(path, f"this text looks like {kind}", hint)


@rule(
    "PLAN512",
    "error",
    "a `version` of a secret has no effect",
    scope=Context,
    why="Versions belong to a secret store. A Secret that was made by hand has none, so a new version would change "
    "nothing.",
    remedy="Remove `version`, or declare the platform's `secrets`.",
    example="""
spec: {service: {env: [{name: API_KEY, secret: {name: vendor, key: api-key, version: "2"}}]}}
""",
    instead="""
# specs/platform.yaml
spec: {secrets: {store: vault}}
# specs/shop/ranker.yaml
spec: {service: {env: [{name: API_KEY, secret: {name: vendor, key: api-key, version: "2"}}]}}
""",
)
def versions(context: Context) -> Iterator[Problem]:
    """Check that there is a store if a variable names a version of a secret."""
    for index, variable in enumerate(context.spec.service.env):
        if variable.secret and variable.secret.version and not context.platform.secrets:
            message = (
                f"`version: {variable.secret.version}` has no effect: the platform declares no secret store"
            )
            path = (*_ENV, index, "secret", "version")
            yield Problem(path, message, "remove it, or declare the platform's `secrets`", on_key=True)


def _texts(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield every text of a tree, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))


def looks_secret(text: str) -> str:
    """Return what kind of credential a text looks like; empty if it does not.

    Conservative, because false alarms teach people to ignore findings: digests and UUIDs in hexadecimal pass, since
    they are random but rarely secret.
    """
    if len(text) < _SHORTEST:
        return ""
    lower = text.lower()
    for kind, words, pattern in _KNOWN:
        if any(word in lower for word in words) and re.search(pattern, text):
            return kind
    plain = _HEX.fullmatch(text) or _UUID.fullmatch(text)
    return "a random token" if _RANDOM.fullmatch(text) and not plain and _is_random(text) else ""


def _is_random(text: str) -> bool:
    """Return whether a text looks random: upper case, lower case and digits are mixed evenly."""
    kinds = (str.isupper, str.islower, str.isdigit)
    if not all(any(kind(character) for character in text) for kind in kinds):
        return False
    shares = [count / len(text) for count in Counter(text).values()]
    return -math.fsum(share * math.log2(share) for share in shares) >= _BITS
