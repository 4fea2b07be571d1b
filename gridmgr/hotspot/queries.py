"""Reads of where it hurts; each starts from the cases the actor may see, and answers with the card of its method."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
from geoalchemy2.functions import ST_X, ST_Y, ST_PointOnSurface
from scipy.sparse import csr_array
from sqlalchemy import FrameClause, FrameClauseType, Row, Select, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP, aggregate_order_by
from sqlalchemy.orm import Session

from gis.adjacency import matrix
from gis.density import bands, kernel_density
from gis.emerging import ALPHA, emerging
from gis.hotspot import LEVELS as ALPHAS
from gis.hotspot import getis_ord, method
from gis.smoothing import rates as smoothed_rates
from gridmgr import clock
from gridmgr.account.rules import Actor, Role
from gridmgr.casebook.queries import Search, matching
from gridmgr.category import queries as matters
from gridmgr.category.model import Category
from gridmgr.db import fingerprint
from gridmgr.duty.model import Shift
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import BUILDING, COVERAGES, GridUnit
from gridmgr.hotspot import rules
from gridmgr.hotspot.model import Bands, Case, Found, NotAnAreaLevel, Place, Repeats, Span
from gridmgr.incident.model import Incident, IncidentEvent
from gridmgr.life.rules import OPEN, OUT
from gridmgr.tally.queries import AREAS
from gridmgr.weekly import queries as weekly

T = TypeVar("T")
HOLDS = timedelta(minutes=2)  # however quiet it is: a case may come in late, out of order
MOST_KEPT = 64
PATROL = (Role.GRID_MEMBER, Role.GRID_LEADER)
SQUARE = 1e-4  # degrees: places nearer than this are one for a density
_kept: OrderedDict[Hashable, tuple[Any, Any]] = OrderedDict()


@dataclass(frozen=True)
class Ground:
    """The units of a level that an actor sees, on the map of a day: name, bases, a point inside; neighbours."""

    units: pd.DataFrame
    weights: csr_array
    as_of: date


def _known(session: Session, actor: Actor, key: tuple, find: Callable[[], T], of_cases: bool = True) -> T:
    """Return what was found before for the same actor's scope and question, if no case has moved since."""
    newest = session.scalar(select(func.max(IncidentEvent.id))) if of_cases else None
    place = (fingerprint(session), actor.id, actor.scope, actor.also, key)
    now = clock.now()
    if (known := _kept.get(place)) and known[0][0] == newest and abs(now - known[0][1]) < HOLDS:
        return known[1]
    found = find()
    _kept[place] = ((newest, now), found)
    while len(_kept) > MOST_KEPT:
        _kept.popitem(last=False)
    return found


def _asked(search: Search) -> str:
    return repr(search)


def ground(session: Session, actor: Actor, level: str, at: date | None) -> Ground:
    """Return the units of a level on the map in force on a day (today).

    Raises
    ------
    NotAnAreaLevel
        The level is no coverage.
    NoEdition
    """
    if level not in COVERAGES:
        raise NotAnAreaLevel(level=level)
    edition = hierarchy.edition_at(session, at)
    key = ("ground", level, edition.stamp)
    return _known(session, actor, key, lambda: _ground(session, actor, level, edition.effective), False)


def _ground(session: Session, actor: Actor, level: str, effective: date) -> Ground:
    frame = hierarchy.frame(session, level, effective, actor).set_index("code")
    inside = frame.geometry.representative_point()
    units = pd.DataFrame(frame[["name", "households"]]).assign(
        area=frame["area_m2"].astype(float) / 1e6, lon=inside.x.round(6), lat=inside.y.round(6)
    )
    return Ground(units, matrix(frame, "queen"), effective)


def gi(session: Session, actor: Actor, level: str, search: Search) -> Found:
    """Return the Getis-Ord Gi* class of every visible unit of a level, on the period's last map.

    `klass` is -3 … 3; `units` has z, p and q besides.
    """
    land = ground(session, actor, level, search.until)

    def find() -> Found:
        counts, elsewhere = _counts(session, actor, level, search, land)
        if len(counts) < 3:
            return Found("gi", _nothing("z", "p", "q"), {})
        found = getis_ord(counts.astype(float), land.weights)
        units = land.units[["name", "lon", "lat"]].assign(count=counts, **found)
        hot, cold = (int((found["klass"] * side > 0).sum()) for side in (1, -1))
        card = _card("gi", level, search, land, counts, elsewhere)
        return Found("gi", units, card | {"alpha": [each for each, _ in ALPHAS], "hot": hot, "cold": cold})

    return _known(session, actor, ("gi", level, _asked(search), land.as_of), find)


