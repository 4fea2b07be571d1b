"""What is bound to a unit follows it by rule: one to one, one into many, many into one; the rest is told beforehand."""

from datetime import UTC, date, datetime, timedelta

import pytest
from listing import publish, row
from little import STREET, little_district, square
from sqlalchemy import select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import SYSTEM, Role
from gridmgr.admission.model import AdmissionDeed
from gridmgr.boundary_plan import service as plans
from gridmgr.bulletin.model import BulletinPlan
from gridmgr.calendar.model import SpecialDay, WorkedHours
from gridmgr.calendar.queries import calendar_for
from gridmgr.coapproval.model import Approval, ApprovalDeed
from gridmgr.dispatch.model import DispatchSetting, Mode
from gridmgr.events import drain
from gridmgr.following import queries
from gridmgr.following.model import Way
from gridmgr.hierarchy import service as maps
from gridmgr.hierarchy.model import UnitsSucceeded
from gridmgr.intake import service as intake
from gridmgr.module import queries as modules
from gridmgr.module.model import Module, ModulePost, PostHolder, PostKind, Regrouping
from gridmgr.notice.model import Webhook
from gridmgr.organisation.model import Body, BodyKind
from gridmgr.plan_edit import service as drawing
from gridmgr.publication import queries as publications
from gridmgr.publication import service as publishing
from gridmgr.reactions import REACTIONS, _go_along
from gridmgr.responsibility import queries as lists
from gridmgr.responsibility.model import Admission, ListEdition, ListItem, ListKind, ResponsibilityList
from gridmgr.saved_view.model import SavedView
from gridmgr.supervision.model import SupervisionDeed, SupervisionOrder
from gridmgr.task_force.model import TaskForce, TaskForceDeed
from gridmgr.whistle.model import Call, Whistle, WhistleDeed

pytestmark = pytest.mark.db
OLD, KEPT, NEW, PART = (f"{STREET}{n:03}" for n in (1, 2, 3, 4))
NOON = datetime(2026, 7, 2, 4, tzinfo=UTC)
TODAY, BEGAN = date(2026, 7, 2), date(2026, 2, 1)
ONE = UnitsSucceeded(TODAY, {OLD: NEW}, {}, frozenset({NEW}))
MANY = UnitsSucceeded(TODAY, {OLD: NEW}, {PART: OLD}, frozenset({NEW, PART}))
MERGED = UnitsSucceeded(TODAY, {OLD: KEPT}, {})
CUT = UnitsSucceeded(TODAY, {}, {PART: OLD}, frozenset({PART}))


@pytest.fixture(autouse=True)
def now():
    with clock.travel(NOON):
        yield


@pytest.fixture
def bound(district: Session, staff, told):
    """One of everything that can be bound to a community, bound to the first."""
    case = intake.report(district, SYSTEM, told(0.5))
    case.state = "handling"
    body = Body(
        name="甲站", kind=BodyKind.STATION, aliases=[], territory=OLD, phone="", lines=[], active=True
    )
    room = Body(
        name="甲室", kind=BodyKind.COMMAND_ROOM, aliases=[], territory=OLD, phone="", lines=[], active=True
    )
    force = Body(
        name="专班", kind=BodyKind.TASK_FORCE, aliases=[], territory=OLD, phone="", lines=[], active=True
    )
    district.add_all([body, room, force])
    district.flush()
    whistle = Whistle(
        incident_id=case.id, why="concern", caller="甲", caller_code=OLD, wanted="来", geom="SRID=4326;POINT(104 30)",
        state="blown", proposer_name="x", proposed_at=NOON, terms={},
    )  # fmt: skip
    district.add(whistle)
    district.flush()
    publish(district, ListKind.TERRITORIAL, OLD, [row("T1", "门前垃圾", "S0102", "甲社区")], BEGAN)
    district.add_all(
        [
            SupervisionOrder(
                incident_id=case.id, issuer_name="x", issued_at=NOON, wanted="快办", body="甲", apart=True,
                unit_code=OLD,
                level="street", due_at=NOON, state="open", returns=0,
            ),
            Call(whistle_id=whistle.id, body="甲", unit_code=OLD, lead=True, minutes=30),
            Approval(
                kind="占道", kind_en="", prefixes=["S"], silence="wait", applicant="李", what="摆摊", code=OLD,
                street_code=STREET, place="", asker_name="x", asked_at=NOON, due_at=NOON, state="open", conditions="",
            ),
            TaskForce(
                body_id=force.id, purpose="清河", area=OLD, place="", ends_on=date(2026, 8, 1), raised_at=NOON,
                raised_by="x",
            ),
            BulletinPlan(subject="community", key=OLD, area=OLD, period="week", since=BEGAN, tell=["li"], set_at=NOON),
            Webhook(url="https://x", secret="s", kinds=[], created_at=NOON, area=OLD),
            SavedView(
                account_id=staff[Role.COMMAND_CENTRE].id, name="甲", query=f"code={OLD}&words={OLD}", saved_at=NOON,
            ),
            WorkedHours(code=OLD, first_day=BEGAN, weekdays=[0], spans=[["22:00", "06:00"]]),
            SpecialDay(code=OLD, day=date(2026, 7, 9), kind="holiday", name="庙会"),
            SpecialDay(code=OLD, day=date(2026, 3, 9), kind="holiday", name="过去"),
            DispatchSetting(
                code=OLD, effective=BEGAN, mode=Mode.AUTOMATIC, severities=[1], check_minutes=None, set_by="x",
                set_at=NOON,
            ),
            _admission("S0503", "granted", begins=BEGAN), _admission("S0503", "asked"),
        ]
    )  # fmt: skip
    _modules(district, staff[Role.STREET_LEADER].id)
    district.flush()
    return district


