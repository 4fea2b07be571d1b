"""Reads of plans: which ones an actor may see, and how one stands at its tip, kept by the process."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Select, func, or_, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from gis.ground import united
from gis.plan import Plan
from gridmgr import clock
from gridmgr.account.model import RoleGrant
from gridmgr.account.queries import visible_to
from gridmgr.account.rules import PERMISSIONS, Actor
from gridmgr.boundary_plan import rules
from gridmgr.boundary_plan.model import BoundaryPlan, PlanChange, PlanEdit, Status, UnknownPlan
from gridmgr.boundary_plan.rules import MATTER, SUMMED, TERMS, Cases, Parent, State, Tally
from gridmgr.db import fingerprint, statement
from gridmgr.duty.model import Shift
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import BUILDING, COMMUNITY, MICRO_GRID, Edition, GridUnit
from gridmgr.incident.model import Incident
from gridmgr.life.model import State as Life
from gridmgr.life.rules import OPEN
from gridmgr.terms import queries as dated

DAYS = 365  # of cases that count
MOST_KEPT = 64  # states and tallies a process keeps
BESIDE_M = 300  # how far around an area its neighbours are shown
_DEGREE_M = 111_320
_CHAIN = text(statement(Path(__file__).with_name("chain.sql")))
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Standing:
    """A plan at one of its edits beside its base, and what both are measured with."""

    base: State
    was: Tally
    state: State
    now: Tally
    cases: Cases
    terms: dict[str, float]

    @cached_property
    def all_numbers(self) -> pd.DataFrame:
        """All numbers of all units inside, by code."""
        return rules.told(self.state, self.now, self.terms)

    def numbers(self, codes: Collection[str] | None = None) -> pd.DataFrame:
        """Return all numbers of some units, of all those inside unless told."""
        found = self.all_numbers
        return found if codes is None else found.loc[[code for code in codes if code in found.index]]

    def totals(self) -> dict[str, Any]:
        """Return what `rules.totals` tells of all units."""
        return rules.totals(self.all_numbers)


def terms(session: Session, at: date | None = None) -> dict[str, float]:
    """Return the terms of plans on a day (today)."""
    return dated.in_force(session, MATTER, TERMS, at)


def visible(actor: Actor) -> Select:
    """Return the statement of the plans whose whole ground the actor may see."""
    granted = [grant for grant in actor.grants if grant.role in PERMISSIONS["plan.view"]]
    seeing = Actor(actor.id, actor.name, tuple(granted))
    return select(BoundaryPlan).where(visible_to(seeing, BoundaryPlan.area_code))


def page(session: Session, actor: Actor, size: int, after: int | None = None) -> list[BoundaryPlan]:
    """Return one page of the plans that are not discarded, the newest first, going on behind one."""
    asked = visible(actor).where(BoundaryPlan.status != Status.DISCARDED)
    if after is not None:
        asked = asked.where(BoundaryPlan.id < after)
    return list(session.scalars(asked.order_by(BoundaryPlan.id.desc()).limit(size)))


def by_id(session: Session, actor: Actor, plan_id: int, *, locked: bool = False) -> BoundaryPlan:
    """Return a plan; `locked` holds its row until the transaction ends.

    Raises
    ------
    UnknownPlan
    """
    asked = visible(actor).where(BoundaryPlan.id == plan_id)
    found = session.scalar(asked.with_for_update() if locked else asked)
    if found is None:
        raise UnknownPlan(plan=plan_id)
    return found


def others(session: Session, actor: Actor, plan: BoundaryPlan) -> list[BoundaryPlan]:
    """Return the other drafts on the same ground, on a part of it, or around it."""
    around = [plan.area_code[:length] for length in range(len(plan.area_code) + 1)]
    same = or_(
        BoundaryPlan.area_code.startswith(plan.area_code, autoescape=True), BoundaryPlan.area_code.in_(around)
    )
    asked = visible(actor).where(same, BoundaryPlan.id != plan.id, BoundaryPlan.status == Status.DRAFT)
    return list(session.scalars(asked.order_by(BoundaryPlan.id.desc()).limit(50)))


def edit(session: Session, edit_id: int | None) -> PlanEdit | None:
    """Return an edit; None is the base, before the first one."""
    return None if edit_id is None else session.get_one(PlanEdit, edit_id)


def edits(session: Session, plan: BoundaryPlan) -> list[PlanEdit]:
    """Return the edits that led to where a plan stands, the newest first."""
    chain = _chain(session, plan.tip_id)
    return list(session.scalars(select(PlanEdit).where(PlanEdit.id.in_(chain)).order_by(PlanEdit.id.desc())))


def following(session: Session, plan: BoundaryPlan) -> int | None:
    """Return the undone edit that comes next after where a plan stands."""
    chain = _chain(session, plan.top_id)
    if plan.tip_id is None:
        return chain[-1] if chain else None
    at = chain.index(plan.tip_id)
    return chain[at - 1] if at else None


def _chain(session: Session, tip: int | None) -> list[int]:
    return [] if tip is None else list(session.scalars(_CHAIN, {"tip": tip}))


def drawn_by(session: Session, plan: BoundaryPlan) -> set[str]:
    """Return every unit that the edits of a plan have written, new vertices of neighbours among them."""
    chain = _chain(session, plan.tip_id)
    return set(session.scalars(select(PlanChange.code).where(PlanChange.edit_id.in_(chain)).distinct()))


def mark(session: Session) -> int:
    """Return the number of the last row of the map: what is written from now on has a larger one."""
    return session.scalar(select(func.max(GridUnit.id))) or 0


def edition(session: Session, plan: BoundaryPlan) -> Edition:
    """Return the edition a plan stands on, in its present state."""
    return session.get_one(Edition, int(plan.base.partition(".")[0]))


_kept: OrderedDict[Hashable, Any] = OrderedDict()
_turn = Lock()  # requests run in threads


def _held(key: Hashable, make: Callable[[], T]) -> T:
    """Return what is kept under a key, made if it is not; two that ask at once may both make it."""
    found = _kept.get(key)
    if found is None:
        found = make()
    keep(key, found)
    return found


def keep(key: Hashable, thing: object) -> None:
    """Keep a thing that never changes under a key; what was asked for longest ago goes first."""
    with _turn:
        _kept[key] = thing
        _kept.move_to_end(key)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)


def ground(session: Session, plan: BoundaryPlan) -> tuple:
    """Return the name of what a plan stands on: the database, the state of the edition, and the area."""
    return fingerprint(session), edition(session, plan).stamp, plan.area_code


def standing(session: Session, plan: BoundaryPlan, tip: int | None) -> Standing:
    """Return how a plan stands at one of its edits."""
    return standing_at(session, plan, tip, state(session, plan, tip))


def standing_at(session: Session, plan: BoundaryPlan, tip: int | None, at: State) -> Standing:
    """Return how a plan stands in a state: that of an edit, or of one that is only tried after it."""
    place = ground(session, plan)
    by = terms(session)
    base = _base(session, plan, place)
    measured = (*place, "cases", f"{clock.now():%Y%m%d%H}", *by.values())
    cases = _held(measured, lambda: _cases(session, base, by))
    was = _held((*measured, None), lambda: rules.tally(cases, base.plan, base.numbers.index))
    now = _held((*measured, at), lambda: rules.retallied(cases, was, at, rules.touched(base, at)))
    return Standing(base, was, at, now, cases, by)


def state(session: Session, plan: BoundaryPlan, tip: int | None) -> State:
    """Return the state of a plan after an edit; None is its base."""
    place = ground(session, plan)
    if tip is None:
        return _base(session, plan, place)
    return _held((*place, tip), lambda: _replayed(session, plan, place, tip))


def _base(session: Session, plan: BoundaryPlan, place: tuple) -> State:
    return _held((*place, None), lambda: _read(session, plan))


def _read(session: Session, plan: BoundaryPlan) -> State:
    units = _units(session, MICRO_GRID, plan.base_day, *_of_area(plan))
    beside = _beside(session, plan, units)
    buildings = _units(session, BUILDING, plan.base_day, GridUnit.parent_code.in_(units.index.tolist()))
    buildings = buildings.rename(columns={"parent_code": "home"}).drop(columns="name")
    together = pd.concat([units, beside])[["name", "parent_code", "geometry"]]
    plain = Plan(gpd.GeoDataFrame(together, crs=units.crs), buildings)
    return rules.base_state(plain, units.index, _parents(session, plan))


def _of_area(plan: BoundaryPlan) -> tuple:
    """The conditions of the micro-grids that a plan may draw."""
    if not plan.area_code:
        return ()
    below = select(GridUnit.code).where(
        GridUnit.level == COMMUNITY, hierarchy.valid_at(plan.base_day),
        or_(GridUnit.code == plan.area_code, GridUnit.parent_code == plan.area_code),
    )  # fmt: skip
    return (GridUnit.parent_code.in_(below),)


def _beside(session: Session, plan: BoundaryPlan, units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The units around the area: where a new border meets theirs they get a vertex, and no more."""
    if not plan.area_code or not len(units):
        return units.iloc[:0]
    near = _units(session, MICRO_GRID, plan.base_day, _within(units.total_bounds, 1e-6))
    near = near[~near.index.isin(units.index)]
    edge = shapely.boundary(united(units.geometry.to_numpy()))
    return near[shapely.dwithin(near.geometry.to_numpy(), edge, 1e-7)]


