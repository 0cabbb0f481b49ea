"""The gates of a plan, with the configuration that the gate key covers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from generator.plan.values import Gate
from generator.spec.exemptions import Waiver
from generator.spec.gates import DataGate, GateBase, gate_of

_SUITE_DIGEST: Final = "suiteDigest"


def planned_gates(
    specs: Iterable[GateBase], waivers: Mapping[str, Waiver], suites: Mapping[str, str]
) -> tuple[Gate, ...]:
    """Return the gates of a model.

    Args:
        specs: the gates of the spec.
        waivers: waivers of the model, by name of the gate.
        suites: digest of each expectation suite in the repository, by path.
    """
    return tuple(Gate(spec, _config(spec, suites), waivers.get(spec.name)) for spec in specs)


def gate_from(config: dict[str, Any]) -> Gate:
    """Return the gate that a configuration of a plan describes.

    Raises:
        pydantic.ValidationError: it does not describe a gate.
    """
    written = {key: value for key, value in config.items() if key != _SUITE_DIGEST}
    return Gate(gate_of(written), config, None)


def suite_digest(gate: Gate) -> str | None:
    """Return the digest of a data gate's suite; None where the repository does not hold the suite."""
    digest: str | None = gate.config.get(_SUITE_DIGEST)
    return digest


def _config(spec: GateBase, suites: Mapping[str, str]) -> dict[str, Any]:
    config = spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    if isinstance(spec, DataGate) and spec.data.suite in suites:
        config[_SUITE_DIGEST] = suites[spec.data.suite]
    return config
