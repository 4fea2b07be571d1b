"""Verbs of answers: claim a key, keep the answer, forget old ones. They never commit."""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.answered.model import Answered, KeyReused, OtherBody, StillAnswering
from gridmgr.settings import settings

PATIENCE = "10s"  # how long a twin waits for the first one's transaction to end
LONGEST = 256 * 1024  # a longer body is not kept, only status and headers


def claim(session: Session, actor: Actor, key: str, request: str, fingerprint: bytes) -> Answered:
    """Return the answer given under that key before, or a new row without a status: the work is ours.

    A twin that comes while the first one works waits for its transaction to end.

    Raises
    ------
    KeyReused, OtherBody
        The key belongs to a request that was not this one.
    StillAnswering
        The first one takes longer than a twin waits.
    """
    values = {
        "account_id": actor.id, "key": key, "request": request, "fingerprint": fingerprint,
        "headers": {}, "at": clock.now(),
    }  # fmt: skip
    asked = insert(Answered).values(values).on_conflict_do_nothing().returning(Answered)
    session.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE}'"))
    try:
        ours = session.scalar(asked)
    except OperationalError as waited:
        raise StillAnswering(key=key) from waited
    session.execute(text("SET LOCAL lock_timeout TO DEFAULT"))
    if ours is not None:
        return ours
    return _checked(_given(session, actor, key), request, fingerprint)


def _given(session: Session, actor: Actor, key: str) -> Answered:
    """Return the row that stood in the way of ours; raises StillAnswering if it has just been forgotten."""
    found = session.scalar(select(Answered).where(Answered.account_id == actor.id, Answered.key == key))
    if found is None:
        raise StillAnswering(key=key)
    return found


def _checked(given: Answered, request: str, fingerprint: bytes) -> Answered:
    if given.request != request:
        raise KeyReused(key=given.key, request=given.request)
    if given.fingerprint != fingerprint:
        raise OtherBody(key=given.key, request=given.request)
    return given


def keep(
    session: Session, claimed: Answered, status: int, headers: Mapping[str, str], body: bytes | None
) -> None:
    """Write the answer on its row; a body too long to keep is left out."""
    claimed.status, claimed.headers = status, dict(headers)
    claimed.body = body if body is not None and len(body) <= LONGEST else None


def release(session: Session, claimed: Answered) -> None:
    """Give a key back whose request was refused: it may be tried again."""
    session.delete(claimed)


def forget_old(session: Session) -> int:
    """Forget answers older than the setting says; returns how many."""
    before = clock.now() - timedelta(hours=settings().answer_hours)
    return session.execute(delete(Answered).where(Answered.at < before)).rowcount
