"""Reads of the four levels: editions, units, frames, tiles, and the locator of a state of the map."""

import shutil
import tempfile
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from geoalchemy2.functions import ST_X, ST_Y, ST_AsGeoJSON, ST_PointOnSurface
from sqlalchemy import ColumnElement, Select, func, literal_column, or_, select, text, true
from sqlalchemy.orm import Session, defer

from gis.locate import Locator
from gis.tiles import BANDS, MIN_ZOOM, TILE_EXTENT, band_at
from gridmgr import clock
from gridmgr.account.queries import visible_to
from gridmgr.account.rules import Actor
from gridmgr.db import fingerprint, statement
from gridmgr.hierarchy.model import (
    BUILDING,
    COMMUNITY,
    LEVELS,
    MICRO_GRID,
    STREET,
    CodeScheme,
    Edition,
    GridUnit,
    Lineage,
    NoEdition,
    TileShape,
    UnknownEdition,
    UnknownLevel,
    UnknownUnit,
)
from gridmgr.hierarchy.rules import Scheme
from gridmgr.kept import kept
from gridmgr.settings import settings

ALL_UNITS = true()
NET = Lineage.step == 0  # what an edition did in all


def valid_at(at: date) -> ColumnElement[bool]:
    """Return the SQL condition that a unit is in force on the day `at`."""
    return (GridUnit.valid_from <= at) & or_(GridUnit.valid_to.is_(None), GridUnit.valid_to > at)


def visible_units(actor: Actor) -> ColumnElement[bool]:
    """Return the SQL condition of units inside the actor's scope, and of those above it."""
    above = [GridUnit.code.in_([prefix[:n] for n in range(1, len(prefix))]) for prefix in actor.scope]
    return or_(visible_to(actor, GridUnit.code, GridUnit.parent_code), *above)


def scheme(session: Session) -> Scheme | None:
    """Return the code scheme in force, or None before the first import."""
    row = session.get(CodeScheme, 1)
    return Scheme(row.name, row.masks, row.parent_length) if row else None


def editions(session: Session) -> list[Edition]:
    """Return all editions, the newest first."""
    return kept(session, "editions", _read_editions)


def _read_editions(session: Session) -> list[Edition]:
    return list(session.scalars(select(Edition).order_by(Edition.effective.desc())))


def edition_at(session: Session, at: date | None = None) -> Edition:
    """Return the edition in force on the day `at` (today); before the first one, the first answers.

    Raises
    ------
    NoEdition
        Nothing has been imported yet.
    """
    day, known = at or clock.today(), editions(session)
    if not known:
        raise NoEdition
    return next((each for each in known if each.effective <= day), known[-1])


def edition(session: Session, edition_id: int) -> Edition:
    """Return the edition of that id.

    Raises
    ------
    UnknownEdition
    """
    found = next((each for each in editions(session) if each.id == edition_id), None)
    if found is None:
        raise UnknownEdition(edition=edition_id)
    return found


def edition_by_stamp(session: Session, stamp: str) -> Edition:
    """Return the edition whose present state has that stamp.

    Raises
    ------
    UnknownEdition
        There is none, or it has been completed meanwhile.
    """
    number, _, _ = stamp.partition(".")
    found = session.get(Edition, int(number)) if number.isdigit() and len(number) < 10 else None
    if found is None or found.stamp != stamp:
        raise UnknownEdition(edition=stamp)
    return found


def known_level(level: str) -> str:
    """Return the level if there is such a one.

    Raises
    ------
    UnknownLevel
    """
    if level not in LEVELS:
        raise UnknownLevel(level=level, known=", ".join(LEVELS))
    return level


def frame(
    session: Session, level: str, at: date | None = None, actor: Actor | None = None, only=ALL_UNITS
) -> gpd.GeoDataFrame:
    """Return one level as it is on the day `at`: code, name, parent_code, attributes, EPSG:4326 geometry.

    With an actor only what is visible to that actor; without, everything. `only` is a further SQL condition.
    """
    chosen = at or edition_at(session).effective
    columns = [
        GridUnit.level, GridUnit.code, GridUnit.name, GridUnit.parent_code, GridUnit.households,
        GridUnit.population, GridUnit.land_use, GridUnit.address, GridUnit.area_m2, GridUnit.valid_from,
    ]  # fmt: skip
    asked = select(*columns, func.ST_AsBinary(GridUnit.geom).label("wkb")).where(
        GridUnit.level == known_level(level), valid_at(chosen), only
    )
    if actor is not None:
        asked = asked.where(visible_units(actor))
    rows, names = session.execute(asked.order_by(GridUnit.code)).all(), [column.key for column in columns]
    data = {name: [row[n] for row in rows] for n, name in enumerate(names)}
    shapes = shapely.from_wkb(np.array([bytes(row[-1]) for row in rows], dtype=object))
    return gpd.GeoDataFrame(data, columns=names, geometry=shapes, crs="EPSG:4326")


def frames(session: Session, at: date | None = None) -> dict[str, gpd.GeoDataFrame]:
    """Return all four levels as they are on the day `at`."""
    return {level: frame(session, level, at) for level in LEVELS}


