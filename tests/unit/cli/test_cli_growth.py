"""No input of a megabyte stops the program: the CPU of each is compared with that of an ordinary `validate`, as a ratio."""

from __future__ import annotations

import io
import json
import sys
import time
from pathlib import Path

import pytest

from generator.cli.main import cli
from tests.system.repositories import LOCK, MODEL, PLATFORM, small

MOST = 20
N = 1600


def many(text: str, before: str = "[", after: str = "]", between: str = ", ") -> str:
    """A list of N items; `#` is the number of an item."""
    return before + between.join(text.replace("#", str(number)) for number in range(N)) + after


MODELS = {
    "accept": f"  accept: {many('{code: XX#, reason: a b}')}\n",
    "accepted codes": f"  accept: {many('AAA#')}\n",
    "gates": f"  gates: {many('{tests: r.xml, name: g#}')}\n",
    "gates of one name": f"  gates: {many('{tests: r.xml, name: g}')}\n",
    "gates in lines": many("    - {name: g#, tests: {report: r.xml}}", "  gates:\n", "\n", "\n"),
    "guards": f"  guards: {many('{error-rate: {limit: 1%}, name: g#}')}\n",
    "guards of one kind": f"  guards: {many('{errors: {limit: 1%}}')}\n",
    "unknown keys": many("  foo#: 1", "", "\n", "\n"),
    "unknown keys on one line": f"  service: {many('foo#: 1', '{', '}')}\n",
    "variables": f"  service: {{env: {many('{name: V#, value: x}')}}}\n",
    "variables of one name": f"  service: {{env: {many('{name: V, value: x}')}}}\n",
    "secrets": f"  service: {{env: {many('{name: V#, value: sk-live-0123456789abcdefghijk}')}}}\n",
    "inputs": f"  service: {{inputs: {many('{name: c#, type: number}')}}}\n",
    "requirements": f"  service: {{requirements: {many('a#==1')}}}\n",
    "hosts": f"  traffic: {{hosts: {many('h#.example.com')}}}\n",
    "outcomes": f"  outcomes: {many('o#: {event: e}', '{', '}')}\n",
    "environments": f"  environments: {many('e#: {}', '{', '}')}\n",
    "ambiguous words": f"  x: {many('yes')}\n",
    "one key again": many("  a: 1", "", "\n", "\n"),
    "lines without a colon": many("  a# b", "", "\n", "\n"),
    "a number with underscores": f"  x: 1{'_' * 200_000}x\n",
    "a number with underscores and digits": f"  x: {'1_' * 100_000}x\n",
    "a time": f"  x: {'1:' * 100_000}x\n",
    "a long word": f"  x: {'a' * 500_000}\n",
    "a long key": f"  {'a' * 100_000}: 1\n",
    "a long text": f'  x: "{"a b " * 200_000}"\n',
    "spaces": f"  x: a{' ' * 500_000}b\n",
    "dashes": f"  x: {'- ' * 20_000}a\n",
    "brackets": f"  x: {'[' * 20_000}\n",
    "braces in text": "  x: '" + "{{" * 200_000 + "'\n",
    "quotes": "  x: " + "'" * 100_000 + "\n",
    "colons": "  x: " + "a:" * 100_000 + " b: c\n",
    "a secret of many characters": "  service: {env: [{name: V, value: '" + "a://b" * 50_000 + "'}]}\n",
}
LONG = [  # texts just below the limit of one value, in forms that repairs look for
    "1 " * 8000,
    "at least " * 1800,
    "5 each " * 2300,
    "1,000." * 2700,
    "a@" * 8000,
    "a: " * 5000,
    "1/" * 8000,
    "a" + " " * 16000 + "x",
]


def typed(form: str) -> str:
    """A file of less than a megabyte with 48 such texts at a key."""
    return (
        MODEL
        + "  environments:\n"
        + "".join(
            f"    e{number}: {form.replace('#', repr(LONG[number % len(LONG)]))}\n" for number in range(48)
        )
    )


