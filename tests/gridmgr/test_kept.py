"""Lists that hardly ever change are read once by a process, and never shown as they no longer are."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest
from sqlalchemy import Engine, event, inspect, text
from sqlalchemy.orm import Session

from gridmgr import db, kept
from gridmgr.account import service as account_service
from gridmgr.account.model import Role
from gridmgr.account.rules import Grant
from gridmgr.calendar.model import DayKind, SpecialDay
from gridmgr.calendar.queries import calendar_for
from gridmgr.category import queries as matters
from gridmgr.category import service as matters_service
from gridmgr.duty.queries import seats
from gridmgr.policy import queries as policies
from gridmgr.simulation.samples import category_rows

DAY = date(2026, 1, 1)
HOLIDAY = text("INSERT INTO special_day (day, code, kind, name) VALUES ('2026-03-02', '', 'holiday', '')")


@pytest.fixture
def engine(own_database: str) -> Iterator[Engine]:
    """Return an engine on a database with one table of categories."""
    engine = db.engine(own_database)
    with db.transaction(engine) as session:
        matters_service.publish(session, "first", DAY, category_rows())
    yield engine
    engine.dispose()


@contextmanager
def asked(engine: Engine) -> Iterator[list[str]]:
    """Note the statements sent meanwhile."""
    found: list[str] = []

    def note(_connection, _cursor, statement, *_more) -> None:
        found.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


def worked(session: Session) -> bool:
    """Tell whether 2 March 2026, a Monday, is a workday of the district."""
    return calendar_for(session).works_on(date(2026, 3, 2))


def test_the_tables_of_each_list_give_it_a_new_version(engine):
    with db.transaction(engine) as session:
        rows = session.execute(
            text("""
                SELECT relname, encode(tgargs, 'escape') FROM pg_trigger
                JOIN pg_class ON pg_class.oid = tgrelid WHERE tgname = 'renew_list_version'
            """)
        ).all()
    told = {(table, name) for table, rest in rows for name in rest.removesuffix("\\000").split("\\000")}
    assert told == {(table, name) for name, tables in kept.LISTS.items() for table in tables}


def test_a_list_is_read_once_however_many_transactions_need_it(engine):
    with db.transaction(engine) as session:
        first = matters.in_force(session, DAY)
    with asked(engine) as statements, db.transaction(engine) as session:
        assert matters.in_force(session, DAY) is first
        policies.in_force(session)
        matters.by_id(session)
    assert [each for each in statements if "FROM category" in each] == []
    assert (
        sum("list_version" in each for each in statements) <= 2
    )  # one, and one for the policies not yet kept


def test_what_is_kept_belongs_to_no_session(engine):
    with db.transaction(engine) as session:
        assert all(inspect(each).detached for each in matters.in_force(session, DAY))


def test_whoever_writes_a_list_is_seen_by_the_next_transaction(engine):
    with db.transaction(engine) as session:
        assert worked(session)
    with engine.begin() as another_program:
        another_program.execute(HOLIDAY)
    with db.transaction(engine) as session:
        assert not worked(session)
    with engine.begin() as another_program:
        another_program.execute(text("TRUNCATE special_day"))
    with db.transaction(engine) as session:
        assert worked(session)


def test_what_a_transaction_writes_is_its_own_until_it_commits(engine):
    with db.transaction(engine) as ours:
        assert worked(ours)
        ours.add(SpecialDay(day=date(2026, 3, 2), code="", kind=DayKind.HOLIDAY, name=""))
        ours.flush()
        assert not worked(ours)
        with db.transaction(engine) as theirs:
            assert worked(theirs)
    with db.transaction(engine) as session:
        assert not worked(session)


def test_what_is_undone_is_shown_to_nobody(engine):
    with pytest.raises(ZeroDivisionError), db.transaction(engine) as session:
        session.execute(HOLIDAY)
        assert not worked(session)  # read after a write that went past the session
        raise ZeroDivisionError
    with db.transaction(engine) as session:
        assert worked(session)
        with db.rehearsed(session, keep=False):
            session.add(SpecialDay(day=date(2026, 3, 2), code="", kind=DayKind.HOLIDAY, name=""))
            session.flush()
            assert not worked(session)
        assert worked(session)
    with db.transaction(engine) as session:
        assert worked(session)


def test_a_list_that_was_written_while_it_was_read_is_kept_by_nobody(engine):
    with db.transaction(engine) as session:
        worked(session)
        session.info.pop("kept")

        def read(apart: Session) -> int:
            found = apart.scalar(text("SELECT count(*) FROM webhook"))
            with engine.begin() as another_program:
                another_program.execute(
                    text("INSERT INTO webhook VALUES (1, 'https://a', 's', '[]', true, now())")
                )
            return found

        assert kept.kept(session, "webhooks", read) == 0
    with db.transaction(engine) as session:
        assert (
            kept.kept(session, "webhooks", lambda apart: apart.scalar(text("SELECT count(*) FROM webhook")))
            == 1
        )


def test_a_seat_is_there_at_once_and_a_language_changes_none(engine):
    with db.transaction(engine) as session:
        grants = [Grant(Role.GRID_MEMBER, "01")]
        member = account_service.open_account(session, "li", "li", "x" * 12, grants)
        assert seats(session).at([Role.GRID_MEMBER], "0102") == {member.id}
    version = text("SELECT version FROM list_version WHERE list = 'seats'")
    with db.transaction(engine) as session:
        before = session.scalar(version)
        session.execute(text("UPDATE account SET language = 'en'"))
        assert session.scalar(version) == before
        session.execute(text("UPDATE account SET active = false"))
        assert session.scalar(version) != before
    with db.transaction(engine) as session:
        assert seats(session).at([Role.GRID_MEMBER], "0102") == set()
