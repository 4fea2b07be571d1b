"""Who is told what, by which way; nothing of a fact rolled back, and intake never waits for a way out."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select, text, update

from gridmgr import clock, db, i18n, words
from gridmgr.account import service as accounts
from gridmgr.account.model import Account
from gridmgr.account.queries import actor_of
from gridmgr.account.rules import Actor, Grant, Role
from gridmgr.notice import queries, rules, service
from gridmgr.notice.model import (
    BadAddress,
    BadUrl,
    Delivery,
    Kind,
    Message,
    NoAddress,
    NoMail,
    Notice,
    Progress,
    UnknownNotice,
    Way,
)
from gridmgr.notice.queries import Inbox
from gridmgr.settings import settings

CASE = {
    "number": "202611270000042", "category_zh": "暴露垃圾", "category_en": "Exposed rubbish",
    "place": "荷花路 1 号", "due": "2026-11-30T03:30:00+00:00",
}  # fmt: skip


def person(session, username: str, role: Role = Role.COMMUNITY_CLERK) -> Actor:
    """Open an account and return its actor."""
    return actor_of(
        accounts.open_account(session, username, username, "a long enough password", [Grant(role, "")])
    )


@pytest.fixture
def li(session) -> Actor:
    """A clerk."""
    return person(session, "li")


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail server is set up (and nobody asks it anything)."""
    monkeypatch.setattr(settings(), "smtp_url", "smtp://mail.example:25")


def inbox(session, actor: Actor, **narrow) -> list[Notice]:
    """Return the first page of an inbox."""
    return list(queries.page(session, actor, Inbox(**narrow), 50))


def unread(session, actor: Actor) -> int:
    """Return what the badge says."""
    return queries.unread(session, [actor.id])[actor.id]


def deliveries(session, way: Way) -> list[Delivery]:
    """Return all deliveries by a way."""
    return list(session.scalars(select(Delivery).where(Delivery.way == way).order_by(Delivery.id)))


# ---- words ---------------------------------------------------------------------------------------


def test_every_kind_has_its_words_and_its_usual_way():
    assert set(words.NOTICES) == set(words.NOTICE_KINDS) == set(Kind) == set(rules.KINDS)
    assert set(words.WAYS) == set(Way)
    assert set(words.PROGRESS) == set(Progress)


def test_a_notice_speaks_the_language_of_its_reader():
    with i18n.speaking("zh"):
        assert rules.sentence(Kind.REMIND, CASE | {"share": 0.8}) == (
            "催办：202611270000042 暴露垃圾 的时限已用 80%，办结时限：2026-11-30 11:30"
        )
    with i18n.speaking("en"):
        assert rules.sentence(Kind.REMIND, CASE | {"share": 0.8}) == (
            "202611270000042 Exposed rubbish has used 80% of its time. Due: 2026-11-30 11:30"
        )


def test_what_people_wrote_is_neither_translated_nor_run():
    nasty = "{number.__class__} Closed {0} %s <b>"
    for language in i18n.LANGUAGES:
        with i18n.speaking(language):
            said = rules.sentence(Kind.MENTIONED, {"number": "1", "name": "street", "note": nasty})
            assert nasty in said
            assert "street" in said


@pytest.mark.parametrize("kind", Kind)
def test_a_notice_can_be_said_whatever_details_are_missing(kind):
    for language in i18n.LANGUAGES:
        with i18n.speaking(language):
            assert "{" not in rules.sentence(kind, {})


def test_an_inbox_stays_readable_whatever_is_in_it():
    with i18n.speaking("en"):
        assert rules.sentence("from_tomorrow", CASE) == "from_tomorrow"
        assert "soon" in rules.sentence(Kind.REMIND, {"due": "soon", "share": "half"})


# ---- telling -------------------------------------------------------------------------------------


