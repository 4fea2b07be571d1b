"""Server, worker and database are killed in turn under load; afterwards nothing acknowledged may be missing.

    python -m benchmarks.chaos --kills 20 --rate 50

Reports and steps are sent over HTTP to this machine alone, each with a key of its own, and sent again until
they are answered. In the end every answer is looked up in the database, every chain is walked, and every
clock is audited. It stops by itself.
"""

import asyncio
import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from benchmarks.city import room
from gridmgr import clock, cluster, db
from gridmgr.account import queries as accounts
from gridmgr.account import service as account_service
from gridmgr.account.rules import SYSTEM
from gridmgr.audit import queries as audit
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.incident import queries as incidents
from gridmgr.incident.model import Incident
from gridmgr.reactions import REACTIONS
from gridmgr.responsibility import queries as responsibility
from gridmgr.settings import settings
from gridmgr.simulation import service as simulation

PATIENCE = 120.0
tell = Console(stderr=True).print


@dataclass
class Sent:
    """What was acknowledged: reports by their key, and steps by incident."""

    reports: dict[str, str] = field(default_factory=dict)  # source_id → number
    moves: list[tuple[str, str]] = field(default_factory=list)  # number, action
    tries: Counter = field(default_factory=Counter)


class House:
    """The database, the server and the worker, each of which can be killed and started again."""

    def __init__(self, home: Path, port: int):
        self.home, self.port = home, port
        self.url = cluster.start(home).url()
        self.children: dict[str, subprocess.Popen] = {}

    def start(self, name: str) -> None:
        """Start a part that is not running."""
        if name == "database":
            cluster.start(self.home)
            return
        words = {"server": ["serve", "--port", str(self.port)], "worker": ["worker"]}[name]
        environment = os.environ | {
            "GRIDMGR_DATABASE_URL": self.url, "GRIDMGR_HOME": str(self.home), "GRIDMGR_RATE_WRITES": "0",
            "GRIDMGR_RATE_READS": "0",
        }  # fmt: skip
        with (self.home / f"{name}.log").open("ab") as log:
            self.children[name] = subprocess.Popen(
                [sys.executable, "-m", "gridmgr.cli", *words], env=environment, stdout=log, stderr=log
            )

    def mend(self) -> None:
        """Start again what has ended by itself, as the supervisor of a service does."""
        for name, child in list(self.children.items()):
            if child.poll() is not None:
                self.start(name)

    def kill(self, name: str) -> None:
        """Kill a part as a power cut would."""
        if name == "database":
            pid = cluster.status(self.home).pid
            os.kill(pid, signal.SIGKILL)
            while Path(f"/proc/{pid}").exists():
                time.sleep(0.05)
            return
        self.children[name].kill()
        self.children[name].wait()

    def stop(self) -> None:
        """End everything that was started."""
        for child in self.children.values():
            child.terminate()
        for child in self.children.values():
            with suppress(subprocess.TimeoutExpired):
                child.wait(timeout=PATIENCE)
            child.kill()
        cluster.stop(self.home)


@contextmanager
def house(port: int):
    """Build a small district in a room of its own, with everything running; clear it away in the end."""
    with room() as home:
        settings().home = home
        parts = House(home, port)
        db.migrate(parts.url)
        with db.transaction(db.engine(parts.url), REACTIONS) as session:
            simulation.build(session, "small", 7, clock.today() - timedelta(days=30))
            hierarchy.locator(session)
        for name in ("server", "worker"):
            parts.start(name)
        try:
            yield parts
        finally:
            parts.stop()


async def load(client: httpx.AsyncClient, body, rate: float, until: asyncio.Event, sent: Sent) -> None:
    """Send reports at a steady rate until told to stop, each until it is answered; accept some of them."""
    pending: set[asyncio.Task] = set()
    began = time.monotonic()
    for n in itertools.count():
        if until.is_set():
            break
        task = asyncio.create_task(_one(client, body(n), sent))
        pending.add(task)
        task.add_done_callback(pending.discard)
        await asyncio.sleep(max(0.0, began + (n + 1) / rate - time.monotonic()))
    await asyncio.gather(*pending)


async def _one(client: httpx.AsyncClient, report: dict, sent: Sent) -> None:
    answer = await _insist(client, "/api/incidents", report, report["source_id"], sent)
    number = answer["number"]
    sent.reports[report["source_id"]] = number
    if random.random() < 0.5:
        step = {"action": "accept", "payload": {"checked": True}}
        await _insist(client, f"/api/incidents/{number}/moves", step, f"accept-{number}", sent)
        sent.moves.append((number, "accept"))


async def _insist(client: httpx.AsyncClient, path: str, body: dict, key: str, sent: Sent) -> dict:
    """Send until there is an answer that settles it; a lost answer is asked for again under the same key."""
    end, last = time.monotonic() + PATIENCE, "nothing"
    while time.monotonic() < end:
        sent.tries[path.rpartition("/")[2]] += 1
        try:
            answer = await client.post(path, json=body, headers={"Idempotency-Key": key})
        except httpx.TransportError as lost:
            last = repr(lost)
        else:
            last = f"{answer.status_code} {answer.text[:300]}"
            if answer.status_code < 300:
                return answer.json()
            if answer.status_code not in (429, 500, 502, 503, 504):
                raise AssertionError(f"{path}: {last}")
        await asyncio.sleep(0.2)
    raise AssertionError(f"{path} was not answered within {PATIENCE:.0f} s; the last was: {last}")


