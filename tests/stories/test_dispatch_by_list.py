"""派遣: an accepted case goes by list × grid × roster × load, by the system or by whoever sits at the desk."""

from datetime import date, timedelta

import pytest
from climbing import MONDAY, after
from little import STREET
from sqlalchemy import select, update

from gridmgr import clock
from gridmgr.account.model import Account, Role
from gridmgr.audit import queries as audit
from gridmgr.category.model import Category
from gridmgr.desk import queries as desks
from gridmgr.dispatch import queries, service
from gridmgr.dispatch.model import (
    Basis,
    Choice,
    DispatchSetting,
    Mode,
    NoSeverity,
    SettingPast,
    UnknownSetting,
)
from gridmgr.duty.model import Shift
from gridmgr.incident import queries as incidents
from gridmgr.incident.model import IncidentMovedMeanwhile, UnknownIncident
from gridmgr.life.model import Action

pytestmark = pytest.mark.db


def set_area(
    desk, staff, mode=Mode.AUTOMATIC, code=STREET, severities=(1, 2), by=Role.COMMAND_CENTRE, **more
):
    return desk.at(
        MONDAY,
        lambda: service.set_area(
            desk.session, staff[by], code, clock.local(MONDAY).date(), mode, severities, **more
        ),
    )


def accepted(desk, staff, **changes):
    case = desk.report(**changes)
    desk.move(case, MONDAY, Action.ACCEPT, staff[Role.STREET_DISPATCHER])
    return case


def automatic(desk, hours: float = 0.1) -> tuple[int, int]:
    return desk.at(after(hours), lambda: service.dispatch_waiting(desk.session))


def suggestion(desk, case, hours: float = 0.1):
    with clock.travel(after(hours)):
        return queries.suggestions(desk.session, [case])[0]


def causes(told) -> list[str]:
    return [each["cause"] for each in told]


def history(desk, case):
    return incidents.history(desk.session, case.id)


def test_the_department_of_the_matter_is_suggested_with_who_is_there_and_its_load(desk, staff):
    desk.handling()
    case = accepted(desk, staff)
    (first, *_) = suggestion(desk, case).candidates
    assert (first.body, first.basis) == ("环卫所", Basis.LEAD)
    assert (first.presence.now, first.load.open, first.load.late) == (1, 1, 0)
    assert causes(each.told() for each in first.why) == ["table", "there", "load"]
    assert suggestion(desk, case, 40).candidates[0].load.late == 1


def test_the_roster_says_until_when_somebody_is_there_and_when_the_next_one_comes(desk, staff):
    case, handler = accepted(desk, staff), staff[Role.DEPARTMENT_HANDLER]
    turn = {"account_id": handler.id, "role": Role.DEPARTMENT_HANDLER, "code": STREET, "substitute": False}
    for day in (0, 24):
        desk.session.add(Shift(**turn, begins=after(day - 1), ends=after(day + 8)))
    desk.session.flush()
    now = suggestion(desk, case, 1).candidates[0].presence
    night = suggestion(desk, case, 12).candidates[0].presence
    assert (now.now, now.until) == (1, after(8))
    assert (night.now, night.until, night.next) == (0, None, after(23))


def test_a_simple_matter_may_go_to_the_grids_own_people(desk, staff):
    desk.session.execute(update(Category).where(Category.code == "S0102").values(simple=True))
    case = accepted(desk, staff)
    found = suggestion(desk, case).candidates
    assert [(one.body, one.code, one.basis.value) for one in found] == [
        ("环卫所", None, "lead"), ("第1微网格", f"{STREET}001001", "simple"),
    ]  # fmt: skip


def test_fifty_cases_cost_no_more_statements_than_one(desk, staff):
    from sqlalchemy import event

    cases = [accepted(desk, staff, row=0.1 + n / 100) for n in range(6)]
    counts = []
    for some in (cases[:1], cases):
        told = []

        def hear(conn, cursor, statement, *rest, told=told):
            told.append(statement)

        connection = desk.session.connection()
        event.listen(connection, "before_cursor_execute", hear)
        with clock.travel(after(0.1)):
            queries.suggestions(desk.session, some)
        event.remove(connection, "before_cursor_execute", hear)
        counts.append(len(told))
    assert counts[1] <= counts[0] <= 8


def test_where_an_area_has_it_so_the_system_dispatches_once_and_says_why(desk, staff):
    set_area(desk, staff)
    case = accepted(desk, staff)
    assert automatic(desk) == (1, 0)
    assert automatic(desk) == (0, 0)
    assert (case.state, case.handler, case.owner) == ("dispatched", "环卫所", "环卫所")
    step = history(desk, case)[-1]
    assert (step.action, step.actor_id) == ("dispatch", None)
    assert causes(step.payload["why"]) == ["automatic", "table", "there", "load"]
    desk.session.flush()
    assert audit.verify(desk.session).broken == []


