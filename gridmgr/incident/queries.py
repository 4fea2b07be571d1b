"""Reads of incidents. Every one starts from what the actor may see."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np
from geoalchemy2.functions import ST_X, ST_Y
from sqlalchemy import Select, func, or_, select, text
from sqlalchemy import Sequence as SqlSequence
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.queries import visible_to
from gridmgr.account.rules import Actor
from gridmgr.incident.model import Incident, IncidentEvent, IncidentFile, IncidentTask, UnknownIncident
from gridmgr.incident.rules import PUBLIC
from gridmgr.life.model import BadField, State
from gridmgr.life.rules import OPEN, Standing
from gridmgr.responsibility.model import Category

SCOPED = (Incident.street_code, Incident.community_code, Incident.micro_grid_code)


def visible(actor: Actor) -> Select:
    """Return the statement of all incidents in the actor's scope, and of those the actor reported."""
    mine = visible_to(actor, *SCOPED)
    if actor.id is not None:
        mine = or_(mine, Incident.reporter_id == actor.id)
    return select(Incident).where(mine)


@dataclass(frozen=True)
class Search:
    """What a list, a map, an export or a figure is narrowed to; every field may be absent."""

    states: tuple[State, ...] = ()
    open: bool | None = None
    category: str | None = None
    source: str | None = None
    code: str | None = None  # a unit of any level
    since: date | None = None
    until: date | None = None  # inclusive
    overdue: bool = False
    words: str = ""
    level: str | None = None  # which level holds it
    handler: str | None = None  # the body at work
    own: str | None = None  # of a unit whose own people do the work: the beginning of its code
    task: str | None = None  # a body that has an open part of it
    asked: bool = False  # a request waits for an answer
    unseen: bool = False  # reported by the public, and nobody has looked on site
    mine: int | None = None  # who reported it
    severity: int | None = None
    due_by: datetime | None = None  # not late yet, but by then
    sort: str = "newest"  # a key of SORTS

    def narrow(self, asked: Select) -> Select:
        """Return the statement with these conditions added."""
        for condition in self._conditions():
            asked = asked.where(condition)
        return asked

    def _conditions(self) -> Iterator[Any]:
        if self.states:
            yield Incident.state.in_(self.states)
        if self.open is not None:
            yield Incident.state.in_(OPEN) if self.open else Incident.state.not_in(OPEN)
        if self.category:
            coded = select(Category.id).where(Category.code.startswith(self.category, autoescape=True))
            yield Incident.category_id.in_(coded)
        if self.source:
            yield Incident.source == self.source
        if self.code:
            yield or_(
                *(column == self.code for column in SCOPED),
                Incident.building_code == self.code,
            )
        if self.since:
            yield Incident.reported_at >= midnight(self.since)
        if self.until:
            yield Incident.reported_at < midnight(self.until, days=1)
        if self.overdue:
            yield Incident.due_at < func.coalesce(Incident.closed_at, clock.now())
        yield from self._of_desks()
        if self.words:
            escaped = self.words.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
            yield Incident.words.ilike(f"%{escaped}%")

    def _of_desks(self) -> Iterator[Any]:
        """What the lists of desks are narrowed to, beside what everybody looks for."""
        if self.level:
            yield Incident.level == self.level
        if self.handler:
            yield Incident.handler == self.handler
        if self.own is not None:
            yield Incident.handler_code.startswith(self.own, autoescape=True)
        if self.task:
            waits = (IncidentTask.body == self.task) & IncidentTask.done_at.is_(None)
            yield Incident.id.in_(select(IncidentTask.incident_id).where(waits))
        if self.asked:
            yield Incident.asked.is_not(None)
        if self.unseen:
            yield Incident.source.in_(PUBLIC) & Incident.confirmed.is_(None)
        if self.mine is not None:
            yield Incident.reporter_id == self.mine
        if self.severity:
            yield Incident.severity == self.severity
        if self.due_by:
            yield Incident.due_at.between(clock.now(), self.due_by)

    def given(self) -> dict[str, Any]:
        """Return the fields that narrow anything, for a link."""
        return {
            f.name: value
            for f in fields(self)
            if (value := getattr(self, f.name)) not in (None, (), "", False, "newest")
        }


def midnight(day: date, days: int = 0) -> datetime:
    """Return the instant the local day begins, `days` later."""
    return datetime.combine(date.fromordinal(day.toordinal() + days), time.min, clock.zone())


FAR = datetime(9999, 1, 1, tzinfo=UTC)  # where what has no due time stands
DUE = func.coalesce(Incident.due_at, FAR)

# How a list can be ordered: its columns, and whether they run down; the id tells equal ones apart.
SORTS: dict[str, tuple[Any, bool]] = {
    "newest": (Incident.reported_at, True),
    "oldest": (Incident.reported_at, False),
    "due": (DUE, False),
    "severity": (Incident.severity, True),
}