def _within(bounds: Sequence[float], margin: float):
    west, south, east, north = map(float, bounds)
    box = func.ST_MakeEnvelope(west - margin, south - margin, east + margin, north + margin, 4326)
    return GridUnit.geom.op("&&")(box)


def _units(session: Session, level: str, day: date, *where) -> gpd.GeoDataFrame:
    columns = [GridUnit.code, GridUnit.name, GridUnit.parent_code, *(getattr(GridUnit, n) for n in SUMMED)]
    asked = select(*columns, func.ST_AsBinary(GridUnit.geom)).where(
        GridUnit.level == level, hierarchy.valid_at(day), *where
    )
    rows = session.execute(asked.order_by(GridUnit.code)).all()
    data = pd.DataFrame(
        [row[1:-1] for row in rows], columns=["name", "parent_code", *SUMMED],
        index=pd.Index([row[0] for row in rows], dtype=object, name="code"),
    )  # fmt: skip
    data[list(SUMMED)] = data[list(SUMMED)].fillna(0).astype(int)
    return gpd.GeoDataFrame(data, geometry=_shapes([row[-1] for row in rows]), crs="EPSG:4326")


def _shapes(found: Sequence) -> np.ndarray:
    return shapely.from_wkb(np.array([each and bytes(each) for each in found], dtype=object))


