"""Reads of publications: who sees which, what a plan makes of the map, what is said of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from gis import plan as drawing
from gis.coverage import check
from gridmgr import clock
from gridmgr.account.queries import visible_to
from gridmgr.account.rules import PERMISSIONS, Actor
from gridmgr.boundary_plan import queries as plans
from gridmgr.boundary_plan import rules as drawn
from gridmgr.boundary_plan.model import BoundaryPlan
from gridmgr.boundary_plan.rules import SUMMED
from gridmgr.following import queries as following
from gridmgr.following.model import Followed
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy import service as maps
from gridmgr.hierarchy.model import BUILDING, COMMUNITY, MICRO_GRID, STREET, GridUnit
from gridmgr.publication import rules
from gridmgr.publication.model import (
    NoNotice,
    NoticeComment,
    Publication,
    PublicationStep,
    Standing,
    State,
    UnknownPublication,
)
from gridmgr.publication.rules import MATTER, TERMS
from gridmgr.terms import queries as dated


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a plan makes of the map: by level the units that differ, and which codes they are told for."""

    levels: Mapping[str, gpd.GeoDataFrame]
    among: Mapping[str, Collection[str]]
    new: gpd.GeoDataFrame  # the micro-grids that are new, by code
    about: frozenset[str]  # every code that differs
    communities: frozenset[str]  # in which some do


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


def due(session: Session) -> list[int]:
    """Return the ids of approved publications whose day has come, those that could not be published apart."""
    asked = select(Publication.id).where(
        Publication.state == State.APPROVED, Publication.effective <= clock.today(), Publication.problem.is_(None)
    )  # fmt: skip
    return list(session.scalars(asked.order_by(Publication.effective, Publication.id)))


def notice(session: Session, publication_id: int) -> Publication:
    """Return a publication that is or was on public notice, for everybody.

    Raises
    ------
    NoNotice
    """
    found = session.get(Publication, publication_id)
    if found is None or found.notice_from is None or found.state == State.WITHDRAWN:
        raise NoNotice
    return found


def notices(session: Session) -> list[Publication]:
    """Return what is on public notice now, or was lately, the newest first; for everybody."""
    asked = select(Publication).where(
        Publication.notice_from.is_not(None), Publication.state != State.WITHDRAWN
    )
    return list(session.scalars(asked.order_by(Publication.id.desc()).limit(50)))


def comments(
    session: Session, publication_id: int, *, shown: bool, size: int = 1000, after: int | None = None,
    only: int | None = None,
) -> list[tuple[NoticeComment, Any, Any]]:  # fmt: skip
    """Return the comments on a notice with their longitude and latitude, the newest first, going on behind one.

    Those that are `shown`, or all; or `only` one.
    """
    asked = select(NoticeComment, func.ST_X(NoticeComment.geom), func.ST_Y(NoticeComment.geom)).where(
        NoticeComment.publication_id == publication_id
    )
    if shown:
        asked = asked.where(NoticeComment.state == Standing.SHOWN)
    if after is not None:
        asked = asked.where(NoticeComment.id < after)
    if only is not None:
        asked = asked.where(NoticeComment.id == only)
    return [tuple(row) for row in session.execute(asked.order_by(NoticeComment.id.desc()).limit(size))]


def spoken(session: Session, sender: str, since: datetime) -> int:
    """Return how often somebody has commented on notices since an instant."""
    asked = select(func.count()).where(NoticeComment.sender == sender, NoticeComment.at > since)
    return session.scalar(asked)


def plan_of(session: Session, found: Publication) -> BoundaryPlan:
    """Return the plan of a publication."""
    return session.get_one(BoundaryPlan, found.plan_id)


def borders(
    session: Session, plan: BoundaryPlan, tip: int | None
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return the units that differ, as they are and as they are to be: code, name, parent_code, EPSG:4326."""
    base, state = (plans.state(session, plan, each) for each in (None, tip))
    touched = drawn.touched(base, state)
    return tuple(
        each.plan.units.loc[[code for code in each.numbers.index if code in touched]]
        for each in (base, state)
    )


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
    levels = {MICRO_GRID: units, BUILDING: moved}
    levels |= _above(session, plan.base_day, was, now, communities)
    among = {level: set(frame["code"]) for level, frame in levels.items()}
    among[MICRO_GRID] |= set(gone)
    about = frozenset().union(*among.values())
    new = now.loc[[code for code in now.index if code not in was.index]]
    return Outcome(levels, among, new, about, frozenset(communities))


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
    session: Session, day: date, was: gpd.GeoDataFrame, now: gpd.GeoDataFrame, communities: Collection[str]
) -> dict[str, gpd.GeoDataFrame]:
    """Communities and streets whose ground is another one, as the union of their children."""
    old = hierarchy.frame(session, COMMUNITY, day, only=GridUnit.code.in_(list(communities)))
    redrawn = rules.outlines(old, was, now)
    if redrawn.empty:
        return {}
    streets = list(set(redrawn["parent_code"].dropna()))
    before = hierarchy.frame(session, COMMUNITY, day, only=GridUnit.parent_code.in_(streets))
    after = pd.concat([before[~before["code"].isin(redrawn["code"])], redrawn])
    held = hierarchy.frame(session, STREET, day, only=GridUnit.code.in_(streets))
    wider = rules.outlines(held, before, after)
    return {COMMUNITY: redrawn} | ({STREET: wider} if len(wider) else {})


def findings(session: Session, plan: BoundaryPlan, found: Outcome) -> list[dict[str, Any]]:
    """Return what is wrong with the map that a plan makes, where it differs from the present one."""
    day = plan.base_day
    scheme = hierarchy.scheme(session)
    used = _used(session, list(found.new.index), day)
    amiss = rules.codes_amiss(found.new, scheme, MICRO_GRID, used)
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


def _upper(session: Session, day: date, found: Outcome) -> dict[str, gpd.GeoDataFrame]:
    streets = hierarchy.frame(session, STREET, day)
    near = list(set(found.levels[COMMUNITY]["parent_code"].dropna()))
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


def _used(session: Session, codes: Collection[str], day: date) -> set[str]:
    """Of some codes those that a unit had which is no more."""
    asked = select(GridUnit.code).where(GridUnit.code.in_(codes), GridUnit.valid_to <= day)
    return set(session.scalars(asked))


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


def near_plan(session: Session, found: Publication, lon: float, lat: float) -> bool:
    """Tell whether a place lies near what a plan draws."""
    was, now = borders(session, plan_of(session, found), found.tip_id)
    shapes = [*was.geometry, *now.geometry]
    return bool(shapes) and shapely.dwithin(shapely.union_all(shapes), shapely.Point(lon, lat), rules.NEAR)
