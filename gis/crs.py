"""One coordinate system for storage, one for metres, and the ways into both.

Everything is kept in EPSG:4326 with longitude first. Lengths and areas are taken in a transverse
Mercator centred on the data: conformal, so that shapes and angles survive, and at a distance x from its
central meridian out of scale by x²/2R² only, which is 3e-5 at 50 km; the UTM zone next door starts at
4e-4. Files give longitude first whatever EPSG says; arrays may come in the order of the definition.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from pyproj.aoi import AreaOfInterest
from pyproj.exceptions import CRSError
from pyproj.transformer import TransformerGroup

from gis.datum import known, to_wgs84
from gis.errors import BadInput

STORAGE = "EPSG:4326"

_METRES_FROM = 1000.0  # degrees never reach this, metres of any national grid do
_CHINA_LON, _CHINA_LAT = (73.0, 135.1), (18.0, 54.0)
_NORTHINGS = (1_900_000, 6_000_000)  # of China, from the equator
_WEB_MERCATOR = ((8_100_000, 15_100_000), (2_000_000, 7_200_000))
_GAUSS_KRUGER = (  # easting range, zone width in the easting's millions, first zone, first code, words
    ((13_200_000, 23_800_000), 13, 4491, "6-degree zone {zone}"),
    ((25_200_000, 45_800_000), 25, 4513, "3-degree zone {zone}"),
)


class MissingCrs(BadInput):
    """{source} does not say its coordinate system; give one, for example EPSG:4326 or EPSG:4490."""


class UnknownCrs(BadInput):
    """The coordinate system {crs} is not known; give a code such as EPSG:4490."""


class NoTransformation(BadInput):
    """No published transformation leads from {crs} to WGS-84; convert the data to CGCS2000 first."""


class BadPlace(BadInput):
    """Row {row} has no usable place ({x}, {y})."""


class SwappedAxes(BadPlace):
    """Row {row} at ({x}, {y}) has its axes swapped; give longitude or easting first."""


class MetresUnderDegrees(BadPlace):
    """Row {row} at ({x}, {y}) is in metres, not degrees; the system is probably {likely}."""


class DegreesUnderMetres(BadPlace):
    """Row {row} at ({x}, {y}) is in degrees, but the file declares {crs}, which is in metres."""


class NullIsland(BadPlace):
    """Row {row} lies at 0,0: its place was never filled in."""


class OutsideRange(BadPlace):
    """Row {row} at ({x}, {y}) is outside longitude ±180 and latitude ±90."""


class MissingPlace(BadPlace):
    """Row {row} has no coordinates."""


REASONS = {  # the word of `suspects` and what it means
    "missing": MissingPlace,
    "null_island": NullIsland,
    "swapped": SwappedAxes,
    "metres": MetresUnderDegrees,
    "outside_range": OutsideRange,
}


def parse(crs) -> pyproj.CRS:
    """Return the coordinate system somebody names.

    Parameters
    ----------
    crs : str, int or pyproj.CRS
        Anything pyproj reads: ``"EPSG:4490"``, ``4490``, WKT.

    Returns
    -------
    pyproj.CRS

    Raises
    ------
    UnknownCrs
        If pyproj cannot read it.

    Examples
    --------
    >>> parse(4490).name
    'China Geodetic Coordinate System 2000'
    """
    try:
        return pyproj.CRS.from_user_input(crs)
    except CRSError as error:
        raise UnknownCrs(crs=crs) from error


def metric_crs(place) -> pyproj.CRS:
    """Return the transverse Mercator centred on the data.

    Scale error at distance x from the centre's meridian: ``x² / 2R²``.

    Parameters
    ----------
    place : GeoDataFrame, GeoSeries or (west, south, east, north) in degrees
        Frames in any declared CRS.

    Returns
    -------
    pyproj.CRS
        In metres on WGS-84. The centre is rounded to 0.1°, so that layers of one district share it;
        layers to be compared should still be given one CRS.

    Raises
    ------
    MissingCrs
        If a frame has none.

    Notes
    -----
    The scale error stays under 1e-4 within 90 km of the central meridian. An empty frame has no place:
    its centre is 0,0 and there is nothing to distort.

    Source
    ------
    J. P. Snyder, "Map Projections: A Working Manual", USGS Professional Paper 1395 (1987), section 8.

    Examples
    --------
    >>> metric_crs((120.1, 30.2, 120.3, 30.4)) == metric_crs((120.11, 30.2, 120.3, 30.41))
    True
    """
    west, south, east, north = place if isinstance(place, tuple | list) else _degree_bounds(place)
    lon, lat = (0.0 if np.isnan(v) else round(float(v), 1) for v in ((west + east) / 2, (south + north) / 2))
    return pyproj.CRS.from_dict({"proj": "tmerc", "lon_0": lon, "lat_0": lat, "datum": "WGS84", "units": "m"})


def to_metric(frame, crs=None):
    """Project a frame to metres.

    Parameters
    ----------
    frame : GeoDataFrame or GeoSeries, any declared CRS
    crs : pyproj.CRS, optional
        The metric CRS of the layer it is compared with; its own `metric_crs` otherwise.

    Returns
    -------
    same type as `frame`, same index

    Raises
    ------
    MissingCrs
        If the frame has none.

    Examples
    --------
    >>> square = gpd.GeoSeries([shapely.box(120.1, 30.2, 120.2, 30.3)], crs=STORAGE)
    >>> round(float(to_metric(square).area.iloc[0]) / 1e6)
    107
    """
    return frame.to_crs(metric_crs(frame) if crs is None else crs)


def to_storage(frame: gpd.GeoDataFrame, declared_crs=None, datum: str | None = None) -> gpd.GeoDataFrame:
    """Bring a layer to longitude and latitude in WGS-84.

    Parameters
    ----------
    frame : GeoDataFrame
        In its own CRS, longitude or easting first, as GDAL reads every file.
    declared_crs : str, int or pyproj.CRS, optional
        What the source declares; it overrules what the file says.
    datum : str, optional
        One of `gis.datum.DATUMS`, the shift carried by the coordinates. Without it the CRS is taken
        at its word.

    Returns
    -------
    GeoDataFrame, EPSG:4326, same index

    Raises
    ------
    MissingCrs, UnknownCrs, NoTransformation
        If the way to WGS-84 is not known.
    SwappedAxes, MetresUnderDegrees, DegreesUnderMetres, NullIsland, OutsideRange
        Naming the first row (counted from 1) whose coordinates contradict the declaration.
    UnknownDatum
        If the datum is none of the four.

    Notes
    -----
    Systems on the earth-centred ellipsoids (WGS-84, CGCS2000, GRS 80) agree within about a metre and are
    taken as one where EPSG publishes no step between them. Beijing 1954 and Xian 1980 are not: outside the
    areas of a published step they are refused rather than displaced by 100 m. Rows without geometry stay.

    Examples
    --------
    >>> grid = gpd.GeoDataFrame(geometry=[shapely.box(40500000, 3340000, 40500100, 3340100)], crs=4528)
    >>> to_storage(grid).total_bounds.round(3).tolist()
    [120.0, 30.179, 120.001, 30.18]
    """
    crs = declared_crs if declared_crs is not None else frame.crs
    if crs is None:
        raise MissingCrs(source="The layer")
    crs = parse(crs)
    _refuse_impossible(frame, crs)
    _refuse_unpublished(crs, *shapely.get_coordinates(frame.geometry.array).T)
    stored = frame.set_crs(crs, allow_override=True).to_crs(STORAGE)
    if datum is not None:
        shift = known(datum)
        moved = shapely.transform(stored.geometry.array, lambda xy: np.column_stack(to_wgs84(*xy.T, shift)))
        stored = stored.set_geometry(gpd.GeoSeries(moved, index=stored.index, crs=STORAGE))
    _refuse_impossible(stored, pyproj.CRS(STORAGE))
    return stored


def points_to_storage(first, second, crs, datum: str | None = None, by_definition: bool = False):
    """Bring pairs of coordinates to longitude and latitude in WGS-84.

    Parameters
    ----------
    first, second : array_like, units of `crs`, shape (n,)
    crs : str, int or pyproj.CRS
        The system they are in.
    datum : str, optional
        One of `gis.datum.DATUMS`; without it the CRS is taken at its word.
    by_definition : bool
        Whether the pair comes in the axis order that the CRS defines (latitude first for EPSG:4490 and
        4326, northing first for Gauss-Krüger), as OGC services send it, or longitude first.

    Returns
    -------
    tuple of ndarray, shape (n,)
        Longitude and latitude, EPSG:4326.

    Raises
    ------
    UnknownCrs, NoTransformation, UnknownDatum
        As for `to_storage`.

    Examples
    --------
    >>> lon, lat = points_to_storage([30.25], [120.16], 4490, by_definition=True)
    >>> float(lon[0]), float(lat[0])
    (120.16, 30.25)
    """
    crs = parse(crs)
    x, y = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if by_definition and crs.axis_info and crs.axis_info[0].direction == "north":
        x, y = y, x
    _refuse_unpublished(crs, np.ravel(x), np.ravel(y))
    lon, lat = pyproj.Transformer.from_crs(crs, STORAGE, always_xy=True).transform(x, y)
    return (np.asarray(lon), np.asarray(lat)) if datum is None else to_wgs84(lon, lat, datum)


def suspects(lon, lat) -> pd.Series:
    """Say for each point why its coordinates cannot be longitude and latitude as they stand.

    Parameters
    ----------
    lon, lat : array_like or Series, degrees, shape (n,)

    Returns
    -------
    Series of str or None, shape (n,), indexed like `lon`
        A key of `REASONS`, None where nothing is wrong.

    Notes
    -----
    The first that applies, in the order of `REASONS`. Swapped are a latitude beyond ±90 that would do as a
    longitude, and a pair that lies in China only when swapped. Exactly 0,0 is nobody's place.

    Examples
    --------
    >>> suspects([120.1, 30.2, 0, 40500000, 120, None], [30.2, 120.1, 0, 3340000, 95, 30]).tolist()
    [None, 'swapped', 'null_island', 'metres', 'outside_range', 'missing']
    """
    index = lon.index if isinstance(lon, pd.Series) else None
    x, y = (
        pd.to_numeric(pd.Series(np.asarray(v)), errors="coerce").to_numpy(dtype=float) for v in (lon, lat)
    )
    swapped_globe = (np.abs(y) > 90) & (np.abs(y) <= 180) & (np.abs(x) <= 90)
    swapped_china = _between(x, _CHINA_LAT) & _between(y, _CHINA_LON)
    tests = {
        "missing": ~(np.isfinite(x) & np.isfinite(y)),
        "null_island": (x == 0) & (y == 0),
        "swapped": swapped_globe | swapped_china,
        "metres": np.maximum(np.abs(x), np.abs(y)) >= _METRES_FROM,
        "outside_range": (np.abs(x) > 180) | (np.abs(y) > 90),
    }
    return pd.Series(np.select([*tests.values()], [*tests], default=None), index=index, dtype=object)


def problem_of(reason: str, row, x, y) -> BadPlace:
    """Return the problem that stands behind a word of `suspects`.

    Parameters
    ----------
    reason : str
        A key of `REASONS`.
    row : int or str
        What the reader calls the row.
    x, y : float
        Its coordinates as they stand.

    Returns
    -------
    BadPlace

    Examples
    --------
    >>> str(problem_of("swapped", 7, 30.2, 120.1))
    'Row 7 at (30.2, 120.1) has its axes swapped; give longitude or easting first.'
    """
    likely = ", ".join(_likely_systems(x, y)) if reason == "metres" else ""
    return REASONS[reason](row=row, x=f"{x:.10g}", y=f"{y:.10g}", likely=likely or "a local grid")


def _likely_systems(x: float, y: float) -> list[str]:
    """Name the systems of China that metres under a degrees label are probably in.

    An easting with its zone in front (40 500 000) names the zone; without one (500 000) the central
    meridian cannot be known from numbers. Zones 13 to 15 overlap with Web Mercator: both are named.
    """
    east, north = (y, x) if _between(x, _NORTHINGS) and not _between(y, _NORTHINGS) else (x, y)
    found = []
    if _between(north, _NORTHINGS):
        for eastings, first_zone, first_code, words in _GAUSS_KRUGER:
            zone = int(east // 1_000_000)
            if _between(east, eastings) and _between(east % 1_000_000, (200_000, 800_000)):
                code = first_code + zone - first_zone
                found.append(f"EPSG:{code} (CGCS2000, {words.format(zone=zone)})")
        if _between(east, (200_000, 800_000)):
            found.append(
                "EPSG:4534-4554 (CGCS2000, 3-degree) or EPSG:4502-4512 (6-degree), by central meridian"
            )
    if _between(x, _WEB_MERCATOR[0]) and _between(y, _WEB_MERCATOR[1]):
        found.append("EPSG:3857 (Web Mercator)")
    return found


def _between(values, limits):
    return (values >= limits[0]) & (values <= limits[1])


def _degree_bounds(frame) -> tuple:
    if frame.crs is None:
        raise MissingCrs(source="The layer")
    bounds = tuple(frame.total_bounds)
    if frame.crs.is_geographic or np.isnan(bounds[0]):
        return bounds
    return pyproj.Transformer.from_crs(frame.crs, STORAGE, always_xy=True).transform_bounds(*bounds)


def _refuse_impossible(frame: gpd.GeoDataFrame, crs: pyproj.CRS) -> None:
    """Raise for the first row whose corners contradict the units or the axes of `crs`."""
    placed = ~(frame.geometry.isna() | frame.geometry.is_empty)
    rows = np.flatnonzero(placed) + 1
    west, south, east, north = shapely.bounds(frame.geometry.array[placed]).reshape(-1, 4).T
    if crs.is_geographic:
        for x, y in ((west, south), (east, north)):
            reasons = suspects(x, y)
            for i in np.flatnonzero(reasons.notna())[:1]:
                raise problem_of(reasons[i], rows[i], x[i], y[i])
        return
    for i in np.flatnonzero(np.abs([west, south, east, north]).max(0) <= 180)[:1]:
        raise DegreesUnderMetres(row=rows[i], x=f"{west[i]:g}", y=f"{south[i]:g}", crs=crs.name)
    northing_first = crs.axis_info[0].direction == "north"
    swapped = _between(west, _NORTHINGS) & ~_between(south, _NORTHINGS) & northing_first
    for i in np.flatnonzero(swapped)[:1]:
        raise problem_of("swapped", rows[i], west[i], south[i])


def _refuse_unpublished(crs: pyproj.CRS, x: np.ndarray, y: np.ndarray) -> None:
    """Raise if PROJ would have to take a foreign ellipsoid for WGS-84 at this place."""
    placed = np.isfinite(x) & np.isfinite(y)
    if abs(crs.ellipsoid.semi_major_metre - 6378137) < 1 or not placed.any():
        return
    corners = np.array([[x[placed].min(), x[placed].max()], [y[placed].min(), y[placed].max()]])
    lon, lat = pyproj.Transformer.from_crs(crs, STORAGE, always_xy=True).transform(*corners)
    area = AreaOfInterest(lon[0], lat[0], lon[1], lat[1])
    if not TransformerGroup(crs, STORAGE, area_of_interest=area, allow_ballpark=False).transformers:
        raise NoTransformation(crs=crs.name)
