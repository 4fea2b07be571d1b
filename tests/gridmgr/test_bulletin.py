"""Papers on PostGIS: the same for ever, those of one's own area alone, each once on plan, read back as PDF."""

import io
from datetime import date

import pytest
from climbing import MONDAY, after
from little import STREET, little_district
from pypdf import PdfReader
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError

from gridmgr import clock, paper
from gridmgr.account.model import NotGranted, OutsideGrant, Role
from gridmgr.account.rules import SYSTEM
from gridmgr.bulletin import queries, rules, service
from gridmgr.bulletin.model import (
    BeingWritten,
    Bulletin,
    BulletinDue,
    BulletinPlan,
    PeriodRunning,
    PlannedAlready,
    Progress,
    UnknownBulletin,
    WrittenAlready,
)
from gridmgr.digest import queries as digests
from gridmgr.digest import rules as digest_rules
from gridmgr.digest.model import NoSuchSubject, Period, Subject, Target
from gridmgr.digest.rules import span
from gridmgr.hierarchy import service as hierarchy
from gridmgr.hierarchy.model import GridUnit
from gridmgr.i18n import day, speaking
from gridmgr.life.model import Action
from gridmgr.notice.model import Kind, Notice
from gridmgr.scan import service as scan

pytestmark = pytest.mark.db
WEEK = span(Period.WEEK, date(2026, 9, 7))
NEXT = 24 * 7 + 6  # hours from nine o'clock on Monday to Monday afternoon
NAME = "骉龘街道<img src=http://evil.example/x>"
ALARMS = [
    {"day": "2026-09-13", "category_zh": "", "category_en": "", "place": "甲社区", "units": 2, "since": "2026-09-12",
     "observed": 9, "expected": 1.5, "once_in": 1000.0},
]  # fmt: skip
PEOPLE = [
    {"key": "wu", "name": "吴", "body": "", "reports": 1, "steps": 2, "pieces": 0, "met": 1, "missed": 0, "rate": 1.0,
     "hours": 8.0},
]  # fmt: skip
LEADER, CENTRE = Role.STREET_LEADER, Role.COMMAND_CENTRE


@pytest.fixture
def worked(desk, staff):
    """A week of a street with a nasty name: two cases, one closed in time, one left open."""
    desk.session.execute(update(GridUnit).where(GridUnit.code == STREET).values(name=NAME))
    done = desk.report(MONDAY)
    left = desk.report(after(1), lon=104.005, lat=30.005)
    desk.move(left, after(2), Action.ACCEPT)
    for n, action in enumerate(
        (Action.ACCEPT, Action.DISPATCH, Action.HANDLE, Action.FEED_BACK, Action.VERIFY)
    ):
        desk.move(done, after(0.1 * n), action, note="已办")
    desk.move(done, after(1), Action.CLOSE)
    return left


def street(session) -> Target:
    return digests.target(session, Subject.STREET, STREET)


def write(desk, actor, at: float = NEXT, of_time=WEEK, **more) -> Bulletin:
    return desk.at(
        after(at), lambda: service.write(desk.session, actor, street(desk.session), of_time, **more)
    )


def content(session, bulletin: Bulletin, name: str) -> bytes:
    return service.file(session, SYSTEM, bulletin.id, name)[2]


def pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


def test_a_paper_stays_as_it_was_written(desk, staff, worked):
    session, leader = desk.session, staff[LEADER]
    first = write(desk, leader)
    flow = first.content["flow"]
    assert (flow["reported"], flow["closed"], flow["open"]) == (2, 1, 1)
    assert rules.content_hash(first.content) == first.content_hash
    kept = {name: content(session, first, name) for name in queries.files(session, first.id)}
    assert set(kept) == {
        "zh.html", "zh.pdf", "map.html", "days.png", "counts.png", "cases.png", "hotspots.png",
    }  # fmt: skip
    desk.move(worked, after(NEXT + 1), Action.VOID, note="误报")
    with pytest.raises(WrittenAlready):
        write(desk, leader, NEXT + 2)
    again = write(desk, leader, NEXT + 2, why="补充说明")
    later = write(desk, leader, NEXT + 3, why="按现在掌握的情况", known_now=True)
    same = {name: value for name, value in again.content.items() if name != "data"}
    assert same == {name: value for name, value in first.content.items() if name != "data"}
    assert later.content["flow"]["open"] == 0
    assert [each.issue for each in queries.issues(session, first)] == [1, 2, 3]
    session.expire_all()
    assert {name: content(session, first, name) for name in kept} == kept
    assert rules.content_hash(first.content) == first.content_hash
    for statement in ("UPDATE bulletin SET issue = 9", "DELETE FROM bulletin_file", "TRUNCATE bulletin_file"):
        with pytest.raises(DBAPIError), session.begin_nested():
            session.execute(text(statement))


