"""Climbing what is due of a million open clocks, beside one statement, a loop over rows, and a unit of work.

Each runs on its own copy of one filled database and commits. Nobody sits at the levels of the rungs, so all
leave the same: one row in the list of climbs for each rung due, which is compared.
"""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg2
from sqlalchemy import Engine, make_url, select, text
from sqlalchemy.orm import Session

from benchmarks.city import room
from benchmarks.table import Row
from gis.samples import sized
from gridmgr import clock, cluster, db
from gridmgr.account.rules import SYSTEM
from gridmgr.category import queries as categories
from gridmgr.category import service as matters
from gridmgr.escalation import service
from gridmgr.escalation.model import CaseClock, RungClimbed, Running
from gridmgr.hierarchy import service as hierarchy
from gridmgr.incident.model import Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Source
from gridmgr.reactions import REACTIONS
from gridmgr.settings import settings
from gridmgr.simulation import service as simulation
from gridmgr.simulation.samples import category_rows

A_CASE = 10  # clocks each
SHARE = 10  # one of so many is due
PORTION = 5000  # reports filed at once; rows of a unit of work
SLOW = 3000  # rows the slow peers climb; their time is counted up
LADDER = [
    {"act": "remind", "level": "community", "share": 0.5},
    {"act": "tell", "level": "street", "share": 1.0},
]

FILL = """
    INSERT INTO case_clock (incident_id, stage, started_at, amount, unit, calendar, allowed, used, since, due_at,
                            rung_times, next_rung, next_rung_at, state, policy)
    SELECT i.id, 'further-' || n, CAST(:at AS timestamptz) - interval '1 day', 48, 'hours', '',
           interval '48 hours', interval '0', :at - interval '1 day',
           :at + interval '1 day', ARRAY[first, :at + interval '1 day'], 0, first, 'running', CAST(:policy AS jsonb)
    FROM incident i, generate_series(1, :many) n,
         LATERAL (SELECT CASE WHEN (i.id * :many + n) % :share = 0 THEN CAST(:at AS timestamptz) - interval '1 minute'
                         ELSE :at + interval '12 hours' END AS first) AS told
"""
ONE = """
    WITH due AS (
        SELECT id, next_rung, next_rung_at, rung_times, policy -> 'ladder' -> next_rung AS rung FROM case_clock
        WHERE state = 'running' AND next_rung_at <= :at FOR NO KEY UPDATE
    ), climbed AS (
        INSERT INTO rung_climbed (clock_id, rung, climbed_at, due_at, act, level, reached, note)
        SELECT id, next_rung, :at, next_rung_at, rung ->> 'act', rung ->> 'level', 0, 'nobody' FROM due
    )
    UPDATE case_clock c SET next_rung = due.next_rung + 1, next_rung_at = due.rung_times[due.next_rung + 2]
    FROM due WHERE c.id = due.id
"""
LEFT = """
    SELECT count(*), coalesce(sum(hashtextextended(concat(r.clock_id, rung, act, level, note, r.due_at), 0)), 0),
           (SELECT coalesce(sum(hashtextextended(concat(id, next_rung, next_rung_at), 0)), 0) FROM case_clock)
    FROM rung_climbed r
"""


@dataclass(frozen=True)
class Filled:
    """A database with open clocks, and copies of it."""

    url: str
    at: datetime
    due: int

    @contextmanager
    def copy(self, name: str):
        """Yield an engine on a copy, which is dropped in the end."""
        server = psycopg2.connect(_dsn(make_url(self.url).set(database="postgres")))
        server.autocommit = True
        cursor = server.cursor()
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {make_url(self.url).database}")
        engine = db.engine(make_url(self.url).set(database=name).render_as_string(hide_password=False))
        try:
            yield engine
        finally:
            engine.dispose()
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
            server.close()


def _dsn(url) -> str:
    words = url.translate_connect_args(username="user", database="dbname") | dict(url.query)
    return psycopg2.extensions.make_dsn(**words)


def run(clocks: int = 1_000_000) -> list[Row]:
    """Fill a database with open clocks, let everybody climb, compare what is left, and return the ratios."""
    with room() as home:
        before, settings().home = settings().home, home
        try:
            filled = _filled(cluster.start(home, autovacuum="off").url(), clocks)
            return _compared(filled, clocks)
        finally:
            settings().home = before


