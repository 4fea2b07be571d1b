"""Task forces on real tables: raised, joined, given cases, past their end, disbanded without losing one."""

from datetime import date, timedelta
from functools import partial

import pytest
from climbing import MONDAY, after
from little import STREET
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from gridmgr import clock
from gridmgr.account import queries as accounts
from gridmgr.account.model import NoSuchArea, NotGranted, OutsideGrant, UnknownAccount
from gridmgr.account.rules import SYSTEM, Role
from gridmgr.escalation import queries as escalation
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.incident import queries as incidents
from gridmgr.incident import rules as incident_rules
from gridmgr.life import rules as life
from gridmgr.life.model import Action
from gridmgr.notice.model import Notice
from gridmgr.organisation import service as bodies
from gridmgr.organisation.model import BodyClosed, BodyKind, Described, NameTaken, UnknownBody
from gridmgr.task_force import queries, rules, service
from gridmgr.task_force.model import (
    CasesElsewhere,
    DisbandedAlready,
    EndPast,
    EndTooFar,
    LastMember,
    LeadNeeded,
    MemberAlready,
    NoMember,
    NoMembers,
    NotTheirForce,
    OwnerItself,
    OwnerNeeded,
    PlaceWrong,
    PurposeMissing,
    Raised,
    Standing,
    UnknownForce,
)

NAME, TODAY = "道路改造专班", date(2026, 9, 7)
BOTH = ("grid_member", "department_handler")


def wanted(**changes) -> Raised:
    usual = {
        "name": NAME, "purpose": "协调荷花路改造", "area": STREET, "ends_on": TODAY + timedelta(days=20),
        "members": BOTH, "lead": "department_handler",
    }  # fmt: skip
    return Raised(**usual | changes)


@pytest.fixture
def raise_one(desk, staff):
    def work(by: Role | None = Role.STREET_DISPATCHER, at=MONDAY, **changes):
        areas = partial(hierarchy.without_units, desk.session)
        actor = staff[by] if by else SYSTEM
        return desk.at(at, lambda: service.raise_force(desk.session, actor, wanted(**changes), areas))

    return work


@pytest.fixture
def accepted(desk):
    def work(**changes):
        case = desk.report(**changes)
        desk.move(case, MONDAY, Action.ACCEPT)
        return case

    return work


def fresh(session, role: Role):
    return accounts.actor(session, role)


def kinds(session, role: Role) -> list[str]:
    account = accounts.by_username(session, role)
    return list(
        session.scalars(select(Notice.kind).where(Notice.account_id == account.id).order_by(Notice.id))
    )


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"members": ()}, NoMembers),
        ({"lead": ""}, LeadNeeded),
        ({"lead": "planner"}, LeadNeeded),
        ({"ends_on": TODAY - timedelta(days=1)}, EndPast),
        ({"ends_on": TODAY + timedelta(days=400)}, EndTooFar),
        ({"purpose": " "}, PurposeMissing),
        ({"name": ""}, PurposeMissing),
        ({"name": "长" * 101}, PurposeMissing),
        ({"lon": 104.0}, PlaceWrong),
        ({"members": ("nobody",), "lead": "nobody"}, UnknownAccount),
        ({"area": STREET + "999"}, NoSuchArea),
    ],
)
def test_what_a_task_force_lacks_is_said(raise_one, changes, problem):
    with pytest.raises(problem):
        raise_one(**changes)


def test_it_is_raised_by_those_of_the_area_only(desk, staff, raise_one):
    for by, problem in ((Role.GRID_MEMBER, NotGranted), (Role.COMMUNITY_CLERK, NotGranted)):
        with pytest.raises(problem):
            raise_one(by)
    with pytest.raises(OutsideGrant):
        raise_one(area="510106")
    force = raise_one(Role.STREET_LEADER)
    assert rules.standing(force, TODAY) is Standing.RUNNING
    with pytest.raises(NameTaken):
        raise_one()
    assert kinds(desk.session, Role.GRID_MEMBER) == ["force_joined"]


