"""Reads of papers: those an actor may see, their files, the plan they are written by, and those that are due."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select
from sqlalchemy.orm import Session

from gridmgr import store
from gridmgr.account.model import Account, Role, RoleGrant
from gridmgr.account.queries import visible_to
from gridmgr.account.rules import Actor
from gridmgr.attachment import queries as attachment
from gridmgr.attachment.model import StoredFile
from gridmgr.bulletin.model import (
    Bulletin,
    BulletinDue,
    BulletinFile,
    BulletinPlan,
    Progress,
    UnknownBulletin,
    UnknownDue,
    UnknownPlan,
)
from gridmgr.digest.model import Span, Subject, Target
from gridmgr.duty import queries as duty
from gridmgr.incident.model import Incident
from gridmgr.module import queries as modules
from gridmgr.weekly.rules import leading

LEADERS = {
    Subject.DISTRICT: Role.COMMAND_CENTRE,
    Subject.STREET: Role.STREET_LEADER,
    Subject.COMMUNITY: Role.COMMUNITY_CLERK,
    Subject.MODULE: Role.STREET_LEADER,
}
"""Who is told of a paper, besides those its plan names: whoever leads there."""


@dataclass(frozen=True)
class Search:
    """What a list of papers is narrowed to; every field may be absent."""

    subject: str = ""
    period: str = ""
    area: str = ""
    since: date | None = None  # of periods that end on that day or later
    until: date | None = None


Told = type[Bulletin] | type[BulletinPlan] | type[BulletinDue]


def _reach(actor: Actor, table: Told) -> ColumnElement[bool]:
    """Return the condition that a paper is for an actor: of an area one leads, of the own body, of oneself."""
    own = (table.subject == Subject.PERSON) & (table.key == actor.username)
    bodies = (table.subject == Subject.BODY) & table.key.in_(actor.bodies)
    return or_(visible_to(leading(actor), table.area), own, bodies)


def reads(actor: Actor, of: Bulletin) -> bool:
    """Say of one paper what `visible` says of all."""
    inside = any(of.area.startswith(prefix) for prefix in leading(actor).scope)
    own = of.subject == Subject.PERSON and of.key == actor.username
    return inside or own or (of.subject == Subject.BODY and of.key in actor.bodies)


def visible(actor: Actor) -> Select:
    """Return the statement of the papers an actor may read."""
    return select(Bulletin).where(_reach(actor, Bulletin))


def page(
    session: Session, actor: Actor, search: Search, size: int, before: int | None = None
) -> list[Bulletin]:
    """Return one page of papers, the newest first, going on after the paper `before`."""
    asked = visible(actor).where(*_narrowed(search))
    if before is not None:
        asked = asked.where(Bulletin.id < before)
    return list(session.scalars(asked.order_by(Bulletin.id.desc()).limit(size)))


def _narrowed(search: Search) -> Iterator[ColumnElement[bool]]:
    if search.subject:
        yield Bulletin.subject == search.subject
    if search.period:
        yield Bulletin.period == search.period
    if search.area:
        yield Bulletin.area.startswith(search.area, autoescape=True)
    if search.since:
        yield Bulletin.last >= search.since
    if search.until:
        yield Bulletin.first <= search.until


def bulletin(session: Session, actor: Actor, bulletin_id: int) -> Bulletin:
    """Return one paper.

    Raises
    ------
    UnknownBulletin
    """
    found = session.scalar(visible(actor).where(Bulletin.id == bulletin_id))
    if found is None:
        raise UnknownBulletin
    return found


def issues(session: Session, of: Bulletin | BulletinDue) -> list[Bulletin]:
    """Return all issues of a paper, written or due, the first one first."""
    same = [getattr(Bulletin, name) == getattr(of, name) for name in ("subject", "key", "period", "first")]
    return list(session.scalars(select(Bulletin).where(*same).order_by(Bulletin.issue)))


def files(session: Session, bulletin_id: int) -> dict[str, StoredFile]:
    """Return the files of a paper by name."""
    asked = (
        select(BulletinFile.name, StoredFile)
        .join(StoredFile, StoredFile.sha256 == BulletinFile.sha256)
        .where(BulletinFile.bulletin_id == bulletin_id)
        .order_by(BulletinFile.name)
    )
    return dict(tuple(row) for row in session.execute(asked))


def content(found: StoredFile) -> bytes:
    """Return the bytes of a file.

    Raises
    ------
    NotStored, StoreDown
    """
    return store.get(attachment.key(found.sha256))


def attached(session: Session, hashes: Collection[str]) -> set[str]:
    """Return those of the hashes of files that a paper holds."""
    asked = select(BulletinFile.sha256).where(BulletinFile.sha256.in_(list(hashes))).distinct()
    return set(session.scalars(asked))


def last_issue(session: Session, of: Target, span: Span) -> int:
    """Return the number of the last issue of a paper, 0 if there is none; nobody adds one until we are done."""
    name = f"bulletin\n{of.subject}\n{of.key}\n{span.period}\n{span.first}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
    asked = select(func.max(Bulletin.issue)).where(
        Bulletin.subject == of.subject, Bulletin.key == of.key, Bulletin.period == span.period,
        Bulletin.first == span.first,
    )  # fmt: skip
    return session.scalar(asked) or 0


def first_record(session: Session) -> datetime | None:
    """Return when the first case was reported, None if there is none."""
    return session.scalar(select(func.min(Incident.reported_at)))


# ---- plan and what is due ----------------------------------------------------------------------------------


def plans(session: Session, actor: Actor | None = None) -> list[BulletinPlan]:
    """Return the plans that run, of all or those an actor may see, by area."""
    asked = select(BulletinPlan).where(BulletinPlan.ended_at.is_(None))
    if actor is not None:
        asked = asked.where(_reach(actor, BulletinPlan))
    order = (BulletinPlan.area, BulletinPlan.subject, BulletinPlan.key, BulletinPlan.period)
    return list(session.scalars(asked.order_by(*order)))


def plan(session: Session, actor: Actor, plan_id: int) -> BulletinPlan:
    """Return a plan that runs.

    Raises
    ------
    UnknownPlan
    """
    asked = select(BulletinPlan).where(BulletinPlan.id == plan_id, BulletinPlan.ended_at.is_(None))
    found = session.scalar(asked.where(_reach(actor, BulletinPlan)).with_for_update())
    if found is None:
        raise UnknownPlan
    return found


def outstanding(session: Session, actor: Actor, most: int = 100) -> list[BulletinDue]:
    """Return the papers that are not written yet, the failed ones first."""
    asked = select(BulletinDue).where(BulletinDue.state != Progress.WRITTEN, _reach(actor, BulletinDue))
    return list(session.scalars(asked.order_by(BulletinDue.state, BulletinDue.id).limit(most)))


def due(session: Session, actor: Actor, due_id: int) -> BulletinDue:
    """Return a paper that is to be written, or was.

    Raises
    ------
    UnknownDue
    """
    found = session.scalar(select(BulletinDue).where(BulletinDue.id == due_id, _reach(actor, BulletinDue)))
    if found is None:
        raise UnknownDue
    return found


def next_due(session: Session, now: datetime) -> BulletinDue | None:
    """Return a paper whose turn it is, locked; None if there is none, or others are writing them all."""
    ready = and_(BulletinDue.state == Progress.WAITING, BulletinDue.next_at <= now)
    asked = select(BulletinDue).where(ready).order_by(BulletinDue.next_at, BulletinDue.id).limit(1)
    return session.scalar(asked.with_for_update(skip_locked=True))


def let_go(session: Session, of: BulletinPlan) -> None:
    """Remove the papers of a plan that are not written, except those that are being written just now."""
    left = select(BulletinDue.id).where(BulletinDue.plan_id == of.id, BulletinDue.state != Progress.WRITTEN)
    session.execute(delete(BulletinDue).where(BulletinDue.id.in_(left.with_for_update(skip_locked=True))))


def written_already(session: Session, each: BulletinPlan, firsts: Sequence[date]) -> set[date]:
    """Return of which of these periods a plan's paper is there, or due, already."""
    found: set[date] = set()
    for table, more in ((Bulletin, ()), (BulletinDue, (BulletinDue.plan_id.is_not(None),))):
        asked = select(table.first).where(
            table.subject == each.subject, table.key == each.key, table.period == each.period,
            table.first.in_(firsts), *more,
        )  # fmt: skip
        found |= set(session.scalars(asked))
    return found


# ---- people ------------------------------------------------------------------------------------------------


def leaders(session: Session, of: Target) -> set[int]:
    """Return who leads there, on duty or not: who is told of a paper whatever its plan says."""
    if of.subject is Subject.BODY:
        return {account for account, _code in duty.seats(session).by_body.get(of.key, ())}
    if of.subject is Subject.PERSON:
        return set(session.scalars(select(Account.id).where(Account.username == of.key, Account.active)))
    areas = (
        [of.area[:length] for length in range(len(of.area) + 1)]
        if of.subject is Subject.DISTRICT
        else [of.area]
    )
    asked = (
        select(RoleGrant.account_id)
        .join(Account, Account.id == RoleGrant.account_id)
        .where(Account.active, RoleGrant.role == LEADERS[of.subject], RoleGrant.code.in_(areas))
    )
    found = set(session.scalars(asked))
    if of.subject is Subject.MODULE and (lead := modules.lead(session, int(of.key))):
        found.add(lead.id)
    return found


def named(session: Session, usernames: Collection[str]) -> dict[str, int]:
    """Return the ids of open accounts by user name."""
    asked = select(Account.username, Account.id).where(Account.username.in_(list(usernames)), Account.active)
    return dict(tuple(row) for row in session.execute(asked))
