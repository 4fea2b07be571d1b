"""Modules: a template for each street, matters that find theirs, posts with holders, and a record of all that was."""

from functools import partial

import pytest
from climbing import MONDAY, after
from little import STREET

from gridmgr import clock
from gridmgr.account.model import NoSuchArea, NotGranted, OutsideGrant, UnknownAccount
from gridmgr.account.rules import SYSTEM, Role
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.module import queries, rules, service
from gridmgr.module.model import (
    HoldsAlready,
    NameOfModuleMissing,
    NotAPick,
    NotRegrouped,
    PeopleSeated,
    PicksOutOfRange,
    PostThere,
    PrefixTaken,
    SeatOfModule,
    UnknownModule,
    UnknownTemplate,
    WorksThereAlready,
)
from gridmgr.organisation import service as bodies
from gridmgr.organisation.model import BodyKind, Described, UnknownBody

HOME = f"{STREET}001001"


def regroup(session, template="six", *picks, by=SYSTEM, area=STREET, at=MONDAY, agreed=False):
    with clock.travel(at):
        areas = partial(hierarchy.without_units, session)
        return service.regroup(session, by, area, template, picks, areas, agreed=agreed)


def of(session, code, area=STREET):
    return next(each for each in queries.own(session, area).modules if each.code == code)


def post(session, code, kind="lead"):
    seats = queries.seats(session, [of(session, code).id])[of(session, code).id]
    return next(seat.post.id for seat in seats if kind in (seat.post.kind, seat.post.name))


# ---- the templates ---------------------------------------------------------------------------------


@pytest.mark.parametrize("key", rules.TEMPLATES)
def test_a_template_is_sound(key):
    found = rules.template(key)
    every = (*found.mains, *found.picks)
    codes, prefixes = [each.code for each in every], [p for each in every for p in each.prefixes]
    assert len(codes) == len(set(codes))
    assert len(prefixes) == len(set(prefixes))  # a matter goes to one module
    assert [each.fallback for each in every].count(True) == 1
    assert all(each.under in {main.code for main in found.mains} | {None} for each in found.picks)
    assert 0 <= found.least <= found.most <= len(found.picks)


def test_templates_are_those_of_the_field():
    six, quzhou = rules.template("six"), rules.template("six_and_eleven")
    assert [each.zh for each in six.mains] == ["大党建", "大协调", "大治理", "大城建", "大经济", "大服务"]
    assert (len(quzhou.mains), len(quzhou.picks), quzhou.least, quzhou.most) == (6, 11, 3, 5)
    taishun = rules.template("one_three_n")
    assert [each.zh for each in taishun.mains] == ["大党建", "大管理", "大安全", "大服务"]
    assert "大执法" in [each.zh for each in taishun.picks]
    jiubao = [each.zh for each in rules.template("one_and_four").mains]
    assert jiubao[1:] == ["综治工作", "市场监管", "综合执法", "便民服务"]
    with pytest.raises(UnknownTemplate, match="six_and_eleven"):
        rules.template("seven")


@pytest.mark.parametrize("count", [0, 2, 6, 11])
def test_as_many_sub_modules_are_picked_as_the_template_says(count):
    quzhou = rules.template("six_and_eleven")
    with pytest.raises(PicksOutOfRange, match="3 to 5"):
        rules.parts(quzhou, [each.code for each in quzhou.picks[:count]])


def test_what_the_template_does_not_offer_cannot_be_picked():
    with pytest.raises(NotAPick, match="zhifa"):
        rules.parts(rules.template("one_three_n"), ["zhifa", "huojian"])
    with pytest.raises(NotAPick):
        rules.parts(rules.template("six"), ["zhifa"])


# ---- on tables -------------------------------------------------------------------------------------


def test_a_matter_goes_to_one_module_and_what_none_takes_to_the_one_for_the_rest(district):
    assert queries.module_for(district, "P0101", HOME) is None
    regroup(district, "six_and_eleven", "tiaojie", "xiaofang", "zhishui")
    told = {
        code: queries.module_for(district, code, HOME).name_zh for code in ("P0101", "P0104", "P0301", "X99")
    }
    assert told == {"P0101": "矛盾调解", "P0104": "综治工作", "P0301": "消防管理", "X99": "综治工作"}
    assert queries.module_for(district, "P0101", "510107001") is None


def test_a_street_of_its_own_way_stands_out_of_its_district(district):
    regroup(district, "one_and_four", area="510106")
    assert queries.module_for(district, "P0202", HOME).name_zh == "市场监管"
    regroup(district, "six")
    assert queries.module_for(district, "P0202", HOME).name_zh == "大经济"
    assert queries.overridden(district, "510106") == [STREET]
    assert queries.module_for(district, "P0202", "510106002").name_zh == "市场监管"


