"""Plans of services of neural networks, and their environments: exactly the packages that the rendered lists name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from generator.plan.bento import Bento
from generator.plan.column import Column
from generator.plan.serving import requirements
from generator.spec.service import Service
from tests.bento.serving import Built, Server, build
from tests.bento.test_bento_served import same
from tests.ci.programs import uv
from tests.tools.environment import PINS, environment

NETWORKS = Path(__file__).with_name("networks.py")
# Not the order of training: the service must go by name where the model has names.
_PAYMENT = tuple(Column(name, "number") for name in ("amount", "hour", "merchant_risk"))


def planned(name: str, framework: str, inputs: tuple[Column, ...] = _PAYMENT, **more: Any) -> Bento:
    """The service of one network."""
    return Bento(
        name=f"lab-{name}",
        class_name=name.capitalize(),
        framework=framework,
        tag=f"{name}:1",
        version="1",
        digest="0" * 64,
        python_version="3.11",
        base_image="registry.example/python:3.11-slim",
        requirements=requirements(framework, Service.model_construct()),
        inputs=inputs,
        scrape_s=0.5,
        **more,
    )


def installed(framework: str) -> Path:
    """The interpreter of an environment with what the service of a framework installs, with uv for the build."""
    pinned = (PINS / f"{framework}.in").read_text().splitlines()
    assert pinned == list(requirements(framework, Service.model_construct())), (
        "tests/pins has another list than services of the framework"
    )
    python = environment(framework)
    program = python.parent / "uv"
    if program.resolve() != Path(uv()).resolve():  # missing, or the link of a checkout that is gone
        made = python.parent / f"uv-{os.getpid()}"
        made.symlink_to(uv())
        made.replace(program)
    return python


def answers(bento: Bento, folder: Path, **variables: str) -> dict[str, Any]:
    """Train, build and serve a network, and compare its answers with those that the framework itself gave."""
    python = installed(bento.framework)
    build(bento.name.removeprefix("lab-"), bento, python, folder / "built", program=NETWORKS)
    with Server(Built(bento, folder / "built", python), folder / "home", variables=variables) as server:
        expected = server.ready(300).built.expected
        whole = {"rows": expected["rows"], "scores": expected["scores"] is not None}
        status, answer = server.post("/predict", whole)
        assert status == 200, answer
        alone = server.post("/predict", {**whole, "rows": expected["rows"][:1]})[1]
        assert same(alone["predictions"], answer["predictions"][:1])
        wrong = server.post(
            "/predict", {"rows": [{**expected["rows"][0], next(iter(expected["rows"][0])): [1]}]}
        )
        assert wrong[0] == 400
    names = dict(enumerate(bento.classes))
    assert same(answer["predictions"], [names[one] if names else one for one in expected["predictions"]])
    assert same(answer["scores"], expected["scores"])
    assert len({str(one) for one in answer["predictions"]}) > 1
    return answer
