"""From a seed to the frames of four levels: counts, codes, names and sums."""

import math
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.errors import BadInput
from gis.samples.alike import Chance, sine
from gis.samples.arcs import Plan, draw
from gis.samples.footprints import Buildings, build
from gis.samples.names import gates, plates, unit_names
from gis.samples.plan import Quota

CRS = "EPSG:4326"
DECIMALS = 8  # of a degree: about a millimetre
EQUATOR, SQUASH = 6378137.0, 0.0066943799901413  # of WGS-84: radius in metres, eccentricity squared
MICRO_GRID_KM2 = 108.0 / 6008
COUNTY, CENTRE = "510199", (104.03, 30.72)
RIM = 1.7  # micro-grids dropped at the rim, per square root of those that stay


class UnknownScale(BadInput):
    """The scale {scale} is not known; give one of {known} or a number of districts from 1 to {most}."""


class UnevenCounts(BadInput):
    """{number} {level} units cannot be shared among {parents} parents with at most {most} each."""


class NotACounty(BadInput):
    """The county code {code} is not made of six digits."""


class Size(NamedTuple):
    """How many units of each level a sample has; buildings as far as they fit."""

    streets: int
    communities: int
    micro_grids: int
    buildings: int


SIZES = {
    "tiny": Size(1, 3, 30, 250),
    "small": Size(3, 9, 120, 1000),
    "street": Size(1, 7, 460, 4600),
    "district": Size(13, 90, 6008, 60000),
}
MOST_DISTRICTS = 10


def sized(scale: str | float, *, seed: int = 2026) -> dict[str, gpd.GeoDataFrame]:
    """A sample by the name of its size, or by a number of whole districts.

    Parameters
    ----------
    scale : str or number
        A name in `SIZES`, or a whole number from 1 to 10, as a number or in digits.
    seed : int
        The same seed gives the same sample.

    Returns
    -------
    dict of str to geopandas.GeoDataFrame
        As `district`.

    Raises
    ------
    UnknownScale
        Neither a known name nor such a number.

    Examples
    --------
    >>> {level: len(frame) for level, frame in sized("tiny").items()}
    {'street': 1, 'community': 3, 'micro_grid': 30, 'building': 250}
    """
    if scale in SIZES:
        size = SIZES[scale]
        return district(seed=seed, **size._asdict(), area_km2=size.micro_grids * MICRO_GRID_KM2)
    number = pd.to_numeric(scale, errors="coerce")
    if number not in range(1, MOST_DISTRICTS + 1):
        raise UnknownScale(scale=scale, known=", ".join(SIZES), most=MOST_DISTRICTS)
    return districts(int(number), seed=seed)


