"""On which side of a line a point lies, decided exactly, compiled.

Rounded arithmetic settles all but nearly straight triples; those fall back to exact sums.

Source: Shewchuk, J. R. (1997). Adaptive precision floating-point arithmetic and fast robust
geometric predicates. Discrete & Computational Geometry 18, 305-363.
"""

import numpy as np
from numba import float64, njit, types

SURE = 3.3306690738754716e-16  # Shewchuk's bound for the sign of a difference of two products


@njit(types.Tuple((float64, float64))(float64, float64), cache=True)
def _sum(a, b):
    """The rounded sum and what rounding lost."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


@njit(types.Tuple((float64, float64))(float64, float64), cache=True)
def _product(a, b):
    """The rounded product and what rounding lost."""
    c = 134217729.0 * a
    ah = c - (c - a)
    al = a - ah
    c = 134217729.0 * b
    bh = c - (c - b)
    bl = b - bh
    p = a * b
    return p, al * bl - (((p - ah * bh) - al * bh) - ah * bl)


@njit(float64(float64, float64, float64, float64, float64, float64), cache=True)
def _exact_turn(ax, ay, bx, by, px, py):
    """The sign of the turn a → b → p by exact summation of all partial products."""
    terms = np.empty(16)
    count = 0
    for sign, (p, q), (r, s) in (
        (1.0, _sum(ax, -px), _sum(by, -py)),
        (-1.0, _sum(ay, -py), _sum(bx, -px)),
    ):
        for u in (p, q):
            for v in (r, s):
                terms[count], terms[count + 1] = _product(sign * u, v)
                count += 2
    total = np.zeros(16)
    for n in range(16):
        carry = terms[n]
        for k in range(n):
            carry, total[k] = _sum(carry, total[k])
        total[n] = carry
    for n in range(15, -1, -1):
        if total[n] != 0.0:
            return total[n]
    return 0.0


@njit(float64(float64, float64, float64, float64, float64, float64), cache=True)
def turn(ax, ay, bx, by, px, py):
    """Positive if p lies left of a → b, negative if right, zero if exactly in line."""
    left = (ax - px) * (by - py)
    right = (ay - py) * (bx - px)
    turn = left - right
    if abs(turn) > SURE * (abs(left) + abs(right)):
        return turn
    return _exact_turn(ax, ay, bx, by, px, py)
