"""Published numbers with their formulas: by any row, as of any day, beside the period before; and their cases."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from gridmgr import clock
from gridmgr.account.rules import Actor, require
from gridmgr.casebook.queries import Search
from gridmgr.past.queries import moment
from gridmgr.statistics import queries
from gridmgr.statistics.rules import COUNTS, RATES, SCORE, SUMS
from gridmgr.tally import queries as tally
from gridmgr.tally import rules, service
from web.api.schema import problems, router
from web.api.search import Narrowed, OfAreas
from web.deps import Allow, Transaction
from web.fields import BigRowId, Day, Level, Utc
from web.i18n import _
from web.paging import Page, Paging, paged

routes = router("statistics")
Viewer = Annotated[Actor, Depends(Allow("figures.view"))]
Manager = Annotated[Actor, Depends(Allow("figures.manage"))]
By = Annotated[
    Literal[*tally.DIMENSIONS] | None, Query(description="What a row stands for; left away, the `level`.")
]
At = Annotated[Day | None, Query(description="As it stood at the end of that day, recomputed from history.")]
Areas = Annotated[
    Literal["then", "was", "now"],
    Query(
        description="By the areas each case is kept in, which follow the map while it is open; as was: by those of "
        "the day of its report; as now: by the map in force. All have the same total."
    ),
]


class AreaFigures(BaseModel):
    """The counts and rates of one row; code null is all the caller sees. A rate of nothing is null."""

    code: str | None
    name: str | None
    counts: dict[str, int] = Field(examples=[{"reported": 120, "due": 100, "closed_on_time": 93}])
    rates: dict[str, float | None] = Field(examples=[{"on_time_rate": 0.93}])


class PeriodFigures(BaseModel):
    """The figures of one period."""

    since: date | None
    until: date | None
    total: AreaFigures
    areas: list[AreaFigures]


class FiguresOut(PeriodFigures):
    """Figures of a period, with what is counted, what is left out of it, and how each rate is formed."""

    level: Level | None = Field(description="If a row is a unit: its level.")
    by: str
    at: datetime | None = Field(description="The instant as of which all is told; null: now.")
    without: list[str] = Field(examples=[["voided", "merged"]])
    counted: dict[str, str] = Field(examples=[{"due": "of these, whose due time has passed"}])
    formulas: dict[str, str] = Field(examples=[{"on_time_rate": "closed_on_time ÷ due"}])
    previous: PeriodFigures | None = Field(description="The period of the same length just before.")


class CaseBehind(BaseModel):
    """A case behind a figure, as it stands or stood."""

    id: int
    number: str
    state: str
    severity: int
    handler: str | None
    home: str = Field(description="The code of the lowest unit that holds it, buildings apart.")
    reported_at: Utc
    due_at: Utc | None
    closed_at: Utc | None


class CasesBehind(Page[CaseBehind]):
    """The cases behind a figure, the newest first."""


class FigureTermsIn(BaseModel):
    """The terms from a day on; what is left out is as the product comes."""

    effective: Day
    terms: dict[str, Any] = Field(examples=[{"without": ["suspended", "voided"], "satisfied_from": 4}])


class FigureTermsOut(BaseModel):
    """The terms in force, or just set."""

    terms: dict[str, Any]


@routes.get("/figures", responses=problems(404))
def show_figures(
    session: Transaction,
    actor: Viewer,
    search: OfAreas,
    level: Level = "street",
    by: By = None,
    at: At = None,
    areas: Areas = "then",
    previous: Annotated[bool, Query(description="The period of the same length before, too.")] = False,
) -> FiguresOut:
    """Show counts and rates of each row in which something was reported, and of all together."""
    by, instant = by or level, moment(at) if at and at < clock.today() else None
    if by in tally.PEOPLE:
        require(actor, "figures.people")
    terms, then = tally.terms(session, at), queries.previous(search, at) if previous else None

    def period(one: Search) -> PeriodFigures:
        rows, total = queries.table(session, actor, by, one, instant, areas=areas)
        return PeriodFigures(
            since=one.since, until=one.until, total=_area(total), areas=[_area(row) for row in rows]
        )

    return FiguresOut(
        **vars(period(search)),
        level=by if by in tally.AREAS else None,
        by=by,
        at=instant,
        without=list(rules.left_out(search.without, terms.without)),
        counted={name: _(text) for name, text in (COUNTS | SUMS).items()},
        formulas={name: each.formula for name, each in RATES.items()}
        | {SCORE: " + ".join(f"{weight:g} × {name}" for name, weight in terms.weights.items())},
        previous=period(then) if then else None,
    )


@routes.get("/figures/cases", responses=problems(404))
def show_cases_behind(
    session: Transaction,
    actor: Viewer,
    search: Narrowed,
    paging: Annotated[Paging[int], Depends(paged("figure-cases", BigRowId))],
    at: At = None,
    areas: Areas = "then",
) -> CasesBehind:
    """Show the cases behind a number: `count` names it, `row_by` and `row` its row; the newest first."""
    instant = moment(at) if at and at < clock.today() else None
    found = queries.behind(
        session, actor, search, instant, areas=areas, size=paging.fetch, before=paging.after
    )
    return paging.page(
        CasesBehind, found.cases, lambda row: row["id"], lambda rows: [dict(row) for row in rows]
    )


@routes.get("/figures/terms")
def show_figure_terms(session: Transaction, actor: Viewer) -> FigureTermsOut:
    """Show the terms in force: what is left out of what is due, and the measures of speed and satisfaction."""
    return FigureTermsOut(terms=rules.plain(tally.terms(session)))


@routes.post("/figures/terms", status_code=201)
def set_figure_terms(session: Transaction, actor: Manager, told: FigureTermsIn) -> FigureTermsOut:
    """Set the terms from a day on, gone by or to come; figures of days before it keep theirs."""
    return FigureTermsOut(terms=dict(service.set_terms(session, actor, told.effective, told.terms).terms))


def _area(figures: queries.Figures) -> AreaFigures:
    return AreaFigures.model_validate(figures, from_attributes=True)