def listing(actor: Actor, search: Search) -> Select:
    """Return the statement of the incidents found, in the order asked for."""
    column, down = SORTS[search.sort]
    ways = [each.desc() if down else each for each in (column, Incident.id)]
    return search.narrow(visible(actor)).order_by(*ways)


def page(
    session: Session, actor: Actor, search: Search, size: int, before: int | None = None
) -> list[Incident]:
    """Return one page of the incidents found, going on behind the one with id `before`."""
    asked = listing(actor, search)
    if before is not None:
        column, down = SORTS[search.sort]
        last = select(column).where(Incident.id == before).scalar_subquery()
        here, there = func.row(column, Incident.id), func.row(last, before)
        asked = asked.where(here < there if down else here > there)
    return list(session.scalars(asked.limit(size)))


def counted(session: Session, actor: Actor, searches: Mapping[str, Search]) -> dict[str, int]:
    """Return how many incidents each of several searches finds, in one statement."""
    if not searches:
        return {}
    numbers = {
        name: search.narrow(visible(actor)).with_only_columns(func.count()).order_by(None).scalar_subquery()
        for name, search in searches.items()
    }
    row = session.execute(select(*(number.label(f"n{n}") for n, number in enumerate(numbers.values())))).one()
    return dict(zip(numbers, row, strict=True))


def count_by_state(session: Session, actor: Actor, search: Search) -> dict[State, int]:
    """Return how many of the incidents found stand in each state, in the order of their life."""
    found = (
        search.narrow(visible(actor)).with_only_columns(Incident.state, func.count()).group_by(Incident.state)
    )
    numbers = dict(tuple(row) for row in session.execute(found))
    return {state: numbers.get(state, 0) for state in State}


EXPORTED = (
    "number", "state", "source", "origin", "source_id", "reported_at", "accepted_at", "due_at", "closed_at",
    "level", "handler", "severity", "satisfaction", "reworks", "extensions", "reopens", "description", "address",
    "street_code", "community_code", "micro_grid_code", "building_code", "located", "distance_m",
)  # fmt: skip


def exported(session: Session, actor: Actor, search: Search) -> Iterator[Mapping[str, Any]]:
    """Yield the incidents found, the newest first, with category and WGS-84 place, as rows of a table."""
    asked = (
        listing(actor, search)
        .join(Category, Category.id == Incident.category_id)
        .with_only_columns(
            *(getattr(Incident, name) for name in EXPORTED),
            Category.code.label("category"),
            Category.name_zh,
            Category.name_en,
            ST_X(Incident.geom).label("lon"),
            ST_Y(Incident.geom).label("lat"),
        )
        .execution_options(yield_per=2000)
    )
    yield from session.execute(asked).mappings()


def map_points(session: Session, actor: Actor, search: Search, limit: int) -> list[tuple]:
    """Return (number, lon, lat, state, category id, late) of the newest incidents found, for a map."""
    late = Incident.due_at < func.coalesce(Incident.closed_at, clock.now())
    asked = listing(actor, search).with_only_columns(
        Incident.number,
        ST_X(Incident.geom),
        ST_Y(Incident.geom),
        Incident.state,
        Incident.category_id,
        func.coalesce(late, False),
    )
    return [tuple(row) for row in session.execute(asked.limit(limit))]


def by_number(session: Session, actor: Actor, number: str) -> Incident:
    """Return the incident of that number.

    Raises
    ------
    UnknownIncident
        There is none, or it is not visible to the actor.
    """
    found = session.scalar(visible(actor).where(Incident.number == number))
    if found is None:
        raise UnknownIncident(number=number)
    return found


