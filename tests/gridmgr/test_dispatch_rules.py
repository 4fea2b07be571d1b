"""Whom a case should go to, as a pure decision over list, grid, roster and load."""

from datetime import UTC, date, datetime

import pytest

from gridmgr import i18n
from gridmgr.dispatch import rules
from gridmgr.dispatch.model import Basis, Cause, DispatchSetting, Load, Mode, Named, Presence, Reason
from gridmgr.incident.model import Incident

SIX = datetime(2026, 9, 7, 10, tzinfo=UTC)  # 18:00 in the district
LEAD = Named("环卫所", Basis.LEAD, item={"edition": "属地清单", "item": "12 垃圾", "clause": "第三条"})


def found(*named: Named, presence=None, load=None, owner=(None, None)):
    facts = rules.Facts(named, presence or {}, load or {}, owner)
    return rules.candidates(facts)


def test_the_list_decides_before_roster_and_load():
    helper, grid = Named("城管队", Basis.COOPERATING), Named("一网格", Basis.SIMPLE, "510106001001001")
    busy = {("环卫所", None): Load(40, 12)}
    there = {("城管队", None): Presence(9), (grid.body, grid.code): Presence(2)}
    assert [one.body for one in found(helper, grid, LEAD, presence=there, load=busy)] == [
        "环卫所", "一网格", "城管队",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("presence", "load", "first"),
    [
        ({"甲": Presence(), "乙": Presence(1)}, {}, "乙"),
        ({}, {"甲": Load(5, 2), "乙": Load(9, 1)}, "乙"),
        ({}, {"甲": Load(5, 1), "乙": Load(4, 1)}, "乙"),
        ({}, {}, "丙"),
    ],
)
def test_among_equals_whoever_is_there_and_has_less_comes_first(presence, load, first):
    named = [Named(body, Basis.COOPERATING) for body in ("甲", "乙", "丙")]
    if first == "丙":
        named = [Named("丙", Basis.LEAD), *named]
    keyed = [{(body, None): value for body, value in each.items()} for each in (presence, load)]
    keyed[1] |= {(each, None): Load(99, 99) for each in ("丙",) if first != "丙"}
    assert found(*named, presence=keyed[0], load=keyed[1])[0].body == first


def test_of_those_who_own_it_one_that_nobody_works_for_comes_last():
    own, helper = Named("甲社区", Basis.TERRITORY, "510106001001"), Named("司法所", Basis.COOPERATING)
    there = {(own.body, own.code): Presence(2), ("司法所", None): Presence(1)}
    assert [one.body for one in found(LEAD, own, helper, presence=there)] == ["甲社区", "环卫所", "司法所"]


def test_a_body_named_twice_is_one_candidate_by_its_strongest_claim():
    (one,) = found(Named("环卫所", Basis.COOPERATING), LEAD)
    assert one.basis is Basis.LEAD


def test_every_candidate_says_why():
    there = {("环卫所", None): Presence(2, until=SIX)}
    (one,) = found(LEAD, presence=there, load={("环卫所", None): Load(12, 3)}, owner=("环卫所", None))
    assert [reason.cause for reason in one.why] == [Cause.ITEM, Cause.ANSWERS, Cause.ON_DUTY, Cause.LOAD]
    i18n.language.set("zh")
    assert [rules.said(reason.told()) for reason in one.why] == [
        "依《属地清单》12 垃圾（第三条）", "首接负责，尚未脱手", "现有 2 人在岗，至 09-07 18:00",
        "在办 12 件，超时 3 件",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("presence", "cause"),
    [
        (Presence(3), Cause.THERE),
        (Presence(0, next=SIX), Cause.NEXT),
        (Presence(), Cause.NOBODY),
    ],
)
def test_who_is_there_is_said_as_it_is(presence, cause):
    (one,) = found(LEAD, presence={("环卫所", None): presence})
    assert one.why[1].cause is cause


def test_a_reason_of_another_version_is_named_at_least():
    assert rules.said({"cause": "odd", "n": 1}) == "odd"
    assert "—" in rules.said({"cause": "on_duty"})


def case(**changes) -> Incident:
    return Incident(**{"severity": 1, "owner": None, "number": "1"} | changes)


def setting(mode=Mode.AUTOMATIC, severities=(1, 2), code="510106001") -> DispatchSetting:
    return DispatchSetting(code=code, effective=date(2026, 1, 1), mode=mode, severities=list(severities))


def decided(told_case, *named, presence=None, how=None):
    there = {(each.body, each.code): presence or Presence(1) for each in named}
    able = found(*named, presence=there)
    chosen, why = rules.automatic(how or setting(), told_case, able, ())
    return chosen and chosen.body, [reason.cause for reason in why]


def test_the_one_owner_by_list_is_dispatched_to_with_its_reasons():
    body, why = decided(case(), LEAD, Named("城管队", Basis.COOPERATING))
    assert (body, why[0], why[1]) == ("环卫所", Cause.AUTOMATIC, Cause.ITEM)


def test_the_streets_team_comes_before_the_lead():
    body, _ = decided(case(), LEAD, Named("综合执法队", Basis.TEAM))
    assert body == "综合执法队"


@pytest.mark.parametrize(
    ("told_case", "named", "more", "cause"),
    [
        (case(severity=3), [LEAD], {}, Cause.SEVERITY),
        (case(owner="水务所"), [LEAD], {}, Cause.WAS_WITH),
        (case(), [], {}, Cause.NO_OWNER),
        (case(), [LEAD, Named("水务所", Basis.LEAD)], {}, Cause.UNKNOWN_BODY),
        (case(), [Named("一网格", Basis.SIMPLE, "510106001001001")], {}, Cause.NO_OWNER),
        (case(), [LEAD], {"presence": Presence()}, Cause.NOBODY),
        (case(severity=3), [LEAD], {"presence": Presence(0, next=SIX), "how": setting(severities=[3])}, Cause.NEXT),
    ],
)  # fmt: skip
def test_what_the_system_cannot_decide_is_left_to_people_with_the_reason(told_case, named, more, cause):
    assert decided(told_case, *named, **more) == (None, [cause] * (2 if cause is Cause.UNKNOWN_BODY else 1))


def test_an_ordinary_case_goes_even_when_the_next_shift_will_find_it():
    assert decided(case(), LEAD, presence=Presence(0, next=SIX))[0] == "环卫所"


@pytest.mark.parametrize("how", [None, setting(Mode.OFF), setting(Mode.SUGGEST)])
def test_nothing_goes_by_itself_where_no_area_has_it_so(how):
    assert rules.automatic(how, case(), found(LEAD), ()) == (None, ())


def test_the_narrowest_area_counts():
    wide, narrow, other = setting(code=""), setting(code="510106001001"), setting(code="510106002")
    assert rules.setting_for([wide, narrow, other], "510106001001001") is narrow
    assert rules.setting_for([wide, narrow, other], "510106001002001") is wide
    assert rules.setting_for([narrow], "510106002") is None


def test_reasons_are_kept_as_plain_values():
    assert Reason(Cause.LOAD, {"open": 1, "late": 0}).told() == {"cause": "load", "open": 1, "late": 0}