def test_nothing_goes_by_itself_where_people_dispatch(desk, staff):
    case = accepted(desk, staff)
    assert automatic(desk) == (0, 0)
    set_area(desk, staff)
    set_area(desk, staff, Mode.OFF, code=f"{STREET}001")  # the narrower area counts
    assert automatic(desk) == (0, 0)
    assert case.state == "accepted"


def test_what_the_system_cannot_decide_stays_on_the_desk_with_the_reason(desk, staff):
    set_area(desk, staff)
    desk.session.execute(
        update(Account).where(Account.id == staff[Role.DEPARTMENT_HANDLER].id).values(active=False)
    )
    case = accepted(desk, staff)
    assert automatic(desk) == (0, 1)
    assert causes(queries.holds(desk.session, [case.id])[case.id].why) == ["nobody"]
    assert automatic(desk) == (0, 0)  # looked at again only when it changes, or later
    desk.session.execute(
        update(Account).where(Account.id == staff[Role.DEPARTMENT_HANDLER].id).values(active=True)
    )
    assert automatic(desk, 0.5) == (1, 0)


def test_an_urgent_case_and_one_that_was_sent_back_are_for_people(desk, staff):
    set_area(desk, staff)
    urgent, back = accepted(desk, staff, severity=3), accepted(desk, staff)
    desk.move(back, MONDAY, Action.DISPATCH, staff[Role.STREET_DISPATCHER])
    desk.move(back, MONDAY, Action.SEND_BACK, staff[Role.STREET_DISPATCHER], note="不归环卫")
    assert automatic(desk) == (0, 2)
    holds = queries.holds(desk.session, [urgent.id, back.id])
    assert causes(holds[urgent.id].why) == ["severity"]
    assert holds[back.id].why == [{"cause": "was_with", "body": "环卫所"}]


def test_a_setting_begins_today_or_later_and_is_somebodys_own_area(desk, staff):
    with pytest.raises(NoSeverity):
        set_area(desk, staff, severities=())
    with pytest.raises(SettingPast), clock.travel(MONDAY):
        service.set_area(desk.session, staff[Role.COMMAND_CENTRE], STREET, date(2026, 9, 6), Mode.OFF)
    tomorrow = clock.local(MONDAY).date() + timedelta(days=1)
    with clock.travel(MONDAY):
        later = service.set_area(desk.session, staff[Role.COMMAND_CENTRE], STREET, tomorrow, Mode.OFF)
        assert queries.settings(desk.session) == []
        assert [each.mode for each in queries.settings(desk.session, tomorrow)] == ["off"]
        service.drop_setting(desk.session, staff[Role.COMMAND_CENTRE], later.id)
        with pytest.raises(UnknownSetting):
            service.drop_setting(desk.session, staff[Role.COMMAND_CENTRE], later.id)
    assert desk.session.scalars(select(DispatchSetting)).all() == []


def choose(desk, staff, *choices, by=Role.STREET_DISPATCHER):
    return desk.at(after(0.2), lambda: service.choose(desk.session, staff[by], choices))


def test_a_suggestion_that_is_taken_keeps_its_reasons_with_the_step(desk, staff):
    case = accepted(desk, staff)
    assert choose(desk, staff, Choice(case.number, "环卫所", None, case.last_seq)) == [None]
    assert causes(history(desk, case)[-1].payload["why"])[0] == "chosen"
    other = accepted(desk, staff)
    assert choose(desk, staff, Choice(other.number, "水务所", None)) == [None]
    assert "why" not in history(desk, other)[-1].payload


def test_many_are_dispatched_as_they_were_seen_and_one_refused_stops_no_other(desk, staff):
    first, second = accepted(desk, staff), accepted(desk, staff)
    seen = first.last_seq
    desk.move(first, MONDAY, Action.HAND_UP, staff[Role.STREET_DISPATCHER], note="请区里看", level="district")
    refused = choose(
        desk, staff, Choice(first.number, "环卫所", None, seen), Choice(second.number, "环卫所", None, second.last_seq),
        Choice("404", "环卫所", None), by=Role.COMMAND_CENTRE,
    )  # fmt: skip
    assert [type(each) for each in refused] == [IncidentMovedMeanwhile, type(None), UnknownIncident]
    assert (first.state, second.state) == ("accepted", "dispatched")


def test_the_dispatch_desk_counts_what_my_work_counts(desk, staff):
    for n in range(3):
        accepted(desk, staff, row=0.1 + n / 100)
    for role in (Role.STREET_DISPATCHER, Role.COMMAND_CENTRE):
        with clock.travel(after(1)):
            piles = desks.piles(desk.session, staff[role], top=0)
            rows = queries.page(desk.session, staff[role], queries.queue(staff[role]), 50)
        assert [pile.count for pile in piles if pile.worklist.name == "dispatch"] == [3] == [len(rows)]
