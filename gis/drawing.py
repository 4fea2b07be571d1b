"""What a map shows, as plain data: words, layers, classes, incidents, and frames turned into features."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.errors import BadInput
from gis.palette import OUTLINE, STATUS, Sign

MAX_ZOOM = 20
DECIMALS = 6  # of a degree: 0.1 m, finer than a line is wide at the deepest zoom
SIMPLIFY_DEGREES = 5e-5  # about 5 m: half a pixel where a whole district fills the screen


@dataclass(frozen=True)
class Words:
    """What the controls and cards of a map say."""

    zoom_in: str = ""
    zoom_out: str = ""
    full_screen: str = ""
    leave_full_screen: str = ""
    layers: str = ""
    legend: str = ""
    open: str = ""  #: the link from a card to its page
    code: str = ""
    number: str = ""
    state: str = ""
    category: str = ""
    many: str = ""  #: above what stands at one place, with {n}


SILENT = Words()  #: a map whose controls say nothing


@dataclass(frozen=True)
class TileLayer:
    """One level served as vector tiles whose features carry `code`, unique over all levels, and `name`."""

    name: str  #: of the layer inside the tile; a level
    title: str
    url: str  #: with {z}, {x}, {y}
    style: Mapping | None = None  #: Leaflet path options; without, the level's own outline
    min_zoom: int = 0
    max_zoom: int = MAX_ZOOM  #: deepest zoom that is served; deeper ones enlarge it


@dataclass(frozen=True)
class Class:
    """One entry of a legend: the value it stands for, its colour and its words."""

    value: int | str
    colour: str
    label: str


@dataclass(frozen=True)
class Choropleth:
    """One way to colour units: a column whose values are those of the classes."""

    column: str
    title: str
    classes: Sequence[Class]

    def legend(self) -> dict:
        """The part of the legend that is seen while this colouring is shown."""
        return {
            "title": self.title,
            "layer": self.column,
            "entries": [asdict(entry) for entry in self.classes],
        }

    def shape(self, source: str, style: Mapping, fields: Mapping[str, str]) -> dict:
        """What static/map.js needs to draw the features of `source`, whose cards list `fields`."""
        return {
            "source": source,
            "style": style,
            "column": self.column,
            "classes": [asdict(entry) for entry in self.classes],
            "fields": list(fields.items()),
        }


@dataclass(frozen=True)
class Points:
    """Incidents to cluster, given as rows or as the address of {"items": rows}.

    A row is ``[id, number, lon, lat, state, category, title, url]``, the last one optional. An address may answer
    with ``{"items": rows, "categories": {id: name}}`` instead, whose rows are ``[id, number, lon, lat, state,
    category id, source, severity, lateness, marks]``; then `words` says what the last four are called.
    """

    title: str
    labels: Mapping[str, str]  #: state → words
    url: str = ""
    items: Sequence[Sequence] = ()
    signs: Mapping[str, Sign] = field(default_factory=lambda: STATUS)
    words: Mapping[str, object] = field(
        default_factory=dict
    )  #: by source, severity, lateness; whistled, supervised
    live: bool = False  #: whether the page loads them itself, when it has begun to hear what changes

    def data(self) -> dict:
        """What static/map.js needs to draw them."""
        signs = {state: sign._asdict() for state, sign in self.signs.items()}
        return {
            "url": self.url, "items": self.items, "signs": signs, "labels": self.labels, "words": dict(self.words),
            "live": self.live,
        }  # fmt: skip

    def legend(self) -> dict:
        """Their part of the legend, by which each state is shown or hidden."""
        entries = [
            {"value": state, "label": label, **self.signs[state]._asdict()}
            for state, label in self.labels.items()
        ]
        return {"title": self.title, "toggles": True, "entries": entries}


@dataclass(frozen=True)
class Fill:
    """How units of a tile layer are coloured: classes, and where {"values": {code: value}} is served."""

    url: str
    classes: Sequence[Class]


class NothingToDraw(BadInput):
    """The map has no place to show: not one unit or point with a geometry was given."""


def features(frame: gpd.GeoDataFrame, columns: Sequence[str]) -> dict:
    """Turn a frame into a GeoJSON feature collection of small size.

    Parameters
    ----------
    frame : GeoDataFrame, shape (n,)
        Geometry of any type, EPSG:4326.
    columns : sequence of str
        What each feature keeps; a column that the frame lacks is left out.

    Returns
    -------
    dict
        A feature for each row with a geometry, in order, coordinates to 6 decimals, missing values None.

    Notes
    -----
    Rounding is the same for a vertex wherever it occurs, so shared borders stay shared.

    Examples
    --------
    >>> point = gpd.GeoDataFrame({"code": ["1"]}, geometry=[shapely.Point(120.12345678, 30)])
    >>> features(point, ["code"])["features"][0]["geometry"]["coordinates"]
    [120.123457, 30.0]
    """
    placed = frame[~(frame.geometry.isna() | frame.geometry.is_empty)]
    kept = [column for column in columns if column in frame]
    values = pd.DataFrame(placed[kept]).astype(object)
    rows = values.where(values.notna(), None).to_dict("records")
    rounded = shapely.transform(placed.geometry.to_numpy(), lambda xy: np.round(xy, DECIMALS))
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": row, "geometry": json.loads(shape)}
            for row, shape in zip(rows, shapely.to_geojson(rounded), strict=True)
        ],
    }


def simplified(frame: gpd.GeoDataFrame, tolerance: float = SIMPLIFY_DEGREES) -> gpd.GeoDataFrame:
    """Take detail out of polygons without opening gaps between neighbours.

    Parameters
    ----------
    frame : GeoDataFrame, shape (n,)
        Polygons, EPSG:4326.
    tolerance : float
        Degrees: the side of a square of the largest area that one removed vertex may change.

    Returns
    -------
    GeoDataFrame, same index
        Rows that hold no polygon are returned as they are.

    Source
    ------
    Visvalingam & Whyatt (1993), Line generalisation by repeated elimination of points, over a coverage.

    Examples
    --------
    >>> bent = shapely.Polygon([(0, 0), (1, 0), (1, 1), (0.5, 1.00001), (0, 1)])
    >>> frame = gpd.GeoDataFrame(geometry=[bent])
    >>> int(shapely.get_num_coordinates(simplified(frame, 0.01).geometry.iloc[0]))
    5
    """
    shapes = frame.geometry.to_numpy().copy()
    polygons = np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_empty(shapes)
    if polygons.any():
        shapes[polygons] = shapely.coverage_simplify(shapes[polygons], tolerance)
    return frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))


def outlines(
    levels: Mapping[str, gpd.GeoDataFrame], words: Words, styles: Mapping[str, Mapping] = OUTLINE
) -> tuple[dict, dict]:
    """Prepare levels to be drawn as plain outlines.

    Parameters
    ----------
    levels : mapping of level to GeoDataFrame
        ``code``, ``name`` and geometry, EPSG:4326.
    words : Words
        Translated texts of the cards.
    styles : mapping of level to its style, as Leaflet calls it

    Returns
    -------
    (dict, dict)
        Sources and shapes for static/map.js, each by level.

    Examples
    --------
    >>> sources, shapes = outlines({"street": gpd.GeoDataFrame({"code": []}, geometry=[])}, SILENT)
    >>> shapes["street"]["source"]
    'street'
    """
    sources = {level: features(simplified(frame), ["code", "name"]) for level, frame in levels.items()}
    shapes = {
        level: {"source": level, "style": styles[level], "fields": [("code", words.code)]} for level in levels
    }
    return sources, shapes


def bounds_of(*frames: gpd.GeoDataFrame) -> np.ndarray:
    """Find the box around all frames.

    Parameters
    ----------
    frames : GeoDataFrame
        Any geometry, all in one CRS.

    Returns
    -------
    (4,) array
        West, south, east, north in the unit of the CRS.

    Raises
    ------
    NothingToDraw
        Not one geometry was given.

    Examples
    --------
    >>> bounds_of(gpd.GeoDataFrame(geometry=[shapely.Point(1, 2), shapely.Point(3, 4)])).tolist()
    [1.0, 2.0, 3.0, 4.0]
    """
    boxes = [frame.total_bounds for frame in frames if not frame.geometry.isna().all()]
    known = [shapely.box(*box) for box in boxes if np.isfinite(box).all()]
    if not known:
        raise NothingToDraw()
    return shapely.total_bounds(known)
