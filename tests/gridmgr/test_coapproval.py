"""All whose matters a permit touches are asked first; no permit while one objects; cases know of it afterwards."""

from datetime import date
from threading import Event, Thread
from types import SimpleNamespace

import pytest
from climbing import MONDAY, after
from little import STREET
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from gridmgr import clock, db, sheet
from gridmgr.account import queries as accounts
from gridmgr.account import service as account_service
from gridmgr.account.model import NotGranted, OutsideGrant, Role
from gridmgr.account.rules import SYSTEM, Actor, Grant
from gridmgr.coapproval import queries, rules, service
from gridmgr.coapproval.model import (
    Application,
    Approval,
    Decided,
    Deed,
    NoObjection,
    NotAsked,
    NotYourWindow,
    OverBefore,
    PermitKind,
    Said,
    SayWhy,
    Standing,
    StillObjected,
    StillSilent,
    StillWaiting,
    UnknownApproval,
    UnknownPermitKind,
)
from gridmgr.hierarchy.model import UnknownUnit
from gridmgr.notice.model import Notice
from gridmgr.organisation.model import BodyRenamed
from gridmgr.reactions import REACTIONS
from gridmgr.sheet import BadSheet

HOUSE = f"{STREET}00100001"
KINDS = """许可事项,涉及事项编码,答复时限,时限单位,逾期未答复
门头装修,S01；S05,4,工作时,继续等待
占道,S0503,1,工作时,视为同意
"""


def word(body: str, said: str | None, overruled: bool = False) -> SimpleNamespace:
    return SimpleNamespace(body=body, said=said, overruled=overruled)


# ---- rules, without a database -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "overruled", "silence", "late", "objects", "waits"),
    [
        (None, False, "wait", False, [], ["消防"]), (None, False, "agree", True, [], []),
        ("silent", False, "wait", True, [], ["消防"]), ("silent", False, "agree", True, [], []),
        ("object", False, "agree", True, ["消防"], []), ("object", True, "wait", True, [], []),
        ("conditions", False, "wait", True, [], []), ("agree", False, "wait", False, [], []),
    ],
)  # fmt: skip
def test_what_stands_in_the_way_of_a_permit(said, overruled, silence, late, objects, waits):
    opinions = [word("消防", said, overruled)]
    assert rules.objecting(opinions) == objects
    assert rules.waiting(opinions, silence, late) == waits


def test_every_body_is_asked_once_with_its_matters_but_not_the_asker():
    found = [SimpleNamespace(code=code, department=body) for code, body in (
        ("S0101", "城管"), ("S0102", "环卫"), ("S0201", "城管"), ("B01", "供水"), ("S0103", "市监"))]  # fmt: skip
    asked = rules.bodies_of(found, ["S01", "S02"], lambda matter: [matter.department, "综合队"], "市监")
    assert asked == {
        "城管": ["S0101", "S0201"], "环卫": ["S0102"], "综合队": ["S0101", "S0102", "S0201", "S0103"],
    }  # fmt: skip


def test_conditions_of_bodies_and_of_the_station_stand_together():
    said = [("公安", "conditions", "22 点后停工"), ("环卫", "agree", "好"), ("消防", "object", "通道")]
    assert rules.conditions(said, "垃圾日清") == "公安：22 点后停工\n垃圾日清"


@pytest.mark.parametrize(
    ("rows", "reason"),
    [("甲,Z9", "NoSuchMatters"), ("甲,", "Empty"), ("甲,；", "NoMatters"), ("甲,S01\n甲,S05", "KindTwice")],
)
def test_a_table_of_kinds_says_what_is_wrong_with_it(rows, reason):
    told = sheet.read(f"name,matters\n{rows}\n".encode(), "kinds.csv", rules.KINDS)
    with pytest.raises(BadSheet) as refused:
        told.accepted(rules.faults(told.rows, ["S0102", "S0503"]))
    assert type(refused.value.errors[0].reason).__name__ == reason


# ---- on PostGIS ------------------------------------------------------------------------------------------


def open_person(session, username: str, role: Role, body: str | None, code: str = STREET) -> Actor:
    opened = account_service.open_account(
        session, username, username, "a long enough password", [Grant(role, code)], body=body
    )
    return accounts.actor_of(opened)


