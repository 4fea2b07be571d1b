"""Bodies on real tables: found, placed, renamed, closed, brought as a table with every bad cell named."""

from functools import partial

import pytest
from climbing import MONDAY, after
from little import STREET
from sqlalchemy.orm import Session

from gridmgr import sheet
from gridmgr.account import queries as accounts
from gridmgr.account import service as account_service
from gridmgr.account.model import NoSuchArea, NotGranted, OutsideGrant
from gridmgr.account.rules import SYSTEM, Role
from gridmgr.duty import queries as duty
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.incident import queries as incidents
from gridmgr.incident import rules as incident_rules
from gridmgr.life.model import Action
from gridmgr.organisation import queries, rules, service
from gridmgr.organisation.model import (
    BodyClosed,
    BodyKind,
    Described,
    HomeInCircle,
    NameTaken,
    StillNeeded,
    UnknownBody,
)

HEAD = "名称,类型,简称,隶属单位,驻地编码,电话,条线,启用\n"


def department(name: str, **more) -> Described:
    return Described(name, BodyKind.DEPARTMENT, **more)


def station(name: str, home: str, territory: str = STREET) -> Described:
    return Described(name, BodyKind.STATION, home=home, territory=territory)


def register(*bodies: Described) -> dict[str, Described]:
    return {each.name: each for each in bodies}


def found_in(bodies: dict[str, Described], *names: str) -> list[tuple[str, type]]:
    return [(field, type(problem)) for _, field, problem in rules.faults(bodies, names or bodies)]


def areas(session: Session):
    return partial(hierarchy.without_units, session)


def found(session: Session, *told: Described, by=SYSTEM) -> None:
    for each in told:
        service.found(session, by, each, areas(session))


def brought(session: Session, rows: str, by=SYSTEM):
    read = sheet.read((HEAD + rows).encode(), "bodies.csv", rules.TABLE)
    return service.import_bodies(session, by, read, areas(session))


# ---- pure rules ------------------------------------------------------------------------------------


def test_a_sound_register_has_no_fault():
    team = Described("综合执法队", BodyKind.TEAM, territory=STREET, lines=("城管局", "市监"))
    assert not found_in(
        register(
            department("城管局"), department("市场监管局", aliases=("市监",)), team,
            station("荷花池市监所", "市监"),
            Described("荷花池指挥室", BodyKind.COMMAND_ROOM, territory=STREET),
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        (department(" "), ("name", "NameMissing")),
        (department("城管"), ("name", "NameTaken")),
        (department("规划局", aliases=("城管局",)), ("aliases", "NameTaken")),
        (department("规划局", aliases=("城管",)), ("aliases", "NameTaken")),
        (Described("站", BodyKind.STATION, territory="51"), ("home", "HomeNeeded")),
        (Described("站", BodyKind.STATION, home="城管"), ("territory", "TerritoryNeeded")),
        (station("站", "无此局"), ("home", "NoSuchBody")),
        (Described("队", BodyKind.TEAM, territory="51", lines=("无此局",)), ("lines", "NotADepartment")),
        (Described("队", BodyKind.TEAM, territory=STREET, lines=("城管",)), ("lines", "LineTaken")),
        (department("规划局", lines=("城管局",)), ("lines", "LinesOfTeamsOnly")),
        (Described("室", BodyKind.COMMAND_ROOM, territory=STREET), ("territory", "RoomThere")),
        (Described("专班", BodyKind.TASK_FORCE), ("kind", "RaisedElsewhere")),
    ],
)
def test_each_fault_is_named_with_its_field(told, fault):
    bodies = register(
        department("城管局", aliases=("城管",)),
        Described("一队", BodyKind.TEAM, territory=STREET, lines=("城管局",)),
        Described("一室", BodyKind.COMMAND_ROOM, territory=STREET),
        told,
    )
    assert [(field, kind.__name__) for field, kind in found_in(bodies, told.name)] == [fault]


