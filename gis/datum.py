"""Datums met in China, and which one a batch of coordinates is really in.

Maps are stored in WGS-84. Surveys come in CGCS2000, which agrees with WGS-84 within decimetres and
is passed through unchanged. Phones and map services hand out GCJ-02 (Amap, Tencent) or BD-09 (Baidu),
both shifted by 300-700 m: enough to move a point into another micro-grid.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.errors import Problem, UndeclaredDatum, UnknownDatum

DATUMS = ("wgs84", "cgcs2000", "gcj02", "bd09")
OUTLINE = (72.004, 0.8293, 137.8347, 55.8271)  # west, south, east, north of the shifted region

NEAR_M = 15.0  # a report made at a door stands this close to its building
MIN_POINTS = 20
MIN_SHARE = 0.3  # of points near a building, below which no reading is believed
MIN_MARGIN = 0.1  # of that share, over every other reading
MIN_SIGMA = 3.0  # of the paired difference, over every other reading

_SEMI_MAJOR, _ECCENTRICITY_SQUARED = 6378245.0, 0.00669342162296594323  # Krasovsky 1940
_ORIGIN = (105.0, 35.0)  # lon, lat from which GCJ-02 counts
_BD_TURN = math.pi * 3000 / 180

Pair = tuple[np.ndarray, np.ndarray]


class BetterFit(Problem):
    """{size} points fit your buildings better as {suggested} ({best_near}) than as {declared} ({near})."""


@dataclass(frozen=True)
class DatumFit:
    """How well a batch fits the buildings under each datum it may be in.

    `evidence` has one row per candidate datum with columns `inside` and `near` (shares of the sample)
    and `median_m` (distance to the nearest building); `suggested` is None unless it is clear.
    """

    declared: str
    suggested: str | None
    size: int
    evidence: pd.DataFrame

    @property
    def problem(self) -> BetterFit | None:
        """The suggestion in words with its evidence, or None."""
        if self.suggested is None:
            return None
        near = self.evidence["near"].map("{:.0%}".format)
        return BetterFit(
            size=self.size,
            suggested=self.suggested,
            best_near=near[self.suggested],
            declared=self.declared,
            near=near[_stand_in(self.declared)],
        )


def known(datum: str | None) -> str:
    """Return the datum's code word, however it is spelt.

    Parameters
    ----------
    datum : str or None
        For example ``"GCJ-02"``, ``"gcj02"``, ``"CGCS 2000"``.

    Returns
    -------
    str
        One of `DATUMS`.

    Raises
    ------
    UndeclaredDatum
        If nothing is declared.
    UnknownDatum
        If the word is none of the four.

    Examples
    --------
    >>> known("BD-09")
    'bd09'
    """
    choices = ", ".join(DATUMS)
    word = "".join(letter for letter in str(datum or "").lower() if letter.isalnum())
    if not word:
        raise UndeclaredDatum(known=choices)
    if word not in DATUMS:
        raise UnknownDatum(datum=datum, known=choices)
    return word


def to_wgs84(lon, lat, datum: str | None) -> Pair:
    """Convert coordinates of a declared datum to WGS-84.

    The shift has no closed inverse; it is found by the fixed point ``w = p - (f(w) - w)``, repeated until
    no coordinate moves by more than 1e-12 degrees.

    Parameters
    ----------
    lon, lat : array_like or float, degrees in `datum`
        Any shapes that broadcast together; NaN stays NaN.
    datum : str
        One of `DATUMS`.

    Returns
    -------
    tuple of ndarray
        Longitude and latitude, degrees, EPSG:4326, in the broadcast shape.

    Raises
    ------
    UndeclaredDatum, UnknownDatum
        See `known`.

    Notes
    -----
    The region is the box `OUTLINE` of the published algorithm, so that data shifted by any other software
    comes back where it was; it contains neighbours of China, where only the services' own data are
    shifted. A point is shifted when its WGS-84 position is inside. Every point inside comes back exactly.
    In the strip of under 1 km outside the edge a value may stand for two places; the inside one is taken.

    Source
    ------
    GCJ-02: the shift published as "wgtochina_lb"; BD-09: Baidu Maps' second shift on top of it.

    Examples
    --------
    >>> lon, lat = to_wgs84([120.1662, 2.35], [30.2458, 48.86], "gcj02")
    >>> [(round(float(x), 4), round(float(y), 4)) for x, y in zip(lon, lat)]
    [(120.1615, 30.2481), (2.35, 48.86)]
    """
    shift = _SHIFTS[known(datum)]
    return _where_inside(lambda x, y: _inverse(shift, x, y), lon, lat, judge_after=True)


def from_wgs84(lon, lat, datum: str | None) -> Pair:
    """Convert WGS-84 coordinates to another datum.

    Parameters
    ----------
    lon, lat : array_like or float, degrees, EPSG:4326
        Any shapes that broadcast together; NaN stays NaN.
    datum : str
        One of `DATUMS`.

    Returns
    -------
    tuple of ndarray
        Longitude and latitude, degrees in `datum`, in the broadcast shape; unchanged outside `OUTLINE`.

    Raises
    ------
    UndeclaredDatum, UnknownDatum
        See `known`.

    Source
    ------
    As for `to_wgs84`.

    Examples
    --------
    >>> lon, lat = from_wgs84(116.3913, 39.9075, "bd09")
    >>> round(float(lon), 4), round(float(lat), 4)
    (116.4039, 39.9152)
    """
    return _where_inside(_SHIFTS[known(datum)], lon, lat, judge_after=False)


def fit(lon, lat, buildings: gpd.GeoDataFrame, declared: str | None, sample: int = 2000) -> DatumFit:
    """Find whether a batch fits the buildings better under another datum than the declared one.

    Each reading of the raw numbers is converted to WGS-84 and scored by its distances to the footprints.
    Another datum is suggested only when at least `MIN_SHARE` of the points lie within `NEAR_M` under it,
    that is `MIN_MARGIN` more than under every other reading, and the paired difference
    ``(b - c) / sqrt(b + c)`` (b: near under this reading alone, c: under the other alone) is at least
    `MIN_SIGMA`.

    Parameters
    ----------
    lon, lat : array_like, degrees in an unproven datum, shape (n,)
    buildings : GeoDataFrame, EPSG:4326
        Footprints known to be in WGS-84.
    declared : str
        The datum the source declares.
    sample : int
        At most so many points, evenly spaced through the batch, are looked at.

    Returns
    -------
    DatumFit
        Evidence per candidate; WGS-84 and CGCS2000 are one candidate, named wgs84.

    Raises
    ------
    UndeclaredDatum, UnknownDatum
        See `known`.

    Notes
    -----
    Points without a place are left out. Fewer than `MIN_POINTS`, no buildings, points far from all
    of them, or a place outside `OUTLINE`, where all readings are one, give no suggestion.

    Source
    ------
    Q. McNemar, "Note on the sampling error of the difference between correlated proportions or
    percentages", Psychometrika 12 (1947), for the paired difference.

    Examples
    --------
    >>> import numpy as np
    >>> x, y = np.meshgrid(np.arange(120.1, 120.2, 0.01), np.arange(30.2, 30.3, 0.01))
    >>> homes = gpd.GeoDataFrame(geometry=shapely.buffer(shapely.points(x, y).ravel(), 1e-4), crs=4326)
    >>> fit(*from_wgs84(x.ravel(), y.ravel(), "gcj02"), homes, "wgs84").suggested
    'gcj02'
    """
    declared = known(declared)
    lon, lat = _sampled(lon, lat, sample)
    readings = [datum for datum in DATUMS if _stand_in(datum) == datum]
    distances = pd.DataFrame({d: _distances(*to_wgs84(lon, lat, d), buildings) for d in readings})
    near = distances <= NEAR_M
    evidence = pd.DataFrame(
        {"inside": (distances == 0).mean(), "near": near.mean(), "median_m": distances.median()}
    )
    best = evidence.sort_values(["near", "inside"], ascending=False, kind="stable").index[0]
    clear = (
        len(lon) >= MIN_POINTS
        and best != _stand_in(declared)
        and evidence.near[best] >= MIN_SHARE
        and all(_beats(near[best], near[other]) for other in readings if other != best)
    )
    return DatumFit(declared, best if clear else None, len(lon), evidence)


def fit_layer(frame: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, declared: str | None) -> DatumFit:
    """Find whether a layer of footprints fits the buildings already known better under another datum.

    Parameters
    ----------
    frame : GeoDataFrame, degrees in an unproven datum
        Its representative points are judged by `fit`.
    buildings : GeoDataFrame, EPSG:4326
        Footprints known to be in WGS-84.
    declared : str
        The datum the source declares.

    Returns
    -------
    DatumFit
        As for `fit`.

    Raises
    ------
    UndeclaredDatum, UnknownDatum
        See `known`.

    Examples
    --------
    >>> homes = gpd.GeoDataFrame(geometry=shapely.buffer(shapely.points([[120.1, 30.2]]), 1e-4), crs=4326)
    >>> float(fit_layer(homes, homes, "wgs84").evidence.loc["wgs84", "inside"])
    1.0
    """
    placed = frame.geometry[~(frame.geometry.isna() | frame.geometry.is_empty)]
    points = placed.representative_point()
    return fit(points.x, points.y, buildings, declared)


def _gcj02(lon: np.ndarray, lat: np.ndarray) -> Pair:
    x, y = lon - _ORIGIN[0], lat - _ORIGIN[1]
    root, pi = np.sqrt(np.abs(x)), math.pi
    common = 20 * np.sin(6 * pi * x) + 20 * np.sin(2 * pi * x)
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += (common + 20 * np.sin(pi * x) + 40 * np.sin(pi / 3 * x)) * 2 / 3
    east += (150 * np.sin(pi / 12 * x) + 300 * np.sin(pi / 30 * x)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += (common + 20 * np.sin(pi * y) + 40 * np.sin(pi / 3 * y)) * 2 / 3
    north += (160 * np.sin(pi / 12 * y) + 320 * np.sin(pi / 30 * y)) * 2 / 3
    phi = np.radians(lat)
    flattened = 1 - _ECCENTRICITY_SQUARED * np.sin(phi) ** 2
    prime_vertical = _SEMI_MAJOR / np.sqrt(flattened)
    meridian = _SEMI_MAJOR * (1 - _ECCENTRICITY_SQUARED) / flattened**1.5
    return lon + np.degrees(east / (prime_vertical * np.cos(phi))), lat + np.degrees(north / meridian)


def _bd09(lon: np.ndarray, lat: np.ndarray) -> Pair:
    x, y = _gcj02(lon, lat)
    radius = np.hypot(x, y) + 2e-5 * np.sin(y * _BD_TURN)
    angle = np.arctan2(y, x) + 3e-6 * np.cos(x * _BD_TURN)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def _same(lon: np.ndarray, lat: np.ndarray) -> Pair:
    return lon, lat


_SHIFTS: dict[str, Callable[[np.ndarray, np.ndarray], Pair]] = {
    "wgs84": _same,
    "cgcs2000": _same,
    "gcj02": _gcj02,
    "bd09": _bd09,
}


def _inverse(shift: Callable, lon: np.ndarray, lat: np.ndarray) -> Pair:
    x, y = lon, lat
    for _ in range(30):  # each round gains two digits or more
        shifted_x, shifted_y = shift(x, y)
        step_x, step_y = lon - shifted_x, lat - shifted_y
        x, y = x + step_x, y + step_y
        if max(np.abs(step_x).max(initial=0), np.abs(step_y).max(initial=0)) < 1e-12:
            break
    return x, y


def _where_inside(convert: Callable, lon, lat, judge_after: bool) -> Pair:
    """Apply `convert` to the points whose WGS-84 position is inside the outline."""
    lon, lat = np.broadcast_arrays(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))
    out_lon, out_lat = lon.copy(), lat.copy()
    rows = _inside(lon, lat, reach=0.05 if judge_after else 0.0)
    x, y = convert(lon[rows], lat[rows])
    keep = _inside(x, y, reach=1e-9) | (not judge_after)  # rounding must not push the edge itself outside
    out_lon[rows], out_lat[rows] = np.where(keep, x, lon[rows]), np.where(keep, y, lat[rows])
    return out_lon, out_lat


def _inside(lon: np.ndarray, lat: np.ndarray, reach: float = 0.0) -> np.ndarray:
    west, south, east, north = OUTLINE
    across = (lon >= west - reach) & (lon <= east + reach)
    return across & (lat >= south - reach) & (lat <= north + reach)


def _stand_in(datum: str) -> str:
    """The candidate that represents a datum: the first one with the same shift."""
    return next(other for other in DATUMS if _SHIFTS[other] is _SHIFTS[datum])


def _sampled(lon, lat, size: int) -> Pair:
    lon, lat = np.asarray(lon, dtype=float).ravel(), np.asarray(lat, dtype=float).ravel()
    placed = np.isfinite(lon) & np.isfinite(lat) & (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
    rows = np.flatnonzero(placed)
    if len(rows) > size:
        rows = rows[np.linspace(0, len(rows) - 1, size).round().astype(int)]
    return lon[rows], lat[rows]


def _distances(lon: np.ndarray, lat: np.ndarray, buildings: gpd.GeoDataFrame) -> np.ndarray:
    """Metres to the nearest building of each point, infinite without any."""
    footprints = buildings.geometry[~(buildings.geometry.isna() | buildings.geometry.is_empty)]
    result = np.full(len(lon), np.inf)
    if footprints.empty or not len(lon):
        return result
    # gis.crs stands on this module, so its metric CRS is out of reach; UTM's scale error is 6 mm in 15 m.
    metric = footprints.estimate_utm_crs()
    points = gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs=buildings.crs).to_crs(metric)
    finite = np.isfinite(shapely.get_x(points.array)) & np.isfinite(shapely.get_y(points.array))
    tree = footprints.to_crs(metric).sindex
    found, metres = tree.nearest(points[finite], return_all=False, return_distance=True)
    result[np.flatnonzero(finite)[found[0]]] = metres
    return result


def _beats(ours: pd.Series, theirs: pd.Series) -> bool:
    alone, missed = (ours & ~theirs).sum(), (theirs & ~ours).sum()
    sigma = (alone - missed) / math.sqrt(max(alone + missed, 1))
    return bool(ours.mean() - theirs.mean() >= MIN_MARGIN and sigma >= MIN_SIGMA)
