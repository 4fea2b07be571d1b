"""A street blows the whistle on a case: departments answer, report in with place and photo, are rated, or miss it."""

from datetime import timedelta

import pytest
from climbing import MONDAY, after
from exhibits import photo as picture
from little import SOUTH, STEP, STREET, WEST
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from gridmgr import clock
from gridmgr.account import queries as account_queries
from gridmgr.account import service as accounts
from gridmgr.account.model import NotGranted, OutsideGrant, Role
from gridmgr.account.rules import SYSTEM, Actor, Grant
from gridmgr.attachment import service as attachments
from gridmgr.attendance import queries as came
from gridmgr.attendance import service as attendance
from gridmgr.events import drain
from gridmgr.incident import queries as incidents
from gridmgr.incident.model import NoPlace
from gridmgr.life import rules as life
from gridmgr.life.model import Action
from gridmgr.notice.model import Notice
from gridmgr.reactions import REACTIONS
from gridmgr.supervision import queries as supervision
from gridmgr.whistle import queries, rules, service
from gridmgr.whistle.model import (
    BadTerms,
    BlownAlready,
    Called,
    CalledTwice,
    CallSettled,
    CallsItself,
    CaseFinished,
    CentreApproves,
    Deed,
    DeedImpossible,
    MinutesBeyond,
    NobodyCalled,
    NoRecord,
    NotAcceptedYet,
    NotBlower,
    NotCalled,
    NoteMissing,
    NotHeldByStreet,
    NotUrgent,
    OneLead,
    OwnProposal,
    PhotoMissing,
    Presence,
    RatingOver,
    StreetsOnly,
    TooManyCalled,
    TooManyOpen,
    UnknownBody,
    UnknownStreet,
    UnknownWhistle,
    Why,
)

pytestmark = pytest.mark.db

PLACE = WEST + 0.1 * STEP, SOUTH + 0.1 * STEP
SANITATION, ENFORCEMENT, MARKET = "环卫所", "综合行政执法局", "市场监管局"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def departments(district, staff) -> dict[str, Actor]:
    """People of three departments, each on the whole street."""
    people = {SANITATION: staff[Role.DEPARTMENT_HANDLER]}
    for n, name in enumerate((ENFORCEMENT, MARKET)):
        account = accounts.open_account(
            district, f"body{n}", name, "a long enough password", [Grant(Role.DEPARTMENT_HANDLER, STREET)], body=name
        )  # fmt: skip
        people[name] = account_queries.actor_of(account)
    return people


@pytest.fixture
def case(desk, staff):
    """A case that the street's dispatcher has accepted."""
    found = desk.report()
    desk.move(found, MONDAY, Action.ACCEPT, staff[Role.STREET_DISPATCHER])
    return found


@pytest.fixture
def photo(district, staff) -> dict[str, str]:
    stored = attachments.store(district, staff[Role.DEPARTMENT_HANDLER], "报到.jpg", picture())
    return {"sha256": stored.sha256, "name": "报到.jpg"}


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


