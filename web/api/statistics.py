"""Published numbers with their formulas, and values to colour a map with."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Depends, Query
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from gridmgr.account.rules import Actor
from gridmgr.casebook.queries import Search
from gridmgr.hierarchy.model import COVERAGES
from gridmgr.hotspot import queries as hotspots
from gridmgr.statistics import queries
from gridmgr.statistics.rules import COUNTS, RATES, even_classes
from web.api.schema import problems, router
from web.api.search import OfAreas
from web.deps import Allow, Transaction
from web.fields import Level
from web.i18n import _

routes = router("statistics")
Viewer = Annotated[Actor, Depends(Allow("figures.view"))]
MapViewer = Annotated[Actor, Depends(Allow("incident.view"))]


class AreaFigures(BaseModel):
    """The counts and rates of one area; code null is all the caller sees. A rate of nothing is null."""

    code: str | None
    name: str | None
    counts: dict[str, int] = Field(examples=[{"reported": 120, "due": 100, "closed_on_time": 93}])
    rates: dict[str, float | None] = Field(examples=[{"on_time_rate": 0.93}])


class FiguresOut(BaseModel):
    """Figures of a period, with what is counted and how each rate is formed."""

    level: Level
    since: date | None
    until: date | None
    counted: dict[str, str] = Field(examples=[{"due": "of these, whose due time has passed"}])
    formulas: dict[str, str] = Field(examples=[{"on_time_rate": "closed_on_time ÷ due"}])
    total: AreaFigures
    areas: list[AreaFigures]


class MapValues(BaseModel):
    """A class by code: -3 to 3 of hotspots, 1 (few) to 5 (many) of counts; the card says what they mean."""

    values: dict[str, int] = Field(examples=[{"510106001001001": 3}])
    card: dict[str, Any]


@routes.get("/figures", responses=problems(404))
def show_figures(session: Transaction, actor: Viewer, search: OfAreas, level: Level = "street") -> FiguresOut:
    """Show counts and rates of each area in which something was reported, and of all together."""
    return FiguresOut(
        level=level,
        since=search.since,
        until=search.until,
        counted={name: _(text) for name, text in COUNTS.items()},
        formulas={name: each.formula for name, each in RATES.items()},
        total=_area(queries.total(session, actor, search)),
        areas=[_area(each) for each in queries.figures(session, actor, level, search)],
    )


@routes.get("/map/values", responses=problems(404))
def map_values(
    session: Transaction,
    actor: MapViewer,
    search: OfAreas,
    level: Level = "micro_grid",
    kind: Annotated[Literal["count", "hotspot"], Query(description="What to colour by.")] = "count",
) -> MapValues:
    """Return the class of each unit of a level, for colouring it on a map; unlisted units have none."""
    if kind == "hotspot" and level in COVERAGES:
        return _hotspot_values(session, actor, level, search)
    counts = queries.unit_counts(session, actor, level, search)
    lows, classes = even_classes(counts)
    card = {"level": level, "since": search.since, "until": search.until, "lows": lows}
    return MapValues(values=classes, card=card | {"incidents": sum(counts.values()), "units": len(counts)})


def _hotspot_values(session: Session, actor: Actor, level: str, search: Search) -> MapValues:
    found = hotspots.gi(session, actor, level, search)
    return MapValues(values=found.units["klass"].astype(int).to_dict(), card=found.card)


def _area(figures: queries.Figures) -> AreaFigures:
    return AreaFigures.model_validate(figures, from_attributes=True)
