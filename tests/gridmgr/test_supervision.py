"""A leader orders something on a case by a time of its own; the body at work answers; late ones are told of once."""

from datetime import timedelta

import pytest
from climbing import MONDAY, after
from little import STREET
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from gridmgr import clock
from gridmgr.account.model import NotGranted, OutsideGrant, Role
from gridmgr.account.rules import SYSTEM, Actor, Grant
from gridmgr.clock import TimeUnit
from gridmgr.life.model import Action
from gridmgr.notice.model import Notice
from gridmgr.supervision import queries, service
from gridmgr.supervision.model import (
    Deed,
    DeedImpossible,
    DuePast,
    NotAddressed,
    NoteMissing,
    NothingToSupervise,
    Standing,
    SupervisedAlready,
    UnknownOrder,
)

pytestmark = pytest.mark.db


@pytest.fixture
def case(desk, staff):
    """A case that the street's dispatcher holds and the sanitation department works on."""
    found = desk.report()
    desk.move(found, MONDAY, Action.ACCEPT, staff[Role.STREET_DISPATCHER])
    desk.move(found, MONDAY, Action.DISPATCH, staff[Role.STREET_DISPATCHER])
    return found


@pytest.fixture
def order(desk, staff, case):
    return desk.at(after(1), lambda: issue(desk, staff, case))


def issue(desk, staff, case, wanted: str = "今晚清完", amount: float = 4, by: Role = Role.COMMAND_CENTRE):
    return service.issue(desk.session, staff[by], case.number, wanted, amount, TimeUnit.WORKING_HOURS)


def do(desk, actor, order, deed: Deed, note: str = "", hours: float = 2):
    return desk.at(after(hours), lambda: service.do(desk.session, actor, order.id, deed, note))


def told(desk, actor) -> list[str]:
    asked = select(Notice.kind).where(Notice.account_id == actor.id).order_by(Notice.id)
    return [kind for kind in desk.session.scalars(asked) if kind.startswith(("supervised", "order"))]


def test_an_order_is_issued_answered_returned_answered_and_confirmed(desk, staff, case, order):
    centre, handler = staff[Role.COMMAND_CENTRE], staff[Role.DEPARTMENT_HANDLER]
    assert (order.state, order.body, order.level) == ("open", "环卫所", "street")
    assert clock.local(order.due_at).strftime("%H:%M") == "16:00"  # from ten, over lunch
    assert told(desk, handler) == told(desk, staff[Role.STREET_DISPATCHER]) == ["supervised"]
    do(desk, handler, order, Deed.ANSWER, "清了一半")
    do(desk, centre, order, Deed.RETURN, "还剩一半", 3)
    assert (order.state, order.returns, order.answered_at) == ("open", 1, None)
    do(desk, handler, order, Deed.ANSWER, "清完了", 4)
    do(desk, centre, order, Deed.CONFIRM, "", 5)
    assert (order.state, order.answered_at, order.ended_at) == ("done", after(4), after(5))
    assert told(desk, centre) == ["order_answered", "order_answered"]
    assert told(desk, handler) == ["supervised", "order_returned"]
    deeds = queries.deeds(desk.session, [order.id])[order.id]
    assert [(each.seq, each.deed, each.note) for each in deeds] == [
        (1, "issue", "今晚清完"), (2, "answer", "清了一半"), (3, "return", "还剩一半"), (4, "answer", "清完了"),
        (5, "confirm", ""),
    ]  # fmt: skip


def test_what_was_done_is_never_changed(desk, order):
    for statement in ("UPDATE supervision_deed SET note = ''", "DELETE FROM supervision_deed"):
        with pytest.raises(DBAPIError), desk.session.begin_nested():
            desk.session.execute(text(statement))


def test_one_order_runs_on_a_case_at_a_time_and_none_on_a_finished_one(desk, staff, case, order):
    with pytest.raises(SupervisedAlready):
        issue(desk, staff, case)
    do(desk, staff[Role.COMMAND_CENTRE], order, Deed.WITHDRAW)
    assert issue(desk, staff, case, by=Role.STREET_DISPATCHER).state == Standing.OPEN
    gone = desk.report()
    desk.move(gone, MONDAY, Action.VOID, staff[Role.COMMAND_CENTRE], note="误报")
    with pytest.raises(NothingToSupervise):
        issue(desk, staff, gone)


