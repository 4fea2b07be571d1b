"""Reads of comparisons: a plan as it stands beside today's map or another plan, within the common ground."""

import shapely
from sqlalchemy.orm import Session

from gridmgr.account.rules import Actor
from gridmgr.boundary_plan import queries as plans
from gridmgr.boundary_plan import rules as drawn
from gridmgr.boundary_plan.model import BoundaryPlan
from gridmgr.boundary_plan.queries import Standing
from gridmgr.plan_difference import rules
from gridmgr.plan_difference.model import Difference, OtherGround, Side


def difference(session: Session, actor: Actor, plan_id: int, other_id: int | None = None) -> Difference:
    """Compare a plan as it stands with another one, or with the map that it stands on (today's).

    Raises
    ------
    UnknownPlan, OtherGround
    """
    plan = plans.by_id(session, actor, plan_id)
    other = plan if other_id is None else plans.by_id(session, actor, other_id)
    now = plans.standing(session, plan, plan.tip_id)
    was = plans.standing(session, other, None if other_id is None else other.tip_id)
    grounds = _common(plan, other, was, now)
    sides = (
        _side(other if other_id is not None else None, was, grounds[0]),
        _side(plan, now, grounds[1]),
    )
    if not all(len(side.units) for side in sides):
        raise OtherGround(one=plan.name, other=other.name)
    placed = tuple(drawn.tally(now.cases, at.state.plan, at.state.numbers.index) for at in (was, now))
    return rules.compared(*sides, placed, {"recent": now.cases.recent, "open": now.cases.open})


def _common(
    plan: BoundaryPlan, other: BoundaryPlan, was: Standing, now: Standing
) -> tuple[shapely.Geometry | None, shapely.Geometry | None]:
    """The ground that each side is narrowed to: none where both are drawn for the same area."""
    if plan.area_code == other.area_code:
        return None, None
    return rules.ground(now.state), rules.ground(was.state)


def _side(plan: BoundaryPlan | None, at: Standing, ground: shapely.Geometry | None) -> Side:
    codes = rules.inside(at.state, ground)
    numbers = at.numbers(codes)
    units = at.state.plan.units.loc[codes].join(numbers)
    buildings = at.state.plan.buildings
    held = buildings[buildings["home"].isin(codes)]
    return Side(plan.name if plan else "", plan.id if plan else None, units, held, rules.totals(numbers))