def test_members_of_many_bodies_see_and_work_on_its_cases_wherever_these_lie(
    desk, staff, raise_one, accepted
):
    far = accepted(column=2.5)
    force = raise_one()
    dispatcher = staff[Role.STREET_DISPATCHER]
    ((_, refused),) = desk.at(MONDAY, lambda: service.put(desk.session, dispatcher, force.id, [far.number]))
    assert refused is None
    assert (far.state, far.handler) == ("dispatched", NAME)
    member = fresh(desk.session, Role.GRID_MEMBER)
    assert "assigned" in kinds(desk.session, Role.GRID_MEMBER)
    desk.move(far, after(1), Action.HANDLE, member)
    desk.move(far, after(2), Action.FEED_BACK, fresh(desk.session, Role.DEPARTMENT_HANDLER), note="通了")
    assert far.state == "fed_back"


def test_each_case_that_cannot_be_put_under_it_is_named(desk, staff, raise_one, accepted):
    dispatcher = staff[Role.STREET_DISPATCHER]
    inside, working, reported = accepted(), desk.handling(), desk.report()
    force = raise_one(area=f"{STREET}001")
    outside = accepted(column=2.5)
    asked = [inside.number, working.number, reported.number, outside.number, "nix", inside.number, " "]
    answers = desk.at(MONDAY, lambda: service.put(desk.session, dispatcher, force.id, asked, "交专班"))
    assert [(number, type(problem).__name__) for number, problem in answers] == [
        (inside.number, "NoneType"), (working.number, "NoneType"), (reported.number, "NotInWork"),
        (outside.number, "OutsideItsArea"), ("nix", "UnknownIncident"),
    ]  # fmt: skip
    assert (working.redirects, working.handler) == (1, NAME)
    assert queries.open_cases(desk.session, [NAME]) == {NAME: 2}
    with pytest.raises(UnknownForce):
        service.put(desk.session, dispatcher, 10**6, [])


def test_disbanding_hands_every_open_case_to_a_named_body_and_keeps_the_record(
    desk, staff, raise_one, accepted
):
    session, dispatcher = desk.session, staff[Role.STREET_DISPATCHER]
    areas = partial(hierarchy.without_units, session)
    bodies.found(session, SYSTEM, Described("市政管理所", BodyKind.DEPARTMENT, aliases=("市政",)), areas)
    cases = [accepted() for _ in range(4)]
    force = raise_one()
    desk.at(MONDAY, lambda: service.put(session, dispatcher, force.id, [case.number for case in cases]))
    desk.move(cases[1], after(1), Action.HANDLE)
    desk.move(cases[1], after(1), Action.SUSPEND, dispatcher, note="等料")
    for action in (Action.HANDLE, Action.FEED_BACK):
        desk.move(cases[2], after(1), action, note="好了")
    for action in (Action.HANDLE, Action.FEED_BACK, Action.VERIFY, Action.CLOSE):
        desk.move(cases[3], after(1), action, note="好了")
    states = [case.state for case in cases]
    with pytest.raises(OwnerNeeded, match="3"):
        service.disband(session, dispatcher, force.id)
    with pytest.raises(OwnerItself):
        service.disband(session, dispatcher, force.id, NAME)
    with pytest.raises(UnknownBody):
        service.disband(session, dispatcher, force.id, "没有的单位")
    desk.at(after(2), lambda: service.disband(session, dispatcher, force.id, "市政", note="道路已通"))
    assert [case.state for case in cases] == states
    assert [case.handler for case in cases] == ["市政管理所"] * 3 + [NAME]
    for case in cases:
        history = incidents.history(session, case.id)
        folded = life.fold([(Action(row.action), row.payload, row.occurred_at) for row in history])
        assert (folded.handler, folded.state) == (case.handler, case.state)
    step = incidents.history(session, cases[1].id)[-1]
    assert (step.action, step.actor_name, step.payload["note"]) == ("hand_over", dispatcher.name, "道路已通")
    assert (force.handed, force.handed_to, queries.finished(session, NAME)) == (3, "市政管理所", 1)
    assert fresh(session, Role.GRID_MEMBER).also == ()
    assert [deed.deed for deed in queries.deeds(session, force.id)] == ["raise", "put", "disband"]
    assert len(queries.members(session, [force.id], past=True)[force.id]) == 2
    assert queries.page(session, dispatcher, queries.Search(Standing.DISBANDED), 5)[0][0] is force
    with pytest.raises(DisbandedAlready):
        service.disband(session, dispatcher, force.id)
    with pytest.raises(BodyClosed):
        desk.move(accepted(), after(3), Action.DISPATCH, handler=NAME)