def test_three_departments_are_called_one_comes_in_time_one_late_one_stays_away(
    desk, staff, case, departments, photo
):
    """C2 街道呼叫、部门响应: three clocks, one supervision order, ratings kept, the figures right."""
    leader, centre = staff[Role.STREET_LEADER], staff[Role.COMMAND_CENTRE]
    whistle = blow(desk, leader, case, call(SANITATION, ENFORCEMENT, MARKET))
    assert (whistle.state, case.whistles, case.large_loop) == ("blown", 1, True)
    clocks = queries.calls(desk.session, [whistle.id])[whistle.id]
    assert [(each.body, each.lead, each.minutes) for each in clocks] == [
        (SANITATION, True, 60), (ENFORCEMENT, False, 60), (MARKET, False, 60),
    ]  # fmt: skip
    assert {each.due_at for each in clocks} == {after(1)}
    assert all(told(desk, each) == ["whistled"] for each in departments.values())

    first = there(desk, departments[SANITATION], whistle, SANITATION, photo, after(0.5))
    assert (first.far, first.distance_m < 1, first.arrived_name) == (False, True, "department_handler")
    assert sweep(desk, after(1) + MINUTE) == 2  # two have not come, and everybody hears of it
    assert sweep(desk, after(1) + 2 * MINUTE) == 0  # once
    assert told(desk, centre) == ["whistle_missed", "whistle_missed"]
    late = there(desk, departments[ENFORCEMENT], whistle, ENFORCEMENT, photo, after(1.5), PLACE[0] + 0.0208)
    assert (late.far, 1990 < late.distance_m < 2010) == (
        True,
        True,
    )  # two kilometres away: taken, and flagged
    assert standing(desk, whistle, after(1.6)) == {
        SANITATION: Presence.IN_TIME, ENFORCEMENT: Presence.LATE, MARKET: Presence.ABSENT,
    }  # fmt: skip

    assert sweep(desk, after(2) - MINUTE) == 0
    assert sweep(desk, after(2) + MINUTE) == 1
    assert sweep(desk, after(2) + 2 * MINUTE) == 0
    (order,) = supervision.of_case(desk.session, case.id)
    assert (order.body, order.apart, order.issuer_name, order.state) == (MARKET, True, "gridmgr", "open")
    kinds = select(Notice.kind).where(Notice.account_id == departments[MARKET].id)
    assert "supervised" in desk.session.scalars(kinds).all()

    for body, stars in ((SANITATION, 5), (ENFORCEMENT, 3), (MARKET, 1)):
        (one,) = [each for each in queries.calls(desk.session, [whistle.id])[whistle.id] if each.body == body]
        desk.at(
            after(3),
            lambda one=one, n=stars: attendance.rate(desk.session, leader, whistle.id, one.id, n, "实评"),
        )
    with pytest.raises(NoRecord):
        desk.at(after(3), lambda: service.end(desk.session, leader, whistle.id))
    desk.at(
        after(3),
        lambda: service.record(desk.session, departments[SANITATION], whistle.id, "清运完毕，立案两起"),
    )
    desk.at(after(4), lambda: service.end(desk.session, leader, whistle.id))
    assert whistle.state == "ended"

    with clock.travel(after(5)):
        found = {each.body: each for each in came.attendance(desk.session, centre, MONDAY, after(24))}
    assert [
        (
            each.called,
            each.in_time,
            each.late,
            each.absent,
            each.far,
            each.orders,
            each.arrival_minutes,
            each.rating,
        )
        for each in (found[SANITATION], found[ENFORCEMENT], found[MARKET])
    ] == [(1, 1, 0, 0, 0, 0, 30, 5), (1, 0, 1, 0, 1, 0, 90, 3), (1, 0, 0, 1, 0, 1, None, 1)]
    assert [found[body].rate for body in (SANITATION, ENFORCEMENT, MARKET)] == [1, 0, 0]
    with clock.travel(after(5)):
        rate = queries.whistle_rate(desk.session, centre, MONDAY, after(24))
    assert (rate.accepted, rate.whistled, rate.rate, rate.verdict) == (1, 1, 1, "high")


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


def accepted(desk, staff, **changes):
    case = desk.report(**changes)
    desk.move(case, MONDAY, Action.ACCEPT, staff[Role.STREET_DISPATCHER])
    return case


