"""How densely incidents lie: a kernel over each, added up on a raster in metres, and bands to draw."""

from dataclasses import dataclass
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from contourpy import FillType, contour_generator

from gis.crs import STORAGE, metric_crs
from gis.errors import BadInput

MOST_CELLS = 4_000_000
KM2 = 1e6  # square metres


class BadBandwidth(BadInput):
    """The bandwidth is {value} m; it must be above 0."""


class RasterTooFine(BadInput):
    """Cells of {cell} m make {cells} cells of this district; at most {most} are computed."""


@dataclass(frozen=True)
class Density:
    """Incidents per km² at the middles of square cells."""

    values: np.ndarray  #: (rows, columns), from south to north and west to east
    x: np.ndarray  #: (columns,) metres, middles of the cells
    y: np.ndarray  #: (rows,) metres
    crs: pyproj.CRS  #: of x and y, in metres
    cell_m: float
    bandwidth_m: float


def kernel_density(lon, lat, bandwidth_m: float, cell_m: float | None = None, numbers=None) -> Density | None:
    r"""Add up a quartic kernel over every incident.

    .. math::

        f(p) = \sum_i \frac{3}{\pi h^2} \Bigl(1 - \frac{d_i^2}{h^2}\Bigr)^2, \; d_i < h

    Parameters
    ----------
    lon, lat : array_like, degrees, EPSG:4326, shape (n,)
    bandwidth_m : float
        h in metres: how far an incident reaches.
    cell_m : float, optional
        Side of a cell in metres; a fifth of the bandwidth if not given.
    numbers : array_like, optional, shape (n,)
        How many incidents lie at each place; one if not given.

    Returns
    -------
    Density or None
        None where there is no incident. Cells reach one kernel beyond the outermost incidents, so that all
        of them lie inside: the values over the area add up to n.

    Raises
    ------
    BadBandwidth
    RasterTooFine
        The raster would have more than `MOST_CELLS` cells.

    Notes
    -----
    Distances are taken in the metric CRS of the incidents (`gis.crs.metric_crs`). An incident counts at the
    middle of its cell, so a place is off by half a cell at most. The time depends on cells, not incidents.

    Source
    ------
    Silverman (1986), Density Estimation for Statistics and Data Analysis, section 4.2, by convolution.

    Examples
    --------
    >>> found = kernel_density([120.0], [30.0], bandwidth_m=300)
    >>> found.values.shape, round(float(found.values.sum() * found.cell_m**2 / 1e6), 6)
    ((13, 13), 1.0)
    """
    from scipy.signal import fftconvolve  # takes a second to load, which not every start should

    cell = bandwidth_m / 5 if cell_m is None else cell_m
    if not (np.isfinite(bandwidth_m) and bandwidth_m > 0 and np.isfinite(cell) and cell > 0):
        raise BadBandwidth(value=bandwidth_m)
    if not len(lon):
        return None
    points = gpd.GeoSeries(shapely.points(lon, lat), crs=STORAGE)
    crs = metric_crs(points)
    xy = shapely.get_coordinates(points.to_crs(crs).array)
    radius = int(np.ceil(bandwidth_m / cell))
    low = np.floor(xy.min(axis=0) / cell)
    size = (np.floor(xy.max(axis=0) / cell) - low).astype(int) + 2 * radius + 3
    if size.prod() > MOST_CELLS:
        raise RasterTooFine(cell=round(cell, 1), cells=int(size.prod()), most=MOST_CELLS)
    column, row = ((np.floor(xy / cell) - low).astype(int) + radius + 1).T
    counts = np.bincount(row * size[0] + column, numbers, size.prod()).reshape(size[::-1]).astype(float)
    values = fftconvolve(counts, _kernel(radius, cell, bandwidth_m), mode="same")
    x, y = ((low[axis] + np.arange(size[axis]) - radius - 0.5) * cell for axis in (0, 1))
    return Density(np.maximum(values, 0) * KM2, x, y, crs, cell, bandwidth_m)


def bands(density: Density, most: int = 5) -> gpd.GeoDataFrame:
    """Draw the areas between even steps of a density.

    Parameters
    ----------
    density : Density
    most : int
        How many bands; the lowest begins at one step, below which nothing is drawn.

    Returns
    -------
    GeoDataFrame, shape (k,), k ≤ `most`, EPSG:4326
        ``klass`` (1 the lowest), ``low`` and ``high`` (incidents per km², the highest open: its maximum),
        and MultiPolygons that do not overlap.

    Examples
    --------
    >>> found = bands(kernel_density([120.0] * 4, [30.0] * 4, bandwidth_m=300))
    >>> found["klass"].tolist(), round(float(found["high"].iloc[-1]), 1)
    ([1, 2, 3, 4, 5], 42.4)
    """
    top = float(density.values.max())
    steps = np.linspace(0, top, most + 2)[1:]
    lines = contour_generator(density.x, density.y, density.values, fill_type=FillType.OuterOffset)
    rows = []
    for klass, (low, high) in enumerate(pairwise(steps), start=1):
        # The highest band holds the maximum itself.
        points, offsets = lines.filled(low, high if klass < most else top * 2)
        # To the millimetre, so that the edge two bands share has the same corners in both.
        shape = _polygons([corners.round(3) for corners in points], offsets)
        if not shape.is_empty:
            rows.append((klass, low, high, shape))
    columns = ["klass", "low", "high", "geometry"]
    drawn = gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry="geometry", crs=density.crs)
    # Corners within half a cell are the raster's, not the district's; shared edges stay shared.
    shapes = shapely.coverage_simplify(drawn.geometry.to_numpy(), density.cell_m / 2)
    return drawn.set_geometry(gpd.GeoSeries(shapes, index=drawn.index, crs=density.crs)).to_crs(STORAGE)


def _kernel(radius: int, cell: float, bandwidth: float) -> np.ndarray:
    """The kernel on the cells around one, its sum over their area 1 whatever the raster makes of it."""
    steps = np.arange(-radius, radius + 1) * cell / bandwidth
    squares = steps[:, None] ** 2 + steps**2
    shape = np.maximum(1 - squares, 0) ** 2
    return shape / (shape.sum() * cell**2)


def _polygons(points: list[np.ndarray], offsets: list[np.ndarray]) -> shapely.MultiPolygon:
    found = []
    for corners, starts in zip(points, offsets, strict=True):
        outer, *holes = (corners[a:b] for a, b in pairwise(starts))
        found.append(shapely.Polygon(outer, holes))
    made = shapely.make_valid(shapely.MultiPolygon(found)) if found else shapely.MultiPolygon()
    parts = shapely.get_parts(made)
    return shapely.MultiPolygon([p for p in shapely.get_parts(parts) if p.geom_type == "Polygon"])
