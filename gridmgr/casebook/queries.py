"""Reads of the casebook: cases narrowed, ordered, paged, counted, exported; of what the actor may see."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

from geoalchemy2.functions import ST_X, ST_Y, ST_MakeEnvelope
from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    case,
    false,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import LEVEL_OF, PERMISSIONS, Actor, Grant, Role, require
from gridmgr.calendar import queries as calendars
from gridmgr.casebook.model import OtherOrder
from gridmgr.category.model import Category
from gridmgr.clock import TimeUnit
from gridmgr.incident.model import Incident, IncidentTask
from gridmgr.incident.queries import SCOPED, visible
from gridmgr.incident.rules import PUBLIC, RANKS
from gridmgr.life.model import HOLDERS, Action, State
from gridmgr.life.rules import ASKED, OPEN
from gridmgr.supervision.model import RUNNING, SupervisionOrder
from gridmgr.tally import queries as tally

# Words shorter than a trigram are found by an index of the characters beyond ASCII: 井盖, 路.
TRIGRAM = 3
_ASCII = re.compile("[ -~]+")
CHARACTERS = func.string_to_array(
    func.regexp_replace(Incident.words, "[ -~]+", "", "g"), None, type_=ARRAY(Text)
)


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
    answers: str | None = None  # a body at work, or one that answers until another takes it in hand
    kept: str | None = None  # a body that answers for what was passed on and nobody has taken yet
    checker: int | None = None  # who is sent to look on site
    own: tuple[str, ...] = ()  # of units whose own people do the work: the beginnings of their codes
    task: str | None = None  # a body that has an open part of it
    asked: bool = False  # a request waits for an answer
    ours: bool = False  # held at the reader's own level; of requests, those the reader may grant
    unseen: bool = False  # reported by the public, and nobody has looked on site
    mine: int | None = None  # who reported it
    severity: int | None = None
    forces: tuple[str, ...] = ()  # any of these task forces is at work
    module: int | None = None  # the module of its area that takes such matters
    soon: bool = False  # due within the next SOON working hours
    whistled: bool = False  # somebody was called to it
    supervised: bool = False  # a supervision order on it runs
    lateness: str | None = None  # of open cases: a key of LATENESS
    box: tuple[float, ...] = ()  # what a map shows: west, south, east, north in degrees, WGS-84
    closed_in: str | None = None  # closed by the people of this level, or below, alone: a key of CLOSED_IN
    count: str | None = None  # those that a figure counts: a key of tally.queries.conditions
    without: tuple[str, ...] = ()  # what is left out of what is due: keys of tally.rules.EXCLUSIONS
    row_by: str | None = None  # those in one row of figures told by this: a key of tally.queries.DIMENSIONS
    row: str = ""  # the key of that row; empty: those in no row
    sort: str = "newest"  # a key of SORTS

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """Yield what every case found fulfils, but for what depends on who asks."""
        if self.states:
            yield Incident.state.in_(self.states)
        if self.open is not None:
            yield Incident.state.in_(OPEN) if self.open else Incident.state.not_in(OPEN)
        if self.category:
            coded = select(Category.id).where(Category.code.startswith(self.category, autoescape=True))
            yield Incident.category_id.in_(coded)
        if self.whistled:
            yield Incident.whistles > 0
        if self.supervised:
            yield supervised()
        if self.box:
            yield Incident.geom.op("&&")(ST_MakeEnvelope(*self.box, 4326))
        if self.closed_in:
            yield tally.closed_in(self.closed_in)
        if self.source:
            yield Incident.source == self.source
        if self.code:
            yield or_(
                *(column == self.code for column in SCOPED),
                Incident.building_code == self.code,
            )
        if self.since:
            yield Incident.reported_at >= clock.midnight(self.since)
        if self.until:
            yield Incident.reported_at < clock.midnight(self.until, days=1)
        if self.overdue:
            yield late()
        yield from self._of_desks()
        for word in self.words.split():
            yield Incident.words.icontains(word, autoescape=True)
            if len(word) < TRIGRAM and (characters := list(_ASCII.sub("", word))):
                yield CHARACTERS.contains(characters)

    def _of_desks(self) -> Iterator[ColumnElement[bool]]:
        """What the lists of desks are narrowed to, beside what everybody looks for."""
        if self.level:
            yield Incident.level == self.level
        if self.handler:
            yield Incident.handler == self.handler
        if self.forces:
            yield Incident.handler.in_(self.forces)
        if self.answers:
            yield or_(Incident.handler == self.answers, Incident.owner == self.answers)
        if self.kept:
            yield (Incident.owner == self.kept) & Incident.handler.is_distinct_from(self.kept)
        if self.checker is not None:
            yield Incident.checker_id == self.checker
        if self.own:
            yield or_(*(Incident.handler_code.startswith(each, autoescape=True) for each in self.own))
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

    @property
    def only_open(self) -> bool:
        """Whether it can find open cases alone."""
        alive = self.open or self.asked or self.soon or self.lateness
        return bool(alive or (self.states and set(self.states) <= OPEN))

    def given(self) -> dict[str, Any]:
        """Return the fields that narrow anything, for a link."""
        return {
            f.name: value
            for f in fields(self)
            if (value := getattr(self, f.name)) not in (None, (), "", False, "newest")
        }


def late() -> ColumnElement[bool]:
    """Return the condition that a case is, or was when its time stopped, past its due time."""
    return Incident.due_at < func.coalesce(Incident.stopped_at, clock.now())


FAR = datetime(9999, 1, 1, tzinfo=UTC)  # where what has no due time stands


@dataclass(frozen=True)
class Sort:
    """How a list is ordered: by what, as the database and as we read it, and whether it runs down."""

    column: Any
    of: Callable[[Incident], datetime | int]
    kind: type
    down: bool


SORTS = {
    "newest": Sort(Incident.reported_at, lambda case: case.reported_at, datetime, down=True),
    "oldest": Sort(Incident.reported_at, lambda case: case.reported_at, datetime, down=False),
    "due": Sort(func.coalesce(Incident.due_at, FAR), lambda case: case.due_at or FAR, datetime, down=False),
    "severity": Sort(Incident.severity, lambda case: case.severity, int, down=True),
}

Place = tuple[datetime | int, int]
"""Where a page ends: what its last case was ordered by when it was shown, and its id, which tells equals apart."""


def place(search: Search, case: Incident) -> Place:
    """Return the place of a case in a list, from which the next page goes on even if the case changes meanwhile."""
    return SORTS[search.sort].of(case), case.id


def matching(session: Session, actor: Actor, search: Search) -> Select:
    """Return the statement of the incidents found among those the actor may see."""
    return visible(actor).where(*conditions(session, actor, search))


def conditions(session: Session, actor: Actor, search: Search) -> Iterator[ColumnElement[bool]]:
    """Yield what every case found fulfils, beside that the actor may see it.

    Raises
    ------
    NotGranted
        The cases of one person are asked for, by somebody who does not lead people.
    """
    if search.row_by in tally.PEOPLE:
        require(actor, "figures.people")
    yield from search.conditions()
    if search.module is not None:
        yield tally.taken(session, search.module)
    if search.count:
        yield tally.counted(session, search.count, search.without)
    if search.row_by:
        yield tally.in_row(session, search.row_by, search.row)
    if search.soon:
        yield soon(session)
    if search.lateness:
        yield LATENESS[search.lateness](session)
    if search.ours:
        yield grantable(actor) if search.asked else decided(actor)


SOON = 4  # working hours: so near its due time a case is about to be late


def soon(session: Session) -> ColumnElement[bool]:
    """Return the condition that a case's time runs and ends within the next working hours of its own area."""
    ends = calendars.horizons(session, SOON, TimeUnit.WORKING_HOURS)
    usual = ends.pop("", clock.now())
    own = [
        (Incident.home.startswith(code, autoescape=True), ends[code])
        for code in sorted(ends, key=len, reverse=True)
    ]
    end = case(*own, else_=usual) if own else usual
    return Incident.due_at.between(clock.now(), end) & Incident.stopped_at.is_(None)


