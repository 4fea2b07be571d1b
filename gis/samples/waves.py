"""Smooth chance: sums of plane waves, the one source of everything that changes slowly over a city."""

from typing import NamedTuple

import numpy as np

from gis.samples.alike import facing, sine


class Waves(NamedTuple):
    """Plane waves: wave vectors (turns per metre), directions, heights (metres) and phases (turns)."""

    vectors: np.ndarray
    directions: np.ndarray
    heights: np.ndarray
    phases: np.ndarray


def waves(table, rng: np.random.Generator) -> Waves:
    """Two waves in chance directions for each row of a table.

    Parameters
    ----------
    table : sequence of (float, float)
        Length and height of waves, metres.
    rng : numpy.random.Generator
        The only source of chance.

    Returns
    -------
    Waves
        Two waves a row, each of half the height.

    Examples
    --------
    >>> waves([(1000.0, 30.0)], np.random.default_rng(1)).heights
    array([15., 15.])
    """
    long, height = np.repeat(np.array(table, float), 2, axis=0).T
    towards, push, phases = rng.random((3, len(long)))
    return Waves(facing(towards) / long[:, None], facing(push), height / 2, phases)


def level(points: np.ndarray, sea: Waves) -> np.ndarray:
    """Height of the sea at each point: the sum of h · sin 2π(k · x + φ) over its waves.

    Parameters
    ----------
    points : numpy.ndarray, shape (n, 2)
        Metres in any plane.
    sea : Waves
        What `waves` gave.

    Returns
    -------
    numpy.ndarray, shape (n,)
        In the unit of the heights.

    Examples
    --------
    >>> sea = waves([(1000.0, 30.0)], np.random.default_rng(1))
    >>> bool(np.abs(level(np.array([[0.0, 0.0], [80.0, 10.0]]), sea)).max() <= 30.0)
    True
    """
    return sum(height * swell for height, swell in zip(sea.heights, _swells(points, sea), strict=True))


def bend(points: np.ndarray, sea: Waves) -> np.ndarray:
    """Points pushed by each wave along its direction, as far as it is high there.

    Parameters
    ----------
    points : numpy.ndarray, shape (n, 2)
        Metres in any plane.
    sea : Waves
        What `waves` gave.

    Returns
    -------
    numpy.ndarray, shape (n, 2)
        The same points elsewhere, metres.

    Notes
    -----
    As long as the sum of 2π · height / length over the table stays below 1, no two points can meet.

    Examples
    --------
    >>> sea = waves([(1000.0, 30.0)], np.random.default_rng(1))
    >>> moved = bend(np.zeros((1, 2)), sea)
    >>> bool(np.hypot(*moved[0]) <= 30.0)
    True
    """
    push = sea.directions * sea.heights[:, None]
    return points + sum(swell[:, None] * way for way, swell in zip(push, _swells(points, sea), strict=True))


def _swells(points: np.ndarray, sea: Waves):
    """How high each wave stands at the points, from -1 to 1; a matrix product would round as the CPU likes."""
    x, y = points.T
    for (kx, ky), phase in zip(sea.vectors, sea.phases, strict=True):
        yield sine(x * kx + y * ky + phase)
