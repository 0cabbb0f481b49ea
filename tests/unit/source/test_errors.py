"""What users caused is exit code 2 and one line; it survives the way from a worker process."""

from __future__ import annotations

import pickle
from importlib import import_module

import pytest

from generator.source.errors import UserError

EXPECTED = (
    "generator.history.git:GitError",
    "generator.cluster.http_client:HttpError",
    "generator.cluster.pins.errors:PinError",
    "generator.cluster.pins.errors:CredentialError",
    "generator.cluster.server:ClusterError",
    "generator.cluster.workflows:WorkflowError",
)


@pytest.mark.parametrize("place", EXPECTED)
def test_errors_for_users_have_one_base(place):
    module, _, name = place.partition(":")
    assert issubclass(getattr(import_module(module), name), UserError)


def test_an_error_prints_message_and_hint():
    assert str(UserError("no such branch: main", "name one with --branch")) == (
        "no such branch: main; name one with --branch"
    )
    assert str(UserError("no such branch: main")) == "no such branch: main"


def test_an_error_survives_pickling():
    error = pickle.loads(pickle.dumps(UserError("no such branch: main", "name one")))
    assert (error.message, error.hint) == ("no such branch: main", "name one")
