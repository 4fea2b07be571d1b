"""C6 征求意见前置、一票否决: plans and decisions hear the street and residents first; a veto stops them."""

from datetime import date
from functools import partial

import pytest
from climbing import after
from little import STREET
from sqlalchemy import select

from gridmgr import sheet
from gridmgr.account import queries as accounts
from gridmgr.account import service as account_service
from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM, Grant
from gridmgr.consultation import queries, rules, service
from gridmgr.consultation.model import Asking, Said, Standing, StillRunning, Vetoed, Who
from gridmgr.notice.model import Notice
from gridmgr.simulation.samples import SAMPLE_MAPS

pytestmark = pytest.mark.db
KINDS = SAMPLE_MAPS / "consultation_kinds.csv"
COMMUNITY = f"{STREET}001"
FACTS = {"project": "荷花池片区 12 幢改造"}


def test_a_plan_is_heard_before_it_is_made_and_a_veto_stops_it(desk, staff):
    """C6: 老旧小区改造先征求街道和居民意见；街道一票否决；修改后重新征求，居民有意见并被采纳，街道同意."""
    session, leader, clerk = desk.session, staff[Role.STREET_LEADER], staff[Role.COMMUNITY_CLERK]
    read = sheet.read(KINDS.read_bytes(), KINDS.name, rules.KINDS)
    service.import_kinds(session, SYSTEM, read, date(2026, 1, 1))
    kinds = queries.kinds(session)
    assert sum(each.sphere in ("plan", "acceptance") for each in kinds) == 27
    assert sum(each.sphere == "decision" for each in kinds) == 3
    opened = account_service.open_account(
        session, "housing", "住建经办", "a long enough password", [Grant(Role.DEPARTMENT_HANDLER, STREET)],
        body="住建局",
    )  # fmt: skip
    housing = accounts.actor_of(opened)

    def ask(title: str, hours: float, **more):
        told = Asking(title, facts=FACTS, **more)
        return desk.at(
            after(hours),
            lambda: service.ask(session, housing, "plan.compounds", "works:7", [COMMUNITY], told),
        )

    def say(actor, found, who: Who, said: Said, hours: float, reason: str = "", **answers):
        (party,) = [each for each in queries.parties(session, [found.id])[found.id] if each.who == who]
        verb = partial(service.say, session, actor, found.id, said, reason, answers, party_id=party.id)
        desk.at(after(hours), verb)
        return party

    def check():
        return queries.check_consulted(session, "plan.compounds", "works:7")

    # The street and the residents are asked before anything is built, and told at once.
    first = ask("老旧小区改造方案", 0)
    for actor in (leader, clerk):
        assert "consulted" in session.scalars(select(Notice.kind).where(Notice.account_id == actor.id)).all()
    with pytest.raises(StillRunning):
        check()

    # The street's veto ends it, though the residents agree: nothing is built by this plan.
    say(clerk, first, Who.RESIDENTS, Said.AGREE, 2, asked=86, agree=80)
    say(leader, first, Who.STREET, Said.VETO, 3, "占用唯一消防通道")
    assert first.state == Standing.STOPPED
    with pytest.raises(Vetoed, match="消防通道"):
        check()

    # Changed, it is asked about again; the residents object to one thing, which is taken up, and it may go on.
    second = ask("老旧小区改造方案（修改）", 30, again_of=first.id)
    assert second.round == 2
    objecting = say(clerk, second, Who.RESIDENTS, Said.OBJECT, 31, "停水安排不明", asked=86, agree=70)
    say(leader, second, Who.STREET, Said.AGREE, 32)
    assert second.state == Standing.HEARD
    desk.at(
        after(33),
        lambda: service.reply(session, housing, second.id, objecting.id, True, "每日停水不超过四小时"),
    )
    assert check() is second
    (figures,) = queries.figures(session, SYSTEM, after(-1), after(48))
    assert (figures.asked, figures.stopped, figures.heard, figures.vetoes) == (2, 1, 1, 1)


def test_a_decision_lapses_in_silence_and_has_to_be_asked_about_again(desk, staff):
    """C6: 事项下放未得到街道答复，视为未征求；催办过，仍须重新征求，不得先行决策."""
    session = desk.session
    read = sheet.read(KINDS.read_bytes(), KINDS.name, rules.KINDS)
    service.import_kinds(session, SYSTEM, read, date(2026, 1, 1))
    told = Asking("户外广告审批下放街道", facts={"basis": "常务会议议题"})
    centre = staff[Role.COMMAND_CENTRE]
    found = desk.at(after(0), lambda: service.ask(session, centre, "decision.handover", "", [STREET], told))
    for hours in (24 * 3 + 1, 24 * 7 + 1):  # three of five working days, and past the fifth
        desk.at(after(hours), lambda: service.serve_due(session))
    kinds = session.scalars(
        select(Notice.kind).where(Notice.account_id == staff[Role.STREET_LEADER].id)
    ).all()
    assert [each for each in kinds if each.startswith("consult")] == [
        "consulted",
        "consult_remind",
        "consult_ended",
    ]
    assert found.state == Standing.LAPSED
