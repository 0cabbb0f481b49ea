"""Package indexes of the platform: their addresses, and the variables with their passwords."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from generator.spec.indexes import Index, login_variables


@pytest.mark.parametrize(
    ("url", "login", "says"),
    [
        ("https://packages.example.com/simple", True, ""),
        ("http://packages.example.com/simple", False, ""),
        ("http://127.0.0.1:8080/simple", True, ""),
        ("http://packages.example.com/simple", True, "without encryption"),
        ("https://me:word@packages.example.com/simple", False, "a user name or a password"),
        ("https://packages.example.com/@team/simple", False, ""),
    ],
)
def test_no_password_is_in_an_address_or_sent_in_clear(url: str, login: bool, says: str) -> None:
    if not says:
        assert Index(url=url, packages=["acme-features"], login=login).url == url
        return
    with pytest.raises(ValidationError, match=says):
        Index(url=url, packages=["acme-features"], login=login)


def test_variables_have_the_names_that_uv_reads() -> None:
    assert login_variables("acme-own") == ("UV_INDEX_ACME_OWN_USERNAME", "UV_INDEX_ACME_OWN_PASSWORD")
