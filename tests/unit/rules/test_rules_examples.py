"""The example of every code trips exactly that code, and what to write instead trips nothing."""

from __future__ import annotations

import pytest

from generator.report.codes import all_codes, family
from tests.unit.rules.examples import findings, findings_in_files, is_tree

# Examples of trees are tested with the rules on trees; those of `sluice doctor` need a cluster: test_cluster_doctor.py.
_WITH_EXAMPLE = [
    code
    for code in all_codes().values()
    if code.example and not is_tree(code.code) and family(code.code) != "DOC"
]

_BY_THE_SURROUNDINGS = {"PROM103", "PIN103"}
"""What is reported until something was promoted, and by `pin` where no index answers: about nothing of an example."""


@pytest.mark.parametrize("code", _WITH_EXAMPLE, ids=lambda code: code.code)
def test_the_example_trips_exactly_its_code(code, tmp_path):
    found = findings(code.code, code.example, tmp_path, whole=family(code.code) == "SRC")
    counted = [
        item for item in found if item["severity"] != "info" or code.severity == "info"
    ]  # others are accepted
    others = _BY_THE_SURROUNDINGS - {code.code}
    assert {item["code"] for item in counted} - others == {code.code}, found
    if any(item["fix"] for item in found):
        assert code.repair != "none"


@pytest.mark.parametrize("code", [code for code in _WITH_EXAMPLE if code.instead], ids=lambda code: code.code)
def test_what_to_write_instead_has_no_findings(code, tmp_path):
    found = findings(code.code, code.instead, tmp_path)
    assert [item for item in found if item["code"] not in _BY_THE_SURROUNDINGS] == []


@pytest.mark.parametrize("code", ["VER101", "VER102", "VER103", "VER104"])
def test_the_example_of_a_file_in_a_tree_trips_exactly_its_code(code, tmp_path):
    assert {item["code"] for item in findings_in_files(all_codes()[code].example, tmp_path)} == {code}


def test_every_code_has_an_example():
    """But for those of the official clients: no object is known that they refuse and our schemas accept."""
    assert [code for code, found in all_codes().items() if not found.example] == ["VER120", "VER121"]
