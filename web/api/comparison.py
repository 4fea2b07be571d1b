"""Two periods, or two editions of the grids, side by side."""

from typing import Annotated

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from gridmgr import clock
from gridmgr.account.rules import Actor
from gridmgr.comparison import queries, rules
from gridmgr.comparison.model import Basis, Comparison, Measure, Period, Row
from gridmgr.hierarchy import queries as hierarchy
from web.api.schema import problems, router
from web.api.search import Narrowed
from web.deps import Allow, Transaction
from web.fields import Coverage, Day, RowId

routes = router("comparison")
Viewer = Annotated[Actor, Depends(Allow("figures.view"))]


class SideOut(BaseModel):
    """One of the two: its period, its map, and what all its units count together."""

    since: Day
    until: Day
    edition: int = Field(examples=[1])
    effective: Day
    total: int = Field(examples=[120])


class OriginOut(BaseModel):
    """Whose ground a unit got, and what share of the old unit's area that was."""

    code: str
    share: float = Field(examples=[0.62])


class RowOut(BaseModel):
    """One unit (code null: outside all) on both sides; a value is null where it was not there."""

    code: str | None
    name: str | None
    first: int | None = Field(examples=[12])
    second: int | None = Field(examples=[15])
    difference: int | None = Field(examples=[3])
    share: float | None = Field(examples=[0.25], description="The difference as a share of the first.")
    fate: str | None = Field(
        examples=["reshaped"], description="What became of it from one map to the other."
    )
    origin: list[OriginOut] = Field(examples=[[{"code": "510106001001003", "share": 0.62}]])


class ComparisonOut(BaseModel):
    """Two sides on one level: units that count anything, or that changed, with both values and the difference."""

    level: Coverage
    measure: Measure
    basis: Basis
    first: SideOut
    second: SideOut
    units: list[RowOut]


@routes.get("/compare", responses=problems(404))
def compare(
    session: Transaction,
    actor: Viewer,
    search: Narrowed,
    first_since: Annotated[
        Day | None,
        Query(description="Without any day: last week and this one; for two editions the last 90 days."),
    ] = None,
    first_until: Day | None = None,
    second_since: Day | None = None,
    second_until: Day | None = None,
    before: Annotated[
        RowId | None, Query(description="Of GET /api/editions; with `after`: compare these.")
    ] = None,
    after: RowId | None = None,
    level: Coverage = "community",
    measure: Measure = Measure.REPORTED,
    basis: Annotated[
        Basis, Query(description="Count on the units of each day, or locate all cases in the newer map.")
    ] = Basis.WAS,
) -> ComparisonOut:
    """Compare two periods, or with `before` and `after` two editions by the cases of the first period."""
    last, this = rules.usual(clock.today())
    usual = rules.lately(clock.today()) if before and after else last
    first = Period(first_since or usual.since, first_until or first_since or usual.until)
    second = Period(second_since or this.since, second_until or second_since or this.until)
    if before and after:
        maps = [hierarchy.edition(session, each) for each in (before, after)]
        return _told(queries.editions(session, actor, search, first, *maps, level, measure))
    return _told(queries.periods(session, actor, search, first, second, level, measure, basis))


def _told(found: Comparison) -> ComparisonOut:
    sides = {
        name: SideOut(
            since=side.period.since, until=side.period.until, edition=side.edition.id,
            effective=side.edition.effective, total=side.total(found.measure),
        )
        for name, side in (("first", found.first), ("second", found.second))
    }  # fmt: skip
    units = [_row(each) for each in found.rows]
    return ComparisonOut(level=found.level, measure=found.measure, basis=found.basis, units=units, **sides)


def _row(row: Row) -> RowOut:
    return RowOut(
        code=row.code, name=row.name, first=row.first, second=row.second, difference=row.difference,
        share=row.share, fate=row.fate, origin=[OriginOut(code=code, share=share) for code, share in row.origin],
    )  # fmt: skip
