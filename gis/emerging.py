"""How hot spots come and go: Gi* over units and periods, its trend, and the 17 classes of emerging hot spots."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, eye_array
from scipy.special import ndtr, ndtri

from gis.errors import BadInput
from gis.hotspot import MissingCount, binary

LEAST = 10  # periods: below, "90 % of the periods" means all of them
ALPHA = 0.05  # of a hot or cold step after adjustment, and of a trend


class TooFewPeriods(BadInput):
    """{given} periods are too few to tell how hot spots come and go; {needed} are needed."""


@dataclass(frozen=True)
class Emerging:
    """What became of every unit: its class, and the steps that the class was read from."""

    units: pd.DataFrame  #: klass, hot and cold (numbers of steps), last (z), trend (Mann-Kendall z) and its p
    z: pd.DataFrame  #: Gi* z, a row for each unit, a column for each period
    steps: pd.DataFrame  #: 1 hot, -1 cold, 0 neither, in the same shape


@dataclass(frozen=True)
class _Course:
    """The steps of units seen from one side: from that of cold, hot is cold and falling is rising."""

    steps: np.ndarray  # (N, T): 1, 0, -1
    trend: np.ndarray  # (N,): 1 rising, -1 falling, 0 neither

    @cached_property
    def number(self) -> np.ndarray:
        return (self.steps > 0).sum(axis=1)

    @cached_property
    def last(self) -> np.ndarray:
        return self.steps[:, -1] > 0

    @cached_property
    def mostly(self) -> np.ndarray:
        return 10 * self.number >= 9 * self.steps.shape[1]

    @cached_property
    def run(self) -> np.ndarray:
        """Length of the unbroken run of hot steps at the end."""
        return np.logical_and.accumulate(self.steps[:, ::-1] > 0, axis=1).sum(axis=1)

    @cached_property
    def opposite(self) -> np.ndarray:
        return (self.steps < 0).any(axis=1)

    def mirrored(self) -> "_Course":
        return _Course(-self.steps, -self.trend)


# Of the patterns that fit, the first one holds; in their order, since the last step speaks before the past.
PATTERNS: dict[str, Callable[[_Course], np.ndarray]] = {
    "new": lambda of: of.last & (of.number == 1),
    "consecutive": lambda of: of.last & (of.run == of.number) & (of.run > 1) & ~of.mostly,
    "intensifying": lambda of: of.last & of.mostly & (of.trend > 0),
    "persistent": lambda of: of.last & of.mostly & (of.trend == 0),
    "diminishing": lambda of: of.last & of.mostly & (of.trend < 0),
    "sporadic": lambda of: of.last & ~of.mostly & ~of.opposite,
    "oscillating": lambda of: of.last & ~of.mostly & of.opposite,
    "historical": lambda of: ~of.last & of.mostly,
}
SIDES = {"hot": 1, "cold": -1}
NONE = "none"
CLASSES = (*(f"{pattern}_{side}" for side in SIDES for pattern in PATTERNS), NONE)
"""The names of the 17 classes: new_hot … historical_hot, new_cold … historical_cold, none."""


def classify(steps: np.ndarray, trend: np.ndarray) -> np.ndarray:
    """Name the class of every unit from its steps and its trend.

    Parameters
    ----------
    steps : array of int, shape (N, T), T > 0
        1 where a unit was hot in a period, -1 cold, 0 neither.
    trend : array of int, shape (N,)
        1 where the unit's Gi* rises significantly over the periods, -1 falls, 0 neither.

    Returns
    -------
    array of str, shape (N,)
        One of `CLASSES`.

    Notes
    -----
    With hot for its sign: *new*: hot in the last step only. *consecutive*: one unbroken run of two or more
    hot steps at the end, none before, under 90 %. *intensifying*, *persistent*, *diminishing*: hot in at
    least 90 % of the steps and in the last, with rising, no, falling trend. *sporadic*: hot in the last step
    and on and off before, under 90 %, never cold. *oscillating*: the same, but cold at some step.
    *historical*: at least 90 % hot, the last not. Where two fit, such as after nine hot steps one cold one
    (new cold, historical hot), the one named first holds: the last step speaks before the past. A mirrored
    series is of the mirrored class.

    Source
    ------
    The class definitions of the space-time cube method: Esri, "How Emerging Hot Spot Analysis works".

    Examples
    --------
    >>> classify(np.array([[0, 0, 0, 1], [1, 0, 0, 1], [-1, 0, -1, -1], [0, 0, 0, 0]]), np.zeros(4)).tolist()
    ['new_hot', 'sporadic_hot', 'sporadic_cold', 'none']
    """
    hot = _Course(np.asarray(steps), np.asarray(trend))
    seen = {"hot": hot, "cold": hot.mirrored()}
    fits = {f"{name}_{side}": fit(seen[side]) for name, fit in PATTERNS.items() for side in SIDES}
    return np.select(list(fits.values()), list(fits), default=NONE)


def space_time_gi(counts: pd.DataFrame, weights: csr_array, back: int = 1) -> pd.DataFrame:
    r"""Compare every unit and period, with its neighbours in space and time, with all of them.

    .. math::

        z_{it} = \frac{\sum_{j \in N_i} \sum_{s = t - b}^{t} (x_{js} - \bar{x})}
                      {s \sqrt{(n W_{it} - W_{it}^2) / (n - 1)}}, \qquad n = N T

    :math:`N_i` are the unit and its neighbours, :math:`b` the periods looked back, :math:`W_{it}` the
    number of cells summed; mean and deviation are those of all units in all periods.

    Parameters
    ----------
    counts : pandas.DataFrame, shape (N, T)
        Incidents of each unit (row) in each period (column, in order), or any other number.
    weights : scipy.sparse array, shape (N, N)
        1 where two units are neighbours, in the order of the rows; its diagonal is not read.
    back : int
        How many periods before its own belong to a cell's neighbourhood.

    Returns
    -------
    pandas.DataFrame, shape (N, T), same index and columns

    Raises
    ------
    MissingCount
        A count is missing or not finite.
    WeightsShape, WeightsNotBinary
        As for `gis.hotspot.getis_ord`.

    Notes
    -----
    z is 0 where all counts are equal. The first periods have fewer before them and are compared by what
    they have. An island has itself, now and before.

    Source
    ------
    Ord & Getis (1995), Local spatial autocorrelation statistics, Geographical Analysis 27(4), over the
    neighbourhoods of a space-time cube: Esri, "How Emerging Hot Spot Analysis works".

    Examples
    --------
    >>> road = csr_array(np.eye(3, k=1) + np.eye(3, k=-1))
    >>> counts = pd.DataFrame([[0, 0, 9], [0, 0, 9], [0, 0, 0]])
    >>> space_time_gi(counts, road).round(2).iloc[0].tolist()
    [-0.81, -1.35, 1.69]
    """
    x = counts.to_numpy(dtype=float, na_value=np.nan)
    if len(bad := np.argwhere(~np.isfinite(x))):
        raise MissingCount(unit=counts.index[bad[0, 0]])
    near = _with_self(binary(weights, len(x)))
    n, periods = x.size, x.shape[1]
    centred = x - x.mean() if n and np.ptp(x) else np.zeros(x.shape)
    lag = _looked_back(near @ centred, back)
    links = np.outer(near.sum(axis=1), np.minimum(np.arange(periods), back) + 1)
    variance = (centred**2).sum() / max(n, 1)
    spread = np.sqrt(variance * np.maximum(links * (n - links), 0) / max(n - 1, 1))
    z = np.divide(lag, spread, out=np.zeros(x.shape), where=spread > 0)
    return pd.DataFrame(z, index=counts.index, columns=counts.columns)


def mann_kendall(series: pd.DataFrame) -> pd.DataFrame:
    """Test whether the numbers of each row go up or down.

    Parameters
    ----------
    series : pandas.DataFrame, shape (N, T)
        One series a row, its values in the order of time; no unit of measure is assumed.

    Returns
    -------
    pandas.DataFrame, shape (N, 3), same index
        ``s`` (later values above earlier ones less those below), ``z`` and the two-sided normal ``p``.

    Notes
    -----
    The variance is corrected for ties; a series of equal values has z = 0 and p = 1. Values that lean on
    those before them, as Gi* with periods looked back do, make p too small: read a trend as description.

    Source
    ------
    Mann (1945), Nonparametric tests against trend, Econometrica 13. Kendall (1975), Rank Correlation
    Methods. Numbers as in pymannkendall: Hussain & Mahmud (2019), JOSS 4(39).

    Examples
    --------
    >>> mann_kendall(pd.DataFrame([[1, 2, 3, 4, 5], [2, 2, 2, 2, 2]])).round(3).values.tolist()
    [[10.0, 2.205, 0.027], [0.0, 0.0, 1.0]]
    """
    x = series.to_numpy(dtype=float)
    length = x.shape[1]
    s, equal = np.zeros(len(x)), np.zeros(x.shape)
    for n in range(length - 1):
        later, now = x[:, n + 1 :], x[:, n : n + 1]
        s += (later > now).sum(axis=1) - (later < now).sum(axis=1)
        same = later == now
        equal[:, n] += same.sum(axis=1)
        equal[:, n + 1 :] += same
    # Over each of its t equal values, (t - 1)(2t + 5) adds up to t(t - 1)(2t + 5).
    ties = (equal * (2 * equal + 7)).sum(axis=1)
    variance = (length * (length - 1) * (2 * length + 5) - ties) / 18
    z = np.divide(s - np.sign(s), np.sqrt(variance), out=np.zeros(len(x)), where=s != 0)
    return pd.DataFrame({"s": s, "z": z, "p": 2 * ndtr(-np.abs(z))}, index=series.index)


def emerging(counts: pd.DataFrame, weights: csr_array, back: int = 1, alpha: float = ALPHA) -> Emerging:
    """Tell of every unit how hot or cold it became over the periods.

    Parameters
    ----------
    counts, weights, back
        As for `space_time_gi`.
    alpha : float
        Of a step, after Benjamini-Hochberg over all units and periods; and of a trend, two-sided.

    Returns
    -------
    Emerging
        Its frames have the index of `counts`; `units.klass` is one of `CLASSES`.

    Raises
    ------
    TooFewPeriods
        There are fewer than `LEAST` periods.
    MissingCount, WeightsShape, WeightsNotBinary
        As for `space_time_gi`.

    Source
    ------
    Esri, "How Emerging Hot Spot Analysis works"; Getis & Ord (1992); Benjamini & Hochberg (1995), JRSS B 57.

    Examples
    --------
    >>> road = csr_array(np.eye(20, k=1) + np.eye(20, k=-1))
    >>> counts = pd.DataFrame(np.ones((20, 12)))
    >>> counts.iloc[4:6, -1] = 30
    >>> emerging(counts, road, back=0).units["klass"].iloc[[4, 15]].tolist()
    ['new_hot', 'none']
    """
    from scipy.stats import false_discovery_control  # takes a second to load, which not every start should

    if counts.shape[1] < LEAST:
        raise TooFewPeriods(given=counts.shape[1], needed=LEAST)
    z = space_time_gi(counts, weights, back)
    values = z.to_numpy()
    p = 2 * ndtr(-np.abs(values))
    q = false_discovery_control(p.ravel()).reshape(p.shape) if p.size else p
    steps = np.where(q <= alpha, np.sign(values), 0).astype(np.int8)
    trend = mann_kendall(z)
    way = np.where(np.abs(trend["z"]) > ndtri(1 - alpha / 2), np.sign(trend["z"]), 0)
    units = {
        "klass": classify(steps, way), "hot": (steps > 0).sum(axis=1), "cold": (steps < 0).sum(axis=1),
        "last": values[:, -1], "trend": trend["z"], "p": trend["p"],
    }  # fmt: skip
    frame = pd.DataFrame(units, index=counts.index)
    return Emerging(frame, z, pd.DataFrame(steps, index=counts.index, columns=counts.columns))


def _with_self(weights: csr_array) -> csr_array:
    own = weights.diagonal()
    return csr_array(weights + eye_array(len(own), format="csr").multiply(1 - own[:, None])).tocsr()


def _looked_back(values: np.ndarray, back: int) -> np.ndarray:
    """Add to each column those before it, as many as are looked back."""
    found = values.copy()
    for n in range(1, min(back, values.shape[1] - 1) + 1):
        found[:, n:] += values[:, :-n]
    return found
