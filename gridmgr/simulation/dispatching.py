"""Dispatch of the demonstration: how streets do it, what waits on a desk, and where the grid member is sent to look."""

from datetime import timedelta

from geoalchemy2.functions import ST_X, ST_Y, ST_PointOnSurface
from sqlalchemy import select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account import queries as accounts
from gridmgr.account.rules import SYSTEM
from gridmgr.category import queries as matters
from gridmgr.dispatch import queries, service
from gridmgr.dispatch.model import Mode
from gridmgr.hierarchy.model import GridUnit
from gridmgr.hierarchy.queries import valid_at
from gridmgr.incident import service as incident
from gridmgr.incident.model import Report
from gridmgr.intake import service as intake
from gridmgr.life.model import Action, Source
from gridmgr.onsite import service as onsite

ORIGIN = "dispatch-demo"
MINUTES = 45  # to take a check on site
# Which matter, what, who told us, how many minutes ago, and whether it has been accepted.
TOLD = (
    ("S0102", "路口垃圾桶满溢，影响通行", Source.PATROL, 50, True),
    ("S0305", "绿化带内堆放建筑垃圾", Source.PATROL, 35, True),
    ("S0505", "人行道积水，行人绕行", Source.PATROL, 20, True),
    ("S0407", "夜间音响声音过大，居民多次反映", Source.HOTLINE, 12, False),
    ("P0302", "楼道内飞线给电动车充电", Source.RESIDENT, 6, False),
)


def dispatch(session: Session) -> int:
    """Let the demonstration street suggest and look on site, another area dispatch by the system; returns new cases.

    It does so once; the second time it finds its settings there.
    """
    shown = {name: accounts.by_username(session, name) for name in ("member", "dispatcher", "command")}
    if not all(shown.values()) or queries.settings(session):
        return 0
    people = {name: accounts.actor_of(account) for name, account in shown.items()}
    street, today = people["dispatcher"].grants[0].code, clock.today()
    service.set_area(session, people["dispatcher"], street, today, Mode.SUGGEST, (), MINUTES)
    for other in _elsewhere(session, street, people["member"].grants[0].code)[:1]:
        service.set_area(session, people["command"], other, today, Mode.AUTOMATIC, (1, 2), MINUTES)
    return _cases(session, people["member"].grants[0].code)


def _elsewhere(session: Session, street: str, grid: str) -> list[str]:
    """Return the other streets, or, where there is one alone, its communities beside that of the grid."""
    asked = select(GridUnit.code).where(
        GridUnit.level.in_(("street", "community")), valid_at(clock.today()), GridUnit.code != street
    )
    codes = [code for code in session.scalars(asked) if not grid.startswith(code)]
    return sorted(codes, key=lambda code: (code.startswith(street), len(code), code))


def _cases(session: Session, grid: str) -> int:
    """File what waits on the desk, and what the member of a grid is sent to look at."""
    inside = ST_PointOnSurface(GridUnit.geom)
    place = session.execute(
        select(ST_X(inside), ST_Y(inside)).where(GridUnit.code == grid, valid_at(clock.today()))
    ).first()
    if place is None:
        return 0
    now = clock.now()
    for n, (code, what, source, minutes, ready) in enumerate(TOLD):
        at, kind = now - timedelta(minutes=minutes), matters.by_code(session, code)
        report = Report(
            *place, "wgs84", kind.id, source, what, "网格内", kind.severity, ORIGIN, str(n), reported_at=at
        )
        with clock.travel(at):
            case = intake.report(session, SYSTEM, report)
            if ready:
                incident.move(session, SYSTEM, case.number, Action.ACCEPT, {"checked": True})
    onsite.send(session)
    return len(TOLD)
