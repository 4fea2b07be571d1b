"""Joint work of the demonstration: pieces that people of the street may take, some done; applications in one window."""

from datetime import timedelta

from geoalchemy2.functions import ST_X, ST_Y, ST_PointOnSurface
from sqlalchemy import select
from sqlalchemy.orm import Session

from gridmgr import clock, sheet
from gridmgr.account import queries as accounts
from gridmgr.account.rules import SYSTEM, Actor, Grant, Role
from gridmgr.attachment import service as attachment
from gridmgr.category.model import Category
from gridmgr.claim import queries as claims
from gridmgr.claim import service as claim
from gridmgr.claim.model import Cutting, Deed
from gridmgr.coapproval import queries, rules, service
from gridmgr.coapproval.model import Application, Approval, Said
from gridmgr.coapproval.model import Deed as Decision
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import BUILDING, GridUnit
from gridmgr.hierarchy.queries import valid_at
from gridmgr.incident.model import Incident
from gridmgr.simulation import photos
from gridmgr.simulation import queries as simulated
from gridmgr.simulation.samples import SAMPLE_MAPS

KINDS = SAMPLE_MAPS / "permit_kinds.csv"
STATION = "市场监管所"
HOUR = timedelta(hours=1)


def cut_pieces(session: Session, seed: int) -> int:
    """Cut the pieces of the demonstration street, once; returns how many."""
    shown = {
        name: accounts.by_username(session, name) for name in ("member", "leader", "clerk", "dispatcher")
    }
    if not all(shown.values()) or claims.page(session, SYSTEM, claims.Search(), 1):
        return 0
    people = {name: accounts.actor_of(account) for name, account in shown.items()}
    member, clerk = people["member"], people["clerk"]
    grid, now = member.grants[0].code, clock.now()
    spots = _doors(session, grid, 5) or [(grid, None)]
    stored = attachment.store(session, SYSTEM, "现场.jpg", photos.photo(seed, 1))
    proof = [{"sha256": stored.sha256, "name": "现场.jpg"}]
    plans = [  # who cuts, how long ago, for how many hours, for how many people, what, and whose it becomes
        (clerk, 27, 6, 1, "走访独居老人张阿姨，登记用药情况", ("member", Deed.ACCEPT)),
        (clerk, 26, 8, 2, "张贴燃气安全告知书，每单元一张", ("member", Deed.ACCEPT)),
        (clerk, 3, 30, 1, "复核沿街店铺灭火器有效期", ("leader", Deed.REPORT)),
        (clerk, 2, 28, 1, "清点共享单车停放点，拍照上传", ("member", Deed.HAND)),
        (clerk, 1, 26, 2, "入户核对流动人口登记，共 6 户", None),
        (people["leader"], 7, 8.5, 1, "查看楼道堆物整改情况", None),
    ]
    for n, (author, ago, hours, places, what, course) in enumerate(plans):
        code, point = spots[n % len(spots)]
        begun = now - ago * HOUR
        with clock.travel(begun):
            cutting = Cutting(what, begun + hours * HOUR, code=code, places=places, point=point)
            piece = claim.cut(session, author, cutting)
        if course:
            _go_on(session, clerk, people[course[0]], piece.id, course[1], begun, proof)
    street = people["dispatcher"].grants[0].code
    with clock.travel(now - HOUR):
        wanted = Cutting("防汛备勤：搬运沙袋到各社区", now + 5 * HOUR, code=street, places=6)
        claim.cut(session, people["dispatcher"], wanted)
    return len(plans) + 1


def _go_on(
    session: Session, author: Actor, doer: Actor, piece: int, deed: Deed, begun, proof: list[dict[str, str]]
) -> None:
    """Hand a piece to somebody, let it be reported, and accepted, as far as it has come."""
    with clock.travel(begun + HOUR / 2):
        claim.hand(session, author, piece, doer.username)
    if deed in (Deed.REPORT, Deed.ACCEPT):
        with clock.travel(begun + 2 * HOUR):
            claim.do(session, doer, piece, Deed.REPORT, "已完成，情况见照片", proof)
    if deed is Deed.ACCEPT:
        with clock.travel(begun + 3 * HOUR):
            claim.do(session, author, piece, Deed.ACCEPT)


def _doors(session: Session, grid: str, number: int) -> list[tuple[str, tuple[float, float]]]:
    """Return buildings of a micro-grid with a point inside each."""
    inside = ST_PointOnSurface(GridUnit.geom)
    asked = select(GridUnit.code, ST_X(inside), ST_Y(inside)).where(
        GridUnit.level == BUILDING, GridUnit.parent_code == grid, valid_at(clock.today())
    )
    rows = session.execute(asked.order_by(GridUnit.code).limit(number))
    return [(code, (lon, lat)) for code, lon, lat in rows]


