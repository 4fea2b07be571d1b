"""The fictional district: it must be a city whose maps have no fault, because faults are planted later."""

import ast
import hashlib
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis import samples
from gis.samples import SIZES, NotACounty, UnevenCounts, UnknownScale, district, districts, sized
from gis.samples.district import _rounded
from gis.samples.footprints import _line_up
from gis.samples.names import stems, unit_names
from gis.samples.plan import _long_axis

# What older CPUs lack, to be done without: numpy's and the C library's variants of functions, and BLAS's kernels.
OLDER_CPUS = (
    {"NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"},
    {
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4",
        "OPENBLAS_CORETYPE": "Nehalem",
    },
)
# What is not rounded in one way only, in the order of numpy's and the C library's manuals.
UNSURE = re.compile(
    r"a?(rc)?(sin|cos|tan)h?2?|exp(2|m1)?|log(2|10|1p)?|pow(er)?|hypot|cbrt|dist|norm|v?dot|matmul|einsum"
    r"|standard_normal|lognormal|to_crs|to_metric|Transformer"
)

LEVELS = ("street", "community", "micro_grid", "building")
NESTED = (("street", "community"), ("community", "micro_grid"))


@pytest.fixture(scope="module")
def town():
    return sized("small")


def fingerprint(frames) -> str:
    digest = hashlib.sha256()
    for level in LEVELS:
        digest.update(b"".join(shapely.to_wkb(frames[level].geometry.values)))
        digest.update(frames[level].drop(columns="geometry").to_csv().encode())
    return digest.hexdigest()


def children_of(frames, level):
    return dict(list(frames[level].groupby("parent_code")))


def test_a_town_has_the_units_asked_for(town):
    assert tuple(len(town[level]) for level in LEVELS) == SIZES["small"]


@pytest.mark.parametrize("level", LEVELS)
def test_every_unit_is_one_sound_piece_in_degrees(town, level):
    frame = town[level]
    assert frame.crs == "EPSG:4326"
    assert set(frame.geom_type) == {"Polygon"}
    assert frame.geometry.is_valid.all()
    assert frame.total_bounds == pytest.approx([104.03, 30.72, 104.03, 30.72], abs=0.02)


@pytest.mark.parametrize("level", LEVELS[:3])
def test_the_upper_levels_are_coverages(town, level):
    assert shapely.coverage_is_valid(town[level].geometry.values)
    assert all(len(shape.interiors) == 0 for shape in town[level].geometry)


def test_the_town_has_no_hole_and_is_as_large_as_asked(town):
    whole = shapely.coverage_union_all(town["micro_grid"].geometry.values)
    area = gpd.GeoSeries([whole], crs="EPSG:4326").to_crs("EPSG:32648").area.iloc[0]
    assert whole.geom_type == "Polygon"
    assert not whole.interiors
    assert area == pytest.approx(120 / 6008 * 108e6, rel=0.002)


@pytest.mark.parametrize(("upper", "lower"), NESTED)
def test_children_make_up_their_parent_to_the_vertex(town, upper, lower):
    children = children_of(town, lower)
    assert set(children) == set(town[upper]["code"])
    for code, parent in zip(town[upper]["code"], town[upper].geometry, strict=True):
        union = shapely.coverage_union_all(children[code].geometry.values)
        assert union.symmetric_difference(parent).area == 0
        assert union.normalize().equals_exact(parent.normalize(), tolerance=0)


def test_borders_of_micro_grids_wind_like_surveyed_ones(town):
    vertices = shapely.get_num_coordinates(town["micro_grid"].geometry.values) - 1
    assert vertices.min() >= 25
    assert vertices.max() <= 73


def test_a_building_stands_in_one_micro_grid_with_room_around_it(town):
    grids, buildings = town["micro_grid"], town["building"]
    building, grid = grids.sindex.query(buildings.geometry, predicate="intersects")
    assert building.tolist() == list(range(len(buildings)))
    assert grids["code"].to_numpy()[grid].tolist() == buildings["parent_code"].tolist()
    metric = buildings.to_crs("EPSG:32648").geometry
    homes = grids.to_crs("EPSG:32648").geometry.iloc[grid].boundary
    assert metric.distance(homes, align=False).min() > 2.5


def test_buildings_do_not_touch_each_other(town):
    shapes = town["building"].geometry
    one, other = shapes.sindex.query(shapes, predicate="intersects")
    assert (one == other).all()


def test_codes_follow_the_national_scheme(town):
    for level, digits in zip(LEVELS, (9, 12, 15, 17), strict=True):
        codes = town[level]["code"]
        assert codes.is_unique
        assert codes.is_monotonic_increasing
        assert codes.str.fullmatch(rf"510199\d{{{digits - 6}}}").all()
    assert town["street"]["code"].str[6:].tolist() == ["001", "002", "003"]
    assert town["street"]["parent_code"].isna().all()
    for level in ("community", "micro_grid"):
        assert (town[level]["parent_code"] == town[level]["code"].str[:-3]).all()
    assert (town["building"]["parent_code"].str[:12] == town["building"]["code"].str[:12]).all()


