"""The map of one case: its place, the units that held it on its day, and the buildings around."""

import geopandas as gpd
import pandas as pd
import shapely
from geoalchemy2.functions import ST_AsGeoJSON
from sqlalchemy.orm import Session

import web.pages.chart as chart
from gis.offline import MapParts
from gis.thematic import place_map
from gridmgr.account.rules import Actor
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import BUILDING, LEVELS, Edition, GridUnit
from gridmgr.incident import queries
from gridmgr.incident.model import Incident
from web import words

NEIGHBOURS = 400  # buildings drawn around the place


def units(session: Session, incident: Incident, edition: Edition) -> list[tuple[str, str, str]]:
    """Return (level, code, name) of the units that held the place on its day, coarse to fine."""
    codes = {level: getattr(incident, f"{level}_code") for level in LEVELS}
    names = hierarchy.names(session, codes.values(), edition.effective)
    return [(level, code, names.get(code, code)) for level, code in codes.items() if code]


def draw(session: Session, actor: Actor, incident: Incident, edition: Edition, kind: str) -> MapParts:
    """Return the map of a case; `kind` is what its category is called."""
    lon, lat = queries.position(incident)
    shapes = [
        {"level": level, "code": code, "name": name, "geometry": outline}
        for level, code, name in units(session, incident, edition)
        if level != BUILDING and (outline := hierarchy.outline(session, level, code, edition.effective))
    ] + _buildings(session, actor, incident, edition)
    frame = pd.DataFrame(shapes, columns=["level", "code", "name", "geometry"])
    geometry = gpd.GeoSeries(shapely.from_geojson(list(frame.pop("geometry"))), crs=4326)
    item = [
        incident.id, incident.number, lon, lat, incident.state, kind, incident.description or incident.address,
    ]  # fmt: skip
    titles = {level: words.word(words.LEVELS, level) for level in LEVELS}
    return chart.parts(
        place_map(
            lon, lat, gpd.GeoDataFrame(frame, geometry=geometry, crs=4326), titles=titles,
            incident=chart.points(items=[item]), words=chart.said(),
        )
    )  # fmt: skip


def _buildings(session: Session, actor: Actor, incident: Incident, edition: Edition) -> list[dict]:
    """Return the buildings of the incident's micro-grid, as they stood on its day."""
    if not incident.micro_grid_code:
        return []
    asked = hierarchy.listing(
        session, actor, BUILDING, edition.effective, parent=incident.micro_grid_code
    ).with_only_columns(
        GridUnit.level, GridUnit.code, GridUnit.name, ST_AsGeoJSON(GridUnit.geom, 7).label("geometry")
    )
    return [dict(row._mapping) for row in session.execute(asked.limit(NEIGHBOURS))]