def ask_together(session: Session) -> int:
    """Bring the kinds of permits and open the applications of the demonstration street, once; returns how many."""
    shown, desk = (accounts.by_username(session, name) for name in ("member", "dispatcher"))
    if (
        shown is None
        or desk is None
        or queries.kinds(session)
        or queries.page(session, SYSTEM, queries.Search(), 1)
    ):
        return 0
    service.import_kinds(session, SYSTEM, sheet.read(KINDS.read_bytes(), KINDS.name, rules.KINDS))
    grid, now, people = shown.grants[0].code, clock.now(), simulated.staff(session)
    houses = [code for code, _point in _doors(session, grid, 3)]
    if len(houses) < 3:
        return 0
    station = _of(people, STATION)
    asked_about = _complained_of(session, desk.grants[0].code) or houses[0]
    plans = [
        (
            "餐饮经营",
            "老张面馆",
            "一楼开设面馆，安装油烟净化器",
            asked_about,
            50,
            _granted,
        ),
        ("门头装修", "美宜家便利店", "更换门头招牌，宽 4 米", houses[1], 20, _objected),
        ("夜间施工", "荷花家园物业", "夜间抢修供水管网，预计两晚", houses[2], 1, _waiting),
    ]
    begun = clock.midnight(
        hierarchy.editions(session)[-1].effective
    )  # before it there was no place to ask about
    plans = [plan for plan in plans if now - plan[4] * HOUR > begun]
    for kind, applicant, what, house, ago, course in plans:
        with clock.travel(now - ago * HOUR):
            approval = service.ask(session, station, Application(kind, applicant, what, house))
        course(session, station, approval, people)
    return len(plans)


def _of(people: simulated.People, body: str) -> Actor:
    """Return somebody of a body."""
    usual = Actor(None, body, (Grant(Role.DEPARTMENT_HANDLER, ""),), body=body)
    return people.get((Role.DEPARTMENT_HANDLER, "", body), usual)


def _complained_of(session: Session, street: str) -> str | None:
    """Return a house near by that has an open case of fumes, noise or trade before the door: it knows of the permit."""
    asked = (
        select(Incident.building_code)
        .join(Category, Category.id == Incident.category_id)
        .where(
            Incident.building_code.is_not(None), Incident.closed_at.is_(None),
            Incident.street_code == street,
            Category.code.in_(("S0107", "S0402", "S0407", "S0103")),
        )
    )  # fmt: skip
    return session.scalar(asked.order_by(Incident.reported_at.desc()).limit(1))


def _say(
    session: Session, approval: Approval, people: simulated.People, words: dict[str, tuple[Said, str, str]]
):
    for opinion in queries.opinions(session, [approval.id]).get(approval.id, []):
        said, note, law = words.get(opinion.body, (Said.AGREE, "", ""))
        with clock.travel(approval.asked_at + HOUR):
            service.say(session, _of(people, opinion.body), approval.id, said, note, law)


def _granted(session: Session, station: Actor, approval: Approval, people: simulated.People) -> None:
    conditions = {
        "生态环境局": (Said.CONDITIONS, "油烟净化器每月清洗一次，留存记录", "大气污染防治法 第八十一条"),
        "综合执法大队": (Said.CONDITIONS, "不得店外经营", ""),
    }
    _say(session, approval, people, conditions)
    with clock.travel(approval.asked_at + 5 * HOUR):
        service.decide(session, station, approval.id, Decision.GRANT, "按备案图纸施工")


def _objected(session: Session, station: Actor, approval: Approval, people: simulated.People) -> None:
    words = {"消防救援大队": (Said.OBJECT, "门头遮挡消火栓，须上移 50 厘米", "消防法 第二十八条")}
    asked = queries.opinions(session, [approval.id]).get(approval.id, [])
    for opinion in asked[: len(asked) // 2 + 1]:
        words.setdefault(opinion.body, (Said.AGREE, "", ""))
    for body, (said, note, law) in words.items():
        if any(each.body == body for each in asked):
            with clock.travel(approval.asked_at + 2 * HOUR):
                service.say(session, _of(people, body), approval.id, said, note, law)


def _waiting(session: Session, station: Actor, approval: Approval, people: simulated.People) -> None:
    """Nobody has answered yet."""
