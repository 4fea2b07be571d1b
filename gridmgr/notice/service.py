"""Verbs of notices: tell people, publish facts, read, wish, and keep the log of deliveries. They never commit."""

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from gridmgr import clock, i18n, words
from gridmgr.account import queries as accounts
from gridmgr.account.model import Account, Role
from gridmgr.account.rules import Actor
from gridmgr.db import copy_rows
from gridmgr.notice import queries, rules
from gridmgr.notice.model import (
    UNDELIVERED,
    Delivery,
    InnerKind,
    Kind,
    Message,
    NoAddress,
    NoMail,
    Notice,
    NoticeAddress,
    NoticeWish,
    Outcome,
    Outlet,
    Parcel,
    Progress,
    Silence,
    Way,
    Webhook,
    Word,
)
from gridmgr.notice.queries import Log
from gridmgr.settings import settings

SUBJECT_LIMIT = 120
ERROR_LIMIT = 500


def tell(session: Session, messages: Sequence[Message]) -> int:
    """Tell people, by the ways each of them wishes; returns how many notices were written.

    The notices stand or fall with the transaction of the fact they are about. Whoever has no open account
    is told nothing, whoever is told the same twice is told once, and each fact is published once. What a
    simulation lets happen in the past leaves the house by no way, and stands in the inboxes as read.
    """
    messages = _once(messages)
    if not messages:
        return 0
    session.flush()  # rows written in bulk point to what is told about
    readers = queries.readers(session, {message.account_id for message in messages})
    heard = [message for message in messages if message.account_id in readers]
    notices, mails, at, past = [], [], clock.now(), clock.replaying()
    mailing = not past and any(reader.email for reader in readers.values())
    ids = queries.draw_ids(session, Notice, len(heard)) if mailing else [None] * len(heard)
    for notice_id, message in zip(ids, heard, strict=True):
        reader, usual = readers[message.account_id], rules.KINDS[message.kind]
        important = usual.important if message.important is None else message.important
        shown = rules.wanted(message.kind, Way.INBOX, reader.wishes, important)
        mailed = reader.email and not past and rules.wanted(message.kind, Way.EMAIL, reader.wishes)
        if shown or mailed:  # a mail needs its notice, which whoever wants no inbox finds read
            fresh = shown and not past  # what is history already is there to be looked up, not to be read
            notices.append(_notice_row(notice_id, message, important, at, None if fresh else at))
        if mailed:
            mails.append(_delivery_row(Way.EMAIL, reader.email, at, notice_id=notice_id))
    _copy(session, Notice, notices)
    _copy(session, Delivery, mails)
    facts = {(each.kind, each.incident_id or _text(each.details)): each for each in messages}
    _publish(session, [(each.kind, each.incident_id, each.details) for each in facts.values()])
    return len(notices)


def publish(session: Session, kind: Kind, incident_id: int | None, details: Mapping[str, Any]) -> None:
    """Let every webhook that wants this kind have one fact; `tell` does so for what it tells."""
    session.flush()
    _publish(session, [(kind, incident_id, details)])


def _once(messages: Sequence[Message]) -> list[Message]:
    seen = {(each.account_id, each.kind, each.incident_id, _text(each.details)): each for each in messages}
    return list(seen.values())


def _text(details: Mapping[str, Any]) -> str:
    return json.dumps(details, ensure_ascii=False, sort_keys=True)


def _notice_row(notice_id, message: Message, important: bool, at: datetime, read_at) -> dict[str, Any]:
    return ({"id": notice_id} if notice_id is not None else {}) | {  # else the database numbers it
        "account_id": message.account_id, "kind": message.kind,
        "incident_id": message.incident_id, "details": _text(message.details), "important": important,
        "created_at": at, "read_at": read_at,
    }  # fmt: skip


def _delivery_row(way: Way, address: str, at: datetime, **subject: Any) -> dict[str, Any]:
    usual = {"notice_id": None, "webhook_id": None, "fact": None}
    progress = {"state": Progress.WAITING, "attempts": 0, "next_at": at, "created_at": at}
    return {"way": way, "address": address} | usual | subject | progress


def _copy(session: Session, table: type, rows: list[dict[str, Any]]) -> None:
    if rows:
        copy_rows(session, table, list(rows[0]), (row.values() for row in rows))


def _publish(session: Session, facts: Sequence[tuple[Kind, int | None, Mapping[str, Any]]]) -> None:
    if clock.replaying():
        return
    at = clock.now()
    rows = [
        _delivery_row(Way.WEBHOOK, hook.url, at, webhook_id=hook.id, fact=_text(_fact(at, *fact)))
        for fact in facts
        if rules.KINDS[fact[0]].outward
        for hook in queries.subscribed(session, fact[0])
    ]
    _copy(session, Delivery, rows)


