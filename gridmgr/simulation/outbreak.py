"""What has just begun in the demonstration: a drain is blocked, and water stands in neighbouring micro-grids."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account import queries as accounts
from gridmgr.account.rules import SYSTEM, Actor
from gridmgr.category import queries as matters
from gridmgr.incident import service as incident
from gridmgr.incident.model import Incident, Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Action, Source
from gridmgr.scan import rules as scan
from gridmgr.simulation import queries, rules
from gridmgr.simulation.model import City

ORIGIN = "outbreak-demo"
GRIDS = 3
HOURS = (
    -17,
    -15.5,
    -15,
    -14,
    -9,
    -6,
    -4.5,
    -3.5,
    -3,
    -2.5,
    -2,
    -1.5,
    -1,
    8,
    9,
)  # before the midnight after, and after
SAID = {
    "S0505": ("{place}路面积水没过脚踝", "{place}雨水井不下水，路面积水", "{place}积水倒灌入户，请尽快疏通"),
    "S0504": ("{place}下水道堵塞，污水外溢", "{place}污水井冒水，有异味"),
}
SOURCES = (Source.PATROL, Source.HOTLINE, Source.RESIDENT, Source.PATROL)


def break_out(session: Session, seed: int) -> int:
    """Report standing water around one place of the demonstration street, once; returns how many reports."""
    clerk = accounts.by_username(session, "dispatcher")
    if clerk is None or session.scalar(select(Incident.id).where(Incident.origin == ORIGIN).limit(1)):
        return 0
    desk, now = accounts.actor_of(clerk), clock.now()
    midnight = clock.midnight(scan.last_day(clock.local(now)), 1)  # the end of the day that will be scanned
    city = queries.city(session, seed)
    reports = list(_reports(session, city, _grids(city, desk.grants[0].code), midnight, now))
    for n, report in enumerate(reports):
        with clock.travel(report.reported_at):
            number = intake.report(session, SYSTEM, report).number
        if report.source is Source.PATROL and n < len(reports) // 2:
            _accept(session, desk, number, report.reported_at + timedelta(minutes=20))
    return len(reports)


def _grids(city: City, street: str) -> list[int]:
    """Return neighbouring micro-grids of the street, around the fullest one that no hotspot is planted in."""
    planted = {code for spot in city.hotspots for code in spot.grids}
    own = np.array([code.startswith(street) for code in city.grids])
    free = own & ~np.isin(city.grids, list(planted))
    middle = int(np.argmax(np.where(free, city.pull, -1)))
    away = np.where(own, ((city.centres - city.centres[middle]) ** 2).sum(axis=1), np.inf)
    return np.argsort(away, kind="stable")[:GRIDS].tolist()


def _reports(
    session: Session, city: City, grids: list[int], midnight: datetime, now: datetime
) -> Iterator[Report]:
    chance = Random(ORIGIN)
    for n, hours in enumerate(HOURS):
        at = midnight + timedelta(hours=hours, minutes=chance.randrange(50))
        code = "S0504" if n % 4 == 3 else "S0505"
        (lon, lat), address, place = rules.somewhere(chance, city, grids[n % len(grids)], False)
        said = SAID[code][n % len(SAID[code])].format(place=place)
        source = SOURCES[n % len(SOURCES)]
        who, phone = rules.somebody(chance, source, city.grids[grids[n % len(grids)]])
        if at < now:
            yield Report(
                lon, lat, "wgs84", matters.by_code(session, code).id, source, description=said, address=address,
                severity=city.matters[code].severity, origin=ORIGIN, source_id=f"{ORIGIN}-{n:02}", reporter_name=who,
                reporter_phone=phone, reported_at=at,
            )  # fmt: skip


def _accept(session: Session, desk: Actor, number: str, at: datetime) -> None:
    with clock.travel(min(at, clock.now())):
        incident.move(session, desk, number, Action.ACCEPT, {"checked": True})
