"""The bodies of the demonstration, the modules its streets are regrouped into, and two task forces of one street."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from itertools import cycle

from sqlalchemy import select
from sqlalchemy.orm import Session

from gridmgr import clock, sheet
from gridmgr.account import queries as accounts
from gridmgr.account import service as account_service
from gridmgr.account.model import Account, RoleGrant
from gridmgr.account.rules import SYSTEM, Actor, Grant, Role
from gridmgr.category import queries as matters
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.incident.model import Incident
from gridmgr.module import queries as modules
from gridmgr.module import rules as templates
from gridmgr.module import service as regrouping
from gridmgr.one_grid import rules as lines
from gridmgr.one_grid import service as one_grid
from gridmgr.organisation import queries, service
from gridmgr.organisation.model import BodyKind
from gridmgr.organisation.rules import TABLE
from gridmgr.simulation import rules
from gridmgr.task_force import queries as forces
from gridmgr.task_force import service as raising
from gridmgr.task_force.model import Raised

# What the people of a department are called who are stationed in a street.
STATIONS = {
    "派出所": "派出所", "司法所": "司法所", "市场监管所": "市场监管所", "综合执法大队": "执法中队", "环卫所": "环卫站",
    "消防救援大队": "消防救援站", "交警大队": "交警中队", "市政管理所": "市政养护站",
}  # fmt: skip
# The lines one enforcement team of a street takes (一支队伍管执法).
LINES = (
    "综合执法大队", "市场监管所", "消防救援大队", "生态环境局", "应急管理局", "燃气管理办", "住建局", "文体旅游局",
)  # fmt: skip
CHOICES = (
    ("six", ()),
    ("six_and_eleven", ("tiaojie", "xiaofang", "huanjing", "zhishui")),
    ("one_three_n", ("zhifa",)),
    ("one_and_four", ()),
)
STAFF = {BodyKind.STATION: 2, BodyKind.TEAM: 4, BodyKind.COMMAND_ROOM: 0}
CASES = 5
GRID_LINES = ("党建", "综治", "城管", "流动人口")


def organise(session: Session) -> int:
    """Found the bodies of the district, regroup its streets, raise two task forces, once; returns how many bodies."""
    if queries.bodies(session):
        return 0
    streets = hierarchy.streets(session)
    table = sheet.read(_table(session, streets).encode(), "bodies.csv", TABLE)
    found = service.import_bodies(session, SYSTEM, table, lambda codes: ())
    _staff(session)
    shown = accounts.by_username(session, "dispatcher")
    home = shown.grants[0].code if shown else next(iter(streets), "")
    ordered = sorted(streets, key=lambda code: (code != home, code))
    for code, (template, picks) in zip(ordered, cycle(CHOICES), strict=False):
        regrouping.regroup(session, SYSTEM, code, template, picks, lambda codes: ())
        _lead(session, code)
        _join(session, code)
    _merge(session, home)
    if shown:
        _raise(session, accounts.actor_of(shown), home)
    return len(found)


def _table(session: Session, streets: Mapping[str, str]) -> str:
    """Return the bodies as an office would hand them over."""
    departments = sorted({each.department for each in matters.in_force(session)} - {""})
    rows = [f"{name},部门,,,," for name in departments]
    for code, street in streets.items():
        lines = "、".join(each for each in LINES if each in departments)
        rows += [f"{street}综合信息指挥室,指挥室,,,{code},", f"{street}综合执法队,执法队,,,{code},{lines}"]
        rows += [
            f"{street}{called},派驻站所,,{home},{code},"
            for home, called in STATIONS.items()
            if home in departments
        ]
    return "\n".join(["名称,类型,简称,隶属单位,驻地编码,条线", *rows])


def _staff(session: Session) -> None:
    """Open accounts for those who are stationed: nobody can log in with one of them."""
    people = [
        (f"{body.kind[:2]}{body.id}-{n}", rules.person(f"{body.name}/{n}"), body)
        for kind, number in STAFF.items()
        for body in queries.bodies(session, kind).values()
        for n in range(1, number + 1)
    ]
    account_service.open_many(
        session,
        [
            (username, name, body.name, [Grant(Role.DEPARTMENT_HANDLER, body.territory)])
            for username, name, body in people
        ],
    )


def _lead(session: Session, street: str) -> None:
    """Let those who work for a street lead its modules, one after the other."""
    offices = (Role.STREET_LEADER, Role.STREET_DISPATCHER, Role.COMMUNITY_CLERK, Role.GRID_LEADER)
    asked = (
        select(Account.username)
        .join(RoleGrant, RoleGrant.account_id == Account.id)
        .where(Account.active, RoleGrant.role.in_(offices), RoleGrant.code.startswith(street))
    )
    leading = list(session.scalars(asked.distinct().order_by(Account.username)))
    own = [each for each in ("streetleader", "dispatcher", "clerk", "leader") if each in leading]
    people = cycle([*own, *(each for each in leading if each not in own)][:8] or ["command"])
    ids = [each.id for each in modules.own(session, street).modules]
    for found in modules.seats(session, ids).values():
        regrouping.appoint(session, SYSTEM, found[0].post.id, next(people))


def _join(session: Session, street: str) -> None:
    """Let each station work in the module that takes most of its department's matters."""
    grouping = modules.own(session, street)
    for body in queries.bodies(session, BodyKind.STATION).values():
        if body.territory != street:
            continue
        home = queries.register(session).by_id[body.home_id].name
        taken = Counter(
            templates.taking(grouping.modules, each.code).id
            for each in matters.in_force(session)
            if each.department == home
        )
        if taken:
            regrouping.join(session, SYSTEM, taken.most_common(1)[0][0], body.name)


