"""Publications: step by step, with checks, notice, opinions, veto, a day, and a map that changed meanwhile."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from little import STREET, layer, little_district, square
from sqlalchemy import delete, select

from gridmgr import clock
from gridmgr.account.model import NotGranted, RoleGrant
from gridmgr.account.rules import SYSTEM, Grant, Role
from gridmgr.boundary_plan import queries as plans_of
from gridmgr.boundary_plan import service as plans
from gridmgr.boundary_plan.model import PlanClosed, Status
from gridmgr.consultation import queries as consultations
from gridmgr.consultation import service as consultation
from gridmgr.consultation.model import AskedAlready, NotConsulted, Said, StillRunning
from gridmgr.events import drain
from gridmgr.grid_code import queries as codes
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy import service as maps
from gridmgr.intake import service as intake
from gridmgr.plan_edit import service as edits
from gridmgr.publication import queries, rules, service
from gridmgr.publication.model import (
    BaseTaken,
    DayPast,
    Deed,
    DrawnSince,
    NoteUnfit,
    NothingToPublish,
    NoticeRuns,
    NoticeShort,
    NotNow,
    NotPublished,
    NotSubmitter,
    OpinionsIn,
    OwnPlan,
    Publication,
    PublicationStep,
    RecallOver,
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
    service.announce(district, SYSTEM, found.id, 0)
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
    service.announce(district, SYSTEM, found.id, 0)
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
        service.announce(district, SYSTEM, back.id, 0)
        service.consult(district, staff[Role.PLANNER], back.id)
        answer(district, staff, back, Said.AGREE)
        service.approve(district, SYSTEM, back.id, clock.today())
        service.publish(district, SYSTEM, back.id)
        drain(district, REACTIONS)
        grids = hierarchy.frame(district, "micro_grid", clock.today()).set_index("code")
    assert grids.geometry[f"{C1}001"].equals(little_district()["micro_grid"].geometry[0])
    assert len(grids) == 4


def published(district, staff, plan):
    """A publication that is the map since today."""
    found = consulted(district, staff, plan)
    service.approve(district, SYSTEM, found.id, clock.today())
    service.publish(district, SYSTEM, found.id)
    drain(district, REACTIONS)
    return found


def grids(district, day=None):
    return hierarchy.frame(district, "micro_grid", day or clock.today()).set_index("code")


def test_what_came_into_force_today_is_recalled_at_once(district, staff, draft, told):
    case = intake.report(district, SYSTEM, told(0.5, 0.1))
    found = published(district, staff, draft)
    assert case.micro_grid_code == f"{C1}003" and len(grids(district)) == 5
    with pytest.raises(NoteUnfit):
        service.recall(district, SYSTEM, found.id, " ")
    with pytest.raises(NotGranted):
        service.recall(district, staff[Role.PLANNER], found.id, "日期错了")
    service.recall(district, SYSTEM, found.id, "日期错了")
    drain(district, REACTIONS)
    assert (found.state, found.effective, draft.status) == (State.APPROVED, None, Status.SUBMITTED)
    was = little_district()["micro_grid"].set_index("code")
    assert sorted(grids(district).index) == sorted(was.index)
    assert grids(district).geometry[f"{C1}001"].equals(was.geometry[f"{C1}001"])
    houses = hierarchy.frame(district, "building", clock.today()).set_index("code")
    assert set(houses["parent_code"]) <= set(was.index)
    assert case.micro_grid_code == f"{C1}001" and case.last_seq == 3
    kinds = [(row.step, row.kind) for row, _ in hierarchy.lineage_of(district, f"{C1}003")]
    assert (1, "new") in kinds and (2, "retired") in kinds and 0 not in dict(kinds)
    edition = hierarchy.edition_at(district)
    assert hierarchy.lineage_counts(district, edition.id) == {}  # by the day, nothing has happened
    assert codes.free(district, C1, 1)[0] == f"{C1}004"  # for some hours there was a 003
    assert service.publish_due(district) == 0
    with clock.travel(NOON + timedelta(days=3)):
        service.approve(district, SYSTEM, found.id, clock.today())
        assert service.publish_due(district) == 1
        drain(district, REACTIONS)
        assert f"{C1}003" in grids(district).index and case.micro_grid_code == f"{C1}003"
    with clock.travel(NOON + timedelta(days=4)), pytest.raises(RecallOver):
        service.recall(district, SYSTEM, found.id, "太晚")


def test_two_of_one_day_are_taken_back_each_by_itself_the_later_one_first(district, staff, draft):
    first = published(district, staff, draft)
    plan = plans.create(district, staff[Role.PLANNER], "再分", C1)
    line = {"code": f"{C1}003", "line": [[104.005, 29.99], [104.005, 30.1]]}
    edits.draw(district, staff[Role.PLANNER], plan.id, None, "split", line)
    second = published(district, staff, plan)
    was, now = queries.borders(district, second)
    assert set(now.index) - set(was.index) == {f"{C1}004"} and f"{C1}003" in was.index
    with pytest.raises(DrawnSince, match=f"{C1}003"):
        service.recall(district, SYSTEM, first.id, "先画的")
    with pytest.raises(NotPublished):
        service.roll_back(district, staff[Role.PLANNER], first.id)
    back = service.roll_back(district, staff[Role.PLANNER], second.id)
    assert (back.undoes_id, back.changes["gone"]) == (second.id, [f"{C1}004"])
    service.withdraw(district, staff[Role.PLANNER], back.id, "改为当日撤销")
    service.recall(district, SYSTEM, second.id, "画错")
    drain(district, REACTIONS)
    service.recall(district, SYSTEM, first.id, "也画错")
    drain(district, REACTIONS)
    assert len(grids(district)) == 4


def test_people_follow_each_step_of_a_day_once(district, staff):
    """Whoever served a unit that is there for hours only goes where its ground goes."""
    roles = {(each.account_id, each.role, each.code) for each in district.scalars(select(RoleGrant))}
    plan = plans.create(district, staff[Role.PLANNER], "合并", C1)
    edits.draw(district, staff[Role.PLANNER], plan.id, None, "merge", {"codes": [f"{C1}001", f"{C1}002"]})
    found = published(district, staff, plan)
    gone = set(found.changes["gone"])
    held = {each.code for each in district.scalars(select(RoleGrant))}
    assert gone and not gone & held
    service.recall(district, SYSTEM, found.id, "画错")
    drain(district, REACTIONS)
    again = {(each.account_id, each.role, each.code) for each in district.scalars(select(RoleGrant))}
    assert again >= roles and gone <= {code for *_, code in again}
    lent = next(iter(again - roles), None)
    if lent is not None:  # taken away again by hand, it does not come back with the next step of this day
        district.execute(delete(RoleGrant).where(RoleGrant.account_id == lent[0], RoleGrant.code == lent[2]))
    after = little_district()["micro_grid"]
    after.loc[3, "name"] = "远处改名"
    maps.load(district, {"micro_grid": after}, clock.today())
    drain(district, REACTIONS)
    last = {(each.account_id, each.role, each.code) for each in district.scalars(select(RoleGrant))}
    assert last == again - {lent}


def test_nobody_is_asked_twice_at_once_nor_when_the_opinions_are_in(district, staff, draft):
    found = submitted(district, staff, draft)
    service.announce(district, SYSTEM, found.id, 0)
    service.consult(district, staff[Role.PLANNER], found.id)
    with pytest.raises(AskedAlready):
        service.consult(district, staff[Role.PLANNER], found.id)
    with clock.travel(NOON + timedelta(days=60)):  # nobody has said anything
        consultation.serve_due(district)
        drain(district, REACTIONS)
        assert queries.steps(district, found.id)[-1].note == "lapsed"
        with pytest.raises(NotConsulted):
            service.approve(district, SYSTEM, found.id, date(2026, 9, 1))
        service.consult(district, staff[Role.PLANNER], found.id)
        answer(district, staff, found, Said.AGREE)
        with pytest.raises(OpinionsIn):
            service.consult(district, staff[Role.PLANNER], found.id)


def test_the_notice_is_neither_short_nor_ended_early_and_what_was_checked_stays(district, staff, draft):
    planner = staff[Role.PLANNER]
    found = submitted(district, staff, draft)
    with pytest.raises(NoticeShort):
        service.announce(district, planner, found.id, 6)
    service.announce(district, planner, found.id, 14)
    with pytest.raises(NotNow):
        service.announce(district, planner, found.id, 14)
    for verb in (
        lambda: edits.draw(district, planner, draft.id, draft.tip_id, "split", SPLIT),
        lambda: edits.undo(district, planner, draft.id, draft.tip_id),
        lambda: plans.claim(district, planner, draft.id),
        lambda: plans.lock(district, planner, draft.id, [f"{C1}001"]),
        lambda: plans.discard(district, planner, draft.id),
        lambda: service.rebase(district, planner, draft.id),
    ):
        with pytest.raises(PlanClosed):
            verb()


def test_nobody_approves_a_plan_of_their_own(district, staff, draft):
    planner = staff[Role.PLANNER]
    both = replace(planner, grants=(*planner.grants, Grant(Role.COMMAND_CENTRE, "")))
    found = consulted(district, staff, draft)
    with pytest.raises(OwnPlan):
        service.approve(district, both, found.id, date(2026, 6, 10))
    service.approve(district, staff[Role.COMMAND_CENTRE], found.id, date(2026, 6, 10))


@pytest.mark.parametrize("at", ["checked", "notice", "consulting", "approved"])
def test_a_plan_is_taken_back_at_each_step_by_whom_it_concerns(district, staff, draft, at):
    planner, other = staff[Role.PLANNER], staff[Role.STREET_LEADER]
    found = submitted(district, staff, draft)
    if at != "checked":
        service.announce(district, SYSTEM, found.id, 0)
    if at in ("consulting", "approved"):
        service.consult(district, SYSTEM, found.id)  # a colleague did
    if at == "approved":
        answer(district, staff, found, Said.AGREE)
        service.approve(district, SYSTEM, found.id, date(2026, 6, 10))
    assert found.state == at
    with pytest.raises(NotSubmitter):
        service.withdraw(district, other, found.id, "本街道不要")
    service.withdraw(district, planner, found.id, "重画")
    drain(district, REACTIONS)
    assert (found.state, draft.status) == (State.WITHDRAWN, Status.DRAFT)
    if found.consultation_id:
        assert consultations.consultation(district, SYSTEM, found.consultation_id).ended_at is not None
    with pytest.raises(NotNow):
        service.withdraw(district, planner, found.id, "再来")


def test_a_community_that_goes_to_another_street_is_published_with_its_units(district, staff, told):
    """Its code carries the street's, so it gets another one, which all that is bound to it follows."""
    other, came = "510106002", "510106002002"
    frames = little_district()
    for level, rows in (("community", [1]), ("micro_grid", [2, 3]), ("building", [2, 3])):
        for column in ("code", "parent_code"):
            frames[level].loc[rows, column] = frames[level].loc[rows, column].str.replace(C2, f"{other}001")
    frames["community"].loc[1, "parent_code"] = other
    frames["street"] = layer(
        [(STREET, "荷花池街道", None, square(0, 0, 2)), (other, "二街道", None, square(2, 0, 2))]
    )
    third = layer([(f"{STREET}003", "丙社区", STREET, square(0, 0))])
    frames["community"] = pd.concat([frames["community"], third], ignore_index=True)
    frames["community"].loc[0, "geometry"] = square(1, 0)
    frames["micro_grid"].loc[0, ["code", "parent_code"]] = [f"{STREET}003001", f"{STREET}003"]
    frames["building"].loc[0, ["code", "parent_code"]] = [f"{STREET}00300001", f"{STREET}003001"]
    with clock.travel(NOON - timedelta(days=5)):
        maps.load(district, frames, date(2026, 5, 27))
        drain(district, REACTIONS)
    case = intake.report(district, SYSTEM, told(1.5))
    plan = plans.create(district, SYSTEM, "甲社区划归二街道", "")
    edits.draw(district, SYSTEM, plan.id, None, "transfer", {"codes": [C1], "to": other})
    made = queries.outcome(district, plan, plan.tip_id)
    assert made.communities == {C1}
    found = service.submit(district, SYSTEM, plan.id, plan.tip_id)
    assert found.warnings == []
    heirs = maps.foreseen(district, made.levels, made.among, plan.base_day).heirs
    assert heirs == {C1: came, f"{C1}002": f"{came}002"}
    found = district.scalars(select(Publication)).one()
    found.state = State.APPROVED
    service.publish(district, SYSTEM, found.id)
    drain(district, REACTIONS)
    units = {
        code: hierarchy.unit(district, SYSTEM, code, clock.today()) for code in (came, other, f"{came}002")
    }
    assert units[came].parent_code == other and units[f"{came}002"].parent_code == came
    assert units[other].area_m2 == pytest.approx(3 * units[came].area_m2, rel=1e-3)
    assert (case.street_code, case.community_code) == (other, came)
    assert C1 not in hierarchy.names(district, [C1], clock.today())
    back = service.roll_back(district, SYSTEM, found.id)  # the old code stays retired
    assert back.changes["new"] == [f"{STREET}004001"] and back.changes["gone"] == [f"{came}002"]
    given = queries.outcome(district, plans_of.by_id(district, SYSTEM, back.plan_id), back.tip_id)
    assert set(given.among["community"]) == {f"{STREET}004", came}
    service.recall(district, SYSTEM, found.id, "画错")
    drain(district, REACTIONS)
    there = hierarchy.frame(district, "community", clock.today()).set_index("code")
    assert (
        sorted(there.index) == sorted(frames["community"]["code"]) and there.at[C1, "parent_code"] == STREET
    )
    assert (case.street_code, case.community_code) == (STREET, C1)


def test_what_another_worker_has_just_published_is_let_be(district, staff, draft, monkeypatch):
    found = published(district, staff, draft)
    monkeypatch.setattr(
        queries, "due", lambda _session: [found.id]
    )  # as asked before the other one had done it
    assert service.publish_due(district) == 0
    assert (found.state, found.problem) == (State.PUBLISHED, None)
