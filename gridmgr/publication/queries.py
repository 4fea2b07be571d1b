"""Reads of publications: who sees which, what a plan makes of the map, what it has made of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Select, func, select, union
from sqlalchemy.orm import Session

from gis import plan as drawing
from gis.coverage import check
from gis.snap import METRES
from gis.tiles import as_multipolygons
from gridmgr import clock
from gridmgr.account.queries import visible_to
from gridmgr.account.rules import PERMISSIONS, Actor
from gridmgr.boundary_plan import queries as plans
from gridmgr.boundary_plan import rules as drawn
from gridmgr.boundary_plan.model import BoundaryPlan
from gridmgr.boundary_plan.rules import SUMMED
from gridmgr.consultation.model import Consultation
from gridmgr.consultation.model import Standing as Came
from gridmgr.db import ewkb
from gridmgr.following import queries as following
from gridmgr.following.model import Followed
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy import service as maps
from gridmgr.hierarchy.model import BUILDING, COMMUNITY, LEVELS, MICRO_GRID, STREET, GridUnit, Lineage
from gridmgr.hierarchy.rules import Scheme
from gridmgr.publication import rules
from gridmgr.publication.model import (
    Publication,
    PublicationGround,
    PublicationStep,
    State,
    UnknownPublication,
)
from gridmgr.publication.rules import MATTER, TERMS
from gridmgr.terms import queries as dated

NEAR_M = 200  # how far around a plan its place is recognised
MOST_NEAR = 5000  # shapes a page carries


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a plan makes of the map: by level the units that differ, and which codes they are told for."""

    levels: Mapping[str, gpd.GeoDataFrame]
    among: Mapping[str, Collection[str]]
    new: gpd.GeoDataFrame  # the micro-grids that are new, by code
    about: frozenset[str]  # every code that differs
    communities: frozenset[str]  # of today's, in which some do


def terms(session: Session) -> dict[str, float]:
    """Return the terms of publications today."""
    return dated.in_force(session, MATTER, TERMS)


def visible(actor: Actor) -> Select:
    """Return the statement of the publications whose whole ground the actor may see."""
    granted = [grant for grant in actor.grants if grant.role in PERMISSIONS["plan.view"]]
    seeing = Actor(actor.id, actor.name, tuple(granted))
    return select(Publication).where(visible_to(seeing, Publication.area_code))


def page(session: Session, actor: Actor, size: int, after: int | None = None) -> list[Publication]:
    """Return one page of publications, the newest first, going on behind one."""
    asked = visible(actor)
    if after is not None:
        asked = asked.where(Publication.id < after)
    return list(session.scalars(asked.order_by(Publication.id.desc()).limit(size)))


def by_id(session: Session, actor: Actor, publication_id: int, *, locked: bool = False) -> Publication:
    """Return a publication; `locked` holds its row until the transaction ends.

    Raises
    ------
    UnknownPublication
    """
    asked = visible(actor).where(Publication.id == publication_id)
    found = session.scalar(asked.with_for_update() if locked else asked)
    if found is None:
        raise UnknownPublication(publication=publication_id)
    return found


def of_plan(session: Session, plan_id: int) -> list[Publication]:
    """Return the publications of a plan, the newest first."""
    asked = select(Publication).where(Publication.plan_id == plan_id)
    return list(session.scalars(asked.order_by(Publication.id.desc())))


def steps(session: Session, publication_id: int) -> list[PublicationStep]:
    """Return the steps of a publication, the first first."""
    asked = select(PublicationStep).where(PublicationStep.publication_id == publication_id)
    return list(session.scalars(asked.order_by(PublicationStep.seq)))


def heard(session: Session, found: Publication) -> bool:
    """Tell whether the opinions on a plan are in: nobody has to be asked again."""
    asked = None if found.consultation_id is None else session.get(Consultation, found.consultation_id)
    return asked is not None and asked.state in (Came.AGREED, Came.HEARD)


def due(session: Session) -> list[int]:
    """Return the ids of approved publications whose day has come, those that could not be published apart."""
    asked = select(Publication.id).where(
        Publication.state == State.APPROVED, Publication.effective <= clock.today(), Publication.problem.is_(None)
    )  # fmt: skip
    return list(session.scalars(asked.order_by(Publication.effective, Publication.id)))


def plan_of(session: Session, found: Publication) -> BoundaryPlan:
    """Return the plan of a publication."""
    return session.get_one(BoundaryPlan, found.plan_id)


