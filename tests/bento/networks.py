"""Trains the neural networks of these tests; runs in an environment that holds what their service installs, and no more.

    python networks.py NAME FOLDER

leaves in FOLDER what `train.py` leaves.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

COLUMNS = ("amount", "hour", "merchant_risk")


def numbers(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Payments, and whether they were fraud: the columns matter in different directions, so order shows."""
    data = np.random.default_rng(3).normal(size=(rows, len(COLUMNS))).astype(np.float32)
    return data, (data[:, 0] - 2 * data[:, 2] > 0.3).astype(int)


def records(data: np.ndarray) -> list[dict]:
    """Rows as requests have them."""
    return [dict(zip(COLUMNS, row, strict=True)) for row in data.tolist()]


def dense(folder: Path) -> None:
    """A Keras classifier of three classes, trained on JAX: a softmax at its end."""
    keras = in_keras()
    data, labels = numbers(400)
    classes = labels + (data[:, 1] > 0.5)
    layers = [keras.Input((3,)), keras.layers.Dense(8, "relu"), keras.layers.Dropout(0.2)]
    model = keras.Sequential([*layers, keras.layers.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(data, classes, epochs=8, verbose=0)
    model.save(folder / "artifact.keras")
    scores = model.predict(data[:40], verbose=0)
    expect(folder, records(data[:40]), scores.argmax(axis=1), scores)


def heat(folder: Path) -> None:
    """A Keras regression with one input for each column and one output."""
    keras = in_keras()
    data, _ = numbers(200)
    feeds = [keras.Input((1,), name=name) for name in COLUMNS]
    model = keras.Model(feeds, keras.layers.Dense(1)(keras.layers.Concatenate()(feeds)))
    columns = [data[:, [index]] for index in range(len(COLUMNS))]
    model.compile("adam", "mse")
    model.fit(columns, data[:, 0] * 3, epochs=2, verbose=0)
    model.save(folder / "artifact.keras")
    answers = model.predict([column[:20] for column in columns], verbose=0)
    expect(folder, records(data[:20]), answers[:, 0])


def in_keras() -> Any:
    """Keras on JAX, with one seed for everything."""
    os.environ["KERAS_BACKEND"] = "jax"
    import keras

    keras.utils.set_random_seed(7)
    return keras


NETWORK = """
import torch


class Network(torch.nn.Module):
    def __init__(self, hidden):
        super().__init__()
        layers = [torch.nn.Linear(3, hidden), torch.nn.ReLU(), torch.nn.Dropout(0.5), torch.nn.Linear(hidden, 2)]
        self.layers = torch.nn.Sequential(*layers)

    def forward(self, rows):
        return self.layers(rows)
"""


def network(folder: Path) -> tuple[Any, Any]:
    """A trained network of PyTorch, and rows; its answers are left with the probabilities of both classes."""
    import torch

    torch.manual_seed(7)
    namespace: dict[str, Any] = {}
    exec(compile(NETWORK, "team_network.py", "exec"), namespace)
    rows, labels = numbers(400)
    data, wanted = torch.tensor(rows), torch.tensor(labels)
    model = namespace["Network"](8)
    optimizer = torch.optim.Adam(model.parameters(), 0.05)
    for _ in range(60):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(data), wanted).backward()
        optimizer.step()
    model.eval()
    with torch.inference_mode():
        scores = model(data[:40]).softmax(dim=1)
    expect(folder, records(rows[:40]), scores.argmax(dim=1).numpy(), scores.numpy())
    return model, data[:40]


def traced(folder: Path) -> None:
    """A network as TorchScript."""
    import torch

    model, rows = network(folder)
    torch.jit.trace(model, rows).save(folder / "artifact.pt")


def exported(folder: Path) -> None:
    """A network as a program of torch.export, with any number of rows."""
    import torch

    model, rows = network(folder)
    program = torch.export.export(model, (rows,), dynamic_shapes=({0: torch.export.Dim("rows")},))
    torch.export.save(program, folder / "artifact.pt2")


def weights(folder: Path) -> None:
    """Weights in safetensors, next to the class of the network and its arguments."""
    from safetensors.torch import save_model

    model, _ = network(folder)
    (folder / "artifact").mkdir()
    save_model(model, str(folder / "artifact" / "model.safetensors"))
    (folder / "artifact" / "team_network.py").write_text(NETWORK)
    (folder / "artifact" / "config.json").write_text('{"hidden": 8}')


def requests(folder: Path) -> None:
    """A tiny classifier of texts of Transformers with its own tokenizer, trained for a moment."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast, pipeline

    torch.manual_seed(7)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "server", "down", "refund", "invoice", "please"]
    (folder / "artifact").mkdir()
    tokenizer = BertTokenizerFast(
        vocab={word: number for number, word in enumerate(words)}, model_max_length=16
    )
    names = {0: "outage", 1: "billing"}
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    steady = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    config = BertConfig(vocab_size=len(words), max_position_embeddings=16, id2label=names, **sizes, **steady)
    model = BertForSequenceClassification(config)
    asked = ["server down please", "refund", "please refund invoice", "down", "invoice"]
    wanted, optimizer = torch.tensor([0, 1, 1, 0, 1]), torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(80):
        optimizer.zero_grad()
        model(**tokenizer(asked, padding=True, return_tensors="pt"), labels=wanted).loss.backward()
        optimizer.step()
    model.eval().save_pretrained(folder / "artifact")
    tokenizer.save_pretrained(folder / "artifact")
    answers = pipeline("text-classification", model=str(folder / "artifact"), top_k=None)(asked)
    scores = [
        [next(one["score"] for one in row if one["label"] == name) for name in names.values()]
        for row in answers
    ]
    labels = np.array([max(row, key=lambda one: one["score"])["label"] for row in answers])
    expect(folder, [{"text": text} for text in asked], labels, np.array(scores))


def expect(folder: Path, rows: list, predictions: np.ndarray, scores: np.ndarray | None = None) -> None:
    """Leave rows and the framework's own answers."""
    answers = {"rows": rows, "predictions": predictions.tolist()}
    answers["scores"] = None if scores is None else scores.tolist()
    (folder / "expected.json").write_text(json.dumps(answers))


if __name__ == "__main__":
    name, target = sys.argv[1:]
    trainers = (dense, heat, traced, exported, weights, requests)
    {trainer.__name__: trainer for trainer in trainers}[name](Path(target))
