"""What can be wrong with a map of grids: the kinds of finding, their sentences, and the frame of them."""

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd

from gis.ground import WGS84, Layer

ERROR, WARNING = "error", "warning"

# kind → (severity, the sentence; its braces are columns of the finding or keys of its detail)
KINDS = {
    "empty_geometry": (ERROR, "{code} has no geometry."),
    "wrong_type": (ERROR, "{code} is a {type}, not a polygon."),
    "invalid_ring": (ERROR, "The outline of {code} is invalid: {reason} at {lon:.6f}, {lat:.6f}."),
    "missing_code": (ERROR, "Row {row} has no code."),
    "duplicate_code": (ERROR, "The code {code} of row {row} was already used by row {first_row}."),
    "missing_parent": (ERROR, "{code} names no parent."),
    "orphan": (ERROR, "{code} names {other} as its parent, which no coarser level holds."),
    "bad_edge": (ERROR, "{size_m:.2f} m of the outline of {code} do not match its neighbours exactly."),
    "gap": (ERROR, "{area_m2:.2f} m² between {code} and {other} belong to no unit."),
    "sliver_gap": (WARNING, "A strip {size_m:.4f} m wide between {code} and {other} belongs to no unit."),
    "overlap": (ERROR, "{code} and {other} overlap by {area_m2:.2f} m²."),
    "sliver_overlap": (WARNING, "{code} and {other} overlap in a strip {size_m:.4f} m wide."),
    "uncovered": (ERROR, "{area_m2:.2f} m² along the border of {other} belong to no unit."),
    "child_outside": (
        ERROR,
        "{code} leaves its parent {other} by {area_m2:.2f} m² and up to {size_m:.2f} m.",
    ),
    "wholly_elsewhere": (ERROR, "{code} names {parent} as its parent but lies in {other} ({share:.0%})."),
    "mostly_elsewhere": (
        WARNING,
        "{code} names {parent} as its parent but lies mostly in {other} ({share:.0%}).",
    ),
    "partly_elsewhere": (
        WARNING,
        "{code} names {parent} as its parent but lies partly in {other} ({share:.0%}).",
    ),
    "multipart": (WARNING, "{code} has {parts} parts, the farthest {size_m:.0f} m from the largest."),
    "building_nowhere": (ERROR, "Building {code} lies in no {level_of_parent}."),
    "building_straddles": (WARNING, "Building {code} lies in {units} units; {share:.0%} of it in {other}."),
    "building_sticks_out": (WARNING, "{share:.1%} of building {code} lies outside every {level_of_parent}."),
    "building_overlap": (WARNING, "Buildings {code} and {other} overlap by {area_m2:.2f} m²."),
    "building_within": (WARNING, "Building {code} lies wholly inside building {other}."),
}

COLUMNS = ("kind", "severity", "level", "code", "other", "row", "area_m2", "size_m", "detail", "geometry")


def found(kind: str, layer: Layer, at: np.ndarray, place: np.ndarray, **columns) -> pd.DataFrame:
    """Return findings of one kind about the units at the given positions of a layer.

    Parameters
    ----------
    kind : key of KINDS
    layer : the level examined
    at : int array, shape (n,); -1 for a fault that belongs to no unit
    place : array of geometries, EPSG:4326, shape (n,)
    columns : arrays of shape (n,): other, area_m2, size_m; any further name is a detail

    Returns
    -------
    DataFrame with COLUMNS, shape (n, 10)

    Example
    -------
    >>> import shapely
    >>> from gis.ground import layers
    >>> frame = gpd.GeoDataFrame({"code": [None]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4326)
    >>> found("missing_code", layers({"street": frame})[0], [0], frame.geometry)["row"].tolist()
    [0]
    """
    at = np.asarray(at)
    about = at >= 0
    values = {name: np.asarray(column).tolist() for name, column in columns.items()}
    nothing = [None] * len(at)
    frame = {
        "kind": [kind] * len(at),
        "severity": [KINDS[kind][0]] * len(at),
        "level": [layer.level] * len(at),
        "code": pd.Series(np.where(about, layer.codes[at], None), dtype=object),
        "other": pd.Series(values.pop("other", nothing), dtype=object),
        "row": np.where(about, layer.index[at].astype(object), None),
        "area_m2": np.array(values.pop("area_m2", nothing), dtype=float),
        "size_m": np.array(values.pop("size_m", nothing), dtype=float),
        "detail": [{name: column[i] for name, column in values.items()} for i in range(len(at))],
        "geometry": np.asarray(place, dtype=object),
    }
    return pd.DataFrame(frame, columns=COLUMNS)


def collected(parts: list[pd.DataFrame]) -> gpd.GeoDataFrame:
    """Return findings of all kinds as one frame in EPSG:4326, in the order found.

    Example
    -------
    >>> list(collected([]).columns) == list(COLUMNS)
    True
    """
    parts = [part for part in parts if len(part)]
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=WGS84)


def say(finding: Mapping) -> str:
    """Return a finding, one row of the frame, as an English sentence.

    Example
    -------
    >>> say({"kind": "missing_code", "row": 7, "detail": {}})
    'Row 7 has no code.'
    """
    return KINDS[finding["kind"]][1].format(**{**finding, **finding["detail"]})