def districts(number: int, *, seed: int = 2026) -> dict[str, gpd.GeoDataFrame]:
    """Whole districts side by side, five to a row, apart from each other, with county codes counted down.

    Parameters
    ----------
    number : int
        From 1 to 10; the first is the same as `district(seed=seed)`.
    seed : int
        The same seed gives the same sample.

    Returns
    -------
    dict of str to geopandas.GeoDataFrame
        As `district`, with a fresh index; no two streets and no two communities share a name.

    Raises
    ------
    UnknownScale
        The number is out of range.

    Examples
    --------
    >>> districts(11)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    gis.samples.district.UnknownScale: The scale 11 is not known; give one of tiny, small, ...
    """
    if number not in range(1, MOST_DISTRICTS + 1):
        raise UnknownScale(scale=number, known=", ".join(SIZES), most=MOST_DISTRICTS)
    size, (lon, lat) = SIZES["district"], CENTRE
    parts = []
    for k in range(number):
        centre = (lon + 0.145 * (k % 5), lat - 0.13 * (k // 5))
        code = str(int(COUNTY) - k)
        parts.append(_district(seed + k, size, code, centre, 108.0, names=(seed, k)))
    return {level: pd.concat([part[level] for part in parts], ignore_index=True) for level in parts[0]}


def district(
    *,
    seed: int = 2026,
    streets: int = 13,
    communities: int = 90,
    micro_grids: int = 6008,
    buildings: int = 60000,
    code: str = COUNTY,
    centre: tuple[float, float] = CENTRE,
    area_km2: float = 108.0,
) -> dict[str, gpd.GeoDataFrame]:
    """A fictional district of four levels, the same for the same arguments.

    Parameters
    ----------
    seed : int
        The source of all chance.
    streets, communities, micro_grids : int
        Exact numbers of units.
    buildings : int
        Buildings wanted; about 12 fit on a micro-grid of 18,000 m², the rest is not built.
    code : str
        Six digits of the county; all codes begin with it.
    centre : tuple of float
        Longitude and latitude of the centre, degrees, EPSG:4326.
    area_km2 : float
        Area of the district, square kilometres.

    Returns
    -------
    dict of str to geopandas.GeoDataFrame
        "street", "community", "micro_grid", "building", each in EPSG:4326 in the order of `code`, with
        `code`, `name`, `parent_code`, `households`, `population`; buildings also with `address`,
        `storeys` and `use`.

    Raises
    ------
    UnevenCounts
        Fewer units than parents, or more than the digits of a code can count.
    NotACounty
        The code is not six digits.

    Notes
    -----
    Coordinates are rounded to 8 decimals before polygons are made of them, so files with 8 decimals
    keep everything. Levels 1 to 3 are coverages without gaps and nest to the vertex. Codes count in
    reading order: rows from north to south, each from west to east, a row as high as an average unit.

    Source
    ------
    GB/T 10114 and the statistical code scheme: 6 digits county, 9 street, 12 community; 15 micro-grid;
    a building has its community's 12 and 5 more.

    Examples
    --------
    >>> frames = district(streets=1, communities=2, micro_grids=8, buildings=40, area_km2=0.15)
    >>> frames["community"]["code"].tolist()
    ['510199001001', '510199001002']
    >>> bool(shapely.coverage_is_valid(frames["micro_grid"].geometry.values))
    True
    """
    size = Size(streets, communities, micro_grids, buildings)
    return _district(seed, size, code, centre, area_km2, names=(seed, 0))


def _district(seed, size: Size, code, centre, area_km2, names) -> dict[str, gpd.GeoDataFrame]:
    if not (len(code) == 6 and code.isdecimal()):
        raise NotACounty(code=code)
    rng = Chance(np.random.PCG64(seed))
    spare = _spare(size)
    street_of, town = _quotas(size, spare, rng)
    plan = draw(town, spare, area_km2 * 1e6, street_of, rng)
    houses = build(plan, size.buildings, rng)
    codes, order = _number(plan, houses, street_of, code)
    frames = {"building": _buildings(plan, houses, codes, order, centre, rng)}
    frames["micro_grid"] = _micro_grids(plan, codes, centre, frames["building"])
    for level, below, digits in (("community", "micro_grid", 12), ("street", "community", 9)):
        frames[level] = _dissolved(frames[below], level, digits, names)
    return {level: frames[level] for level in ("street", "community", "micro_grid", "building")}


def _spare(size: Size) -> int:
    """Micro-grids to drop at the rim; none where communities are too small to lose any."""
    if size.micro_grids < 8 * size.communities:
        return 0
    return min(round(RIM * math.sqrt(size.micro_grids)), size.micro_grids // 8)


def _quotas(size: Size, spare: int, rng: np.random.Generator) -> tuple[np.ndarray, Quota]:
    """Street of each community, and the tree of units to be placed with the area each asks for."""
    per_street = _shared(size.communities, size.streets, "community", 199, 0.22, rng)
    _shared(size.streets, 1, "street", 99, 0.0, rng)
    per_community = _shared(size.micro_grids + spare, size.communities, "micro_grid", 900, 0.16, rng)
    leaves = [
        _quota([Quota(w) for w in rng.normal(1.03, 0.3, n).clip(0.6, 1.7)], k)
        for k, n in enumerate(per_community)
    ]
    street_of = np.repeat(np.arange(size.streets), per_street)
    parts = [[leaf for leaf, s in zip(leaves, street_of, strict=True) if s == k] for k in range(size.streets)]
    return street_of, _quota([_quota(part) for part in parts])


def _quota(parts: list[Quota], number: int = 0) -> Quota:
    return Quota(sum(part.weight for part in parts), number, parts)


def _shared(
    number: int, parents: int, level: str, most: int, spread: float, rng: np.random.Generator
) -> np.ndarray:
    """Whole shares of about equal size, at least one each, with the exact sum."""
    if not 1 <= parents <= number <= parents * most:
        raise UnevenCounts(number=number, level=level, parents=parents, most=most)
    weights = rng.normal(1.0, spread, parents).clip(0.5)
    edges = np.rint(np.cumsum(weights / weights.sum()) * (number - parents)).astype(int)
    shares = np.diff(edges, prepend=0) + 1
    if shares.max() > most:
        raise UnevenCounts(number=number, level=level, parents=parents, most=most)
    return shares


def _reading_order(points: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Place of each point within its group, from 1: rows from north to south, each from west to east."""
    frame = pd.DataFrame({"group": group, "x": points[:, 0], "y": points[:, 1]})
    by = frame.groupby("group")
    top, deep = by["y"].transform("max"), by["y"].transform("max") - by["y"].transform("min")
    wide = by["x"].transform("max") - by["x"].transform("min")
    height = np.sqrt(np.maximum(wide * deep, 1.0) / by["x"].transform("size"))
    frame["row"] = np.floor((top - frame["y"]) / height)
    ordered = frame.sort_values(["group", "row", "x"], kind="stable")
    return (ordered.groupby("group").cumcount() + 1).reindex(frame.index).to_numpy()


def _number(plan: Plan, houses: Buildings, street_of: np.ndarray, county: str):
    """Codes of the micro-grids, and each building's place within its micro-grid."""
    middle = shapely.get_coordinates(shapely.centroid(plan.micro_grids))
    community = pd.DataFrame(middle).groupby(plan.community).mean().to_numpy()
    street = pd.DataFrame(community).groupby(street_of).mean().to_numpy()
    street_no = _reading_order(street, np.zeros(len(street), int))[street_of][plan.community]
    community_no = _reading_order(community, street_of)[plan.community]
    own_no = _reading_order(middle, plan.community)
    rows = zip(street_no, community_no, own_no, strict=True)
    codes = np.array([f"{county}{s:03d}{c:03d}{m:03d}" for s, c, m in rows], dtype=object)
    return codes, _reading_order(
        shapely.get_coordinates(shapely.centroid(houses.geometry)), houses.micro_grid
    )


def _on_earth(shapes: np.ndarray, centre: tuple[float, float]) -> np.ndarray:
    """Polygons from metres around the centre to rounded degrees.

    Every parallel keeps its length and its distance from the centre's, so areas stay. PROJ, whose last bits
    are the CPU's, would now and then round the last decimal the other way.
    """
    lon, lat = centre
    s, c = sine(lat / 360), sine(lat / 360 + 0.25)
    w = 1 - SQUASH * s * s
    across = EQUATOR / math.sqrt(w)  # radius of curvature from east to west, metres
    along = across * (1 - SQUASH) / w  # and from south to north
    radian = math.pi / 180

    def to_degrees(x, y):
        return _rounded(lon + x / (radian * (across * c - y * s))), _rounded(lat + y / (radian * along))

    return shapely.transform(shapes, to_degrees, interleaved=False)


def _rounded(degrees: np.ndarray) -> np.ndarray:
    """Degrees as files keep them.

    GDAL's GeoJSON writer takes five nines or zeros before the last decimal for noise and rounds them
    away; such coordinates are rounded here already, or files would move single vertices.
    """
    units = np.rint(degrees * 10**DECIMALS)
    tail = units % 1e6
    units = np.where(tail >= 999990, units + 1e6 - tail, np.where(tail < 10, units - tail, units))
    return units / 10**DECIMALS


def _buildings(plan, houses: Buildings, codes, place, centre, rng) -> gpd.GeoDataFrame:
    parent = codes[houses.micro_grid]
    count = np.bincount(houses.micro_grid, minlength=len(codes))[houses.micro_grid]
    address = plates(gates(plan, rng)[houses.micro_grid], place, count == 1, houses.quarter == "old")
    frame = gpd.GeoDataFrame(
        {
            "name": address,
            "parent_code": parent,
            "households": houses.households,
            "population": houses.population,
            "address": address,
            "storeys": houses.storeys,
            "use": houses.use,
        },
        geometry=_on_earth(houses.geometry, centre),
        crs=CRS,
    )
    frame = frame.iloc[np.lexsort((place, parent))].reset_index(drop=True)
    community = frame["parent_code"].str[:12]
    number = frame.groupby(community).cumcount() + 1
    frame.insert(0, "code", community + number.astype(str).str.zfill(5))
    return frame


def _micro_grids(plan, codes, centre, buildings) -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame(
        {
            "code": codes,
            "name": [f"第{code[12:]}微网格" for code in codes],
            "parent_code": [c[:12] for c in codes],
        },
        geometry=_on_earth(plan.micro_grids, centre),
        crs=CRS,
    ).sort_values("code", ignore_index=True)
    return _with_sums(frame, buildings)


def _dissolved(children, level: str, digits: int, names) -> gpd.GeoDataFrame:
    """The units one level up: unions of their children, named in the order of their codes."""
    groups = children.groupby("parent_code", sort=True)
    codes = list(groups.groups)
    shapes = [shapely.coverage_union_all(group.geometry.values) for _, group in groups]
    seed, turn = names
    upper = gpd.GeoDataFrame(
        {
            "code": codes,
            "name": unit_names(level, turn * len(codes), len(codes), seed),
            "parent_code": [code[: digits - 3] if digits > 9 else None for code in codes],
        },
        geometry=shapely.orient_polygons(np.array(shapes)),
        crs=CRS,
    )
    return _with_sums(upper, children)


def _with_sums(frame, children) -> gpd.GeoDataFrame:
    """The frame with the households and people of its children."""
    sums = children.groupby("parent_code")[["households", "population"]].sum()
    sums = sums.reindex(frame["code"], fill_value=0).astype(int)
    for place, column in enumerate(sums.columns, start=3):
        frame.insert(place, column, sums[column].to_numpy())
    return frame
