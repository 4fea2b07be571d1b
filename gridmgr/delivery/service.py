"""Verbs of what leaves the house: claim what is due, settle what became of it, replay. They never commit."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from gridmgr import clock, i18n
from gridmgr.account import queries as accounts
from gridmgr.account.model import Account, Role
from gridmgr.delivery import rules
from gridmgr.notice import queries
from gridmgr.notice import rules as notices
from gridmgr.notice import service as notice
from gridmgr.notice.model import (
    UNDELIVERED,
    Delivery,
    Kind,
    Message,
    Notice,
    Outcome,
    Outlet,
    Parcel,
    Progress,
    Silence,
    Way,
    Word,
)
from gridmgr.notice.queries import Log
from gridmgr.settings import settings

ERROR_LIMIT = 500
AGAIN = (Progress.FAILED, Progress.DEAD, Progress.UNSENT)  # what begins again when it is named itself


def claim(session: Session, outlet: Outlet) -> Parcel | None:
    """Take the delivery of an outlet that has been due longest, so that no other worker sends it meanwhile.

    Whoever claims it sends it after this transaction and settles it in another one.
    If nobody does, because the worker died, it is due again after `notices.LEASE`: then it may go twice.
    """
    at = clock.now()
    due = select(Delivery).where(*_at(outlet), Delivery.next_at <= at).order_by(Delivery.next_at).limit(1)
    delivery = session.scalar(due.with_for_update(skip_locked=True))
    if delivery is None:
        return None
    delivery.attempts += 1
    delivery.next_at = at + notices.LEASE
    told = [session.get_one(Notice, delivery.notice_id)] if delivery.notice_id else []
    if delivery.held:
        told = sorted(
            [*told, *_gathered(session, delivery, told[0].account_id, at)], key=lambda each: each.id
        )
    return _packed(session, delivery, outlet, told)


def _at(outlet: Outlet) -> tuple:
    return (
        Delivery.way == outlet.way,
        Delivery.webhook_id.is_not_distinct_from(outlet.webhook_id),
        Delivery.state.in_(UNDELIVERED),
    )


# What was held back for one person and goes by the same way goes in one; whoever is at work on one is left to it.
def _gathered(session: Session, delivery: Delivery, account_id: int, at: datetime) -> list[Notice]:
    """Return the other notices that go with a delivery that was held back, those of an earlier attempt first."""
    others = (
        select(Delivery)
        .join(Notice, Notice.id == Delivery.notice_id)
        .where(
            Notice.account_id == account_id, Delivery.way == delivery.way, Delivery.held, Delivery.id != delivery.id,
            Delivery.state.in_(UNDELIVERED), Delivery.next_at <= at,
        )
        .with_for_update(of=Delivery, skip_locked=True)
    )  # fmt: skip
    for other in session.scalars(others).all():
        other.state, other.merged_into = Progress.MERGED, delivery.id
    session.flush()  # they are read below
    merged = select(Notice).join(Delivery, Delivery.notice_id == Notice.id)
    return list(session.scalars(merged.where(Delivery.merged_into == delivery.id).order_by(Notice.id)))


def _packed(session: Session, delivery: Delivery, outlet: Outlet, told: Sequence[Notice]) -> Parcel:
    same = delivery.id, delivery.attempts, outlet
    if not told:
        hook = queries.webhook(session, delivery.webhook_id)
        with i18n.speaking(settings().language):
            content = rules.fact_text(hook.flavour, delivery.id, delivery.fact, settings().public_url)
        address = hook.url if outlet.way is Way.ROBOT else delivery.address  # a robot's holds its key
        return Parcel(*same, address, content, "", hook.secret, hook.flavour, delivery.address)
    with i18n.speaking(session.get_one(Account, told[0].account_id).language or settings().language):
        if outlet.way is Way.SMS:
            return Parcel(*same, delivery.address, rules.short(told))
        letter = rules.letter(told, settings().public_url)
        return Parcel(*same, delivery.address, letter, subject=rules.subject(told))


def settle(session: Session, parcel: Parcel, outcome: Outcome) -> None:
    """Note what became of a parcel.

    One that was refused is tried again later. If its outlet is silent, all that is due there fails with it,
    and the outlet is left alone for a while; once it answers again, all that failed is due at once.
    """
    if outcome.word is Word.TAKEN:
        _taken(session, parcel)
    else:
        _fail(session, parcel, outcome)


def _taken(session: Session, parcel: Parcel) -> None:
    session.execute(
        update(Delivery)
        .where(Delivery.id == parcel.id, Delivery.state.in_(UNDELIVERED))
        .values(state=Progress.SENT, sent_at=clock.now(), last_error=None)
    )
    if session.execute(delete(Silence).where(Silence.outlet == str(parcel.outlet))).rowcount:
        failed = select(Delivery.id).where(*_at(parcel.outlet), Delivery.state == Progress.FAILED)
        free = failed.with_for_update(skip_locked=True)  # what another worker holds is at work already
        session.execute(update(Delivery).where(Delivery.id.in_(free)).values(next_at=clock.now()))


# The parcel's own attempt was counted when it was claimed. Rows another worker holds are left to it.
_FAIL = text("""
    WITH failing AS (
        SELECT id, attempts + CASE WHEN id = :id THEN 0 ELSE 1 END AS tries
        FROM delivery
        WHERE state IN ('waiting', 'failed')
          AND (id = :id AND attempts = :attempt
               OR :everything AND id <> :id AND way = :way
                  AND webhook_id IS NOT DISTINCT FROM :webhook_id AND next_at <= :at)
        ORDER BY id
        FOR UPDATE SKIP LOCKED
    )
    UPDATE delivery
    SET attempts = tries,
        state = CASE WHEN :final OR tries >= :most THEN 'dead' ELSE 'failed' END,
        last_error = :reason,
        next_at = CAST(:at AS timestamptz) + make_interval(
            secs => least(:longest, :first * power(:growth, tries - 1)) * (0.75 + random() / 2))
    FROM failing
    WHERE failing.id = delivery.id
    RETURNING state
