"""Verbs of notices: tell people, publish facts, read, wish, keep the webhooks and robots. They never commit."""

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.db import copy_rows
from gridmgr.notice import queries, rules
from gridmgr.notice.model import (
    UNDELIVERED,
    Delivery,
    Flavour,
    InnerKind,
    Kind,
    Message,
    NoAddress,
    NoMail,
    NotForRobots,
    Notice,
    NoticeAddress,
    NoticeWish,
    Outlet,
    Progress,
    Quiet,
    QuietHours,
    Reader,
    Silence,
    Way,
    Webhook,
)
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
    notices, sent, at, past = [], [], clock.now(), clock.replaying()
    mailing = not past and any(reader.addresses for reader in readers.values())
    ids = queries.draw_ids(session, Notice, len(heard)) if mailing else [None] * len(heard)
    for notice_id, message in zip(ids, heard, strict=True):
        reader, usual = readers[message.account_id], rules.KINDS[message.kind]
        important = usual.important if message.important is None else message.important
        shown = rules.wanted(message.kind, Way.INBOX, reader.wishes, important)
        ways = [way for way in rules.SENT if _goes(reader, message.kind, way)] if mailing else []
        if shown or ways:  # a mail needs its notice, which whoever wants no inbox finds read
            fresh = shown and not past  # what is history already is there to be looked up, not to be read
            notices.append(_notice_row(notice_id, message, important, at, None if fresh else at))
        until = None if important else rules.quiet_until(reader.quiet, clock.local(at))
        sent += [_sent_row(way, reader.addresses[way], at, until, notice_id) for way in ways]
    _copy(session, Notice, notices)
    _copy(session, Delivery, sent)
    facts = {(each.kind, each.incident_id or _text(each.details)): each for each in messages}
    _publish(session, [(each.kind, each.incident_id, each.details) for each in facts.values()])
    return len(notices)


def _goes(reader: Reader, kind: Kind, way: Way) -> bool:
    return way in reader.addresses and rules.wanted(kind, way, reader.wishes)


def _sent_row(
    way: Way, address: str, at: datetime, until: datetime | None, notice_id: int | None
) -> dict[str, Any]:
    """Return a person's delivery: it waits for the end of quiet hours, or for good where there is no gateway."""
    row = _delivery_row(way, address, at, notice_id=notice_id)
    if way is Way.SMS and not settings().sms_url:
        return row | {"state": Progress.UNSENT, "last_error": "GRIDMGR_SMS_URL is not set"}
    return row | {"next_at": until, "held": True} if until else row


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
    usual = {"notice_id": None, "webhook_id": None, "fact": None, "last_error": None, "held": False}
    progress = {"state": Progress.WAITING, "attempts": 0, "next_at": at, "created_at": at}
    return {"way": way, "address": address} | usual | subject | progress


def _copy(session: Session, table: type, rows: list[dict[str, Any]]) -> None:
    if rows:
        copy_rows(session, table, list(rows[0]), (row.values() for row in rows))


def _publish(session: Session, facts: Sequence[tuple[Kind, int | None, Mapping[str, Any]]]) -> None:
    if clock.replaying():
        return
    at, told = clock.now(), [fact for fact in facts if rules.KINDS[fact[0]].outward]
    pairs = [(hook, fact) for fact in told for hook in queries.subscribed(session, fact[0])]
    narrow = {fact[1] for hook, fact in pairs if hook.area or hook.body} - {None}
    places = queries.places(session, narrow) if narrow else {}
    rows = [
        _delivery_row(hook.way, hook.shown, at, webhook_id=hook.id, fact=_text(_fact(at, *fact)))
        for hook, fact in pairs
        if rules.concerns(hook, *places.get(fact[1], ("", None)))
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
    _set_address(session, actor, Way.EMAIL, rules.check_address(address) if address.strip() else "")


def set_phone(session: Session, actor: Actor, phone: str) -> None:
    """Give the number for short messages, or with an empty one take it back.

    Raises
    ------
    BadPhone
    """
    _set_address(session, actor, Way.SMS, rules.check_phone(phone) if phone.strip() else "")


def _set_address(session: Session, actor: Actor, way: Way, address: str) -> None:
    session.execute(delete(NoticeAddress).filter_by(account_id=actor.id, way=way))
    if address:
        session.add(NoticeAddress(account_id=actor.id, way=way, address=address))
        session.flush()  # whoever reads it next in this transaction finds it


def set_quiet(session: Session, actor: Actor, quiet: Quiet | None) -> None:
    """Keep when the person is not to be disturbed, or that they always may be."""
    session.execute(delete(QuietHours).where(QuietHours.account_id == actor.id))
    if quiet is not None:
        row = {"begins": quiet.begins, "ends": quiet.ends, "days": sorted(quiet.days)}
        session.add(QuietHours(account_id=actor.id, **row))
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


def add_webhook(
    session: Session, url: str, kinds: Collection[Kind] = (), flavour: Flavour = Flavour.JSON, name: str = "",
    area: str = "", body: str = "", secret: str = "",
) -> Webhook:  # fmt: skip
    """Subscribe a system, or a group's robot, to facts of these kinds, or of all.

    A system's secret is made here and shown to whoever adds it; DingTalk's is the one its robot was given.

    Raises
    ------
    BadUrl, InnerKind, NotForRobots
    """
    if (secret and flavour is not Flavour.DINGTALK) or (flavour is Flavour.JSON and (area or body)):
        raise NotForRobots
    wanted = [kind for kind in Kind if kind in set(kinds)]
    for kind in wanted:
        if not rules.KINDS[kind].outward:
            raise InnerKind(kind=kind.value)
    hook = Webhook(
        url=rules.check_url(url), kinds=wanted, created_at=clock.now(), flavour=flavour, name=name.strip()[:100],
        secret="whsec_" + secrets.token_urlsafe(32) if flavour is Flavour.JSON else secret.strip(),
        area=area.strip(), body=body.strip(),
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
    _listen_again(session, webhook_id)


def _listen_again(session: Session, webhook_id: int) -> None:
    outlets = [str(Outlet(way, webhook_id)) for way in (Way.WEBHOOK, Way.ROBOT)]
    session.execute(delete(Silence).where(Silence.outlet.in_(outlets)))


def try_webhook(session: Session, webhook_id: int) -> Delivery:
    """Send a webhook a fact of no other meaning than that facts arrive; a paused one gets it later.

    Raises
    ------
    UnknownWebhook
    """
    hook, at = queries.webhook(session, webhook_id), clock.now()
    fact = _fact(at, Kind.TEST, None, {})
    delivery = Delivery(**_delivery_row(hook.way, hook.shown, at, webhook_id=hook.id, fact=fact))
    session.add(delivery)
    _listen_again(session, hook.id)
    session.flush()  # the caller shows the id
    return delivery
