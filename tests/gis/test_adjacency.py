"""Neighbours: who shares a street with whom."""

from itertools import combinations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.adjacency import UnknownContiguity, matrix, queen, rook

STEP = 0.01


def grids(cells, **columns) -> gpd.GeoDataFrame:
    """Units of a chessboard near Chengdu, given as (column, row, width, height)."""
    shapes = [
        shapely.box(104 + x * STEP, 30 + y * STEP, 104 + (x + w) * STEP, 30 + (y + h) * STEP)
        for x, y, w, h in cells
    ]
    return gpd.GeoDataFrame(geometry=shapes, crs=4326, **columns)


def pairs(found) -> set:
    return set(zip(found["a"], found["b"], strict=True))


def test_diagonal_units_are_queen_but_not_rook_neighbours():
    four = grids([(0, 0, 1, 1), (1, 0, 1, 1), (0, 1, 1, 1), (1, 1, 1, 1)], index=list("abcd"))
    assert pairs(rook(four)) == {("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")}
    assert pairs(queen(four)) == pairs(rook(four)) | {("a", "d"), ("b", "c")}


def test_the_shared_length_is_in_metres():
    two = grids([(0, 0, 1, 1), (1, 0, 1, 1)])
    assert rook(two)["shared_m"].item() == pytest.approx(1108.5, abs=1)  # a hundredth of a degree of latitude


def test_neighbours_are_found_where_edges_do_not_match():
    """A long unit beside two short ones has no corner where they meet: their edges differ."""
    uneven = grids([(0, 0, 1, 2), (1, 0, 1, 1), (1, 1, 1, 1)], index=list("abc"))
    found = rook(uneven)
    assert pairs(found) == {("a", "b"), ("a", "c"), ("b", "c")}
    assert found["shared_m"].min() == pytest.approx(960, rel=0.01)


def test_rows_without_polygons_are_nobodys_neighbour():
    two = grids([(0, 0, 1, 1), (1, 0, 1, 1)])
    two.loc[1, "geometry"] = None
    assert rook(two).empty
    assert matrix(two).shape == (2, 2)
    assert matrix(two).nnz == 0


def test_no_units_have_no_neighbours():
    assert rook(grids([])).empty
    assert matrix(grids([]), "rook").shape == (0, 0)


def test_an_unknown_contiguity_is_refused_by_name():
    with pytest.raises(UnknownContiguity, match="bishop"):
        matrix(grids([(0, 0, 1, 1)]), "bishop")


def test_matrix_follows_the_order_of_the_frame_not_its_labels():
    three = grids([(2, 0, 1, 1), (0, 0, 1, 1), (1, 0, 1, 1)], index=[7, 3, 5])
    assert matrix(three, "rook").toarray().tolist() == [[0, 0, 1], [0, 0, 1], [1, 1, 0]]


cell = st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(1, 3), st.integers(1, 3))


@settings(deadline=None, max_examples=40)
@given(st.lists(cell, max_size=8))
def test_neighbourhood_is_mutual_and_nobody_neighbours_itself(cells):
    for kind in ("rook", "queen"):
        found = matrix(grids(cells), kind)
        assert (found != found.T).nnz == 0
        assert not found.diagonal().any()
        assert set(np.unique(found.data)) <= {1.0}


@settings(deadline=None, max_examples=40)
@given(st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1))
def test_on_a_chessboard_rook_and_queen_move_as_in_chess(fields):
    fields = sorted(fields)
    board = grids([(x, y, 1, 1) for x, y in fields])
    steps = {
        (i, j): sorted((abs(a - c), abs(b - d)))
        for (i, (a, b)), (j, (c, d)) in combinations(enumerate(fields), 2)
    }
    assert pairs(rook(board)) == {pair for pair, step in steps.items() if step == [0, 1]}
    assert pairs(queen(board)) == {pair for pair, step in steps.items() if step in ([0, 1], [1, 1])}


@pytest.mark.city
@pytest.mark.parametrize("layer", ["clean_block_2020adj", "raw_blockgroup_2020"])
def test_counting_edges_agrees_with_measuring_every_pair(real_data, layer):
    units = gpd.read_file(real_data / "cambridge" / "nested.gpkg", layer=layer).to_crs(26986)
    ground = units.geometry.values
    one, two = shapely.STRtree(ground).query(ground, predicate="intersects")
    one, two = one[one < two], two[one < two]
    length = shapely.length(shapely.intersection(ground[one].boundary, ground[two].boundary))
    measured = dict(zip(zip(one.tolist(), two.tolist(), strict=True), length, strict=True))
    counted = rook(units)
    assert pairs(counted) == {pair for pair, metres in measured.items() if metres > 0}
    expected = [measured[pair] for pair in zip(counted["a"], counted["b"], strict=True)]
    np.testing.assert_allclose(counted["shared_m"], expected, rtol=1e-3)