def test_the_told_find_it_unread_and_read_it_once(session, li):
    wang = person(session, "wang")
    assert service.tell(session, [Message(li.id, Kind.ASSIGNED, None, CASE)]) == 1
    assert (unread(session, li), unread(session, wang)) == (1, 0)
    (notice,) = inbox(session, li)
    assert (notice.kind, notice.important, notice.read_at) == (Kind.ASSIGNED, False, None)
    assert service.read(session, li, [notice.id]) == 1
    assert service.read(session, li, [notice.id]) == 0
    assert unread(session, li) == 0


def test_nobody_reads_another_ones(session, li):
    wang = person(session, "wang")
    service.tell(session, [Message(li.id, Kind.CLOSED, None, CASE)])
    (notice,) = inbox(session, li)
    assert inbox(session, wang) == []
    assert service.read(session, wang, [notice.id]) == 0
    with pytest.raises(UnknownNotice):
        queries.by_id(session, wang, notice.id)


def test_the_same_said_twice_is_told_once_and_a_closed_account_is_told_nothing(session, li):
    gone = person(session, "gone")
    accounts.set_active(session, "gone", False)
    session.flush()
    message = Message(li.id, Kind.REWORK, None, CASE)
    assert service.tell(session, [message, message, Message(gone.id, Kind.REWORK, None, CASE)]) == 1
    assert len(inbox(session, li)) == 1


def test_telling_nobody_is_no_fault(session):
    assert service.tell(session, []) == 0
    assert service.tell(session, [Message(2**31 - 1, Kind.CLOSED)]) == 0


def test_the_unread_come_first_then_the_newest_page_by_page(session, li):
    for n in range(7):
        service.tell(session, [Message(li.id, Kind.MENTIONED, None, {"number": str(n)})])
    first = inbox(session, li)
    service.read(session, li, [first[0].id, first[3].id, first[6].id])
    session.expire_all()
    pages, after = [], None
    while found := queries.page(session, li, Inbox(), 2, after):
        pages += [notice.details["number"] for notice in found]
        after = queries.place(found[-1])
    assert pages == ["5", "4", "2", "1", "6", "3", "0"]
    assert [each.details["number"] for each in inbox(session, li, fresh=False)] == ["6", "3", "0"]
    assert inbox(session, li, kind=Kind.CLOSED) == []


def test_reading_all_of_a_kind_leaves_the_others(session, li):
    service.tell(session, [Message(li.id, kind, None, CASE) for kind in (Kind.REMIND, Kind.TOLD)])
    assert service.read(session, li, kind=Kind.REMIND) == 1
    assert unread(session, li) == 1
    assert service.read(session, li) == 1


# ---- wishes --------------------------------------------------------------------------------------


def test_without_a_mail_server_no_mail_is_made(session, li):
    service.set_email(session, li, "li@city.example")
    service.tell(session, [Message(li.id, Kind.ASSIGNED, None, CASE)])
    assert deliveries(session, Way.EMAIL) == []
    with pytest.raises(NoMail):
        service.try_email(session, li)


def test_a_mail_goes_to_whoever_wants_it_and_has_an_address(session, li, mail):
    wang, zhao = person(session, "wang"), person(session, "zhao")
    service.set_email(session, li, " li@city.example ")
    service.set_email(session, wang, "wang@city.example")
    service.wish(session, wang, {(Kind.ASSIGNED, Way.EMAIL): False, (Kind.CLOSED, Way.EMAIL): True})
    everybody = [li, wang, zhao]
    for kind in (Kind.ASSIGNED, Kind.CLOSED):
        service.tell(session, [Message(each.id, kind, None, CASE) for each in everybody])
    assert [each.address for each in deliveries(session, Way.EMAIL)] == [
        "li@city.example",
        "wang@city.example",
    ]
    assert [unread(session, each) for each in everybody] == [2, 2, 2]


