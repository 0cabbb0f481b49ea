"""Each kind of model that teams bring has a test in which a real one is trained or written, and served."""

from __future__ import annotations

import re

import pytest

from tests.bento.bentos import BENTOS
from tests.tools.environment import PINS

ROOT = PINS.parents[1]
SERVED = "tests/bento/test_bento_served.py::test_answers_what_the_framework_itself_answers"
KERAS = "tests/bento/test_bento_keras.py"
TORCH = "tests/world/scenarios/torch_models.py"
PAIR = "tests/bento/test_bento_import.py::test_a_service_of_two_pinned_models_and_a_feature_store"

# What it is: the test, and its model where the test serves several.
KINDS = {
    "a mixed table with a signature in MLflow": (SERVED, "typed"),
    "a classifier of texts, TF-IDF and linear": (SERVED, "ticket"),
    "a pipeline on a DataFrame with a text column": (SERVED, "recommender"),
    "XGBoost": (SERVED, "fraud"),
    "LightGBM": (SERVED, "churn"),
    "an ONNX graph of one matrix": (SERVED, "vision"),
    "a network as TorchScript": (TORCH, "traced"),
    "a classifier of texts of Transformers": (TORCH, "requests"),
    "CatBoost": (SERVED, "visits"),
    "a recommender that answers with a ranking": (PAIR, ""),
    "a container that a team has": ("tests/prometheus/test_prometheus_container.py::test_a_container_that_runs_is_tried", ""),
    "a bento that a team has": ("tests/bento/test_bento_own.py::test_its_routes_answer_as_before_and_name_the_version", ""),
    "an ensemble of two models, with a feature store": (PAIR, ""),
    # More than the twelve.
    "XGBoost with categories": (SERVED, "boosted"),
    "LightGBM with categories": (SERVED, "leaves"),
    "what MLflow writes today for scikit-learn (skops)": (SERVED, "homes"),
    "a pipeline of spaCy": (SERVED, "topics"),
    "results of statsmodels": (SERVED, "demand"),
    "a formula of statsmodels": (SERVED, "formula"),
    "a Keras network": (f"{KERAS}::test_a_classifier_answers_with_names_and_probabilities", ""),
    "a Keras network of images and numbers": (f"{KERAS}::test_a_model_with_a_picture_and_a_number_goes_by_name", ""),
    "an ONNX graph of images": (SERVED, "pictures"),
    "an ONNX graph of sequences": (SERVED, "tokens"),
    "a tensor of MLflow": (SERVED, "drawn"),
    "vectors for scikit-learn": (SERVED, "vectors"),
    "dates in a table": (SERVED, "stays"),
    "a program of torch.export": (TORCH, "exported"),
    "weights in safetensors, with a class": (TORCH, "weights"),
    "a network of images as TorchScript": (TORCH, "pixels"),
    "a network of sequences": (TORCH, "sequences"),
    "a classifier of images of Transformers": (TORCH, "photos"),
    "a class of the team": (SERVED, "rules"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_model_is_served_in_a_test(kind: str) -> None:
    place, model = KINDS[kind]
    path, _, function = place.partition("::")
    text = (ROOT / path).read_text()
    assert re.search(rf"^def {function or 'run'}\(", text, re.MULTILINE), place
    if model:
        assert model in BENTOS if path != TORCH else f'"{model}"' in text
        trainer = "networks.py" if path == TORCH else "train.py"
        assert re.search(
            rf"^def {model}(_model)?\(", (ROOT / "tests/bento" / trainer).read_text(), re.MULTILINE
        )


def test_every_model_that_is_served_is_of_a_kind() -> None:
    named = {model for place, model in KINDS.values() if place == SERVED}
    assert BENTOS.keys() - named == {
        "pricing",
        "shown",
    }  # of a kind that another model shows; a column of each type
