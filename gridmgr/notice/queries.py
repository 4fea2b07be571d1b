"""Reads of notices, of wishes, and of what is on its way out; a person reads only what is their own."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session

from gridmgr.account import queries as accounts
from gridmgr.account.rules import Actor
from gridmgr.kept import kept
from gridmgr.notice.model import (
    UNDELIVERED,
    Delivery,
    Kind,
    Notice,
    NoticeAddress,
    NoticeWish,
    Outlet,
    Progress,
    Quiet,
    QuietHours,
    Reader,
    Silence,
    UnknownDelivery,
    UnknownNotice,
    UnknownWebhook,
    Way,
    Webhook,
)
from gridmgr.settings import settings

COUNTED = 1000  # a badge says no more than that; so it never costs more
_FRESH = Notice.read_at.is_(None)


def of(actor: Actor) -> Select:
    """Return the statement of all notices of a person: nobody reads another one's."""
    return select(Notice).where(Notice.account_id == actor.id)


def unread(session: Session, account_ids: Collection[int]) -> dict[int, int]:
    """Return how many notices each of these people has not read, up to `COUNTED`."""
    counted = text("""
        SELECT reader.id, (SELECT count(*) FROM (
            SELECT FROM notice WHERE account_id = reader.id AND read_at IS NULL LIMIT :most
        ) AS fresh)
        FROM unnest(CAST(:ids AS integer[])) AS reader (id)
    """)
    return dict(session.execute(counted, {"ids": list(account_ids), "most": COUNTED}).all())


def by_id(session: Session, actor: Actor, notice_id: int) -> Notice:
    """Return a notice of the person's own.

    Raises
    ------
    UnknownNotice
    """
    found = session.scalar(of(actor).where(Notice.id == notice_id))
    if found is None:
        raise UnknownNotice(id=notice_id)
    return found


@dataclass(frozen=True)
class Inbox:
    """What an inbox is narrowed to; every field may be absent."""

    kind: Kind | None = None
    fresh: bool | None = None  # only what is not read yet, or only what is


def place(notice: Notice) -> tuple[bool, int]:
    """Return where a notice stands in an inbox: unread or not, and its id."""
    return notice.read_at is None, notice.id


def page(
    session: Session, actor: Actor, inbox: Inbox, size: int, after: tuple[bool, int] | None = None
) -> Sequence[Notice]:
    """Return one page of an inbox, the unread first, then the newest, going on behind the place `after`."""
    asked = of(actor)
    if inbox.kind:
        asked = asked.where(Notice.kind == inbox.kind)
    if inbox.fresh is not None:
        asked = asked.where(_FRESH if inbox.fresh else Notice.read_at.is_not(None))
    if after is not None:
        asked = asked.where(func.row(_FRESH, Notice.id) < func.row(*after))
    return session.scalars(asked.order_by(_FRESH.desc(), Notice.id.desc()).limit(size)).all()


def wishes(session: Session, account_id: int) -> Mapping[tuple[str, str], bool]:
    """Return what a person wishes, by kind and way."""
    return kept(session, "wishes", _read_wishes).by_account.get(account_id, {})


@dataclass(frozen=True)
class _Wishes:
    """What people wish, by person and then by kind and way, the addresses they gave, and their quiet hours."""

    by_account: dict[int, dict[tuple[str, str], bool]]
    addresses: dict[int, dict[Way, str]]
    quiet: dict[int, Quiet]


def _read_wishes(session: Session) -> _Wishes:
    found: dict[int, dict[tuple[str, str], bool]] = {}
    for wish in session.scalars(select(NoticeWish)):
        found.setdefault(wish.account_id, {})[wish.kind, wish.way] = wish.wanted
    addresses: dict[int, dict[Way, str]] = {}
    for each in session.scalars(select(NoticeAddress)):
        addresses.setdefault(each.account_id, {})[Way(each.way)] = each.address
    quiet = {each.account_id: _quiet(each) for each in session.scalars(select(QuietHours))}
    return _Wishes(found, addresses, quiet)


def _quiet(row: QuietHours) -> Quiet:
    return Quiet(row.begins, row.ends, frozenset(row.days))


def quiet_of(session: Session, account_id: int) -> Quiet | None:
    """Return the quiet hours of a person, None if they have none."""
    return kept(session, "wishes", _read_wishes).quiet.get(account_id)


def email_of(session: Session, actor: Actor) -> str | None:
    """Return the address the person gave for mail."""
    return _address_of(session, actor, Way.EMAIL)


def phone_of(session: Session, actor: Actor) -> str | None:
    """Return the number the person gave for short messages."""
    return _address_of(session, actor, Way.SMS)


def _address_of(session: Session, actor: Actor, way: Way) -> str | None:
    asked = select(NoticeAddress.address).where(
        NoticeAddress.account_id == actor.id, NoticeAddress.way == way
    )
    return session.scalar(asked)


def readers(session: Session, account_ids: Iterable[int]) -> dict[int, Reader]:
    """Return those of these people whose account is open, with their wishes, addresses and quiet hours.

    Without a mail server nobody has an address for mail.
    """
    wished, there = kept(session, "wishes", _read_wishes), accounts.open_ids(session)

    def reached(account_id: int) -> dict[Way, str]:
        given = wished.addresses.get(account_id, {})
        return {way: to for way, to in given.items() if way is not Way.EMAIL or settings().smtp_url}

    return {
        each: Reader(wished.by_account.get(each, {}), reached(each), wished.quiet.get(each))
        for each in account_ids
        if each in there
    }


