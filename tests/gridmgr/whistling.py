"""What the tests of whistles share: departments with people, a case to call them to, and those who come."""

from datetime import timedelta

from climbing import MONDAY
from little import SOUTH, STEP, WEST
from sqlalchemy import select

from gridmgr.account.model import Role
from gridmgr.attendance import service as attendance
from gridmgr.life.model import Action
from gridmgr.notice.model import Notice
from gridmgr.whistle import queries, rules, service
from gridmgr.whistle.model import Called, Presence, Why

PLACE = WEST + 0.1 * STEP, SOUTH + 0.1 * STEP
SANITATION, ENFORCEMENT, MARKET = "环卫所", "综合行政执法局", "市场监管局"
MINUTE = timedelta(minutes=1)


def call(*bodies: str, lead: int = 0, minutes: int | None = None) -> list[Called]:
    return [Called(body, lead=n == lead, minutes=minutes) for n, body in enumerate(bodies)]


def blow(desk, actor, case, called, why=Why.JOINT, at=MONDAY, **more):
    return desk.at(
        at, lambda: service.propose(desk.session, actor, case.number, why, "联合整治", called, **more)
    )


def there(desk, actor, whistle, body, photo, at, lon=PLACE[0], lat=PLACE[1]):
    (one,) = [each for each in queries.calls(desk.session, [whistle.id])[whistle.id] if each.body == body]
    return desk.at(
        at,
        lambda: attendance.report_in(
            desk.session, actor, whistle.id, one.id, lon, lat, "wgs84", [photo], "到了"
        ),
    )


def sweep(desk, at) -> int:
    return desk.at(at, lambda: attendance.miss(desk.session))


def told(desk, actor) -> list[str]:
    asked = select(Notice.kind).where(Notice.account_id == actor.id).order_by(Notice.id)
    return [each for each in desk.session.scalars(asked) if "whistle" in each or each == "reported_in"]


def standing(desk, whistle, at) -> dict[str, Presence]:
    desk.session.expire_all()
    return {
        each.body: rules.presence(each, at) for each in queries.calls(desk.session, [whistle.id])[whistle.id]
    }


def accepted(desk, staff, **changes):
    case = desk.report(**changes)
    desk.move(case, MONDAY, Action.ACCEPT, staff[Role.STREET_DISPATCHER])
    return case