def trend(
    session: Session, actor: Actor, level: str, search: Search, step: str = "day", number: int | None = None
) -> Found:
    """Return how hot spots of a level came and went over equal periods; `klass` is one of `gis.emerging.CLASSES`.

    The periods end with the filters' last day, or yesterday; they begin with their first day, else so many before.

    Raises
    ------
    UnknownStep, TooManyPeriods, PeriodTooShort, RecordsTooYoung
    """
    first = session.scalar(select(func.min(Incident.reported_at)))
    begun = first and clock.local(first).date()
    span = rules.spans(step, search.since, search.until, clock.today(), number, begun)
    land = ground(session, actor, level, span.until)
    asked = replace(search, since=span.since, until=span.until)

    def find() -> Found:
        counts, elsewhere = _counts_by_period(session, actor, level, asked, land, span)
        if len(counts) < 3:
            return Found("trend", _nothing("hot", "cold", "last", "trend", "p"), {})
        found = emerging(counts.astype(float), land.weights, alpha=ALPHA)
        units = land.units[["name", "lon", "lat"]].assign(count=counts.sum(axis=1).astype(int), **found.units)
        card = _card("trend", level, asked, land, units["count"], elsewhere)
        more = {"step": step, "periods": len(span.begins), "back": 1, "alpha": [ALPHA]}
        return Found("trend", units, card | more, found.steps)

    return _known(session, actor, ("trend", level, _asked(asked), step, land.as_of), find)


def rates(
    session: Session, actor: Actor, level: str, search: Search, base: str = "households", minimum: float | None = None
) -> Found:  # fmt: skip
    """Return cases set against households, area or patrol hours; `klass` is one of `rules.RATE_CLASSES`.

    Patrol hours are hours on duty by the rosters; then the period begins with the first day there is a roster of.

    Raises
    ------
    UnknownRateBase
    """
    against = rules.base_of(base)
    least = against.minimum if minimum is None else minimum
    if base == "hours":
        search = _rostered(session, search)
    land = ground(session, actor, level, search.until)
    counts, elsewhere = _counts(session, actor, level, search, land)
    sizes = _hours(session, land, search) if base == "hours" else land.units[base].astype(float)
    found = smoothed_rates(counts.astype(float), sizes, land.weights, least)
    for column in ("rate", "smoothed", "nearby"):
        found[column] *= against.per
    units = land.units[["name", "lon", "lat"]].assign(count=counts, base=sizes, **found)
    units["klass"] = rules.rate_classes(found["smoothed"], found["few"])
    card = _card("rates", level, search, land, counts, elsewhere)
    more = {"base": base, "minimum": least, "per": against.per, "known": int(sizes.notna().sum())}
    return Found("rates", units, card | more)


def density(session: Session, actor: Actor, search: Search, bandwidth: float = rules.BANDWIDTH) -> Bands:
    """Return how densely cases lie, as five bands between even steps.

    Raises
    ------
    BadBandwidth, RasterTooFine
    """

    def find() -> Bands:
        x, y = (func.floor(each(Incident.geom) / SQUARE) for each in (ST_X, ST_Y))
        rows = session.execute(
            _ours(session, actor, search).with_only_columns(x, y, func.count()).group_by(x, y)
        )
        lon, lat, numbers = np.array(rows.all(), dtype=float).reshape(-1, 3).T
        found = kernel_density((lon + 0.5) * SQUARE, (lat + 0.5) * SQUARE, bandwidth, numbers=numbers)
        card = {
            "method": "density", "since": search.since, "until": search.until, "incidents": int(numbers.sum()),
            "bandwidth": bandwidth, "cell": bandwidth / 5, "kernel": "quartic",
        }  # fmt: skip
        return Bands(bands(found) if found else _no_areas(), card)

    return _known(session, actor, ("density", _asked(search), bandwidth), find)


def repeats(
    session: Session, actor: Actor, search: Search, least: int = rules.REPEAT_LEAST, within: int = rules.REPEAT_DAYS
) -> Repeats:  # fmt: skip
    """Return the buildings in which the same matter came up so many times within so many days."""
    rows = session.execute(_repeated(session, actor, search, max(least, 2), within)).all()
    at = hierarchy.edition_at(session, search.until).effective
    places = _buildings(session, [row.building for row in rows], at)
    titles = {
        each.code: {"zh": each.name("zh"), "en": each.name("en")} for each in matters.by_id(session).values()
    }
    card = {
        "method": "repeat", "since": search.since, "until": search.until, "least": max(least, 2), "within": within,
        "incidents": sum(row.count_ for row in rows), "places": len(rows), "as_of": at,
    }  # fmt: skip
    return Repeats([_place(row, places, titles) for row in rows], card)


def _ours(session: Session, actor: Actor, search: Search) -> Select:
    return matching(session, actor, search).where(Incident.state.not_in(OUT))


def _counts(
    session: Session, actor: Actor, level: str, search: Search, land: Ground
) -> tuple[pd.Series, int]:
    """Return the cases of each unit, and how many lie in none of them."""
    column = AREAS[level]
    rows = session.execute(
        _ours(session, actor, search).with_only_columns(column, func.count()).group_by(column)
    )
    counted = dict(tuple(row) for row in rows)
    counts = pd.Series(counted, dtype=float).reindex(land.units.index, fill_value=0).astype(int)
    return counts, sum(counted.values()) - int(counts.sum())


