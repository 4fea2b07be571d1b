"""What is said of a case: written once, seen by those who see it, told to those who are named."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from gridmgr import db, sheet
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


def test_names_are_found_in_running_chinese_and_kept_with_the_comment(district, told, staff):
    case = intake.report(district, staff[Role.GRID_MEMBER], told())
    said = "请@community_clerk核实，@grid_member也看一下，抄送 x@street_dispatcher，@admin2"
    made = service.comment(district, staff[Role.COMMAND_CENTRE], case.number, said)
    assert made.mentions == sorted(staff[role].id for role in (Role.COMMUNITY_CLERK, Role.GRID_MEMBER))
    assert service.comment(district, SYSTEM, case.number, "@" * 2000).mentions == []


def test_a_rehearsed_import_says_what_it_would_do_and_writes_nothing(session):
    read = sheet.read("步骤,用语,英文\nclose,结案,closed\n".encode(), "a.csv", rules.PHRASES)
    with db.rehearsed(session, keep=False):
        assert service.import_phrases(session, read) == 1
    assert queries.phrases(session) == []
    service.set_phrase(session, "close", "", "结案")
    assert service.import_phrases(session, read) == 1  # it has an English text now
    (phrase,) = queries.phrases(session)
    assert (phrase.said("zh"), phrase.said("en")) == ("结案", "closed")
    service.set_phrase(session, "close", "", "结案", "")
    session.expire_all()
    assert queries.phrases(session)[0].en == "closed"


@pytest.mark.parametrize(
    "statement", ["UPDATE incident_comment SET text = ''", "DELETE FROM incident_comment"]
)
def test_what_was_said_was_said(district, told, statement):
    case = intake.report(district, SYSTEM, told())
    service.comment(district, SYSTEM, case.number, "已通知物业")
    with pytest.raises(DatabaseError), district.begin_nested():
        district.execute(text(statement))


def test_phrases_for_a_category_come_before_those_for_all(session):
    table = "步骤,类别编码,用语\nfeed_back,,已处置\nfeed_back,S01,已清理\n".encode()
    table += "feed_back,B,已修复\n".encode() * 2
    read = sheet.read(table, "常用语.csv", rules.PHRASES)
    assert service.import_phrases(session, read) == 3
    assert service.import_phrases(session, read) == 0
    assert [each.zh for each in rules.fitting(queries.phrases(session), "S0102")] == ["已清理", "已处置"]
    with pytest.raises(BadSheet, match="no step"):
        bad = sheet.read("步骤,用语\n吃饭,好\n".encode(), "a.csv", rules.PHRASES)
        service.import_phrases(session, bad)
    with pytest.raises(UnknownPhrase):
        service.drop_phrase(session, 10**6)
