"""How compact areas are, by the three measures that redistricting prints."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.crs import metric_crs, to_metric


def compactness(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the compactness of each area by three measures, each 1 for a circle or a convex shape.

    polsby_popper = 4 π area / perimeter²; reock = area / area of the smallest circle around it;
    hull = area / area of its convex hull.

    Parameters
    ----------
    frame : GeoDataFrame of polygons, any declared CRS, shape (n,)

    Returns
    -------
    DataFrame with columns polsby_popper, reock, hull, floats in (0, 1], shape (n, 3), same index

    Raises
    ------
    MissingCrs

    Notes
    -----
    Measured in metres in the UTM zone of the frame. Empty outlines have no measure: NaN.

    Source
    ------
    D. D. Polsby and R. D. Popper, "The Third Criterion", Yale Law & Policy Review 9 (1991).
    E. C. Reock, "Measuring Compactness as a Requirement of Legislative Apportionment", Midwest Journal of
    Political Science 5 (1961).

    Example
    -------
    >>> square = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 100, 100)], crs=32650)
    >>> compactness(square).round(3).loc[0].to_dict()
    {'polsby_popper': 0.785, 'reock': 0.637, 'hull': 1.0}
    """
    ground = to_metric(frame.geometry, metric_crs(frame)).array
    area = shapely.area(ground)
    area = np.where(area > 0, area, np.nan)
    around = np.pi * shapely.minimum_bounding_radius(ground) ** 2
    measures = {
        "polsby_popper": 4 * np.pi * area / shapely.length(ground) ** 2,
        "reock": area / around,
        "hull": area / shapely.area(shapely.convex_hull(ground)),
    }
    return pd.DataFrame(measures, index=frame.index)
