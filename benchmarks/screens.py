"""Many open maps while reports come in: what the server spends on them, and how late they hear.

Each screen holds one connection and takes in all that it is told, as a browser does. A delay runs from the moment
a report is sent until a screen has it; a report takes its own time, and changes are gathered over a second.
"""

import asyncio
import json
import os
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from benchmarks.city import peopled, room
from benchmarks.processes import Process, running
from gridmgr import cluster, db
from gridmgr.settings import settings

QUERIES = (
    "", "?open=true", "?colour=count", "?severity=1", "?source=patrol", "?states=reported",
    "?level=community&colour=count", "?lateness=soon",
)  # fmt: skip
CLIENTS = 8  # send reports
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Heard:
    """When reports were sent, and how long after it each screen had them."""

    sent: dict[str, float] = field(default_factory=dict)
    had: list[tuple[str, float]] = field(default_factory=list)
    open: int = 0
    bytes: int = 0

    def delays(self) -> list[float]:
        """Return all delays in seconds, of reports heard by screens whose filters they fit."""
        return [at - self.sent[number] for number, at in self.had if number in self.sent]


def run(screens: int, rate: float, seconds: float, size: str) -> dict[str, object]:
    """Open screens on one server, report for a while, and return what it has cost."""
    with room() as home:
        before, settings().home = settings().home, home
        try:
            url = cluster.start(home).url()
            token, doors = peopled(db.engine(url), url, size)
            with running(url, home, servers=2, workers=0) as (server, other):
                return _run(server, other, token, doors, screens, rate, seconds)
        finally:
            settings().home = before


def show(told: dict[str, object]) -> None:
    """Print what it has cost."""
    table = Table("what", "how much", title="open maps while reports come in")
    for name, value in told.items():
        table.add_row(name, str(value))
    Console(width=110).print(table)


def _run(
    server: Process, other: Process, token: str, doors: list, screens: int, rate: float, seconds: float
) -> dict[str, object]:
    heard, stop = Heard(), threading.Event()
    idle = _memory(server.child.pid)
    watching = threading.Thread(target=lambda: asyncio.run(_watch(server, token, screens, heard, stop)))
    watching.start()
    while heard.open < screens and watching.is_alive():
        time.sleep(0.1)
    time.sleep(2)
    opened, spent, start = _memory(server.child.pid), _spent(server.child.pid), time.perf_counter()
    _report(other.address, token, doors, rate, seconds, heard)
    time.sleep(3)  # the last ones are heard
    taken, cost = time.perf_counter() - start, _spent(server.child.pid) - spent
    memory = _memory(server.child.pid)
    stop.set()
    watching.join()
    delays = sorted(heard.delays())
    at = statistics.quantiles(delays, n=100)
    return {
        "screens": screens, "boards": len(QUERIES), "reports": len(heard.sent), "seconds": round(taken, 1),
        "reports a second": round(len(heard.sent) / taken, 1), "messages with a report": len(heard.had),
        "MB sent": round(heard.bytes / 1e6, 1), "delay p50 s": round(at[49], 2), "delay p95 s": round(at[94], 2),
        "CPU s of the screens' server": round(cost, 1), "CPU share": f"{cost / taken:.0%}",
        "MB before": round(idle), "MB with all open": round(opened), "MB at the end": round(memory),
        "load": os.getloadavg()[0], "processors": os.cpu_count(),
    }  # fmt: skip


def _report(address: str, token: str, doors: list, rate: float, seconds: float, heard: Heard) -> None:
    """Send reports at a steady pace to the other server, so that its work is not the screens' server's."""
    start, count = time.perf_counter(), int(rate * seconds)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    local = threading.local()

    def send(n: int) -> None:
        time.sleep(max(0.0, start + n / rate - time.perf_counter()))
        if not hasattr(local, "connection"):
            local.connection = HTTPConnection(urlsplit(address).netloc, timeout=60)
        lon, lat = doors[n % len(doors)]
        body = {"lon": lon, "lat": lat, "datum": "wgs84", "category": "B0402", "description": "护栏破损"}
        at = time.perf_counter()
        local.connection.request("POST", "/api/incidents", json.dumps(body), headers)
        answer = local.connection.getresponse()
        told = json.loads(answer.read())
        if answer.status >= 300:
            raise ConnectionError(f"{answer.status} {told}")
        heard.sent[told["number"]] = at

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(send, range(count)))


async def _watch(server: Process, token: str, screens: int, heard: Heard, stop: threading.Event) -> None:
    async def screen(n: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=2**24)
        writer.write(
            f"GET /situation/stream{QUERIES[n % len(QUERIES)]} HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {token}\r\nAccept: text/event-stream\r\n\r\n".encode()
        )
        event, known = "", set()
        while line := await reader.readline():
            heard.bytes += len(line)
            if line.startswith(b"event: "):
                event = line[7:].decode().strip()
                heard.open += event == "hello"
            if event == "change" and line.startswith(b"data: "):
                at = time.perf_counter()
                new = {row[1] for row in json.loads(line[6:])["put"]} - known
                known |= new
                heard.had += [(number, at) for number in new]

    tasks = [asyncio.create_task(screen(n)) for n in range(screens)]
    while not stop.is_set():
        await asyncio.sleep(0.1)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _spent(pid: int) -> float:
    """Return the seconds of processor time a process has taken."""
    with open(f"/proc/{pid}/stat") as told:
        fields = told.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _memory(pid: int) -> float:
    """Return the megabytes of memory a process holds."""
    with open(f"/proc/{pid}/status") as told:
        return next(int(line.split()[1]) / 1024 for line in told if line.startswith("VmRSS"))