def test_a_circle_of_homes_is_refused_and_named():
    bodies = register(
        department("甲局", home="丙局"), department("乙局", home="甲局"), department("丙局", home="乙局")
    )
    (found,) = [problem for _, _, problem in rules.faults(bodies, ["甲局"])]
    assert isinstance(found, HomeInCircle)
    assert "甲局 → 丙局 → 乙局 → 甲局" in str(found)
    assert found_in(register(department("甲局", home="甲局"))) == [("home", HomeInCircle)]


def test_a_circle_further_up_does_not_hang_the_check():
    bodies = register(
        department("甲局", home="乙局"), department("乙局", home="丙局"), department("丙局", home="乙局")
    )
    assert not [problem for _, _, problem in rules.faults(bodies, ["甲局"])]


# ---- on tables -------------------------------------------------------------------------------------


def test_one_team_takes_the_matters_of_all_lines_with_the_competent_station_beside(district):
    found(
        district, department("城管局"), department("市场监管局", aliases=("市监",)), department("园林所"),
        station("荷花池市监所", "市场监管局"), station("甲社区市监点", "市场监管局", f"{STREET}001"),
        Described("荷花池综合执法队", BodyKind.TEAM, territory=STREET, lines=("城管局", "市监")),
    )  # fmt: skip
    home, other = f"{STREET}001001", f"{STREET}002001"
    assert queries.enforcement(district, "市场监管局", home) == ("荷花池综合执法队", "甲社区市监点")
    assert queries.enforcement(district, "市监", other) == ("荷花池综合执法队", "荷花池市监所")
    assert queries.enforcement(district, "城管局", other) == ("荷花池综合执法队", "城管局")
    assert queries.enforcement(district, "园林所", other) is None
    assert queries.enforcement(district, "市场监管局", "510107001") is None
    assert list(queries.bodies(district, BodyKind.STATION)) == ["荷花池市监所", "甲社区市监点"]


def test_people_and_open_cases_follow_a_new_name_and_finished_ones_keep_the_old(district, desk, staff):
    handler = staff[Role.DEPARTMENT_HANDLER]
    found(
        district, department("环卫所"), Described("一队", BodyKind.TEAM, territory=STREET, lines=("环卫所",))
    )
    done, running = desk.handling(), desk.handling()
    desk.move(done, after(1), Action.FEED_BACK, note="好了")
    desk.move(done, after(1), Action.VERIFY)
    desk.move(done, after(1), Action.CLOSE)
    told = Described("环境卫生中心", BodyKind.DEPARTMENT)
    desk.at(after(2), lambda: service.change(district, SYSTEM, "环卫所", told, areas(district)))
    assert accounts.actor(district, handler.username).body == "环境卫生中心"
    assert (done.handler, running.handler) == ("环卫所", "环境卫生中心")
    assert queries.named(district, "环卫所").name == "环境卫生中心"
    assert queries.bodies(district)["一队"].lines == ["环境卫生中心"]
    step = incidents.history(district, running.id)[-1]
    assert (step.action, step.payload["before"]) == ("hand_over", "环卫所")
    assert incident_rules.works(accounts.actor(district, handler.username), running)
    later = desk.report()
    desk.move(later, after(3), Action.ACCEPT)
    desk.move(later, after(3), Action.DISPATCH, handler="环卫所")  # a table of matters still says so
    assert later.handler == "环境卫生中心"


def test_a_body_is_closed_once_nobody_belongs_to_it_and_gets_no_more_work(district, desk, staff):
    found(district, department("环卫所"), department("城管局"), station("荷花池城管所", "城管局"))
    gone = Described("环卫所", BodyKind.DEPARTMENT, active=False)
    with pytest.raises(StillNeeded, match="1"):
        service.change(district, SYSTEM, "环卫所", gone, areas(district))
    with pytest.raises(StillNeeded, match="荷花池城管所"):
        service.change(district, SYSTEM, "城管局", department("城管局", active=False), areas(district))
    account_service.set_body(district, staff[Role.DEPARTMENT_HANDLER].username, None)
    service.change(district, SYSTEM, "环卫所", gone, areas(district))
    assert "环卫所" not in queries.bodies(district)
    case = desk.report()
    desk.move(case, MONDAY, Action.ACCEPT)
    with pytest.raises(BodyClosed, match="环卫所"):
        desk.move(case, MONDAY, Action.DISPATCH, handler="环卫所")


