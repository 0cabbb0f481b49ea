"""Addresses that pods may reach. Network policies know addresses and namespaces, but no DNS names."""

import ipaddress
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from generator.spec.record import Choice
from generator.spec.types import Name

Port = Annotated[int, Field(ge=1, le=65_535)]


Cidr = Annotated[str, Field(pattern=r"^[0-9a-f.:]{2,39}/[0-9]{1,3}$")]


def is_network(cidr: str) -> bool:
    """Return whether a text is a range of addresses, without bits of a host."""
    try:
        ipaddress.ip_network(cidr)
    except ValueError:
        return False
    return True


class Destination(Choice):
    """A range of addresses or a namespace, and its ports."""

    one_of = ("cidr", "namespace")
    cidr: Cidr | None = Field(
        None,
        description="addresses; those of a DNS name must be listed, as policies know none",
        examples=["203.0.113.0/24"],
    )
    namespace: Name | None = Field(None, description="namespace of the pods", examples=["features"])
    ports: list[Port] = Field(min_length=1, max_length=50, description="TCP ports of the pods or addresses")

    @model_validator(mode="after")
    def network(self) -> Self:
        """Check that the range is one, without bits of a host."""
        if self.cidr is not None and not is_network(self.cidr):
            says = f"invalid range `{self.cidr}`: an address of the network, a slash, and the length of its prefix"
            raise PydanticCustomError("order", "{says}", {"says": says, "hint": self._hint(), "key": "cidr"})
        return self

    def _hint(self) -> str:
        try:
            return f"write `cidr: {ipaddress.ip_network(self.cidr or '', strict=False)}`"
        except ValueError:
            return "for example `cidr: 203.0.113.0/24`"


class ModelDestination(Destination):
    """A destination of some models of a team."""

    models: list[Name] = Field([], description="models that may reach it; default: all of the team")
