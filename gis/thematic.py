"""Maps of one theme, drawn from frames: the place of an incident, the faults of a map, values of units."""

from collections.abc import Mapping, Sequence

import geopandas as gpd

from gis import maps
from gis.drawing import SILENT, Choropleth, Class, Points, Words, bounds_of, features, outlines, simplified
from gis.palette import OUTLINE, SEVERITY

FAULT = {"color": "#222222", "weight": 1.5, "fillOpacity": 0.6}


def place_map(
    lon: float,
    lat: float,
    units: gpd.GeoDataFrame,
    *,
    titles: Mapping[str, str],
    incident: Points | None = None,
    words: Words = SILENT,
    base: str = "/static/",
) -> maps.Map:
    """Draw the place of one incident with the outlines of the units that hold it.

    Parameters
    ----------
    lon, lat : float
        Degrees, EPSG:4326.
    units : GeoDataFrame, shape (n,)
        ``level``, ``code``, ``name`` and geometry, EPSG:4326; a few rows, such as one of each level.
    titles : mapping of level to its translated name
    incident : Points, optional
        The incident itself as the only row.
    words, base
        As for `gis.maps.tile_map`.

    Returns
    -------
    maps.Map

    Examples
    --------
    >>> import shapely
    >>> unit = gpd.GeoDataFrame({"level": ["street"], "code": ["330104001"], "name": ["九堡"]},
    ...                         geometry=[shapely.box(120, 30, 120.01, 30.01)], crs=4326)
    >>> place_map(120.005, 30.005, unit, titles={"street": "街道"}).get_name().startswith("map_")
    True
    """
    near = 0.0015  # degrees: about two street blocks around the point
    levels = [level for level in OUTLINE if (units["level"] == level).any()]
    sources, shapes = outlines({level: units[units["level"] == level] for level in levels}, words)
    bounds = (lon - near, lat - near, lon + near, lat + near)
    chart = maps.empty(bounds, words, base, incidents=incident, sources=sources, shapes=shapes)
    layers = {level: maps.Shapes(level, titles[level]).add_to(chart) for level in levels}
    return maps.finish(chart, layers, incident)


def fault_map(
    findings: gpd.GeoDataFrame,
    levels: Mapping[str, gpd.GeoDataFrame],
    *,
    titles: Mapping[str, str],
    fields: Mapping[str, str],
    severities: Mapping[str, str],
    words: Words = SILENT,
    base: str = "/static/",
) -> maps.Map:
    """Draw the faults found in a map, coloured by severity, over simplified outlines.

    Parameters
    ----------
    findings : GeoDataFrame, shape (n,)
        ``severity`` and geometry of any type, EPSG:4326, with the columns that `fields` names. Rows
        without geometry aren't drawn.
    levels : mapping of level to GeoDataFrame
        The examined frames: ``code``, ``name`` and geometry.
    titles : mapping
        Level to its translated name; ``findings`` to the name of their layer.
    fields : mapping of column to its translated title
        What the card of a finding lists, in that order.
    severities : mapping of severity to its translated name
    words, base
        As for `gis.maps.tile_map`.

    Returns
    -------
    maps.Map

    Raises
    ------
    NothingToDraw
        Neither findings nor levels hold a geometry.

    Examples
    --------
    >>> import shapely
    >>> gap = gpd.GeoDataFrame({"severity": ["error"], "text": ["gap"]}, geometry=[shapely.Point(120, 30)])
    >>> chart = fault_map(gap, {}, titles={"findings": "Faults"}, fields={"text": "Fault"},
    ...                   severities={"error": "Error"})
    >>> "#b2182b" in maps.parts(chart).body
    True
    """
    sources, shapes = outlines(levels, words)
    kinds = Choropleth(
        "severity",
        titles["findings"],
        [Class(name, SEVERITY[name], label) for name, label in severities.items()],
    )
    sources["findings"] = features(findings, ["severity", *fields])
    shapes["findings"] = kinds.shape("findings", FAULT, fields)
    legend = [kinds.legend()]
    bounds = bounds_of(findings, *levels.values())
    chart = maps.empty(bounds, words, base, canvas=True, sources=sources, shapes=shapes, legend=legend)
    layers = {key: maps.Shapes(key, titles[key]).add_to(chart) for key in (*levels, "findings")}
    return maps.finish(chart, layers)


def value_map(
    units: gpd.GeoDataFrame,
    choropleths: Sequence[Choropleth],
    *,
    points: Points | None = None,
    words: Words = SILENT,
    base: str = "/static/",
) -> maps.Map:
    """Colour the units of one level by one or more columns, with incidents clustered over them.

    Parameters
    ----------
    units : GeoDataFrame, shape (N,)
        ``code``, ``name``, the columns of `choropleths` and polygons, EPSG:4326.
    choropleths : sequence of Choropleth
        The first one is shown, the others are chosen in the layer control.
    points : Points, optional
        Incidents coloured by disposal status; for a file that stands alone give ``items``.
    words, base
        As for `gis.maps.tile_map`.

    Returns
    -------
    maps.Map

    Raises
    ------
    NothingToDraw
        No unit has a geometry.

    Notes
    -----
    Outlines are simplified as one coverage, so that neighbours keep one shared border; a value that no
    class names is drawn without filling.

    Examples
    --------
    >>> import shapely
    >>> unit = gpd.GeoDataFrame({"code": ["1"], "name": ["一"], "klass": [3]},
    ...                         geometry=[shapely.box(120, 30, 120.01, 30.01)], crs=4326)
    >>> hot = Choropleth("klass", "Hotspots", [Class(3, "#b2182b", "99 %")])
    >>> "99 %" in maps.parts(value_map(unit, [hot])).body
    True
    """
    columns = [choropleth.column for choropleth in choropleths]
    fields = {"code": words.code} | {choropleth.column: choropleth.title for choropleth in choropleths}
    data = {
        "sources": {"units": features(simplified(units), ["code", "name", *columns])},
        "shapes": {
            choropleth.column: choropleth.shape("units", OUTLINE["micro_grid"], fields)
            for choropleth in choropleths
        },
        "legend": [part.legend() for part in (*choropleths, *([points] if points else []))],
    }
    chart = maps.empty(bounds_of(units), words, base, canvas=True, incidents=points, **data)
    layers = {
        each.column: maps.Shapes(each.column, each.title, overlay=False, show=not rank).add_to(chart)
        for rank, each in enumerate(choropleths)
    }
    return maps.finish(chart, layers, points)
