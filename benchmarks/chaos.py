"""kill -9 of server, worker and database in turn, under load; then everything that was acknowledged is looked for."""

import logging
import os
import random
import signal
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, text

from benchmarks.city import peopled, room
from benchmarks.processes import Process, running
from gridmgr import clock, cluster, db
from gridmgr.audit import queries as audit
from gridmgr.cluster_home import Home
from gridmgr.settings import settings

log = logging.getLogger(__name__)
HANDS = 24  # who report at once
SETTLED = 120  # seconds in which all rungs that fell due must be climbed
EVERY_THIRD = 3  # report is accepted as well


@dataclass
class Load:
    """Reports and moves over HTTP at a steady rate, each sent again under its key until it is acknowledged."""

    address: str
    token: str
    places: list[tuple[float, float]]
    filed: dict[str, str] = field(default_factory=dict)  # what a report says → the number it was given
    accepted: set[str] = field(default_factory=set)
    resent: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self, rate: float) -> None:
        """Report so often a second, or as often as is answered; when stopped, wait for what was begun."""
        began = time.monotonic()
        with httpx.Client(timeout=10) as client, ThreadPoolExecutor(HANDS) as hands:
            sent = []
            while not self.stopped.wait(max(began + len(sent) / rate - time.monotonic(), 0)):
                sent.append(hands.submit(self._live_through, client, len(sent)))
            hands.shutdown(cancel_futures=True)  # what was not begun was promised to nobody
            for each in sent:
                if not each.cancelled():
                    each.result()

    def _live_through(self, client: httpx.Client, n: int) -> None:
        words, (lon, lat) = uuid.uuid4().hex, random.choice(self.places)
        since = clock.now() - timedelta(minutes=random.uniform(0, 40))  # so that rungs fall due all the while
        report = {
            "lon": lon, "lat": lat, "datum": "wgs84", "category": "B0402", "severity": 3, "description": words,
            "reported_at": since.isoformat(),
        }  # fmt: skip
        self.filed[words] = number = self._send(client, "/api/incidents", report)["number"]
        if n % EVERY_THIRD == 0:
            move = {"action": "accept", "payload": {"checked": True}}
            self._send(client, f"/api/incidents/{number}/moves", move)
            self.accepted.add(number)

    def _send(self, client: httpx.Client, path: str, body: dict) -> dict:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": uuid.uuid4().hex}
        while True:
            try:
                answer = client.post(self.address + path, json=body, headers=headers)
                if answer.is_success:
                    return answer.json()
                if answer.status_code < 500 and "StillAnswering" not in answer.text:
                    raise ValueError(f"{answer.status_code} {path} {answer.text[:300]}")
            except httpx.TransportError:
                pass
            self.resent += 1
            time.sleep(0.2)


def run(kills: int = 20, rate: float = 50, pause: float = 5) -> dict[str, int]:
    """Kill in turn under load and return what was counted; what is counted in `faults` should not be."""
    with room() as home:
        before, settings().home = settings().home, home
        try:
            url = cluster.start(home).url()
            engine = db.engine(url)
            token, places = peopled(engine, url, "tiny")
            with running(url, home, servers=1, workers=2) as processes:
                load = Load(processes[0].address, token, places)
                began = time.monotonic()
                killed = _killed_under(load, rate, _victims(home, processes), kills, pause)
                seconds = time.monotonic() - began
                unclimbed = _wait_for_rungs(engine)
            told = {"kills": killed.total(), **killed, "seconds": round(seconds), "reports": len(load.filed)}
            told |= {"moves": len(load.accepted), "sent again": load.resent, "unclimbed": unclimbed}
            return told | _found(engine, load)
        finally:
            settings().home = before


