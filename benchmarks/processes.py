"""Real servers and workers on a database of their own, to be measured, and to be killed."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE = 90


@dataclass
class Process:
    """One of our own commands, started again after it was killed."""

    folder: Path  # for its log
    environment: dict[str, str]
    command: tuple[str, ...]
    port: int | None = None
    child: subprocess.Popen | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it; a server answers when this returns."""
        with (self.folder / f"{self.command[0]}-{id(self)}.log").open("ab") as words:
            self.child = subprocess.Popen(
                [sys.executable, "-m", "gridmgr.cli", *self.command],
                env=os.environ | self.environment, stdout=words, stderr=words,
            )  # fmt: skip
        if self.port:
            self._await()

    def kill(self, sign: int = signal.SIGKILL) -> None:
        """End it, by default as a power cut would."""
        self.child.send_signal(sign)
        self.child.send_signal(signal.SIGCONT)  # if it had been made to stand still
        self.child.wait(PATIENCE)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _await(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.child.poll() is None:
            try:
                urllib.request.urlopen(f"{self.address}/healthz", timeout=2).close()
                return
            except OSError:
                time.sleep(0.05)
        raise TimeoutError(f"no server at {self.address}")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(url: str, folder: Path, servers: int, workers: int, **settings: str) -> Iterator[list[Process]]:
    """Run servers, then workers, on a database; all are ended in the end."""
    environment = {f"GRIDMGR_{name.upper()}": value for name, value in settings.items()} | {
        "GRIDMGR_DATABASE_URL": url, "GRIDMGR_HOME": str(folder), "GRIDMGR_LOG_LEVEL": "WARNING",
        "GRIDMGR_RATE_READS": "0", "GRIDMGR_RATE_WRITES": "0",
    }  # fmt: skip
    ports = [free_port() for _ in range(servers)]
    started = [Process(folder, environment, ("serve", "--port", str(port)), port) for port in ports]
    started += [Process(folder, environment, ("worker",)) for _ in range(workers)]
    try:
        for each in started:
            each.start()
        yield started
    finally:
        for each in started:
            if each.child and each.child.poll() is None:
                each.kill(signal.SIGTERM)
