"""Publications: step by step, with checks, notice, opinions, veto, a day, and a map that changed meanwhile."""

from datetime import UTC, date, datetime, timedelta

import pytest
from little import STREET, little_district

from gridmgr import clock
from gridmgr.account.rules import SYSTEM, Role
from gridmgr.boundary_plan import service as plans
from gridmgr.boundary_plan.model import PlanClosed, Status
from gridmgr.consultation import queries as consultations
from gridmgr.consultation import service as consultation
from gridmgr.consultation.model import NotConsulted, Said, StillRunning
from gridmgr.events import drain
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy import service as maps
from gridmgr.intake import service as intake
from gridmgr.plan_edit import service as edits
from gridmgr.publication import queries, rules, service
from gridmgr.publication.model import (
    BaseTaken,
    DayPast,
    Deed,
    NothingToPublish,
    NoticeRuns,
    NotNow,
    PublicationStep,
    State,
)
from gridmgr.reactions import REACTIONS

C1, C2 = f"{STREET}001", f"{STREET}002"
NOON = datetime(2026, 6, 1, 4, tzinfo=UTC)
SPLIT = {"code": f"{C1}001", "line": [[104.0, 30.002], [104.01, 30.002]]}


@pytest.fixture(autouse=True)
def _now():
    with clock.travel(NOON):
        yield


@pytest.fixture
def draft(district, staff):
    plan = plans.create(district, staff[Role.PLANNER], "甲社区调整", C1)
    edits.draw(district, staff[Role.PLANNER], plan.id, None, "split", SPLIT)
    return plan


def submitted(district, staff, plan):
    return service.submit(district, staff[Role.PLANNER], plan.id, plan.tip_id)


def consulted(district, staff, plan, said=Said.AGREE):
    """A publication whose opinions are in."""
    found = submitted(district, staff, plan)
    service.announce(district, staff[Role.PLANNER], found.id, 0)
    service.consult(district, staff[Role.PLANNER], found.id)
    answer(district, staff, found, said)
    return found


def answer(district, staff, found, said):
    for role in (Role.COMMUNITY_CLERK, Role.STREET_LEADER):
        asked = consultations.consultation(district, SYSTEM, found.consultation_id)
        if asked.ended_at is None:
            consultation.say(
                district, staff[role], found.consultation_id, said, "" if said is Said.AGREE else "不行"
            )
    drain(district, REACTIONS)


def test_a_plan_goes_step_by_step_onto_the_map(district, staff, draft, told):
    planner, leader = staff[Role.PLANNER], SYSTEM
    case = intake.report(district, SYSTEM, told(0.5, 0.1))
    found = submitted(district, staff, draft)
    assert draft.status == Status.SUBMITTED and found.changes["new"] == [f"{C1}003"]
    with pytest.raises(PlanClosed):
        edits.draw(district, planner, draft.id, draft.tip_id, "split", SPLIT)
    with pytest.raises(NotNow):
        service.consult(district, planner, found.id)
    service.announce(district, planner, found.id)
    with pytest.raises(NoticeRuns):
        service.consult(district, planner, found.id)
    with clock.travel(NOON + timedelta(days=7, minutes=1)):
        service.consult(district, planner, found.id)
        with pytest.raises(StillRunning):
            service.approve(district, leader, found.id, date(2026, 6, 10))
        answer(district, staff, found, Said.AGREE)
        with pytest.raises(DayPast):
            service.approve(district, leader, found.id, date(2026, 5, 1))
        service.approve(district, leader, found.id, date(2026, 6, 10))
        assert service.publish_due(district) == 0
    with clock.travel(datetime(2026, 6, 9, 16, 1, tzinfo=UTC)):  # a minute past midnight in China
        assert service.publish_due(district) == 1
        drain(district, REACTIONS)
        assert found.state == State.PUBLISHED and draft.status == Status.PUBLISHED
        grids = hierarchy.frame(district, "micro_grid", date(2026, 6, 10)).set_index("code")
        assert f"{C1}003" in grids.index and len(grids) == 5
        houses = hierarchy.frame(district, "building", date(2026, 6, 10)).set_index("code")
        assert houses.at[f"{C1}00001", "parent_code"] == f"{C1}001"
        assert case.micro_grid_code == f"{C1}003" and case.edition_id == found.edition_id
        kinds = {row.kind for row, _ in hierarchy.lineage_of(district, f"{C1}003")}
        assert kinds == {"new", "passed"}
    deeds = [each.deed for each in queries.steps(district, found.id)]
    assert deeds == ["submit", "announce", "consult", "hear", "approve", "publish"]


