"""Redrawing: whatever a planner draws, the map stays a map."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import given, settings
from hypothesis import strategies as st

from gis import redraw
from gis.errors import BadInput
from gis.faces import met, parted
from gis.samples import sized


def line(*points) -> shapely.LineString:
    return shapely.LineString(points)


@pytest.fixture
def block() -> gpd.GeoSeries:
    """Four grids of two by two around a crossing."""
    cells = {"sw": (0, 0, 2, 2), "se": (2, 0, 4, 2), "nw": (0, 2, 2, 4), "ne": (2, 2, 4, 4)}
    return gpd.GeoSeries({code: shapely.box(*each) for code, each in cells.items()})


def is_map(grids: gpd.GeoSeries, area: float) -> bool:
    ground = grids.to_numpy()
    sound = shapely.coverage_is_valid(ground) and shapely.is_valid(ground).all()
    return bool(sound) and shapely.area(ground).sum() == pytest.approx(area, rel=1e-9)


def test_a_split_puts_its_ends_into_the_neighbours_too(block):
    after = redraw.split(block, "sw", line((1, -1), (1, 3)), "new")
    assert after["sw"].area == after["new"].area == 2
    assert (1, 2) in list(after["nw"].exterior.coords)
    assert is_map(after, 16)


def test_a_line_that_runs_on_cuts_only_the_grid_that_is_meant(block):
    after = redraw.split(block, "sw", line((-1, 1), (9, 1)), "new")
    assert list(after.index) == ["sw", "se", "nw", "ne", "new"]
    assert after["se"].area == 4


def test_the_larger_part_keeps_the_code(block):
    assert redraw.split(block, "sw", line((0.5, -1), (0.5, 3)), "new").area[["sw", "new"]].tolist() == [3, 1]


@pytest.mark.parametrize(
    ("points", "problem"),
    [
        ([(1, 1), (1, 1)], redraw.LineMissing),
        ([(1, float("nan")), (1, 3)], redraw.LineMissing),
        ([(1, -1), (1, 1)], redraw.LineEndsInside),
        ([(8, 8), (9, 9)], redraw.LineEndsInside),
        ([(0, 0), (2, 0)], redraw.LineEndsInside),
        ([(0, 0.5), (2, 1.5), (2, 0.5), (0, 1.5)], redraw.LineCrossesItself),
    ],
    ids=["one place", "no place", "ends inside", "far away", "along the border", "crosses itself"],
)
def test_a_line_that_cannot_be_a_border_is_refused(block, points, problem):
    with pytest.raises(problem):
        redraw.split(block, "sw", line(*points), "new")


def test_a_spike_and_a_repeated_point_are_only_a_line(block):
    after = redraw.split(block, "sw", line((1, -1), (1, -1), (1, 1), (1.5, 1), (1, 1.2), (1, 3)), "new")
    assert is_map(after, 16)


def test_merged_grids_leave_no_trace(block):
    after = redraw.merge(block, ["sw", "se"])
    assert after["sw"].equals(shapely.box(0, 0, 4, 2))
    assert is_map(after, 16)


def test_grids_that_only_touch_at_a_corner_do_not_merge(block):
    with pytest.raises(redraw.FallsApart):
        redraw.merge(block, ["sw", "ne"])


def test_both_neighbours_follow_their_border(block):
    after = redraw.reshape(block, "sw", "se", line((2, 0.5), (3, 1), (2, 1.5)))
    assert after["sw"].area == 4.5
    assert after["se"].area == 3.5
    assert after["nw"] is block["nw"]
    assert is_map(after, 16)


def test_a_border_drawn_the_other_way_round_is_the_same(block):
    one = redraw.reshape(block, "sw", "se", line((2, 0.5), (3, 1), (2, 1.5)))
    two = redraw.reshape(block, "se", "sw", line((2, 1.5), (3, 1), (2, 0.5)))
    assert one["sw"].equals(two["sw"])


def test_the_end_of_a_border_moves_nobody_else(block):
    after = redraw.reshape(block, "sw", "se", line((2, 0), (1, 1), (2, 2)))
    assert after["sw"].area == 3
    assert is_map(after, 16)


def test_a_border_cannot_leave_both_grids(block):
    with pytest.raises(BadInput):
        redraw.reshape(block, "sw", "ne", line((2, 0.5), (3, 1), (2, 1.5)))
    with pytest.raises(redraw.OffTheBorder):
        redraw.reshape(block, "sw", "se", line((2, 1), (3, 1), (3, 1.5), (2, 1)))


def test_a_lasso_takes_from_those_it_may_take_from(block):
    lasso = shapely.box(1, 1, 3, 3)
    after = redraw.give(block, lasso, "sw", ["se"])
    assert after.area[["sw", "se", "ne"]].tolist() == [5, 3, 4]
    new = redraw.give(block, lasso, "new", ["sw", "se", "nw", "ne"])
    assert new["new"].area == 4
    assert is_map(new, 16)


def test_a_lasso_over_a_whole_grid_leaves_nothing_of_it(block):
    with pytest.raises(redraw.NothingLeft):
        redraw.give(block, shapely.box(-1, -1, 2, 2), "se", ["sw"])


def test_a_lasso_through_the_middle_would_break_a_grid(block):
    with pytest.raises(redraw.FallsApart):
        redraw.give(block, shapely.box(0.9, -1, 1.1, 3), "new", ["sw"])


@pytest.fixture(scope="module")
def community() -> gpd.GeoSeries:
    frame = sized("tiny")["micro_grid"].set_index("code")
    return frame.geometry[frame.index.str[:12] == frame.index[0][:12]]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 99), st.floats(0, 3.1)), min_size=1, max_size=12))
@settings(max_examples=15)
def test_no_edits_ever_break_the_map(community, edits):
    area, grids = shapely.area(community.to_numpy()).sum(), community
    for number, (kind, which, turn) in enumerate(edits):
        code = grids.index[which % len(grids)]
        try:
            grids = edited(grids, kind, code, turn, f"new{number}")
        except BadInput:
            continue
        assert is_map(grids, area)


def edited(grids: gpd.GeoSeries, kind: int, code: str, turn: float, new: str) -> gpd.GeoSeries:
    centre = grids[code].centroid
    if kind == 0:
        off = 0.02 * np.cos(turn), 0.02 * np.sin(turn)
        ends = [(centre.x - off[0], centre.y - off[1]), (centre.x + off[0], centre.y + off[1])]
        return redraw.split(grids, code, line(*ends), new)
    beside = grids.index[shapely.relate_pattern(grids.to_numpy(), grids[code], "****1****")]
    other = beside[int(turn * 10) % len(beside)] if len(beside) else code
    if kind == 1:
        return redraw.merge(grids, [code, other])
    if kind == 2:
        shared = shapely.intersection(grids[code].boundary, grids[other].boundary)
        run = shapely.get_parts(shapely.line_merge(shapely.union_all(shared)))[0]
        ends = [run.interpolate(share, normalized=True).coords[0] for share in (0.2, 0.8)]
        bend = tuple(0.3 * here + 0.35 * (a + b) for here, a, b in zip(centre.coords[0], *ends, strict=True))
        return redraw.reshape(grids, code, other, line(ends[0], bend, ends[1]))
    return redraw.give(grids, centre.buffer(0.0001 + turn / 1e4), other, [code])


def test_a_place_beside_a_corner_moves_no_corner(block):
    nearly = np.array([[2 + 3e-14, 2.0], [1.0, 2.0]])
    after = met(block, nearly)
    assert after["sw"].covers(shapely.Point(2, 2)) and is_map(after, 16)
    assert after["se"].equals_exact(block["se"]) and (1, 2) in list(after["nw"].exterior.coords)


def test_pieces_that_meet_a_hair_beside_a_corner_are_parted_all_the_same():
    def turned(*box) -> shapely.Polygon:
        return shapely.affinity.rotate(shapely.segmentize(shapely.box(*box), 2), 17, origin=(0, 0))

    row = gpd.GeoSeries([turned(0, 0, 4, 2), turned(4, 0, 6, 2)], index=["a", "b"])
    for hair in (0, 1e-12, -1e-12, 1e-10):
        pieces = [turned(0, hair, 2 + hair, 2 - hair), turned(2 + hair, hair, 4, 2 - hair)]
        assert parted(row, pieces, ["a", "b"]).area.tolist() == pytest.approx([4, 8])
