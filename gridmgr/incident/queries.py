"""Reads of incidents. Every one starts from what the actor may see."""

import csv
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time
from itertools import groupby
from typing import Any, TextIO

import numpy as np
from geoalchemy2.functions import ST_X, ST_Y
from sqlalchemy import Select, func, or_, select, text
from sqlalchemy import Sequence as SqlSequence
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.queries import visible_to
from gridmgr.account.rules import Actor
from gridmgr.incident.model import Incident, IncidentEvent, IncidentFile, IncidentTask, UnknownIncident
from gridmgr.life import rules as life
from gridmgr.life.model import Action, BadField, State
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
        if self.words:
            escaped = self.words.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
            yield Incident.words.ilike(f"%{escaped}%")

    def given(self) -> dict[str, Any]:
        """Return the fields that narrow anything, for a link."""
        return {
            f.name: value
            for f in fields(self)
            if (value := getattr(self, f.name)) not in (None, (), "", False)
        }


def midnight(day: date, days: int = 0) -> datetime:
    """Return the instant the local day begins, `days` later."""
    return datetime.combine(date.fromordinal(day.toordinal() + days), time.min, clock.zone())


def listing(actor: Actor, search: Search) -> Select:
    """Return the statement of the incidents found, the newest first."""
    return search.narrow(visible(actor)).order_by(Incident.reported_at.desc(), Incident.id.desc())


def page(
    session: Session, actor: Actor, search: Search, size: int, before: int | None = None
) -> list[Incident]:
    """Return one page of the newest incidents found, going on after the one with id `before`."""
    asked = listing(actor, search)
    if before is not None:
        last = select(Incident.reported_at, Incident.id).where(Incident.id == before).subquery()
        asked = asked.where(
            func.row(Incident.reported_at, Incident.id)
            < func.row(select(last.c.reported_at).scalar_subquery(), before)
        )
    return list(session.scalars(asked.limit(size)))


def count_by_state(session: Session, actor: Actor, search: Search) -> dict[State, int]:
    """Return how many of the incidents found stand in each state, in the order of their life."""
    found = (
        search.narrow(visible(actor)).with_only_columns(Incident.state, func.count()).group_by(Incident.state)
    )
    numbers = dict(tuple(row) for row in session.execute(found))
    return {state: numbers.get(state, 0) for state in State}


EXPORTED = (
    "number", "state", "source", "reported_at", "accepted_at", "due_at", "closed_at", "handler", "severity",
    "satisfaction", "reworks", "description", "address", "street_code", "community_code", "micro_grid_code",
    "building_code", "located", "distance_m",
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


def write_csv(session: Session, actor: Actor, search: Search, handle: TextIO) -> int:
    """Write the incidents found as a CSV table, streaming; returns how many."""
    columns = {name: getattr(Incident, name) for name in EXPORTED}
    asked = listing(actor, search).with_only_columns(
        *columns.values(), ST_X(Incident.geom), ST_Y(Incident.geom), Category.code, Category.name_zh
    )
    rows = session.execute(
        asked.join(Category, Category.id == Incident.category_id).execution_options(yield_per=5000)
    )
    writer = csv.writer(handle)
    writer.writerow([*columns, "lon", "lat", "category", "category_name"])
    written = 0
    for row in rows:
        writer.writerow([_as_text(value) for value in row])
        written += 1
    return written


EXPORTED = (
    "number", "state", "source", "origin", "source_id", "reported_at", "accepted_at", "due_at", "closed_at",
    "handler", "severity", "satisfaction", "reworks", "address", "description", "street_code",
    "community_code", "micro_grid_code", "building_code", "located", "distance_m",
)  # fmt: skip


def _as_text(value: object) -> object:
    """Return a cell; a text that a spreadsheet would run as a formula gets a quote before it."""
    if isinstance(value, datetime):
        return clock.local(value).isoformat(" ", "seconds")
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t") else value


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


@dataclass(frozen=True)
class Verification:
    """How many histories were read, and the numbers of the incidents whose chain does not hold."""

    incidents: int
    events: int
    broken: list[str]


def verify(session: Session) -> Verification:
    """Walk every history: each row's hash, the last one kept on the case, and fold(history) == state."""
    columns = [Incident.number, Incident.last_seq, Incident.last_hash, *_STANDING_COLUMNS]
    steps = [
        getattr(IncidentEvent, name)
        for name in ("seq", "action", "actor_name", "occurred_at", "payload", "hash")
    ]
    rows = session.execute(
        select(Incident.id, *columns, *steps)
        .outerjoin(IncidentEvent, IncidentEvent.incident_id == Incident.id)
        .order_by(Incident.id, IncidentEvent.seq)
        .execution_options(yield_per=5000)
    )
    incidents = events = 0
    broken: list[str] = []
    for _, group in groupby(rows, key=lambda row: row[0]):
        history = list(group)
        cached, told = history[0][1 : 1 + len(columns)], [row[1 + len(columns) :] for row in history]
        incidents += 1
        events += len(told)
        if not _holds(cached, told):
            broken.append(cached[0])
    return Verification(incidents, events, broken)


_STANDING_COLUMNS = [getattr(Incident, f.name) for f in fields(Standing)]


def _holds(cached: Sequence, told: Sequence[Sequence]) -> bool:
    """Tell whether a history is whole, unchanged, and says what the incident's row says."""
    number, last_seq, last_hash, *standing = cached
    digest = b""
    for expected, (seq, action, actor, at, payload, stored) in enumerate(told, start=1):
        if seq != expected:
            return False
        digest = life.chain(digest, number, seq, action, actor, at, payload)
        if digest != stored:
            return False
    folded = life.fold((Action(action), payload, at) for _, action, _, at, payload, _ in told)
    return digest == last_hash and len(told) == last_seq and list(life.cached(folded).values()) == standing