def _fact(at: datetime, kind: Kind, incident_id: int | None, details: Mapping[str, Any]) -> dict[str, Any]:
    named = {"incident_id": incident_id, "incident": details.get("number")}
    return {"kind": kind, "at": at.isoformat()} | named | {"details": dict(details)}


# ---- a person's own ------------------------------------------------------------------------------


def read(session: Session, actor: Actor, ids: Collection[int] | None = None, kind: Kind | None = None) -> int:
    """Mark the person's notices read: these, all of one kind, or all; returns how many were unread."""
    fresh = update(Notice).where(Notice.account_id == actor.id, Notice.read_at.is_(None))
    if ids is not None:
        fresh = fresh.where(Notice.id.in_(ids))
    if kind is not None:
        fresh = fresh.where(Notice.kind == kind)
    return session.execute(fresh.values(read_at=clock.now())).rowcount


def wish(session: Session, actor: Actor, choices: Mapping[tuple[Kind, Way], bool]) -> None:
    """Remember what the person wants by which way; what is as usual needs no remembering."""
    for (kind, way), wanted in choices.items():
        if kind not in rules.WISHABLE or way not in rules.PERSONAL or rules.fixed(kind, way):
            continue
        row = {"account_id": actor.id, "kind": kind, "way": way}
        session.execute(delete(NoticeWish).filter_by(**row))
        if wanted != rules.usual_way(kind, way):
            session.execute(insert(NoticeWish).values(row | {"wanted": wanted}))


def set_email(session: Session, actor: Actor, address: str) -> None:
    """Give the address for mail, or with an empty one take it back.

    Raises
    ------
    BadAddress
    """
    address = rules.check_address(address) if address.strip() else ""
    session.execute(delete(NoticeAddress).filter_by(account_id=actor.id, way=Way.EMAIL))
    if address:
        session.add(NoticeAddress(account_id=actor.id, way=Way.EMAIL, address=address))
        session.flush()  # whoever reads it next in this transaction finds it


def try_email(session: Session, actor: Actor) -> None:
    """Send the person a mail of no other meaning than that mail arrives.

    Raises
    ------
    NoMail
        No mail server is set up.
    NoAddress
        The person has given no address.
    """
    if not settings().smtp_url:
        raise NoMail
    address = queries.email_of(session, actor)
    if address is None:
        raise NoAddress
    (notice_id,), at = queries.draw_ids(session, Notice, 1), clock.now()
    _copy(session, Notice, [_notice_row(notice_id, Message(actor.id, Kind.TEST), False, at, at)])
    _copy(session, Delivery, [_delivery_row(Way.EMAIL, address, at, notice_id=notice_id)])


def prune(session: Session) -> int:
    """Remove what was read, or sent to webhooks, longer ago than the settings say; returns how many notices."""
    before = clock.now() - timedelta(days=settings().notice_days)
    done = Delivery.webhook_id.is_not(None) & Delivery.state.not_in(UNDELIVERED)
    session.execute(delete(Delivery).where(done, Delivery.created_at < before))
    return session.execute(delete(Notice).where(Notice.read_at < before)).rowcount


# ---- webhooks ------------------------------------------------------------------------------------


def add_webhook(session: Session, url: str, kinds: Collection[Kind] = ()) -> Webhook:
    """Subscribe a system to facts of these kinds, or of all; its secret is shown to whoever adds it.

    Raises
    ------
    BadUrl, InnerKind
    """
    wanted = [kind for kind in Kind if kind in set(kinds)]
    for kind in wanted:
        if not rules.KINDS[kind].outward:
            raise InnerKind(kind=kind.value)
    hook = Webhook(
        url=rules.check_url(url), secret="whsec_" + secrets.token_urlsafe(32), kinds=wanted,
        created_at=clock.now(),
    )  # fmt: skip
    session.add(hook)
    session.flush()  # the caller shows the id
    return hook


def set_webhook_active(session: Session, webhook_id: int, active: bool) -> Webhook:
    """Pause a webhook, which keeps what waits for it but gets nothing new, or let it go on.

    Raises
    ------
    UnknownWebhook
    """
    hook = queries.webhook(session, webhook_id)
    hook.active = active
    return hook


def remove_webhook(session: Session, webhook_id: int) -> None:
    """Remove a webhook with its deliveries; one that is gone already is no fault."""
    session.execute(delete(Webhook).where(Webhook.id == webhook_id))
    session.execute(delete(Silence).where(Silence.outlet == str(Outlet(Way.WEBHOOK, webhook_id))))


def try_webhook(session: Session, webhook_id: int) -> Delivery:
    """Send a webhook a fact of no other meaning than that facts arrive; a paused one gets it later.

    Raises
    ------
    UnknownWebhook
    """
    hook, at = queries.webhook(session, webhook_id), clock.now()
    fact = _fact(at, Kind.TEST, None, {})
    delivery = Delivery(**_delivery_row(Way.WEBHOOK, hook.url, at, webhook_id=hook.id, fact=fact))
    session.add(delivery)
    session.execute(delete(Silence).where(Silence.outlet == str(Outlet(Way.WEBHOOK, hook.id))))
    session.flush()  # the caller shows the id
    return delivery


