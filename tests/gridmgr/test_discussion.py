"""What is said of a case: written once, seen by those who see it, told to those who are named."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from gridmgr import sheet
from gridmgr.account.rules import SYSTEM, Role
from gridmgr.discussion import queries, rules, service
from gridmgr.discussion.model import NothingSaid, SaidTooMuch, UnknownPhrase
from gridmgr.events import drain
from gridmgr.incident.model import UnknownIncident
from gridmgr.intake import service as intake
from gridmgr.notice.model import Notice
from gridmgr.reactions import REACTIONS
from gridmgr.sheet import BadSheet

pytestmark = pytest.mark.db


def test_those_named_who_may_see_the_case_are_told_and_nobody_else(district, told, staff):
    far = intake.report(district, SYSTEM, told(2.1))  # outside the grid member's micro-grid
    drain(district, REACTIONS)
    clerk, member = staff[Role.STREET_DISPATCHER], staff[Role.GRID_MEMBER]
    said = "@department_handler 请看，@grid_member 看不到，@无此人 @street_dispatcher"
    service.comment(district, clerk, far.number, said)
    drain(district, REACTIONS)
    told_to = district.scalars(select(Notice.account_id).where(Notice.kind == "mentioned")).all()
    assert told_to == [staff[Role.DEPARTMENT_HANDLER].id]
    with pytest.raises(UnknownIncident):
        service.comment(district, member, far.number, "看不到的案件")


def test_a_comment_has_words_and_not_too_many(district, told):
    case = intake.report(district, SYSTEM, told())
    for said, problem in (("  \n", NothingSaid), ("长" * 2001, SaidTooMuch)):
        with pytest.raises(problem):
            service.comment(district, SYSTEM, case.number, said)
    assert queries.comments(district, case.id) == []


@pytest.mark.parametrize(
    "statement", ["UPDATE incident_comment SET text = ''", "DELETE FROM incident_comment"]
)
def test_what_was_said_was_said(district, told, statement):
    case = intake.report(district, SYSTEM, told())
    service.comment(district, SYSTEM, case.number, "已通知物业")
    with pytest.raises(DatabaseError), district.begin_nested():
        district.execute(text(statement))


def test_phrases_for_a_category_come_before_those_for_all(session):
    table = "步骤,类别编码,用语\nfeed_back,,已处置\nfeed_back,S01,已清理\nfeed_back,B,已修复\n".encode()
    read = sheet.read(table, "常用语.csv", rules.PHRASES)
    assert service.import_phrases(session, read) == 3
    assert service.import_phrases(session, read) == 0
    assert [each.text for each in rules.fitting(queries.phrases(session), "S0102")] == ["已清理", "已处置"]
    with pytest.raises(BadSheet, match="no step"):
        bad = sheet.read("步骤,用语\n吃饭,好\n".encode(), "a.csv", rules.PHRASES)
        service.import_phrases(session, bad)
    with pytest.raises(UnknownPhrase):
        service.drop_phrase(session, 10**6)