LONG = timedelta(days=1)  # so far past its due time an open case is long overdue


def _open_late(by: timedelta) -> ColumnElement[bool]:
    due = Incident.due_at < func.coalesce(Incident.stopped_at, clock.now()) - by
    return due & Incident.closed_at.is_(None) & Incident.state.in_(OPEN)


# How late an open case is, the least first; whoever is long overdue is overdue too.
LATENESS: dict[str, Callable[[Session], ColumnElement[bool]]] = {
    "soon": soon,
    "late": lambda session: _open_late(timedelta(0)),
    "long": lambda session: _open_late(LONG),
}


def lateness(session: Session) -> ColumnElement[int]:
    """Return how late a case is: the place of the last of LATENESS that it fulfils, counted from 1; else 0."""
    ranks = [(condition(session), rank) for rank, condition in enumerate(LATENESS.values(), start=1)]
    return case(*reversed(ranks), else_=0)


def supervised() -> ColumnElement[bool]:
    """Return the condition that a supervision order (督办) on a case runs."""
    running = select(SupervisionOrder.incident_id).where(SupervisionOrder.state.in_(RUNNING))
    return Incident.id.in_(running)


def decided(actor: Actor) -> ColumnElement[bool]:
    """Return the condition that a case is held at a level at which somebody sits, or below it.

    The twin of `incident.rules.may` for the steps of a desk, as one condition for many cases.
    """
    return or_(false(), *(_held(grant) for grant in actor.grants if grant.role in HEIGHTS))


