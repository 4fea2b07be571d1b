"""Publications one after another while reports come in: whether any is lost or doubled, and how long one waits.

Reports come over HTTP to two servers, at a steady pace from several clients; each says a delay from the moment it
was due. What is approved is published as the worker does on its day, in one transaction and a process of its own; a
worker lets all follow, and draws the tiles. Afterwards `landed` asks the database for each report.
"""

import itertools
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from multiprocessing import get_context
from pathlib import Path as File
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from benchmarks import landed
from benchmarks.city import peopled, room
from benchmarks.processes import Process, running
from gis.plan import merge
from gridmgr import clock, cluster, db
from gridmgr.account import queries as accounts
from gridmgr.account import service as account_service
from gridmgr.account.rules import Actor, Grant, Role
from gridmgr.boundary_plan import queries as plans
from gridmgr.boundary_plan import service as drawing
from gridmgr.consultation import queries as consultations
from gridmgr.consultation import service as consultation
from gridmgr.consultation.model import Said
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.plan_edit import service as edits
from gridmgr.publication import service
from gridmgr.publication.model import Publication, State
from gridmgr.reactions import REACTIONS
from gridmgr.settings import settings

SERVERS, CLIENTS = 2, 16
BREATH = 4.0  # seconds between two publications
PATIENCE = 300  # seconds for what follows
LONGEST = 2.0  # seconds a report may take
TRIES = 3  # of a report whose connection has gone


class Ground(NamedTuple):
    """What is redrawn: an area, or of the district one community in so many; or what was redrawn is given back."""

    work: str
    level: str
    undoes: int | None = None  # the how-manieth of the publications


COURSE = (
    Ground("a community", "community"),
    Ground("a street", "street"),
    Ground("the community, rolled back", "community", 0),
    Ground("a community", "community"),
    Ground("the whole district", "district"),
    Ground("a community", "community"),
    Ground("a street", "street"),
    Ground("the street, rolled back", "street", 6),
    Ground("a community", "community"),
)


@dataclass
class Sent:
    """A report: when it was due, sent and answered, by the monotonic clock and by that of the database."""

    due: float
    sent: float = 0.0
    answered: float = 0.0
    again: int = 0  # how often its connection had gone, and it was sent once more under its key
    number: str | None = None
    refused: str | None = None

    @property
    def delay(self) -> float:
        """Seconds from the moment it was due."""
        return self.answered - self.due


@dataclass
class Made:
    """A publication: when it began and when the map was another one, and the processor time it took of ours."""

    work: str
    id: int
    units: int = 0
    due: float = 0.0
    done: float = 0.0
    spent: float = 0.0


@dataclass
class Told:
    """All that was measured."""

    sent: list[Sent]
    made: list[Made]
    audit: dict[str, int] = field(default_factory=dict)
    failed_jobs: int = 0


def run(rate: float = 50, seconds: float = 60, size: str = "district", tell=print) -> Told:
    """Build a district, report for so long and until everything is published, and look for each report."""
    with room() as home:
        before, settings().home = settings().home, home
        try:
            url = cluster.start(home).url()
            engine = db.engine(url)
            token, doors = peopled(engine, url, size)
            tell("plans …")
            hands = _hands(engine)
            made = _approved(engine, hands)
            with running(url, home, servers=SERVERS, workers=1) as processes:
                told = _race(engine, hands, processes[:SERVERS], token, doors, made, rate, seconds, tell)
            engine.dispose()
            return told
        finally:
            settings().home = before


def _hands(engine: Engine) -> tuple[Actor, Actor]:
    """Return who draws, and who agrees and approves."""
    with db.transaction(engine, REACTIONS) as session:
        opened = [
            account_service.open_account(session, name, name, "x" * 12, [Grant(role, "")])
            for name, role in (("racing-planner", Role.PLANNER), ("racing-admin", Role.ADMIN))
        ]
        return tuple(accounts.actor_of(each) for each in opened)


def _approved(engine: Engine, hands: tuple[Actor, Actor]) -> list[Made]:
    """Draw the plans of the course on grounds that do not meet, and bring each as far as its approval."""
    with db.transaction(engine) as session:
        grids = hierarchy.frame(session, "micro_grid")
        streets = grids["parent_code"].str[:9]
        communities = [list(each) for _, each in grids.groupby(streets)["parent_code"].unique().items()]
    free = itertools.cycle(range(len(communities)))
    made, used = [], set()
    for ground in COURSE:
        if ground.undoes is not None:
            made.append(Made(ground.work, 0))
            continue
        area, among = _ground(ground.level, communities, next(free), used)
        used |= set(among)
        with db.transaction(engine, REACTIONS) as session:
            made.append(_submitted(session, hands, ground.work, area, among))
    return made