def draw_ids(session: Session, table: type, count: int) -> list[int]:
    """Draw ids for new rows of a table, so that other rows can point to them before they are written."""
    drawn = text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)")
    return list(session.scalars(drawn, {"name": table.__tablename__, "count": count}))


def unaware(session: Session, account_ids: Collection[int], outlet: Outlet) -> set[int]:
    """Return those of these people who have no unread notice of a dead letter of that outlet."""
    aware = select(Notice.account_id).where(
        Notice.account_id.in_(account_ids),
        _FRESH,
        Notice.kind == Kind.DEAD_LETTER,
        Notice.details["outlet"].astext == str(outlet),
    )
    return set(account_ids) - set(session.scalars(aware))


def webhooks(session: Session) -> Sequence[Webhook]:
    """Return all webhooks, the oldest first."""
    return session.scalars(select(Webhook).order_by(Webhook.id)).all()


def subscribed(session: Session, kind: Kind) -> list[Webhook]:
    """Return the active webhooks that want facts of a kind."""
    return [hook for hook in kept(session, "webhooks", _read_active) if not hook.kinds or kind in hook.kinds]


def places(session: Session, incident_ids: Collection[int]) -> dict[int, tuple[str, str | None]]:
    """Return where cases are, by the code of their smallest unit, and which body works on each."""
    asked = text("""
        SELECT id, coalesce(micro_grid_code, community_code, street_code, ''), handler
        FROM incident WHERE id = ANY(CAST(:ids AS bigint[]))
    """)
    rows = session.execute(asked, {"ids": list(incident_ids)})
    return {case: (home, body) for case, home, body in rows}


def _read_active(session: Session) -> Sequence[Webhook]:
    return session.scalars(select(Webhook).where(Webhook.active)).all()


def webhook(session: Session, webhook_id: int) -> Webhook:
    """Return one webhook.

    Raises
    ------
    UnknownWebhook
    """
    found = session.get(Webhook, webhook_id)
    if found is None:
        raise UnknownWebhook(id=webhook_id)
    return found


def latest(session: Session) -> dict[int, Delivery]:
    """Return the newest delivery of each webhook that has any."""
    newest = select(func.max(Delivery.id)).where(Delivery.webhook_id == Webhook.id).scalar_subquery()
    asked = select(Delivery).where(Delivery.id.in_(select(newest).select_from(Webhook)))
    return {each.webhook_id: each for each in session.scalars(asked)}


def waiting(session: Session) -> dict[int, int]:
    """Return how many deliveries wait for each webhook that anything waits for."""
    asked = (
        select(Delivery.webhook_id, func.count())
        .where(Delivery.webhook_id.is_not(None), Delivery.state.in_(UNDELIVERED))
        .group_by(Delivery.webhook_id)
    )
    return dict(session.execute(asked).all())


def due_outlets(session: Session, at: datetime) -> list[Outlet]:
    """Return the outlets with something due that are open and answer, as far as we know."""
    asked = (
        select(Delivery.way, Delivery.webhook_id)
        .outerjoin(Webhook, Webhook.id == Delivery.webhook_id)
        .where(Delivery.state.in_(UNDELIVERED), Delivery.next_at <= at, Webhook.active.is_not(False))
        .distinct()
        .order_by(Delivery.way, Delivery.webhook_id)
    )
    silent = set(session.scalars(select(Silence.outlet).where(Silence.until > at)))
    found = [Outlet(Way(way), webhook_id) for way, webhook_id in session.execute(asked)]
    return [outlet for outlet in found if str(outlet) not in silent]


@dataclass(frozen=True)
class Log:
    """What the log of deliveries is narrowed to; every field may be absent."""

    state: Progress | None = None
    way: Way | None = None
    webhook_id: int | None = None

    def narrow(self, asked: Select) -> Select:
        """Return the statement with these conditions added."""
        for name, value in vars(self).items():
            if value is not None:
                asked = asked.where(getattr(Delivery, name) == value)
        return asked


def log(session: Session, search: Log, size: int, before: int | None = None) -> Sequence[Delivery]:
    """Return one page of the log, the newest first, going on after the delivery with id `before`."""
    asked = search.narrow(select(Delivery))
    if before is not None:
        asked = asked.where(Delivery.id < before)
    return session.scalars(asked.order_by(Delivery.id.desc()).limit(size)).all()


def delivery(session: Session, delivery_id: int) -> Delivery:
    """Return one delivery.

    Raises
    ------
    UnknownDelivery
    """
    found = session.get(Delivery, delivery_id)
    if found is None:
        raise UnknownDelivery(id=delivery_id)
    return found


def mails_to(session: Session, actor: Actor, size: int) -> Sequence[Delivery]:
    """Return the newest mails and short messages to a person, to see whether they arrive."""
    asked = (
        select(Delivery)
        .join(Notice, Notice.id == Delivery.notice_id)
        .where(Notice.account_id == actor.id)
        .order_by(Delivery.id.desc())
    )
    return session.scalars(asked.limit(size)).all()


def kinds_of(session: Session, deliveries: Sequence[Delivery]) -> dict[int, str]:
    """Return what each of these deliveries is about, by its id."""
    ids = [each.notice_id for each in deliveries if each.notice_id]
    kinds = dict(session.execute(select(Notice.id, Notice.kind).where(Notice.id.in_(ids))).all())
    return {each.id: each.fact["kind"] if each.fact else kinds.get(each.notice_id, "") for each in deliveries}


def count_by_state(session: Session) -> dict[Progress, int]:
    """Return how many deliveries stand in each state."""
    found = dict(session.execute(select(Delivery.state, func.count()).group_by(Delivery.state)).all())
    return {state: found.get(state, 0) for state in Progress}