def test_an_inbox_can_be_spared_except_of_what_is_important(session, li, mail):
    service.set_email(session, li, "li@city.example")
    service.wish(
        session,
        li,
        {(kind, Way.INBOX): False for kind in (Kind.REPORTED, Kind.MENTIONED, Kind.TOLD, Kind.REMIND)},
    )
    service.tell(session, [Message(li.id, kind, None, CASE) for kind in (Kind.REPORTED, Kind.TOLD)])
    assert [notice.kind for notice in inbox(session, li)] == [Kind.TOLD]
    service.tell(session, [Message(li.id, Kind.REMIND, None, CASE, important=True)])
    assert unread(session, li) == 2
    service.tell(session, [Message(li.id, Kind.MENTIONED, None, CASE)])  # by mail only: its notice is read
    assert unread(session, li) == 2
    assert len(deliveries(session, Way.EMAIL)) == 2  # told and mentioned


def test_a_wish_taken_back_leaves_nothing(session, li):
    service.wish(session, li, {(Kind.CLOSED, Way.EMAIL): True, (Kind.DEAD_LETTER, Way.INBOX): False})
    assert queries.wishes(session, li.id) == {("closed", "email"): True}
    service.wish(session, li, {(Kind.CLOSED, Way.EMAIL): False})
    assert queries.wishes(session, li.id) == {}


@pytest.mark.parametrize(
    "address", ["li", "li@", "@city", "a b@c.d", "li@city\nBcc: all@city", "李@城.cn", "a@b..c", "a" * 300]
)
def test_what_is_no_address_is_refused(session, li, address):
    with pytest.raises(BadAddress):
        service.set_email(session, li, address)


def test_an_address_is_changed_and_taken_back(session, li, mail):
    for address, kept in (("li@a", "li@a"), ("li@b.example", "li@b.example"), (" ", None)):
        service.set_email(session, li, address)
        assert queries.email_of(session, li) == kept
    with pytest.raises(NoAddress):
        service.try_email(session, li)


# ---- webhooks ------------------------------------------------------------------------------------


def test_a_fact_is_published_once_to_every_webhook_that_wants_it(session, li):
    wang = person(session, "wang")
    every = service.add_webhook(session, "http://10.0.0.7/hook")
    some = service.add_webhook(session, "https://intranet/hook", [Kind.CLOSED])
    paused = service.add_webhook(session, "http://[::1]:8080/hook")
    service.set_webhook_active(session, paused.id, False)
    service.tell(session, [Message(each.id, Kind.TOLD, None, CASE) for each in (li, wang)])
    service.publish(session, Kind.CLOSED, None, CASE)
    found = [(each.webhook_id, each.fact["kind"]) for each in deliveries(session, Way.WEBHOOK)]
    assert found == [(every.id, "told"), (every.id, "closed"), (some.id, "closed")]
    assert deliveries(session, Way.WEBHOOK)[0].fact["incident"] == CASE["number"]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/", "http://", "//host/x", "javascript:1", "http://user:pw@host/", "http://user@host/",
        "http://host/\nx", "http://城/", "http://host:99999/", "http://a b/", "http://h/" + "x" * 500, "",
    ],
)  # fmt: skip
def test_an_address_no_webhook_can_have_is_refused(session, url):
    with pytest.raises(BadUrl) as refused:
        service.add_webhook(session, url)
    assert "pw" not in str(refused.value)


def test_what_is_removed_is_gone_with_its_deliveries(session):
    hook = service.add_webhook(session, "http://10.0.0.7/hook")
    service.try_webhook(session, hook.id)
    service.remove_webhook(session, hook.id)
    service.remove_webhook(session, hook.id)
    assert deliveries(session, Way.WEBHOOK) == []


# ---- with its fact or not at all, and fast -------------------------------------------------------


def test_a_fact_rolled_back_leaves_no_notice_and_wakes_nobody(own_database):
    engine = db.engine(own_database)
    with db.transaction(engine) as session:
        li = person(session, "li")
        service.add_webhook(session, "http://10.0.0.7/hook")
    with pytest.raises(ZeroDivisionError), db.transaction(engine) as session:
        service.tell(session, [Message(li.id, Kind.TOLD, None, CASE)])
        raise ZeroDivisionError
    with db.transaction(engine) as session:
        assert inbox(session, li) == []
        assert deliveries(session, Way.WEBHOOK) == []
    engine.dispose()


