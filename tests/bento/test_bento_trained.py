"""What `sluice pin` reads in the files of real models, without loading them."""

from __future__ import annotations

import pytest

from generator.cluster.artifacts.formats import contents_of
from generator.cluster.artifacts.trained import Trained, trained_with
from tests.bento.bentos import BENTOS
from tests.bento.serving import GetBuilt

pytestmark = pytest.mark.slow
FOUND = sorted({name for name, bento in BENTOS.items() if bento.framework != "custom"} - {"ticket"})
"""All but the export of BentoML, which is packed."""


def read(built: GetBuilt, name: str) -> Trained:
    return trained_with(contents_of(next((built(name).folder / "trained").glob("artifact*"))))


@pytest.mark.parametrize("name", FOUND)
def test_a_framework_that_serves_it_is_found(built: GetBuilt, name: str) -> None:
    assert BENTOS[name].framework in read(built, name).frameworks


WITH_COLUMNS = sorted(
    name
    for name in FOUND
    if BENTOS[name].inputs
    and not BENTOS[name].nested
    and BENTOS[name].framework not in {"catboost", "statsmodels", "spacy"}
)
"""Models whose files name the columns that are declared."""


@pytest.mark.parametrize("name", WITH_COLUMNS)
def test_its_columns_are_found(built: GetBuilt, name: str) -> None:
    columns = {column.name: column for column in read(built, name).columns}
    assert columns.keys() == {column.name for column in BENTOS[name].inputs}
    for declared in BENTOS[name].inputs:
        found = columns[declared.name]
        assert found.type in {"", declared.type} or {found.type, declared.type} == {"integer", "number"}
        assert not found.values or {*found.values} == {*(declared.values or ())}


def test_the_packages_are_those_of_the_training(built: GetBuilt) -> None:
    homes = read(built, "homes").packages("sklearn")
    assert [line.partition("==")[0] for line in homes] == [
        "bentoml",
        "numpy",
        "pandas",
        "scikit-learn",
        "skops",
    ]
    assert "pandas" in {line.partition("==")[0] for line in read(built, "recommender").packages("sklearn")}
    assert "pandas" not in {line.partition("==")[0] for line in read(built, "fraud").packages("xgboost")}
    assert "mlflow==3.17.2" in read(built, "pricing").packages("mlflow")
