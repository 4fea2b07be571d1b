"""Verbs of the hierarchy: load a level into an edition, set the code scheme, draw outlines for tiles."""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

import geopandas as gpd
import pandas as pd
from sqlalchemy import ColumnElement, delete, func, insert, literal, or_, select, text, update
from sqlalchemy.orm import Session

from gis.crs import to_metric
from gis.tiles import as_multipolygons, bands_of, outlines
from gridmgr import clock
from gridmgr.db import copy_frame, ewkb
from gridmgr.events import emit
from gridmgr.hierarchy import queries
from gridmgr.hierarchy.model import (
    BUILDING,
    COVERAGES,
    LEVELS,
    BackdatedEdition,
    CodeScheme,
    Crosswalk,
    Edition,
    EditionPublished,
    GridUnit,
    Lineage,
    RetiredCode,
    TileShape,
    UnitsSucceeded,
)
from gridmgr.hierarchy.rules import Changes, Scheme, changes, guess_scheme, lineage, plain_name, succession

_COLUMNS = ("level", "code", "name", "parent_code", "households", "population", "land_use", "address")


@dataclass
class Loaded:
    """What a load did: the edition, and per level how many units had which fate."""

    edition: Edition
    counts: dict[str, dict[str, int]] = field(default_factory=dict)


def load(
    session: Session,
    levels: Mapping[str, gpd.GeoDataFrame],
    effective: date,
    title: str = "",
    among: Mapping[str, Collection[str]] | None = None,
    *,
    keep_in_hand: bool = False,
) -> Loaded:
    """Make `levels` the state of the map from `effective` on, closing and opening rows with lineage.

    A level that is not given stays as it is. Loading again on the same day corrects that day's edition.
    With `among`, each level is told for these codes alone: all other units stay as they are.
    With `keep_in_hand`, open cases that somebody works on stay in the unit they were in.

    Raises
    ------
    BackdatedEdition
        A later edition exists already.
    RetiredCode
        A code that had been retired would be used again.
    """
    edition = _edition_for(session, effective, title)
    edition.keep_in_hand = keep_in_hand
    loaded, step = Loaded(edition), _next_step(session, edition)
    for level in LEVELS:
        if level in levels:
            if queries.scheme(session) is None:
                set_scheme(session, guess_scheme(level, levels[level]["code"]))
            codes = among[level] if among is not None else None
            loaded.counts[level] = _load_level(session, edition, level, levels[level], codes, step).counts()
    session.execute(text("ANALYZE grid_unit"))
    emit(session, EditionPublished(edition.id, effective))
    return loaded


def _edition_for(session: Session, effective: date, title: str) -> Edition:
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("gridmgr.edition"))))
    later = session.scalar(select(func.max(Edition.effective)).where(Edition.effective > effective))
    if later:
        raise BackdatedEdition(later=later, effective=effective)
    edition = session.scalar(select(Edition).where(Edition.effective == effective))
    if edition is None:
        edition = Edition(effective=effective, title=title or effective.isoformat(), created_at=clock.now())
        session.add(edition)
    edition.revision = secrets.token_hex(6)
    edition.title = title or edition.title
    session.flush()  # the rows need its id
    return edition


def _next_step(session: Session, edition: Edition) -> int:
    """Return the number of a correction of an edition that people stand on already, 0 if none does.

    What the edition did until then stays told, as its first step.
    """
    if edition.followed is None:
        return 0
    steps = select(func.max(Lineage.step)).where(Lineage.edition_id == edition.id)
    last = session.scalar(steps) or 0
    if not last:
        columns = ("edition_id", "level", "kind", "old_code", "new_code", "area_share", "household_share")
        first = select(literal(1), *(getattr(Lineage, name) for name in columns))
        told = first.where(Lineage.edition_id == edition.id).order_by(Lineage.id)
        session.execute(insert(Lineage).from_select(["step", *columns], told))
    return max(last, 1) + 1


def _load_level(
    session: Session, edition: Edition, level: str, frame: gpd.GeoDataFrame, codes: Collection[str] | None,
    step: int,
) -> Changes:  # fmt: skip
    new = _complete(frame, level)
    told = queries.ALL_UNITS if codes is None else GridUnit.code.in_(list(codes))
    old = queries.frame(session, level, edition.effective, only=told)
    fates = changes(old, new)
    _refuse_retired(session, edition, level, fates)
    _close(session, edition, level, fates)
    _open(session, edition, new[new["code"].isin(fates.opening)])
    if step and not _is_first(session, edition, level):
        _tell_fates(session, edition, level, step, old, new)
    _write_lineage(session, edition, level)
    return fates