@pytest.mark.parametrize(("level", "kept"), [("community", 9), ("micro_grid", 12), ("building", 12)])
def test_numbers_run_from_one_without_a_gap(town, level, kept):
    codes = town[level]["code"]
    for _, group in codes.groupby(codes.str[:kept]):
        assert group.str[kept:].astype(int).tolist() == list(range(1, len(group) + 1))


def test_micro_grids_are_numbered_west_to_east_then_north_to_south(town):
    for _, grids in town["micro_grid"].groupby("parent_code"):
        middle = shapely.centroid(grids.sort_values("code").geometry.values)
        x, y = shapely.get_x(middle), shapely.get_y(middle)
        row = np.cumsum(np.diff(x, prepend=x[0]) < 0)  # each step back west begins a row
        height = np.array([y[row == r].mean() for r in range(row.max() + 1)])
        assert (np.diff(height) < 0).all()
        assert 2 <= len(height) <= len(x) / 2


@pytest.mark.parametrize("level", LEVELS)
def test_names_tell_units_of_one_parent_apart(town, level):
    frame = town[level]
    assert (frame["name"].str.len() > 2).all()
    assert not frame.assign(parent=frame["parent_code"].fillna("")).duplicated(["parent", "name"]).any()


def test_names_say_what_a_unit_is(town):
    assert town["street"]["name"].str.endswith("街道").all()
    assert town["community"]["name"].str.endswith("社区").all()
    assert (town["micro_grid"]["name"] == "第" + town["micro_grid"]["code"].str[-3:] + "微网格").all()
    doors = town["building"]["address"]
    assert doors.is_unique
    assert doors.str.fullmatch(r"\w+(路|街|巷|大道)\d+号(\d+栋|附\d+号)?").all()
    assert (doors == town["building"]["name"]).all()


def test_ten_districts_have_streets_and_communities_of_their_own():
    for level, each in (("street", 13), ("community", 90)):
        names = [name for k in range(10) for name in unit_names(level, k * each, each, seed=2026)]
        assert len(set(names)) == 10 * each


def test_no_place_bears_the_name_of_a_real_county():
    assert not {"青城", "锦江", "长沙", "金堂", "福田"} & set(stems())


def test_people_add_up_from_buildings_to_streets(town):
    for upper, lower in pairwise(LEVELS):
        sums = town[lower].groupby("parent_code")[["households", "population"]].sum()
        listed = town[upper].set_index("code")[["households", "population"]]
        empty = listed.drop(sums.index)
        assert listed.loc[sums.index].equals(sums.rename_axis("code"))
        assert (empty == 0).all(axis=None)


def test_people_live_in_dwellings_only(town):
    buildings = town["building"]
    home = buildings["use"] == "residential"
    assert (buildings.loc[home, "households"] >= 1).all()
    assert (buildings.loc[~home, "population"] == 0).all()
    assert (buildings["population"] >= buildings["households"]).all()
    assert buildings["storeys"].between(1, 40).all()
    assert buildings["use"].nunique() >= 4


def test_density_varies_from_parks_to_old_quarters(town):
    built = town["building"].groupby("parent_code").size().reindex(town["micro_grid"]["code"], fill_value=0)
    assert built.min() == 0
    assert built.max() > 25


def test_the_same_seed_gives_the_same_town():
    assert fingerprint(sized("tiny", seed=7)) == fingerprint(sized("tiny", seed=7))
    assert fingerprint(sized("tiny", seed=7)) != fingerprint(sized("tiny", seed=8))


@pytest.mark.parametrize("older", OLDER_CPUS, ids=["without AVX-512", "without AVX2 and FMA"])
def test_an_older_cpu_draws_the_same_town(town, older):
    script = "from test_samples import fingerprint, sized; print(fingerprint(sized('small')))"
    root, here = Path(__file__).parents[2], Path(__file__).parent
    env = os.environ | older | {"PYTHONPATH": os.pathsep.join((str(root), str(here)))}
    drawn = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True
    )
    assert drawn.stdout.strip() == fingerprint(town)


def unsure(code: str):
    """What code calculates that CPUs may round differently; powers are products if of the second degree."""
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Attribute(attr=name) | ast.alias(name=name) if UNSURE.fullmatch(name):
                yield name
            case ast.BinOp(op=ast.MatMult()):
                yield "@"
            case ast.BinOp(op=ast.Pow(), left=left, right=right):
                whole = isinstance(left, ast.Constant) and isinstance(left.value, int)
                if not whole and ast.unparse(right) != "2":
                    yield "**"


