"""Clients that behave as the SDKs do: they send batches, and send again what was not answered 200."""

import itertools
import threading
import time

from harness import Onward, Source


class Clients:
    """`count` threads that send until stopped; `acknowledged` are the messageIds that were answered 200."""

    def __init__(self, onward: Onward, source: Source, count: int = 3, batch: int = 20, pause: float = 0.01):
        self._onward, self._source, self._batch, self._pause = onward, source, batch, pause
        self._stop = threading.Event()
        self.acknowledged: set[str] = set()
        self.refused: list[tuple[int, bytes]] = []
        """Answers other than 200 and 503."""
        self.retried = 0
        self._threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(count)]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive(), "a client is still waiting for its 200"

    def _run(self, client: int) -> None:
        for number in itertools.count():
            if self._stop.is_set():
                return
            ids = [f"{client}-{number}-{n}" for n in range(self._batch)]
            events = [
                {
                    "type": "track",
                    "event": f"Event {n % 5}",
                    "userId": f"user-{client}",
                    "messageId": id,
                    "properties": {"n": n, "drop": n % 10 == 0},
                }
                for n, id in enumerate(ids)
            ]
            if not self._send_until_answered(events):
                return
            self.acknowledged.update(ids)
            time.sleep(self._pause)

    def _send_until_answered(self, events: list[dict[str, object]]) -> bool:
        give_up = None
        while True:
            try:
                answer = self._onward.post("/v1/batch", {"batch": events}, self._source.write_key)
                if answer.status == 200:
                    return True
                if answer.status != 503:
                    self.refused.append((answer.status, answer.body))
                    return False
            except OSError:
                pass
            self.retried += 1
            if self._stop.is_set():
                give_up = give_up or time.monotonic() + 30
                if time.monotonic() > give_up:
                    return False
            time.sleep(0.05)