def _merge(session: Session, street: str) -> None:
    """Merge the grids of four lines of a street: its members serve all of them, but for a few migrants' grids."""
    asked = (
        select(RoleGrant.code, Account.name, Account.username)
        .join(Account, Account.id == RoleGrant.account_id)
        .where(Account.active, RoleGrant.role == Role.GRID_MEMBER, RoleGrant.code.startswith(street))
        .order_by(RoleGrant.code, Account.username)
    )
    grids = session.execute(asked).all()
    rows = [
        f"{line},{code},{name},{username}"
        for n, (code, name, username) in enumerate(grids)
        for line in GRID_LINES[: 3 if n % 6 == 5 else 4]
    ]
    table = sheet.read("\n".join(["条线,网格编码,姓名,用户名", *rows]).encode(), "四网名单.csv", lines.TABLE)
    one_grid.merge(session, SYSTEM, {"四网名单.csv": table})


def _raise(session: Session, actor: Actor, street: str) -> None:
    """Raise two task forces in the demonstration street, one of them with cases."""
    if forces.page(session, SYSTEM, forces.Search(), 1):
        return
    known = ("streetleader", "dispatcher", "clerk", "leader", "handler", "member")
    members = tuple(each for each in known if accounts.by_username(session, each))
    stationed = tuple(
        username for username, _, body in accounts.seated_around(session, street) if body and "执法队" in body
    )[:2]
    today = clock.today()
    for name, purpose, days, place in (
        ("老旧小区改造专班", "推进老旧小区雨污分流和道路改造，协调施工扰民投诉", 90, "社区居委会二楼联合值守点"),
        ("社区换届选举专班", "组织社区居委会换届选举，排查风险隐患", 45, ""),
    ):  # fmt: skip
        told = Raised(
            name, purpose, street, today + timedelta(days=days), (*members, *stationed), members[0], place
        )
        force = raising.raise_force(session, actor, told, lambda codes: ())
        if place:
            raising.put(session, actor, force.id, _cases(session, street))


def _cases(session: Session, street: str) -> list[str]:
    """Return some open cases of a street that its desk can still give to somebody else."""
    asked = select(Incident.number).where(
        Incident.street_code == street, Incident.state.in_(("accepted", "dispatched", "handling")),
        Incident.level != "district", Incident.handler_code.is_(None),
    )  # fmt: skip
    return list(session.scalars(asked.order_by(Incident.reported_at.desc(), Incident.id).limit(CASES)))
