"""Those a matter concerns are asked first: kinds with dated terms, answers, silence, vetoes, and who may see it."""

from collections.abc import Iterator
from datetime import date
from functools import partial
from types import SimpleNamespace

import pytest
from climbing import Desk, after
from exhibits import photo as picture
from little import STREET, little_district
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from gridmgr import clock, db, sheet
from gridmgr.account import queries as accounts
from gridmgr.account import service as account_service
from gridmgr.account.model import NotGranted, OutsideGrant, Role
from gridmgr.account.rules import SYSTEM, Actor, Grant
from gridmgr.attachment import service as attachments
from gridmgr.attachment.model import UnknownFile
from gridmgr.consultation import queries, rules, service
from gridmgr.consultation.model import (
    AskedAlready,
    Asking,
    ConsultationEnded,
    FieldMissing,
    FieldUnknown,
    FieldWrong,
    NobodyOfThat,
    NobodyToAsk,
    NotConsulted,
    NothingToReply,
    NotTheAsker,
    NotYoursToAnswer,
    NoVeto,
    OverAlready,
    OwnSubject,
    ReasonNeeded,
    Said,
    Standing,
    StillRunning,
    TitleMissing,
    UnknownConsultation,
    UnknownConsultationKind,
    Vetoed,
    WhichParty,
)
from gridmgr.consultation.queries import Search
from gridmgr.events import drain
from gridmgr.hierarchy import service as hierarchy
from gridmgr.notice.model import Notice
from gridmgr.reactions import REACTIONS
from gridmgr.settings import settings
from gridmgr.simulation.samples import SAMPLE_MAPS

WEST, EAST = f"{STREET}001", f"{STREET}002"
KINDS = """编码,领域,名称,征求对象,可否决,答复时限,时限单位,催办比例,逾期未答复,仅相关方可见,表单
plan.park,规划编制,公园绿地规划,街道；社区,街道,8,小时,0.5,视为同意,否,asker.project!:text:项目名称
accept.lift,项目验收,加装电梯验收,社区；居民,居民,8,小时,0.5,重新征求,否,residents.agree!:number:同意户数
decide.policy,重大决策,公共政策,街道；部门,街道,8,小时,0.5,继续等待,否,
post.head,任免,站所负责人任免,街道,街道,8,小时,0.5,继续等待,是,asker.person!:文本:人选
"""


def voice(said: str | None) -> SimpleNamespace:
    return SimpleNamespace(said=said)


# ---- rules, without a database -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "silence", "late", "came"),
    [
        (["agree", None], "agree", False, None), (["agree", None], "agree", True, "agreed"),
        (["agree", None], "wait", True, None), (["agree", None], "lapse", True, "lapsed"),
        (["agree", "agree"], "wait", False, "agreed"), (["agree", "object"], "wait", False, "heard"),
        (["object", None], "agree", True, "heard"), (["object", None], "agree", False, None),
        (["veto", None], "wait", False, "stopped"), (["object", "veto"], "lapse", True, "stopped"),
    ],
)  # fmt: skip
def test_what_a_consultation_comes_to(said, silence, late, came):
    assert rules.outcome([voice(each) for each in said], silence, late) == came


def test_a_form_keeps_what_fits_its_fields_and_says_what_does_not():
    form = rules.form_of(
        "asker.name!:text:名称|Name；asker.n:数字:数；asker.on:日期:日；提出方.way:选项(甲/乙):办法；asked.ok:是否:行"
    )
    given = {"name": " 甲 ", "n": "1,200", "on": "2026年2月15日", "way": "乙"}
    read = rules.filled(form, "asker", given)
    assert read == {"name": "甲", "n": 1200, "on": "2026-02-15", "way": "乙"}
    assert rules.filled(form, "asked", {"ok": "是"}) == {"ok": True}
    assert rules.form_of(rules.form_told(form)) == form
    with pytest.raises(FieldMissing):
        rules.filled(form, "asker", {"name": "  "})
    for wrong in ({"n": "-1"}, {"n": "nan"}, {"on": "2026-02-30"}, {"way": "丙"}, {"name": "长" * 501}):
        with pytest.raises(FieldWrong):
            rules.filled(form, "asker", {"name": "甲"} | wrong)
    with pytest.raises(FieldUnknown):
        rules.filled(form, "asker", {"name": "甲", "ok": "是"})  # that is not the asker's to say


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("甲,规划编制,甲,街道,社区,", "VetoUnasked"), ("甲,规划编制,甲,谁,,", "NotOneOf"),
        ("甲,规划编制,甲,街道,,asker.x", "FieldUnreadable"),
        ("甲,规划编制,甲,街道,,asker.x:choice:无", "FieldUnreadable"),
        ("甲,规划编制,甲,街道,,\n甲,项目验收,乙,街道,,", "KindNamedTwice"),
        ("甲,规划编制,甲,街道,,asker.x:text:一；asker.x:text:二", "FieldUnreadable"),
    ],
)  # fmt: skip
def test_a_table_of_kinds_says_what_is_wrong_with_it(row, reason):
    told = sheet.read(f"code,sphere,name_zh,asks,vetoes,form\n{row}\n".encode(), "kinds.csv", rules.KINDS)
    with pytest.raises(sheet.BadSheet) as refused:
        told.accepted(rules.faults(told.rows))
    assert type(refused.value.errors[0].reason).__name__ == reason


