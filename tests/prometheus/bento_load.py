"""Users of one stable version and its canaries: predictions, mistakes, slow uploads, and clicks that come later.

    python bento_load.py CONFIG

sends requests to the stable version at once, to the canaries too after a line on standard input, and ends with the
input: it flushes the clicks that are still due and prints what it has sent as JSON. Arrivals are random (Poisson), so
are arms, mistakes and clicks; from the canaries' first visit on they are the same in every run with one seed. A click
is reported to the process that served the prediction or to another one.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

MOST_AT_ONCE = 64
_FRESH_S = 2.0  # servers close what is idle for five seconds
_CATCH_UP_S = 0.25  # a late machine sends later, not all at once
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Client:
    """Keep-alive connections to one process of this machine."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[float, asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, path: str, document: object, upload_s: float = 0.0) -> tuple[int, Any]:
        """Status and JSON of a posted document, whose body comes `upload_s` after its head."""
        body = json.dumps(document).encode()
        reader, writer = await self._connection()
        head = f"POST {path} HTTP/1.1\r\nhost: model\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode())
        if upload_s:
            await asyncio.sleep(upload_s)
        writer.write(body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(answer)
        assert length is not None, answer
        content = await reader.readexactly(int(length[1]))
        self._idle.append((asyncio.get_running_loop().time(), reader, writer))
        return int(answer.split(maxsplit=2)[1]), json.loads(content)

    async def close(self) -> None:
        """Close what is idle."""
        for _, _, writer in self._idle:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        now = asyncio.get_running_loop().time()
        while self._idle:
            since, reader, writer = self._idle.pop()
            if now - since < _FRESH_S and not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self._port)


class Load:
    """All users.

    Args:
        config: `seed`, `rows`, `mistakes`, `uploads`, `upload_s`, `delay_s`, and `arms`: name, ports, rps, clicks, and
            `told`: the names of the arms whose processes receive its clicks.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self._config, self._rng = config, Random()
        self._arms = {arm["name"]: arm for arm in config["arms"]}
        self._clients = {name: Client(arm["port"]) for name, arm in self._arms.items()}
        self._receivers = {name: Client(arm["feedback_port"]) for name, arm in self._arms.items()}
        self._active = [config["arms"][0]]
        self._stop, self._room = asyncio.Event(), asyncio.Semaphore(MOST_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._answers: dict[str, Counter[int]] = {name: Counter() for name in self._arms}
        self._clicks: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()

    async def run(self, commands: asyncio.StreamReader) -> dict[str, Any]:
        """Send until the commands end."""
        listening = asyncio.create_task(self._listen(commands))
        await self._send()
        await listening
        while self._tasks:
            await asyncio.gather(*self._tasks)
        for client in (*self._clients.values(), *self._receivers.values()):
            await client.close()
        return {"answers": self._answers, "clicks": self._clicks, "failures": self._failures}

    async def _listen(self, commands: asyncio.StreamReader) -> None:
        while await commands.readline():
            self._active, self._rng = self._config["arms"], Random(self._config["seed"])
        self._stop.set()

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while not self._stop.is_set():
            arms = self._active
            rates = [arm["rps"] for arm in arms]
            due = max(due, loop.time() - _CATCH_UP_S) + self._rng.expovariate(sum(rates))
            (arm,) = self._rng.choices(arms, rates)
            drawn = self._drawn(arm)
            if await self._stopped_within(due - loop.time()):
                break
            await self._room.acquire()
            self._start(self._visit(arm, drawn))

    def _drawn(self, arm: dict[str, Any]) -> dict[str, Any]:
        """Everything random about one visit, drawn in a fixed order whatever the answers will be."""
        rng, config = self._rng, self._config
        return {
            "row": rng.choice(config["rows"]),
            "mistaken": rng.random() < config["mistakes"],
            "upload_s": config["upload_s"] if rng.random() < config["uploads"] else 0.0,
            "clicks": rng.random() < arm["clicks"],
            "told": rng.choice(arm["told"]),
            "after_s": rng.expovariate(1 / config["delay_s"]),
        }

    def _start(self, visit: Any) -> None:
        task = asyncio.create_task(visit)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _visit(self, arm: dict[str, Any], drawn: dict[str, Any]) -> None:
        row = {**drawn["row"], "price": "much"} if drawn["mistaken"] else drawn["row"]
        try:
            status, answer = await self._clients[arm["name"]].post(
                "/predict", {"rows": [row]}, drawn["upload_s"]
            )
        except (OSError, EOFError) as error:
            self._failures[f"{arm['name']}: {error!r}"] += 1
            return
        finally:
            self._room.release()
        self._answers[arm["name"]][status] += 1
        if status == 200 and drawn["clicks"]:
            await self._stopped_within(drawn["after_s"])
            await self._tell(arm["name"], answer["served_by"], drawn["told"])

    async def _tell(self, arm: str, served_by: str, told: str) -> None:
        try:
            event = {"served_by": served_by, "outcome": "click"}
            status, answer = await self._receivers[told].post("/feedback", event)
        except (OSError, EOFError) as error:
            self._failures[f"click at {told}: {error!r}"] += 1
            return
        if status == 200 and answer["counted"] == 1:
            self._clicks[arm] += 1
        else:
            self._failures[f"click at {told}: {status} {answer}"] += 1

    async def _stopped_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), max(0.0, seconds))
        return self._stop.is_set()


async def main(config: dict[str, Any]) -> dict[str, Any]:
    commands = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    return await Load(config).run(commands)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(json.loads(Path(sys.argv[1]).read_text())))))
