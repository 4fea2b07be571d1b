"""What has just begun somewhere: the prospective space-time scan, which needs no more than cases."""

from collections.abc import Hashable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import csr_array, issparse

from gis.crs import to_metric
from gis.errors import BadInput
from gis.hotspot import WeightsShape

MOST_UNITS, SHARE, LONGEST, FEWEST, PERMUTATIONS, CLUSTERS = 50, 0.5, 7, 2, 999, 5
COLUMNS = ["units", "first", "last", "observed", "expected", "ratio", "llr", "p", "recurrence"]


class UnknownPlace(BadInput):
    """A case lies in {unit}, which is none of the units."""


class OutsidePeriods(BadInput):
    """A case lies in period {period}; periods run from 0 to {last}."""


class WindowTooLong(BadInput):
    """The longest window has {longest} of {periods} periods; it may have 1 to {most}."""


class NoRoom(BadInput):
    """A zone of {most_units} units, or of a share {share} of the cases, is none."""


@dataclass(frozen=True)
class Zones:
    """The zones a scan looks at: row i of `order` holds the units that zone i takes in turn, -1 when it ends."""

    units: pd.Index  #: labels, shape (N,)
    order: np.ndarray  #: int32, shape (N, most)


def zones(units: gpd.GeoDataFrame, weights: csr_array, most_units: int = MOST_UNITS) -> Zones:
    """Grow a nested family of connected zones around every unit.

    Parameters
    ----------
    units : GeoDataFrame, any declared CRS, shape (N,)
        Polygons or points.
    weights : scipy.sparse array, shape (N, N)
        Not 0 where two units touch, in the order of `units`; `gis.adjacency.matrix` makes it.
    most_units : int
        How many units a zone may have.

    Returns
    -------
    Zones

    Raises
    ------
    WeightsShape, NoRoom, MissingCrs

    Notes
    -----
    A zone takes, of all units that touch it, the one whose centroid is nearest to that of its first unit; of
    equally near ones that which stands first in the frame. So each zone is connected, as round as the ground
    allows, and goes around what nothing leads to. A unit without neighbours is a zone alone. Centroids are
    taken in the metric CRS of the frame.

    Source
    ------
    Nested sets by distance: Kulldorff (1997), A spatial scan statistic, Communications in Statistics 26(6).
    Connected ones: Assunção et al. (2006), Fast detection of arbitrarily shaped disease clusters, Statistics
    in Medicine 25(5).

    Examples
    --------
    >>> row = gpd.GeoDataFrame(geometry=[shapely.box(x, 0, x + 1, 1) for x in range(4)], crs=4547)
    >>> touching = csr_array(np.eye(4, k=1) + np.eye(4, k=-1))
    >>> zones(row, touching, 3).order.tolist()
    [[0, 1, 2], [1, 0, 2], [2, 1, 3], [3, 2, 1]]
    """
    from gis.scan_search import grow

    if not issparse(weights) or weights.shape != (len(units), len(units)):
        raise WeightsShape(shape=" x ".join(map(str, np.shape(weights))), units=len(units))
    if most_units < 1:
        raise NoRoom(most_units=most_units, share=SHARE)
    touching = csr_array(weights != 0)
    touching.sort_indices()
    places = shapely.centroid(to_metric(units.geometry).to_numpy())
    centre = np.ascontiguousarray(np.column_stack([shapely.get_x(places), shapely.get_y(places)]))
    order = np.empty((len(units), max(min(most_units, len(units)), 1)), np.int32)
    if len(units):
        grow(touching.indptr.astype(np.int32), touching.indices.astype(np.int32), centre, order)
    return Zones(units.index, order)