def _refuse_retired(session: Session, edition: Edition, level: str, fates: Changes) -> None:
    """Rule: field.md §2, a retired code is never reused; one retired on this very day may be corrected."""
    last = func.max(func.coalesce(GridUnit.valid_to, date.max))
    mine = (GridUnit.level == level) & GridUnit.code.in_(list(fates.new))
    ended = select(GridUnit.code).where(mine).group_by(GridUnit.code).having(last < edition.effective)
    used = sorted(session.scalars(ended))
    if used:
        raise RetiredCode(level=level, count=len(used), codes=", ".join(used[:10]))


def _complete(frame: gpd.GeoDataFrame, level: str) -> gpd.GeoDataFrame:
    """Return the frame with every stored column, MultiPolygons and the area in square metres."""
    frame = frame.assign(level=level, area_m2=to_metric(frame).area)
    for column in _COLUMNS:
        if column not in frame:
            frame[column] = None
    for column in ("households", "population"):
        frame[column] = pd.to_numeric(frame[column], errors="coerce").round().astype("Int64")
    frame = frame.set_geometry(as_multipolygons(frame.geometry.to_numpy()), crs=frame.crs)
    return frame[[*_COLUMNS, "area_m2", "geometry"]].reset_index(drop=True)


def _close(session: Session, edition: Edition, level: str, fates: Changes) -> None:
    ending = (GridUnit.level == level) & GridUnit.code.in_(list(fates.closing)) & GridUnit.valid_to.is_(None)
    session.execute(delete(GridUnit).where(ending, GridUnit.valid_from == edition.effective))
    session.execute(update(GridUnit).where(ending).values(valid_to=edition.effective))


def _open(session: Session, edition: Edition, frame: gpd.GeoDataFrame) -> None:
    """Copy the rows in one stream, the fastest way PostgreSQL knows."""
    rows = pd.DataFrame(frame.drop(columns="geometry"))
    rows["geom"] = ewkb(frame.geometry.to_numpy(), 4326)
    copy_frame(session, GridUnit, rows.assign(valid_from=edition.effective, edition_id=edition.id))


def _is_first(session: Session, edition: Edition, level: str) -> bool:
    """Tell whether a level appears first in an edition; what does so has no past."""
    first = session.scalar(select(func.min(GridUnit.valid_from)).where(GridUnit.level == level))
    return first is None or first == edition.effective


def _write_lineage(session: Session, edition: Edition, level: str) -> None:
    """Write what this edition did to a level, comparing the days before and after it."""
    net = (Lineage.edition_id == edition.id) & (Lineage.level == level) & queries.NET
    session.execute(delete(Lineage).where(net))
    if _is_first(session, edition, level):
        return
    touched = select(GridUnit.code).where(
        GridUnit.level == level,
        or_(GridUnit.valid_from == edition.effective, GridUnit.valid_to == edition.effective),
    )
    old, new = (
        queries.frame(session, level, day, only=GridUnit.code.in_(touched))
        for day in (_day_before(session, edition), edition.effective)
    )
    _tell_fates(session, edition, level, 0, old, new)


def _tell_fates(
    session: Session, edition: Edition, level: str, step: int, old: gpd.GeoDataFrame, new: gpd.GeoDataFrame
) -> None:
    rows = _fates(session, old, new, edition.effective)
    rows = rows.assign(edition_id=edition.id, level=level, step=step)
    if len(rows):
        session.execute(insert(Lineage), rows.to_dict("records"))


def _fates(session: Session, old: gpd.GeoDataFrame, new: gpd.GeoDataFrame, day: date) -> pd.DataFrame:
    """Return the rows of lineage between two states of a level; the buildings are those of a day."""
    homes = new.iloc[:0]
    if len(old) and old["level"].iloc[0] in COVERAGES:  # what the old ground held, wherever it is now
        homes = queries.frame(session, BUILDING, day, only=_near(old))
    homes = homes.set_geometry(homes.representative_point())
    rows = lineage(old, new, changes(old, new), homes).astype(object)
    return rows.where(rows.notna(), None)


def foreseen(
    session: Session, levels: Mapping[str, gpd.GeoDataFrame], among: Mapping[str, Collection[str]], day: date
) -> UnitsSucceeded:
    """Return who would follow whom if `levels`, told as for `load`, were the map beside that of a day."""
    heirs, founded, fresh = {}, {}, frozenset()
    for level in COVERAGES:
        if level in levels:
            old = queries.frame(session, level, day, only=GridUnit.code.in_(list(among[level])))
            rows = _fates(session, old, _complete(levels[level], level), day)
            found = succession(rows.itertuples())
            heirs, founded, fresh = heirs | found.heirs, founded | found.founded, fresh | found.fresh
    return UnitsSucceeded(clock.today(), heirs, founded, fresh)


