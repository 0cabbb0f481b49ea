"""The Prometheus that guards query, and how to reach it: headers, credentials, TLS."""

from typing import Annotated

from pydantic import Field

from generator.spec.record import Choice, Record
from generator.spec.types import Header, Interval, Line, Name, Url

_Role = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,200}$")]


class KeyOf(Record):
    """A key of a Secret in the namespaces of teams, where the Rollouts controller reads it."""

    secret: Name = Field(description="name of the Secret", examples=["prometheus"])
    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")] = Field(
        description="its key", examples=["token"]
    )


class SentHeader(Choice):
    """A header of every query."""

    one_of = ("value", "from_secret")
    name: Header = Field(description="name of the header", examples=["X-Scope-OrgID"])
    value: Line | None = Field(None, description="its value; never a secret", examples=["models"])
    from_secret: KeyOf | None = Field(None, description="its value from a Secret")


class OAuth2(Record):
    """Client credentials of OAuth 2."""

    token_url: Url = Field(description="address that issues tokens")
    client_id: KeyOf = Field(description="identity of the client")
    client_secret: KeyOf = Field(description="its secret")
    scopes: list[Line] = Field([], description="scopes to request")


class SigV4(Record):
    """Signatures of Amazon Managed Prometheus, with the identity of the controller."""

    region: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,30}$")] = Field(
        description="region", examples=["eu-central-1"]
    )
    profile: Line | None = Field(None, description="profile of the controller's configuration")
    role_arn: _Role | None = Field(None, description="role that the controller assumes")


class Credentials(Choice):
    """How the controller authenticates."""

    one_of = ("basic", "bearer", "oauth2", "sigv4")
    basic: KeyOf | None = Field(None, description="base64 of user:password, for `Authorization: Basic`")
    bearer: KeyOf | None = Field(None, description="token, for `Authorization: Bearer`")
    oauth2: OAuth2 | None = Field(None, description="a token from an OAuth 2 server")
    sigv4: SigV4 | None = Field(None, description="AWS Signature Version 4")


class KedaAccess(Record):
    """How KEDA reaches it."""

    authentication: Name = Field(
        description="ClusterTriggerAuthentication of the cluster, made by the platform team"
    )
    modes: list[Annotated[str, Field(pattern=r"^(?:basic|bearer|tls|custom)$")]] = Field(
        ["bearer"], min_length=1, description="`authModes` of the trigger: basic, bearer, tls, custom"
    )


class PrometheusAccess(Record):
    """How an environment reaches its Prometheus, where that differs from the platform's."""

    address: Url | None = Field(None, description="address that the Rollouts controller can reach")
    headers: list[SentHeader] | None = Field(
        None,
        description="headers of every query, such as that of a tenant",
        examples=[[{"name": "X-Scope-OrgID", "value": "models"}]],
    )
    credentials: Credentials | None = Field(None, description="how the controller authenticates")
    insecure: bool | None = Field(None, description="accept any certificate of the server")
    keda: KedaAccess | None = Field(None, description="how KEDA authenticates, where models use it")


class Prometheus(PrometheusAccess):
    """The Prometheus that guards query."""

    address: Url = Field(description="address that the Rollouts controller can reach")
    scrape_interval: Interval = Field(15.0, description="how often pods are scraped", examples=["15s"])
    look_interval: Interval = Field(
        60.0,
        description="how often guards are evaluated; a limit is evaluated over five measurements",
        examples=["60s"],
    )

    def reached(self, access: PrometheusAccess | None) -> "Prometheus":
        """Return it as an environment reaches it."""
        if access is None:
            return self
        own = {
            name: value
            for name in PrometheusAccess.model_fields
            if (value := getattr(access, name)) is not None
        }
        return self.model_copy(update=own)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Names of the Secrets that its queries need, sorted."""
        given = self.credentials
        oauth2 = given.oauth2 if given else None
        keys = [header.from_secret for header in self.headers or ()]
        keys += [given.basic, given.bearer] if given else []
        keys += [oauth2.client_id, oauth2.client_secret] if oauth2 else []
        return tuple(sorted({key.secret for key in keys if key}))

    @property
    def plain_headers(self) -> dict[str, str]:
        """Headers without secrets, which every client sends."""
        return {header.name: header.value for header in self.headers or () if header.value is not None}
