"""Trains the models of these tests; runs inside the environment of the models, never in that of the tests.

    python train.py NAME FOLDER

leaves in FOLDER `artifact`, what a training pipeline would hand over, and `expected.json`: requests, with the
answers that the framework itself gives. Data are generated with a fixed seed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

TOPICS = {
    "billing": "invoice charged twice refund card payment subscription receipt amount bank",
    "outage": "server down timeout error unreachable crash slow restart latency incident",
    "account": "password login reset email locked profile username delete verify access",
}


def ticket(folder: Path) -> None:
    """TF-IDF and logistic regression on support tickets, exported from a BentoML store."""
    import bentoml
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    rng = np.random.default_rng(1)
    labels = rng.choice(list(TOPICS), 300)
    texts = [" ".join(rng.choice(TOPICS[label].split(), 6)) for label in labels]
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(random_state=1)).fit(texts, labels)
    bentoml.sklearn.save_model("ticket_classifier:7", model)
    bentoml.models.export_model("ticket_classifier:7", str(folder / "artifact.bentomodel"))
    asked = ["the server is down since noon", "please refund my invoice", "reset my password"]
    expect(folder, [{"text": text} for text in asked], model.predict(asked), model.predict_proba(asked))


def topics(folder: Path) -> None:
    """A spaCy pipeline that was trained here: categories of support tickets."""
    import spacy
    from spacy.training import Example

    rng = np.random.default_rng(1)
    labels = rng.choice(list(TOPICS), 90)
    texts = [" ".join(rng.choice(TOPICS[label].split(), 6)) for label in labels]
    pipeline = spacy.blank("en")
    pipeline.add_pipe(
        "textcat",
        config={
            "model": {
                "@architectures": "spacy.TextCatBOW.v3",
                "ngram_size": 1,
                "exclusive_classes": True,
                "no_output_layer": False,
            }
        },
    )
    given = [{"cats": {topic: float(topic == label) for topic in TOPICS}} for label in labels]
    examples = [
        Example.from_dict(pipeline.make_doc(text), cats) for text, cats in zip(texts, given, strict=True)
    ]
    pipeline.initialize(lambda: examples)
    for _ in range(8):
        pipeline.update(examples)
    pipeline.to_disk(folder / "artifact")
    asked = ["the server is down since noon", "please refund my invoice", "reset my password"]
    documents = list(pipeline.pipe(asked))
    likeliest = np.array([max(document.cats, key=document.cats.get) for document in documents])
    scores = np.array([[document.cats[topic] for topic in TOPICS] for document in documents])
    expect(folder, [{"text": text} for text in asked], likeliest, scores)


def visits(rows: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Users who meet items, and whether they clicked."""
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        {
            "device": rng.choice(["ios", "android", "web"], rows),
            "age": rng.integers(18, 80, rows),
            "affinity": rng.normal(size=rows),
            "price": rng.gamma(2.0, 20.0, rows),
        }
    )
    logit = 1.5 * frame["affinity"] - 0.02 * frame["price"] + 0.8 * (frame["device"] == "ios")
    return frame, (rng.random(rows) < 1 / (1 + np.exp(-logit))).astype(int).to_numpy()


def recommender(folder: Path) -> None:
    """Click prediction from a table with named columns, one of them a text; a plain pickle."""
    import joblib
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    frame, clicks = visits(800)
    columns = make_column_transformer(
        (OneHotEncoder(), ["device"]), (StandardScaler(), ["age", "affinity", "price"])
    )
    model = make_pipeline(columns, LogisticRegression()).fit(frame, clicks)
    (folder / "artifact").mkdir()
    joblib.dump(model, folder / "artifact" / "model.pkl")
    asked = frame.head(40)
    expect(folder, asked.to_dict("records"), model.predict(asked), model.predict_proba(asked))