HEIGHTS = {role: HOLDERS.index(level) for role, level in LEVEL_OF.items()} | {Role.ADMIN: len(HOLDERS) - 1}


def _held(grant: Grant) -> ColumnElement[bool]:
    levels = HOLDERS[: HEIGHTS[grant.role] + 1]
    return Incident.home.startswith(grant.code, autoescape=True) & Incident.level.in_(levels)


def grantable(actor: Actor) -> ColumnElement[bool]:
    """Return the condition that a case's waiting request is one somebody may grant: twin of `incident.rules.may`."""
    ways = [
        _held(grant) & (Incident.asked["way"].astext == way) & _time(way, n)
        for grant in actor.grants
        for way in ASKED
        for n, roles in enumerate(RANKS.get(way, (PERMISSIONS[f"incident.{way}"],)))
        if grant.role is Role.ADMIN or grant.role in roles & PERMISSIONS[f"incident.{way}"] & HEIGHTS.keys()
    ]
    return or_(false(), *ways)


def _time(way: Action, row: int) -> ColumnElement[bool]:
    """Return the condition that this row of the ranks stands for the time a step would be taken."""
    times = {
        Action.EXTEND: Incident.extensions,
        Action.SUSPEND: Incident.suspensions,
        Action.SEND_BACK: Incident.send_backs,
        Action.VOID: case((Incident.state == State.REPORTED, 0), else_=1),
    }
    if way not in RANKS:
        return true()
    return times[way] >= row if row == len(RANKS[way]) - 1 else times[way] == row


def listing(session: Session, actor: Actor, search: Search) -> Select:
    """Return the statement of the incidents found, in the order asked for."""
    sort = SORTS[search.sort]
    ways = [each.desc() if sort.down else each for each in (sort.column, Incident.id)]
    return matching(session, actor, search).order_by(*ways)


def page(
    session: Session, actor: Actor, search: Search, size: int, behind: Place | None = None
) -> list[Incident]:
    """Return one page of the incidents found, going on behind a place.

    Raises
    ------
    OtherOrder
    """
    asked = listing(session, actor, search)
    if behind is not None:
        sort = SORTS[search.sort]
        if not isinstance(behind[0], sort.kind):
            raise OtherOrder
        here, there = tuple_(sort.column, Incident.id), tuple_(*map(literal, behind))
        asked = asked.where(here < there if sort.down else here > there)
    return list(session.scalars(asked.limit(size)))


def counted(session: Session, actor: Actor, searches: Mapping[str, Search]) -> dict[str, int]:
    """Return how many incidents each of several searches finds, in one statement that reads each case once."""
    if not searches:
        return {}
    numbers = [func.count().filter(*conditions(session, actor, search)) for search in searches.values()]
    asked = visible(actor).with_only_columns(*(number.label(f"n{n}") for n, number in enumerate(numbers)))
    if all(search.only_open for search in searches.values()):
        asked = asked.where(Incident.closed_at.is_(None))  # few, and with an index of their own
    return dict(zip(searches, session.execute(asked).one(), strict=True))


def count_by_state(session: Session, actor: Actor, search: Search) -> dict[State, int]:
    """Return how many of the incidents found stand in each state, in the order of their life."""
    asked = (
        matching(session, actor, search)
        .with_only_columns(Incident.state, func.count())
        .group_by(Incident.state)
    )
    numbers = dict(tuple(row) for row in session.execute(asked))
    return {state: numbers.get(state, 0) for state in State}


def work(session: Session, actor: Actor, search: Search) -> list[tuple[str, int, int]]:
    """Return (body at work, how many of the incidents found, how many of these late) by the bodies' names."""
    asked = (
        matching(session, actor, search)
        .where(Incident.handler.is_not(None))
        .with_only_columns(Incident.handler, func.count(), func.count().filter(late()))
        .group_by(Incident.handler)
    )
    return [tuple(row) for row in session.execute(asked.order_by(Incident.handler))]


EXPORTED = (
    "number", "state", "source", "origin", "source_id", "reported_at", "accepted_at", "due_at", "closed_at",
    "level", "handler", "owner", "severity", "satisfaction", "reworks", "extensions", "reopens", "description",
    "address",
    "street_code", "community_code", "micro_grid_code", "building_code", "located", "distance_m",
)  # fmt: skip


def exported(session: Session, actor: Actor, search: Search) -> Iterator[Mapping[str, Any]]:
    """Yield the incidents found, the newest first, with category and WGS-84 place, as rows of a table."""
    asked = (
        listing(session, actor, search)
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
    asked = listing(session, actor, search).with_only_columns(
        Incident.number, ST_X(Incident.geom), ST_Y(Incident.geom), Incident.state, Incident.category_id,
        func.coalesce(late(), False),
    )  # fmt: skip
    return [tuple(row) for row in session.execute(asked.limit(limit))]
