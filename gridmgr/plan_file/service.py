"""Verbs of files of plans: bring one back. They never commit."""

from pathlib import Path

from sqlalchemy.orm import Session

from gridmgr.account.rules import Actor
from gridmgr.boundary_plan import queries as plans
from gridmgr.plan_edit import service as edits
from gridmgr.plan_edit.service import Drawn
from gridmgr.plan_file import queries
from gridmgr.plan_file.model import Brought


def bring(
    session: Session, actor: Actor, plan_id: int, on_tip: int | None, path: Path, layer: str | None = None,
    parent: str | None = None, *, over: bool = False, repair_m: float = 0.0,
) -> tuple[Drawn, Brought]:  # fmt: skip
    """Take the micro-grids of a map file into a plan, as one edit that can be taken back.

    A file that was taken away from here says at which edit; if the plan has moved on since, it is refused unless
    it is to go `over` what was drawn meanwhile. `parent` names the column of communities where it is not found. With
    `repair_m` its borders are mended within so many metres before.

    Raises
    ------
    PlanMoved, NoCoverage, and what `plan_file.queries.read` and `plan_edit.service.adopt` refuse
    """
    plan = plans.by_id(session, actor, plan_id)
    brought = queries.read(session, plan, path, layer, parent, repair_m)
    if brought.drawn_on is not None and not over:
        on_tip = brought.drawn_on or None
    return edits.adopt(session, actor, plan_id, on_tip, brought.drawn, brought.parents, repair_m), brought
