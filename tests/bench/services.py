"""Rendered services next to the simplest hand-written ones: `python -m tests.bench.services [MODEL…] [--rounds N]`.

*hand* is a class of BentoML 1.4 that loads the model and predicts; *batch* is the same with `batchable=True`. All three
have one model file and one worker. Rounds of a few seconds alternate, in another order each time, because the machine is
not ours alone: trust the ratios, which are medians over rounds of the same minute.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles

from tests.bento.bentos import BENTOS
from tests.bento.serving import Built, Server, build, free_port, surroundings, until
from tests.tools.environment import environment

SECONDS, CLIENTS = 3.0, (1, 8, 32)
HAND = """
import os
from pathlib import Path

import bentoml
{imports}

FOLDER = Path(os.environ["MODEL"])


@bentoml.service(traffic={{"timeout": 10}})
class Hand:
    def __init__(self) -> None:
        {load}

    @bentoml.api({batch})
    def predict(self, rows: list[dict]) -> list:
        return {predict}.tolist()
"""
_TABLE = "self.model.predict(pd.DataFrame(rows))"
LOADED = {
    "sklearn": (
        "import joblib\nimport pandas as pd",
        'self.model = joblib.load(next(FOLDER.rglob("*.pkl")))',
        _TABLE,
    ),
    "mlflow": (
        "import mlflow.pyfunc\nimport numpy as np\nimport pandas as pd",
        'self.model = mlflow.pyfunc.load_model(str(next(FOLDER.rglob("MLmodel")).parent))',
        'self.model.predict(pd.DataFrame(rows).astype("float32"))',
    ),
    "xgboost": (
        "import pandas as pd\nimport xgboost",
        'self.model = xgboost.Booster(model_file=next(FOLDER.rglob("*.ubj")))',
        "self.model.predict(xgboost.DMatrix(pd.DataFrame(rows)[self.model.feature_names]))",
    ),
    "lightgbm": (
        "import lightgbm\nimport pandas as pd",
        'self.model = lightgbm.Booster(model_file=next(FOLDER.rglob("*.txt")))',
        "self.model.predict(pd.DataFrame(rows)[self.model.feature_name()], num_threads=1)",
    ),
}
BATCH = "batchable=True, max_batch_size=64, max_latency_ms=1000"


def hand(built: Built, batch: str) -> str:
    """The text of a hand-written service."""
    imports, load, predict = LOADED[built.bento.framework]
    if built.bento.name == "support-ticket":
        predict = 'self.model.predict([row["text"] for row in rows])'
    return HAND.format(imports=imports, load=load, predict=predict, batch=batch)


@contextmanager
def serve_hand(built: Built, folder: Path, batch: str) -> Iterator[int]:
    """Serve a hand-written service from its source; its port."""
    folder.mkdir()
    (folder / "service.py").write_text(hand(built, batch))
    port = free_port()
    model = next((built.folder / "bento" / "models").glob("*/*/model.yaml")).parent
    variables = {"MODEL": str(model), "OMP_NUM_THREADS": "1", "BENTOML_CONTAINERIZED": "true"}
    command = [
        str(built.python),
        "-m",
        "bentoml",
        "serve",
        "service:Hand",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=surroundings(built.python, folder / "home") | variables,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        until(lambda: asyncio.run(ask(port, b'{"rows": []}', 1, 0.0)) is not None, 90)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


async def ask(port: int, body: bytes, clients: int, seconds: float) -> list[float] | None:
    """Send one request after the other from each client; the latency of each answer with status 200."""
    head = f"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    request = head.encode() + body
    found: list[float] = []
    end = time.perf_counter() + seconds

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while True:
            started = time.perf_counter()
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = next(
                line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:")
            )
            await reader.readexactly(int(length.split(b":")[1]))
            if answer.startswith(b"HTTP/1.1 200"):
                found.append(time.perf_counter() - started)
            if time.perf_counter() >= end:
                writer.close()
                return

    try:
        await asyncio.gather(*(client() for _ in range(clients)))
    except OSError:
        return None
    return found


def compare(built: Built, folder: Path, rounds: int) -> Iterator[dict[str, object]]:
    """Measure the three services at each number of clients."""
    body = json.dumps({"rows": built.expected["rows"][:1]}).encode()
    with ExitStack() as stack:
        server = stack.enter_context(
            Server(built, folder / "home", variables={"OMP_NUM_THREADS": "1"})
        ).ready()
        ports = {"rendered": server.port}
        for name, batch in (("hand", ""), ("batch", BATCH)):
            ports[name] = stack.enter_context(serve_hand(built, folder / name, batch))
        for port in ports.values():
            asyncio.run(ask(port, body, 4, 1.0))
        for clients in CLIENTS:
            rates: dict[str, list[float]] = {name: [] for name in ports}
            slow: dict[str, list[float]] = {name: [] for name in ports}
            for turn in range(rounds):
                names = list(ports)
                for name in names[turn % 3 :] + names[: turn % 3]:
                    times = asyncio.run(ask(ports[name], body, clients, SECONDS)) or [SECONDS]
                    rates[name].append(len(times) / SECONDS)
                    slow[name].append(quantiles(times, n=100)[-1] if len(times) > 1 else SECONDS)
            better = max(rates["hand"], rates["batch"], key=median)
            ratios = sorted(ours / best for ours, best in zip(rates["rendered"], better, strict=True))
            yield {
                "model": built.bento.name,
                "clients": clients,
                **{f"{name} req/s": round(median(found)) for name, found in rates.items()},
                **{f"{name} p99 ms": round(1000 * median(found), 1) for name, found in slow.items()},
                "ratio": [round(value, 2) for value in (median(ratios), ratios[0], ratios[-1])],
            }


def main() -> None:
    """Measure, and print a line of JSON for each model and number of clients."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=["ticket", "recommender", "fraud", "churn", "pricing"])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    python = environment("bento")
    for name in options.models:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            build(name, BENTOS[name], python, folder / "built")
            for line in compare(Built(BENTOS[name], folder / "built", python), folder, options.rounds):
                print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