def prospective(
    zones: Zones,
    cases: pd.DataFrame,
    periods: int,
    *,
    longest: int = LONGEST,
    share: float = SHARE,
    fewest: int = FEWEST,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    most: int = CLUSTERS,
) -> pd.DataFrame:
    r"""Find zones that lately have more cases than their own share and the period's tempo explain.

    With :math:`C` cases in all, :math:`C_z` in a zone over all periods and :math:`C_w` in a window that ends
    with the last period, a zone expects :math:`\mu = C_z C_w / C` there. Where it has :math:`c > \mu`,

    .. math::

        GLR = \left(\frac{c}{\mu}\right)^{c} \left(\frac{C - c}{C - \mu}\right)^{C - c}

    Parameters
    ----------
    zones : Zones
    cases : DataFrame, shape (C,)
        ``unit``, a label of the zones' units, and ``period``, 0 … periods - 1, the last one the present.
    periods : int
        How many periods are looked back on; days, mostly.
    longest : int
        Of how many periods a window may be; at most half of them.
    share : float
        Which share of all cases a zone may hold, 0 … 1.
    fewest : int
        With how many cases a cluster begins.
    permutations : int
        How often the times are dealt anew among the cases.
    seed : int
        The same seed, cases and zones give the same numbers.
    most : int
        How many clusters are looked for; no two have a unit in common.

    Returns
    -------
    DataFrame, the likeliest cluster first, at most `most` rows
        ``units`` (labels, the centre first), ``first`` and ``last`` (periods of the window), ``observed``,
        ``expected``, ``ratio`` of both, ``llr`` (natural logarithm of the GLR), ``p`` and ``recurrence``
        (in periods).

    Raises
    ------
    UnknownPlace, OutsidePeriods, WindowTooLong, NoRoom

    Notes
    -----
    Permuting the times among the cases keeps the number of each unit and of each period: what is always so
    somewhere, and what is so everywhere at that time, raises no alarm. p is the rank of a cluster's ratio
    among the largest ratios of all permutations and its own, so it holds for the whole search at once;
    secondary clusters are measured by the same ranks and are on the safe side. With one scan a period, chance
    alone brings a cluster as strong about once in :math:`1 / p` periods: the recurrence interval. Its largest
    value is permutations + 1. Where too little has happened there is no row.

    Source
    ------
    Kulldorff, Heffernan, Hartman, Assunção & Mostashari (2005), A space-time permutation scan statistic for
    disease outbreak detection, PLoS Medicine 2(3). Recurrence interval: Kleinman, Lazarus & Platt (2004),
    American Journal of Epidemiology 159(3).

    Examples
    --------
    A row of 6 grids over 10 days; on the last day the grids c and d burn:

    >>> row = gpd.GeoDataFrame(geometry=[shapely.Point(x, 0) for x in range(6)], index=list("abcdef"), crs=4547)
    >>> touching = csr_array(np.eye(6, k=1) + np.eye(6, k=-1))
    >>> daily = [(unit, day) for day in range(10) for unit in "abcdef"]
    >>> cases = pd.DataFrame(daily + [("c", 9)] * 9 + [("d", 9)] * 9, columns=["unit", "period"])
    >>> found = prospective(zones(row, touching), cases, 10, longest=3, permutations=99)
    >>> found.loc[0, ["units", "first", "observed", "p"]].astype(str).tolist()
    ["('d', 'c')", '9', '20', '0.02']
    """
    unit, age = _checked(zones, cases, periods, longest, share)
    search = _Search(zones, unit, longest, int(share * len(cases)), fewest, age)
    found = search.clusters(age, most)
    if not found:
        return pd.DataFrame(columns=COLUMNS)
    chance = np.random.default_rng(seed)
    drawn = np.array([search.best(chance.permutation(age))[0] for _ in range(permutations)])
    rows = [_row(zones, unit, age, periods, cluster, drawn) for cluster in found]
    return pd.DataFrame(rows, columns=COLUMNS)


