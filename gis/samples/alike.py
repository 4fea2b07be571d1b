"""Numbers that come out alike on every CPU, to the last bit.

IEEE 754 leaves one result for +, −, ×, ÷ and √. It leaves several for sines, powers, `hypot` and products of
matrices: numpy, its BLAS, the C library and PROJ each hold variants for several generations of CPUs that
round differently. A plan is thousands of decisions that follow from each other, so that one last bit can
draw another district. Hence this package calculates with the five operations only, on numbers drawn here;
where another library's rounding enters all the same, it is rounded away at once, with a word on why.
"""

import numpy as np


class Chance(np.random.Generator):
    """numpy's generator with its real numbers made of whole ones, which are alike everywhere.

    Examples
    --------
    >>> rng = Chance(np.random.PCG64(1))
    >>> bool(2.0 <= rng.uniform(2.0, 5.0) < 5.0), rng.normal(size=(3, 2)).shape
    (True, (3, 2))
    >>> round(float(rng.normal(7.0, 2.0, 100_000).std()), 1)
    2.0
    """

    def uniform(self, low=0.0, high=1.0, size=None):
        """Evenly between `low` and `high`."""
        return low + (high - low) * self.random(size)

    def normal(self, loc=0.0, scale=1.0, size=()):
        """By the bell curve but for its far tails: twelve even chances added up, within 6 `scale` of `loc`."""
        parts = self.integers(2**32, size=(12, *np.broadcast_shapes(size)))
        return loc + scale * (parts.sum(axis=0) / 2**32 - 6.0)


def sine(turns):
    """Sine of an angle given in whole turns, right to 11 decimals.

    Parameters
    ----------
    turns : float or numpy.ndarray
        1 is 360°.

    Returns
    -------
    float or numpy.ndarray, same shape
        From -1 to 1.

    Examples
    --------
    >>> [round(float(sine(t)), 9) for t in (0.0, 0.25, -1.25, 1 / 12)]
    [0.0, 1.0, -1.0, 0.5]
    >>> angle = np.linspace(-3, 3, 1000)
    >>> bool(np.abs(sine(angle) - np.sin(2 * np.pi * angle)).max() < 1e-11)
    True
    """
    turns = turns - np.rint(turns)
    x = 2 * np.pi * np.copysign(0.25 - np.abs(np.abs(turns) - 0.25), turns)
    series = 1.0
    for n in range(14, 0, -2):
        series = 1.0 - series * x * x / (n * (n + 1))
    return x * series


def facing(turns):
    """Unit vectors that many turns from east, counter-clockwise.

    Parameters
    ----------
    turns : numpy.ndarray, shape (n,)
        1 is 360°.

    Returns
    -------
    numpy.ndarray, shape (n, 2)

    Examples
    --------
    >>> facing(np.array([0.0, 0.25])).round(9) + 0.0
    array([[1., 0.],
           [0., 1.]])
    """
    return np.column_stack([sine(turns + 0.25), sine(turns)])


def length(vectors):
    """Lengths of plane vectors.

    Parameters
    ----------
    vectors : numpy.ndarray, shape (..., 2)

    Returns
    -------
    numpy.ndarray, shape (...)
        In their unit.

    Examples
    --------
    >>> length(np.array([[3.0, 4.0]]))
    array([5.])
    """
    x, y = vectors[..., 0], vectors[..., 1]
    return np.sqrt(x * x + y * y)
