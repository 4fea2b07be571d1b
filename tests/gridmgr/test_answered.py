"""Answers are kept under a key, in the transaction of their work, and forgotten in time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from gridmgr import clock, db
from gridmgr.account import queries as accounts
from gridmgr.account import service as account_service
from gridmgr.account.rules import Actor
from gridmgr.answered import service
from gridmgr.answered.model import Answered, KeyReused, OtherBody, StillAnswering

ASKED = "POST /api/incidents"


@pytest.fixture(scope="module")
def wang(engine: Engine) -> Actor:
    """Return somebody who sends requests."""
    with db.transaction(engine) as session:
        return accounts.actor_of(account_service.open_account(session, "wang", "王芳", "wang" * 3, []))


@pytest.fixture(autouse=True)
def emptied(engine: Engine) -> Iterator[None]:
    """Leave no answers behind."""
    yield
    with db.transaction(engine) as session:
        session.query(Answered).delete()


def test_a_key_belongs_to_one_request_of_one_account(session: Session, wang: Actor):
    other = accounts.actor_of(account_service.open_account(session, "li", "李强", "li" * 6, []))
    claimed = service.claim(session, wang, "k", ASKED, b"1")
    service.keep(session, claimed, 201, {"location": "/api/incidents/1"}, b"{}")
    session.flush()
    again = service.claim(session, wang, "k", ASKED, b"1")
    assert (again.status, again.headers, again.body) == (201, {"location": "/api/incidents/1"}, b"{}")
    with pytest.raises(OtherBody):
        service.claim(session, wang, "k", ASKED, b"2")
    with pytest.raises(KeyReused):
        service.claim(session, wang, "k", "POST /api/imports", b"1")
    assert service.claim(session, other, "k", ASKED, b"2").status is None


def test_a_long_answer_is_kept_without_its_body(session: Session, wang: Actor):
    claimed = service.claim(session, wang, "k", ASKED, b"")
    service.keep(session, claimed, 200, {}, b"x" * service.LONGEST)
    assert claimed.body
    service.keep(session, claimed, 200, {}, b"x" * (service.LONGEST + 1))
    assert claimed.body is None


def twin(engine: Engine, actor: Actor, started: Event) -> int | None:
    """Return the status a twin in another process is answered with; None if the work is its own."""
    with db.transaction(engine) as session:
        started.set()
        return service.claim(session, actor, "k", ASKED, b"1").status


@pytest.mark.parametrize(
    "done", [True, False], ids=["after the first one is done", "after the first one failed"]
)
def test_a_twin_in_another_process_waits_for_the_first(engine: Engine, wang: Actor, done: bool):
    with ThreadPoolExecutor(1) as pool:
        with Session(engine) as first:
            claimed = service.claim(first, wang, "k", ASKED, b"1")
            waiting = pool.submit(twin, engine, wang, started := Event())
            assert started.wait(5)
            with pytest.raises(TimeoutError):
                waiting.result(0.3)
            service.keep(first, claimed, 201, {}, b"")
            first.commit() if done else first.rollback()
        assert waiting.result(5) == (201 if done else None)


def test_a_twin_does_not_wait_for_ever(engine: Engine, wang: Actor, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(service, "PATIENCE", "100ms")
    with Session(engine) as first:
        service.claim(first, wang, "k", ASKED, b"1")
        with pytest.raises(StillAnswering):
            twin(engine, wang, Event())
        first.rollback()


def test_old_answers_are_forgotten(session: Session, wang: Actor, monkeypatch: pytest.MonkeyPatch):
    now = clock.now()
    for key, age in (("old", 49), ("young", 47)):
        monkeypatch.setattr(clock, "now", lambda age=age: now - timedelta(hours=age))
        service.claim(session, wang, key, ASKED, b"")
    monkeypatch.undo()
    assert service.forget_old(session) == 1
    assert session.scalars(select(Answered.key)).all() == ["young"]
