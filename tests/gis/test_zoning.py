"""Zones: balanced, whole, and mended with few moves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import triu
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from gis import rezoning, zoning, zoning_search


def raster(columns: int, rows: int, weight=None) -> zoning.Graph:
    """Units in a raster; every common border costs 1."""
    at = np.arange(columns * rows).reshape(rows, columns)
    a = np.append(at[:, :-1].ravel(), at[:-1].ravel())
    b = np.append(at[:, 1:].ravel(), at[1:].ravel())
    weight = np.ones(columns * rows) if weight is None else weight
    return zoning.graph(weight, a, b, np.ones(len(a)))


def whole(of: zoning.Graph, zone: np.ndarray) -> bool:
    parts = [of.part(np.flatnonzero(zone == each)).cost for each in np.unique(zone)]
    return all(connected_components(part, directed=False)[0] == 1 for part in parts)


@given(
    st.integers(2, 9), st.integers(2, 9), st.integers(1, 7), st.integers(0, 5),
    st.lists(st.integers(0, 20), min_size=81, max_size=81),
)  # fmt: skip
@settings(max_examples=40)
def test_every_zone_hangs_together_and_none_is_empty(columns, rows, number, seed, weights):
    weight = np.array(weights[: columns * rows], dtype=float)
    number = min(number, columns * rows)
    if not weight.sum():
        return
    of = raster(columns, rows, weight)
    found = zoning.zones(of, number, seed=seed, trees=4)
    assert np.unique(found.zone).tolist() == list(range(number))
    assert whole(of, found.zone)
    held = np.bincount(found.zone, weight)
    assert found.deviation == pytest.approx(np.abs(held / held.mean() - 1).max())


@given(st.integers(1, 8), st.integers(2, 8), st.integers(0, 1000))
@settings(max_examples=30)
def test_the_compiled_search_finds_what_a_plain_one_finds(columns, rows, seed):
    rng = np.random.default_rng(seed)
    of = raster(columns, rows, rng.integers(0, 9, columns * rows).astype(float) + 0.5)
    links, n = triu(of.cost, format="coo"), columns * rows
    chance = rng.permutation(links.nnz) + 1.0
    order, parent = zoning_search.spanning(np.argsort(chance), links.row, links.col, n, int(rng.integers(n)))
    ends = np.sort([order[1:], parent[order[1:]]], axis=0)
    place = {
        pair: value
        for *pair, value in zip(links.row, links.col, chance, strict=True)
        for pair in [tuple(pair)]
    }
    links.data = chance
    least = minimum_spanning_tree(links).sum()
    assert sum(place[tuple(each)] for each in ends.T.tolist()) == least  # only one tree has so little

    def below(unit):
        return [unit, *(each for child in np.flatnonzero(parent == unit) for each in below(child))]

    held = zoning_search.summed(order, parent, of.weight)
    assert held.tolist() == [of.weight[below(unit)].sum(axis=0).tolist() for unit in range(n)]

    zone = np.unique(rng.integers(0, 4, n), return_inverse=True)[1]
    for unit in range(n):
        rest = np.flatnonzero((zone == zone[unit]) & (np.arange(n) != unit))
        own = np.append(rest, unit)
        if connected_components(of.part(own).cost, directed=False)[0] == 1:
            plain = len(rest) > 0 and connected_components(of.part(rest).cost, directed=False)[0] == 1
            assert zoning.hangs_without(of.cost, zone, unit) == plain


def test_an_even_raster_is_shared_evenly():
    assert zoning.zones(raster(12, 10), 6).deviation <= 0.1


def test_zones_are_even_and_their_borders_short():
    """Sixteen zones of 36 units each: squares have 144 of 1,104 common borders between them."""
    found = [zoning.zones(raster(24, 24), 16, seed=seed) for seed in range(3)]
    assert max(each.deviation for each in found) <= 0.03  # one unit
    assert max(each.cut for each in found) <= 1.35 * 144


def test_several_measures_are_balanced_at_once():
    rng = np.random.default_rng(1)
    of = raster(20, 20, rng.uniform(0.5, 1.5, (400, 2)))
    assert zoning.zones(of, 8).deviation <= 0.04


def test_borders_go_where_they_are_cheap():
    """Two quarters joined by one lane: the cut is the lane."""
    left, right = np.arange(4), np.arange(4, 8)
    a = np.array([0, 0, 1, 2, 4, 4, 5, 6, 3])
    b = np.array([1, 2, 3, 3, 5, 6, 7, 7, 4])
    found = zoning.zones(zoning.graph(np.ones(8), a, b, np.array([9.0] * 8 + [1.0])), 2)
    assert len(set(found.zone[left])) == len(set(found.zone[right])) == 1
    assert found.cut == 1


def test_the_same_seed_gives_the_same_proposal():
    of = raster(8, 8)
    assert (zoning.zones(of, 5, seed=3).zone == zoning.zones(of, 5, seed=3).zone).all()


def test_more_zones_than_units_and_fewer_than_pieces_are_refused():
    with pytest.raises(zoning.TooManyZones):
        zoning.zones(raster(2, 1), 3)
    islands = zoning.graph(np.ones(4), np.array([0, 2]), np.array([1, 3]), np.ones(2))
    with pytest.raises(zoning.TooFewZones):
        zoning.zones(islands, 1)
    assert zoning.zones(islands, 3).zone.max() == 2


def test_weights_and_edges_are_checked():
    pair = np.array([0]), np.array([1])
    for weight in ([1, -1], [1, np.nan], [0, 0]):
        with pytest.raises(zoning.WeightsMissing):
            zoning.graph(np.array(weight, dtype=float), *pair, np.ones(1))
    for a, b, cost in ((0, 2, 1), (0, 0, 1), (0, 1, 0)):
        with pytest.raises(zoning.EdgesStrange):
            zoning.graph(np.ones(2), np.array([a]), np.array([b]), np.array([cost]))


def test_a_piece_that_lies_apart_is_given_to_its_neighbour():
    of = raster(6, 1)
    assert rezoning.contiguous(of, np.array([0, 0, 0, 1, 0, 1])).tolist() in (
        [0, 0, 0, 1, 1, 1],
        [0, 0, 0, 0, 0, 1],
    )


def test_a_large_piece_is_joined_by_the_shortest_way():
    of = raster(5, 2)
    zone = np.array([0, 0, 1, 0, 0, 2, 2, 1, 1, 2])
    assert rezoning.contiguous(of, np.array([0, 0, 1, 0, 0, 1, 1, 1, 1, 1])).tolist()[:5] == [0] * 5
    assert whole(of, rezoning.contiguous(of, zone))


def test_locked_zones_are_left_alone():
    of = raster(5, 1)
    with pytest.raises(rezoning.PieceLocked):
        rezoning.contiguous(of, np.array([0, 0, 1, 0, 1]), locked=[1])


def test_zones_that_stay_in_pieces_are_not_given_out_for_whole(monkeypatch):
    of = raster(4, 1)
    monkeypatch.setattr(rezoning, "_bridge", lambda *_: None)
    monkeypatch.setattr(rezoning, "_taker", lambda _given, zone, piece, _locked: zone[piece[0]])
    with pytest.raises(rezoning.StillApart):
        rezoning.contiguous(of, np.array([0, 1, 0, 1]))


@given(st.lists(st.integers(0, 3), min_size=36, max_size=36))
@settings(max_examples=40)
def test_any_draft_becomes_contiguous(zone):
    of, zone = raster(6, 6), np.unique(zone, return_inverse=True)[1]
    mended = rezoning.contiguous(of, zone)
    assert whole(of, mended)
    assert set(mended) <= set(zone)


def test_the_band_is_reached_with_few_moves():
    of = raster(10, 4)
    zone = np.repeat([[0, 0, 0, 0, 0, 0, 1, 1, 2, 2]], 4, axis=0).ravel()
    even = rezoning.in_band(of, zone, 12, 14)
    held = np.bincount(even)
    assert held.min() >= 12
    assert held.max() <= 14
    assert whole(of, even)
    assert (even != zone).sum() <= 20


def test_a_band_out_of_reach_names_the_zone():
    with pytest.raises(rezoning.BandUnreachable) as problem:
        rezoning.in_band(raster(4, 1), np.array([0, 0, 1, 1]), 3, 4)
    assert problem.value.details["zone"] in (0, 1)
