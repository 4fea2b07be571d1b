"""Rates of small numbers: raw, pulled towards the whole district, pulled towards the neighbourhood."""

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, eye_array

from gis.errors import BadInput
from gis.hotspot import MissingCount, binary


class BaseBelowZero(BadInput):
    """The base of unit {unit} is {value}; it must not lie below 0."""


def rates(events: pd.Series, base: pd.Series, weights: csr_array, minimum: float = 0.0) -> pd.DataFrame:
    """Set events against their base, with what chance makes of small bases taken out.

    Parameters
    ----------
    events : pandas.Series, shape (N,)
        Incidents of each unit.
    base : pandas.Series, shape (N,), same index
        What they are set against, in any unit of measure: households, km², patrol hours; missing where it
        is not known.
    weights : scipy.sparse array, shape (N, N)
        1 where two units are neighbours.
    minimum : float
        Below this base a unit has too little of it to say anything, in the unit of `base`.

    Returns
    -------
    pandas.DataFrame, shape (N, 6), same index
        ``rate`` (events ÷ base), ``smoothed`` (towards all units), ``nearby`` (towards the neighbourhood),
        ``few`` (the base is below the minimum, or 0), ``by_count`` and ``by_rate``: ranks from 1, the largest
        first; the latter of ``smoothed``, missing where the base is too small or not known.

    Raises
    ------
    MissingCount
        A number of events is missing or not finite.
    BaseBelowZero
        A base is negative.
    WeightsShape, WeightsNotBinary
        As for `gis.hotspot.getis_ord`.

    Notes
    -----
    Units without a base take no part in the means. Equal numbers share the best of their ranks.

    Source
    ------
    Marshall (1991), Mapping disease and mortality rates using empirical Bayes estimators, JRSS C 40(2).

    Examples
    --------
    >>> pair = csr_array(np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]]))
    >>> found = rates(pd.Series([1, 30, 20]), pd.Series([2.0, 300.0, 100.0]), pair, minimum=30)
    >>> found["rate"].round(2).tolist(), found["few"].tolist()
    ([0.5, 0.1, 0.2], [True, False, False])
    >>> found["by_count"].tolist(), found["by_rate"].tolist()
    ([3, 1, 2], [<NA>, 2, 1])
    """
    x, b = _checked(events, base)
    near = binary(weights, len(x))
    known = b > 0
    rate = np.divide(x, b, out=np.full(len(x), np.nan), where=known)
    smoothed = _towards_all(np.where(known, x, 0), np.where(known, b, 0), rate)
    nearby = _towards_near(np.where(known, x, 0), np.where(known, b, 0), rate, near)
    few = (b < minimum) | (b == 0)
    by_rate = pd.Series(np.where(few, np.nan, smoothed), index=events.index)
    return pd.DataFrame(
        {
            "rate": rate, "smoothed": smoothed, "nearby": nearby, "few": few,
            "by_count": _ranks(events), "by_rate": _ranks(by_rate),
        },
        index=events.index,
    )  # fmt: skip


def _checked(events: pd.Series, base: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    x = events.to_numpy(dtype=float, na_value=np.nan)
    b = base.reindex(events.index).to_numpy(dtype=float, na_value=np.nan)
    if len(bad := np.flatnonzero(~np.isfinite(x))):
        raise MissingCount(unit=events.index[bad[0]])
    if len(bad := np.flatnonzero(b < 0)):
        raise BaseBelowZero(unit=events.index[bad[0]], value=b[bad[0]])
    return x, b


def _towards_all(x: np.ndarray, b: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """Pull each rate towards that of all units, the more the smaller its base is."""
    units, total = np.count_nonzero(b), b.sum()
    if not units:
        return rate
    mean = x.sum() / total
    spread = np.nansum(b * (rate - mean) ** 2) / total - mean / (total / units)
    return _shrunk(rate, mean, b, max(spread, 0))


def _towards_near(x: np.ndarray, b: np.ndarray, rate: np.ndarray, weights: csr_array) -> np.ndarray:
    """Pull each rate towards that of its unit and neighbours together."""
    near = csr_array(weights + eye_array(len(x)) - _own(weights))
    total, units = near @ b, near @ (b > 0).astype(float)
    safe = np.where(total > 0, total, 1)
    mean = near @ x / safe
    squares = near @ (b * np.nan_to_num(rate) ** 2)
    spread = (squares - mean**2 * total) / safe - mean * units / safe
    return _shrunk(rate, mean, b, np.maximum(spread, 0))


def _own(weights: csr_array) -> csr_array:
    return csr_array(eye_array(weights.shape[0], format="csr").multiply(weights.diagonal()[:, None]))


def _shrunk(rate, mean, b, spread):
    noise = np.divide(mean, b, out=np.full(len(rate), np.inf), where=b > 0)
    whole = spread + noise
    weight = np.divide(spread, whole, out=np.zeros(len(rate)), where=(whole > 0) & np.isfinite(whole))
    return mean + weight * (rate - mean)


def _ranks(values: pd.Series) -> pd.Series:
    return values.rank(ascending=False, method="min").astype("Int64")
