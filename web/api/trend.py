"""Trends as numbers, and the cases behind each of them."""

from datetime import date
from typing import Annotated

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from gridmgr.account.rules import Actor
from gridmgr.trend import queries, rules
from gridmgr.trend.model import Kind, Place, Step
from web.api.incident import outs
from web.api.incident_shapes import IncidentPage
from web.api.schema import problems, router
from web.api.search import Narrowed
from web.deps import Allow, Transaction
from web.fields import BigRowId, text
from web.i18n import _
from web.paging import Paging, paged

routes = router("trend")
Viewer = Annotated[Actor, Depends(Allow("figures.view"))]


class CellOut(BaseModel):
    """One number: its series, where on the axis it stands, of which part; the three name its cases."""

    series: str = Field(examples=["reported"])
    at: str | None = Field(description="The first day of a step, the number of a bar, or the state before.")
    part: str | None = Field(description="A class of categories, a level, a body, or the state after.")
    count: int


class SpreadOut(BaseModel):
    """How long closed cases took, in worked or running hours."""

    unit: str = Field(examples=["worked"])
    cases: int
    median: float | None
    p90: float | None = Field(description="Nine in ten took at most so long.")
    limited: int = Field(description="Of the cases, those with a due time.")
    within: int = Field(description="Of these, closed by then.")


class TrendOut(BaseModel):
    """A trend of a period, what is counted, and the upper ends of its bars."""

    kind: Kind
    since: date
    until: date
    step: Step
    counted: list[str]
    bars: dict[str, list[float]] = Field(
        description="Of handling time in hours; of age and lateness in days."
    )
    cells: list[CellOut]
    spreads: list[SpreadOut]


BARS = {"age": list(rules.AGES), "late": list(rules.LATENESS)} | {
    unit: list(ends) for unit, ends in rules.HOURS.items()
}
Steps = Annotated[Step | None, Query(description="How finely time is cut; as fits if not given.")]


@routes.get("/trends/{kind}")
def show_trend(
    kind: Kind, session: Transaction, actor: Viewer, search: Narrowed, step: Steps = None
) -> TrendOut:
    """Show a trend of what the filters find; `since` and `until` are its period, 30 days if not given."""
    found = queries.trend(session, actor, kind, search, step or "")
    return TrendOut(
        kind=kind, since=found.period.since, until=found.period.until, step=found.period.step,
        counted=[_(each) for each in rules.MEANING[kind]], bars=BARS,
        cells=[CellOut(**vars(cell.place), count=cell.count) for cell in found.cells],
        spreads=[SpreadOut(**vars(each)) for each in found.spreads],
    )  # fmt: skip


@routes.get("/trends/{kind}/cases", responses=problems(404))
def list_trend_cases(
    kind: Kind, session: Transaction, actor: Viewer, search: Narrowed,
    paging: Annotated[Paging[int], Depends(paged("trend-cases", BigRowId))],
    series: Annotated[text(16, 1), Query(description="As the trend names it.")],
    at: Annotated[text(40) | None, Query(description="All places on the axis if not given.")] = None,
    part: Annotated[text(100) | None, Query(description="All parts if not given.")] = None,
    step: Steps = None,
) -> IncidentPage:  # fmt: skip
    """List the cases behind one number of a trend, the last filed first."""
    place = Place(series, at, part)
    found = queries.cases(session, actor, kind, search, place, paging.fetch, step or "", paging.after)
    return paging.page(IncidentPage, found, lambda each: each.id, lambda rows: outs(session, rows))