@pytest.fixture
def people(district) -> dict[str, Actor]:
    """A station that permits, two bodies whose matters are touched, the command centre, and a street dispatcher."""
    service.import_kinds(district, SYSTEM, sheet.read(KINDS.encode(), "kinds.csv", rules.KINDS))
    handler = Role.DEPARTMENT_HANDLER
    return {
        "station": open_person(district, "station", handler, "市场监管所"),
        "环卫所": open_person(district, "huanwei", handler, "环卫所"),
        "燃气公司": open_person(district, "gas", handler, "燃气公司"),
        "centre": open_person(district, "centre", Role.COMMAND_CENTRE, None, ""),
        "dispatcher": open_person(district, "street", Role.STREET_DISPATCHER, None),
    }


def ask(desk, actor, at=MONDAY, **changes) -> Approval:
    told = {"kind": "门头装修", "applicant": "张三", "what": "换招牌", "code": HOUSE} | changes
    return desk.at(at, lambda: service.ask(desk.session, actor, Application(**told)))


def say(desk, actor, approval, said, note="", hours=1, **more):
    return desk.at(after(hours), lambda: service.say(desk.session, actor, approval.id, said, note, **more))


def decide(desk, actor, approval, deed=Deed.GRANT, note="", hours=2):
    return desk.at(after(hours), lambda: service.decide(desk.session, actor, approval.id, deed, note))


def told(desk, actor) -> list[str]:
    asked = select(Notice.kind).where(Notice.account_id == actor.id).order_by(Notice.id)
    return [kind for kind in desk.session.scalars(asked) if kind.startswith(("opinion", "overr", "approval"))]


@pytest.mark.db
def test_an_application_asks_all_others_and_is_granted_with_their_conditions(desk, people):
    station = people["station"]
    approval = ask(desk, station)
    assert (approval.building_code, approval.code, approval.place) == (HOUSE, f"{STREET}001001", "荷花路1号")
    assert clock.local(approval.due_at).strftime("%H:%M") == "15:00"
    opinions = queries.opinions(desk.session, [approval.id])[approval.id]
    assert {each.body: each.matters for each in opinions} == {"燃气公司": ["S0503"], "环卫所": ["S0102"]}
    assert told(desk, people["环卫所"]) == ["opinion_asked"]
    say(desk, people["环卫所"], approval, Said.CONDITIONS, "装修垃圾日产日清")
    with pytest.raises(StillWaiting, match="燃气公司"):
        decide(desk, station, approval)
    say(desk, people["燃气公司"], approval, Said.AGREE)
    decide(desk, station, approval, note="按图施工")
    assert (approval.state, approval.conditions) == ("granted", "环卫所：装修垃圾日产日清\n按图施工")
    assert told(desk, station) == ["opinion_given", "opinion_given"]
    assert told(desk, people["环卫所"])[-1] == "approval_decided"
    for verb in (
        lambda: say(desk, people["环卫所"], approval, Said.AGREE),
        lambda: decide(desk, station, approval),
    ):
        with pytest.raises(Decided):
            verb()
    deeds = queries.deeds(desk.session, approval.id)
    assert [(each.seq, each.deed, each.body) for each in deeds] == [
        (1, "ask", "市场监管所"), (2, "conditions", "环卫所"), (3, "agree", "燃气公司"), (4, "grant", "市场监管所"),
    ]  # fmt: skip


@pytest.mark.db
def test_an_objection_stops_it_until_it_is_met_or_set_aside(desk, people):
    station, gas = people["station"], people["燃气公司"]
    approval = ask(desk, station)
    say(desk, people["环卫所"], approval, Said.AGREE)
    with pytest.raises(SayWhy):
        say(desk, gas, approval, Said.OBJECT)
    say(desk, gas, approval, Said.OBJECT, "压占燃气管线", law="城镇燃气管理条例 第三十三条")
    assert told(desk, station)[-1] == "opinion_objects"
    with pytest.raises(StillObjected, match="燃气公司"):
        decide(desk, station, approval)
    with pytest.raises(NotGranted):
        desk.at(after(2), lambda: service.overrule(desk.session, station, approval.id, "燃气公司", "不管"))

    def overrule(body: str, note: str) -> None:
        centre = people["centre"]
        desk.at(after(2), lambda: service.overrule(desk.session, centre, approval.id, body, note))

    with pytest.raises(SayWhy):
        overrule("燃气公司", " ")
    with pytest.raises(NoObjection):
        overrule("环卫所", "可以")
    with pytest.raises(NotAsked):
        overrule("水务局", "可以")
    overrule("燃气公司", "管线已改迁")
    say(desk, gas, approval, Said.OBJECT, "尚未改迁")  # a new objection stands again
    with pytest.raises(StillObjected):
        decide(desk, station, approval)
    overrule("燃气公司", "会议纪要已明确改迁")
    assert decide(desk, station, approval).state == Standing.GRANTED