def test_the_town_is_calculated_with_what_every_cpu_rounds_alike():
    assert list(unsure("a @ b, x**2.6, np.hypot(a, b), x**2, 10**d")) == ["@", "**", "hypot"]
    folder = Path(samples.__file__).parent
    found = {path.name: list(unsure(path.read_text("utf-8"))) for path in folder.glob("*.py")}
    assert len(found) > 9
    assert not any(found.values()), found


def test_boxes_of_one_size_do_not_leave_the_long_axis_to_rounding():
    corners = np.array([(0.0, 0.0), (90.0, 10.0), (40.0, 70.0)])
    rng = np.random.default_rng(1)
    found = [_long_axis(corners * (1 + rng.uniform(-3e-16, 3e-16, (3, 2)))) for _ in range(200)]
    assert np.ptp(found, axis=0).max() < 1e-12


@pytest.mark.parametrize("level", LEVELS)
def test_a_file_with_eight_decimals_keeps_every_vertex(town, level, tmp_path):
    frame = town[level]
    frame.to_file(tmp_path / "level.geojson", COORDINATE_PRECISION=8)
    back = gpd.read_file(tmp_path / "level.geojson")
    assert shapely.equals_identical(back.geometry.values, frame.geometry.values).all()
    assert back["code"].astype(str).tolist() == frame["code"].tolist()
    assert back["name"].tolist() == frame["name"].tolist()


def test_coordinates_that_writers_would_trim_are_not_used():
    given_, kept = [103.96999998, 30.70000003, 103.1234567849], [103.97, 30.7, 103.12345678]
    assert _rounded(np.array(given_)).tolist() == kept


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_bays_in_the_rim_leave_no_enclave(seed):
    frames = district(seed=seed, streets=1, communities=6, micro_grids=160, buildings=1, area_km2=2.9)
    (rim,) = frames["street"].geometry
    assert rim.geom_type == "Polygon"
    assert not rim.interiors
    assert rim.area < 0.97 * rim.convex_hull.area


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    streets=st.integers(1, 3),
    more=st.integers(0, 4),
    each=st.integers(1, 14),
)
def test_any_counts_give_a_faultless_map(seed, streets, more, each):
    communities = streets + more
    number = communities * each
    frames = district(
        seed=seed,
        streets=streets,
        communities=communities,
        micro_grids=number,
        buildings=5 * number,
        area_km2=0.018 * number,
    )
    assert [len(frames[level]) for level in LEVELS[:3]] == [streets, communities, number]
    for level in LEVELS[:3]:
        assert shapely.coverage_is_valid(frames[level].geometry.values)
        assert set(frames[level].geom_type) == {"Polygon"}
    homes = frames["micro_grid"].set_index("code").geometry
    buildings = frames["building"]
    assert homes[buildings["parent_code"]].contains_properly(buildings.geometry, align=False).all()


def test_a_district_whose_quarters_have_no_room_for_a_row_of_plots_is_built_all_the_same():
    none, start, extent = _line_up(np.zeros(0), (8.0, 14.0), 2.0, np.random.default_rng(1))
    assert len(none) == len(start) == len(extent) == 0


def test_the_county_and_the_place_can_be_chosen():
    frames = district(
        streets=1,
        communities=1,
        micro_grids=6,
        buildings=20,
        code="330399",
        centre=(120.65, 28.0),
        area_km2=0.1,
    )
    assert frames["building"]["code"].str.startswith("330399001001").all()
    assert frames["street"].total_bounds == pytest.approx([120.65, 28.0, 120.65, 28.0], abs=0.005)


@pytest.mark.parametrize("scale", ["huge", 0, 11, 2.5, "0", "11", ""])
def test_an_unknown_scale_is_refused_with_the_known_ones(scale):
    with pytest.raises(
        UnknownScale, match="tiny, small, street, district or a number of districts from 1 to 10"
    ):
        sized(scale)


def test_more_districts_than_codes_are_refused():
    with pytest.raises(UnknownScale):
        districts(11)


@pytest.mark.parametrize(
    ("counts", "level"),
    [
        ({"streets": 3, "communities": 2, "micro_grids": 30}, "community"),
        ({"streets": 1, "communities": 9, "micro_grids": 8}, "micro_grid"),
        ({"streets": 0, "communities": 9, "micro_grids": 80}, "community"),
        ({"streets": 1, "communities": 1, "micro_grids": 1500}, "micro_grid"),
    ],
)
def test_counts_that_cannot_nest_are_refused(counts, level):
    with pytest.raises(UnevenCounts, match=level):
        district(**counts)


def test_a_county_code_has_six_digits():
    with pytest.raises(NotACounty, match="5101"):
        district(code="5101")