def test_a_veto_sends_the_plan_back(district, staff, draft):
    found = consulted(district, staff, draft, Said.VETO)
    assert found.state == State.STOPPED and draft.status == Status.DRAFT
    with pytest.raises(NotNow):
        service.approve(district, SYSTEM, found.id, date(2026, 6, 10))
    edits.draw(
        district, staff[Role.PLANNER], draft.id, draft.tip_id, "rename", {"code": f"{C1}001", "name": "改名"}
    )
    again = consulted(district, staff, draft)
    assert again.id != found.id and again.state == State.CONSULTING
    assert consultations.consultation(district, SYSTEM, again.consultation_id).round == 2


def test_nothing_is_published_that_nobody_was_asked_about(district, staff, draft):
    found = submitted(district, staff, draft)
    service.announce(district, staff[Role.PLANNER], found.id, 0)
    service.consult(district, staff[Role.PLANNER], found.id)
    consultation.withdraw(district, staff[Role.PLANNER], found.consultation_id, "重来")
    drain(district, REACTIONS)
    with pytest.raises(NotConsulted):
        service.approve(district, SYSTEM, found.id, date(2026, 6, 10))


def test_a_plan_that_changes_nothing_is_not_submitted(district, staff):
    plan = plans.create(district, staff[Role.PLANNER], "空", C1)
    with pytest.raises(NothingToPublish):
        service.submit(district, staff[Role.PLANNER], plan.id, None)


def test_a_map_that_changed_elsewhere_is_taken_over_and_one_that_changed_there_refuses(
    district, staff, draft
):
    after = little_district()["micro_grid"]
    after.loc[3, "name"] = "远处改名"
    maps.load(district, {"micro_grid": after}, date(2026, 5, 1))
    found = submitted(district, staff, draft)
    assert draft.base_day == date(2026, 5, 1)
    service.withdraw(district, staff[Role.PLANNER], found.id, "再看看")
    after.loc[0, "name"] = "此处改名"
    maps.load(district, {"micro_grid": after}, date(2026, 5, 1))
    with pytest.raises(BaseTaken, match=f"{C1}001"):
        submitted(district, staff, draft)


def test_every_step_is_reached_and_every_end_is_one():
    assert {deed for _, deed in rules.TRANSITIONS} == set(Deed)
    assert set(rules.TRANSITIONS.values()) == set(State)
    assert [state for state in State if not rules.allowed(state)] == [
        State.PUBLISHED,
        State.STOPPED,
        State.WITHDRAWN,
    ]


def test_steps_are_written_once(district, staff, draft):
    found = submitted(district, staff, draft)
    step = district.get(PublicationStep, queries.steps(district, found.id)[0].id)
    step.note = "anders"
    with pytest.raises(Exception, match="append-only"):
        district.flush()


def test_what_was_published_is_rolled_back_as_another_publication(district, staff, draft):
    found = consulted(district, staff, draft)
    service.approve(district, SYSTEM, found.id, clock.today())
    service.publish(district, SYSTEM, found.id)
    drain(district, REACTIONS)
    with clock.travel(NOON + timedelta(days=1)):
        back = service.roll_back(district, staff[Role.PLANNER], found.id)
        assert (back.undoes_id, back.state, back.changes["gone"]) == (found.id, State.CHECKED, [f"{C1}003"])
        service.announce(district, staff[Role.PLANNER], back.id, 0)
        service.consult(district, staff[Role.PLANNER], back.id)
        answer(district, staff, back, Said.AGREE)
        service.approve(district, SYSTEM, back.id, clock.today())
        service.publish(district, SYSTEM, back.id)
        drain(district, REACTIONS)
        grids = hierarchy.frame(district, "micro_grid", clock.today()).set_index("code")
    assert grids.geometry[f"{C1}001"].equals(little_district()["micro_grid"].geometry[0])
    assert len(grids) == 4
