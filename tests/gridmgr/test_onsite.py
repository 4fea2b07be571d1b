"""核实核查: the nearest on duty is sent to look, takes it or it goes on, and brings a photo."""

import pytest
from climbing import MONDAY, after
from little import STREET

from gridmgr import clock
from gridmgr.account import queries as accounts
from gridmgr.account import service as account_service
from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM, Grant
from gridmgr.attachment import service as attachment
from gridmgr.desk import queries as desks
from gridmgr.dispatch import service as dispatch
from gridmgr.dispatch.model import Mode
from gridmgr.duty import service as duty
from gridmgr.incident import service as incident
from gridmgr.incident.model import ConditionUnmet
from gridmgr.life.model import Action, Source
from gridmgr.notice.model import Notice
from gridmgr.onsite import queries, rules, service
from gridmgr.onsite.model import How, NoSuchCheck, NotSent, TakenAlready, WhyNot
from gridmgr.onsite.rules import Walker
from gridmgr.simulation import photos

pytestmark = pytest.mark.db


@pytest.fixture
def sending(desk, staff):
    """Checks on site are sent in the whole street, to be taken within half an hour."""
    day = clock.local(MONDAY).date()
    desk.at(
        MONDAY,
        lambda: dispatch.set_area(
            desk.session, staff[Role.COMMAND_CENTRE], STREET, day, Mode.SUGGEST, (), 30
        ),
    )


@pytest.fixture
def neighbour(district, staff):
    """The member of the micro-grid next door."""
    opened = account_service.open_account(
        district, "next", "邻格员", "a long enough password", [Grant(Role.GRID_MEMBER, f"{STREET}001002")]
    )
    return accounts.actor_of(opened)


@pytest.fixture
def photo(district):
    stored = attachment.store(district, SYSTEM, "现场.jpg", photos.photo(1, 1))
    return [{"sha256": stored.sha256, "name": "现场.jpg"}]


def report(desk):
    return desk.report(source=Source.RESIDENT)


def sent(desk, case):
    check = queries.open_of(desk.session, [case.id]).get(case.id)
    return check and (check.kind, check.how, check.assignee_id)


def move(desk, actor, case, action, hours=0.1, **payload):
    return desk.at(after(hours), lambda: incident.move(desk.session, actor, case.number, action, payload))


def on_desk(desk, actor) -> int:
    with clock.travel(after(0.2)):
        piles = desks.piles(desk.session, actor, top=0)
    return next(pile.count for pile in piles if pile.worklist.name == "checks")


def test_the_member_on_duty_of_the_place_is_sent_told_and_finds_it_on_the_own_desk(desk, staff, sending):
    case, member = report(desk), staff[Role.GRID_MEMBER]
    assert sent(desk, case) == ("confirm", "seat", member.id)
    assert on_desk(desk, member) == 1
    told = [row.account_id for row in desk.session.query(Notice).filter_by(kind="check")]
    assert told == [member.id]


def test_nobody_is_sent_without_a_setting_nor_for_what_staff_report(desk, staff):
    assert sent(desk, report(desk)) is None


def test_nobody_is_sent_for_what_staff_report(desk, staff, sending):
    assert sent(desk, desk.report()) is None


def test_whoever_is_sent_looks_with_a_photo_and_the_check_is_done(desk, staff, sending, photo):
    case, member = report(desk), staff[Role.GRID_MEMBER]
    with pytest.raises(ConditionUnmet):
        move(desk, member, case, Action.CONFIRM, found=True)
    move(desk, member, case, Action.CONFIRM, found=True, files=photo)
    (check,) = queries.of_case(desk.session, case.id)
    assert (check.ending, check.ended_by, case.checker_id, case.confirmed) == (
        "done",
        member.name,
        None,
        True,
    )
    assert on_desk(desk, member) == 0


def test_others_may_still_look_by_their_rights_and_need_no_photo(desk, staff, sending):
    case = report(desk)
    move(desk, staff[Role.COMMUNITY_CLERK], case, Action.CONFIRM, found=False)
    (check,) = queries.of_case(desk.session, case.id)
    assert (check.ending, check.ended_by) == ("done", staff[Role.COMMUNITY_CLERK].name)


def test_a_case_that_goes_on_without_a_look_needs_none(desk, staff, sending):
    case = report(desk)
    move(desk, staff[Role.STREET_DISPATCHER], case, Action.VOID, note="重复")
    (check,) = queries.of_case(desk.session, case.id)
    assert (check.ending, case.checker_id) == ("dropped", None)


def test_what_is_not_taken_in_time_goes_to_the_nearest_neighbour_then_the_leader_then_the_clerk(
    desk, staff, sending, neighbour
):
    case, found = report(desk), []
    for minutes in (31, 62, 93, 124):
        found.append(sent(desk, case)[1:])
        desk.at(after(minutes / 60), lambda: service.hand_on(desk.session))
    assert found == [
        ("seat", staff[Role.GRID_MEMBER].id), ("neighbour", neighbour.id),
        ("leader", staff[Role.GRID_LEADER].id), ("clerk", staff[Role.COMMUNITY_CLERK].id),
    ]  # fmt: skip
    assert sent(desk, case)[1] == "seat"  # everybody has been asked once: it begins anew