def locked(session: Session, actor: Actor, number: str) -> Incident:
    """Return the incident of that number, locked until the transaction ends.

    Raises
    ------
    UnknownIncident
    """
    found = session.scalar(
        visible(actor)
        .where(Incident.number == number)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise UnknownIncident(number=number)
    return found


def locked_many(session: Session, numbers: Iterable[str]) -> dict[str, Incident]:
    """Return the incidents of those numbers, locked in order of id until the transaction ends.

    They are not scoped: the caller decides step by step who may.
    """
    found = session.scalars(
        select(Incident)
        .where(Incident.number.in_(list(numbers)))
        .order_by(Incident.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {incident.number: incident for incident in found}


def open_task(session: Session, incident: Incident, no: int) -> IncidentTask:
    """Return a part of a case that is not done yet.

    Raises
    ------
    BadField
        There is none of that number.
    """
    session.flush()  # it may have been assigned a step before
    found = session.scalar(
        select(IncidentTask).where(
            IncidentTask.incident_id == incident.id, IncidentTask.no == no, IncidentTask.done_at.is_(None)
        )
    )
    if found is None:
        raise BadField(field="task", value=no, expected="the number of an open task")
    return found


def category_of(session: Session, incident: Incident) -> Category:
    """Return the category of an incident, read once in a session however many incidents have it."""
    read: dict[int, Category] = session.info.setdefault("categories", {})
    if incident.category_id not in read:
        read[incident.category_id] = session.get_one(Category, incident.category_id)
    return read[incident.category_id]


def held_sources(session: Session, sources: Sequence[tuple[str | None, str]]) -> dict[tuple, int]:
    """Return the ids of the incidents known by these (origin, source_id).

    Only one transaction at a time files the report of an id: the others wait here, then find it.
    """
    if not sources:
        return {}
    keys = sorted({f"{origin}\n{source_id}" for origin, source_id in sources})
    hold = text(
        "SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) FROM unnest(CAST(:keys AS text[])) key"
    )
    session.execute(hold, {"keys": keys})
    by_origin: dict[str | None, list[str]] = {}
    for origin, source_id in sources:
        by_origin.setdefault(origin, []).append(source_id)
    return {
        (origin, source_id): incident_id
        for origin, source_ids in by_origin.items()
        for source_id, incident_id in by_source(session, origin, source_ids).items()
    }


def seen(session: Session, actor: Actor, numbers: Iterable[str]) -> set[str]:
    """Return those of the numbers whose incidents the actor may see."""
    asked = visible(actor).with_only_columns(Incident.number).where(Incident.number.in_(list(numbers)))
    return set(session.scalars(asked))


def by_ids(session: Session, actor: Actor, ids: Iterable[int]) -> dict[int, Incident]:
    """Return those of the incidents that the actor may see, by id."""
    found = session.scalars(visible(actor).where(Incident.id.in_(list(ids))))
    return {incident.id: incident for incident in found}


def by_source(session: Session, origin: str | None, source_ids: Sequence[str]) -> dict[str, int]:
    """Return the ids of the incidents another system has given us, by that system's own ids."""
    rows = session.execute(
        select(Incident.source_id, Incident.id).where(
            Incident.origin == origin, Incident.source_id.in_(list(source_ids))
        )
    )
    return dict(tuple(row) for row in rows)


def history(session: Session, incident_id: int) -> list[IncidentEvent]:
    """Return the rows of an incident's history in order."""
    return list(
        session.scalars(
            select(IncidentEvent).where(IncidentEvent.incident_id == incident_id).order_by(IncidentEvent.seq)
        )
    )


def position(session: Session, incident: Incident) -> tuple[float, float]:
    """Return the WGS-84 longitude and latitude of an incident."""
    return tuple(points(session, [incident.id])[0])


def points(session: Session, ids: Sequence[int]) -> np.ndarray:
    """Return the WGS-84 longitude and latitude of incidents, shape (N, 2), in order of id."""
    rows = session.execute(
        select(ST_X(Incident.geom), ST_Y(Incident.geom)).where(Incident.id.in_(ids)).order_by(Incident.id)
    )
    return np.array([tuple(row) for row in rows], float).reshape(-1, 2)


def standing(incident: Incident) -> Standing:
    """Return the standing an incident's row caches."""
    values = {f.name: getattr(incident, f.name) for f in fields(Standing)}
    back = State(incident.suspended_from) if incident.suspended_from else None
    return Standing(**values | {"state": State(incident.state), "suspended_from": back})


def tasks(session: Session, incident: Incident) -> list[IncidentTask]:
    """Return the parts of an incident that other bodies do, in the order they were assigned."""
    asked = select(IncidentTask).where(IncidentTask.incident_id == incident.id)
    return list(session.scalars(asked.order_by(IncidentTask.no)))


def files(session: Session, incident: Incident) -> list[IncidentFile]:
    """Return the files of an incident in the order of the steps that brought them."""
    asked = select(IncidentFile).where(IncidentFile.incident_id == incident.id)
    return list(session.scalars(asked.order_by(IncidentFile.seq, IncidentFile.name)))


def shown_file(session: Session, actor: Actor, sha256: str) -> IncidentFile | None:
    """Return a file as one of the incidents the actor may see holds it, None if none does."""
    mine = visible(actor).with_only_columns(Incident.id).where(Incident.id == IncidentFile.incident_id)
    return session.scalar(select(IncidentFile).where(IncidentFile.sha256 == sha256, mine.exists()).limit(1))


def attached(session: Session, hashes: Collection[str]) -> set[str]:
    """Return those of the hashes of files that an incident holds."""
    asked = select(IncidentFile.sha256).where(IncidentFile.sha256.in_(list(hashes))).distinct()
    return set(session.scalars(asked))


def draw_numbers(session: Session, sequence: SqlSequence, count: int) -> list[int]:
    """Return the next numbers of a sequence; a number drawn is never drawn again."""
    drawn = text("SELECT nextval(:name) FROM generate_series(1, :count)")
    return list(session.scalars(drawn, {"name": sequence.name, "count": count}))


def as_json(value: Mapping[str, Any]) -> str:
    """Return a payload as the text that is stored."""
    return json.dumps(value, ensure_ascii=False)