def test_picking_others_keeps_the_people_of_the_modules_that_stay(district, staff):
    regroup(district, "six_and_eleven", "tiaojie", "xiaofang", "zhishui")
    leader = staff[Role.STREET_DISPATCHER]
    service.appoint(district, SYSTEM, post(district, "zongzhi"), leader.username)
    before = of(district, "zongzhi").id
    regroup(district, "six_and_eleven", "tiaojie", "xiaofang", "yingji", at=after(24))
    assert of(district, "zongzhi").id == before
    assert queries.lead(district, before).username == leader.username
    codes = {each.code for each in queries.own(district, STREET).modules}
    assert ("zhishui" in codes, "yingji" in codes) == (False, True)
    assert len(queries.history(district, STREET)) == 1


def test_another_template_warns_of_those_who_hold_posts_and_keeps_the_record(district, staff):
    regroup(district)
    leader = staff[Role.STREET_DISPATCHER]
    service.appoint(district, SYSTEM, post(district, "zhili"), leader.username)
    with pytest.raises(PeopleSeated, match=leader.name):
        regroup(district, "one_and_four", at=after(48))
    assert queries.own(district, STREET).template == "six"
    regroup(district, "one_and_four", at=after(48), agreed=True)
    now, then = queries.history(district, STREET)
    assert (now.regrouping.template, now.regrouping.until, now.held) == ("one_and_four", None, ())
    assert (then.regrouping.template, then.regrouping.until) == ("six", after(48))
    assert {each.until for each in then.modules} == {after(48)}
    ((module, kind, who, _, until),) = then.held
    assert (module, kind, who, until) == ("大治理", "lead", leader.name, after(48))


def test_a_module_has_one_lead_and_one_deputy_and_posts_as_many_as_needed(district, staff):
    regroup(district)
    first, second = staff[Role.STREET_DISPATCHER], staff[Role.COMMUNITY_CLERK]
    lead, deputy = post(district, "zhili"), post(district, "zhili", "deputy")
    service.appoint(district, SYSTEM, lead, first.username)
    with pytest.raises(HoldsAlready):
        service.appoint(district, SYSTEM, lead, first.username)
    service.appoint(district, SYSTEM, lead, second.username)
    assert queries.lead(district, of(district, "zhili").id).username == second.username
    service.appoint(district, SYSTEM, deputy, first.username)
    seat = service.add_post(district, SYSTEM, of(district, "zhili").id, "矛盾调解岗")
    with pytest.raises(PostThere):
        service.add_post(district, SYSTEM, of(district, "zhili").id, "矛盾调解岗 ")
    for person in (first, second):
        service.appoint(district, SYSTEM, seat.id, person.username)
    seats = queries.seats(district, [of(district, "zhili").id])[of(district, "zhili").id]
    assert [len(each.holders) for each in seats] == [1, 1, 2]
    service.dismiss(district, SYSTEM, seat.id, first.username)
    service.end_post(district, SYSTEM, seat.id)
    with pytest.raises(SeatOfModule):
        service.end_post(district, SYSTEM, lead)
    held = queries.history(district, STREET)[0].held
    assert [(who, until is None) for _, name, who, _, until in held if name == "矛盾调解岗"] == [
        (first.name, False), (second.name, False),
    ]  # fmt: skip


def test_bodies_work_in_a_module(district):
    regroup(district)
    areas = partial(hierarchy.without_units, district)
    bodies.found(district, SYSTEM, Described("市场监管局", BodyKind.DEPARTMENT, aliases=("市监",)), areas)
    module = of(district, "jingji").id
    service.join(district, SYSTEM, module, "市监")
    assert [each.name for each in queries.bodies(district, [module])[module]] == ["市场监管局"]
    with pytest.raises(WorksThereAlready):
        service.join(district, SYSTEM, module, "市场监管局")
    with pytest.raises(UnknownBody):
        service.join(district, SYSTEM, module, "没有")
    service.leave(district, SYSTEM, module, "市场监管局")
    assert queries.bodies(district, [module])[module] == []


def test_no_two_modules_take_the_same_matters(district):
    regroup(district)
    with pytest.raises(PrefixTaken, match="大经济"):
        service.change(district, SYSTEM, of(district, "fuwu").id, "大服务", "Services", ["P04", "P02"])
    service.change(district, SYSTEM, of(district, "fuwu").id, "大民生", "Welfare", ["P04", " P0204 ", ""])
    assert queries.module_for(district, "P0204", HOME).name_zh == "大民生"
    with pytest.raises(NameOfModuleMissing):
        service.change(district, SYSTEM, of(district, "fuwu").id, " ", "Welfare", [])


def test_who_may_and_what_there_is_not(district, staff):
    with pytest.raises(NotRegrouped):
        queries.own(district, STREET)
    dispatcher = staff[Role.STREET_DISPATCHER]
    regroup(district, by=dispatcher)
    with pytest.raises(OutsideGrant):
        regroup(district, by=dispatcher, area="510106")
    with pytest.raises(NotGranted):
        service.appoint(district, staff[Role.GRID_MEMBER], post(district, "zhili"), dispatcher.username)
    with pytest.raises(UnknownAccount):
        service.appoint(district, dispatcher, post(district, "zhili"), "nobody")
    with pytest.raises(NoSuchArea):
        regroup(district, area="999")
    with pytest.raises(UnknownModule):
        service.change(district, SYSTEM, 10**6, "甲", "A", [])