def test_the_sample_table_names_27_kinds_of_plans_and_acceptances_and_3_of_decisions():
    path = SAMPLE_MAPS / "consultation_kinds.csv"
    told = sheet.read(path.read_bytes(), path.name, rules.KINDS)
    spheres = [row["sphere"] for row in told.accepted(rules.faults(told.rows))]
    assert spheres.count("plan") + spheres.count("acceptance") == 27
    assert spheres.count("decision") == 3
    stopped = {row["sphere"] for row in told.rows if row["vetoes"]}
    assert stopped == {"plan", "acceptance", "decision", "appointment", "boundary"}


# ---- on PostGIS ------------------------------------------------------------------------------------------


def person(session, username: str, role: Role, body: str | None, code: str = STREET) -> Actor:
    opened = account_service.open_account(
        session, username, username, "a long enough password", [Grant(role, code)], body=body
    )
    return accounts.actor_of(opened)


def bring(session, table: str, effective: date) -> dict[str, str]:
    read = sheet.read(table.encode(), "kinds.csv", rules.KINDS)
    return dict(service.import_kinds(session, SYSTEM, read, effective))


@pytest.fixture(scope="module")
def world(engine, tmp_path_factory) -> Iterator[dict[str, Actor]]:
    """The little district with kinds of consultations, and who works there, once for all tests of this file."""
    codes = {Role.GRID_MEMBER: f"{WEST}001", Role.COMMUNITY_CLERK: WEST}
    names = {
        "leader": Role.STREET_LEADER, "clerk": Role.COMMUNITY_CLERK, "centre": Role.COMMAND_CENTRE,
        "planner": Role.PLANNER, "member": Role.GRID_MEMBER, "admin": Role.ADMIN,
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings(), "home", tmp_path_factory.mktemp("home"))
        with db.transaction(engine) as session:
            hierarchy.load(session, little_district(), date(2026, 1, 1), "首版")
            bring(session, KINDS, date(2026, 1, 1))
            found = {
                name: person(session, name, role, None, codes.get(role, STREET))
                for name, role in names.items()
            }
            found["east"] = person(session, "east", Role.COMMUNITY_CLERK, None, EAST)
            for name in ("规划局", "组织部"):
                found[name] = person(session, name, Role.DEPARTMENT_HANDLER, name)
        yield found


@pytest.fixture
def people(world, session) -> dict[str, Actor]:
    return world


@pytest.fixture
def desk(session) -> Desk:
    return Desk(session, None)


@pytest.fixture
def asked(desk, people):
    """Ask about something on Monday at nine, eight hours to answer."""

    def ask(kind: str, *whom: str, by: str = "规划局", about: str = "", at: float = 0, **told):
        asking = Asking(**{"title": "荷花池游园"} | told)
        return desk.at(after(at), lambda: service.ask(desk.session, people[by], kind, about, whom, asking))

    return ask


@pytest.fixture
def say(desk, people):
    def speak(who: str, found, said: str, reason: str = "", at: float = 1, **more):
        verb = partial(service.say, desk.session, people[who], found.id, Said(said), reason, **more)
        return desk.at(after(at), verb)

    return speak


def told_of(session, actor: Actor) -> list[str]:
    rows = session.scalars(select(Notice.kind).where(Notice.account_id == actor.id).order_by(Notice.id))
    return [each for each in rows if each.startswith("consult")]


def parties(session, found) -> dict[str, object]:
    return {each.name: each for each in queries.parties(session, [found.id])[found.id]}