async def storm(parts: House, client: httpx.AsyncClient, body, rate: float, kills: int, calm: float) -> Sent:
    """Keep the load up while the parts are killed in turn, each a while after the one before."""
    sent, over = Sent(), asyncio.Event()
    running = asyncio.create_task(load(client, body, rate, over, sent))
    for name in itertools.islice(itertools.cycle(("server", "worker", "database")), kills):
        await _progress(parts, sent, calm * rate / 2)
        await _watch(parts, calm)
        await asyncio.to_thread(parts.kill, name)
        await asyncio.to_thread(parts.start, name)
        tell(f"killed {name}: {len(sent.reports)} reports and {len(sent.moves)} steps acknowledged so far")
    over.set()
    while not running.done():
        await _watch(parts, calm)
    await running
    return sent


async def _progress(parts: House, sent: Sent, answers: float) -> None:
    """Wait until so many more answers have come: what is killed had been alive."""
    wanted, end = len(sent.reports) + answers, time.monotonic() + PATIENCE
    while len(sent.reports) < wanted and time.monotonic() < end:
        await _watch(parts, 0.5)


async def _watch(parts: House, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await asyncio.sleep(0.5)
        await asyncio.to_thread(parts.mend)


def reckoning(session, sent: Sent) -> dict[str, int]:
    """Return what was looked at, and how much of it is wrong; every wrong number must be 0."""
    rows = session.execute(
        select(Incident.source_id, Incident.number).where(Incident.origin == "chaos")
    ).all()
    stored = Counter(number for _, number in rows)
    by_source = dict(map(tuple, rows))
    accepted = {
        number for number, action in sent.moves
        if [e.action for e in incidents.history(session, _id(session, number))].count(action) != 1
    }  # fmt: skip
    verified = audit.verify(session)
    return {
        "reports acknowledged": len(sent.reports),
        "steps acknowledged": len(sent.moves),
        "reports missing": sum(by_source.get(key) != number for key, number in sent.reports.items()),
        "reports twice": sum(count > 1 for count in stored.values()) + len(rows) - len(by_source),
        "steps missing or twice": len(accepted),
        "histories broken": len(verified.broken),
        **clocks(session),
    }


def _id(session, number: str) -> int:
    return session.scalar(select(Incident.id).where(Incident.number == number))


def clocks(session) -> dict[str, int]:
    """Return how many rungs were climbed, and the findings of the auditor of clocks."""
    from gridmgr.escalation import queries as escalation

    return escalation.tally(session)


def run(kills: int = 20, rate: float = 50, calm: float = 4.0, port: int = 8790) -> dict[str, int]:
    """Go through the storm, then audit; returns the counts."""
    with house(port) as parts:
        engine = db.engine(parts.url)
        with db.transaction(engine, REACTIONS) as session:
            token, _ = account_service.issue_token(session, accounts.actor(session, "admin"), "chaos")
            west, south, east, north = hierarchy.bounds(session, SYSTEM)
            codes = [each.code for each in responsibility.in_force(session)]

        def body(n: int) -> dict:
            chance = random.Random(n)
            lon = west + (east - west) * chance.uniform(0.3, 0.7)
            lat = south + (north - south) * chance.uniform(0.3, 0.7)
            return {
                "lon": lon, "lat": lat, "datum": "wgs84", "category": chance.choice(codes),
                "description": "占道堆物", "address": "西安路", "origin": "chaos", "source_id": f"c-{n}",
            }  # fmt: skip

        async def whole() -> Sent:
            headers = {"Authorization": f"Bearer {token}"}
            base = f"http://127.0.0.1:{port}"
            async with httpx.AsyncClient(base_url=base, headers=headers, timeout=10) as client:
                await _awake(client)
                return await storm(parts, client, body, rate, kills, calm)

        sent = asyncio.run(whole())
        with db.transaction(db.engine(parts.url), REACTIONS) as session:
            return reckoning(session, sent)


async def _awake(client: httpx.AsyncClient) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with suppress(httpx.TransportError):
            if (await client.get("/healthz")).status_code == 200:
                return
        await asyncio.sleep(0.2)
    raise AssertionError("the server does not answer")


def main(
    kills: Annotated[int, typer.Option(min=0, max=200)] = 20,
    rate: Annotated[float, typer.Option(min=1, max=500, help="Reports a second.")] = 50,
    calm: Annotated[float, typer.Option(min=0.5, max=60, help="Seconds between kills.")] = 4,
) -> None:
    """Kill server, worker and database in turn under load, and count what was lost: nothing."""
    table = Table("what", "count", title=f"{kills} kills at {rate:g} reports a second")
    for what, count in run(kills, rate, calm).items():
        table.add_row(what, f"{count:,}")
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