def test_a_neighbour_who_is_sent_sees_the_case_and_may_look(desk, staff, sending, neighbour, photo):
    case = report(desk)
    desk.at(after(0.6), lambda: service.hand_on(desk.session))
    assert queries.open_check(desk.session, case).distance_m == pytest.approx(867, rel=0.05)
    move(desk, neighbour, case, Action.CONFIRM, 0.7, found=True, files=photo)
    assert case.confirmed is True


def test_what_is_taken_is_not_handed_on(desk, staff, sending):
    case, member = report(desk), staff[Role.GRID_MEMBER]
    desk.at(after(0.1), lambda: service.take(desk.session, member, case.number))
    with pytest.raises(TakenAlready):
        service.take(desk.session, member, case.number)
    assert desk.at(after(9), lambda: service.hand_on(desk.session)) == 0
    with pytest.raises(NotSent):
        service.take(desk.session, staff[Role.GRID_LEADER], case.number)


def test_who_cannot_go_says_why_and_somebody_else_is_sent(desk, staff, sending, neighbour):
    case, member = report(desk), staff[Role.GRID_MEMBER]
    with pytest.raises(WhyNot):
        service.give_back(desk.session, member, case.number, " ")
    desk.at(after(0.1), lambda: service.give_back(desk.session, member, case.number, "在另一现场"))
    assert sent(desk, case)[2] == neighbour.id
    passed = queries.of_case(desk.session, case.id)[1]
    assert (passed.ending, passed.ended_by, passed.note) == ("passed", member.name, "在另一现场")
    with pytest.raises(NotSent):
        service.give_back(desk.session, staff[Role.GRID_LEADER], case.number, "我来")


def test_whoever_goes_on_leave_is_not_waited_for(desk, staff, sending, neighbour):
    case, member = report(desk), staff[Role.GRID_MEMBER]
    desk.at(
        after(0.1),
        lambda: duty.grant_leave(desk.session, staff[Role.ADMIN], member.username, after(0.1), after(9)),
    )
    assert desk.at(after(0.2), lambda: service.hand_on(desk.session)) == 1
    assert sent(desk, case)[2] == neighbour.id


def test_a_fed_back_case_is_checked_by_somebody_other_than_who_did_it(desk, staff, sending, neighbour, photo):
    case, member = desk.report(), staff[Role.GRID_MEMBER]
    desk.move(case, MONDAY, Action.ACCEPT, staff[Role.STREET_DISPATCHER])
    own = {"handler": "第1微网格", "handler_code": f"{STREET}001001"}
    desk.move(case, MONDAY, Action.DISPATCH, staff[Role.STREET_DISPATCHER], **own)
    move(desk, member, case, Action.HANDLE)
    move(desk, member, case, Action.FEED_BACK, note="清完了", files=photo)
    assert sent(desk, case) == ("verify", "neighbour", neighbour.id)
    move(desk, neighbour, case, Action.REWORK, 0.2, note="还有一半", files=photo)
    assert sent(desk, case) is None
    move(desk, member, case, Action.FEED_BACK, 0.3, note="这回清完了", files=photo)
    assert sent(desk, case) == ("verify", "neighbour", neighbour.id)
    move(desk, neighbour, case, Action.VERIFY, 0.4, files=photo)
    assert case.state == "verified"


def test_nobody_on_duty_is_said_and_whoever_comes_is_sent(desk, staff, sending):
    roles = (Role.GRID_MEMBER, Role.GRID_LEADER, Role.COMMUNITY_CLERK)
    for role in roles:
        account_service.set_active(desk.session, staff[role].username, False)
    case = report(desk)
    assert sent(desk, case) == ("confirm", "nobody", None)
    account_service.set_active(desk.session, staff[Role.GRID_LEADER].username, True)
    desk.at(after(0.6), lambda: service.hand_on(desk.session))
    assert sent(desk, case) == ("confirm", "leader", staff[Role.GRID_LEADER].id)


def test_there_may_be_nothing_to_take(desk, staff):
    with pytest.raises(NoSuchCheck):
        service.take(desk.session, staff[Role.GRID_MEMBER], report(desk).number)


def test_the_nearest_is_found_by_seat_then_distance():
    far, near = Walker(1, How.NEIGHBOUR, 900.0), Walker(2, How.NEIGHBOUR, 80.0)
    clerk, own = Walker(3, How.CLERK), Walker(4, How.SEAT)
    everybody = [far, clerk, near, own]
    assert rules.nearest(everybody, (), ()) is own
    assert rules.nearest(everybody, {4}, ()) is near
    assert rules.nearest(everybody, {4, 2}, {1}) is clerk
    assert rules.nearest([], (), ()) is None