def test_an_order_ends_with_its_case_and_one_for_a_body_apart_goes_on(desk, staff, case, order):
    apart = desk.at(
        after(1),
        lambda: service.issue(
            desk.session, SYSTEM, case.number, "未到场", 1, TimeUnit.HOURS, body="市场监管局"
        ),
    )
    for hours, action, more in (
        (2, Action.HANDLE, {}), (3, Action.FEED_BACK, {"note": "清完了"}), (4, Action.VERIFY, {"note": "查过"}),
        (5, Action.CLOSE, {"checked": True}),
    ):  # fmt: skip
        desk.move(case, after(hours), action, **more)
    assert (order.state, order.answered_at, order.ended_at, apart.state) == (
        "done",
        after(5),
        after(5),
        "open",
    )
    assert [each.deed for each in queries.deeds(desk.session, [order.id])[order.id]] == [
        "issue",
        "answer",
        "confirm",
    ]
    assert told(desk, staff[Role.COMMAND_CENTRE])[-1] == "order_answered"
    desk.move(case, after(6), Action.REOPEN, note="没清干净")
    again = desk.at(after(6), lambda: issue(desk, staff, case))
    desk.move(case, after(7), Action.VOID, note="误报")
    assert again.state == "withdrawn"


def test_whoever_is_at_work_answers_and_whoever_issues_decides(desk, staff, case, order):
    with pytest.raises(NotAddressed):  # it stands with the street, above the community
        do(desk, staff[Role.COMMUNITY_CLERK], order, Deed.ANSWER, "我来")
    with pytest.raises(NotGranted):
        do(desk, staff[Role.DEPARTMENT_HANDLER], order, Deed.WITHDRAW)
    with pytest.raises(NotGranted):
        issue(desk, staff, case, by=Role.GRID_MEMBER)
    stranger = Actor(None, "far", (Grant(Role.STREET_DISPATCHER, "999"),))
    with pytest.raises(UnknownOrder):
        do(desk, stranger, order, Deed.CONFIRM)
    assert order.state == Standing.OPEN


@pytest.mark.parametrize(
    ("wanted", "amount", "refusal"),
    [("  ", 4, NoteMissing), ("长" * 501, 4, NoteMissing), ("做", 0, DuePast)],
)
def test_an_order_says_what_and_by_when(desk, staff, case, wanted, amount, refusal):
    with pytest.raises(refusal):
        issue(desk, staff, case, wanted, amount)


def test_what_does_not_fit_its_standing_is_refused(desk, staff, order):
    centre, handler = staff[Role.COMMAND_CENTRE], staff[Role.DEPARTMENT_HANDLER]
    for deed in (Deed.CONFIRM, Deed.RETURN, Deed.ISSUE):
        with pytest.raises(DeedImpossible):
            do(desk, centre, order, deed, "现在")
    with pytest.raises(NoteMissing):
        do(desk, handler, order, Deed.ANSWER)


def test_a_late_order_is_told_of_once_to_all_concerned(desk, staff, order):
    late = [desk.at(after(hours), lambda: service.tell_late(desk.session)) for hours in (6.9, 7.1, 8)]
    assert late == [0, 1, 0]
    for role in (Role.COMMAND_CENTRE, Role.STREET_DISPATCHER, Role.DEPARTMENT_HANDLER):
        assert told(desk, staff[role]).count("order_late") == 1
    with clock.travel(after(8)):
        (row,) = queries.page(desk.session, SYSTEM, queries.Search(late=True), 10)
        assert (row[0].id, queries.is_late(row[0])) == (order.id, True)
        assert queries.counts(desk.session, SYSTEM) == {"open": 1, "late": 1}
        assert queries.page(desk.session, SYSTEM, queries.Search(area="999"), 10) == []


def test_how_orders_are_answered_is_counted_by_body(desk, staff, case, order):
    handler, centre = staff[Role.DEPARTMENT_HANDLER], staff[Role.COMMAND_CENTRE]
    do(desk, handler, order, Deed.ANSWER, "好了", 2)
    do(desk, centre, order, Deed.CONFIRM, "", 3)
    second = desk.at(after(3), lambda: issue(desk, staff, case, amount=1))
    do(desk, handler, second, Deed.ANSWER, "晚了", 9)
    do(desk, centre, second, Deed.CONFIRM, "", 9)
    desk.at(after(9), lambda: issue(desk, staff, case))
    with clock.travel(after(10)):
        (found,) = queries.answering(desk.session, SYSTEM, MONDAY, after(24))
    assert (found.body, found.orders, found.in_time, found.late, found.open) == ("环卫所", 3, 1, 1, 1)
    assert found.rate == 0.5
    assert queries.answering(desk.session, SYSTEM, MONDAY - timedelta(days=9), MONDAY) == []
    with pytest.raises(OutsideGrant):
        service.issue(
            desk.session,
            Actor(None, "x", (Grant(Role.COMMAND_CENTRE, "999"), Grant(Role.PLANNER, STREET))),
            case.number, "做", 1, TimeUnit.HOURS,
        )  # fmt: skip
