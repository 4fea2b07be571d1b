"""Verbs of lists: bring a draft, throw it away, publish, retire; remember a case's item. They never commit."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import func, insert, or_, select
from sqlalchemy.dialects.postgresql import insert as insert_or_leave
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.model import NoSuchArea
from gridmgr.account.rules import SYSTEM, Actor, require
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import UnitsSucceeded
from gridmgr.responsibility import queries
from gridmgr.responsibility.model import (
    BeforeTheLast,
    CaseItem,
    DayPassed,
    ListEdition,
    ListItem,
    ListKind,
    NoItems,
    NotInForce,
    NotPublishable,
    PublishedAlready,
    ResponsibilityList,
    TitleMissing,
    facts,
)
from gridmgr.responsibility.rules import MOST_TITLE, ItemsRead, Listed
from gridmgr.sheet import BadSheet


def draft(
    session: Session, actor: Actor, kind: ListKind, code: str, title: str, read: ItemsRead, *,
    name: str = "", basis: str = "",
) -> ListEdition:  # fmt: skip
    """Keep a list that was read as a draft, which nobody answers by yet.

    Raises
    ------
    NotGranted, OutsideGrant, NoSuchArea, TitleMissing, NoItems
    BadSheet
        It lists all that is wrong with the table; nothing is written.
    """
    require(actor, "list.manage", code)
    if code and hierarchy.without_units(session, [code]):
        raise NoSuchArea(code=code)
    title = title.strip()
    if not 0 < len(title) <= MOST_TITLE:
        raise TitleMissing(most=MOST_TITLE)
    if read.errors:
        raise BadSheet(read.errors)
    if not read.rows:
        raise NoItems
    edition = ListEdition(
        list_id=_list(session, kind, code, name.strip()[:100]), title=title, basis=basis.strip()[:500],
        drafted_at=clock.now(), drafted_by=actor.name,
    )  # fmt: skip
    session.add(edition)
    session.flush()  # the items need its id
    session.execute(insert(ListItem), [row | {"edition_id": edition.id} for row in read.rows])
    return edition


def _list(session: Session, kind: ListKind, code: str, name: str) -> int:
    """Return the id of a list, which is there from its first draft on."""
    key = {"kind": kind.value, "code": code, "name": name}
    session.execute(insert_or_leave(ResponsibilityList).values(key).on_conflict_do_nothing())
    return session.scalars(select(ResponsibilityList.id).filter_by(**key)).one()


def discard(session: Session, actor: Actor, edition_id: int) -> None:
    """Throw a draft away.

    Raises
    ------
    UnknownEdition, NotGranted, OutsideGrant, PublishedAlready
    """
    session.delete(_draft(session, actor, edition_id).edition)
    session.flush()  # what follows may ask for it


def publish(session: Session, actor: Actor, edition_id: int, effective: date) -> ListEdition:
    """Put a draft in force from a day on; from now on nobody can change it, and cases keep the item they have.

    Rule: field.md D5: every matter has one owner; two or none is an error here, not when a case is dispatched.

    Raises
    ------
    UnknownEdition, NotGranted, OutsideGrant, PublishedAlready, BeforeTheLast
    NotPublishable
        It lists every item and matter that stands in the way.
    """
    _alone(session)
    found = _draft(session, actor, edition_id)
    _, earlier = queries.editions(session, actor, found.list.id)
    for each in earlier:
        if each.effective is not None and each.effective > effective:
            raise BeforeTheLast(title=each.title, day=each.effective)
    if faults := queries.faults(session, found, effective):
        raise NotPublishable(faults)
    found.edition.effective, found.edition.published_at = effective, clock.now()
    found.edition.published_by = actor.name
    session.flush()  # whoever asks next finds it
    return found.edition


def retire(session: Session, actor: Actor, edition_id: int, day: date, why: str) -> ListEdition:
    """Let an edition no longer hold from a day on; the one before it does not come back.

    Raises
    ------
    UnknownEdition, NotGranted, OutsideGrant, DayPassed, NotInForce
    """
    _alone(session)
    found = queries.edition(session, actor, edition_id)
    require(actor, "list.manage", found.list.code)
    if day < clock.today():
        raise DayPassed(day=day)
    last = {each.list.id: each.edition.id for each in queries.in_force(session, day)}
    if last.get(found.list.id) != edition_id or found.edition.retired_on is not None:
        raise NotInForce(title=found.edition.title, day=day)
    found.edition.retired_on, found.edition.retired_by = day, actor.name
    found.edition.retired_why = why.strip()[:500]
    session.flush()  # whoever asks next finds it
    return found.edition


def follow_units(session: Session, event: UnitsSucceeded) -> None:
    """Let what is new begin with the lists of the unit it is in the place of; those of units that are no more end.

    Editions are never changed: a new list has a copy in force from that day on, and says whose it was.
    """
    day = max(event.effective, clock.today())
    now = [each.edition.id for each in queries.in_force(session, day)]
    asked = (
        select(ResponsibilityList, ListEdition)
        .join(ListEdition, ListEdition.list_id == ResponsibilityList.id)
        .where(
            ResponsibilityList.code.in_({*event.heirs, *event.models.values()}), ListEdition.retired_on.is_(None),
            or_(ListEdition.id.in_(now), ListEdition.effective > day),
        )
        .order_by(ListEdition.effective, ListEdition.id)
    )  # fmt: skip
    held = session.execute(asked).all()
    if held:
        _alone(session)
    for owner, edition in held:
        for new in (new for new, old in event.models.items() if old == owner.code):
            _copied(session, owner, edition, new, max(day, edition.effective))
        if owner.code in event.heirs:
            edition.retired_on, edition.retired_by = max(day, edition.effective), SYSTEM.name
            edition.retired_why = f"{owner.code} → {event.heirs[owner.code]}"
    session.flush()  # whoever asks next finds it


def _copied(session: Session, owner: ResponsibilityList, edition: ListEdition, code: str, day: date) -> None:
    """Let a list hold in another unit too, from a day on, unless that one has such a list."""
    there = _list(session, ListKind(owner.kind), code, owner.name)
    if session.scalar(
        select(ListEdition.id).where(ListEdition.list_id == there, ListEdition.effective == day)
    ):
        return
    new = ListEdition(
        list_id=there, title=edition.title, basis=f"{edition.basis} ({owner.code} → {code})".strip()[:500],
        drafted_at=clock.now(), drafted_by=SYSTEM.name,
    )  # fmt: skip
    session.add(new)
    session.flush()  # the items need its id
    items = session.scalars(
        select(ListItem).where(ListItem.edition_id == edition.id).order_by(ListItem.place)
    )
    rows = [facts(item) | {"place": item.place, "edition_id": new.id} for item in items]
    if rows:
        session.execute(insert(ListItem), rows)
    new.effective, new.published_at, new.published_by = day, clock.now(), SYSTEM.name
    session.flush()


def _draft(session: Session, actor: Actor, edition_id: int) -> Listed:
    found = queries.edition(session, actor, edition_id)
    require(actor, "list.manage", found.list.code)
    if found.edition.published_at is not None:
        raise PublishedAlready(title=found.edition.title)
    return found


def _alone(session: Session) -> None:
    """Let one transaction at a time publish: two that do not see each other could name two owners."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("responsibility", 0))))
    session.expire_all()


def remember(session: Session, cases: Iterable[tuple[int, int | None, int | None]]) -> None:
    """Keep under which item or admission cases were accepted: (incident id, item id, admission id).

    What a case was first accepted under stays with it, whatever becomes of the list.
    """
    rows = [
        {"incident_id": case, "item_id": item, "admission_id": admitted} for case, item, admitted in cases
    ]
    if rows:
        session.execute(insert_or_leave(CaseItem).on_conflict_do_nothing(), rows)
