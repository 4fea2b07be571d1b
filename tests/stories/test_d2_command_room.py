"""D2 综合信息指挥室: one command room sees and directs all stationed teams; a joint duty station at a trouble spot."""

from datetime import date, timedelta

import pytest
from climbing import MONDAY, after
from little import STREET

from gridmgr import clock
from gridmgr.account import service as account_service
from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM, Grant
from gridmgr.casebook import queries as casebook
from gridmgr.command_room import queries
from gridmgr.life.model import Action
from gridmgr.module import service as regrouping
from gridmgr.organisation import queries as organisation
from gridmgr.organisation import service as bodies
from gridmgr.organisation.model import BodyKind, Described, RoomThere
from gridmgr.task_force import service as forces
from gridmgr.task_force.model import Raised

pytestmark = pytest.mark.db
STATIONS = ("派出所", "司法所", "市监所", "执法中队")


@pytest.fixture
def town(desk, staff):
    def found(told: Described) -> None:
        bodies.found(desk.session, SYSTEM, told, lambda codes: ())

    found(Described("荷花池指挥室", BodyKind.COMMAND_ROOM, territory=STREET))
    for name in STATIONS:
        found(Described(f"{name}局", BodyKind.DEPARTMENT))
        found(Described(f"荷花池{name}", BodyKind.STATION, home=f"{name}局", territory=STREET))
        grants = [Grant(Role.DEPARTMENT_HANDLER, STREET)]
        account_service.open_account(desk.session, name, f"{name}某", "x" * 12, grants, body=f"荷花池{name}")
    with clock.travel(MONDAY):
        regrouping.regroup(desk.session, SYSTEM, STREET, "six", [], lambda codes: ())
    return desk


def test_the_room_gives_work_to_every_station_and_sees_how_it_stands(town, staff):
    session, dispatcher = town.session, staff[Role.STREET_DISPATCHER]
    assert organisation.room(session, f"{STREET}001001").name == "荷花池指挥室"
    with pytest.raises(RoomThere):
        second = Described("第二指挥室", BodyKind.COMMAND_ROOM, territory=STREET)
        bodies.found(session, SYSTEM, second, lambda codes: ())
    for n, name in enumerate(STATIONS):
        for _ in range(n + 1):
            case = town.report()
            town.move(case, MONDAY, Action.ACCEPT, dispatcher)
            town.move(case, MONDAY, Action.DISPATCH, dispatcher, handler=f"荷花池{name}")
    with clock.travel(after(48)):
        room = queries.room(session, dispatcher, STREET)
        posts = {each.name: each for each in room.posts}
        for n, name in enumerate(STATIONS):
            post = posts[f"荷花池{name}"]
            assert (post.pile.open, post.pile.late, post.present) == (n + 1, n + 1, (f"{name}某",))
            assert len(casebook.page(session, dispatcher, post.pile.search, 100)) == n + 1
    assert (room.whole.open, sum(line.pile.open for line in room.lines)) == (10, 10)


def test_a_joint_station_at_a_trouble_spot_is_manned_from_all_of_them(town, staff):
    last = date(2026, 9, 7) + timedelta(days=10)
    told = Raised(
        "夜市联合值守", "夜市占道与噪声联合值守", STREET, last, STATIONS, STATIONS[0], "荷花路夜市东口",
        104.005, 30.005,
    )  # fmt: skip
    dispatcher = staff[Role.STREET_DISPATCHER]
    town.at(MONDAY, lambda: forces.raise_force(town.session, dispatcher, told, lambda codes: ()))
    with clock.travel(after(1)):
        ((force, post),) = queries.room(town.session, dispatcher, STREET).forces
    assert (force.place, set(post.present)) == ("荷花路夜市东口", {f"{name}某" for name in STATIONS})