def _ground(level: str, streets: list[list[str]], n: int, used: set[str]) -> tuple[str, list[str]]:
    """Return an area, and the communities in it that nobody else has drawn in."""
    left = [[code for code in street if code not in used] for street in streets]
    if level == "district":
        return "", [code for street in left for code in street[len(street) // 2 :]]
    if level == "street":
        street = max(left, key=len)
        return street[0][:9], street[: len(street) // 2 + 1]
    found = [street for street in left if street][n % sum(map(bool, left))]
    return found[0], [found[0]]


def _submitted(session: Session, hands: tuple, work: str, area: str, among: Sequence[str]) -> Made:
    plan = drawing.create(session, hands[0], work, area)
    state = plans.state(session, plan, None)
    new = state.plan
    for _, units in state.plan.units[state.plan.units["parent_code"].isin(among)].groupby("parent_code"):
        for first in units.index[::4]:
            border = units.geometry.relate_pattern(units.geometry[first], "****1****")
            near = [code for code in units.index[border] if code != first and code in new.units.index]
            if near and first in new.units.index:
                new = merge(new, [first, near[0]])
    inside = [code for code in state.numbers.index if code in new.units.index]
    drawn = new.units.loc[inside, ["name", "parent_code", "geometry"]]
    edit = edits.adopt(session, hands[0], plan.id, plan.tip_id, drawn)
    found = service.submit(session, hands[0], plan.id, edit.tip)
    return _agreed(session, hands, found, work)


def _agreed(session: Session, hands: tuple, found: Publication, work: str) -> Made:
    planner, admin = hands
    service.announce(session, admin, found.id, 0)
    service.consult(session, planner, found.id)
    asked = found.consultation_id
    for each in consultations.parties(session, [asked])[asked]:
        consultation.say(session, admin, asked, Said.AGREE, party_id=each.id)
    changes = found.changes
    return Made(work, found.id, len(changes["new"]) + len(changes["gone"]) + len(changes["redrawn"]))


def _race(
    engine: Engine, hands: tuple, servers: list[Process], token: str, doors: list, made: list[Made], rate: float,
    seconds: float, tell,
) -> Told:  # fmt: skip
    stop, sent = threading.Event(), []
    runner = threading.Thread(target=_report, args=(servers, token, doors, rate, stop, sent))
    for each in servers:
        warm = HTTPConnection(urlsplit(each.address).netloc, timeout=60)
        _one(warm, token, doors[0], f"warm-{each.port}")
        warm.close()
    landed.begin(engine)
    landed.keep_state(engine, 0, None)
    start = time.monotonic()
    runner.start()
    press = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    try:
        time.sleep(BREATH)
        for n, (ground, each) in enumerate(zip(COURSE, made, strict=True)):
            if ground.undoes is not None:
                with db.transaction(engine, REACTIONS) as session:
                    back = service.roll_back(session, hands[0], made[ground.undoes].id)
                    each.__dict__.update(_agreed(session, hands, back, each.work).__dict__)
            _publish(engine, hands[1], press, each, n + 1)
            tell(f"{each.work}: {each.done - each.due:.1f} s, {len(sent):,} reports")
            time.sleep(BREATH)
        time.sleep(max(0.0, start + seconds - time.monotonic()))
    finally:
        stop.set()
        press.shutdown()
        runner.join()
    failed = _quiet(engine)
    return Told(sent, made, landed.audit(engine, [each for each in sent if each.number]), failed)


def _publish(engine: Engine, admin: Actor, press: ProcessPoolExecutor, made: Made, n: int) -> None:
    """Approve a plan for today and publish what is due, as the worker does."""
    pressed = press.submit(_press, db_url(engine), str(settings().home), admin, made.id)
    made.due, made.done, made.spent = pressed.result()
    with db.transaction(engine) as session:
        found = session.get_one(Publication, made.id)
        if found.state != State.PUBLISHED:
            raise AssertionError(f"{made.work}: {found.problem}")
        landed.keep_state(engine, n, found.published_at)


def db_url(engine: Engine) -> str:
    """Return the address of a database, its password told."""
    return engine.url.render_as_string(hide_password=False)


def _press(url: str, home: str, admin: Actor, number: int) -> tuple[float, float, float]:
    """Approve a plan for today and publish what is due, in this process; returns begin, end, and processor time."""
    settings().home = File(home)
    engine = db.engine(url)
    with db.transaction(engine, REACTIONS) as session:
        hierarchy.locator(session)  # as in a worker that has long been there
    with db.transaction(engine, REACTIONS) as session:
        service.approve(session, admin, number, clock.today())
    begun, spent = time.monotonic(), time.process_time()
    with db.transaction(engine, REACTIONS) as session:
        service.publish_due(session)
    done, spent = time.monotonic(), time.process_time() - spent
    engine.dispose()
    return begun, done, spent


def _quiet(engine: Engine) -> int:
    """Wait until the worker has let everything follow; returns how many of its jobs have failed."""
    waits = text(
        "SELECT count(*) FROM procrastinate_jobs "
        "WHERE status IN ('todo', 'doing') AND task_name IN ('follow_edition', 'prepare_maps')"
    )
    failed = text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed'")
    end = time.monotonic() + PATIENCE
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while connection.scalar(waits) and time.monotonic() < end:
            time.sleep(0.2)
        return connection.scalar(failed)


# ---- reports -------------------------------------------------------------------------------------------


def _report(
    servers: list[Process], token: str, doors: list, rate: float, stop: threading.Event, sent: list[Sent]
) -> None:
    """Send reports at a steady pace until told to stop, whatever becomes of those before."""
    start, local, turn = time.monotonic(), threading.local(), itertools.count()

    def send(one: Sent, n: int) -> None:
        if not hasattr(local, "connection"):
            address = servers[next(turn) % len(servers)].address
            local.connection = HTTPConnection(urlsplit(address).netloc, timeout=60)
        one.sent, key = time.monotonic(), f"racing-{n}"
        while one.number is None and one.refused is None:
            try:
                one.number, one.refused = _one(local.connection, token, doors[n * 7919 % len(doors)], key)
            except (OSError, HTTPException) as broken:
                local.connection.close()  # a server ends connections that are idle for long
                one.again += 1
                one.refused = type(broken).__name__ if one.again == TRIES else None
        one.answered = time.monotonic()

    with ThreadPoolExecutor(CLIENTS) as pool:
        for n in itertools.count():
            due = start + n / rate
            if stop.wait(max(0.0, due - time.monotonic())):
                return
            sent.append(Sent(due))
            pool.submit(send, sent[-1], n)


def _one(
    connection: HTTPConnection, token: str, door: tuple[float, float], key: str
) -> tuple[str | None, str | None]:
    """Send one report under a key of its own; returns its number, or why it was refused."""
    body = {"lon": door[0], "lat": door[1], "datum": "wgs84", "category": "B0402", "description": "护栏破损"}
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": key}
    connection.request("POST", "/api/incidents", json.dumps(body), headers)
    answer = connection.getresponse()
    told = json.loads(answer.read())
    if answer.status == 201:
        return told["number"], None
    return None, f"{answer.status} {told.get('type', '')} {told.get('title', '')}".strip()


# ---- what it came to -----------------------------------------------------------------------------------


def delays(told: Told) -> tuple[list[float], list[float]]:
    """Return the delays of reports that met a publication under way, and of all others."""
    spans = [(each.due, each.done) for each in told.made]
    met, free = [], []
    for each in told.sent:
        meets = any(each.due <= done and each.answered >= due for due, done in spans)
        (met if meets else free).append(each.delay)
    return met, free


def pause(told: Told) -> float:
    """Return the longest time in which no report was answered."""
    at = sorted(each.answered for each in told.sent if each.number)
    return max((later - before for before, later in itertools.pairwise(at)), default=0.0)


def faults(told: Told) -> int:
    """Return how many reports were refused, lost, doubled or late, and jobs that failed."""
    late = sum(each.delay > LONGEST for each in told.sent)
    refused = sum(each.number is None for each in told.sent)
    wrong = sum(number for name, number in told.audit.items() if name in landed.FAULTS)
    return late + refused + wrong + told.failed_jobs


def show(told: Told) -> None:
    """Print what was measured."""
    switches = Table(
        "published", "units", "seconds", "of the processor", title="publications while reports come in"
    )
    for each in told.made:
        switches.add_row(each.work, f"{each.units:,}", f"{each.done - each.due:.1f}", f"{each.spent:.1f}")
    table = Table("reports", "", title="reports while the map changes")
    met, free = delays(told)
    refused = Counter(each.refused for each in told.sent if each.refused)
    length = max(each.answered for each in told.sent) - told.sent[0].due
    rows = {
        "sent": f"{len(told.sent):,}", "a second": f"{len(told.sent) / length:.1f}",
        "accepted": f"{sum(bool(each.number) for each in told.sent):,}",
        "refused": ", ".join(f"{count} {why}" for why, count in refused.items()) or "0",
        "sent again, their connection had gone": sum(each.again for each in told.sent),
        "delay while a map is published, p50 / p95 / most": _spread(met),
        "delay at other times, p50 / p95 / most": _spread(free),
        "longest time without an answer": f"{pause(told):.2f} s",
        **{name: f"{number:,}" for name, number in told.audit.items()},
        "jobs that failed": told.failed_jobs, "load, processors": f"{os.getloadavg()[0]:.1f}, {os.cpu_count()}",
        "faults": faults(told),
    }  # fmt: skip
    for name, value in rows.items():
        table.add_row(name, str(value))
    for each in (switches, table):
        Console(width=110).print(each)


def _spread(found: list[float]) -> str:
    if not found:
        return "-"
    half, most = np.quantile(found, [0.5, 0.95])
    return f"{half * 1000:.0f} / {most * 1000:.0f} / {max(found) * 1000:.0f} ms of {len(found):,}"
