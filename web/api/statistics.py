"""Values to colour a map with: how much was reported where, and where it clusters."""

from typing import Annotated, Any, Literal

from fastapi import Depends, Query
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from gridmgr.account.rules import Actor
from gridmgr.casebook.queries import Search
from gridmgr.hierarchy.model import COVERAGES
from gridmgr.hotspot import queries as hotspots
from gridmgr.statistics import queries
from gridmgr.statistics.rules import even_classes
from web.api.schema import problems, router
from web.api.search import OfAreas
from web.deps import Allow, Transaction
from web.fields import Level

routes = router("statistics")
Viewer = Annotated[Actor, Depends(Allow("figures.view"))]
MapViewer = Annotated[Actor, Depends(Allow("incident.view"))]


class MapValues(BaseModel):
    """A class by code: -3 to 3 of hotspots, 1 (few) to 5 (many) of counts; the card says what they mean."""

    values: dict[str, int] = Field(examples=[{"510106001001001": 3}])
    card: dict[str, Any]


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