def _counts_by_period(
    session: Session, actor: Actor, level: str, search: Search, land: Ground, span: Span
) -> tuple[pd.DataFrame, int]:
    column = AREAS[level]
    edges = cast([clock.midnight(day) for day in span.begins], ARRAY(TIMESTAMP(timezone=True)))
    period = func.width_bucket(Incident.reported_at, edges)
    asked = _ours(session, actor, search).with_only_columns(column, period, func.count())
    rows = session.execute(asked.group_by(column, period)).all()
    counts = np.zeros((len(land.units), len(span.begins)), dtype=int)
    at = {code: n for n, code in enumerate(land.units.index)}
    for code, n, number in rows:
        if code in at:
            counts[at[code], n - 1] = number
    elsewhere = sum(number for _, _, number in rows) - int(counts.sum())
    return pd.DataFrame(counts, index=land.units.index, columns=list(span.begins)), elsewhere


def _card(
    kind: str, level: str, search: Search, land: Ground, counts: pd.Series, elsewhere: int
) -> dict[str, Any]:
    neighbours = method(land.weights)
    return {
        "method": kind, "level": level, "since": search.since, "until": search.until, "as_of": land.as_of,
        **{name: neighbours[name] for name in ("units", "links", "islands")},
        "incidents": int(counts.sum()), "elsewhere": elsewhere, "statistic": neighbours["statistic"],
    }  # fmt: skip


def _nothing(*columns: str) -> pd.DataFrame:
    return pd.DataFrame(columns=["name", "lon", "lat", "count", *columns, "klass"])


def _no_areas() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"klass": [], "low": [], "high": []}, geometry=[], crs="EPSG:4326")


def _rostered(session: Session, search: Search) -> Search:
    """Return the filters from the first day on that a roster of patrols is known of."""
    first = session.scalar(select(func.min(Shift.begins)).where(Shift.role.in_(PATROL)))
    if first is None:
        return search
    day = clock.local(first).date()
    return replace(search, since=max(search.since or day, day))


def _hours(session: Session, land: Ground, search: Search) -> pd.Series:
    """Return the hours on duty of grid members and leaders in each unit; missing where there is no roster."""
    begin = clock.midnight(search.since) if search.since else clock.now()
    end = min(clock.midnight(search.until, 1), clock.now()) if search.until else clock.now()
    seats = weekly.on_duty(session, begin, end, PATROL)
    told = [(code, seconds) for (_account, (_role, code)), seconds in seats.items()]
    return pd.Series(rules.held(told, land.units.index), dtype=float).reindex(land.units.index)


def _repeated(session: Session, actor: Actor, search: Search, least: int, within: int) -> Select:
    """Return the statement of buildings and matters with so many cases within so many days, most cases first."""
    inside = _ours(session, actor, search).where(Incident.building_code.is_not(None))
    columns = (
        Incident.number,
        Incident.state,
        Incident.reported_at,
        Incident.building_code.label("building"),
    )
    case = inside.join(Category).with_only_columns(*columns, Category.code.label("category")).cte("cases").c
    turn = {"partition_by": (case.building, case.category), "order_by": case.reported_at}
    frame = FrameClause(timedelta(days=within), None, FrameClauseType.PRECEDING, FrameClauseType.CURRENT)
    after = func.extract("epoch", case.reported_at - func.lag(case.reported_at).over(**turn)) / 86400
    near = func.count().over(**turn, range_=frame)
    of = select(*case, after.label("after"), near.label("near")).cte("turns").c
    latest = [
        func.array_agg(aggregate_order_by(column, of.reported_at.desc(), of.number))[1 : rules.LATEST].label(
            name
        )
        for name, column in (("numbers", of.number), ("times", of.reported_at), ("afters", of.after))
    ]
    count, most = func.count(), func.max(of.near)
    return (
        select(
            of.building, of.category, count.label("count_"), most.label("most"), *latest,
            func.count().filter(of.state.in_(OPEN)).label("open"), func.min(of.reported_at).label("first"),
            func.max(of.reported_at).label("last"), func.avg(of.after).label("between"),
            func.min(of.after).label("shortest"),
        )
        .group_by(of.building, of.category)
        .having(most >= least)
        .order_by(count.desc(), of.building, of.category)
    )  # fmt: skip


def _place(row: Row, buildings: Mapping[str, Row], titles: Mapping[str, Mapping[str, str]]) -> Place:
    at = buildings.get(row.building)
    latest = (
        Case(number, when, None if after is None else float(after))
        for number, when, after in zip(row.numbers, row.times, row.afters, strict=True)
    )
    return Place(
        row.building, at.name if at else "", (at.address if at else "") or "", row.category,
        titles.get(row.category, {}), row.count_, row.open, row.first, row.last, float(row.between),
        float(row.shortest), row.most, at.lon if at else None, at.lat if at else None, tuple(latest),
    )  # fmt: skip


def _buildings(session: Session, codes: list[str], at: date) -> Mapping[str, Any]:
    inside = ST_PointOnSurface(GridUnit.geom)
    asked = select(
        GridUnit.code, GridUnit.name, GridUnit.address, ST_X(inside).label("lon"), ST_Y(inside).label("lat")
    ).where(GridUnit.level == BUILDING, GridUnit.code.in_(codes), hierarchy.valid_at(at))
    return {row.code: row for row in session.execute(asked)}