@pytest.mark.db
def test_those_concerned_are_asked_and_all_agreeing_ends_it(desk, people, asked, say):
    found = asked("plan.park", f"{WEST}001", facts={"project": "游园"})
    assert [(each.who, each.code, each.may_veto) for each in parties(desk.session, found).values()] == [
        ("street", STREET, True), ("community", WEST, False),
    ]  # fmt: skip
    assert (found.code, found.facts, clock.local(found.due_at).hour) == (STREET, {"project": "游园"}, 17)
    assert told_of(desk.session, people["leader"]) == ["consulted"]
    assert told_of(desk.session, people["clerk"]) == ["consulted"]
    assert told_of(desk.session, people["east"]) == []
    say("clerk", found, "object", "占用晾晒场")
    say("clerk", found, "agree", at=2)  # settled meanwhile
    assert found.state == Standing.OPEN
    say("leader", found, "agree", at=3)
    assert (found.state, found.ended_at) == (Standing.AGREED, after(3))
    assert told_of(desk.session, people["规划局"])[-3:] == ["consult_said", "consult_said", "consult_ended"]
    said = [each.deed for each in queries.words(desk.session, found.id)]
    assert said == ["ask", "object", "agree", "agree", "end"]
    with pytest.raises(OverAlready):
        say("leader", found, "veto", "晚了", at=4)
    with pytest.raises(DBAPIError, match="append-only"):
        desk.session.execute(text("UPDATE consultation_word SET note = ''"))


@pytest.mark.db
def test_a_veto_stops_it_at_once_and_it_is_asked_about_anew(desk, people, asked, say):
    heard = []
    reactions = REACTIONS | {ConsultationEnded: [lambda _session, event: heard.append(event)]}
    found = asked("boundary", WEST, EAST, by="planner", about="plan:12")
    with pytest.raises(StillRunning):
        queries.check_consulted(desk.session, "boundary", "plan:12")
    with pytest.raises(AskedAlready):
        asked("boundary", WEST, by="planner", about="plan:12", at=1)
    with pytest.raises(ReasonNeeded):
        say("leader", found, "veto", "  ")
    with clock.travel(after(2)):
        service.say(desk.session, people["leader"], found.id, Said.VETO, "割裂了院落")
    drain(desk.session, reactions)
    assert heard == [ConsultationEnded(found.id, "boundary", "plan:12", Standing.STOPPED)]
    assert "consult_against" in told_of(desk.session, people["planner"])
    with pytest.raises(Vetoed, match="割裂了院落"):
        queries.check_consulted(desk.session, "boundary", "plan:12")

    again = asked("boundary", WEST, EAST, by="planner", about="plan:12", at=30)
    assert (again.round, queries.rounds(desk.session, people["planner"], again)) == (2, [found])
    for who in ("leader", "clerk", "east"):
        say(who, again, "agree", at=31)
    assert queries.check_consulted(desk.session, "boundary", "plan:12") is again
    with pytest.raises(NotConsulted):
        queries.check_consulted(desk.session, "boundary", "plan:13")
    with pytest.raises(OwnSubject):
        rules.check_subject("plan:13")


@pytest.mark.db
def test_silence_is_reminded_of_and_counts_as_the_terms_say(desk, people, asked, say):
    agree = asked("plan.park", WEST, facts={"project": "游园"})
    wait = asked("decide.policy", STREET, "组织部")
    lapse = asked("accept.lift", WEST)

    def serve(hours: float) -> int:
        return desk.at(after(hours), lambda: service.serve_due(desk.session))

    assert serve(3) == 0
    assert serve(4) == 3
    assert serve(5) == 0  # reminded once
    assert told_of(desk.session, people["leader"])[-2:] == ["consult_remind", "consult_remind"]
    say("leader", wait, "agree", at=6)
    assert serve(8) == 3
    assert serve(9) == 0
    assert [each.state for each in (agree, wait, lapse)] == ["agreed", "open", "lapsed"]
    assert parties(desk.session, agree)["甲社区"].silent
    assert told_of(desk.session, people["组织部"])[-1] == "consult_late"
    say("组织部", wait, "object", "职责不清", at=10)  # late, and still heard
    assert wait.state == Standing.HEARD
    figures = {each.sphere: each for each in queries.figures(desk.session, SYSTEM, after(-1), after(1))}
    assert (figures["decision"].heard, figures["decision"].due, figures["decision"].in_time) == (1, 2, 1)
    with clock.travel(after(12)):
        figures = {each.sphere: each for each in queries.figures(desk.session, SYSTEM, after(-1), after(1))}
        answering = {
            each.name: each for each in queries.answerings(desk.session, SYSTEM, after(-1), after(1))
        }
    assert (figures["plan"].due, figures["plan"].share_in_time) == (2, 0)
    assert (answering["组织部"].silent, answering["组织部"].objected, answering["组织部"].in_time) == (
        1,
        1,
        0,
    )


