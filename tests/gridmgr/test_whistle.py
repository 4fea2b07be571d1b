"""A street blows the whistle on a case: departments answer, report in with place and photo, are rated, or miss it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from climbing import MONDAY, after
from little import STREET
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from whistling import ENFORCEMENT, MARKET, MINUTE, PLACE, SANITATION, accepted, blow, call, sweep, there, told

from gridmgr import clock
from gridmgr.account.model import NotGranted, OutsideGrant, Role
from gridmgr.account.rules import SYSTEM, Actor, Grant
from gridmgr.attendance import queries as came
from gridmgr.attendance import service as attendance
from gridmgr.events import drain
from gridmgr.incident import queries as incidents
from gridmgr.incident.model import NoPlace
from gridmgr.life import rules as life
from gridmgr.life.model import Action
from gridmgr.organisation import service as register
from gridmgr.organisation.model import BodyKind, Described
from gridmgr.reactions import REACTIONS
from gridmgr.supervision import queries as supervision
from gridmgr.supervision import service as ordering
from gridmgr.supervision.model import Deed as Answer
from gridmgr.whistle import queries, rules, service
from gridmgr.whistle.model import (
    BadTerms,
    CalledTwice,
    CallSettled,
    Deed,
    DeedImpossible,
    NotBlower,
    NotCalled,
    NoteMissing,
    OwnProposal,
    PhotoMissing,
    Presence,
    RatingOver,
    UnknownWhistle,
    Why,
)

pytestmark = pytest.mark.db


def test_the_history_of_the_case_tells_of_it_and_still_folds_to_how_it_stands(
    desk, staff, case, departments, photo
):
    whistle = blow(desk, staff[Role.STREET_LEADER], case, call(SANITATION, MARKET))
    there(desk, departments[SANITATION], whistle, SANITATION, photo, after(0.2))
    rows = incidents.history(desk.session, case.id)
    assert [row.action for row in rows] == ["report", "accept", "whistle", "report_in"]
    assert rows[2].payload["bodies"] == [SANITATION, MARKET]
    assert (rows[3].payload["body"], rows[3].payload["far"], rows[3].actor_name) == (
        SANITATION, False, "department_handler",
    )  # fmt: skip
    folded = life.fold((Action(row.action), row.payload, row.occurred_at) for row in rows)
    assert folded == incidents.standing(case)
    assert (case.whistles, case.photos) == (1, 1)


def test_a_dispatcher_asks_and_the_leader_approves_never_his_own(desk, staff, case, departments):
    dispatcher, leader = staff[Role.STREET_DISPATCHER], staff[Role.STREET_LEADER]
    whistle = blow(desk, dispatcher, case, call(SANITATION, MARKET))
    assert (whistle.state, case.whistles, told(desk, leader)) == ("proposed", 0, ["whistle_asked"])
    for actor, problem in (
        (dispatcher, NotGranted),
        (departments[MARKET], NotGranted),
        (Actor(dispatcher.id, "x", (Grant(Role.STREET_LEADER, STREET),)), OwnProposal),
        (Actor(None, "x", (Grant(Role.STREET_LEADER, "9"),)), UnknownWhistle),
    ):
        with pytest.raises(problem):
            desk.at(
                after(0.1), lambda actor=actor: service.decide(desk.session, actor, whistle.id, Deed.BLOW)
            )
    desk.at(after(0.5), lambda: service.decide(desk.session, leader, whistle.id, Deed.BLOW, "同意"))
    assert (whistle.state, whistle.decider_name) == ("blown", "street_leader")
    assert {each.due_at for each in queries.calls(desk.session, [whistle.id])[whistle.id]} == {after(1.5)}
    with pytest.raises(DeedImpossible):
        desk.at(after(1), lambda: service.decide(desk.session, leader, whistle.id, Deed.REFUSE, "不同意"))


def test_a_whistle_is_refused_with_a_reason_or_taken_back(desk, staff, case):
    dispatcher, leader = staff[Role.STREET_DISPATCHER], staff[Role.STREET_LEADER]
    first = blow(desk, dispatcher, case, call(SANITATION), Why.CONCERN)
    with pytest.raises(NoteMissing):
        desk.at(MONDAY, lambda: service.decide(desk.session, leader, first.id, Deed.REFUSE))
    desk.at(MONDAY, lambda: service.decide(desk.session, leader, first.id, Deed.REFUSE, "街道自己可办"))
    assert (first.state, told(desk, dispatcher)) == ("refused", ["whistle_refused"])
    second = blow(desk, dispatcher, case, call(SANITATION), Why.CONCERN)
    desk.at(MONDAY, lambda: service.decide(desk.session, dispatcher, second.id, Deed.WITHDRAW))
    assert second.state == "withdrawn"
    assert blow(desk, dispatcher, case, call(SANITATION), Why.CONCERN).state == "proposed"


def test_an_emergency_needs_no_approval_and_its_minutes_run_day_and_night(desk, staff, departments):
    case = desk.report(severity=3)
    night = after(11.5)  # half past eight in the evening
    whistle = blow(desk, staff[Role.STREET_DISPATCHER], case, call(SANITATION), Why.EMERGENCY, at=night)
    (one,) = queries.calls(desk.session, [whistle.id])[whistle.id]
    assert (whistle.state, one.due_at - night) == ("blown", 30 * MINUTE)
    slow = blow(
        desk, staff[Role.STREET_LEADER], accepted(desk, staff), call(SANITATION), Why.CONCERN, at=night
    )
    (other,) = queries.calls(desk.session, [slow.id])[slow.id]
    assert clock.local(other.due_at).strftime("%a %H:%M") == "Tue 11:00"  # two working hours


def test_whoever_is_called_answers_comes_once_with_a_photo_and_for_himself(
    desk, staff, case, departments, photo
):
    whistle = blow(desk, staff[Role.STREET_LEADER], case, call(SANITATION, MARKET))
    one, _ = queries.calls(desk.session, [whistle.id])[whistle.id]

    def arrive(actor, lon=PLACE[0], files=(photo,)):
        attendance.report_in(desk.session, actor, whistle.id, one.id, lon, PLACE[1], "wgs84", list(files))

    for actor, more, problem in (
        (departments[MARKET], {}, NotCalled),
        (staff[Role.STREET_DISPATCHER], {}, NotCalled),
        (departments[SANITATION], {"files": ()}, PhotoMissing),
        (departments[SANITATION], {"lon": float("nan")}, NoPlace),
    ):
        with pytest.raises(problem):
            desk.at(after(0.1), lambda actor=actor, more=more: arrive(actor, **more))
    desk.at(
        after(0.1),
        lambda: attendance.answer(desk.session, departments[SANITATION], whistle.id, one.id, "在路上"),
    )
    assert rules.presence(one, after(0.2)) == Presence.ANSWERED
    assert rules.presence(one, after(1.1)) == Presence.ABSENT  # a word alone is no presence
    desk.at(after(0.3), lambda: arrive(departments[SANITATION]))
    with pytest.raises(CallSettled):
        desk.at(after(0.4), lambda: arrive(departments[SANITATION]))
    with pytest.raises(CallSettled):
        desk.at(
            after(0.4),
            lambda: attendance.excuse(desk.session, staff[Role.STREET_LEADER], whistle.id, one.id, "不必"),
        )


def test_the_excused_count_for_nothing_and_more_can_be_called_with_clocks_of_their_own(
    desk, staff, case, departments
):
    leader = staff[Role.STREET_LEADER]
    whistle = blow(desk, leader, case, call(SANITATION, MARKET))
    _, market = queries.calls(desk.session, [whistle.id])[whistle.id]
    desk.at(after(0.5), lambda: attendance.excuse(desk.session, leader, whistle.id, market.id, "不涉及"))
    assert told(desk, departments[MARKET]) == ["whistled", "whistle_over"]
    desk.at(
        after(0.5), lambda: service.call_more(desk.session, leader, whistle.id, call(ENFORCEMENT, minutes=30))
    )
    added = queries.calls(desk.session, [whistle.id])[whistle.id][-1]
    assert (added.body, added.lead, added.due_at, case.whistles) == (ENFORCEMENT, False, after(1), 2)
    assert sweep(desk, after(1.1)) == 2
    with clock.travel(after(2)):
        found = came.attendance(desk.session, leader, MONDAY, after(24))
    assert {each.body for each in found} == {SANITATION, ENFORCEMENT}
    with pytest.raises(CalledTwice):
        desk.at(after(1), lambda: service.call_more(desk.session, leader, whistle.id, call(MARKET)))


def test_a_whistle_ends_with_its_case_and_ratings_end_some_time_later(desk, staff, case, departments, photo):
    leader = staff[Role.STREET_LEADER]
    whistle = blow(desk, leader, case, call(SANITATION, MARKET))
    there(desk, departments[SANITATION], whistle, SANITATION, photo, after(0.3))
    desk.move(case, after(0.5), Action.VOID, staff[Role.STREET_DISPATCHER], note="误报")
    first, second = queries.calls(desk.session, [whistle.id])[whistle.id]
    assert (whistle.state, first.arrived_at, second.excused_at) == ("ended", after(0.3), after(0.5))
    assert sweep(desk, after(5)) == 0
    with pytest.raises(RatingOver):
        desk.at(after(24 * 15 + 1), lambda: attendance.rate(desk.session, leader, whistle.id, first.id, 5))
    with pytest.raises(BadTerms):
        desk.at(after(24), lambda: attendance.rate(desk.session, leader, whistle.id, first.id, 9))
    desk.at(after(24), lambda: attendance.rate(desk.session, leader, whistle.id, first.id, 4))
    with pytest.raises(CallSettled):
        desk.at(after(25), lambda: attendance.rate(desk.session, leader, whistle.id, first.id, 5))


def test_only_those_a_whistle_concerns_see_it_and_what_was_done_is_never_changed(
    desk, staff, case, departments
):
    whistle = blow(desk, staff[Role.STREET_LEADER], case, call(SANITATION, MARKET))
    far = Actor(None, "far", (Grant(Role.DEPARTMENT_HANDLER, "999"),), body=MARKET)
    stranger = Actor(None, "stranger", (Grant(Role.DEPARTMENT_HANDLER, "999"),), body="别的局")
    assert queries.whistle(desk.session, far, whistle.id)[0] is whistle  # called from elsewhere
    assert queries.page(desk.session, stranger, queries.Search(), 10) == []
    with pytest.raises(UnknownWhistle):
        queries.whistle(desk.session, stranger, whistle.id)
    with pytest.raises((OutsideGrant, NotBlower)):
        desk.at(MONDAY, lambda: service.end(desk.session, far, whistle.id))
    for statement in (
        "UPDATE whistle_deed SET note = ''",
        "DELETE FROM whistle_deed",
        "TRUNCATE whistle_deed",
    ):
        with pytest.raises(DBAPIError), desk.session.begin_nested():
            desk.session.execute(text(statement))


def test_a_ladder_asks_the_leader_for_a_whistle(desk, staff, case, departments):
    with clock.travel(after(1)):
        whistle = service.propose_for(desk.session, case.id)
        assert service.propose_for(desk.session, case.id) is None  # one is open already
        drain(desk.session, REACTIONS)
    assert (whistle.state, whistle.proposer_name) == ("proposed", "gridmgr")
    assert [each.body for each in queries.calls(desk.session, [whistle.id])[whistle.id]] == [SANITATION]
    assert told(desk, staff[Role.STREET_LEADER]) == ["whistle_asked"]


def test_terms_hold_from_their_day_and_only_whole(district, staff):
    admin = staff[Role.ADMIN]
    with clock.travel(MONDAY):
        today = clock.today()
        service.set_terms(district, admin, today + timedelta(days=1), {"kinds": {"joint": {"minutes": 45}}})
        assert queries.terms(district).kinds[Why.JOINT].minutes == 60
        assert queries.terms(district, today + timedelta(days=1)).kinds[Why.JOINT].minutes == 45
        for wrong in (
            {"kinds": {"joint": {"minutes": 1}}}, {"radius_m": "x"}, {"grace": -1}, {"band_low": 0.5, "band_high": 0.1},
            {"most_called": True},
        ):  # fmt: skip
            with pytest.raises(BadTerms):
                service.set_terms(district, admin, today, wrong)
        with pytest.raises(NotGranted):
            service.set_terms(district, staff[Role.STREET_LEADER], today, {})


def test_a_body_that_gets_a_new_name_is_called_by_it(desk, staff, case, departments, photo):
    whistle = blow(desk, staff[Role.STREET_LEADER], case, call(SANITATION, MARKET))
    assert sweep(desk, after(1.1)) == 2
    assert sweep(desk, after(2.1)) == 2  # both get an order for staying away
    told_of = Described(SANITATION, BodyKind.DEPARTMENT)
    register.found(desk.session, SYSTEM, told_of, lambda codes: ())
    new_name = replace(told_of, name="环境卫生中心")
    desk.at(after(3), lambda: register.change(desk.session, SYSTEM, SANITATION, new_name, lambda codes: ()))
    renamed = replace(departments[SANITATION], body="环境卫生中心")
    there(desk, renamed, whistle, "环境卫生中心", photo, after(4))
    orders = {each.body: each for each in supervision.of_case(desk.session, case.id)}
    assert set(orders) == {"环境卫生中心", MARKET}
    desk.at(
        after(4), lambda: ordering.do(desk.session, renamed, orders["环境卫生中心"].id, Answer.ANSWER, "已到")
    )