def _admission(category: str, state: str, **more) -> Admission:
    return Admission(
        code=OLD, category=category, lead="甲社区", reason="近", asker_name="x", body="燃气公司", asked_at=NOON,
        state=state, **more,
    )  # fmt: skip


def _modules(session, account_id) -> None:
    grouping = Regrouping(area=OLD, template="six", since=NOON, by_name="x")
    session.add(grouping)
    session.flush()
    module = Module(
        regrouping_id=grouping.id, code="m", name_zh="综治", name_en="Order", place=0,
        prefixes=["S"], fallback=True, since=NOON,
    )  # fmt: skip
    session.add(module)
    session.flush()
    post = ModulePost(module_id=module.id, kind=PostKind.LEAD, name="", since=NOON)
    session.add(post)
    session.flush()
    session.add(PostHolder(post_id=post.id, account_id=account_id, since=NOON))


def go_along(session, event) -> None:
    _go_along(session, event)
    drain(session, REACTIONS)
    session.expire_all()


def codes(session, column, *conditions) -> list[str]:
    return sorted(session.scalars(select(column).where(*conditions)))


POINTING = (
    SupervisionOrder.unit_code, Whistle.caller_code, Call.unit_code, Approval.code, TaskForce.area, BulletinPlan.key,
    BulletinPlan.area, Webhook.area,
)  # fmt: skip


def test_what_is_bound_to_a_unit_that_was_replaced_is_bound_to_the_new_one(bound, staff):
    foreseen = queries.foreseen(bound, ONE)
    assert not any(each.decision for each in foreseen)
    assert {each.matter for each in foreseen} >= {
        "list",
        "hours",
        "days",
        "modules",
        "task_force",
        "order",
        "admission",
    }
    go_along(bound, ONE)
    assert {str(column): codes(bound, column) for column in POINTING} == {
        str(column): [NEW] for column in POINTING
    }
    assert codes(bound, Body.territory, Body.active) == [NEW] * 3
    assert bound.scalars(select(SavedView.query)).all() == [f"code={NEW}&words={OLD}"]
    for record in (SupervisionDeed, WhistleDeed, ApprovalDeed, TaskForceDeed):
        lines = bound.execute(select(record.deed, record.note, record.actor_name)).all()
        assert set(lines) == {("follow", f"{OLD} → {NEW}", SYSTEM.name)}
    _arranged_alike(bound, NEW)
    assert lists.answer(bound, "S0102", f"{OLD}001", TODAY) is None  # nobody is there; before it was
    assert lists.answer(bound, "S0102", f"{OLD}001", TODAY - timedelta(days=1)).lead == "甲社区"
    assert queries.foreseen(bound, ONE) == [
        each for each in queries.foreseen(bound, ONE) if each.matter in PAST
    ]
    go_along(bound, ONE)  # a map that was loaded again on its day
    assert len(codes(bound, ListItem.code)) == 2 and len(codes(bound, WorkedHours.code)) == 2


PAST = ("hours", "days", "dispatch")  # dated rows stay with the unit that was


def _arranged_alike(session, code: str) -> None:
    """Check that a new unit has the standing arrangements that the first community had."""
    assert (
        calendar_for(session, f"{code}001")
        == calendar_for(session, f"{OLD}001")
        != calendar_for(session, KEPT)
    )
    assert codes(session, SpecialDay.day, SpecialDay.code == code) == [date(2026, 3, 9), date(2026, 7, 9)]
    assert codes(session, DispatchSetting.effective, DispatchSetting.code == code) == [TODAY]
    assert lists.answer(session, "S0102", f"{code}001", TODAY).lead == "甲社区"
    held = session.scalars(
        select(Admission).where(Admission.code == code, Admission.state == "granted")
    ).one()
    assert (held.begins, held.ends) == (TODAY, None)
    grouping = modules.groupings(session)[code]
    (seat,) = modules.seats(session, [grouping.modules[0].id])[grouping.modules[0].id]
    assert [each.username for each in seat.holders] == [Role.STREET_LEADER]