def _victims(home: Path, processes: list[Process]) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield whom to kill and start again, in turn, without an end."""

    def again(process: Process) -> Callable[[], None]:
        return lambda: (process.kill(), process.start())

    def database() -> None:
        os.kill(Home(home).pid, signal.SIGKILL)
        cluster.start(home)

    server, *workers = processes
    while True:
        for worker in workers:
            yield from (("server", again(server)), ("worker", again(worker)), ("database", database))


def _killed_under(
    load: Load, rate: float, victims: Iterator[tuple[str, Callable]], kills: int, pause: float
) -> Counter[str]:
    killed: Counter[str] = Counter()
    with ThreadPoolExecutor(1) as runner:
        loading = runner.submit(load.run, rate)
        try:
            for _, (name, kill) in zip(range(kills), victims, strict=False):
                time.sleep(pause * random.uniform(0.5, 1.5))
                kill()
                killed[name] += 1
                log.info("%s killed and back; %s reports acknowledged", name, len(load.filed))
            time.sleep(pause)
        finally:
            load.stopped.set()
        loading.result()
    return killed


def _wait_for_rungs(engine: Engine) -> int:
    """Wait until the rungs due by now are climbed; returns how many were not."""
    asked = text("SELECT count(*) FROM case_clock WHERE state = 'running' AND next_rung_at <= :now")
    now, end = clock.now(), time.monotonic() + SETTLED
    while (left := _one(engine, asked, now=now)) and time.monotonic() < end:
        time.sleep(0.5)
    return left


FAULTS = {
    "two cases of one report": "SELECT count(*) - count(DISTINCT description) FROM incident",
    "accepted twice": """
        SELECT count(*) FROM (SELECT FROM incident_event WHERE action = 'accept'
                              GROUP BY incident_id HAVING count(*) > 1) AS twice""",
    "handed over twice for one rung": """
        SELECT count(*) FROM (SELECT FROM incident_event WHERE action = 'take_over'
                              GROUP BY incident_id, payload ->> 'clock', payload ->> 'share'
                              HAVING count(*) > 1) AS twice""",
    "climbed and not told": """
        SELECT count(*) FROM rung_climbed r JOIN case_clock c ON c.id = r.clock_id
        WHERE reached > 0 AND NOT EXISTS (SELECT FROM notice n WHERE n.incident_id = c.incident_id)""",
}  # fmt: skip
COUNTED = {"cases": "SELECT count(*) FROM incident", "rungs": "SELECT count(*) FROM rung_climbed"}


def _one(engine: Engine, asked, **values) -> int:
    with engine.connect() as connection:
        return connection.scalar(asked, values)


def _found(engine: Engine, load: Load) -> dict[str, int]:
    """Look for everything that was acknowledged, and for everything that should not be."""
    with db.transaction(engine) as session:
        there = dict(session.execute(text("SELECT description, number FROM incident")).all())
        moved = set(
            session.scalars(
                text("SELECT number FROM incident i JOIN incident_event e ON e.incident_id = i.id "
                     "WHERE action = 'accept'")
            )
        )  # fmt: skip
        unserved, broken = audit.unserved(session), audit.verify(session).broken
        told = {name: session.scalar(text(query)) for name, query in (COUNTED | FAULTS).items()}
    return told | {
        "reports lost": sum(there.get(words) != number for words, number in load.filed.items()),
        "reports nobody was told of": len(there.keys() - load.filed.keys()),
        "moves lost": len(load.accepted - moved),
        "chains broken": len(broken),
        "cases without a clock": len(unserved.missing),
        "climbs that do not add up": len(unserved.uneven),
    }


HARMLESS = frozenset({
    "kills", "server", "worker", "database", "seconds", "reports", "moves", "sent again", "cases", "rungs", "steps",
    "sweepers", "orders", "whistles",
})  # fmt: skip


def faults(told: dict[str, int]) -> dict[str, int]:
    """Return what should not have been."""
    return {name: count for name, count in told.items() if count and name not in HARMLESS}


def show(told: dict[str, int], title: str = "killed under load") -> None:
    """Print what was counted."""
    table = Table("what", "how many", title=title)
    for name, count in told.items():
        table.add_row(name, str(count), style="red" if name in faults(told) else None)
    Console(width=110).print(table)
