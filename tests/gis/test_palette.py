"""Colours that eight men in a hundred confuse must not be the only difference between two signs."""

import itertools

import numpy as np
import pytest

from gis.palette import COUNTS, EMERGING, HOTSPOT, SEVERITY, STATUS

# Full colour blindness to red, green and blue: Machado, Oliveira & Fernandes (2009), severity 1, linear RGB.
EYES = {
    "all cones": np.eye(3),
    "no red": [
        [0.1522, 1.0525, -0.2048],
        [0.1145, 0.7862, 0.0992],
        [-0.0038, -0.0481, 1.0519],
    ],
    "no green": [
        [0.3673, 0.8606, -0.2279],
        [0.2800, 0.6725, 0.0474],
        [-0.0118, 0.0429, 0.9688],
    ],
    "no blue": [
        [1.2555, -0.0767, -0.1787],
        [-0.0784, 0.9308, 0.1476],
        [0.0047, 0.6913, 0.3039],
    ],
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = XYZ.sum(axis=1)


def lab(colour: str, eye: np.ndarray) -> np.ndarray:
    """A colour as an eye sees it, in CIELAB."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    x, y, z = np.cbrt(XYZ @ np.clip(eye @ linear, 0, 1) / WHITE)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def apart(colours, eye) -> float:
    """Smallest distance between any two of the colours; 2.3 is just noticeable."""
    seen = [lab(colour, np.asarray(eye)) for colour in colours]
    return min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2))


@pytest.mark.parametrize("eye", EYES.values(), ids=EYES)
def test_states_of_one_shape_differ_in_colour(eye):
    for shape in {sign.shape for sign in STATUS.values()}:
        assert apart([sign.colour for sign in STATUS.values() if sign.shape == shape], eye) > 15


@pytest.mark.parametrize("eye", EYES.values(), ids=EYES)
def test_hotspot_classes_severities_and_counts_are_told_apart(eye):
    assert apart(HOTSPOT.values(), eye) > 5
    assert apart(SEVERITY.values(), eye) > 15
    assert apart(COUNTS, eye) > 10


@pytest.mark.parametrize("eye", EYES.values(), ids=EYES)
def test_hot_is_never_taken_for_cold(eye):
    hot, cold = ([colour for value, colour in HOTSPOT.items() if value * side > 0] for side in (1, -1))
    for pair in itertools.product(hot, cold):
        assert apart(pair, eye) > 8


def test_more_is_darker():
    lightness = [lab(colour, np.eye(3))[0] for colour in COUNTS]
    assert lightness == sorted(lightness, reverse=True)
    for side in (1, -1):
        sure = [lab(HOTSPOT[side * value], np.eye(3))[0] for value in range(4)]
        assert sure == sorted(sure, reverse=True)


@pytest.mark.parametrize("eye", EYES.values(), ids=EYES)
def test_the_seventeen_classes_are_told_apart_by_colour_and_letter(eye):
    assert len(EMERGING) == len({sign.shape for sign in EMERGING.values()}) == 17
    assert apart({sign.colour for sign in EMERGING.values()}, eye) > 7
    hot, cold = (
        {sign.colour for name, sign in EMERGING.items() if name.endswith(side)} for side in ("_hot", "_cold")
    )
    for pair in itertools.product(hot, cold):
        assert apart(pair, eye) > 20