def numbers(rows: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Payments, and whether they were fraud: the columns matter in different directions, so order shows."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({name: rng.normal(size=rows) for name in ("amount", "hour", "merchant_risk")})
    return frame, (frame["amount"] - 2 * frame["merchant_risk"] > 0.3).astype(int).to_numpy()


def fraud(folder: Path) -> None:
    """XGBoost with early stopping and named columns, saved by its scikit-learn interface."""
    import xgboost

    frame, labels = numbers(600)
    model = xgboost.XGBClassifier(n_estimators=60, learning_rate=0.9, early_stopping_rounds=2)
    model.fit(frame[:400], labels[:400], eval_set=[(frame[400:], labels[400:])], verbose=False)
    (folder / "artifact").mkdir()
    model.save_model(folder / "artifact" / "model.ubj")
    (folder / "artifact" / "input_example.json").write_text("{}")
    asked = frame.head(40)
    expect(folder, asked.to_dict("records"), model.predict(asked), model.predict_proba(asked))


def churn(folder: Path) -> None:
    """LightGBM with three classes and named columns: one text file."""
    import lightgbm

    frame, labels = numbers(600)
    classes = labels + (frame["hour"] > 0.5).to_numpy()
    model = lightgbm.LGBMClassifier(n_estimators=20, verbose=-1).fit(frame, classes)
    model.booster_.save_model(folder / "artifact.txt")
    asked = frame.head(40)
    expect(folder, asked.to_dict("records"), model.predict(asked), model.predict_proba(asked))


def homes(folder: Path) -> None:
    """What MLflow writes by default for scikit-learn today: skops. A column is a text."""
    from mlflow.sklearn import save_model
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {"area": rng.uniform(30, 150, 90), "district": rng.choice(["Nord", "Ost", "Süd"], 90)}
    )
    columns = make_column_transformer((OneHotEncoder(), ["district"]), remainder="passthrough")
    model = make_pipeline(columns, LinearRegression())
    model.fit(frame, frame["area"] * 3 + 40 * (frame["district"] == "Süd"))
    save_model(model, str(folder / "artifact"), input_example=frame.head(2))
    asked = frame.head(20)
    expect(folder, asked.to_dict("records"), model.predict(asked))


def with_categories(rows: int = 400) -> tuple[pd.DataFrame, np.ndarray]:
    """Visits with a column of categories and missing prices."""
    frame, clicks = visits(rows)
    frame = frame[["device", "age", "price"]].copy()
    frame.loc[::7, "price"] = np.nan
    clicks = ((frame["device"] == "ios") ^ (frame["age"] > 50) ^ (clicks == 9)).astype(int).to_numpy()
    return frame, clicks


def rows_of(frame: pd.DataFrame) -> list[dict]:
    """Rows as JSON: a missing number is null."""
    return json.loads(frame.to_json(orient="records"))


def visits_model(folder: Path) -> None:
    """CatBoost with categories, missing numbers and class names: its own file."""
    from catboost import CatBoostClassifier

    frame, clicks = with_categories()
    model = CatBoostClassifier(iterations=30, verbose=0, allow_writing_files=False, cat_features=["device"])
    model.fit(frame, np.array(["stays", "leaves"])[clicks])
    model.save_model(str(folder / "artifact.cbm"))
    asked = frame.head(40)
    expect(folder, rows_of(asked), model.predict(asked), model.predict_proba(asked))


def boosted(folder: Path) -> None:
    """XGBoost with categories of a pandas column and missing numbers."""
    import xgboost

    frame, clicks = with_categories()
    frame = frame.assign(device=frame["device"].astype("category"))
    model = xgboost.XGBClassifier(n_estimators=20, enable_categorical=True).fit(frame, clicks)
    model.save_model(folder / "artifact.json")
    asked = frame.head(40)
    expect(folder, rows_of(asked), model.predict(asked), model.predict_proba(asked))