@pytest.mark.db
def test_only_whose_answer_it_is_gives_it(desk, people, asked, say):
    found = asked("accept.lift", WEST, STREET, by="leader")
    assert len(parties(desk.session, found)) == 2  # two communities, and by the same names their residents
    assert len(queries.parties(desk.session, [found.id])[found.id]) == 4
    with pytest.raises(WhichParty):
        say("clerk", found, "agree")
    both = {
        each.who: each for each in queries.parties(desk.session, [found.id])[found.id] if each.code == WEST
    }
    with pytest.raises(FieldMissing):
        say("clerk", found, "agree", party_id=both["residents"].id)
    with pytest.raises(NoVeto):
        say("clerk", found, "veto", "不行", party_id=both["community"].id)
    with pytest.raises(NotYoursToAnswer):
        say("east", found, "agree", party_id=both["community"].id)
    with pytest.raises(NotYoursToAnswer):
        say("centre", found, "agree")
    with pytest.raises(NotGranted):
        say("member", found, "agree")
    say("admin", found, "agree", party_id=both["community"].id)  # on record under the administrator's name
    said = say("clerk", found, "veto", "三户反对", party_id=both["residents"].id, answers={"agree": "9"})
    assert said.state == Standing.STOPPED
    figures = queries.figures(desk.session, SYSTEM, after(-1), after(1))
    assert (figures[0].stopped, figures[0].vetoes, figures[0].parties) == (1, 1, 4)


@pytest.mark.db
def test_what_is_about_a_person_is_for_those_concerned_alone(desk, people, asked, say):
    found = asked("post.head", STREET, by="组织部", title="王某某拟任站长", facts={"person": "王某某"})
    for who in ("leader", "组织部", "centre", "admin"):
        assert queries.consultation(desk.session, people[who], found.id) is found
    for who in ("clerk", "planner", "member", "规划局", "east"):
        with pytest.raises(UnknownConsultation):
            queries.consultation(desk.session, people[who], found.id)
        assert queries.page(desk.session, people[who], Search(), 9) == []
        assert queries.figures(desk.session, people[who], after(-1), after(1)) == []
    assert queries.counts(desk.session, people["leader"]) == {"open": 1, "ours": 1}
    say("leader", found, "veto", "王某某作风粗暴")
    leaked = select(Notice.id).where(Notice.details["note"].astext.contains("王某某"))
    assert desk.session.scalars(leaked).all() == []
    names = select(Notice.id).where(Notice.details["title"].astext.contains("王某某"))
    assert desk.session.scalars(names).all() == []


@pytest.mark.db
def test_what_cannot_be_asked(desk, people, asked):
    for whom, kind, problem in (
        ((), "plan.park", NobodyToAsk), (("没有这个部门",), "plan.park", NobodyOfThat),
        ((WEST,), "plan.bridge", UnknownConsultationKind), (("510199",), "plan.park", NobodyOfThat),
    ):  # fmt: skip
        with pytest.raises(problem):
            asked(kind, *whom, facts={"project": "甲"})
    with pytest.raises(TitleMissing):
        asked("plan.park", WEST, title=" ", facts={"project": "甲"})
    with pytest.raises(FieldMissing):
        asked("plan.park", WEST)
    with pytest.raises(NotGranted):
        asked("plan.park", WEST, by="member", facts={"project": "甲"})
    with pytest.raises(OutsideGrant):
        asked("plan.park", WEST, by="clerk", facts={"project": "甲"})  # the street is asked too
    advice = asked("decide.policy", "组织部", by="leader", area=STREET)  # the street asks a department
    assert (advice.code, list(parties(desk.session, advice))) == (STREET, ["组织部"])


