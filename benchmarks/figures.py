"""Any figure of a dashboard over a million cases: a month, a year and all of them, now and as of a past day.

The peer is a plain GROUP BY by hand of the five numbers of the table in time. The cases are those of `lists`; those
of the month get the history of the case they are copied from, shifted like themselves.
"""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from benchmarks import lists
from benchmarks.city import room
from benchmarks.table import Row, in_turn, show
from gridmgr import clock, cluster, db
from gridmgr.account.rules import SYSTEM
from gridmgr.casebook.queries import Search
from gridmgr.settings import settings
from gridmgr.statistics import queries
from gridmgr.statistics.rules import TABLES, needed

MONTH = 30
KEYS = {
    "street": "street_code", "micro_grid": "micro_grid_code",
    "body": "CASE WHEN handler_code IS NULL THEN handler END",
}  # fmt: skip
PLAIN = """
    SELECT {key}, count(*), count(accepted_at),
           count(*) FILTER (WHERE {due}),
           count(*) FILTER (WHERE {due} AND state IN ('closed', 'evaluated')),
           count(*) FILTER (WHERE {due} AND state IN ('closed', 'evaluated') AND closed_at <= due_at)
    FROM incident
    WHERE reported_at >= :since
    GROUP BY 1
"""
DUE = """accepted_at IS NOT NULL AND due_at IS NOT NULL AND state NOT IN ('voided', 'merged')
         AND (state IN ('closed', 'evaluated') OR due_at <= :now)"""
# Copies are numbered by the row of their original among those that have ended, or have not.
HISTORY = """
    INSERT INTO incident_event (incident_id, seq, action, state, actor_id, actor_name, occurred_at, recorded_at,
                                payload, hash)
    SELECT copy.id, seq, action, event.state, actor_id, actor_name, occurred_at - back, recorded_at - back,
           payload, hash
    FROM incident copy
    JOIN (SELECT *, row_number() OVER (PARTITION BY state = ANY(:final) ORDER BY id) AS row FROM incident
          WHERE id < 200000) one
      ON one.row = copy.id / 2 % 100000 AND (one.state = ANY(:final)) = (copy.id % 2 = 1),
         LATERAL (SELECT one.reported_at - copy.reported_at AS back) shift,
         incident_event event
    WHERE copy.id >= 200000 AND event.incident_id = one.id AND copy.reported_at >= :since
"""


def run(cases: int = 1_000_000) -> list[Row]:
    """Fill a database with so many cases, compare the answers, and return the ratios."""
    with room() as home:
        before, settings().home = settings().home, home
        try:
            url = cluster.start(home).url()
            db.migrate(url)
            engine = db.engine(url)
            lists._fill(engine, cases)
            with db.transaction(engine) as session:
                remember(session)
                return rows(session)
        finally:
            settings().home = before


def remember(session: Session) -> None:
    """Give the cases of the month their histories."""
    values = {"final": list(lists.FINAL), "since": clock.now() - timedelta(days=MONTH)}
    session.execute(text(HISTORY), values)
    session.execute(text("ANALYZE incident_event"))


def rows(session: Session) -> list[Row]:
    """Return how long figures take beside the plain way, and the past beside the present."""
    today = clock.today()
    found = []
    for days, name in ((MONTH, "a month"), (365, "a year")):
        search = Search(since=today - timedelta(days=days))
        for by in KEYS:
            found.append(_row(session, f"{name} by {by}, the table in time", by, search))
    month = Search(since=today - timedelta(days=MONTH))
    at = clock.now() - timedelta(days=10)

    def total(*args, **more) -> Callable[[], object]:
        return lambda: queries.total(session, SYSTEM, month, *args, **more)

    now = total(counts=_IN_TIME)
    beside = {
        "a month: all 29 numbers and sums, beside the six": (total(), 0.2),
        "a month as it stood ten days ago, beside today": (total(at, counts=_IN_TIME), 0.2),
    }
    return found + [Row(work, *in_turn([run, now], 3), target) for work, (run, target) in beside.items()]


_IN_TIME = needed(*TABLES["time"])


def _row(session: Session, work: str, by: str, search: Search) -> Row:
    ours, plain = _ours(session, by, search), _plain(session, by, search)
    assert ours() == plain(), work
    return Row(work, *in_turn([ours, plain], rounds=3), 0.8)


def _ours(session: Session, by: str, search: Search) -> Callable[[], dict]:
    names = ("reported", "accepted", "due", "closed", "closed_on_time")

    def told() -> dict:
        found = queries.figures(session, SYSTEM, by, search, counts=_IN_TIME)
        return {row.code: tuple(row.counts[name] for name in names) for row in found}

    return told


def _plain(session: Session, by: str, search: Search) -> Callable[[], dict]:
    def told() -> dict:
        asked = text(PLAIN.format(key=KEYS[by], due=DUE))
        values = {"since": clock.midnight(search.since), "now": clock.now()}
        return {row[0]: tuple(row[1:]) for row in session.execute(asked, values)}

    return told


if __name__ == "__main__":
    show(run(), "figures over a million cases")