def test_a_street_founds_its_own_bodies_and_no_others(district, staff):
    dispatcher = staff[Role.STREET_DISPATCHER]
    found(district, department("城管局"))
    found(district, station("荷花池城管所", "城管局"), by=dispatcher)
    with pytest.raises(OutsideGrant):
        found(district, department("规划局"), by=dispatcher)
    with pytest.raises(NotGranted):
        found(district, station("另一所", "城管局"), by=staff[Role.GRID_MEMBER])
    with pytest.raises(NoSuchArea):
        found(district, station("远处的所", "城管局", "999"))
    with pytest.raises(NameTaken):
        found(district, department("城管局"))
    with pytest.raises(UnknownBody):
        service.change(district, SYSTEM, "没有", department("没有"), areas(district))


def test_a_table_of_bodies_is_taken_whole_and_again_changes_nothing(district):
    rows = (
        f"荷花池市监所,派驻站所,,市监,{STREET},,,\n市场监管局,部门,市监;工商,,,028-1,,\n"
        f"荷花池执法队,综合执法队,,,{STREET},,市监,是\n"
    )
    assert [each.fate for each in brought(district, rows)] == ["added"] * 3
    assert queries.station(district, "工商", f"{STREET}001").name == "荷花池市监所"
    assert [each.fate for each in brought(district, rows)] == ["unchanged"] * 3
    changed = brought(district, "市场监管局,部门,,,,028-2,,\n")
    assert [each.fate for each in changed] == ["changed"]
    assert queries.named(district, "工商").phone == "028-2"  # no short name in the table takes none away


def test_every_bad_cell_of_a_table_is_named_and_nothing_is_written(district):
    found(district, department("城管局"))
    rows = (
        "甲局,部门,,乙局,,,,\n乙局,部门,,甲局,,,,\n丙所,派驻站所,,,,,,\n丁所,派驻站所,,无此局,999,,,\n"
        f"城管局,部门,丙所,,,,,\n庚局,部门,,,,,,\n庚局,部门,,,,,,\n戊队,综合执法队,,,{STREET},,无此局,\n己,公司,,,,,,\n"
    )
    with pytest.raises(sheet.BadSheet) as bad:
        brought(district, rows)
    told = [(each.details["row"], type(each.reason).__name__) for each in bad.value.errors]
    for row, names in {
        2: {"HomeInCircle"}, 3: {"HomeInCircle"}, 4: {"HomeNeeded", "TerritoryNeeded", "NameTaken"},
        5: {"NoSuchArea", "NoSuchBody"}, 6: {"NameTaken"}, 8: {"BodyTwice"}, 9: {"NotADepartment"},
        10: {"NotOneOf"},
    }.items():  # fmt: skip
        assert names <= {name for line, name in told if line == row}, row
    assert list(queries.bodies(district)) == ["城管局"]


def test_members_of_a_task_force_are_reached_and_work_wherever_they_sit(district, desk, staff):
    member = staff[Role.GRID_MEMBER]  # of the first micro-grid
    account = accounts.by_username(district, member.username)
    far = desk.report(column=2.5)
    found(district, department("环卫所"))
    body = service.raise_body(district, "拆迁专班", STREET)
    for action in (Action.ACCEPT, Action.DISPATCH):
        desk.move(far, MONDAY, action, **({"handler": "拆迁专班"} if action is Action.DISPATCH else {}))
    assert not incidents.seen(district, member, [far.number])
    account.also = ["拆迁专班"]
    district.flush()
    member = accounts.actor(district, member.username)
    assert incidents.seen(district, member, [far.number])
    assert duty.seats(district).of("拆迁专班", far.home) == {member.id}
    desk.move(far, MONDAY, Action.HANDLE, member)
    assert far.state == "handling"
    service.close_body(district, body.id)
    with pytest.raises(NameTaken):
        service.raise_body(district, "拆迁专班", STREET)


def test_a_station_needs_a_map_to_stand_on(session):
    found(session, department("城管局"))
    with pytest.raises(NoSuchArea):
        found(session, station("荷花池城管所", "城管局"))
