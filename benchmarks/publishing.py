"""The switch from one map to the next: the full district, and so many open cases that follow their ground.

Timed is the whole transaction of a publication: rows, lineage, cases, pieces, people, and their commit. The plan
merges two micro-grids in every community, or in one.
"""

import time
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from benchmarks.city import peopled, room
from gis.plan import merge
from gridmgr import clock, cluster, db
from gridmgr.account.rules import SYSTEM
from gridmgr.boundary_plan import queries as plans
from gridmgr.boundary_plan import service as drawing
from gridmgr.category import queries as matters
from gridmgr.hierarchy import service as maps
from gridmgr.incident.model import Incident, IncidentEvent, Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Action, Source
from gridmgr.plan_edit import service as edits
from gridmgr.publication import queries
from gridmgr.reactions import REACTIONS
from gridmgr.settings import settings

BATCH = 2_000
TARGET = 10.0  # seconds


class Switched(NamedTuple):
    """One line of the table: what was redrawn, how long the switch took, how many cases went elsewhere."""

    work: str
    seconds: float
    moved: int
    cases: int


def run(cases: int = 100_000, size: str = "district", tell=print) -> list[Switched]:
    """Fill a district with open cases, and redraw one community, then all."""
    with room() as home:
        before, settings().home = settings().home, home
        try:
            url = cluster.start(home).url()
            engine = db.engine(url)
            _token, doors = peopled(engine, url, size)
            tell(f"{cases:,} reports …")
            for first in range(0, cases, BATCH):
                with db.transaction(engine, REACTIONS) as session:
                    _report(session, doors, range(first, min(first + BATCH, cases)))
            tell("two switches …")
            found = [_switched(engine, "one community", 1), _switched(engine, "every community", None)]
            engine.dispose()
            return found
        finally:
            settings().home = before


def _report(session: Session, doors: list[tuple[float, float]], numbers: range) -> None:
    matter = matters.in_force(session)[0].id
    told = [Report(*doors[n * 7 % len(doors)], "wgs84", matter, Source.PATROL) for n in numbers]
    intake.report_batch(session, SYSTEM, told)


def _switched(engine, work: str, most: int | None) -> Switched:
    with db.transaction(engine, REACTIONS) as session:
        cases = session.scalar(select(func.count()).select_from(Incident))
        plan = drawing.create(session, SYSTEM, work)
        state = plans.state(session, plan, None).plan
        for _parent, units in list(state.units.groupby("parent_code"))[:most]:
            first = units.index[0]
            border = units.geometry.relate_pattern(units.geometry[first], "****1****")
            near = next(iter(units.index[border & (units.index != first)]), None)
            if near is not None:
                state = merge(state, [first, near])
        made = edits.adopt(
            session, SYSTEM, plan.id, plan.tip_id, state.units[["name", "parent_code", "geometry"]]
        )
        outcome = queries.outcome(session, plan, made.tip)
    start = time.perf_counter()
    with db.transaction(engine, REACTIONS) as session:
        maps.load(session, outcome.levels, clock.today(), work, outcome.among)
    seconds = time.perf_counter() - start
    with db.transaction(engine) as session:
        moved = session.scalar(
            select(func.count()).select_from(IncidentEvent).where(IncidentEvent.action == Action.REHOME)
        )
    return Switched(work, seconds, moved, cases)


def show(rows: list[Switched]) -> None:
    """Print what was measured."""
    table = Table(
        "redrawn", "open cases", "cases that went elsewhere", "switch", "", title="a plan made the map"
    )
    for row in rows:
        verdict = "reached" if row.seconds <= TARGET else "missed"
        table.add_row(row.work, f"{row.cases:,}", f"{row.moved:,}", f"{row.seconds:.1f} s", verdict)
    Console(width=110).print(table)