def _replayed(session: Session, plan: BoundaryPlan, place: tuple, tip: int) -> State:
    """The nearest state before it that is kept, with all that was changed since."""
    chain = _chain(session, tip)
    base = _base(session, plan, place)
    found = ((at, _kept.get((*place, each))) for at, each in enumerate(chain))
    known, before = next((pair for pair in found if pair[1] is not None), (len(chain), base))
    since = chain[:known]
    asked = (
        select(
            PlanChange.code, PlanChange.name, PlanChange.parent_code, func.ST_AsBinary(PlanChange.geom)
        )
        .where(PlanChange.edit_id.in_(since))
        .order_by(PlanChange.code, PlanChange.edit_id.desc())
        .ext(distinct_on(PlanChange.code))
    )  # fmt: skip
    rows = session.execute(asked).all()
    shapes = _shapes([row[-1] for row in rows])
    changed = gpd.GeoDataFrame(
        {"name": [row[1] for row in rows], "parent_code": [row[2] for row in rows]},
        geometry=shapes, index=pd.Index([row[0] for row in rows], dtype=object, name="code"), crs="EPSG:4326",
    )  # fmt: skip
    homes: dict[str, str] = {}
    parents = before.parents
    asked = select(PlanEdit.homes, PlanEdit.args["parents"]).where(PlanEdit.id.in_(since))
    for moved, told in session.execute(asked.order_by(PlanEdit.id)):
        homes |= moved
        parents = rules.reparented(parents, told or {})
    return rules.replayed(base, before, changed, homes, parents)


