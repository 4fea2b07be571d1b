"""Pictures for paper: what is in them, hostile names, one file for one picture."""

import io

import geopandas as gpd
import pytest
import shapely
from PIL import Image

from gis import pictures
from gis.drawing import Choropleth, Class, NothingToDraw, Points
from gis.palette import COUNTS, STATUS

SIZE = (60, 40)


@pytest.fixture(scope="module")
def units() -> gpd.GeoDataFrame:
    """Four squares beside one another, with names that a careless drawer would run as formulas."""
    boxes = [shapely.box(120 + n / 100, 30, 120.01 + n / 100, 30.01) for n in range(4)]
    names = [r"$\frac{1}{0", "骉龘社区", "<b>x</b>", "a_b^c"]
    return gpd.GeoDataFrame({"name": names, "klass": [0, 1, 1, 9]}, geometry=boxes, crs=4326)


def test_a_map_has_the_colours_of_its_classes_and_white_paper(units):
    fill = Choropleth("klass", "件数", [Class(0, COUNTS[0], "0"), Class(1, COUNTS[3], "1\none")])
    drawn = pictures.map_picture(units, fill=fill, borders=units, size_mm=SIZE)
    image = Image.open(io.BytesIO(drawn)).convert("RGB")
    seen = {"#{:02x}{:02x}{:02x}".format(*colour) for _count, colour in image.getcolors(100_000)}
    assert {COUNTS[0], COUNTS[3], "#ffffff"} <= seen
    assert image.size == tuple(int(each / 25.4 * pictures.DPI) for each in SIZE)
    assert drawn == pictures.map_picture(units, fill=fill, borders=units, size_mm=SIZE)


def test_incidents_are_marked_by_state_and_only_those_there_are_explained(units):
    items = [[n, n, 120.005 + n / 100, 30.005, state, ""] for n, state in enumerate(("closed", "suspended"))]
    points = Points("案件", dict.fromkeys(STATUS, "x"), items=items)
    drawn = pictures.map_picture(units, points=points, size_mm=SIZE, form="svg").decode()
    assert STATUS["closed"].colour in drawn
    assert STATUS["suspended"].colour in drawn
    assert STATUS["voided"].colour not in drawn


def test_nothing_to_draw_is_said(units):
    with pytest.raises(NothingToDraw):
        pictures.map_picture(units.iloc[:0])


def test_bars_of_nothing_are_a_picture_too():
    assert b"<svg" in pictures.bar_picture([], {"受理": []})
    assert b"<svg" in pictures.bar_picture([f"{n}" for n in range(31)], {"受理": [0] * 31}, size_mm=SIZE)
