"""Reads of flags: the patterns in the records, the flags an actor may see, their cases and reviews.

Each pattern reads the days looked at by the indexes of reported_at, closed_at and occurred_at; what it compares
with goes back some weeks at most.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from sqlalchemy import Select, bindparam, or_, select, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.queries import visible_to
from gridmgr.account.rules import Actor
from gridmgr.db import statement
from gridmgr.flag import rules
from gridmgr.flag.model import Flag, FlagCase, FlagReview, Found, Kind, UnknownFlag
from gridmgr.incident import queries as incidents
from gridmgr.incident.model import Incident
from gridmgr.terms import queries as dated

_FOLDER = Path(__file__).parent
_INSTANTS = [bindparam(name, type_=TIMESTAMP(timezone=True)) for name in ("since", "until")]
_FINDERS = {
    kind: text(statement(_FOLDER / name)).bindparams(*_INSTANTS) for kind, name in rules.FINDERS.items()
}


def terms(session: Session) -> dict[str, float]:
    """Return the terms of flags in force today."""
    return dated.in_force(session, rules.MATTER, rules.TERMS)


def patterns(session: Session, since: datetime, until: datetime) -> Iterator[Found]:
    """Yield every pattern that ends between two instants, flagged already or not."""
    values = terms(session) | {"since": since, "until": until, "zone": clock.zone().key}
    for kind, asked in _FINDERS.items():
        used = {name: values[name] for name in asked.compile().params}
        for row in session.execute(asked, used):
            yield Found(
                kind, f"{kind}:{row.key}"[:200], row.account_id, row.name, row.begins, row.ends, tuple(row.cases),
                row.evidence,
            )  # fmt: skip


def homes(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """Return in which area cases lie, by their ids."""
    asked = select(Incident.id, Incident.home).where(Incident.id.in_(list(ids)))
    return dict(tuple(row) for row in session.execute(asked))


def _seen(actor: Actor) -> Select:
    """Return the flags of the areas an actor leads, but for those that concern the actor."""
    asked = select(Flag).where(visible_to(rules.leading(actor), Flag.code))
    if actor.id is not None:
        asked = asked.where(or_(Flag.account_id.is_(None), Flag.account_id != actor.id))
    return asked


def page(
    session: Session, actor: Actor, size: int, *, standing: str = "open", kind: Kind | None = None,
    area: str = "", behind: int | None = None,
) -> list[Flag]:  # fmt: skip
    """Return one page of the flags an actor may see, the last found first, going on behind an id."""
    asked = _seen(actor).where(Flag.code.startswith(area, autoescape=True))
    if standing == "open":
        asked = asked.where(Flag.verdict.is_(None))
    elif standing == "reviewed":
        asked = asked.where(Flag.verdict.is_not(None))
    if kind is not None:
        asked = asked.where(Flag.kind == kind)
    if behind is not None:
        asked = asked.where(Flag.id < behind)
    return list(session.scalars(asked.order_by(Flag.id.desc()).limit(size)))


def flag(session: Session, actor: Actor, flag_id: int) -> Flag:
    """Return a flag.

    Raises
    ------
    UnknownFlag
        There is none, or it is not for the actor to see.
    """
    found = session.scalar(_seen(actor).where(Flag.id == flag_id))
    if found is None:
        raise UnknownFlag(id=flag_id)
    return found


def cases(session: Session, actor: Actor, flags: Iterable[Flag]) -> dict[int, list[Incident]]:
    """Return the cases each flag points at that the actor may see."""
    ids = [each.id for each in flags]
    rows = [
        tuple(row)
        for row in session.execute(
            select(FlagCase.flag_id, FlagCase.incident_id)
            .where(FlagCase.flag_id.in_(ids))
            .order_by(FlagCase.incident_id)
        )
    ]
    known = incidents.by_ids(session, actor, {case for _flag, case in rows})
    return {
        one: [known[case] for each, case in rows if each == one and case in known] for one in ids
    }  # fmt: skip


def reviews(session: Session, flags: Iterable[Flag]) -> Mapping[int, list[FlagReview]]:
    """Return the reviews of each flag in order."""
    found: dict[int, list[FlagReview]] = {each.id: [] for each in flags}
    asked = select(FlagReview).where(FlagReview.flag_id.in_(list(found))).order_by(FlagReview.seq)
    for review in session.scalars(asked):
        found[review.flag_id].append(review)
    return found
