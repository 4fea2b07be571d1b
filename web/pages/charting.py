"""Charts as plain data for echarts: no function and no markup, so that a page can carry them as inert JSON.

Every number a chart shows stands in the table below it, too; a part of a chart may name the page of its cases.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gis.palette import COUNTS, SERIES

BARE: dict[str, Any] = {
    "animation": False,
    "color": list(SERIES),
    "textStyle": {"color": "#1b2631"},
    "aria": {
        "enabled": True,
        "label": {"enabled": False},
        "decal": {"show": True},
    },  # told apart without colour
}
MOST_PARTS = 7  # that eyes can tell apart; the rest is drawn as one, and stands in the table
Numbers = Sequence[tuple[float, str | None]]
"""What a chart shows along its axis: a value, and the page behind it."""


def _base(axis: Sequence[str], legend: bool = True) -> dict[str, Any]:
    # Text of a tooltip is drawn, never written into the page: names stay text.
    return BARE | {
        "tooltip": {"trigger": "axis", "renderMode": "richText", "confine": True, "axisPointer": {"type": "shadow"}},
        "legend": {"show": legend, "type": "scroll", "top": 0, "icon": "rect"},
        "grid": {"left": 8, "right": 16, "top": 40 if legend else 16, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "category", "data": list(axis), "axisLabel": _labels(axis)},
        "yAxis": {"type": "value", "minInterval": 1},
    }  # fmt: skip


def _labels(axis: Sequence[str]) -> dict[str, Any]:
    """Let every label of a short axis stand, turned if they would touch; of a long one those that fit."""
    if len(axis) > 12:
        return {"hideOverlap": True}
    return {"interval": 0, "rotate": 30 if len(axis) > 6 else 0}


def _points(numbers: Numbers) -> list[dict[str, Any]]:
    return [{"value": value, "href": href} if href else {"value": value} for value, href in numbers]


def bars(
    axis: Sequence[str], parts: Mapping[str, Numbers], rest: str = "", share: bool = False
) -> dict[str, Any]:
    """Return stacked bars of parts along an axis, the smallest parts as one named `rest`; or shares of 100 %."""
    shown = dict(list(parts.items())[:MOST_PARTS])
    left = list(parts.values())[MOST_PARTS:]
    if left:
        shown[rest] = [(sum(row[n][0] for row in left), None) for n in range(len(axis))]
    option = _base(axis)
    if share:
        option["yAxis"] = {"type": "value", "max": 100, "axisLabel": {"formatter": "{value} %"}}
        shown = _shares(shown, len(axis))
    return option | {
        "series": [
            {"type": "bar", "name": name, "stack": "all", "data": _points(numbers), "barMaxWidth": 48}
            for name, numbers in shown.items()
        ]
    }


def _shares(parts: Mapping[str, Numbers], length: int) -> dict[str, list[tuple[float, str | None]]]:
    sums = [sum(numbers[n][0] for numbers in parts.values()) or 1 for n in range(length)]
    return {
        name: [(round(100 * value / sums[n], 1), href) for n, (value, href) in enumerate(numbers)]
        for name, numbers in parts.items()
    }


def lines(axis: Sequence[str], parts: Mapping[str, Numbers]) -> dict[str, Any]:
    """Return a line for each part; dots and dashes tell them apart without colour."""
    looks = (("circle", "solid"), ("rect", "dashed"), ("triangle", "dotted"))
    return _base(axis) | {
        "series": [
            {
                "type": "line", "name": name, "data": _points(numbers), "symbol": looks[n % 3][0], "symbolSize": 7,
                "lineStyle": {"type": looks[n % 3][1], "width": 2}, "showAllSymbol": len(axis) <= 40,
            }
            for n, (name, numbers) in enumerate(parts.items())
        ]
    }  # fmt: skip


def matrix(
    rows: Sequence[str], columns: Sequence[str], cells: Mapping[tuple[int, int], tuple[int, str]], named: str
) -> dict[str, Any]:
    """Return a field of numbers, rows by columns, darker where they are larger; cells are (row, column) → number."""
    most = max((number for number, _href in cells.values()), default=1)
    data = [{"value": [column, row, number], "href": href} for (row, column), (number, href) in cells.items()]
    return BARE | {
        "aria": {"enabled": True, "label": {"enabled": False}},
        "tooltip": {"trigger": "item", "renderMode": "richText", "confine": True},
        "grid": {"left": 8, "right": 16, "top": 8, "bottom": 40, "containLabel": True},
        "xAxis": {"type": "category", "data": list(columns), "splitArea": {"show": True}, "position": "top",
                  "axisLabel": {"interval": 0, "rotate": 35}},
        "yAxis": {"type": "category", "data": list(rows), "inverse": True, "splitArea": {"show": True},
                  "axisLabel": {"interval": 0}},
        "visualMap": {"min": 0, "max": most, "orient": "horizontal", "left": "center", "bottom": 0,
                      "inRange": {"color": list(COUNTS[:3])}, "itemHeight": 120, "itemWidth": 12},
        "series": [{"type": "heatmap", "name": named, "data": data, "label": {"show": True, "color": "#1b2631"}}],
    }  # fmt: skip
