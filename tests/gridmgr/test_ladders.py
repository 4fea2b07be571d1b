"""Ladders that do more than tell: repetitions, worked time, the level that holds the case, orders, and silence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from climbing import MONDAY, after, publish
from sqlalchemy import select, text
from test_policies import read, told

from gridmgr import clock
from gridmgr.account.model import Role
from gridmgr.audit import queries as audit
from gridmgr.clock import TimeUnit, working_calendar
from gridmgr.discussion import service as discussion
from gridmgr.escalation import queries, rules
from gridmgr.escalation.model import LadderCalled
from gridmgr.escalation.rules import Limit
from gridmgr.life.model import Action
from gridmgr.notice.model import Notice
from gridmgr.policy.model import Act, Policy, Stage, When, expanded, rungs, stored
from gridmgr.policy.queries import policy_for
from gridmgr.policy.rules import most_specific
from gridmgr.reactions import REACTIONS
from gridmgr.supervision import queries as supervision
from gridmgr.supervision.model import Deed

FRIDAY = datetime(2026, 9, 11, 9, tzinfo=UTC)  # 17:00 in the district


# ---- the table -----------------------------------------------------------------------------------


def test_a_rung_may_be_done_again_wait_for_worked_time_and_give_its_order_a_time():
    found = read(
        ",,handle,,,50%,remind,department,4 working_hours,3,,\n"
        ",,handle,,,80%,tell,community,10%,2,worked,\n"
        ",,handle,,,150%,supervise,district,,,,8 工作小时\n"
    )
    assert found.errors == ()
    first, second, third = rungs(found.policies[0]["ladder"])
    assert (first.every, first.every_unit, first.times, first.when) == (4, "working_hours", 3, When.ANY)
    assert (second.every, second.every_unit, second.when) == (0.1, "share", When.WORKED)
    assert (third.act, third.answer_amount, third.answer_unit) == (Act.SUPERVISE, 8, "working_hours")
    assert [stored(each) for each in (first, second, third)] == found.policies[0]["ladder"]


@pytest.mark.parametrize(
    ("rung", "expected"),
    [
        ("1,remind,street,4 working_hours,,,", [("every", "RepeatIncomplete")]),
        ("1,remind,street,,3,,", [("times", "RepeatIncomplete")]),
        ("1,remind,street,soon,3,,", [("every", "NoLength")]),
        ("1,remind,street,0 hours,3,,", [("every", "NoLength")]),
        ("1,remind,street,4 hours,21,,", [("times", "NotWhole")]),
        ("1,remind,street,4 hours,-1,,", [("times", "NotWhole")]),
        ("1,take_over,street,4 hours,3,,", [("times", "NotRepeated")]),
        ("1,whistle,street,4 hours,3,,", [("times", "NotRepeated")]),
        ("1,supervise,street,,,,", [("answer", "AnswerMissing")]),
        ("1,supervise,street,,,,25%", [("answer", "NoLength")]),
        ("1,tell,street,,,,2 hours", [("answer", "AnswerElsewhere")]),
        ("1,tell,street,,,at night,", [("when", "NotOneOf")]),
        (",,,,,worked,", [("share", "RungIncomplete")]),
    ],
)
def test_what_cannot_be_meant_is_named_with_its_cell(rung, expected):
    assert [each[1:] for each in told(read(f",,handle,,,{rung}\n"))] == expected


def test_repetitions_count_as_rungs_of_the_ladder():
    rows = "".join(f",,handle,,,{share}%,remind,department,1 hours,20,,\n" for share in (10, 20, 30))
    assert told(read(rows)) == []
    assert [each[1:] for each in told(read(rows + ",,handle,,,40%,tell,street,,,,\n"))] == [
        ("times", "TooManyRungs")
    ]


def test_the_level_that_holds_the_case_may_have_a_ladder_of_its_own():
    head = "category,severity,holder,stage,amount,unit,share,act,level\n"
    table = [
        Policy(**each)
        for each in read(
            ",,,accept,1,hours,1,tell,street\n,,community,accept,2,hours,1,tell,district\n"
            ",3,,accept,3,hours,,,\nS01,,,accept,4,hours,,,\n",
            head,
        ).policies
    ]

    def amount(code, severity, holder):
        return most_specific(table, code, severity, "accept", holder).amount

    assert amount("B01", 1, "micro_grid") == amount("B01", 1, None) == 1
    assert amount("B01", 1, "community") == 2
    assert amount("B01", 3, "community") == 3  # how urgent it is weighs more than who holds it
    assert amount("S0102", 3, "community") == 4


# ---- when ----------------------------------------------------------------------------------------


def begun(rows: str, amount: float, unit: TimeUnit, at: datetime, urgent: bool = False):
    policy = Policy(id=1, ladder=read(rows).policies[0]["ladder"])
    return rules.begun(1, "handle", at, Limit(amount, unit), policy, working_calendar(), urgent=urgent)


def shown(one) -> list[str]:
    pairs = zip(one.ladder, one.rung_times, strict=True)
    return [f"{rung.act} {rung.again} {clock.local(at):%a %H:%M}" for rung, at in pairs]


def test_repetitions_are_rungs_among_the_others_in_the_order_they_are_due():
    rows = ",,handle,,,50%,remind,department,4 working_hours,3,,\n,,handle,,,100%,tell,street,,,,\n"
    one = begun(rows, 8, TimeUnit.WORKING_HOURS, MONDAY)
    assert shown(one) == [
        "remind 0 Mon 15:00", "remind 1 Tue 10:00", "tell 0 Tue 10:00", "remind 2 Tue 16:00",
    ]  # fmt: skip
    assert [each["act"] for each in one.policy["ladder"]] == [each.act for each in one.ladder]


def test_repetitions_by_share_grow_with_the_limit():
    rows = ",,handle,,,50%,remind,department,25%,3,,\n"
    one = begun(rows, 8, TimeUnit.HOURS, MONDAY)
    assert [each.share for each in one.ladder] == [0.5, 0.75, 1.0]
    later = rules.retimed(one, one.due_at + timedelta(hours=8), working_calendar())
    assert [at - MONDAY for at in later.rung_times] == [timedelta(hours=hours) for hours in (8, 12, 16)]


def test_an_extension_moves_what_is_counted_in_shares_past_what_is_counted_in_time():
    rows = ",,handle,,,25%,remind,department,1 hours,3,,\n,,handle,,,50%,tell,street,,,,\n"
    one = begun(rows, 8, TimeUnit.HOURS, MONDAY)
    assert [each.act for each in one.ladder] == ["remind", "remind", "remind", "tell"]
    assert [at - MONDAY for at in one.rung_times] == [timedelta(hours=hours) for hours in (2, 3, 4, 4)]
    climbed = replace(one, next_rung=1)
    sooner = rules.retimed(climbed, one.due_at - timedelta(hours=3), working_calendar())
    assert [each.act for each in sooner.ladder] == ["remind", "remind", "tell", "remind"]
    assert sooner.rung_times[0] == one.rung_times[0]  # it was climbed then
    assert list(sooner.rung_times) == sorted(sooner.rung_times)


def test_what_is_left_between_repetitions_stands_still_while_the_case_is_suspended():
    rows = ",,handle,,,25%,remind,department,4 hours,2,,\n"
    one = replace(begun(rows, 8, TimeUnit.HOURS, MONDAY), next_rung=1)
    stood = rules.paused(one, after(3), working_calendar())
    again = rules.resumed(stood, after(10), working_calendar())
    assert [at - MONDAY for at in again.rung_times] == [timedelta(hours=2), timedelta(hours=13)]


def test_leaders_are_told_in_worked_time_unless_the_case_is_urgent():
    rows = ",,handle,,,50%,remind,department,,,,\n,,handle,,,100%,tell,street,,,worked,\n"
    rows += ",,handle,,,150%,take_over,district,,,,\n"
    one = begun(rows, 4, TimeUnit.HOURS, FRIDAY)
    assert shown(one) == ["remind 0 Fri 19:00", "take_over 0 Fri 23:00", "tell 0 Mon 09:00"]
    assert one.policy["worked"] is True  # a corrected calendar moves it
    urgent = begun(rows, 4, TimeUnit.HOURS, FRIDAY, urgent=True)
    assert shown(urgent) == ["remind 0 Fri 19:00", "tell 0 Fri 21:00", "take_over 0 Fri 23:00"]


def test_a_ladder_without_repetitions_is_stored_as_it_was_written():
    plain = [{"share": 0.5, "act": "remind", "level": "street"}]
    assert [stored(each) for each in expanded(rungs(plain))] == plain


# ---- in the sweep --------------------------------------------------------------------------------

SUPERVISED = ",,handle,,,100%,supervise,street,,,,2 working_hours\n"


@pytest.mark.db
def test_a_ladder_supervises_and_the_order_runs_like_any_other(desk, staff):
    publish(desk.session, SUPERVISED)
    case = desk.handling()
    desk.sweep(after(8))
    assert desk.climbs(case, "handle") == [(0, "supervise", "street", 2, "")]
    (order,) = supervision.of_case(desk.session, case.id)
    assert (order.issuer_id, order.issuer_name, order.body, order.state) == (
        None,
        "升级阶梯",
        "环卫所",
        "open",
    )
    assert (order.issued_at, order.due_at) == (after(8), after(25))  # an hour today, and one tomorrow
    assert "100%" in order.wanted
    kinds = {
        (each.account_id, each.kind)
        for each in desk.session.scalars(select(Notice).where(Notice.incident_id == case.id))
    }
    assert (staff[Role.STREET_DISPATCHER].id, "ladder_called") in kinds
    assert (staff[Role.DEPARTMENT_HANDLER].id, "supervised") in kinds


@pytest.mark.db
def test_while_an_order_runs_the_ladder_urges_it_and_issues_no_second_one(desk, staff):
    publish(desk.session, ",,handle,,,100%,supervise,street,2 working_hours,3,,2 working_hours\n")
    case = desk.handling()
    for hours in (6, 8, 25):
        desk.sweep(after(hours))
    assert [climb[:2] for climb in desk.climbs(case, "handle")] == [(n, "supervise") for n in range(3)]
    (order,) = supervision.of_case(desk.session, case.id)
    deeds = supervision.deeds(desk.session, [order.id])[order.id]
    assert [each.deed for each in deeds] == [Deed.ISSUE, Deed.URGE, Deed.URGE]


@pytest.mark.db
def test_one_event_a_case_and_act_says_what_the_ladder_calls_for(desk, staff, monkeypatch):
    publish(
        desk.session,
        ",,handle,,,100%,whistle,street,,,,\n,,handle,,,120%,supervise,district,,,,1 hours\n"
        ",,handle,,,130%,supervise,district,,,,1 hours\n",
    )
    case, heard = desk.handling(), []
    monkeypatch.setitem(REACTIONS, LadderCalled, [lambda session, event: heard.append(event)])
    desk.sweep(after(24 * 3))
    assert sorted((each.act, each.level, each.share) for each in heard) == [
        ("supervise", "district", 1.3), ("whistle", "street", 1.0),
    ]  # fmt: skip
    assert {each.incident_id for each in heard} == {case.id} and {each.at for each in heard} == {
        after(24 * 3)
    }
    desk.sweep(after(24 * 4))
    assert len(heard) == 2


@pytest.mark.db
def test_a_ladder_calls_even_where_there_is_nobody_to_be_told(desk):
    publish(desk.session, SUPERVISED)
    case = desk.handling()
    desk.sweep(after(8))
    assert desk.climbs(case, "handle") == [(0, "supervise", "street", 0, "nobody")]
    assert len(supervision.of_case(desk.session, case.id)) == 1


# ---- silence -------------------------------------------------------------------------------------

SILENT = (
    "S01,,silence,2,hours,50%,remind,department,,,,\nS01,,silence,,,100%,take_over,street,,,,\n"
    ",,silence,,,50%,tell,community,,,,\n"
)


@pytest.mark.db
def test_taking_a_case_in_hand_is_no_answer_if_nothing_follows(desk, staff):
    publish(desk.session, SILENT)
    case = desk.handling()
    assert desk.clocks(case) == {"handle": "running", "silence": "running"}
    desk.sweep(after(1))
    assert desk.climbs(case, "silence") == [(0, "remind", "department", 1, "")]
    desk.sweep(after(2))
    assert case.level == "street"
    assert desk.clocks(case)["silence"] == "running"  # what the system does itself breaks no silence


@pytest.mark.db
def test_whatever_is_done_or_said_breaks_the_silence(desk, staff):
    publish(desk.session, SILENT)
    case = desk.handling()
    desk.move(case, after(0.9), Action.HAND_UP, note="需街道协调")
    one = desk.clock(case, "silence")
    assert (one.started_at, one.rung_times[0]) == (after(0.9), after(1.9))
    assert len([each for each in queries.of_case(desk.session, case.id) if each.stage == "silence"]) == 1
    handler = staff[Role.DEPARTMENT_HANDLER]
    desk.at(after(1.8), lambda: discussion.comment(desk.session, handler, case.number, "已联系施工队"))
    assert desk.sweep(after(2.7)) == 0
    assert desk.sweep(after(2.8)) == 1
    desk.at(after(3), lambda: discussion.comment(desk.session, handler, case.number, "明早进场"))
    states = [each.state for each in queries.of_case(desk.session, case.id) if each.stage == "silence"]
    assert states == [
        "met",
        "running",
    ]  # what has climbed stays as it was; the next silence has its own clock
    assert desk.sweep(after(4)) == 1
    assert len(audit.uneven(desk.session)) == 0


@pytest.mark.db
def test_a_suspended_case_may_be_silent_and_counts_anew_when_it_goes_on(desk, staff):
    publish(desk.session, SILENT)
    case = desk.handling()
    desk.move(case, after(0.5), Action.SUSPEND, note="等材料")
    assert desk.clocks(case)["silence"] == "paused"
    assert desk.sweep(after(24)) == 0
    desk.move(case, after(24), Action.RESUME)
    assert desk.clock(case, "silence").rung_times[0] == after(25)
    desk.move(case, after(24.2), Action.FEED_BACK, note="已修复")
    assert desk.clocks(case)["silence"] == "met"


@pytest.mark.db
def test_silence_may_last_a_share_of_the_time_of_the_case(desk):
    publish(desk.session, ",,silence,,,50%,tell,community,,,,\n")
    case = desk.handling()
    one = desk.clock(case, "silence")
    assert (one.amount, one.unit) == (4, "working_hours")  # as long as the case itself may take
    assert one.rung_times == (after(2),)
    assert policy_for(desk.session, "S0102", 1, Stage.SILENCE).amount is None


@pytest.mark.db
def test_the_auditor_misses_a_silence_that_nobody_counts(desk):
    publish(desk.session, SILENT)
    desk.session.execute(text("UPDATE policy_table SET published_at = '2026-01-01'"))
    case = desk.handling()
    assert [each for each in audit.missing(desk.session) if each.stage == "silence"] == []
    desk.session.execute(text("DELETE FROM case_clock WHERE stage = 'silence'"))
    (missed,) = [each for each in audit.missing(desk.session) if each.stage == "silence"]
    assert missed.number == case.number
