"""The gates of a plan, with the configuration that the gate key covers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from generator.plan.values import Gate
from generator.source.canonical import sha256_of
from generator.spec.exemptions import Waiver
from generator.spec.gates import DataGate, FairnessGate, GateBase, gate_of

_SUITE_DIGEST: Final = "suiteDigest"


def planned_gates(
    specs: Iterable[GateBase],
    waivers: Iterable[Waiver],
    digest: str,
    suites: Mapping[str, str],
    attributes: Mapping[str, Iterable[object]],
    locked_at: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Gate, ...]:
    """Return the gates of a model.

    Args:
        specs: the gates of the spec.
        waivers: waivers of the model; those that were given for something else have no effect.
        digest: of the locked model version.
        suites: digest of each expectation suite in the repository, by path.
        attributes: declared values of each sensitive attribute.
        locked_at: when each data set was locked (RFC 3339); windows without an end end on that day.
    """
    given = tuple(waivers)
    out = []
    for spec in specs:
        config = _config(spec, suites, locked_at)
        covering = (one for one in given if one.gate == spec.name)
        covering = (one for one in covering if one.covers(spec.kind, configuration_digest(config), digest))
        out.append(Gate(spec, config, next(covering, None), _groups(spec, attributes)))
    return tuple(out)


def configuration_digest(config: dict[str, Any]) -> str:
    """Return the digest of a gate's configuration, as evidence and waivers name it."""
    return f"sha256:{sha256_of(config)}"


def gate_key(
    model: str, data: Mapping[str, str], configs: Iterable[dict[str, Any]], image: tuple[str, str, str]
) -> str:
    """Return the SHA-256 (hex) of everything that determines the verdicts of a plan's gates.

    Args:
        model: digest of the model.
        data: digest of each data set, by reference.
        configs: configurations of the gates, in the order of the spec.
        image: prefix of the names of gate images, their base image, and the version of Sluice.
    """
    covered = {
        "model": model,
        "data": dict(sorted(data.items())),
        "gates": list(configs),
        "image": list(image),
    }
    return sha256_of(covered)


def gate_from(config: dict[str, Any]) -> Gate:
    """Return the gate that a configuration of a plan describes.

    Raises:
        pydantic.ValidationError: it does not describe a gate.
    """
    written = {key: value for key, value in config.items() if key != _SUITE_DIGEST}
    return Gate(gate_of(written), config, None, ())


def suite_digest(gate: Gate) -> str | None:
    """Return the digest of a data gate's suite; None where the repository does not hold the suite."""
    digest: str | None = gate.config.get(_SUITE_DIGEST)
    return digest


def _groups(
    spec: GateBase, attributes: Mapping[str, Iterable[object]]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(spec, FairnessGate):
        return ()
    return tuple((name, tuple(map(str, attributes[name]))) for name in spec.sensitive if name in attributes)


def with_moving_windows(gate: Gate) -> Gate:
    """Return a gate for the daily watch: windows without an end in the spec end on the day on which it runs."""
    suites = {gate.spec.data.suite: suite_digest(gate)} if isinstance(gate.spec, DataGate) else {}
    found = {path: digest for path, digest in suites.items() if digest is not None}
    return replace(gate, config=_config(gate.spec, found, {}))


def _config(spec: GateBase, suites: Mapping[str, str], locked_at: Mapping[str, str]) -> dict[str, Any]:
    config = spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    for part, source in spec.needs.sources.items():
        if source.window is not None and source.window.to is None and source.name in locked_at:
            found = config
            for key in part:
                found = found[key]
            found["window"]["to"] = locked_at[source.name][:10]
    if isinstance(spec, DataGate) and spec.data.suite in suites:
        config[_SUITE_DIGEST] = suites[spec.data.suite]
    return config