@pytest.mark.db
def test_who_asks_says_and_decides(desk, people, staff):
    station = people["station"]
    approval = ask(desk, station)
    with pytest.raises(NotGranted):
        ask(desk, staff[Role.GRID_MEMBER])
    with pytest.raises(NotAsked):
        say(desk, station, approval, Said.AGREE)
    with pytest.raises(NotGranted):
        say(desk, people["dispatcher"], approval, Said.AGREE)
    with pytest.raises(NotYourWindow):
        decide(desk, people["环卫所"], approval)
    with pytest.raises(NotYourWindow):
        decide(desk, people["dispatcher"], approval)
    stranger = Actor(None, "far", (Grant(Role.DEPARTMENT_HANDLER, "999"),), body="环卫所")
    with pytest.raises(UnknownApproval):
        say(desk, stranger, approval, Said.AGREE)
    for changes, refusal in (
        ({"kind": "没有"}, UnknownPermitKind), ({"code": "999"}, UnknownUnit), ({"applicant": " "}, SayWhy),
        ({"valid_until": date(2026, 9, 6)}, OverBefore),
    ):  # fmt: skip
        with pytest.raises(refusal):
            ask(desk, station, **changes)
    small = Actor(None, "one grid", (Grant(Role.DEPARTMENT_HANDLER, f"{STREET}001001"),), body="市场监管所")
    with pytest.raises(OutsideGrant):
        ask(desk, small, code=STREET)
    own = ask(desk, people["dispatcher"])  # a desk's own window: any desk of the place decides
    assert decide(desk, people["centre"], own, Deed.REFUSE, "不合规划").state == Standing.REFUSED
    assert decide(desk, station, approval, Deed.WITHDRAW, "申请人撤回").state == Standing.WITHDRAWN


@pytest.mark.db
def test_silence_past_the_due_time_is_noted_once_and_means_what_the_kind_says(desk, people):
    station = people["station"]
    waits, agrees = ask(desk, station), ask(desk, station, kind="占道")
    noted = [desk.at(after(hours), lambda: service.note_silence(desk.session)) for hours in (0.5, 1.5, 9, 10)]
    assert noted == [0, 1, 1, 0]
    assert told(desk, station) == ["opinion_silent", "opinion_silent"]
    decide(desk, station, agrees, hours=10)
    assert agrees.state == Standing.GRANTED
    with pytest.raises(StillSilent):
        decide(desk, station, waits, hours=10)
    for body in ("环卫所", "燃气公司"):
        say(desk, people[body], waits, Said.AGREE, hours=11)  # late, but said
    assert decide(desk, station, waits, hours=12).state == Standing.GRANTED
    deeds = [each.deed for each in queries.deeds(desk.session, waits.id)]
    assert deeds == ["ask", "silent", "silent", "agree", "agree", "grant"]


@pytest.mark.db
def test_a_decision_past_the_due_time_notes_the_silence_itself(desk, people):
    approval = ask(desk, people["station"], kind="占道")
    decide(desk, people["station"], approval, hours=5)
    assert [each.deed for each in queries.deeds(desk.session, approval.id)] == ["ask", "silent", "grant"]


@pytest.mark.db
def test_what_was_said_is_never_changed(desk, people):
    ask(desk, people["station"])
    for statement in ("UPDATE approval_deed SET note = ''", "DELETE FROM approval_deed"):
        with pytest.raises(DBAPIError), desk.session.begin_nested():
            desk.session.execute(text(statement))


