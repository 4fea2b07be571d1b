"""The auditor of `racing`: every report is there once, in the unit that held its place on a map then in force."""

import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Engine, text

from gridmgr import db

FAULTS = ("lost", "twice", "found on no map in force then", "not on the map in force", "moved without a line",
          "of no edition", "units that meet")  # fmt: skip

_TABLES = (
    "CREATE TABLE racing_map (n int PRIMARY KEY, since timestamptz NOT NULL, until timestamptz)",
    "CREATE TABLE racing_unit (n int, code text, geom geometry)",
    "CREATE TABLE racing_report (number text, sent timestamptz, answered timestamptz)",
    "CREATE TABLE racing_before AS SELECT id FROM incident",
)
_UNITS = text("""
    INSERT INTO racing_unit
    SELECT :n, code, geom FROM grid_unit WHERE level = 'micro_grid' AND valid_to IS NULL
""")
# A map was in force at the earliest when the verb that made it began to end, and at the latest until we saw the next.
_MAP = text("INSERT INTO racing_map VALUES (:n, COALESCE(:since, clock_timestamp() - interval '1 hour'))")
_ENDED = text("UPDATE racing_map SET until = clock_timestamp() WHERE n = :n - 1")
_SENT = text("INSERT INTO racing_report VALUES (:number, :sent, :answered)")

AUDIT = text("""
    WITH told AS (
        SELECT r.number, r.sent, r.answered, i.id, i.geom, i.micro_grid_code AS now, i.edition_id,
               e.payload ->> 'micro_grid_code' AS first,
               (SELECT h.payload ->> 'micro_grid_code' FROM incident_event h
                WHERE h.incident_id = i.id AND h.action = 'rehome' ORDER BY h.seq DESC LIMIT 1) AS moved
        FROM racing_report r
        LEFT JOIN incident i ON i.number = r.number
        LEFT JOIN incident_event e ON e.incident_id = i.id AND e.seq = 1
    ), judged AS (
        SELECT told.*,
            EXISTS (
                SELECT FROM racing_map m JOIN racing_unit u ON u.n = m.n AND u.code = told.first
                WHERE m.since <= told.answered AND COALESCE(m.until, 'infinity') >= told.sent
                  AND ST_Covers(u.geom, told.geom)
            ) AS right_then,
            EXISTS (
                SELECT FROM racing_unit u
                WHERE u.n = (SELECT max(n) FROM racing_map) AND u.code = told.now AND ST_Covers(u.geom, told.geom)
            ) AS right_now
        FROM told
    )
    SELECT count(DISTINCT number) AS "accepted and looked for",
        count(*) FILTER (WHERE id IS NULL) AS "lost",
        count(*) - count(DISTINCT number) AS "twice",
        count(*) FILTER (WHERE id IS NOT NULL AND NOT right_then) AS "found on no map in force then",
        count(*) FILTER (WHERE id IS NOT NULL AND NOT right_now) AS "not on the map in force",
        count(*) FILTER (WHERE now <> COALESCE(moved, first)) AS "moved without a line",
        count(*) FILTER (WHERE id IS NOT NULL AND edition_id NOT IN (SELECT id FROM edition)) AS "of no edition",
        count(*) FILTER (WHERE moved IS NOT NULL) AS "moved, with a line in the history"
    FROM judged
""")
_MORE = text("""
    SELECT count(*) FROM incident
    WHERE number NOT IN (SELECT number FROM racing_report) AND id NOT IN (SELECT id FROM racing_before)
""")
_MEET = text("""
    SELECT count(*) FROM racing_unit a JOIN racing_unit b ON a.n = b.n AND a.code < b.code AND a.geom && b.geom
    WHERE a.n = (SELECT max(n) FROM racing_map) AND ST_Area(ST_Intersection(a.geom, b.geom)) > 1e-16
""")


class Report(Protocol):
    """A report that was accepted: its number, and by the monotonic clock when it was sent and answered."""

    number: str | None
    sent: float
    answered: float


def begin(engine: Engine) -> None:
    """Make the auditor's own tables; what was reported before is none of its business."""
    with db.transaction(engine) as session:
        for each in _TABLES:
            session.execute(text(each))


def keep_state(engine: Engine, n: int, since: datetime | None) -> None:
    """Keep the micro-grids of the map in force, the n-th one; the one before it has ended by now."""
    with db.transaction(engine) as session:
        session.execute(_UNITS, {"n": n})
        session.execute(_MAP, {"n": n, "since": since})
        session.execute(_ENDED, {"n": n})


def audit(engine: Engine, sent: Iterable[Report]) -> dict[str, int]:
    """Return how many reports were looked for and what was found of them; `FAULTS` should be none."""
    with db.transaction(engine) as session:
        at, now = session.scalar(text("SELECT clock_timestamp()")), time.monotonic()
        rows = [
            {
                "number": each.number,
                "sent": at - timedelta(seconds=now - each.sent),
                "answered": at - timedelta(seconds=now - each.answered),
            }
            for each in sent
        ]
        session.execute(_SENT, rows)
        session.execute(text("CREATE INDEX ON racing_unit (n, code)"))
        session.execute(text("CREATE INDEX ON racing_unit USING gist (geom)"))
        session.execute(text("ANALYZE racing_unit, racing_report"))
        found = dict(session.execute(AUDIT).one()._mapping)
        return found | {
            "nobody was told of": session.scalar(_MORE), "units that meet": session.scalar(_MEET),
        }  # fmt: skip
