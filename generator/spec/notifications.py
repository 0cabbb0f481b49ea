"""Notifications about releases: recipients and services; secrets only by the name of their key."""

from typing import Annotated, Literal

from pydantic import Field

from generator.spec.record import Record
from generator.spec.types import Host, Line, Name, Url

SecretKey = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$",
        description="key in the controllers' notification Secrets; never the value",
        examples=["slack-token"],
    ),
]
# Recipients are joined by semicolons in one annotation.
Recipient = Annotated[str, Field(pattern=r"^[^\s;,{}$]{1,200}$", examples=["shop-ml", "shop-ml@example.com"])]


class Slack(Record):
    """A Slack app."""

    token: SecretKey = Field(description="key of its bot token")


class Email(Record):
    """A mail server."""

    host: Host = Field(description="host name", examples=["smtp.example.com"])
    port: int = Field(587, ge=1, le=65535, description="port")
    sender: Line = Field(alias="from", description="sender of the mails", examples=["sluice@example.com"])
    username: SecretKey | None = Field(None, description="key of the user name")
    password: SecretKey | None = Field(None, description="key of the password")


class Webhook(Record):
    """An address that receives JSON (`sluice/notice/v1`)."""

    url: Url = Field(description="address of the service")
    token: SecretKey | None = Field(None, description="key of a bearer token")


class Revert(Record):
    """The CI that proposes a rollback or records a release, with the workflow that `sluice ci` writes."""

    host: Literal["github", "gitlab"] = Field(description="which CI it is")
    url: Url = Field(
        description="github: …/repos/OWNER/NAME/dispatches; gitlab: …/projects/ID/ref/BRANCH/trigger/pipeline",
        examples=["https://api.github.com/repos/acme/models/dispatches"],
    )
    token: SecretKey = Field(description="key of the token that may start it")


class Notifications(Record):
    """Notification services; rendered for Argo Rollouts and Argo CD."""

    namespace: Name = Field("argo-rollouts", description="namespace of the Rollouts controller")
    merge: bool = Field(
        False,
        description="both ConfigMaps exist: a server-side apply writes Sluice's keys, and leaves all others",
    )
    prometheus: Url | None = Field(
        None,
        description="address of Prometheus in links for people; default: the one that guards use",
    )
    slack: Slack | None = Field(None, description="Slack")
    email: Email | None = Field(None, description="e-mail")
    webhooks: dict[Name, Webhook] = Field({}, description="addresses by name")
    revert: Revert | None = Field(None, description="CI that proposes a rollback after an abort")
    record: Revert | None = Field(None, description="CI that records each release that has ended")


class RecordAccess(Record):
    """Access of CI to clusters for `sluice record`: read-only, and no more than a record needs."""

    namespace: Name = Field(
        "argo-rollouts",
        description="an existing namespace that no team can write to, for the ServiceAccount of each environment",
    )


class Notify(Record):
    """Recipients of a team's notifications."""

    slack: list[Recipient] = Field([], description="channels")
    email: list[Recipient] = Field([], description="addresses")
    webhooks: list[Name] = Field([], description="names of the platform's webhooks")