def test_a_paper_shows_the_best_areas_and_its_content_has_all(desk, staff, worked, monkeypatch):
    monkeypatch.setattr(rules, "MOST_CHILDREN", 1)
    desk.report(after(3), lon=104.025, lat=30.005)  # in the other community
    made = write(desk, staff[LEADER])
    assert len(made.content["children"]) == 2
    assert "另有 1 个" in content(desk.session, made, "zh.html").decode()


def test_a_paper_names_places_as_they_were_called_and_says_what_is_not_of_its_instant(desk, staff, worked):
    session = desk.session
    layers = little_district()
    layers["community"]["name"] = ["改名社区", "乙社区"]
    desk.at(after(24 * 30), lambda: hierarchy.load(session, layers, date(2026, 10, 7), "二版"))
    desk.at(after(24 * 7), lambda: scan.run(session, WEEK.last))
    made = write(desk, SYSTEM, 24 * 60)
    assert made.content["longest"][0]["place"][1] == "甲社区"
    assert made.content["scanned"] == WEEK.last.isoformat()
    quiet = digests.gather(session, street(session), digest_rules.after(WEEK), after(24 * 60))
    assert quiet.content["scanned"] is None
    content_of = made.content | {"alarms": ALARMS, "people": PEOPLE}
    facts = {"issue": 1, "why": "", "writer": "", "written_at": made.written_at}
    with speaking("en"):
        page = rules.typeset(content_of, facts, {})["en.html"][1].decode()
        assert f"scanned up to {day(WEEK.last)}" in page
    assert "Work of people is counted by what was recorded when this was written" in page


def test_the_pdf_is_readable_with_its_fonts_in_it_and_fetches_nothing(desk, staff, worked):
    made = write(desk, staff[LEADER])
    told = pages(content(desk.session, made, "zh.pdf"))
    assert "骉龘街道<img src=http://evil.example/x>" in told[0].replace("\n", "")
    assert "2026年第37周" in told[0]
    assert "本周受理 2 件" in told[0]
    assert min(map(len, told)) > 100
    english = "".join(pages(content(desk.session, made, "en.pdf")))
    assert "2 cases were reported this week" in english
    assert content(desk.session, made, "en.pdf") == content(desk.session, made, "en.pdf")
    reader = PdfReader(io.BytesIO(content(desk.session, made, "zh.pdf")))
    fonts = [font.get_object() for page in reader.pages for font in page["/Resources"]["/Font"].values()]
    assert fonts
    for font in fonts:
        inner = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert {"/FontFile2", "/FontFile3"} & set(inner)
    page = content(desk.session, made, "zh.html").decode()
    assert "<img src=http" not in page
    with pytest.raises(paper.Fetched):
        paper.pdf("<img src='https://evil.example/x.png'>", {})
    with pytest.raises(UnknownBulletin):
        content(desk.session, made, "fr.pdf")


