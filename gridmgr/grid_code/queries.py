"""Reads of codes: which were ever used, which are free, and whether one fits."""

from collections.abc import Collection

from sqlalchemy import select, union
from sqlalchemy.orm import Session

from gis.draft import CodeTaken
from gridmgr.grid_code.model import CodeUnfit
from gridmgr.grid_code.rules import free_codes
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import MICRO_GRID, GridUnit, Lineage


def used(session: Session, beginning: str, level: str = MICRO_GRID) -> set[str]:
    """Return every code beginning so that a unit of a level has or ever had, were it for some hours of a day."""
    kept = select(GridUnit.code).where(
        GridUnit.level == level, GridUnit.code.startswith(beginning, autoescape=True)
    )
    passing = select(Lineage.new_code).where(
        Lineage.level == level, Lineage.step > 0, Lineage.new_code.startswith(beginning, autoescape=True)
    )
    return set(session.scalars(union(kept, passing)))


def free(
    session: Session, parent: str, many: int, but: Collection[str] = (), level: str = MICRO_GRID
) -> list[str]:
    """Return the first codes below a parent that no unit ever had, and that are none of `but`.

    Raises
    ------
    CodesUsedUp
    """
    return free_codes(parent, used(session, parent, level).union(but), many)


def carries(session: Session, level: str) -> bool:
    """Tell whether the code of a unit of this level begins with that of its parent."""
    scheme = hierarchy.scheme(session)
    return scheme is not None and bool(scheme.parent_length.get(level))


def refuse(session: Session, code: str, parent: str, taken: Collection[str] = ()) -> None:
    """Return if a micro-grid below a parent may have this code.

    Raises
    ------
    CodeUnfit
        Not in this code scheme.
    CodeTaken
        It is one of `taken`, or some unit ever had it.
    """
    scheme = hierarchy.scheme(session)
    fits = scheme is None or scheme.fits(MICRO_GRID, code)
    if not fits or (carries(session, MICRO_GRID) and not code.startswith(parent)):
        raise CodeUnfit(code=code, parent=parent, example=f"{parent}001")
    if code in taken or code in used(session, code):
        raise CodeTaken(code=code)
