"""Who may sign evidence, locks, records and promotions: keys and identities that the platform lists."""

from typing import Annotated, ClassVar, Final, Literal, NamedTuple

from pydantic import BeforeValidator, Field

from generator.spec.parsing import Unit
from generator.spec.record import Choice, Record
from generator.spec.types import Date, Line, Name, Url

SIGNED_KINDS: Final = ("evidence", "lock")
"""The documents next to a spec that can be signed."""

PublicKey = Annotated[
    str,
    Unit(
        "PublicKey",
        r"^(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) [A-Za-z0-9+/]{40,3000}={0,2}(?: [ -~]{0,100})?$",
        "a public key is one line as in `id_ed25519.pub`",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4 ci",
    ),
]
RawKey = Annotated[
    str,
    Unit(
        "RawKey",
        r"^[A-Za-z0-9+/]{43}=$",
        "an Ed25519 key is its 32 bytes in base64, 44 characters",
        "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=",
    ),
]


def _all_if_true(value: object) -> object:
    return list(SIGNED_KINDS) if value is True else value


Signed = Annotated[
    list[Literal["evidence", "lock"]],
    BeforeValidator(_all_if_true, json_schema_input_type=Literal[True] | list[Literal["evidence", "lock"]]),
]


class Oidc(Record):
    """A workload identity that Sigstore's certificates name."""

    issuer: Url = Field(
        description="who vouches for it", examples=["https://token.actions.githubusercontent.com"]
    )
    identity: Line = Field(
        description="the identity, in full",
        examples=["https://github.com/acme/models/.github/workflows/gates.yaml@refs/heads/main"],
    )


class SignedBy(NamedTuple):
    """A signature that is valid.

    Args:
        kind: of the document: evidence, lock, record or promotion.
        signer: name of the signer in the platform.
        role: its role.
        form: ssh, dsse or sigstore.
        environment: that a promotion leads to; empty for other documents.
    """

    kind: str
    signer: str
    role: str
    form: str
    environment: str = ""

    def __str__(self) -> str:
        document = f"{self.kind} to {self.environment}" if self.environment else self.kind
        return f"{document} signed by {self.signer} ({self.role}, {self.form})"


class Signer(Choice):
    """A key or an identity, and the time in which what it signs counts."""

    one_of: ClassVar[tuple[str, ...]] = ("ssh", "ed25519", "oidc")
    name: Name = Field(description="name that plans, pages and audits show", examples=["ci"])
    role: Name = Field(description="role that tiers name in `signedBy`", examples=["ci"])
    ssh: PublicKey | None = Field(None, description="public key as `ssh-keygen` writes it")
    ed25519: RawKey | None = Field(None, description="Ed25519 public key: 32 bytes in base64")
    oidc: Oidc | None = Field(None, description="identity in a certificate of Sigstore")
    start: Date | None = Field(None, alias="from", description="first day of documents that it may sign")
    until: Date | None = Field(
        None, description="last day of documents that it may sign: the key was replaced"
    )
    revoked: Date | None = Field(
        None, description="day on which it was revoked: nothing that it ever signed counts any more"
    )