def test_a_paper_is_for_those_who_lead_there(desk, staff, worked):
    session = desk.session
    with pytest.raises(NotGranted):
        write(desk, staff[Role.STREET_DISPATCHER])
    with pytest.raises(OutsideGrant):
        service.want(session, staff[LEADER], Target(Subject.BODY, "住建局", "", "住建局"), WEEK)
    with pytest.raises(PeriodRunning):
        write(desk, SYSTEM, 24)
    with pytest.raises(NoSuchSubject):
        digests.target(session, Subject.STREET, f"{STREET}001")
    made = write(desk, SYSTEM)
    for role in (LEADER, CENTRE, Role.STREET_DISPATCHER):
        assert queries.bulletin(session, staff[role], made.id) is made
    for role in (Role.GRID_MEMBER, Role.COMMUNITY_CLERK, Role.DEPARTMENT_HANDLER, Role.PLANNER):
        with pytest.raises(UnknownBulletin):
            queries.bulletin(session, staff[role], made.id)
        assert queries.page(session, staff[role], queries.Search(), 9) == []
    told = session.scalars(select(Notice.account_id).where(Notice.kind == Kind.BULLETIN)).all()
    assert told == [staff[LEADER].id]


def test_planned_papers_are_written_once_each_and_one_that_fails_says_why(desk, staff, worked):
    session, centre = desk.session, staff[CENTRE]
    of, plan = street(session), service.plan
    desk.at(MONDAY, lambda: plan(session, staff[LEADER], of, Period.WEEK, WEEK.first, ["community_clerk"]))
    with pytest.raises(PlannedAlready):
        desk.at(MONDAY, lambda: plan(session, staff[LEADER], of, Period.WEEK))
    gone = BulletinPlan(
        subject="module", key="77", area=STREET, period="week", since=WEEK.first, tell=[], set_by=None, set_at=MONDAY,
    )  # fmt: skip
    session.add(gone)
    session.flush()
    assert desk.at(after(24 * 7 - 4), lambda: service.call_due(session)) == 0  # Monday, five o'clock
    assert [desk.at(after(24 * 7 - 3 + n), lambda: service.call_due(session)) for n in (0, 1)] == [2, 0]
    with pytest.raises(BeingWritten):
        desk.at(after(NEXT), lambda: [service.want(session, centre, of, WEEK, "x") for _ in range(2)])
    session.execute(text("DELETE FROM bulletin_due WHERE plan_id IS NULL"))
    written = [desk.at(after(NEXT), lambda: service.write_next(session)) for _ in range(3)]
    assert written == [True, True, False]
    dues = {each.subject: each for each in session.scalars(select(BulletinDue))}
    assert (dues["street"].state, dues["module"].state, dues["module"].attempts) == ("written", "waiting", 1)
    assert dues["module"].problem == "没有名为 77 的报告对象。"
    assert session.scalar(select(func.count()).select_from(Bulletin)) == 1
    for n in range(3):
        desk.at(after(NEXT + 24 * (n + 1)), lambda: service.write_next(session))
    assert dues["module"].state == Progress.FAILED
    desk.at(after(NEXT), lambda: service.retry(session, centre, dues["module"].id))
    assert (dues["module"].state, dues["module"].attempts) == (Progress.WAITING, 0)
    ended = desk.at(after(NEXT), lambda: service.end_plan(session, staff[LEADER], gone.id))
    assert ended.ended_at == after(NEXT)
    with clock.travel(after(24 * 15)):
        assert service.call_due(session) == 1  # the street's next week; the other plan is ended


def test_a_plan_asks_for_no_paper_twice_none_of_a_time_without_records_and_for_none_when_it_is_ended(
    desk, staff, worked
):
    session, of = desk.session, street(desk.session)
    plan = desk.at(MONDAY, lambda: service.plan(session, SYSTEM, of, Period.WEEK, date(2026, 8, 3)))[0]
    assert desk.at(after(NEXT), lambda: service.call_due(session)) == 1
    (due,) = session.scalars(select(BulletinDue))
    assert due.first == WEEK.first
    made = write(desk, staff[LEADER])  # somebody was quicker
    assert desk.at(after(NEXT), lambda: service.write_next(session))
    assert (due.state, due.bulletin_id, due.problem) == (Progress.WRITTEN, made.id, "")
    assert desk.at(after(NEXT + 24 * 14), lambda: service.call_due(session)) == 2
    desk.at(after(NEXT + 24 * 14), lambda: service.end_plan(session, SYSTEM, plan.id))
    assert not desk.at(after(NEXT + 24 * 14), lambda: service.write_next(session))
    assert session.scalars(select(BulletinDue)).all() == [due]