def _near(units: gpd.GeoDataFrame) -> ColumnElement[bool]:
    west, south, east, north = map(float, units.total_bounds)
    return GridUnit.geom.op("&&")(func.ST_MakeEnvelope(west, south, east, north, 4326))


def _day_before(session: Session, edition: Edition) -> date | None:
    return session.scalar(select(func.max(Edition.effective)).where(Edition.effective < edition.effective))


def follow(session: Session) -> int:
    """Let whom units hold follow every edition that has come into force; each state of one is followed once.

    Of an edition they stand on already, they follow each step that corrected it since.
    """
    asked = select(Edition).where(
        Edition.effective <= clock.today(), Edition.followed.is_distinct_from(Edition.revision)
    )
    found = session.scalars(asked.order_by(Edition.effective).with_for_update()).all()
    for each in found:
        for rows in _steps_to_follow(session, each):
            who = succession(rows)
            if who.heirs or who.founded:
                emit(session, UnitsSucceeded(each.effective, *who))
        each.followed = each.revision
    session.flush()
    return len(found)


def _steps_to_follow(session: Session, edition: Edition) -> list[list[Lineage]]:
    """Return the fates that people have not followed, step by step."""
    mine = select(Lineage).where(Lineage.edition_id == edition.id)
    if edition.followed is None:
        return [list(session.scalars(mine.where(queries.NET)))]
    steps: dict[int, list[Lineage]] = {}
    for row in session.scalars(
        mine.where(Lineage.step > max(edition.followed_step, 1)).order_by(Lineage.step)
    ):
        steps.setdefault(row.step, []).append(row)
    edition.followed_step = max(steps, default=edition.followed_step)
    return list(steps.values())


def set_scheme(session: Session, scheme: Scheme) -> None:
    """Make `scheme` the one in force; codes already stored are not changed."""
    session.merge(
        CodeScheme(id=1, name=scheme.name, masks=dict(scheme.masks), parent_length=dict(scheme.parent_length))
    )


def draw_tiles(session: Session, edition: Edition) -> int:
    """Draw what outlines an edition lacks, for each band of zooms; drop those of states no longer in force."""
    present = select(func.concat(Edition.id, ".", Edition.revision))
    session.execute(delete(TileShape).where(TileShape.stamp.not_in(present)))
    known, drawn = queries.drawn_bands(session, edition.stamp), 0
    for level in LEVELS:
        missing = [band for band in bands_of(level) if (level, band.number) not in known]
        frame = queries.frame(session, level, edition.effective) if missing else None
        for band in missing:
            rows = pd.DataFrame(frame[["level", "code", "parent_code", "name"]])
            rows["geom"] = ewkb(outlines(frame, band, coverage=level in COVERAGES), 3857)
            copy_frame(session, TileShape, rows.assign(stamp=edition.stamp, band=band.number))
            drawn += len(rows)
    if drawn:
        session.execute(text("ANALYZE tile_shape"))  # fresh rows without statistics are searched the long way
    return drawn


def load_crosswalk(session: Session, list_name: str, entries: pd.DataFrame) -> dict[str, int]:
    """Match another official list (`code`, `name`) to our units: by equal code, else by a name found once.

    A list loaded before under the same name is replaced. Returns how many matched by which way.
    """
    at = queries.edition_at(session).effective
    ours = pd.concat(
        [pd.DataFrame(queries.frame(session, level, at)[["level", "code", "name"]]) for level in COVERAGES],
        ignore_index=True,
    )
    levels = dict(zip(ours["code"], ours["level"], strict=True))
    plain = ours["name"].map(plain_name)
    once = ours[~plain.duplicated(keep=False)].assign(plain=plain).set_index("plain")["code"].to_dict()
    rows = []
    for code, name in zip(entries["code"].astype(str), entries["name"].astype(str), strict=True):
        ours_code, way = (code, "code") if code in levels else (once.get(plain_name(name)), "name")
        way = way if ours_code else "none"
        rows.append(
            {
                "list_name": list_name, "foreign_code": code, "foreign_name": name,
                "level": levels.get(ours_code), "code": ours_code, "matched_by": way,
            }
        )  # fmt: skip
    session.execute(delete(Crosswalk).where(Crosswalk.list_name == list_name))
    if rows:
        session.execute(insert(Crosswalk), rows)
    return pd.Series([row["matched_by"] for row in rows]).value_counts().to_dict()