def leaves(folder: Path) -> None:
    """LightGBM with categories of a pandas column and missing numbers, as BentoML saves it: text with another suffix."""
    import lightgbm

    frame, clicks = with_categories()
    frame = frame.assign(device=frame["device"].astype("category"))
    model = lightgbm.LGBMClassifier(n_estimators=20, verbose=-1).fit(frame, clicks)
    (folder / "artifact").mkdir()
    model.booster_.save_model(folder / "artifact" / "saved_model.ubj")
    asked = frame.head(40)
    expect(folder, rows_of(asked), model.predict(asked), model.predict_proba(asked))


def demand(folder: Path) -> None:
    """Least squares of statsmodels with a constant that training added."""
    import statsmodels.api as sm

    frame, _ = numbers(200)
    table = sm.add_constant(frame[["amount", "hour"]])
    results = sm.OLS(frame["amount"] * 3 - frame["hour"] + 5, table).fit()
    results.save(str(folder / "artifact.pickle"))
    asked = frame[["amount", "hour"]].head(20)
    expect(folder, asked.to_dict("records"), results.predict(table.head(20)))


def formula(folder: Path) -> None:
    """A logit model of statsmodels with a formula: it takes the columns as they are, texts among them."""
    import statsmodels.formula.api as smf

    frame, clicks = with_categories()
    frame = frame.fillna({"price": 20.0}).assign(clicked=clicks)
    results = smf.logit("clicked ~ age + np.log1p(price) + C(device)", frame).fit(disp=0)
    results.save(str(folder / "artifact.pickle"))
    asked = frame[["device", "age", "price"]].head(20)
    expect(folder, rows_of(asked), results.predict(asked))


def vision(folder: Path) -> None:
    """ONNX, made from a forest on bundled images of digits; one input of 64 32-bit floats."""
    import onnxruntime
    from skl2onnx import to_onnx
    from sklearn.datasets import load_digits
    from sklearn.ensemble import RandomForestClassifier

    data, labels = load_digits(return_X_y=True)
    forest = RandomForestClassifier(20, random_state=4).fit(data, labels)
    options = {RandomForestClassifier: {"zipmap": False}}
    model = to_onnx(forest, data[:1].astype(np.float32), options=options).SerializeToString()
    (folder / "artifact.onnx").write_bytes(model)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    asked = data[:40].astype(np.float32)
    answer = session.run(None, {session.get_inputs()[0].name: asked})
    expect(folder, asked.tolist(), *answer)


def pricing(folder: Path) -> None:
    """An MLflow pyfunc whose signature wants 32-bit floats, which plain JSON numbers are not."""
    from mlflow.models import infer_signature
    from mlflow.sklearn import save_model
    from sklearn.linear_model import LinearRegression

    frame, _ = numbers(200)
    frame = frame.astype(np.float32)
    model = LinearRegression().fit(frame, frame["amount"] * 3 - frame["hour"])
    signature = infer_signature(frame, model.predict(frame))
    save_model(model, str(folder / "artifact"), signature=signature, serialization_format="cloudpickle")
    asked = frame.head(40)
    expect(folder, asked.to_dict("records"), model.predict(asked))


RULES = """
import threading
import time


class Rules:
    examples = [{"wait": 0.0, "add": 1.0}]

    def __init__(self, folder):
        self.base = float((folder / "base.txt").read_text())
        self.lock, self.running, self.peak = threading.Lock(), 0, 0

    def check(self, rows):
        if not all(isinstance(row, dict) and row.keys() == {"wait", "add"} for row in rows):
            raise ValueError("each row has `wait` and `add`")

    def predict(self, rows):
        with self.lock:
            self.running += 1
            self.peak = max(self.peak, self.running)
        time.sleep(max(row["wait"] for row in rows))
        with self.lock:
            self.running -= 1
        return [self.answer(row["add"]) for row in rows]

    def answer(self, add):
        if add == "peak":
            return self.peak
        if isinstance(add, str):
            raise RuntimeError(f"can't add {add}")
        return float("nan") if add < 0 else self.base + add
"""


