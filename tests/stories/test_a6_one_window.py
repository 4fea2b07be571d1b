"""A6 一窗联办: stations approve together, so no permit today and a stop order tomorrow."""

from datetime import date

import pytest
from climbing import after
from little import STREET
from sqlalchemy import func, select

from gridmgr.account import queries as accounts
from gridmgr.account import service as account_service
from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM, Grant
from gridmgr.category import queries as categories
from gridmgr.category import rules as tables
from gridmgr.category import service as matters
from gridmgr.coapproval import queries, service
from gridmgr.coapproval.model import Application, Deed, PermitKind, Said, Standing, StillObjected
from gridmgr.life.model import Action, Source
from gridmgr.notice.model import Notice
from gridmgr.supervision.model import SupervisionOrder

pytestmark = pytest.mark.db
HOUSE = f"{STREET}00100001"
STATION = "市场监管所"
SEVEN = ("综合执法大队", "住建局", "消防救援大队", "生态环境局", "公安分局", "市政管理所", "燃气管理办")
TABLE = (
    "code,kind,group_zh,group_en,name_zh,name_en,department,severity,limit_amount,limit_unit,"
    "filing_condition,closing_condition",
    f"D00,event,门面,Front,无证经营,Unlicensed trade,{STATION},1,4,working_hours,,",
    *(
        f"D{n:02},event,门面,Front,事项{n},Matter {n},{body},1,4,working_hours,,"
        for n, body in enumerate(SEVEN, start=1)
    ),
)


@pytest.fixture
def window(desk, staff):
    """A station, and seven departments whose matters a shop's front touches, each with somebody on the street."""
    matters.publish(desk.session, "门面事项", date(2026, 2, 1), tables.parse(TABLE))
    desk.session.add(
        PermitKind(
            name="门头装修", name_en="Shop front", prefixes=["D"], amount=2, unit="working_days", silence="wait"
        )
    )  # fmt: skip
    desk.session.flush()
    people = {}
    for n, body in enumerate((STATION, *SEVEN)):
        opened = account_service.open_account(
            desk.session, f"body{n}", f"经办{n}", "a long enough password",
            [Grant(Role.DEPARTMENT_HANDLER, STREET)], body=body,
        )  # fmt: skip
        people[body] = accounts.actor_of(opened)
    return people


def test_no_permit_today_and_stop_order_tomorrow(desk, staff, window):
    """A6 一窗联办: 七个部门同时征求意见；消防不同意，不得准予；整改后准予；第二天没有停工通知."""
    station = window[STATION]
    told = Application("门头装修", "老张面馆", "更换门头，宽 4 米", HOUSE)
    approval = desk.at(after(0), lambda: service.ask(desk.session, station, told))
    opinions = queries.opinions(desk.session, [approval.id])[approval.id]
    assert {each.body for each in opinions} == set(SEVEN)  # asked together, the station itself not
    for body in SEVEN:
        asked = select(Notice.kind).where(Notice.account_id == window[body].id)
        assert desk.session.scalars(asked).all() == ["opinion_asked"]

    # Six agree, one of them with a condition; the fire brigade objects, and that stops the permit.

    def say(body: str, said: Said, note: str = "", hours: float = 2) -> None:
        desk.at(after(hours), lambda: service.say(desk.session, window[body], approval.id, said, note))

    for body in SEVEN:
        if body == "公安分局":
            say(body, Said.CONDITIONS, "22 点后停止施工")
        elif body == "消防救援大队":
            say(body, Said.OBJECT, "门头遮挡消火栓")
        else:
            say(body, Said.AGREE)

    def grant(hours: float) -> None:
        desk.at(after(hours), lambda: service.decide(desk.session, station, approval.id, Deed.GRANT))

    with pytest.raises(StillObjected, match="消防救援大队"):
        grant(3)
    assert approval.state == Standing.OPEN

    # The front is drawn anew; the fire brigade agrees on a condition, and the permit is given.
    say("消防救援大队", Said.CONDITIONS, "门头上移 50 厘米，消火栓前 2 米不得占用", 5)
    grant(6)
    assert approval.state == Standing.GRANTED
    assert "消火栓前 2 米不得占用" in approval.conditions
    assert "22 点后停止施工" in approval.conditions

    # The day after, a neighbour complains of the works: whoever would send enforcement sees what is permitted.
    fire = categories.by_code(desk.session, "D03").id
    case = desk.report(after(24), column=0.5, row=0.5, category_id=fire, source=Source.RESIDENT)
    (permit,) = queries.permits_for(desk.session, staff[Role.STREET_DISPATCHER], case)
    assert (permit.id, permit.applicant) == (approval.id, "老张面馆")
    desk.move(case, after(25), Action.VOID, staff[Role.STREET_DISPATCHER], note="已联办准予，条件均已落实")
    assert case.handler is None
    assert desk.session.scalar(select(func.count()).select_from(SupervisionOrder)) == 0

    figures = queries.figures(desk.session, SYSTEM, after(-1), after(48))
    assert (figures.asked, figures.settled, figures.granted) == (1, 1, 1)
    assert figures.mean_hours == pytest.approx(6)
    (objected,) = [
        each for each in queries.sayings(desk.session, SYSTEM, after(-1), after(48)) if each.objected
    ]
    assert (objected.body, objected.objects, objected.conditions) == ("消防救援大队", 0, 1)