def counts(session: Session, actor: Actor, at: date) -> dict[str, int]:
    """Return how many units of each level the actor sees on the day `at`."""
    rows = session.execute(
        select(GridUnit.level, func.count())
        .where(valid_at(at), visible_to(actor, GridUnit.code, GridUnit.parent_code))
        .group_by(GridUnit.level)
    ).all()
    return {level: dict(rows).get(level, 0) for level in LEVELS}


def listing(
    session: Session, actor: Actor, level: str, at: date, *, parent: str | None = None, words: str = ""
) -> Select:
    """Return the statement of a level's visible units, by code, for the caller to page."""
    asked = select(GridUnit).where(
        GridUnit.level == known_level(level),
        valid_at(at),
        visible_to(actor, GridUnit.code, GridUnit.parent_code),
    )
    if parent:
        asked = asked.where(GridUnit.parent_code == parent)
    if words:
        like = "%" + words.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
        asked = asked.where(
            or_(GridUnit.name.ilike(like), GridUnit.code.ilike(like), GridUnit.address.ilike(like))
        )
    return asked.order_by(GridUnit.code)


def page(session: Session, asked: Select, size: int, after: str | None = None) -> list[GridUnit]:
    """Return one page of a listing, going on behind the code `after`; outlines are left in the database."""
    if after is not None:
        asked = asked.where(GridUnit.code > after)
    return list(session.scalars(asked.options(defer(GridUnit.geom)).limit(size)))


def unit(session: Session, actor: Actor, code: str, at: date) -> GridUnit:
    """Return the unit of that code on the day `at`.

    Raises
    ------
    UnknownUnit
        There is none, or it is not visible to the actor.
    """
    found = session.scalar(
        select(GridUnit).where(GridUnit.code == code, valid_at(at), visible_units(actor)).limit(1)
    )
    if found is None:
        raise UnknownUnit(code=code)
    return found


def path_to(session: Session, unit: GridUnit, at: date) -> list[GridUnit]:
    """Return the units above one, from the street down to it."""
    path = [unit]
    while path[0].parent_code:
        above = session.scalar(
            select(GridUnit).where(
                GridUnit.code == path[0].parent_code, GridUnit.level == _above(path[0].level), valid_at(at)
            )
        )
        if above is None:
            break
        path.insert(0, above)
    return path


def _above(level: str) -> str:
    return LEVELS[LEVELS.index(level) - 1]


def areas(session: Session, actor: Actor) -> list[tuple[str, str]]:
    """Return (code, name) of the streets and communities an actor sees today, which forms suggest."""
    today = clock.today()
    return [
        tuple(row)
        for level in (STREET, COMMUNITY)
        for row in session.execute(
            listing(session, actor, level, today).with_only_columns(GridUnit.code, GridUnit.name)
        )
    ]


def district_code(session: Session) -> str:
    """Return the beginning that the codes of all streets have in common today."""
    asked = select(func.min(GridUnit.code), func.max(GridUnit.code))
    ends = session.execute(asked.where(GridUnit.level == STREET, valid_at(clock.today()))).one()
    pairs = zip(*(code or "" for code in ends), strict=False)
    return "".join(first for first, _last in takewhile(lambda pair: pair[0] == pair[1], pairs))


def micro_grids(session: Session, codes: Iterable[str]) -> set[str]:
    """Return those of the codes that are micro-grids today."""
    asked = select(GridUnit.code).where(
        GridUnit.level == MICRO_GRID, GridUnit.code.in_(list(codes)), valid_at(clock.today())
    )
    return set(session.scalars(asked))


def streets(session: Session) -> dict[str, str]:
    """Return the names of today's streets by their codes."""
    asked = select(GridUnit.code, GridUnit.name).where(GridUnit.level == STREET, valid_at(clock.today()))
    return dict(tuple(row) for row in session.execute(asked.order_by(GridUnit.code)))


def names(session: Session, codes: Iterable[str], at: date) -> dict[str, str]:
    """Return the names of those codes on the day `at`."""
    wanted = {code for code in codes if code}
    if not wanted:
        return {}
    return dict(
        session.execute(
            select(GridUnit.code, GridUnit.name).where(GridUnit.code.in_(wanted), valid_at(at))
        ).all()
    )


def building_search(
    session: Session, actor: Actor, words: str, limit: int = 12, after: str | None = None
) -> list[dict[str, Any]]:
    """Return visible buildings whose name, address or code holds the words, with a point inside each.

    They come by code, going on behind the code `after`.
    """
    at = edition_at(session).effective
    inside = ST_PointOnSurface(GridUnit.geom)
    asked = listing(session, actor, BUILDING, at, words=words).with_only_columns(
        GridUnit.code, GridUnit.name, GridUnit.address, ST_X(inside).label("lon"), ST_Y(inside).label("lat")
    )
    if after is not None:
        asked = asked.where(GridUnit.code > after)
    return [dict(row._mapping) for row in session.execute(asked.limit(limit))]