def rules(folder: Path) -> None:
    """A class of the team's own, which takes its time: the requests in flight when the server must stop."""
    (folder / "artifact").mkdir()
    (folder / "artifact" / "team_rules.py").write_text(RULES)
    (folder / "artifact" / "base.txt").write_text("40")
    expect(folder, [{"wait": 0.0, "add": 2.0}], np.array([42.0]))


def typed(folder: Path) -> None:
    """An MLflow pyfunc that answers what it was given, with a column of each type and width."""
    import mlflow.pyfunc
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    class Echo(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            rows = model_input.to_dict("records")
            return [{name: None if value != value else value for name, value in row.items()} for row in rows]

    types = {"n": "long", "i": "integer", "x": "float", "b": "boolean", "s": "string", "d": "datetime"}
    columns = [ColSpec(kind, name) for name, kind in types.items()]
    signature = ModelSignature(Schema([*columns, ColSpec("double", "o", required=False)]))
    mlflow.pyfunc.save_model(str(folder / "artifact"), python_model=Echo(), signature=signature)
    row = {
        "n": 9007199254740993,
        "i": -5,
        "x": 0.5,
        "b": True,
        "s": "7",
        "d": "2026-11-30T00:00:00",
        "o": 2.0,
    }
    expect(folder, [row], np.array([row], dtype=object))


def summed(folder: Path) -> None:
    """ONNX with an integer and a float a row: y = n + x."""
    from onnx import TensorProto, helper

    n = helper.make_tensor_value_info("n", TensorProto.INT64, ["N", 1])
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 1])
    nodes = [
        helper.make_node("Cast", ["n"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["f", "x"], ["y"]),
    ]
    graph = helper.make_graph(nodes, "sum", [n, x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    (folder / "artifact.onnx").write_bytes(model.SerializeToString())
    expect(folder, [{"n": 1, "x": 2.5}], np.array([3.5]))


SHOWN = """
import datetime as dt


class Shown:
    rowwise = True

    def __init__(self, folder):
        pass

    def predict(self, rows):
        return [{"label": "b", "seen": {name: show(value) for name, value in row.items()}} for row in rows]


def show(value):
    if isinstance(value, dict):
        return {name: show(one) for name, one in value.items()}
    if isinstance(value, list):
        return [show(one) for one in value]
    if isinstance(value, bytes):
        return f"bytes {len(value)} {value[:4].hex()}"
    return f"{type(value).__name__} {value}" if isinstance(value, dt.date) else value
"""


def shown(folder: Path) -> None:
    """A class of the team's own that shows the values of Python that it gets."""
    (folder / "artifact").mkdir()
    (folder / "artifact" / "team_shown.py").write_text(SHOWN)
    (folder / "expected.json").write_text("{}")


def pictures(folder: Path) -> None:
    """ONNX with a picture of unsigned bytes a row, [N, 3, 8, 8]: the mean of each channel."""
    from onnx import TensorProto, helper

    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 3, 8, 8])
    mean = helper.make_tensor_value_info("mean", TensorProto.FLOAT, ["N", 3])
    nodes = [
        helper.make_node("Cast", ["image"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["f"], ["mean"], axes=[2, 3], keepdims=0),
    ]
    save_graph(folder, helper.make_graph(nodes, "mean", [image], [mean]))
    rows = np.random.default_rng(6).integers(0, 256, (3, 3, 8, 8))
    expect(folder, [{"pixels": row.tolist()} for row in rows], rows.mean(axis=(2, 3)))


def tokens(folder: Path) -> None:
    """ONNX with two lists of integers of any length, [N, L], and a number: the sum of the ids that the mask leaves, plus it."""
    from onnx import TensorProto, helper

    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["N", "L"])
    mask = helper.make_tensor_value_info("mask", TensorProto.INT64, ["N", "L"])
    plus = helper.make_tensor_value_info("plus", TensorProto.INT64, ["N"])
    total = helper.make_tensor_value_info("total", TensorProto.INT64, ["N"])
    nodes = [
        helper.make_node("Mul", ["ids", "mask"], ["left"]),
        helper.make_node("ReduceSum", ["left", "axis"], ["sum"], keepdims=0),
        helper.make_node("Add", ["sum", "plus"], ["total"]),
    ]
    axis = helper.make_tensor("axis", TensorProto.INT64, [1], [1])
    save_graph(folder, helper.make_graph(nodes, "sum", [ids, mask, plus], [total], [axis]))
    rows = [
        {"plus": 1, "mask": [1, 1, 0], "ids": [5, 6, 7]},
        {"plus": 0, "mask": [0, 1, 1], "ids": [5, 6, 7]},
    ]
    expect(folder, rows, np.array([12, 13]))


def save_graph(folder: Path, graph: object) -> None:
    """Save an ONNX graph."""
    from onnx import helper

    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    (folder / "artifact.onnx").write_bytes(model.SerializeToString())


def vectors(folder: Path) -> None:
    """scikit-learn, trained on a matrix: the service gets its columns as a matrix of two by two and one number."""
    import joblib
    from sklearn.linear_model import LinearRegression

    data = np.random.default_rng(7).normal(size=(50, 5))
    model = LinearRegression().fit(data, data @ [1, 2, 3, 4, 5])
    joblib.dump(model, folder / "artifact.joblib")
    rows = [{"square": row[:4].reshape(2, 2).tolist(), "last": row[4]} for row in data[:10]]
    expect(folder, rows, model.predict(data[:10]))


def stays(folder: Path) -> None:
    """scikit-learn, trained on a table with a date and a time, in UTC, and a column with spaces in its name."""
    import joblib
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    table = pd.DataFrame(
        {
            "from (day)": pd.date_range("2026-01-01", periods=40, freq="D").astype("datetime64[us]"),
            "booked": pd.date_range("2025-06-01T08:30", periods=40, freq="37h").astype("datetime64[us]"),
        }
    )
    days = FunctionTransformer(pd.DataFrame.astype, kw_args={"dtype": "int64"})
    model = make_pipeline(make_column_transformer((days, list(table))), StandardScaler(), LinearRegression())
    model.fit(table, np.arange(40.0) % 7)
    joblib.dump(model, folder / "artifact.joblib")
    asked = table.head(10)
    rows = [
        {"booked": f"{row.booked.isoformat()}Z", "from (day)": row[1].date().isoformat()}
        for row in asked.itertuples()
    ]
    expect(folder, rows, model.predict(asked))


def drawn(folder: Path) -> None:
    """An MLflow pyfunc with a tensor of rank three, and one with lists and objects in its columns."""
    import mlflow.pyfunc
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    class Sums(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return model_input.sum(axis=(1, 2))

    signature = ModelSignature(Schema([TensorSpec(np.dtype("float32"), (-1, 4, 2))]))
    mlflow.pyfunc.save_model(str(folder / "artifact"), python_model=Sums(), signature=signature)
    rows = np.arange(24, dtype=np.float32).reshape(3, 4, 2)
    expect(folder, [{"signal": row.tolist()} for row in rows], rows.sum(axis=(1, 2)))


def expect(folder: Path, rows: list, predictions: np.ndarray, scores: np.ndarray | None = None) -> None:
    """Leave rows and the framework's own answers."""
    answers = {"rows": rows, "predictions": np.asarray(predictions).tolist()}
    answers["scores"] = None if scores is None else np.asarray(scores).tolist()
    (folder / "expected.json").write_text(json.dumps(answers))


if __name__ == "__main__":
    name, target = sys.argv[1:]
    models = (
        ticket,
        recommender,
        fraud,
        churn,
        homes,
        boosted,
        leaves,
        demand,
        formula,
        vision,
        pricing,
        rules,
        typed,
        summed,
        topics,
        shown,
        pictures,
        tokens,
        vectors,
        stays,
        drawn,
    )
    {**{f.__name__: f for f in models}, "visits": visits_model}[name](Path(target))