def test_cases_can_be_handed_to_the_people_of_a_unit_that_holds_them_all(desk, staff, raise_one, accepted):
    session, dispatcher = desk.session, staff[Role.STREET_DISPATCHER]
    near, far = accepted(), accepted(column=2.5)
    force = raise_one()
    desk.at(MONDAY, lambda: service.put(session, dispatcher, force.id, [near.number, far.number]))
    unit = f"{STREET}001"
    with pytest.raises(CasesElsewhere, match=far.number):
        desk.at(MONDAY, lambda: service.disband(session, dispatcher, force.id, unit=unit))
    with pytest.raises(NoSuchArea):
        desk.at(MONDAY, lambda: service.disband(session, dispatcher, force.id, unit="999"))
    desk.at(MONDAY, lambda: service.disband(session, dispatcher, force.id, unit=STREET))
    assert (near.handler, near.handler_code) == ("荷花池街道", STREET)
    assert incident_rules.works(staff[Role.COMMUNITY_CLERK], near) is False
    assert force.handed_to == "荷花池街道"


def test_one_without_cases_is_disbanded_without_an_owner(desk, staff, raise_one):
    force = raise_one()
    service.disband(desk.session, staff[Role.STREET_LEADER], force.id)
    assert (force.handed, force.handed_to) == (0, None)


def test_its_lead_changes_its_people_and_its_end_but_does_not_disband_it(desk, staff, raise_one):
    session, force = desk.session, raise_one()
    lead = fresh(session, Role.DEPARTMENT_HANDLER)
    with clock.travel(after(1)):
        service.join(session, lead, force.id, "planner")
        with pytest.raises(MemberAlready):
            service.join(session, lead, force.id, "planner")
        with pytest.raises(LastMember):
            service.leave(session, lead, force.id, "department_handler")
        service.prolong(session, lead, force.id, TODAY + timedelta(days=30))
        with pytest.raises(EndPast):
            service.prolong(session, lead, force.id, TODAY - timedelta(days=1))
        with pytest.raises(NotGranted):
            service.disband(session, lead, force.id)
        with pytest.raises(NotTheirForce):
            service.join(session, fresh(session, Role.GRID_MEMBER), force.id, "admin")
        service.set_lead(session, lead, force.id, "grid_member")
        with pytest.raises(NotTheirForce):  # somebody else leads now
            service.leave(session, lead, force.id, "planner")
        service.leave(session, fresh(session, Role.GRID_MEMBER), force.id, "planner")
        with pytest.raises(NoMember):
            service.leave(session, SYSTEM, force.id, "planner")
    assert fresh(session, Role.PLANNER).also == ()
    assert [deed.deed for deed in queries.deeds(session, force.id)][1:] == [
        "join",
        "prolong",
        "lead",
        "leave",
    ]
    with pytest.raises(DBAPIError, match="append-only"):
        session.execute(text("UPDATE task_force_deed SET note = ''"))


def test_past_its_end_its_lead_hears_of_it_once_and_it_goes_on(desk, raise_one):
    session, force = desk.session, raise_one(ends_on=TODAY)
    assert desk.at(after(8), lambda: service.tell_ended(session)) == 0
    assert desk.at(after(24), lambda: service.tell_ended(session)) == 1
    assert desk.at(after(48), lambda: service.tell_ended(session)) == 0
    assert kinds(session, Role.DEPARTMENT_HANDLER) == ["force_joined", "force_ended"]
    assert kinds(session, Role.STREET_DISPATCHER) == ["force_ended"]  # who raised it
    with clock.travel(after(48)):
        assert rules.standing(force, clock.today()) is Standing.ENDED
        assert queries.counts(session, SYSTEM) == {
            Standing.RUNNING: 0, Standing.ENDED: 1, Standing.DISBANDED: 0,
        }  # fmt: skip
        service.prolong(session, SYSTEM, force.id, clock.today() + timedelta(days=1))
    assert desk.at(after(24 * 5), lambda: service.tell_ended(session)) == 1
    assert kinds(session, Role.DEPARTMENT_HANDLER).count("force_ended") == 2


def test_a_ladder_reaches_the_members_of_the_task_force_at_work(desk, staff, raise_one, accepted):
    session, force, case = desk.session, raise_one(), accepted(column=2.5)
    desk.at(MONDAY, lambda: service.put(session, staff[Role.STREET_DISPATCHER], force.id, [case.number]))
    there = escalation.sitting(session, case.home, NAME, MONDAY)
    assert set(there["department"]) == {
        accounts.actor(session, "grid_member").name, accounts.actor(session, "department_handler").name,
    }  # fmt: skip