@pytest.mark.db
def test_a_case_at_a_permitted_house_knows_of_the_permit(desk, people):
    station = people["station"]
    before = desk.report(column=0.5, row=0.5)
    approval = ask(desk, station, kind="占道", valid_until=date(2026, 9, 20))
    assert [each.id for each in queries.cases_there(desk.session, station, approval)] == [before.id]
    decide(desk, station, approval, note="只限夜间", hours=9)
    rubbish, gas = (
        desk.report(after(24), column=0.5, row=0.5, category_id=category)
        for category in (before.category_id, _category(desk, "S0503"))
    )
    elsewhere = desk.report(after(24), column=1.5, row=0.5, category_id=gas.category_id)
    late = desk.report(after(24 * 20), column=0.5, row=0.5, category_id=gas.category_id)
    found = {case.id: [each.id for each in queries.permits_for(desk.session, station, case)] for case in
             (rubbish, gas, elsewhere, late)}  # fmt: skip
    assert found == {rubbish.id: [], gas.id: [approval.id], elsewhere.id: [], late.id: []}
    far = Actor(None, "far", (Grant(Role.STREET_DISPATCHER, "999"),))
    assert queries.permits_for(desk.session, far, gas) == []
    with clock.travel(after(48)):
        figures = queries.figures(desk.session, SYSTEM, MONDAY, after(48))
        sayings = queries.sayings(desk.session, SYSTEM, MONDAY, after(48))
    assert (figures.asked, figures.settled, figures.granted, figures.questioned) == (1, 1, 1, 1)
    assert figures.mean_hours == pytest.approx(9)
    assert [(each.body, each.asked, each.silent, each.objected) for each in sayings] == [
        ("燃气公司", 1, 1, 0)
    ]


def _category(desk, code: str) -> int:
    from gridmgr.category import queries as categories

    return categories.by_code(desk.session, code).id


@pytest.mark.db
def test_lists_counts_and_the_table_of_kinds(desk, people):
    station = people["station"]
    approval, other = ask(desk, station), ask(desk, station, kind="占道", code=f"{STREET}002")

    def page(search: queries.Search, who: Actor = station) -> list[int]:
        return [each.id for each in queries.page(desk.session, who, search, 10)]

    assert page(queries.Search()) == [other.id, approval.id]
    assert page(queries.Search(body="环卫所")) == [approval.id]
    assert page(queries.Search(own="市场监管所", area=f"{STREET}002")) == [other.id]
    say(desk, people["环卫所"], approval, Said.AGREE)
    assert queries.counts(desk.session, people["环卫所"]) == {"open": 2, "ours": 0}
    assert queries.counts(desk.session, people["燃气公司"])["ours"] == 2
    told_ = sheet.read(KINDS.replace("占道", "户外广告").encode(), "kinds.csv", rules.KINDS)
    assert service.import_kinds(desk.session, people["centre"], told_) == [
        ("门头装修", "unchanged"), ("户外广告", "added"), ("占道", "removed"),
    ]  # fmt: skip
    assert [each.name for each in queries.kinds(desk.session)] == ["户外广告", "门头装修"]
    assert other.kind == "占道"  # what was asked before keeps its words
    with pytest.raises(NotGranted):
        service.import_kinds(desk.session, station, told_)
    for react in REACTIONS[BodyRenamed]:
        react(desk.session, BodyRenamed("燃气公司", "燃气集团"))
    assert page(queries.Search(body="燃气集团")) == [other.id, approval.id]


@pytest.mark.db
def test_nobody_decides_while_somebody_is_objecting(own_district):
    with db.transaction(own_district, REACTIONS) as session:
        session.add(
            PermitKind(
                name="占道", name_en="", prefixes=["S0503"], amount=4, unit="working_days", silence="agree"
            )
        )
        station = open_person(session, "station", Role.DEPARTMENT_HANDLER, "市场监管所")
        gas = open_person(session, "gas", Role.DEPARTMENT_HANDLER, "燃气公司")
        session.flush()
        approval_id = service.ask(session, station, Application("占道", "张三", "摆摊", HOUSE)).id
        service.say(session, gas, approval_id, Said.AGREE)
    objecting, go_on, outcome = Event(), Event(), []

    def object_slowly() -> None:
        with db.transaction(own_district, REACTIONS) as session:
            service.say(session, gas, approval_id, Said.OBJECT, "发现管线")
            objecting.set()
            go_on.wait(10)

    def grant() -> None:
        try:
            with db.transaction(own_district, REACTIONS) as session:
                outcome.append(service.decide(session, station, approval_id, Deed.GRANT).state)
        except StillObjected as refused:
            outcome.append(refused)

    first, second = Thread(target=object_slowly), Thread(target=grant)
    first.start()
    assert objecting.wait(10)
    second.start()
    second.join(0.5)
    assert outcome == []  # it waits for the objection to be said out
    go_on.set()
    first.join(10)
    second.join(10)
    assert isinstance(outcome[0], StillObjected)