@pytest.mark.db
def test_the_asker_replies_to_objections_or_withdraws(desk, people, asked, say):
    found = asked("plan.park", WEST, facts={"project": "游园"})
    say("clerk", found, "object", "占用晾晒场")
    clerk, leader = parties(desk.session, found)["甲社区"], parties(desk.session, found)["荷花池街道"]

    def reply(by: str, party, adopted: bool, note: str = "") -> None:
        desk.at(after(2), lambda: service.reply(desk.session, people[by], found.id, party.id, adopted, note))

    with pytest.raises(NothingToReply):
        reply("规划局", leader, True)
    with pytest.raises(ReasonNeeded):
        reply("规划局", clerk, False)
    with pytest.raises(NotTheAsker):
        reply("planner", clerk, True)
    reply("规划局", clerk, True, "保留晾晒场")
    assert (clerk.adopted, told_of(desk.session, people["clerk"])[-1]) == (True, "consult_replied")
    desk.at(after(3), lambda: service.withdraw(desk.session, people["规划局"], found.id, "方案重做"))
    assert found.state == Standing.WITHDRAWN
    again = asked("plan.park", WEST, facts={"project": "游园"}, again_of=found.id, at=4)
    assert (again.subject_ref, again.round) == (f"consultation:{found.id}", 2)
    with pytest.raises(StillRunning):
        asked("plan.park", WEST, facts={"project": "游园"}, again_of=again.id, at=5)


@pytest.mark.db
def test_files_go_with_answers_and_only_ones_own(desk, people, asked, say):
    mine, other = (
        attachments.store(desk.session, people[who], "会议纪要.jpg", picture(60, 40)).sha256
        for who in ("clerk", "leader")
    )  # fmt: skip
    found = asked("plan.park", WEST, facts={"project": "游园"})
    with pytest.raises(UnknownFile):
        say("clerk", found, "agree", files=[{"sha256": other}])
    with pytest.raises(UnknownFile):
        say("clerk", found, "agree", files=[{"sha256": "0" * 64}])
    desk.session.refresh(found)
    say("clerk", found, "agree", files=[{"sha256": mine, "name": "../纪要.jpg"}])
    (held,) = (each for files in queries.files(desk.session, found.id).values() for each in files)
    assert (held.sha256, held.name) == (mine, "纪要.jpg")
    assert queries.attached(desk.session, [mine, other]) == {mine}
    stranger = Actor(None, "外区", (Grant(Role.COMMUNITY_CLERK, "510106002001"),))
    assert queries.shown_file(desk.session, stranger, mine) is None
    assert queries.shown_file(desk.session, people["leader"], mine) is not None


@pytest.mark.db
def test_running_consultations_go_on_with_the_heirs_of_units(desk, people, asked, say):
    ended = asked("plan.park", EAST, facts={"project": "游园"})
    say("leader", ended, "veto", "不行")
    found = asked("plan.park", EAST, facts={"project": "游园"})
    service.follow_units(desk.session, {})
    service.follow_units(desk.session, {EAST: WEST})
    codes = [{name: each.code for name, each in parties(desk.session, one).items()} for one in (ended, found)]
    assert [each["乙社区"] for each in codes] == [EAST, WEST]  # what is over stays as it was
    say("clerk", found, "agree")
    assert parties(desk.session, found)["乙社区"].said == "agree"


@pytest.mark.db
def test_terms_hold_from_their_day_and_names_follow(desk, people, asked):
    before = asked("decide.policy", STREET, "组织部")
    changed = KINDS.replace(
        "decide.policy,重大决策,公共政策,街道；部门,街道,8",
        "decide.policy,重大决策,公共政策,街道；部门,街道,2",
    )
    fates = bring(desk.session, changed.replace("accept.lift", "accept.roof"), date(2026, 9, 8))
    assert fates == {
        "plan.park": "unchanged", "accept.roof": "added", "decide.policy": "changed", "post.head": "unchanged",
        "accept.lift": "removed",
    }  # fmt: skip
    assert [each.amount for each in queries.terms_ever(desk.session, "decide.policy")] == [2, 8]
    asked("accept.lift", WEST, by="leader")  # on Monday it still stands
    after_it = asked("decide.policy", STREET, "组织部", at=24)
    assert (before.due_at, after_it.due_at) == (after(8), after(26))
    with pytest.raises(UnknownConsultationKind):
        asked("accept.lift", WEST, at=24)
    with clock.travel(after(24)):
        assert "boundary" in {each.code for each in queries.kinds(desk.session)}
    service.follow_name(desk.session, "组织部", "区委组织部")
    assert "区委组织部" in parties(desk.session, before)
