"""Reads of codes: which were ever used, which are free, and whether one fits."""

from collections.abc import Collection

from sqlalchemy import select, union
from sqlalchemy.orm import Session

from gis.draft import CodeTaken
from gridmgr.grid_code.model import CodeUnfit
from gridmgr.grid_code.rules import free_codes
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import COMMUNITY, MICRO_GRID, GridUnit, Lineage


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


def again(
    session: Session, lost: Collection[str], there: Collection[str]
) -> tuple[dict[str, str], dict[str, tuple[str, str] | None]]:
    """Return the new code of each community that is no more and is to be again, and by that its name and street.

    `there` are the codes of those there are.

    Raises
    ------
    CodesUsedUp
    """
    asked = select(GridUnit).where(GridUnit.level == COMMUNITY, GridUnit.code.in_(list(lost)))
    new, told = {}, {}
    for row in {row.code: row for row in session.scalars(asked.order_by(GridUnit.valid_from))}.values():
        new[row.code] = free(session, row.parent_code, 1, [*there, *told], COMMUNITY)[0]
        told[new[row.code]] = (row.name, row.parent_code)
    return new, told


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
