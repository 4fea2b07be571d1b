"""首接负责: whoever receives a case first answers for it until another body has taken it in hand."""

import pytest
from climbing import MONDAY, after
from little import STREET

from gridmgr import clock
from gridmgr.account import queries as accounts
from gridmgr.account import service as account_service
from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM, Grant
from gridmgr.audit import queries as audit
from gridmgr.casebook import queries as casebook
from gridmgr.casebook.queries import Search
from gridmgr.clock import TimeUnit
from gridmgr.desk import queries as desks
from gridmgr.dispatch import queries as dispatch
from gridmgr.incident import rules
from gridmgr.incident.model import NotYourOrder
from gridmgr.life.model import Action
from gridmgr.notice.model import Notice
from gridmgr.supervision import service as supervision

pytestmark = pytest.mark.db


@pytest.fixture
def sanitation(staff):
    return staff[Role.DEPARTMENT_HANDLER]


@pytest.fixture
def water(district, staff):
    """A second department's person on the same street."""
    opened = account_service.open_account(
        district,
        "water",
        "水务员",
        "a long enough password",
        [Grant(Role.DEPARTMENT_HANDLER, STREET)],
        body="水务所",
    )
    return accounts.actor_of(opened)


@pytest.fixture
def case(desk, staff, sanitation):
    """A case that was dispatched to sanitation and taken in hand there."""
    found = desk.report()
    for action in (Action.ACCEPT, Action.DISPATCH):
        desk.move(found, MONDAY, action, staff[Role.STREET_DISPATCHER])
    desk.move(found, after(0.5), Action.HANDLE, sanitation)
    return found


def answering(case) -> tuple:
    return case.handler, case.owner, rules.passed_on(case)


def kept(desk, actor, hours: float = 1) -> int:
    with clock.travel(after(hours)):
        piles = desks.piles(desk.session, actor, top=0)
    return next(pile.count for pile in piles if pile.worklist.name == "kept")


def test_whoever_receives_it_first_answers_for_it_at_once(desk, staff):
    found = desk.report()
    desk.move(found, MONDAY, Action.ACCEPT, staff[Role.STREET_DISPATCHER])
    assert answering(found) == (None, None, False)
    desk.move(found, MONDAY, Action.DISPATCH, staff[Role.STREET_DISPATCHER])
    assert answering(found) == ("环卫所", "环卫所", False)


def test_a_case_sent_back_stays_with_the_first_receiver_until_another_takes_it(
    desk, staff, case, sanitation, water
):
    dispatcher = staff[Role.STREET_DISPATCHER]
    desk.move(case, after(1), Action.SEND_BACK, dispatcher, note="管道归水务")
    assert answering(case) == (None, "环卫所", True)
    assert kept(desk, sanitation) == 1
    desk.move(case, after(2), Action.DISPATCH, dispatcher, handler="水务所")
    assert answering(case) == ("水务所", "环卫所", True)
    assert (kept(desk, sanitation, 2), kept(desk, water, 2)) == (1, 0)
    desk.move(case, after(3), Action.HANDLE, water)
    assert answering(case) == ("水务所", "水务所", False)
    assert kept(desk, sanitation, 3) == 0


def test_a_redirect_leaves_it_with_the_former_body_until_the_new_one_accepts(desk, staff, case, water):
    desk.move(
        case, after(1), Action.REDIRECT, staff[Role.STREET_DISPATCHER], handler="水务所", note="管道漏水"
    )
    assert answering(case) == ("水务所", "环卫所", True)
    desk.move(case, after(2), Action.HANDLE, water)
    assert answering(case) == ("水务所", "水务所", False)


def test_while_nobody_has_taken_it_its_clock_is_the_first_receivers(desk, staff, case, sanitation, water):
    """Both are counted and both are told; it is late on the desk of whoever answers for it."""
    desk.move(case, after(1), Action.SEND_BACK, staff[Role.STREET_DISPATCHER], note="管道归水务")
    with clock.travel(after(30)):
        late = casebook.counted(desk.session, SYSTEM, {"late": Search(answers="环卫所", overdue=True)})
        loads = dispatch.load(desk.session, {("环卫所", None), ("水务所", None)})
    assert late == {"late": 1}
    assert (loads["环卫所", None].open, loads["环卫所", None].late, loads["水务所", None].open) == (1, 1, 0)
    order = desk.at(
        after(31),
        lambda: supervision.issue(
            desk.session, staff[Role.COMMAND_CENTRE], case.number, "谁在办？", 4, TimeUnit.WORKING_HOURS
        ),
    )
    assert order.body == "环卫所"
    told = [row.account_id for row in desk.session.query(Notice).filter_by(kind="supervised")]
    assert sanitation.id in told
    assert water.id not in told


def test_the_first_receiver_may_still_ask_but_only_whoever_was_told_takes_it(
    desk, staff, case, sanitation, water
):
    desk.move(
        case, after(1), Action.REDIRECT, staff[Role.STREET_DISPATCHER], handler="水务所", note="管道漏水"
    )
    more = {"way": "extend", "amount": 1, "unit": "working_days", "note": "等水务接手"}
    desk.move(case, after(1), Action.ASK, sanitation, **more)
    assert case.asked["by"] == sanitation.id
    with pytest.raises(NotYourOrder):
        desk.move(case, after(2), Action.HANDLE, sanitation)


def test_the_history_stays_whole_and_says_the_same(desk, staff, case, water):
    desk.move(case, after(1), Action.SEND_BACK, staff[Role.STREET_DISPATCHER], note="管道归水务")
    desk.move(case, after(2), Action.DISPATCH, staff[Role.STREET_DISPATCHER], handler="水务所")
    desk.session.flush()
    assert audit.verify(desk.session).broken == []
    desk.move(case, after(3), Action.HANDLE, water)
    desk.session.flush()
    assert audit.verify(desk.session).broken == []
