"""Package indexes in addition to the one that uv is configured for: where they are, and which packages they have."""

import re
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from generator.spec.record import Record
from generator.spec.types import PackageName, Url

_THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})


class Index(Record):
    """A package index (PEP 503), from which models that name it get the listed packages and no others."""

    url: Url = Field(
        description="address of its list of packages, without a user name or a password",
        examples=["https://packages.example.com/simple"],
    )
    packages: list[PackageName] = Field(
        min_length=1,
        max_length=10_000,
        description="packages that models get from this index and from nowhere else, also where other packages need "
        "them",
        examples=[["acme-features", "acme-ranker"]],
    )
    exclusive: bool = Field(
        True,
        description="whether no other index may supply these packages; false: models that do not name this index get "
        "them from the usual one, such as torch with CUDA",
    )
    login: bool = Field(
        False,
        description="whether it needs a user name and a password: the variables UV_INDEX_<NAME>_USERNAME and "
        "UV_INDEX_<NAME>_PASSWORD where `sluice pin` runs, and secrets of the same names in CI",
    )

    @model_validator(mode="after")
    def kept_secret(self) -> Self:
        """Check that no password is in the address, and that none is sent without encryption."""
        parts = urlsplit(self.url)
        if "@" in parts.netloc:
            says, hint = (
                "the address contains a user name or a password",
                "remove it, and write `login: true`",
            )
        elif self.login and parts.scheme == "http" and parts.hostname not in _THIS_MACHINE:
            says = f"`{self.url}` would get the password without encryption"
            hint = f"write https://{self.url.removeprefix('http://')}"
        else:
            return self
        raise PydanticCustomError("order", "{says}", {"says": says, "hint": hint, "key": "url"})


def login_variables(index: str) -> tuple[str, str]:
    """Return the variables with the user name and the password for an index, as uv names them."""
    name = re.sub(r"[^A-Za-z0-9]", "_", index).upper()
    return f"UV_INDEX_{name}_USERNAME", f"UV_INDEX_{name}_PASSWORD"
