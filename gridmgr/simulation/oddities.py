"""What the demonstration's records hold that is worth a look: believable patterns, and the weeks graded so far."""

import io
from datetime import datetime, timedelta

from geoalchemy2.functions import ST_X, ST_Y, ST_PointOnSurface
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account import queries as accounts
from gridmgr.account.rules import SYSTEM, Actor, Role
from gridmgr.attachment import service as attachment
from gridmgr.category import queries as matters
from gridmgr.category.model import Category
from gridmgr.flag import queries as flags
from gridmgr.flag import service as flag
from gridmgr.flag.model import Kind, Verdict
from gridmgr.grading import rules as grades
from gridmgr.grading import service as grading
from gridmgr.hierarchy.model import BUILDING, GridUnit
from gridmgr.hierarchy.queries import valid_at
from gridmgr.incident import service as incident
from gridmgr.incident.model import Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Action, Source
from gridmgr.simulation import photos
from gridmgr.simulation import queries as simulated

ORIGIN, MINUTE = "oddities-demo", timedelta(minutes=1)
Door = tuple[float, float, str]


def grade_weeks(session: Session, weeks: int) -> int:
    """Keep the grades of this week and of so many before; returns how many were new.

    Of a week gone by they are told from the cases as they stand now: what was closed since counts as open then.
    """
    monday = grades.monday_of(clock.today())
    kept = 0
    for back in reversed(range(weeks + 1)):
        at = clock.midnight(monday - timedelta(days=7 * back)) + timedelta(hours=1)
        with clock.travel(min(at, clock.now())):
            kept += grading.keep(session) is not None
    return kept


def plant(session: Session, seed: int) -> int:
    """Let three members of the demonstration street leave records worth a look, once, and look; returns the flags."""
    desk = accounts.by_username(session, "dispatcher")
    if desk is None or flags.page(session, SYSTEM, 1, standing="all"):
        return 0
    members = _members(session, desk.grants[0].code)
    simple = [each for each in matters.in_force(session) if each.simple]
    if len(members) < 3 or not simple:
        return 0
    yesterday = clock.midnight(clock.today() - timedelta(days=1))
    quick, twice, busy = members[:3]
    _settle_at_once(session, quick, simple[0], yesterday + timedelta(hours=15), seed)
    _show_twice(session, twice, simple[0], yesterday + timedelta(hours=9), seed)
    _report_many(session, busy, simple[0], yesterday + timedelta(hours=10))
    found = flag.find(session, days=14)
    _look(session)
    return found


def _members(session: Session, street: str) -> list[tuple[Actor, list[Door]]]:
    """Return grid members of a street, but for the demonstration's own, each with doors of the micro-grid."""
    shown = accounts.by_username(session, "member")
    found = []
    for (role, code, _body), actor in sorted(simulated.staff(session).items(), key=lambda each: each[0][1]):
        mine = role is Role.GRID_MEMBER and code.startswith(street) and actor.id is not None
        if mine and actor.id != (shown.id if shown else None) and len(doors := _doors(session, code)) >= 4:
            found.append((actor, doors))
        if len(found) == 3:
            break
    return found


def _doors(session: Session, grid: str) -> list[Door]:
    inside = ST_PointOnSurface(GridUnit.geom)
    asked = select(ST_X(inside), ST_Y(inside), GridUnit.address).where(
        GridUnit.level == BUILDING, GridUnit.parent_code == grid, valid_at(clock.today())
    )
    return [
        (lon, lat, address or "")
        for lon, lat, address in session.execute(asked.order_by(GridUnit.code).limit(14))
    ]


def _told(session: Session, actor: Actor, kind: Category, door: Door, at: datetime, what: str) -> str:
    lon, lat, address = door
    report = Report(
        lon, lat, "wgs84", kind.id, Source.PATROL, what, address, kind.severity, ORIGIN, f"{actor.id}-{at:%d%H%M%S}",
        reported_at=at,
    )  # fmt: skip
    with clock.travel(at):
        return intake.report(session, actor, report).number


def _settled(session: Session, actor: Actor, number: str, at: datetime, photo: bytes) -> None:
    with clock.travel(at):
        stored = attachment.store(session, actor, "处理后.jpg", photo)
        files = [{"sha256": stored.sha256, "name": "处理后.jpg"}]
        payload = {"note": "当场处理", "files": files, "checked": True}
        incident.move(session, actor, number, Action.SETTLE, payload)


def _settle_at_once(
    session: Session, who: tuple[Actor, list[Door]], kind: Category, at: datetime, seed: int
) -> None:
    """Four small matters, each reported and settled within two minutes."""
    actor, doors = who
    for n, what in enumerate(("楼道杂物已清", "宣传栏破损", "垃圾桶歪倒已扶正", "地面积水已扫")):
        begun = at + n * 4 * MINUTE
        number = _told(session, actor, kind, doors[n], begun, what)
        _settled(session, actor, number, begun + 2 * MINUTE, photos.photo(seed + 1, n))


def _show_twice(
    session: Session, who: tuple[Actor, list[Door]], kind: Category, at: datetime, seed: int
) -> None:
    """Three matters at different doors: one photo on two of them, and once more saved anew on the third."""
    actor, doors = who
    picture = photos.photo(seed + 1, 9)
    for n, photo in enumerate((picture, picture, _saved_again(picture))):
        begun = at + n * timedelta(hours=2)
        number = _told(session, actor, kind, doors[n], begun, f"路边堆物 {n + 1}")
        _settled(session, actor, number, begun + 40 * MINUTE, photo)


def _saved_again(picture: bytes) -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(picture)).resize((800, 600)).save(out, "JPEG", quality=60)
    return out.getvalue()


def _report_many(session: Session, who: tuple[Actor, list[Door]], kind: Category, at: datetime) -> None:
    """Twelve reports within an hour, five of them in the same words."""
    actor, doors = who
    for n in range(12):
        what = "巡查发现共享单车乱停放" if n % 2 else f"巡查发现小广告，第 {n + 1} 处"
        _told(session, actor, kind, doors[n % len(doors)], at + 4 * n * MINUTE, what)


def _look(session: Session) -> None:
    """Somebody has looked at one of them already."""
    command = accounts.by_username(session, "command")
    seen = flags.page(session, SYSTEM, 1, kind=Kind.FAR) if command else []
    for each in seen:
        flag.review(
            session,
            accounts.actor_of(command),
            each.id,
            Verdict.DISMISSED,
            "已核实：队员在路口疏导交通，定位偏移。",
        )
