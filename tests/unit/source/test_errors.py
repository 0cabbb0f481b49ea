"""What users caused is exit code 2 and one line; it survives the way from a worker process."""

from __future__ import annotations

import pickle
from importlib import import_module

import pytest

from generator.source.errors import FindingsError, UserError
from generator.source.finding import Finding, Place

EXPECTED = (
    "generator.history.git_call:GitError",
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


def finding(severity, message):
    return Finding("SPEC101", severity, message, "do it", Place("specs/a.yaml", 3, 1))


@pytest.mark.parametrize(
    ("severities", "text"),
    [
        (["warning", "error"], "specs/a.yaml:3:1: number 1"),
        (["error", "warning", "error"], "specs/a.yaml:3:1: number 0 (and 1 more)"),
        (["error", "error", "error"], "specs/a.yaml:3:1: number 0 (and 2 more)"),
        (["warning"], "the heading"),
    ],
)
def test_findings_that_stop_a_command_are_its_errors(severities, text):
    findings = [finding(severity, f"number {n}") for n, severity in enumerate(severities)]
    error = FindingsError(findings, "the heading", 2)
    assert str(error) == text
    again = pickle.loads(pickle.dumps(error))
    assert (again.findings, again.heading, again.exit_code, str(again)) == (findings, "the heading", 2, text)
