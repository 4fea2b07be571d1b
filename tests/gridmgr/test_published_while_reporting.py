"""A map is switched while reports come in: they wait for nothing, and each ends in exactly one edition."""

import time
from datetime import date, timedelta
from threading import Event, Thread

import pytest
from little import CATEGORIES, SOUTH, STEP, STREET, WEST, little_district, square
from sqlalchemy import func, select

from gridmgr import clock, db, worker
from gridmgr.account.rules import SYSTEM
from gridmgr.category import queries as categories
from gridmgr.category import rules as tables
from gridmgr.category import service as matters
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy import service as maps
from gridmgr.incident.model import Incident, Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Source
from gridmgr.reactions import REACTIONS
from gridmgr.settings import settings

pytestmark = pytest.mark.db
C1 = f"{STREET}001"
PLACE = (WEST + 1.2 * STEP, SOUTH + 0.1 * STEP)  # in the second micro-grid, and then in the first


def test_each_report_lands_in_one_edition(own_database, tmp_path, monkeypatch):
    monkeypatch.setattr(settings(), "home", tmp_path)
    engine = db.engine(own_database)
    with db.transaction(engine, REACTIONS) as session:
        maps.load(session, little_district(), date(2026, 1, 1), "首版")
        matters.publish(session, "试点", date(2026, 1, 1), tables.parse(CATEGORIES))
        category = categories.by_code(session, "S0102").id
    stop, slowest, located = Event(), [], Event()

    def report(slow: bool) -> None:
        while not stop.is_set():
            begun = time.monotonic()
            with db.transaction(engine, REACTIONS) as session:
                intake.report(session, SYSTEM, Report(*PLACE, "wgs84", category, Source.PATROL, "垃圾"))
                if slow:  # located on the old map, committed long after the new one
                    located.set()
                    stop.wait(1.5)
            if not slow:
                slowest.append(time.monotonic() - begun)
                time.sleep(0.05)

    threads = [Thread(target=report, args=(n == 0,)) for n in range(4)]
    for each in threads:
        each.start()
    assert located.wait(20)
    after = little_district()["micro_grid"]
    after.loc[0, "geometry"] = square(0, 0, 1.5)
    after.loc[1, "geometry"] = square(1.5, 0, 0.5)
    with db.transaction(engine, REACTIONS) as session:
        maps.load(session, {"micro_grid": after}, clock.today() - timedelta(days=1))
        time.sleep(0.5)  # reports go on being located on the old map
    time.sleep(0.5)
    stop.set()
    for each in threads:
        each.join()
    for turn in range(3):  # as the job does that was deferred behind the switch
        with db.transaction(engine, REACTIONS) as session:
            worker._follow(session, "", worker.FOLLOW_TURNS - turn % 2)
    with db.transaction(engine) as session:
        now = hierarchy.edition_at(session).id
        found = session.execute(
            select(Incident.edition_id, Incident.micro_grid_code, func.count()).group_by(
                Incident.edition_id, Incident.micro_grid_code
            )
        ).all()
    assert [(row[0], row[1]) for row in found] == [(now, f"{C1}001")] and found[0][2] > 5
    assert max(slowest) < 5  # nobody waited for the switch
    engine.dispose()