def _cases(session: Session, base: State, by: dict[str, float]) -> Cases:
    """The cases of the last 12 months on the ground of a plan, and older ones still open."""
    since = clock.now() - timedelta(days=DAYS)
    inside = base.plan.units.loc[base.numbers.index]
    west, south, east, north = map(float, inside.total_bounds) if len(inside) else (0.0,) * 4
    box = func.ST_MakeEnvelope(west, south, east, north, 4326)
    asked = select(
        func.ST_X(Incident.geom), func.ST_Y(Incident.geom), Incident.severity, Incident.state,
        Incident.reported_at >= since,
    ).where(
        Incident.geom.op("&&")(box), Incident.state.not_in([Life.VOIDED, Life.MERGED]),
        or_(Incident.reported_at >= since, Incident.closed_at.is_(None)),
    )  # fmt: skip
    rows = session.execute(asked).all()
    recent = np.array([row[4] for row in rows], dtype=bool)
    hours = np.array([by.get(f"hours_{row[2]}", by["hours_3"]) for row in rows], dtype=float) * recent
    still = np.array([row[3] in OPEN for row in rows], dtype=bool)
    return Cases(shapely.points(np.array([row[:2] for row in rows]).reshape(-1, 2)), hours, still, recent)


def changes(session: Session, at: Standing) -> dict[str, Any]:
    """Return what would change against the base; staff are the people seated at a unit that would."""
    found = rules.changes(at.base, at.cases, at.state, rules.moved(at.base, at.was, at.state, at.now))
    return found | {"staff": _seated(session, [*found["gone"], *found["redrawn"]])}


def _seated(session: Session, codes: Collection[str]) -> int:
    if not codes:
        return 0
    granted = select(RoleGrant.account_id).where(RoleGrant.code.in_(codes))
    turns = select(Shift.account_id).where(Shift.code.in_(codes), Shift.ends > clock.now())
    return session.scalar(select(func.count()).select_from(granted.union(turns).subquery()))


def around(session: Session, actor: Actor, plan: BoundaryPlan) -> gpd.GeoDataFrame:
    """Return the micro-grids near the ground of a plan that the actor sees, and all communities."""
    inside = state(session, plan, None)
    units = inside.plan.units.loc[inside.numbers.index]
    seen = hierarchy.visible_units(actor)
    if not plan.area_code or not len(units):
        near = _units(session, COMMUNITY, plan.base_day, seen).assign(level=COMMUNITY)
        return near.drop(columns=list(SUMMED))
    near = _units(session, MICRO_GRID, plan.base_day, seen, _within(units.total_bounds, BESIDE_M / _DEGREE_M))
    near = near[~near.index.isin(units.index)].assign(level=MICRO_GRID)
    wide = _units(session, COMMUNITY, plan.base_day, seen).assign(level=COMMUNITY)
    return pd.concat([wide, near]).drop(columns=list(SUMMED))


def _parents(session: Session, plan: BoundaryPlan) -> dict[str, Parent]:
    """The communities on the ground of a plan."""
    where = [GridUnit.level == COMMUNITY, hierarchy.valid_at(plan.base_day)]
    if plan.area_code:
        where.append(or_(GridUnit.code == plan.area_code, GridUnit.parent_code == plan.area_code))
    asked = select(GridUnit.code, GridUnit.name, GridUnit.parent_code).where(*where).order_by(GridUnit.code)
    return {code: Parent(name, street or "") for code, name, street in session.execute(asked)}
