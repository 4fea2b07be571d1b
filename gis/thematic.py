"""Maps of one theme, drawn from frames: the place of an incident, the faults of a map, values of units."""

from collections.abc import Mapping, Sequence

import geopandas as gpd

from gis import maps
from gis.drawing import SILENT, Choropleth, Class, Points, Words, bounds_of, features, outlines, simplified
from gis.palette import OUTLINE, SEVERITY

FAULT = {"color": "#222222", "weight": 1.5, "fillOpacity": 0.6}
CHANGED = {"color": "#222222", "weight": 0.5, "fillOpacity": 0.75}
SHINING = CHANGED | {"fillOpacity": 0.45}  # what lies below shows through
OVERLAID = {  # the borders of two maps over one another
    "was": {"color": "#6b7a8a", "weight": 1.5, "dashArray": "5 4", "fill": False},
    "now": {"color": "#083d64", "weight": 2, "fill": False},
}
BELOW = {  # by which a place is recognised
    "around": {"color": "#9aa7b4", "weight": 1, "fillColor": "#eef1f4", "fillOpacity": 0.6},
    "building": {"color": "#8a8178", "weight": 0.5, "fillColor": "#b9b0a6", "fillOpacity": 0.7},
}


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


def difference_map(
    ground: gpd.GeoDataFrame,
    kinds: Choropleth,
    was: gpd.GeoDataFrame,
    now: gpd.GeoDataFrame,
    *,
    titles: tuple[str, str],
    fields: Mapping[str, str],
    below: Mapping[str, tuple[str, gpd.GeoDataFrame]] | None = None,
    words: Words = SILENT,
    base_url: str | None = None,
    base: str = "/static/",
) -> maps.Map:
    """Draw the ground that changes hands between two maps, with the borders of both over it.

    Parameters
    ----------
    ground : GeoDataFrame, shape (n,)
        The column of `kinds`, those that `fields` names, and polygons, EPSG:4326; rows without geometry are left out.
    kinds : Choropleth
    was, now : GeoDataFrame
        The units of both maps: ``code``, ``name`` and geometry. The first are drawn dashed, the second in full.
    titles : (str, str)
        What both maps are called.
    fields : mapping of column to its translated title
        What the card of a piece of ground lists, in that order.
    below : mapping of ``around`` and ``building`` to title and GeoDataFrame, optional
        What lies around and below, faintly: the first with ``code`` and ``name``, both EPSG:4326.
    words, base_url, base
        As for `gis.maps.tile_map`.

    Returns
    -------
    maps.Map

    Raises
    ------
    NothingToDraw
        Nothing has a geometry.

    Examples
    --------
    >>> import shapely
    >>> box = shapely.box(120, 30, 120.01, 30.01)
    >>> unit = gpd.GeoDataFrame({"code": ["1"], "name": ["一"]}, geometry=[box], crs=4326)
    >>> few = Choropleth("klass", "Households", [Class(0, "#fddbc7", "none")])
    >>> chart = difference_map(unit.assign(klass=0), few, unit, unit, titles=("today", "plan"), fields={})
    >>> '"dashArray"' in maps.parts(chart).body
    True
    """
    sources, shapes = outlines({"was": was, "now": now}, words, OVERLAID)
    sources[kinds.column] = features(ground, [kinds.column, *fields])
    shapes[kinds.column] = kinds.shape(kinds.column, SHINING if below else CHANGED, fields)
    for key, (_title, frame) in (below or {}).items():
        sources[key] = features(simplified(frame), ["code", "name"])
        shapes[key] = {"source": key, "style": BELOW[key]}
    chart = maps.empty(
        bounds_of(was, now), words, base, canvas=True, sources=sources, shapes=shapes, legend=[kinds.legend()]
    )
    maps.add_base(chart, base_url)
    named = {key: title for key, (title, _frame) in (below or {}).items()}
    named |= {"was": titles[0], "now": titles[1], kinds.column: kinds.title}
    layers = {key: maps.Shapes(key, title).add_to(chart) for key, title in named.items()}
    return maps.finish(chart, layers)