def test_both_parts_of_a_unit_begin_with_its_arrangements_and_what_is_one_goes_to_the_heir(bound):
    told = {(each.matter, each.after): each.way for each in queries.foreseen(bound, MANY)}
    assert told["list", NEW] == told["list", PART] == Way.BEGINS and told["task_force", NEW] == Way.GOES
    go_along(bound, MANY)
    for code in (NEW, PART):
        _arranged_alike(bound, code)
    assert codes(bound, TaskForce.area) == [NEW]
    assert codes(bound, Admission.code, Admission.state == "asked") == [NEW]
    ended = bound.scalars(select(Admission).where(Admission.code == OLD, Admission.state == "granted")).one()
    assert ended.ends == TODAY - timedelta(days=1)
    notes = codes(bound, AdmissionDeed.deed)
    assert notes == ["ask", "end", "grant", "grant", "withdraw"]


def test_a_unit_that_was_there_keeps_its_own_ways_and_what_ends_is_told_before(bound):
    room = Body(
        name="乙室", kind=BodyKind.COMMAND_ROOM, aliases=[], territory=KEPT, phone="", lines=[], active=True
    )
    plan = BulletinPlan(
        subject="community", key=KEPT, area=KEPT, period="week", since=BEGAN, tell=[], set_at=NOON
    )
    bound.add_all([room, plan])
    bound.flush()
    decide = {each.matter for each in queries.foreseen(bound, MERGED) if each.decision}
    assert decide == {"list", "admission", "hours", "days", "dispatch", "modules", "room", "report_plan"}
    go_along(bound, MERGED)
    assert codes(bound, WorkedHours.code) == codes(bound, DispatchSetting.code) == [OLD]
    assert modules.groupings(bound) == {}
    assert lists.in_force(bound, TODAY) == [] and len(lists.in_force(bound, TODAY - timedelta(days=1))) == 1
    assert codes(bound, Body.territory, Body.kind == BodyKind.COMMAND_ROOM) == [OLD, KEPT]
    assert codes(bound, BulletinPlan.key, BulletinPlan.ended_at.is_(None)) == [KEPT]
    assert codes(bound, TaskForce.area) == codes(bound, Whistle.caller_code) == [KEPT]


def test_a_part_cut_off_begins_alike_and_somebody_says_who_has_what_is_one(bound):
    told = queries.foreseen(bound, CUT)
    assert {each.matter for each in told if each.way is Way.STAYS} == {
        "task_force",
        "room",
        "report_plan",
        "webhook",
    }
    go_along(bound, CUT)
    _arranged_alike(bound, PART)
    assert codes(bound, TaskForce.area) == codes(bound, SupervisionOrder.unit_code) == [OLD]
    kinds = select(ResponsibilityList.code).join(ListEdition).where(ListEdition.retired_on.is_(None))
    assert sorted(bound.scalars(kinds)) == [OLD, PART]


def test_whoever_publishes_is_told_before_what_needs_a_decision(district, staff):
    first, second = f"{OLD}001", f"{OLD}002"
    district.add_all(
        WorkedHours(code=code, first_day=BEGAN, weekdays=[0], spans=[["09:00", "17:00"]])
        for code in (first, second)
    )
    district.flush()
    plan = plans.create(district, staff[Role.PLANNER], "合并", OLD)
    drawing.draw(
        district, staff[Role.PLANNER], plan.id, None, "merge", {"codes": [first, second], "keep": first}
    )
    found = publishing.submit(district, staff[Role.PLANNER], plan.id, plan.tip_id)
    told = publications.followers(district, found)
    assert [(each.matter, each.before, each.after, each.decision) for each in told] == [
        ("hours", second, first, True)
    ]


def test_an_application_for_a_building_goes_where_the_building_now_lies(district):
    first, second, house = f"{OLD}001", f"{OLD}002", f"{OLD}00002"
    asked = Approval(
        kind="占道", kind_en="", prefixes=["S"], silence="wait", applicant="李", what="摆摊", code=second,
        street_code=STREET, building_code=house, place="", asker_name="x", asked_at=NOON, due_at=NOON, state="open",
        conditions="",
    )  # fmt: skip
    district.add(asked)
    frames = little_district()
    frames["micro_grid"].loc[[0, 1], "geometry"] = [square(0, 0, 1.9), square(1.9, 0, 0.1)]
    frames["building"].loc[1, "parent_code"] = first
    maps.load(district, frames, TODAY)
    drain(district, REACTIONS)
    assert (asked.code, asked.street_code, asked.building_code) == (first, STREET, house)
    assert codes(district, ApprovalDeed.note) == [f"{second} → {first}"]
