"""Figures by area, body, person, matter or whatever else makes a row, from what the actor may see."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import reduce

import numpy as np
from geoalchemy2.functions import ST_X, ST_Y
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    RowMapping,
    Text,
    case,
    cast,
    extract,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.model import Account
from gridmgr.account.rules import Actor
from gridmgr.calendar.queries import worked_between
from gridmgr.casebook.queries import Search, matching
from gridmgr.category import queries as matters
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import Edition, GridUnit
from gridmgr.i18n import language
from gridmgr.incident.model import Incident
from gridmgr.module import queries as modules
from gridmgr.past.queries import bent, cases
from gridmgr.statistics.rules import COUNTS, RATES, SCORE, SUMS, WEIGHTED, before, score
from gridmgr.tally import queries as tally
from gridmgr.tally.model import Terms
from gridmgr.words import word
from gridmgr.words.figures import SOURCES

ALL = (*COUNTS, *SUMS)


@dataclass(frozen=True)
class Figures:
    """The counts and rates of one row (code None: of all the actor sees, or of what is in no row) and period.

    `code` is the key of the row: the code of a unit or category, the name of a body, the id of a module or of an
    account, as text. `counts` holds what was asked for of COUNTS and SUMS, `rates` what can be formed of it.
    """

    code: str | None
    name: str | None
    counts: dict[str, int]
    rates: dict[str, float | None]


def figures(
    session: Session,
    actor: Actor,
    by: str,
    search: Search,
    at: datetime | None = None,
    *,
    counts: Collection[str] = ALL,
    areas: str = "then",
) -> list[Figures]:
    """Return the figures of every row in which something was reported; all as for `table`, without the total."""
    return table(session, actor, by, search, at, counts=counts, areas=areas)[0]


def table(
    session: Session,
    actor: Actor,
    by: str,
    search: Search,
    at: datetime | None = None,
    *,
    counts: Collection[str] = ALL,
    areas: str = "then",
) -> tuple[list[Figures], Figures]:
    """Return the figures of every row in which something was reported, and of all together; every case is read once.

    The rows stand by key; what is in no row stands last.

    Rule: field.md §5; the formulas are `rules.RATES`, the rows `tally.DIMENSIONS`. `at` computes them from history
    as they stood at an instant, by the terms in force then. `counts` names what is wanted, if not all.
    Areas are those stored with each case, which follow the map while it is open. With `areas="was"` they are those
    that held its place on the day of its report, with "now" those that hold it on the map in force: equal totals.

    Raises
    ------
    UnknownDimension, NotOfThePast
    """
    dimension = tally.dimension(by)
    with _at(at):
        terms = tally.terms(session)
        found = _Found(session, actor, search, at)
        columns, key = dimension.columns(session), dimension.key
        if areas != "then" and by in tally.AREAS:
            columns, key = [found.relocated(by, areas)], lambda _session, row: row[0]
        counted = _counted(session, found, search, counts)
        summed: dict[str | None, list[int]] = {}
        for row in found.grouped(columns, counted.values()):
            code = key(session, row[: len(columns)])
            summed[code] = _added(summed.get(code, [0] * len(counted)), row[len(columns) :])
        day = clock.today() if areas == "now" else search.until or clock.today()
        called = names(session, by, [code for code in summed if code], day)
        if areas == "was" and by in tally.AREAS:  # units of several maps stand side by side
            called |= _last_names(session, [code for code in summed if code and code not in called])
    whole = reduce(_added, summed.values(), [0] * len(counted))

    def told(code: str | None, name: str | None, numbers: Iterable[int]) -> Figures:
        return _figures(code, name, dict(zip(counted, numbers, strict=True)), terms)

    codes = sorted(summed, key=lambda each: (each is None, each or ""))
    return [told(code, called.get(code), summed[code]) for code in codes], told(None, None, whole)


def total(
    session: Session,
    actor: Actor,
    search: Search,
    at: datetime | None = None,
    *,
    counts: Collection[str] = ALL,
) -> Figures:
    """Return the figures of all the actor sees, as they stand or stood `at` an instant.

    Raises
    ------
    NotOfThePast
    """
    with _at(at):
        found = _Found(session, actor, search, at)
        counted = _counted(session, found, search, counts)
        (row,) = found.grouped([], counted.values())
        numbers = {name: int(value or 0) for name, value in zip(counted, row, strict=True)}
        return _figures(None, None, numbers, tally.terms(session))


def previous(search: Search, at: date | None = None) -> Search | None:
    """Return the same search over the period of the same length just before, None without a first day.

    A period without a last day ends on the day `at` as of which it is told, or today.
    """
    if search.since is None:
        return None
    last = search.until or min(at or clock.today(), clock.today())
    since, until = before(search.since, max(last, search.since))
    return replace(search, since=since, until=until)


BEHIND = (
    "id", "number", "category_id", "severity", "state", "handler", "reported_at", "due_at", "suspended_at",
    "closed_at", "home",
)  # fmt: skip


@dataclass(frozen=True)
class Behind:
    """The cases behind a figure: how many, and one page of them as they stand or stood, with the columns BEHIND."""

    total: int
    cases: Sequence[RowMapping]


def behind(
    session: Session,
    actor: Actor,
    search: Search,
    at: datetime | None = None,
    *,
    areas: str = "then",
    size: int = 50,
    before: int | None = None,
) -> Behind:
    """Return the cases behind a figure, the newest first; the page goes on after the case with the id `before`.

    The figure's count, row and exclusions are `count`, `row_by`, `row` and `without` of the search.

    Raises
    ------
    UnknownCount, UnknownDimension, NotOfThePast
    """
    with _at(at):
        own = areas != "then" and search.row_by in tally.AREAS
        found = _Found(session, actor, replace(search, row_by=None, row="") if own else search, at)
        if own:
            code = found.relocated(search.row_by, areas)
            found.join()
            found.asked = found.asked.where(found.of(code).is_not_distinct_from(search.row or None))
        total = session.scalar(
            found.asked.with_only_columns(func.count(), maintain_column_froms=True).order_by(None)
        )
        page = found.asked.with_only_columns(
            *(found.of(getattr(Incident, name)).label(name) for name in BEHIND), maintain_column_froms=True
        )
        if before is not None:
            page = page.where(found.of(Incident.id) < before)
        rows = session.execute(page.order_by(found.of(Incident.id).desc()).limit(size))
        return Behind(total, rows.mappings().all())


def _at(at: datetime | None) -> AbstractContextManager:
    return nullcontext() if at is None else clock.travel(at)


class _Found:
    """The cases found, as they stand or as they stood: expressions over Incident are asked of either."""

    def __init__(self, session: Session, actor: Actor, search: Search, at: datetime | None) -> None:
        self.session, self.moved = session, None
        self.past = None if at is None else cases(session, actor, search, at)
        self.asked = matching(session, actor, search) if at is None else select(self.past)

    def of(self, expression: ColumnElement) -> ColumnElement:
        """Return an expression over Incident as one over the cases found."""
        return expression if self.past is None else bent(expression, self.past)

    def grouped(self, by: Sequence[ColumnElement], wanted: Iterable[ColumnElement]) -> Sequence[Row]:
        """Return the rows of aggregates for each group of cases."""
        columns = [self.of(each).label(f"c{n}") for n, each in enumerate((*by, *wanted))]
        asked = self.join().asked.with_only_columns(*columns, maintain_column_froms=True)
        return self.session.execute(
            asked.group_by(*(literal_column(str(n + 1)) for n in range(len(by))))
        ).all()

    def join(self) -> "_Found":
        """Let what is looked up beside the cases stand beside them; returns itself."""
        if self.moved is not None:
            self.asked = self.asked.outerjoin(self.moved, self.moved.c.id == self.of(Incident.id))
            self.moved = None
        return self

    def relocated(self, level: str, areas: str) -> ColumnElement:
        """Return the code of the unit that holds a case's place on the map in force, or `was` when it was reported.

        It is looked up where it may be another: a case stays in the unit it is stored with as long as that one is
        the same on both maps.
        """
        column, moved = tally.AREAS[level], {}
        for edition, told in self._maps(areas):
            unchanged = (
                select(GridUnit.id)
                .join(Edition, hierarchy.valid_at(Edition.effective))
                .where(Edition.id == Incident.edition_id, GridUnit.level == level, GridUnit.code == column)
                .where(hierarchy.valid_at(edition.effective))
                .exists()
            )
            conditions = (
                self.of(Incident.edition_id) != edition.id,
                ~self.of(unchanged),
                *map(self.of, told),
            )
            place = (self.of(each) for each in (Incident.id, ST_X(Incident.geom), ST_Y(Incident.geom)))
            asked = self.asked.where(*conditions).with_only_columns(*place, maintain_column_froms=True)
            if rows := self.session.execute(asked).all():
                ids, lon, lat = zip(*rows, strict=True)
                located = hierarchy.locator_of(self.session, edition).locate(np.array(lon), np.array(lat))
                moved |= dict(zip(ids, located.codes(level), strict=True))
        if not moved:
            return column
        codes = func.unnest(cast(list(moved), ARRAY(BigInteger)), cast(list(moved.values()), ARRAY(Text)))
        self.moved = codes.table_valued("id", "code").render_derived(name="moved")
        return case((self.moved.c.id.is_not(None), self.moved.c.code), else_=column)

    def _maps(self, areas: str) -> Iterator[tuple[Edition, list[ColumnElement[bool]]]]:
        """Yield each map that is asked for, with the conditions of the cases it is asked for."""
        if areas == "now":
            yield hierarchy.edition_at(self.session, clock.today()), []
            return
        found = hierarchy.editions(self.session)[::-1]
        for n, each in enumerate(found):
            told = [Incident.reported_at >= clock.midnight(each.effective)] if n else []
            if n + 1 < len(found):
                told.append(Incident.reported_at < clock.midnight(found[n + 1].effective))
            yield each, told


def _added(numbers: Iterable[int], more: Iterable[Decimal | int | None]) -> list[int]:
    """Add counts and sums to those of the same columns; a sum of nothing is nothing."""
    return [mine + int(other or 0) for mine, other in zip(numbers, more, strict=True)]


def _counted(
    session: Session, found: _Found, search: Search, names: Collection[str]
) -> dict[str, ColumnElement]:
    """Return the aggregates that are wanted, by name, in the order they are printed."""
    conditions = tally.conditions(tally.terms(session), search.without)
    counted = {name: func.count().filter(conditions[name]) for name in COUNTS if name in names}
    times = {
        "running_seconds": lambda: extract("epoch", Incident.closed_at - Incident.accepted_at),
        "worked_seconds": lambda: worked_between(
            session, Incident.home, Incident.accepted_at, Incident.closed_at, _first(session, search)
        ),
    }
    for name in SUMS:
        if name in names:
            counted[name] = func.sum(func.round(times[name]())).filter(conditions["timed"])
    return counted


def _first(session: Session, search: Search) -> datetime:
    if search.since:
        return clock.midnight(search.since)
    return session.scalar(select(func.min(Incident.reported_at))) or clock.now()


def _figures(code: str | None, name: str | None, counts: dict[str, int], terms: Terms) -> Figures:
    rates = {
        each: rate.of(counts) for each, rate in RATES.items() if {rate.over, rate.under} <= counts.keys()
    }
    if rates.keys() >= set(WEIGHTED):
        rates[SCORE] = score(rates, terms.weights)
    return Figures(code, name, counts, rates)


def _last_names(session: Session, codes: Collection[str]) -> dict[str, str]:
    """Return what units were called last, whether they are still there or not."""
    asked = select(GridUnit.code, GridUnit.name).where(GridUnit.code.in_(codes)).order_by(GridUnit.valid_from)
    return dict(tuple(row) for row in session.execute(asked))


def names(session: Session, by: str, keys: Collection[str], day: date) -> dict[str, str]:
    """Return what the keys of rows are called, areas as on a day; what has no other name is left out."""
    if by in tally.AREAS:
        return hierarchy.names(session, keys, day)
    if by in tally.PEOPLE:
        asked = select(Account.id, Account.name).where(
            Account.id.in_([int(key) for key in keys if key.isdecimal()])
        )
        return {str(account): name for account, name in session.execute(asked)}
    if by == "module":
        found = (each for grouping in modules.groupings(session).values() for each in grouping.modules)
        return {str(each.id): each.name(language.get()) for each in found}
    if by == "category":
        return {each.code: each.name(language.get()) for each in matters.by_id(session).values()}
    return {key: word(SOURCES, key) for key in keys} if by == "source" else {key: key for key in keys}


def unit_counts(session: Session, actor: Actor, level: str, search: Search) -> dict[str, int]:
    """Return how many of the incidents found lie in each unit of a level, for colouring it."""
    column = tally.AREAS[hierarchy.known_level(level)]
    rows = session.execute(
        matching(session, actor, search)
        .with_only_columns(column, func.count())
        .where(column.is_not(None))
        .group_by(column)
    )
    return dict(tuple(row) for row in rows)
