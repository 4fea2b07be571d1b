"""Reads of files of plans: a plan as layers, and what a file would bring to one."""

from collections.abc import Collection, Mapping
from pathlib import Path

import geopandas as gpd
from sqlalchemy.orm import Session

from gis import adoption, closing
from gis.crs import to_storage
from gis.draft import houses
from gis.formats import layers, polygons_only, read_layer
from gis.plan import Plan
from gridmgr.account.rules import Actor
from gridmgr.boundary_plan import queries as plans
from gridmgr.boundary_plan.model import BoundaryPlan
from gridmgr.errors import Problem
from gridmgr.grid_code import queries as codes
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import COMMUNITY, MICRO_GRID
from gridmgr.importing.rules import guess_layer
from gridmgr.plan_edit import rules as edits
from gridmgr.plan_file import rules
from gridmgr.plan_file.model import Brought, Mended, ParentsEnded, ParentsGiven


def exported(session: Session, actor: Actor, plan_id: int) -> dict[str, gpd.GeoDataFrame]:
    """Return a plan as the layers of a map file, to be drawn on elsewhere and brought back.

    Raises
    ------
    UnknownPlan
    """
    plan = plans.by_id(session, actor, plan_id)
    return rules.layers(plans.standing(session, plan, plan.tip_id), plan.tip_id, plan.locked)


def read(
    session: Session, plan: BoundaryPlan, path: Path, layer: str | None = None, parent: str | None = None,
    repair_m: float = 0.0,
) -> Brought:  # fmt: skip
    """Return what a map file would bring to a plan: its micro-grids, and all that is wrong with them.

    With `repair_m` gaps, overlaps and what runs over the plan's outline are mended within so many metres before.

    Raises
    ------
    ReachStrange, CodesMissing, CodeTooLong, ParentUnknown
    What `gis.formats.read_layer` and `gis.crs.to_storage` refuse
    """
    chosen = layer or guess_layer(layers(path), MICRO_GRID)
    given = read_layer(path, chosen)
    theirs = rules.columns(given.layer, list(given.frame.columns.drop(given.frame.geometry.name)), parent)
    told = rules.rows(to_storage(polygons_only(given.frame)), theirs)
    before = plans.state(session, plan, plan.tip_id)
    drawn, notes = rules.coded(told, before, lambda parent, many, but: codes.free(session, parent, many, but))
    scheme = hierarchy.scheme(session)
    within = plan.area_code not in before.parents  # a plan of one community makes no other one
    above = rules.parents(drawn, before, lambda code: within and (not scheme or scheme.fits(COMMUNITY, code)))
    onto, inside = edits.locked(before, plan.locked, repair_m), before.numbers.index
    if repair_m:
        drawn, moves = closing.fitted(
            drawn, adoption.ground(onto, inside), repair_m, houses(onto, inside).geometry.to_numpy()
        )
        notes += [Mended(n=len(moves), m=round(moves["size_m"].max(), 2))] if len(moves) else []
    findings = adoption.faults(onto, drawn, inside)
    named = {"area": plan.area_code or plan.name}
    findings = findings.replace({"code": named, "other": named})
    refused = None if len(findings) else _refused(onto, inside, drawn, above)
    if born := [code for code, each in above.items() if each]:
        notes.append(ParentsGiven(new=", ".join(born)))
    if gone := [code for code, each in above.items() if not each]:
        notes.append(ParentsEnded(gone=", ".join(gone)))
    notes = [*given.warnings, *notes]
    return Brought(given.layer, theirs, drawn, rules.drawn_on(given.frame), findings, above, notes, refused)


def _refused(
    onto: Plan, inside: Collection[str], drawn: gpd.GeoDataFrame, above: Mapping[str, object]
) -> Problem | None:
    ended = [code for code, each in above.items() if each is None]
    try:
        adoption.adopt(onto, drawn, inside, ended)
    except Problem as problem:
        return problem
    return None