def borders(session: Session, found: Publication) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return the micro-grids that differ, as they are and as they are to be: name, parent_code, EPSG:4326, by code.

    Of what is published, as they were and as they became.
    """
    if found.edition_id is not None and (kept := ground(session, found)):
        meant = {code for each in ("new", "redrawn", "gone") for code in found.changes[each]}
        return tuple(each[MICRO_GRID][each[MICRO_GRID].index.isin(meant)] for each in kept)
    plan = plan_of(session, found)
    base, state = (plans.state(session, plan, each) for each in (None, found.tip_id))
    touched = drawn.touched(base, state)
    return tuple(
        each.plan.units.loc[[code for code in each.numbers.index if code in touched]]
        for each in (base, state)
    )


_GROUND = ("level", "code", "name", "parent_code", "households", "population", "land_use", "address")


def ground(session: Session, found: Publication) -> tuple[dict[str, gpd.GeoDataFrame], ...]:
    """Return by level, and there by code, what a publication found and what it made of it; () if none is kept."""
    latest = select(func.max(PublicationGround.seq)).where(PublicationGround.publication_id == found.id)
    columns = [getattr(PublicationGround, name) for name in ("before", *_GROUND)]
    asked = select(*columns, func.ST_AsBinary(PublicationGround.geom)).where(
        PublicationGround.publication_id == found.id, PublicationGround.seq == latest.scalar_subquery()
    )
    rows = session.execute(asked.order_by(PublicationGround.id)).all()
    if not rows:
        return ()
    shapes = shapely.from_wkb(np.array([row[-1] and bytes(row[-1]) for row in rows], dtype=object))
    whole = pd.DataFrame([row[:-1] for row in rows], columns=["before", *_GROUND], dtype=object)
    frame = gpd.GeoDataFrame(whole, geometry=shapes, crs="EPSG:4326")
    return tuple(
        {
            level: frame[(frame["level"] == level) & (frame["before"] == before)].set_index("code")
            for level in LEVELS
            if (frame["level"] == level).any()
        }
        for before in (True, False)
    )


def ground_rows(session: Session, day: date, made: Outcome) -> pd.DataFrame:
    """Return the rows of what is on a day and what a plan makes of it, as they are kept."""
    rows = []
    for level, new in made.levels.items():
        old = hierarchy.frame(session, level, day, only=GridUnit.code.in_(list(made.among[level])))
        for before, frame in ((True, old), (False, new)):
            told = pd.DataFrame(frame.reindex(columns=_GROUND)).assign(before=before, level=level, geom=None)
            if level != BUILDING:
                told["geom"] = ewkb(as_multipolygons(frame.geometry.to_numpy()), 4326)
            rows.append(told.astype(object))
    both = pd.concat(rows, ignore_index=True)
    for name in SUMMED:
        both[name] = pd.to_numeric(both[name]).astype("Int64")
    return both


def present(session: Session, *kept: Mapping[str, gpd.GeoDataFrame]) -> dict[str, gpd.GeoDataFrame]:
    """Return by level, and there by code, what stands today of all units that are kept."""
    codes = {level: {code for each in kept for code in each[level].index} for level in kept[0]}
    day = clock.today()
    return {
        level: hierarchy.frame(session, level, day, only=GridUnit.code.in_(list(known))).set_index(
            "code", drop=False
        )
        for level, known in codes.items()
    }


def surroundings(
    session: Session, plan: BoundaryPlan, touched: gpd.GeoDataFrame
) -> dict[str, gpd.GeoDataFrame]:
    """Return what lay near units of a plan when it was drawn, by which people recognise the place."""
    if touched.empty:
        return {}
    west, south, east, north = shapely.buffer(shapely.box(*touched.total_bounds), NEAR_M / METRES).bounds
    sight = func.ST_Intersects(GridUnit.geom, func.ST_MakeEnvelope(west, south, east, north, 4326))
    columns = {
        "around": (MICRO_GRID, ["code", "name", "geometry"]),
        "building": (BUILDING, ["code", "geometry"]),
    }
    near = {
        key: hierarchy.frame(session, level, plan.base_day, only=sight)[kept]
        for key, (level, kept) in columns.items()
    }
    return {key: each for key, each in near.items() if len(each) <= MOST_NEAR}


def outcome(session: Session, plan: BoundaryPlan, tip: int | None) -> Outcome:
    """Return what a plan makes of the map it stands on."""
    base, state = (plans.state(session, plan, each) for each in (None, tip))
    changed, gone = drawing.changed(base.plan, state.plan)
    homes = drawn.homes(base.plan, state.plan)
    units = _with_attributes(session, plan.base_day, state.plan, list(changed), drawn.touched(base, state))
    moved = hierarchy.frame(session, BUILDING, plan.base_day, only=GridUnit.code.in_(list(homes)))
    moved["parent_code"] = moved["code"].map(homes)
    was, now = (each.plan.units.loc[each.numbers.index] for each in (base, state))
    touched = drawn.touched(base, state)
    communities = rules.parties(was["parent_code"].to_dict(), now["parent_code"].to_dict(), touched)
    above, ended = _above(session, plan.base_day, (base, was), (state, now), communities)
    levels = {MICRO_GRID: units, BUILDING: moved} | above
    among = {level: set(frame["code"]) for level, frame in levels.items()}
    among[MICRO_GRID] |= set(gone)
    if COMMUNITY in levels:
        among[COMMUNITY] |= ended
    about = frozenset().union(*among.values())
    new = now.loc[[code for code in now.index if code not in was.index]]
    return Outcome(levels, among, new, about, frozenset(communities & base.parents.keys()))


def followers(session: Session, found: Publication) -> list[Followed]:
    """Return what would follow the units of a publication that is on its way, what needs a decision first.

    Of one that was published, or came back, it is nothing: what followed stands in the records of each.
    """
    if found.state in (State.PUBLISHED, *rules.BACK):
        return []
    plan = plan_of(session, found)
    made = outcome(session, plan, found.tip_id)
    return following.foreseen(session, maps.foreseen(session, made.levels, made.among, plan.base_day))


def _with_attributes(
    session: Session, day: date, plan: drawing.Plan, codes: list[str], touched: Collection[str]
) -> gpd.GeoDataFrame:
    """The units as they are to be stored: sums of their buildings, and what else was known of them."""
    known = hierarchy.frame(session, MICRO_GRID, day, only=GridUnit.code.in_(codes)).set_index("code")
    units = plan.units.loc[codes, ["name", "parent_code", "geometry"]]
    kept = known.drop(columns=["name", "parent_code", "geometry", "level", "valid_from", "area_m2"])
    units = units.join(kept).astype(dict.fromkeys(SUMMED, object))
    told = len(plan.buildings) and plan.buildings[list(SUMMED)].to_numpy().any(axis=0)
    sums = plan.buildings.groupby("home")[list(SUMMED)].sum()
    for n, name in enumerate(SUMMED):
        for code in codes if told is not False and len(plan.buildings) and told[n] else ():
            if code in touched:
                units.at[code, name] = int(sums[name].get(code, 0))
    return units.rename_axis("code").reset_index()


def _above(
    session: Session, day: date, before: tuple[drawn.State, gpd.GeoDataFrame],
    after: tuple[drawn.State, gpd.GeoDataFrame], touched: Collection[str],
) -> tuple[dict[str, gpd.GeoDataFrame], set[str]]:  # fmt: skip
    """Communities that are new, or have other ground, names or streets, and streets with other ground; what ends.

    Their ground is the union of their children. `before` and `after`: a state of the plan, and its units inside.
    """
    (base, was), (state, now) = before, after
    ended = set(base.parents) - set(state.parents)
    kept = {code for code, each in state.parents.items() if each != base.parents.get(code)} & set(
        base.parents
    )
    old = hierarchy.frame(session, COMMUNITY, day, only=GridUnit.code.in_({*touched, *kept} - ended))
    other = rules.outlines(old, was, now)
    other = pd.concat([other, old[old["code"].isin(kept - set(other["code"]))]])
    there = [state.parents.get(code) for code in other["code"]]
    other["name"] = [each.name if each else name for each, name in zip(there, other["name"], strict=True)]
    homes = zip(there, other["parent_code"], strict=True)
    other["parent_code"] = [each.street if each else street for each, street in homes]
    other = pd.concat([other, rules.born(base.parents, state.parents, now)])
    if other.empty and not ended:
        return {}, set()
    others = set(now["parent_code"]) - set(other["code"])
    beside = hierarchy.frame(session, COMMUNITY, day, only=GridUnit.code.in_(list(others)))
    other = pd.concat([other, rules.loosened(beside, other, now)]) if len(other) else other
    left = hierarchy.frame(session, COMMUNITY, day, only=GridUnit.code.in_(ended | kept))["parent_code"]
    streets = list({*other["parent_code"].dropna(), *left.dropna()})
    whole = hierarchy.frame(session, COMMUNITY, day, only=GridUnit.parent_code.in_(streets))
    then = pd.concat([whole[~whole["code"].isin({*other["code"], *ended})], other])
    held = hierarchy.frame(session, STREET, day, only=GridUnit.code.in_(streets))
    wider = rules.outlines(held, whole, then)
    return {COMMUNITY: other} | ({STREET: wider} if len(wider) else {}), ended


def findings(session: Session, plan: BoundaryPlan, found: Outcome) -> list[dict[str, Any]]:
    """Return what is wrong with the map that a plan makes, where it differs from the present one."""
    day = plan.base_day
    scheme = hierarchy.scheme(session)
    used = _used(session, plan, list(found.new.index), day)
    amiss = rules.codes_amiss(found.new, scheme, MICRO_GRID, used)
    amiss += _communities_amiss(session, plan, found, scheme)
    whole = list(found.levels[MICRO_GRID]["parent_code"].dropna())
    within = list(found.communities | set(whole))
    grids = _replaced(
        found, MICRO_GRID, hierarchy.frame(session, MICRO_GRID, day, only=GridUnit.parent_code.in_(within))
    )
    grids = grids[grids["parent_code"].isin(within)]
    houses = hierarchy.frame(
        session, BUILDING, day, only=GridUnit.parent_code.in_([*grids["code"], *found.among[MICRO_GRID]]),
    )  # fmt: skip
    near = hierarchy.frame(session, COMMUNITY, day, only=GridUnit.code.in_(within))
    lower = {COMMUNITY: _replaced(found, COMMUNITY, near), MICRO_GRID: grids}
    lower[BUILDING] = _replaced(found, BUILDING, houses)
    faults = check(lower)
    amiss += rules.told(faults[faults["level"] != COMMUNITY], found.about)
    if COMMUNITY in found.levels:
        amiss += rules.told(check(_upper(session, day, found)), found.about)
    return amiss


def _communities_amiss(
    session: Session, plan: BoundaryPlan, found: Outcome, scheme: Scheme | None
) -> list[dict[str, Any]]:
    """Return what is wrong with the codes of communities that are new."""
    if COMMUNITY not in found.levels:
        return []
    day = plan.base_day
    there = hierarchy.names(session, found.among[COMMUNITY], day)
    born = found.levels[COMMUNITY].set_index("code").drop(index=list(there), errors="ignore")
    return rules.codes_amiss(born, scheme, COMMUNITY, _used(session, plan, list(born.index), day))


def _upper(session: Session, day: date, found: Outcome) -> dict[str, gpd.GeoDataFrame]:
    streets = hierarchy.frame(session, STREET, day)
    near = set(found.levels[COMMUNITY]["parent_code"].dropna()) | set(found.among.get(STREET, ()))
    all_of = hierarchy.frame(session, COMMUNITY, day, only=GridUnit.parent_code.in_(near))
    return {
        STREET: _replaced(found, STREET, streets)[lambda each: each["code"].isin(near)],
        COMMUNITY: _replaced(found, COMMUNITY, all_of),
    }


def _replaced(found: Outcome, level: str, old: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """A level with the units that differ in the place of the old ones."""
    if level not in found.levels:
        return old
    kept = old[~old["code"].isin(found.among[level])]
    both = pd.concat(
        [
            kept[["code", "name", "parent_code", "geometry"]],
            found.levels[level][["code", "name", "parent_code", "geometry"]],
        ]
    )
    return gpd.GeoDataFrame(both, crs="EPSG:4326").reset_index(drop=True)


def _used(session: Session, plan: BoundaryPlan, codes: Collection[str], day: date) -> set[str]:
    """Of some codes those that a unit had which is no more, were it for some hours of a day.

    What a plan itself brought, and was recalled on that day, it may bring again.
    """
    kept = select(GridUnit.code).where(GridUnit.code.in_(codes), GridUnit.valid_to <= day)
    mine = (
        select(PublicationGround.code)
        .join(Publication, Publication.id == PublicationGround.publication_id)
        .where(Publication.plan_id == plan.id, PublicationGround.before.is_(False))
    )
    passing = select(Lineage.old_code).where(
        Lineage.old_code.in_(codes),
        Lineage.step > 0,
        Lineage.kind == "retired",
        Lineage.old_code.not_in(mine),
    )
    return set(session.scalars(union(kept, passing)))


def changed_since(
    session: Session, plan: BoundaryPlan, day: date, mine: Collection[str], homes: Mapping[str, str]
) -> list[str]:
    """Return the units that a plan draws and somebody else has changed since it was opened."""
    later = select(GridUnit.code).where(GridUnit.id > plan.base_mark, hierarchy.valid_at(day))
    taken = set(session.scalars(later.where(GridUnit.level == MICRO_GRID, GridUnit.code.in_(list(mine)))))
    taken |= set(session.scalars(later.where(GridUnit.level == BUILDING, GridUnit.code.in_(list(homes)))))
    return sorted(taken)


def still(session: Session, day: date, codes: Collection[str]) -> set[str]:
    """Return those of some micro-grids that are in force on a day."""
    asked = select(GridUnit.code).where(
        GridUnit.level == MICRO_GRID, GridUnit.code.in_(list(codes)), hierarchy.valid_at(day)
    )
    return set(session.scalars(asked))