def outline(session: Session, level: str, code: str, at: date) -> str | None:
    """Return a unit's outline on the day `at` as a GeoJSON geometry."""
    return session.scalar(
        select(ST_AsGeoJSON(GridUnit.geom, 7)).where(
            GridUnit.level == level, GridUnit.code == code, valid_at(at)
        )
    )


def bounds(session: Session, actor: Actor) -> tuple[float, float, float, float] | None:
    """Return west, south, east, north of what the actor sees, EPSG:4326, None when there is nothing."""
    at = edition_at(session).effective
    box = (
        select(func.ST_Extent(GridUnit.geom).label("box"))
        .where(
            GridUnit.level != BUILDING, valid_at(at), visible_to(actor, GridUnit.code, GridUnit.parent_code)
        )
        .subquery()
    )
    sides = (
        func.ST_XMin(box.c.box),
        func.ST_YMin(box.c.box),
        func.ST_XMax(box.c.box),
        func.ST_YMax(box.c.box),
    )
    row = session.execute(select(*sides)).one()
    return None if row[0] is None else tuple(row)


def lineage_of(session: Session, code: str) -> list[tuple[Lineage, Edition]]:
    """Return what happened to a code in every edition, the newest first; of one that was corrected, each step."""
    stepwise = select(Lineage.edition_id).where(Lineage.step > 0)
    asked = (
        select(Lineage, Edition)
        .join(Edition, Edition.id == Lineage.edition_id)
        .where(or_(Lineage.old_code == code, Lineage.new_code == code))
        .where(or_(Lineage.step > 0, Edition.id.not_in(stepwise)))
        .order_by(Edition.effective.desc(), Lineage.step.desc(), Lineage.kind)
    )
    return [tuple(row) for row in session.execute(asked)]


def lineage_counts(session: Session, edition_id: int) -> dict[str, dict[str, int]]:
    """Return the number of units of each fate by level in an edition."""
    rows = session.execute(
        select(Lineage.level, Lineage.kind, func.count())
        .where(Lineage.edition_id == edition_id, NET)
        .group_by(Lineage.level, Lineage.kind)
    )
    found: dict[str, dict[str, int]] = {}
    for level, kind, number in rows:
        found.setdefault(level, {})[kind] = number
    return found


TILE = text(statement(Path(__file__).with_name("tile.sql"))).columns(literal_column("mvt"))


def tile(session: Session, scope: tuple[str, ...], level: str, stamp: str, z: int, x: int, y: int) -> bytes:
    """Return one Mapbox vector tile of a level for a scope; empty below the zoom the level appears at."""
    if z < MIN_ZOOM[known_level(level)]:
        return b""
    likes = [prefix.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%" for prefix in scope]
    found = session.execute(
        TILE,
        {
            "z": z, "x": x, "y": y, "extent": TILE_EXTENT, "level": level, "stamp": stamp,
            "band": band_at(z).number if level != BUILDING else BANDS[-1].number,
            "everything": "" in scope, "inside": likes,
            "above": [prefix[:n] for prefix in scope for n in range(1, len(prefix))],
        },
    ).scalar_one()  # fmt: skip
    return bytes(found)


def drawn_bands(session: Session, stamp: str) -> set[tuple[str, int]]:
    """Return the levels and bands of zooms whose outlines of that state have been drawn."""
    asked = select(TileShape.level, TileShape.band).where(TileShape.stamp == stamp).distinct()
    return set(map(tuple, session.execute(asked)))


def has_tiles(session: Session, stamp: str) -> bool:
    """Tell whether the outlines of that state have been drawn."""
    return session.scalar(select(select(TileShape.id).where(TileShape.stamp == stamp).exists()))


def locator(session: Session, at: date | None = None) -> Locator:
    """Return the locator of the state in force on the day `at`; never of a stale one: the stamp is checked.

    Built once per state, kept on disk beside the other data, and reloaded by memory mapping.

    Raises
    ------
    NoEdition
    """
    return locator_of(session, edition_at(session, at))


def locator_of(session: Session, edition: Edition) -> Locator:
    """Return the locator of an edition's present state, built if nobody has asked for it before."""
    folder = settings().home / "locators" / f"{fingerprint(session)}-{edition.stamp}"
    if not folder.exists():
        _write(Locator.build(frames(session, edition.effective)), folder)
    return _loaded(folder)


def _write(built: Locator, folder: Path) -> None:
    """Save a locator so that another process sees all of it or nothing."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=folder.parent))
    built.save(part)
    try:
        part.rename(folder)
    except OSError:  # another process was faster, with the same content
        shutil.rmtree(part)


@lru_cache(maxsize=8)
def _loaded(folder: Path) -> Locator:
    return Locator.load(folder)


def without_units(session: Session, prefixes: Iterable[str]) -> set[str]:
    """Return the code prefixes that no unit's code begins with."""
    left = set(prefixes)
    for length in {len(code) for code in left}:
        prefix = func.left(GridUnit.code, length)
        left -= set(session.scalars(select(prefix).where(prefix.in_(left)).distinct()))
    return left