TYPED = {
    "hold": "{rollout: {steps: [{weight: 5%, hold: #}]}}",
    "step": "{rollout: {steps: [#]}}",
    "weight": "{rollout: {steps: [{weight: #, hold: 1h}]}}",
    "amount": "{service: {resources: {memory: #, cpu: 1}}}",
    "requirement": "{service: {requirements: [#]}}",
    "reference": "{model: {ref: #}}",
    "guard": "{guards: [#]}",
    "rate": "{traffic: {minRps: #}}",
    "time": "{rollout: {window: #}}",
    "variable": "{service: {env: [#]}}",
    "count": "{scaling: {replicas: #}}",
}
STEPS = {
    "steps": MODEL.replace("[{weight: 5%, hold: 10m}]", many("{weight: 5%, hold: 10m}")),
    "wrong steps": MODEL.replace("[{weight: 5%, hold: 10m}]", many("{weight: 5, hold: ten}")),
    "steps of Argo": MODEL.replace("[{weight: 5%, hold: 10m}]", many("{setWeight: 5}")),
    "an owner": MODEL.replace("owner: shop@example.com", f"owner: {'a.' * 50_000}@b"),
}
PLATFORMS = {
    "owners": PLATFORM.replace("[shop@example.com]", many("a#@example.com")),
    "owners of one name": PLATFORM.replace("[shop@example.com]", many("a b")),
    "teams": PLATFORM + many("    t#: {owners: [a@example.com], tiers: [basic]}", "", "\n", "\n"),
    "tiers": PLATFORM.replace("  tiers:\n", many("    t#: {evidence: [git]}", "  tiers:\n", "\n", "\n")),
    "unknown keys": PLATFORM + many("  foo#: 1", "", "\n", "\n"),
    "wrong teams": PLATFORM + many("    T#: {owners: x}", "", "\n", "\n"),
    "unknown tiers": PLATFORM.replace("tiers: [basic]", f"tiers: {many('t#')}"),
}
LOCKS = {
    "data": LOCK
    + "data:\n"
    + many('  "s3://b/k#": {digest: "sha256:%s", resolved: "s3://b/k#"}' % ("0" * 64), "", "\n", "\n"),
    "unknown keys": LOCK + many("foo#: 1", "", "\n", "\n"),
}
CASES = {
    **{f"spec: {name}": (MODEL + text, PLATFORM, LOCK) for name, text in MODELS.items()},
    **{f"spec: {name}": (text, PLATFORM, LOCK) for name, text in STEPS.items()},
    **{f"spec: long texts as {name}": (typed(form), PLATFORM, LOCK) for name, form in TYPED.items()},
    **{f"platform: {name}": (MODEL, text, LOCK) for name, text in PLATFORMS.items()},
    **{f"lock: {name}": (MODEL, PLATFORM, text) for name, text in LOCKS.items()},
}


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory) -> float:
    """CPU seconds of the program for one model without a finding, start included."""
    import subprocess

    from tests.system.repositories import PROGRAM, environ

    root = small(tmp_path_factory.mktemp("ordinary"))
    before = children()
    subprocess.run([*PROGRAM, "validate"], cwd=root, env=environ(), check=True, capture_output=True)
    return children() - before


def children() -> float:
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize("name", CASES)
def test_no_input_takes_more_than_twenty_times_an_ordinary_one(name, tmp_path, ordinary):
    model, platform, lock = CASES[name]
    assert max(map(len, CASES[name])) < 1_000_000
    root = small(tmp_path, model, platform, lock)
    began = time.process_time()
    written = run(root, "validate")
    assert time.process_time() - began < MOST * ordinary
    assert len(written) < 1_000_000


def test_the_findings_of_a_file_are_capped_and_the_rest_is_counted(tmp_path):
    written = run(small(tmp_path, MODEL + MODELS["unknown keys"]), "validate")
    assert "… and 1,500 more in specs/shop/ranker.yaml" in written
    assert f"{N} errors in 1 file" in written
    assert written.count("error[SPEC102]") == N - 1500


def test_a_finding_on_a_long_value_names_its_place(tmp_path):
    long = MODEL.replace("hold: 10m", f"hold: '{'10 ' * 5000}m'")
    written = run(small(tmp_path, long), "validate", "--format", "json")
    (finding,) = [one for one in json.loads(written)["findings"] if one["code"] == "SPEC105"]
    line = long[: long.index("hold: '")].count("\n") + 1
    column = long.splitlines()[line - 1].index("hold: '") + len("hold: ") + 1
    assert (finding["place"]["line"], finding["place"]["column"]) == (line, column)


def test_long_lines_are_cut_in_every_format(tmp_path):
    root = small(tmp_path, MODEL + MODELS["unknown keys on one line"])
    for fmt in ("text", "json", "github", "gitlab", "sarif", "junit"):
        assert len(run(root, "validate", "--format", fmt)) < 5_000_000


def run(root: Path, *command: str) -> str:
    """What a command prints to standard output."""
    stream = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr(sys, "stdout", stream)
        patch.setattr(sys, "stderr", io.StringIO())
        with pytest.raises(SystemExit) as ended:
            cli.main(list(command))
    assert ended.value.code in {0, 1}
    return stream.getvalue()