def _checked(
    zones: Zones, cases: pd.DataFrame, periods: int, longest: int, share: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the row of each case's unit, and how many periods ago it was."""
    if not 1 <= longest <= periods // 2:
        raise WindowTooLong(longest=longest, periods=periods, most=periods // 2)
    if not 0 < share <= 1:
        raise NoRoom(most_units=zones.order.shape[1], share=share)
    unit = zones.units.get_indexer(cases["unit"])
    if (unit < 0).any():
        raise UnknownPlace(unit=cases["unit"].iloc[int(np.argmax(unit < 0))])
    period = cases["period"].to_numpy(dtype=np.int64)
    if len(strange := period[(period < 0) | (period >= periods)]):
        raise OutsidePeriods(period=strange[0], last=periods - 1)
    return unit.astype(np.int64), periods - 1 - period


Cluster = tuple[float, int, int, int]  # log of the ratio, zone, its size, length of the window


class _Search:
    """What all searches of one scan share: the margins, which permutations leave as they are."""

    def __init__(
        self, zones: Zones, unit: np.ndarray, longest: int, limit: int, fewest: int, age: np.ndarray
    ) -> None:
        from gis.scan_search import strongest

        self.order, self.unit, self.fewest, cases = zones.order, unit, fewest, len(unit)
        self.total = np.bincount(unit, minlength=len(zones.units)).astype(np.int64)
        self.window = np.bincount(age, minlength=longest)[:longest].cumsum().astype(np.int64)
        self.log = np.log(np.maximum(np.arange(cases + 1), 1))
        outside = cases - np.outer(np.arange(limit + 1), self.window) / max(cases, 1)
        self.outside = np.log(np.maximum(outside, np.finfo(float).tiny))
        self.recent = np.empty((len(zones.units), longest), np.int64)
        self.taken = np.zeros(len(zones.units), bool)
        self.strongest = strongest

    def best(self, age: np.ndarray, taken: np.ndarray | None = None) -> Cluster:
        """The strongest cluster for these ages of the cases."""
        return self.strongest(
            self.order, self.unit, age, self.total, self.window, self.log, self.outside, self.fewest,
            self.recent, self.taken if taken is None else taken,
        )  # fmt: skip

    def clusters(self, age: np.ndarray, most: int) -> list[Cluster]:
        """The strongest clusters that have no unit in common."""
        found, taken = [], self.taken.copy()
        while len(self.unit) and len(found) < most:
            cluster = self.best(age, taken)
            if cluster[1] < 0:
                break
            found.append(cluster)
            taken[self.order[cluster[1], : cluster[2]]] = True
        return found


def _row(
    zones: Zones, unit: np.ndarray, age: np.ndarray, periods: int, cluster: Cluster, drawn: np.ndarray
) -> tuple[tuple[Hashable, ...], int, int, int, float, float, float, float, float]:
    llr, zone, size, length = cluster
    members = zones.order[zone, :size]
    inside, lately = np.isin(unit, members), age < length
    observed, expected = int((inside & lately).sum()), inside.sum() * lately.sum() / len(unit)
    # What differs by rounding alone is as strong.
    p = (1 + int((drawn >= llr - 1e-9).sum())) / (1 + len(drawn))
    labels = tuple(zones.units[members])
    return labels, periods - length, periods - 1, observed, expected, observed / expected, llr, p, 1 / p


def method(zones: Zones, cases: int, periods: int, **settings: object) -> dict:
    """Say how a scan was done, as data for the card beside it.

    Parameters
    ----------
    zones : Zones
    cases : int
        How many cases there were.
    periods : int
        How many periods they lie in.
    settings
        As given to `prospective`: ``longest``, ``share``, ``fewest``, ``permutations``, ``seed``.

    Returns
    -------
    dict
        ``statistic``, ``weights``, ``units``, ``most_units``, ``cases``, ``periods``, and the settings, each
        with its usual value if it was not given.

    Examples
    --------
    >>> method(Zones(pd.Index(["a"]), np.array([[0]], np.int32)), 12, 30, seed=7)["permutations"]
    999
    """
    usual = {
        "longest": LONGEST, "share": SHARE, "fewest": FEWEST, "permutations": PERMUTATIONS, "seed": 0,
    }  # fmt: skip
    return {
        "statistic": "space-time permutation scan",
        "weights": "connected zones over common edges, nearest centroid first",
        "units": len(zones.units),
        "most_units": zones.order.shape[1],
        "cases": cases,
        "periods": periods,
    } | {name: settings.get(name, value) for name, value in usual.items()}
