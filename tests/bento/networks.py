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


def drawings(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of 6 by 5 pixels in three colours, and whether their upper half is the brighter one."""
    pixels = np.random.default_rng(5).integers(0, 256, (rows, 6, 5, 3))
    labels = np.arange(rows) % 2
    pixels[labels == 1, :3] //= 4
    pixels[labels == 0, 3:] //= 4
    return pixels, labels


def seen(folder: Path) -> None:
    """A small convolutional classifier of Keras, of pictures and a number next to them."""
    keras = in_keras()
    pixels, labels = drawings(120)
    weights = np.linspace(-1, 1, len(pixels), dtype=np.float32)[:, None]
    picture, weight = keras.Input((6, 5, 3), name="pixels"), keras.Input((1,), name="weight")
    layers = [
        keras.layers.Rescaling(1 / 255),
        keras.layers.Conv2D(4, 3, activation="relu"),
        keras.layers.Flatten(),
    ]
    joined = keras.layers.Concatenate()([keras.Sequential(layers)(picture), weight])
    model = keras.Model([picture, weight], keras.layers.Dense(2, "softmax")(joined))
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit([pixels, weights], labels, epochs=6, verbose=0)
    model.save(folder / "artifact.keras")
    scores = model.predict([pixels[:12], weights[:12]], verbose=0)
    pairs = zip(pixels[:12].tolist(), weights[:12, 0].tolist(), strict=True)
    rows = [{"weight": weight, "pixels": one} for one, weight in pairs]
    expect(folder, rows, scores.argmax(axis=1), scores)


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


def pixels(folder: Path) -> None:
    """A convolutional network as TorchScript: pictures as one array, channels first."""
    import torch

    torch.manual_seed(7)
    data, labels = drawings(12)
    rows, wanted = torch.tensor(data / 255, dtype=torch.float32).permute(0, 3, 1, 2), torch.tensor(labels)
    layers = [torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(48, 2)]
    model = torch.nn.Sequential(*layers)
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(40):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(rows), wanted).backward()
        optimizer.step()
    with torch.inference_mode():
        scores = model(rows).softmax(dim=1)
    torch.jit.trace(model.eval(), rows).save(folder / "artifact.pt")
    listed = [{"image": one} for one in rows.tolist()]
    expect(folder, listed, scores.argmax(dim=1).numpy(), scores.numpy())


SEQUENCES = """
import torch


class Sequences(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.last = torch.nn.Embedding(9, 4), torch.nn.Linear(5, 3)

    def forward(self, ids, mask, age):
        known = self.words(ids) * mask.unsqueeze(-1)
        mean = known.sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(min=1)
        return self.last(torch.cat([mean, age.unsqueeze(-1)], dim=1))
"""


def sequences(folder: Path) -> None:
    """Weights of a network with three arguments, two of them lists of integers: an embedding of each row."""
    import torch
    from safetensors.torch import save_model

    torch.manual_seed(7)
    namespace: dict[str, Any] = {}
    exec(compile(SEQUENCES, "team_sequences.py", "exec"), namespace)
    model = namespace["Sequences"]().eval()
    ids, mask = [[1, 2, 8], [4, 0, 3]], [[True, True, False], [True, True, True]]
    ages = [0.5, -1.0]
    with torch.inference_mode():
        answers = model(torch.tensor(ids), torch.tensor(mask), torch.tensor(ages))
    (folder / "artifact").mkdir()
    save_model(model, str(folder / "artifact" / "model.safetensors"))
    (folder / "artifact" / "team_sequences.py").write_text(SEQUENCES)
    together = zip(ids, mask, ages, strict=True)
    rows = [{"age": age, "ids": one, "mask": other} for one, other, age in together]
    expect(folder, rows, answers.numpy())


def photos(folder: Path) -> None:
    """A tiny classifier of images of Transformers with its own processor, which also scales them; not trained."""
    import base64
    import io

    import torch
    from PIL import Image
    from transformers import ViTConfig, ViTForImageClassification, pipeline
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    torch.manual_seed(7)
    names = {0: "dark above", 1: "dark below"}
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = ViTConfig(image_size=16, patch_size=4, id2label=names, initializer_range=1.0, **sizes)
    (folder / "artifact").mkdir()
    ViTForImageClassification(config).save_pretrained(folder / "artifact")
    ViTImageProcessorPil(size={"height": 16, "width": 16}).save_pretrained(folder / "artifact")
    images = [Image.fromarray(one.astype(np.uint8)) for one in drawings(12)[0]]
    answers = pipeline("image-classification", str(folder / "artifact"))(images, top_k=None)
    scores = [
        [next(one["score"] for one in row if one["label"] == name) for name in names.values()]
        for row in answers
    ]
    labels = np.array([max(row, key=lambda one: one["score"])["label"] for row in answers])
    rows = []
    for image in images:
        image.save(buffer := io.BytesIO(), "png")
        rows.append({"photo": base64.b64encode(buffer.getvalue()).decode()})
    expect(folder, rows, labels, np.array(scores))
    arrays = [{"photo": np.asarray(image).tolist()} for image in images]
    (folder / "arrays.json").write_text(json.dumps(arrays))


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
    trainers = (dense, seen, traced, exported, weights, pixels, sequences, requests, photos)
    {trainer.__name__: trainer for trainer in trainers}[name](Path(target))