# ---- deliveries ----------------------------------------------------------------------------------


def claim(session: Session, outlet: Outlet) -> Parcel | None:
    """Take the delivery of an outlet that has been due longest, so that no other worker sends it meanwhile.

    Whoever claims it sends it after this transaction and settles it in another one.
    If nobody does, because the worker died, it is due again after `rules.LEASE`: then it may go twice.
    """
    at = clock.now()
    due = select(Delivery).where(*_at(outlet), Delivery.next_at <= at).order_by(Delivery.next_at).limit(1)
    delivery = session.scalar(due.with_for_update(skip_locked=True))
    if delivery is None:
        return None
    delivery.attempts += 1
    delivery.next_at = at + rules.LEASE
    return _packed(session, delivery, outlet)


def _at(outlet: Outlet) -> tuple:
    return (
        Delivery.way == outlet.way,
        Delivery.webhook_id.is_not_distinct_from(outlet.webhook_id),
        Delivery.state.in_(UNDELIVERED),
    )


def _packed(session: Session, delivery: Delivery, outlet: Outlet) -> Parcel:
    same = delivery.id, delivery.attempts, outlet, delivery.address
    if delivery.webhook_id is not None:
        secret = queries.webhook(session, delivery.webhook_id).secret
        return Parcel(*same, _text({"delivery": delivery.id} | delivery.fact), secret=secret)
    notice = session.get_one(Notice, delivery.notice_id)
    with i18n.speaking(session.get_one(Account, notice.account_id).language or settings().language):
        number = notice.details.get("number") or i18n._("City Grid Governance")
        subject = f"{words.word(words.NOTICE_KINDS, notice.kind)} · {number}"
        return Parcel(*same, _letter(notice), subject=subject[:SUBJECT_LIMIT])


def _letter(notice: Notice) -> str:
    """Return the text of a mail: the sentence, the way to the case, and why one gets it."""
    lines = [rules.sentence(notice.kind, notice.details)]
    if settings().public_url:
        site = settings().public_url.rstrip("/")
        if notice.details.get("number"):
            lines.append(f"{site}/incidents/{notice.details['number']}")
        lines.append(i18n._("What is sent to you is your choice: {url}", url=f"{site}/notices/wishes"))
    return "\n\n".join(lines) + "\n"


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
        "most": rules.ATTEMPTS, "first": rules.FIRST_PAUSE, "growth": rules.PAUSE_GROWTH,
        "longest": rules.LONGEST_PAUSE,
    }  # fmt: skip
    dead = session.scalars(_FAIL, values).all().count(Progress.DEAD)
    if silent:
        _leave_alone(session, outlet)
    if dead:
        server = urlsplit(settings().smtp_url or "").hostname if silent and outlet.way is Way.EMAIL else None
        address = server or parcel.address
        details = {"outlet": str(outlet), "address": address, "count": dead, "error": reason}
        _tell_administrators(session, outlet, details)


def _leave_alone(session: Session, outlet: Outlet) -> None:
    """Let nobody try a silent outlet for a while, the longer the more often it was tried in vain."""
    first = {"outlet": str(outlet), "failures": 1, "until": clock.now()}
    again = {"failures": Silence.failures + 1}
    noted = upsert(Silence).values(first).on_conflict_do_update(index_elements=[Silence.outlet], set_=again)
    failures = session.scalar(noted.returning(Silence.failures))
    until = clock.now() + rules.silence(failures)
    session.execute(update(Silence).where(Silence.outlet == str(outlet)).values(until=until))


def _tell_administrators(session: Session, outlet: Outlet, details: Mapping[str, Any]) -> None:
    """Tell of dead letters whoever has no unread notice of that outlet yet: one says as much as a thousand."""
    unaware = queries.unaware(session, accounts.with_role(session, Role.ADMIN), outlet)
    tell(session, [Message(each, Kind.DEAD_LETTER, None, details) for each in sorted(unaware)])


def replay(session: Session, search: Log, delivery_id: int | None = None) -> int:
    """Let deliveries that were given up begin again: all the log finds, or one; returns how many.

    One that merely failed is tried at once when it is named itself.
    """
    again = search.narrow(update(Delivery))
    if delivery_id is None:
        again = again.where(Delivery.state == Progress.DEAD)
    else:
        queries.delivery(session, delivery_id)
        again = again.where(Delivery.id == delivery_id, Delivery.state.in_((Progress.FAILED, Progress.DEAD)))
    values = {"state": Progress.WAITING, "attempts": 0, "next_at": clock.now()}
    return session.execute(again.values(values)).rowcount
