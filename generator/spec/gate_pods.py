"""Gates in the cluster: the inputs and environment of their pods."""

from typing import Annotated, Literal

from pydantic import Field

from generator.spec.network import Destination
from generator.spec.record import Choice, Record
from generator.spec.types import Cpu, Memory, Name


class GateInputs(Choice):
    """The source of models, data and reports for gate pods: a folder for each model, named by its digest."""

    one_of = ("claim", "url", "s3")
    claim: Name | None = Field(
        None, description="PersistentVolumeClaim in the namespace of the team", examples=["gate-inputs"]
    )
    url: (
        Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.:_/~-]{1,200}\{digest\}[A-Za-z0-9._-]{0,20}$")]
        | None
    ) = Field(
        None,
        description="address of an archive of the folder; {digest} is filled in",
        examples=["https://store.example.com/gates/{digest}.tgz"],
    )
    s3: Annotated[str, Field(pattern=r"^[A-Za-z0-9._/-]{0,200}\{digest\}[A-Za-z0-9._-]{0,20}$")] | None = (
        Field(
            None,
            description="key of such an archive in the artifact repository (S3) of Argo Workflows",
            examples=["gates/{digest}.tgz"],
        )
    )


Engine = Literal["postgresql", "spark", "clickhouse", "trino"]
"""Engines whose clients the gate image has. Their addresses start with these names; that of Spark (Connect) with sc://."""


class GateResources(Record):
    """What a gate gets whose data an engine reads, or a sample of it; other gates have fixed resources."""

    cpu: Cpu = Field("500m", description="CPU that is requested", examples=["2"])
    memory: Memory = Field(
        "2Gi", description="largest memory; beyond it, the engine uses `scratch`", examples=["4Gi"]
    )
    scratch: Memory = Field(
        "10Gi", description="largest temporary files on the node's disk", examples=["100Gi"]
    )


class GatePods(Record):
    """Settings of gates in the cluster."""

    inputs: GateInputs = Field(
        GateInputs(claim="gate-inputs"), description="where pods find models, data and reports"
    )
    secret: Name | None = Field(
        None, description="Secret whose keys become variables of gate pods: MLFLOW_TRACKING_URI, tokens"
    )
    artifacts: bool = Field(
        False, description="Argo Workflows has an artifact repository: evidence is stored there as well"
    )
    engines: dict[Name, Engine] = Field(
        {},
        description="engines in which gates read tables and queries; the Secret `secret` has the address of each, "
        "with its password, as SLUICE_ENGINE_<NAME>",
        examples=[{"warehouse": "postgresql"}],
    )
    resources: GateResources = Field(
        GateResources.model_construct(),
        description="resources of gates whose data an engine reads",
        examples=[{"cpu": "2", "memory": "4Gi", "scratch": "100Gi"}],
    )
    egress: list[Destination] = Field(
        [],
        description="what gate pods may reach in addition to the API server and the `inputs`: an object store, a "
        "tracking server; default: nothing",
        examples=[[{"cidr": "203.0.113.0/24", "ports": [443]}]],
    )
    daily: Annotated[str, Field(pattern=r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]$")] | None = Field(
        None,
        description="hour and minute (UTC) from which drift and fairness gates run daily on fresh data; default: never",
        examples=["04:30"],
    )
