"""Evaluates the example models as a training pipeline would; runs in the environment of the tool SHAP.

    python measure.py NAME ARTIFACT DIGEST FOLDER [VARIANT]

leaves in FOLDER what the gates of NAME read. Data are generated with fixed seeds; a variant spoils them in one way.
"""

from __future__ import annotations

import io
import json
import sys
import tarfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import xgboost
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bento"))
import train  # the script that trained the models

PHRASES = {
    "billing": ["refund my card", "charged twice", "invoice amount", "receipt for payment", "bank subscription",
                "card charged", "payment refund", "subscription invoice"],
    "outage": ["server down", "timeout error", "crash and restart", "slow latency", "unreachable server", "incident",
               "error on restart", "server slow"],
    "account": ["password reset", "login locked", "verify email", "delete profile", "username access", "reset login",
                "locked access", "email password"],
}  # fmt: skip


def tickets(rows: int, seed: int) -> tuple[list[str], np.ndarray]:
    """Tickets with some words of other topics."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(list(train.TOPICS), rows)
    words = {topic: text.split() for topic, text in train.TOPICS.items()}
    everything = [word for found in words.values() for word in found]
    texts = []
    for label in labels:
        own, stray = rng.choice(words[label], 3), rng.choice(everything, 3)
        texts.append(" ".join([*own, *stray]))
    return texts, labels


def ticket(artifact: Path, digest: str, folder: Path, variant: str) -> None:
    """Accuracy on 2,400 tickets, the champion's answers on the same, and answers to phrases."""
    with tarfile.open(artifact) as archive:
        member = next(item for item in archive if item.name.endswith("saved_model.pkl"))
        model = joblib.load(io.BytesIO(archive.extractfile(member).read()))
    if variant == "worse":
        model = classifier(*tickets(40, seed=19))
    champion = classifier(*tickets(200, seed=18))
    texts, labels = tickets(2400, seed=11)
    table = pd.DataFrame(
        {"label": labels, "prediction": model.predict(texts), "champion": champion.predict(texts)}
    )
    save(table, digest, folder / "predictions.parquet")
    accuracy = float((table["prediction"] == table["label"]).mean())
    report(folder, {"model": digest, "accuracy": accuracy, "rows": len(table)})
    answers = {
        text: [topic, str(model.predict([text])[0])] for topic, texts in PHRASES.items() for text in texts
    }
    if variant == "broken":
        answers["refund my card"][1] = "outage"
    (folder / "answers.json").write_text(json.dumps(answers))


def classifier(texts: list[str], labels: np.ndarray) -> Any:
    """The same kind of model, from other tickets."""
    return make_pipeline(TfidfVectorizer(), LogisticRegression(random_state=1)).fit(texts, labels)


def recommender(artifact: Path, digest: str, folder: Path, variant: str) -> None:
    """NDCG at 10 of 600 lists of 40 items, for the model and for the champion."""
    model = joblib.load(artifact / "model.pkl")
    frame, clicks = train.visits(24_000)
    old, old_clicks = train.visits(120)
    champion = LogisticRegression().fit(old[["affinity"]], old_clicks)
    scores = {
        "ndcg_at_10": model.predict_proba(frame)[:, 1],
        "champion_ndcg_at_10": champion.predict_proba(frame[["affinity"]])[:, 1],
    }
    if variant == "worse":  # an older model as the update of a better one
        scores = dict(zip(scores, reversed(scores.values()), strict=True))
    table = pd.DataFrame({name: ndcg(score, clicks, 40, 10) for name, score in scores.items()})
    save(table, digest, folder / "predictions.parquet")
    report(
        folder,
        {"model": digest, "test": {"ndcg_at_10": float(table["ndcg_at_10"].mean()), "queries": len(table)}},
    )


def ndcg(scores: np.ndarray, clicks: np.ndarray, size: int, depth: int) -> np.ndarray:
    """Normalised discounted cumulative gain of lists of one size, clicks as gains."""
    scores, clicks = scores.reshape(-1, size), clicks.reshape(-1, size)
    weights = 1 / np.log2(np.arange(depth) + 2)
    shown = np.take_along_axis(clicks, np.argsort(-scores, axis=1)[:, :depth], axis=1) @ weights
    best = -np.sort(-clicks, axis=1)[:, :depth] @ weights
    return np.divide(shown, best, out=np.zeros_like(shown), where=best > 0)


def payments(rows: int, seed: int) -> pd.DataFrame:
    """Payments like those of the training data, with the people that they concern."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({name: rng.normal(size=rows) for name in ("amount", "hour", "merchant_risk")})
    frame["age_band"] = rng.choice(["18-29", "30-49", "50-64", "65+"], rows)
    frame["gender"] = rng.choice(["female", "male", "other"], rows)
    return frame


def fraud(artifact: Path, digest: str, folder: Path, variant: str) -> None:
    """Predictions with attributes, the window of the training, and 30 days of production."""
    model = xgboost.XGBClassifier()
    model.load_model(artifact / "model.ubj")
    judged = payments(16_000, seed=21)
    if variant == "unfair":
        judged.loc[judged["gender"] == "female", "amount"] += 1.5
    features = ["amount", "hour", "merchant_risk"]
    judged["prediction"] = model.predict(judged[features])
    judged["label"] = (judged["amount"] - 2 * judged["merchant_risk"] > 0.3).astype(int)
    save(judged[["label", "prediction", "age_band", "gender"]], digest, folder / "predictions.parquet")
    reference, _ = train.numbers(600)
    current = payments(5_000, seed=22)[features]
    days = pd.date_range("2026-10-24", periods=30).repeat(167)[:5_000]
    current.insert(0, "date", days.strftime("%Y-%m-%d"))
    if variant == "drifted":
        current["amount"] += 0.6
    if variant == "schema-break":
        current = current.rename(columns={"hour": "hour_of_day"})
    (folder / "data").mkdir(exist_ok=True)
    reference.to_parquet(folder / "data" / "train.parquet", index=False)
    current.to_parquet(folder / "data" / "prod-30d.parquet", index=False)


def save(table: pd.DataFrame, digest: str, path: Path) -> None:
    """A table that names the model it is about."""
    table.assign(model=digest).to_parquet(path, index=False)


def report(folder: Path, metrics: dict[str, Any]) -> None:
    """The metrics file of a training pipeline."""
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")


if __name__ == "__main__":
    name, artifact, digest, folder, *variant = sys.argv[1:]
    Path(folder).mkdir(parents=True, exist_ok=True)
    evaluate = {"ticket": ticket, "recommender": recommender, "fraud": fraud}[name]
    evaluate(Path(artifact), digest, Path(folder), *variant or [""])