def test_the_conditions_and_limits_of_command(desk, staff, case, departments):
    """C3 统一指挥调度权: what a street may not command, each with its reason."""
    leader, clerk = staff[Role.STREET_LEADER], staff[Role.COMMUNITY_CLERK]
    fresh, low = desk.report(), desk.report()
    desk.move(low, MONDAY, Action.ACCEPT, clerk)
    two = call(SANITATION, MARKET)
    for found, called, why, problem in (
        (fresh, two, Why.JOINT, NotAcceptedYet),
        (low, two, Why.JOINT, NotHeldByStreet),
        (case, two, Why.EMERGENCY, NotUrgent),
        (case, [], Why.CONCERN, NobodyCalled),
        (case, call(SANITATION), Why.JOINT, NobodyCalled),
        (case, call(SANITATION, SANITATION), Why.JOINT, CalledTwice),
        (case, call("无此局"), Why.CONCERN, UnknownBody),
        (case, [Called(unit_code="999999999", lead=True)], Why.CONCERN, UnknownStreet),
        (case, [Called(unit_code=f"{STREET}001", lead=True)], Why.CONCERN, UnknownStreet),
        (case, [Called(unit_code=STREET, lead=True)], Why.CONCERN, CallsItself),
        (case, [Called(SANITATION), Called(MARKET)], Why.JOINT, OneLead),
        (case, call(SANITATION, MARKET, minutes=1), Why.JOINT, MinutesBeyond),
        (case, call(*(f"{SANITATION}{n}" for n in range(17))), Why.JOINT, UnknownBody),
    ):
        with pytest.raises(problem):
            blow(desk, leader, found, called, why)
    for actor, problem in (
        (clerk, NotGranted), (staff[Role.COMMAND_CENTRE], NotGranted), (departments[MARKET], NotBlower),
    ):  # fmt: skip
        with pytest.raises(problem):
            blow(desk, actor, case, two)
    with pytest.raises(NoPlace):
        blow(desk, leader, case, two, place=(500, 30))
    blow(desk, leader, case, two)
    with pytest.raises(BlownAlready):
        blow(desk, leader, case, two)
    desk.move(case, MONDAY, Action.VOID, SYSTEM, note="误报")
    with pytest.raises(CaseFinished):
        blow(desk, leader, case, two)


def test_a_street_has_only_so_many_whistles_open_and_calls_only_so_many_at_once(desk, staff, departments):
    terms = rules.plain(queries.terms(desk.session)) | {"most_open": 1, "most_called": 2}
    desk.at(MONDAY, lambda: service.set_terms(desk.session, staff[Role.ADMIN], clock.today(), terms))
    leader = staff[Role.STREET_LEADER]
    with pytest.raises(TooManyCalled):
        blow(desk, leader, accepted(desk, staff), call(SANITATION, ENFORCEMENT, MARKET))
    blow(desk, leader, accepted(desk, staff), call(SANITATION, MARKET))
    with pytest.raises(TooManyOpen):
        blow(desk, leader, accepted(desk, staff), call(SANITATION, MARKET))
    urgent = accepted(desk, staff, severity=3)
    assert blow(desk, leader, urgent, call(SANITATION), Why.EMERGENCY).state == "blown"  # counts for nothing


def test_a_department_calls_the_street_and_the_centre_approves(desk, staff, departments, case):
    """E3: the whistle goes both ways: departments call towns too."""
    handler, centre = departments[SANITATION], staff[Role.COMMAND_CENTRE]
    with pytest.raises(NotBlower):
        blow(desk, handler, case, [Called(unit_code=STREET, lead=True)], Why.CONCERN)
    desk.move(case, MONDAY, Action.DISPATCH, staff[Role.STREET_DISPATCHER])
    with pytest.raises(StreetsOnly):
        blow(desk, handler, case, call(MARKET), Why.CONCERN)
    whistle = blow(desk, handler, case, [Called(unit_code=STREET, lead=True)], Why.CONCERN)
    assert (whistle.state, whistle.caller, whistle.caller_code) == ("proposed", SANITATION, None)
    with pytest.raises(CentreApproves):
        desk.at(
            MONDAY, lambda: service.decide(desk.session, staff[Role.STREET_LEADER], whistle.id, Deed.BLOW)
        )
    desk.at(MONDAY, lambda: service.decide(desk.session, centre, whistle.id, Deed.BLOW))
    assert told(desk, staff[Role.STREET_DISPATCHER]) == ["whistled"]
    (one,) = queries.calls(desk.session, [whistle.id])[whistle.id]
    desk.at(
        MONDAY, lambda: attendance.answer(desk.session, staff[Role.STREET_DISPATCHER], whistle.id, one.id)
    )
    assert (one.unit_code, standing(desk, whistle, MONDAY)) == (STREET, {one.body: Presence.ANSWERED})
    assert told(desk, handler) == ["whistle_answered"]


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
