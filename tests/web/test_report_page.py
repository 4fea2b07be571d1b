"""What the report form says of a place as it was typed."""

import pytest

from gridmgr.i18n import say
from gridmgr.life.model import BadField, MissingField
from web import words
from web.pages.report import EMPTY, _degrees, _told


@pytest.mark.parametrize(
    ("field", "typed"), [("lon", "12x"), ("lon", "181"), ("lat", "120.3"), ("lat", "nan")]
)
def test_a_coordinate_that_is_none_is_named(field: str, typed: str) -> None:
    with pytest.raises(BadField) as refused:
        _degrees({field: typed}, field)
    assert say(refused.value).startswith({"lon": "“经度”", "lat": "“纬度”"}[field])
    assert typed in say(refused.value)


def test_a_report_without_a_place_asks_for_the_place_first() -> None:
    with pytest.raises(MissingField) as refused:
        _told(None, EMPTY | {"lat": "30.7"})
    assert "地点" in say(refused.value)


def test_distances_turn_into_kilometres() -> None:
    assert [words.distance(metres) for metres in (0.04, 12.34, 999.9, 1000, 91_780)] == [
        "0.0 米", "12.3 米", "999.9 米", "1.0 公里", "91.8 公里",
    ]  # fmt: skip
