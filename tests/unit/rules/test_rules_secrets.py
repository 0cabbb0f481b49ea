"""Variables of the service: credentials in plain sight, and names that make a container run other code."""

from __future__ import annotations

import pytest

from tests.unit.rules.repository import Sample

KEY = "0123456789abcdef" * 2
NAMED_AS_SECRETS = [
    "DB_PASS",
    "DB_PWD",
    "DB_PASS_2",
    "SIGNING_KEY",
    "STORAGE_KEY",
    "MAIL_PASSPHRASE",
    "AUTHORIZATION",
    "PGPASSWORD",
    "DBPASSWD2",
    "REDISCLI_AUTH",
]
KEYS = [("SEARCH", KEY), ("SEARCH", KEY.upper()), ("LICENSE", KEY + "01234567"), ("SALT", KEY * 2)]
NO_KEYS = [
    ("DATA_DIGEST", KEY * 2),
    ("GIT_COMMIT", KEY + "01234567"),
    ("MLFLOW_RUN_ID", KEY),
    ("MODEL_VERSION", KEY),
    ("FILE_MD5", KEY),
    ("SEARCH", KEY[:31]),
    ("COLOR", "0123abcd"),
    ("PARTITION_KEY", "country"),
    ("MAX_TOKENS", "512"),
    ("PASS_RATE", "0.9"),
    ("PAD_TOKEN", "[PAD]"),
    ("EOS_TOKEN", "</s>"),
    ("MASK_TOKEN", "xxbos"),
    ("PROMPT_TOKEN", "<|assistant|>"),
    ("TOKENIZERS_PARALLELISM", "false"),
]
STEERING = [
    "PATH",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "LD_AUDIT",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "PYTHONHOME",
    "PYTHONINSPECT",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "BENTOML_CONFIG",
    "BENTOML_PORT",
    "SLUICE_VERSION",
    "PIP_INDEX_URL",
    "SSL_CERT_FILE",
    "BASH_ENV",
    "HOME",
    "PROMETHEUS_MULTIPROC_DIR",
    "GIT_SSH_COMMAND",
    "NODE_EXTRA_CA_CERTS",
    "AWS_CA_BUNDLE",
    "JDK_JAVA_OPTIONS",
    "_JAVA_OPTIONS",
    "KUBECONFIG",
    "NETRC",
]
HARMLESS = [
    "PATH_PREFIX",
    "GIT_COMMIT",
    "NODE_NAME",
    "MALLOC_ARENA_MAX",
    "MODEL_PATH",
    "PYTHONUNBUFFERED",
    "PROXY",
    "PROXY_HOST",
    "OLD_PATH",
    "BUILD_ENV",
    "LOG_LEVEL",
    "OMP_NUM_THREADS",
]


def codes(tmp_path, name: str, value: str) -> set[str]:
    """The codes of the findings about a variable."""
    findings = Sample(tmp_path, {"spec.service.env": [{"name": name, "value": value}]}).findings()
    return {found.code for found in findings if found.path.startswith("spec.service.env[0]")}


@pytest.mark.parametrize("name", NAMED_AS_SECRETS)
def test_a_variable_that_is_named_as_a_secret_is_a_finding(name, tmp_path):
    assert "PLAN507" in codes(tmp_path, name, "x")


@pytest.mark.parametrize(("name", "value"), KEYS)
def test_hexadecimal_digits_are_a_key(name, value, tmp_path):
    assert "PLAN507" in codes(tmp_path, name, value)


@pytest.mark.parametrize(("name", "value"), NO_KEYS)
def test_what_identifies_something_is_not_a_key(name, value, tmp_path):
    assert codes(tmp_path, name, value) == set()


@pytest.mark.parametrize("name", STEERING)
def test_a_variable_that_steers_the_container_is_an_error(name, tmp_path):
    assert "NAME406" in codes(tmp_path, name, "/tmp/x")


@pytest.mark.parametrize("name", HARMLESS)
def test_another_variable_is_fine(name, tmp_path):
    assert codes(tmp_path, name, "4") == set()