def _compared(filled: Filled, clocks: int) -> list[Row]:
    runs = {"ours": _ours, "one": _one, "two": _two}
    seconds, left = {}, {}
    for _ in range(2):
        for name, climb in runs.items():
            taken, left[name] = _timed(filled, name, climb)
            seconds[name] = min(taken, seconds.get(name, taken))
    if not left["ours"] == left["one"] == left["two"] or left["one"][0] != filled.due:
        raise AssertionError(f"not the same rungs were climbed: {left}")
    for name, climb in {"rows": _row_by_row, "unit": _unit_of_work}.items():
        taken, (climbed, *_) = _timed(filled, name, climb)
        seconds[name] = taken * filled.due / climbed
    work = f"{filled.due:,} rungs due of {clocks:,} clocks"
    return [
        Row(f"{work} (one statement)", seconds["ours"], seconds["one"], 0.8),
        Row("the same, two sweepers (one statement)", seconds["two"], seconds["one"], 0.8),
        Row("the same (row by row)", seconds["ours"], seconds["rows"], 80),
        Row("the same (SQLAlchemy unit of work)", seconds["ours"], seconds["unit"], 10),
    ]


def _timed(filled: Filled, name: str, climb: Callable[[Engine, datetime], None]) -> tuple[float, tuple]:
    with filled.copy(f"climb_{name}") as engine:
        with engine.connect() as warm:  # what is timed is the climbing
            warm.execute(text("SELECT count(*) FROM case_clock")).all()
        start = time.perf_counter()
        climb(engine, filled.at)
        seconds = time.perf_counter() - start
        with engine.connect() as connection:
            return seconds, tuple(connection.execute(text(LEFT)).one())


def _filled(url: str, clocks: int) -> Filled:
    db.migrate(url)
    engine, at = db.engine(url), clock.now().replace(microsecond=0)
    frames = sized("tiny", seed=simulation.SEED)
    frames["building"] = frames["building"].rename(columns={"use": "land_use"})
    door = frames["building"].representative_point().iloc[0]
    with db.transaction(engine) as session:
        hierarchy.load(session, frames, at.date() - timedelta(days=3), "bench")
        matters.publish(session, "bench", at.date() - timedelta(days=3), category_rows())
        category = categories.in_force(session)[0].id
    told = Report(door.x, door.y, "wgs84", category, Source.PATROL, "", reported_at=at - timedelta(days=1))
    for begin in range(0, clocks // A_CASE, PORTION):
        with db.transaction(engine) as session:  # nobody listens: the clocks are made below
            intake.report_many(session, SYSTEM, [told] * min(PORTION, clocks // A_CASE - begin))
    values = {"at": at, "many": A_CASE, "share": SHARE, "policy": json.dumps({"policy": 0, "ladder": LADDER})}
    with engine.begin() as connection:
        connection.execute(text(FILL), values)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
        due = connection.scalar(text("SELECT count(*) FROM case_clock WHERE next_rung_at <= :at"), {"at": at})
    engine.dispose()
    return Filled(url, at, due)


# ---- who climbs ----------------------------------------------------------------------------------------


def _ours(engine: Engine, at: datetime) -> None:
    served = service.BATCH
    while served == service.BATCH:
        with clock.travel(at), db.transaction(engine, REACTIONS) as session:
            served = service.sweep(session)


def _two(engine: Engine, at: datetime) -> None:
    with ThreadPoolExecutor(2) as workers:
        for done in [workers.submit(_ours, engine, at) for _ in range(2)]:
            done.result()
    _ours(engine, at)  # what either had held while the other looked


def _one(engine: Engine, at: datetime) -> None:
    with engine.begin() as connection:
        connection.execute(text(ONE), {"at": at})


def _row_by_row(engine: Engine, at: datetime) -> None:
    with engine.connect() as connection:
        asked = text("SELECT id FROM case_clock WHERE state = 'running' AND next_rung_at <= :at LIMIT :n")
        ids = connection.scalars(asked, {"at": at, "n": SLOW}).all()
    for each in ids:
        with engine.begin() as connection:
            connection.execute(
                text(ONE.replace("WHERE state", "WHERE id = :id AND state")), {"at": at, "id": each}
            )


def _unit_of_work(engine: Engine, at: datetime) -> None:
    due = select(CaseClock).where(CaseClock.state == Running.RUNNING, CaseClock.next_rung_at <= at)
    with Session(engine) as session, session.begin():
        for one in session.scalars(due.limit(SLOW).with_for_update()):
            rung = one.policy["ladder"][one.next_rung]
            session.add(RungClimbed(
                clock_id=one.id, rung=one.next_rung, climbed_at=at, due_at=one.next_rung_at, act=rung["act"],
                level=rung["level"], reached=0, note="nobody",
            ))  # fmt: skip
            one.next_rung += 1
            one.next_rung_at = one.rung_times[one.next_rung]