@pytest.mark.parametrize(("readers", "called"), [(2, "by name"), (600, "all")])
def test_open_pages_are_called_when_their_notices_are_committed(own_database, readers, called):
    engine = db.engine(own_database)
    with db.transaction(engine) as session:
        ids = crowd(session, readers)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as ear:
        ear.execute(text("LISTEN notice"))
        with db.transaction(engine) as session:
            service.tell(session, [Message(each, Kind.CLOSED, None, CASE) for each in ids])
        with db.transaction(engine) as session:
            service.prune(session)  # removes nothing: calls nobody
        ear.execute(text("SELECT 1"))
        heard = [note.payload for note in ear.connection.driver_connection.notifies]
    engine.dispose()
    assert heard == [",".join(map(str, ids)) if called == "by name" else called]


def crowd(session, count: int) -> list[int]:
    """Open many accounts at once that nobody can log in to; returns their ids."""
    session.add_all(
        Account(
            username=f"u{n}", name=f"u{n}", password_hash="-", active=True, demo=False, created_at=clock.now()
        )
        for n in range(count)
    )
    session.flush()
    return sorted(session.scalars(select(Account.id)))


@contextmanager
def watched(session) -> Iterator[list[tuple]]:
    """What is asked of the database meanwhile: each statement with its values."""
    asked = []

    def note(connection, cursor, statement, values, *rest):
        asked.append((statement, values))

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(connection, "before_cursor_execute", note)


def test_five_thousand_are_told_with_no_more_statements_than_fifty(session, mail):
    ids = crowd(session, 5000)
    messages = [Message(each, Kind.TOLD, None, CASE | {"share": 1.0, "level": "street"}) for each in ids]
    with watched(session) as few:
        assert service.tell(session, messages[:50]) == 50
    with watched(session) as many:
        assert service.tell(session, messages[50:]) == len(ids) - 50 >= 4950
    assert len(many) <= len(few)
    assert session.scalar(select(func.count()).select_from(Notice)) == len(ids)


def test_the_badge_and_a_page_of_a_full_inbox_are_read_from_an_index(session, li):
    session.execute(
        text("""
            INSERT INTO notice (account_id, kind, details, important, created_at, read_at)
            SELECT :id, 'remind', '{}', false, now(), CASE WHEN n % 3 > 0 THEN now() END
            FROM generate_series(1, 60000) n
        """),
        {"id": li.id},
    )
    session.execute(text("ANALYZE notice"))
    with watched(session) as asked:
        assert unread(session, li) == queries.COUNTED
        last = queries.page(session, li, Inbox(), 50)[-1]
        assert len(queries.page(session, li, Inbox(), 50, queries.place(last))) == 50
    assert len(asked) == 3
    for statement, values in asked:
        plan = session.connection().exec_driver_sql(f"EXPLAIN {statement}", values).scalars().all()
        assert not any("Seq Scan on notice" in line for line in plan), "\n".join(plan)


# ---- pruning -------------------------------------------------------------------------------------


def test_what_was_read_long_ago_is_removed_and_what_was_not_is_kept(session, li, mail):
    service.set_email(session, li, "li@city.example")
    hook = service.add_webhook(session, "http://10.0.0.7/hook")
    told_at = clock.now()  # what the past tells leaves no delivery
    with clock.travel(told_at):
        service.tell(session, [Message(li.id, kind, None, CASE) for kind in (Kind.TOLD, Kind.REMIND)])
        service.read(session, li, kind=Kind.TOLD)
    sent = update(Delivery).where(Delivery.webhook_id == hook.id, Delivery.fact["kind"].astext == "told")
    session.execute(sent.values(state=Progress.SENT))
    with clock.travel(told_at + timedelta(days=179)):
        assert service.prune(session) == 0
    with clock.travel(told_at + timedelta(days=181)):
        assert service.prune(session) == 1
    session.expire_all()
    assert [notice.kind for notice in inbox(session, li)] == [Kind.REMIND]
    assert deliveries(session, Way.EMAIL) == []
    assert [each.fact["kind"] for each in deliveries(session, Way.WEBHOOK)] == ["remind"]