""")


def _fail(session: Session, parcel: Parcel, outcome: Outcome) -> None:
    outlet, silent = parcel.outlet, outcome.word is Word.SILENT
    reason = outcome.reason.replace("\0", "")[:ERROR_LIMIT]
    values = {
        "id": parcel.id, "attempt": parcel.attempt, "everything": silent, "final": outcome.final,
        "way": outlet.way, "webhook_id": outlet.webhook_id, "at": clock.now(), "reason": reason,
        "most": notices.ATTEMPTS, "first": notices.FIRST_PAUSE, "growth": notices.PAUSE_GROWTH,
        "longest": notices.LONGEST_PAUSE,
    }  # fmt: skip
    dead = session.scalars(_FAIL, values).all().count(Progress.DEAD)
    if silent:
        _leave_alone(session, outlet)
    if dead:
        server = urlsplit(settings().smtp_url or "").hostname if silent and outlet.way is Way.EMAIL else None
        address = server or parcel.shown or parcel.address
        details = {"outlet": str(outlet), "address": address, "count": dead, "error": reason}
        _tell_administrators(session, outlet, details)


def _leave_alone(session: Session, outlet: Outlet) -> None:
    """Let nobody try a silent outlet for a while, the longer the more often it was tried in vain."""
    first = {"outlet": str(outlet), "failures": 1, "until": clock.now()}
    again = {"failures": Silence.failures + 1}
    noted = upsert(Silence).values(first).on_conflict_do_update(index_elements=[Silence.outlet], set_=again)
    failures = session.scalar(noted.returning(Silence.failures))
    until = clock.now() + notices.silence(failures)
    session.execute(update(Silence).where(Silence.outlet == str(outlet)).values(until=until))


def _tell_administrators(session: Session, outlet: Outlet, details: Mapping[str, Any]) -> None:
    """Tell of dead letters whoever has no unread notice of that outlet yet: one says as much as a thousand."""
    unaware = queries.unaware(session, accounts.with_role(session, Role.ADMIN), outlet)
    notice.tell(session, [Message(each, Kind.DEAD_LETTER, None, details) for each in sorted(unaware)])


def replay(session: Session, search: Log, delivery_id: int | None = None) -> int:
    """Let deliveries that were given up begin again: all the log finds, or one; returns how many.

    One that merely failed is tried at once when it is named itself.
    """
    again = search.narrow(update(Delivery))
    if delivery_id is None:
        again = again.where(Delivery.state == Progress.DEAD)
    else:
        queries.delivery(session, delivery_id)
        again = again.where(Delivery.id == delivery_id, Delivery.state.in_(AGAIN))
    values = {"state": Progress.WAITING, "attempts": 0, "next_at": clock.now()}
    return session.execute(again.values(values)).rowcount
