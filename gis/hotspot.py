"""Where counts cluster: Getis-Ord local statistics with analytic p and false discovery control."""

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, issparse
from scipy.special import ndtr

from gis.errors import BadInput

# Largest adjusted p of each class: 3 is significant at 99 %, 2 at 95 %, 1 at 90 %; the sign is that of z.
LEVELS: tuple[tuple[float, int], ...] = ((0.10, 1), (0.05, 2), (0.01, 3))


class MissingCount(BadInput):
    """Unit {unit} has no count; fill in 0 where nothing happened."""


class WeightsShape(BadInput):
    """The weights are {shape}; {units} units need a square matrix of that size."""


class WeightsNotBinary(BadInput):
    """The weights hold {value}; a pair of units is a neighbour (1) or not (0)."""


def getis_ord(counts: pd.Series, weights: csr_array, star: bool = True) -> pd.DataFrame:
    r"""Find units whose neighbourhood counts more, or less, than chance explains.

    .. math::

        z_i = \frac{\sum_j w_{ij} x_j - W_i \bar{x}}
                   {s \sqrt{(n W_i - W_i^2) / (n - 1)}}, \qquad W_i = \sum_j w_{ij}

    With ``star`` a unit is its own neighbour (Gi*) and :math:`\bar{x}, s, n` are those of all units;
    without it (Gi) they are those of all other units.

    Parameters
    ----------
    counts : pandas.Series, shape (N,)
        Incidents of each unit, or any other number: no unit of measure is assumed.
    weights : scipy.sparse array, shape (N, N)
        1 where two units are neighbours, in the order of `counts`; its diagonal is not read.
    star : bool
        Whether a unit is its own neighbour.

    Returns
    -------
    pandas.DataFrame, shape (N, 4), same index
        ``z``, the two-sided normal ``p``, ``q`` (p adjusted by Benjamini-Hochberg over the N units) and
        ``klass``: 3, 2, 1 hot at 99, 95, 90 % by q, -1, -2, -3 cold, 0 not significant.

    Raises
    ------
    MissingCount
        A count is missing or not finite.
    WeightsShape
        The matrix isn't N by N.
    WeightsNotBinary
        A weight is neither 0 nor 1.

    Notes
    -----
    Where the statistic has no variance z = 0 and p = 1: all counts equal, every unit a neighbour of i,
    or without ``star`` a unit alone (an island). With ``star`` an island's z is its own standard score.
    Neighbouring units share data, so their tests are dependent; Benjamini-Hochberg holds under the
    positive dependence that shared neighbours create.

    Source
    ------
    Getis & Ord (1992), The analysis of spatial association by use of distance statistics,
    Geographical Analysis 24(3). Ord & Getis (1995), Local spatial autocorrelation statistics,
    Geographical Analysis 27(4). Benjamini & Hochberg (1995), JRSS B 57(1).

    Examples
    --------
    Ten grids along a road, with trouble around the third:

    >>> road = csr_array(np.eye(10, k=1) + np.eye(10, k=-1))
    >>> counts = pd.Series([4, 30, 40, 30, 4, 3, 5, 4, 3, 4], index=list("abcdefghij"))
    >>> getis_ord(counts, road).round(3).loc[["c", "h"]]
           z      p      q  klass
    c  2.944  0.003  0.032      2
    h -1.242  0.214  0.306      0
    """
    from scipy.stats import false_discovery_control  # takes a second to load, which not every start should

    x, neighbours = _checked(counts, weights)
    own = neighbours.diagonal()
    # Centred on the mean, sums stay small and equal counts are exactly nothing.
    centred = x - x.mean() if len(x) and np.ptp(x) else np.zeros(len(x))
    lag = neighbours @ centred + (star - own) * centred
    links = neighbours @ np.ones(len(x)) + star - own
    n, mean, variance = _compared_with(centred, star)
    spread = np.sqrt(variance * np.maximum(links * (n - links), 0) / max(n - 1, 1))
    z = np.divide(lag - links * mean, spread, out=np.zeros(len(x)), where=spread > 0)
    p = 2 * ndtr(-np.abs(z))
    q = false_discovery_control(p) if len(p) else p
    return pd.DataFrame({"z": z, "p": p, "q": q, "klass": _klass(z, q)}, index=counts.index)


def method(weights: csr_array, star: bool = True) -> dict:
    """Say how the hotspots were computed, as data for the card beside the map.

    Parameters
    ----------
    weights : scipy.sparse array, shape (N, N)
        The neighbours given to `getis_ord`.
    star : bool
        Whether a unit was its own neighbour.

    Returns
    -------
    dict
        ``statistic``, ``weights``, ``units``, ``links`` (neighbour pairs), ``islands`` (units without a
        neighbour), ``alternative``, ``correction`` and ``alpha`` of the classes 1, 2, 3.

    Examples
    --------
    >>> method(csr_array(np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]])))["islands"]
    1
    """
    links = weights.sum(axis=1) - weights.diagonal()
    return {
        "statistic": "Gi*" if star else "Gi",
        "weights": "binary contiguity" + (" with self" if star else ""),
        "units": weights.shape[0],
        "links": int(links.sum()) // 2,
        "islands": int((links == 0).sum()),
        "alternative": "two-sided normal",
        "correction": "Benjamini-Hochberg",
        "alpha": [alpha for alpha, _ in LEVELS],
    }


def binary(weights: csr_array, units: int) -> csr_array:
    """Return weights as numbers if they say of each pair of units whether they are neighbours.

    Parameters
    ----------
    weights : scipy.sparse array, shape (N, N)
        0 or 1.
    units : int
        How many units there are.

    Returns
    -------
    csr_array, float, shape (N, N)

    Raises
    ------
    WeightsShape
        The matrix isn't N by N.
    WeightsNotBinary
        A weight is neither 0 nor 1.

    Examples
    --------
    >>> binary(csr_array(np.eye(2, k=1, dtype=int)), 2).dtype
    dtype('float64')
    """
    if not issparse(weights) or weights.shape != (units, units):
        raise WeightsShape(shape=" x ".join(map(str, np.shape(weights))), units=units)
    strange = weights.data[(weights.data != 0) & (weights.data != 1)]
    if len(strange):
        raise WeightsNotBinary(value=strange[0])
    return csr_array(weights, dtype=float)


def _checked(counts: pd.Series, weights: csr_array) -> tuple[np.ndarray, csr_array]:
    x = counts.to_numpy(dtype=float, na_value=np.nan)
    if len(bad := np.flatnonzero(~np.isfinite(x))):
        raise MissingCount(unit=counts.index[bad[0]])
    return x, binary(weights, len(x))


def _compared_with(centred: np.ndarray, star: bool) -> tuple[int, np.ndarray, np.ndarray]:
    """Number, mean and variance of the units each one is compared with: all, or all others."""
    left_out = np.zeros(len(centred)) if star else centred
    n = max(len(centred) - (not star), 1)
    squares = (centred**2).sum()
    mean = -left_out / n
    variance = (squares - left_out**2) / n - mean**2
    # What is left of equal numbers after rounding is not variance.
    return n, mean, np.where(variance > 1e-13 * squares, variance, 0)


def _klass(z: np.ndarray, q: np.ndarray) -> np.ndarray:
    strength = np.zeros(len(z), dtype=np.int8)
    for alpha, level in LEVELS:
        strength[q <= alpha] = level
    return (np.sign(z) * strength).astype(np.int8)
