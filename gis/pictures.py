"""Maps and small charts as pictures, for paper: frames in, the bytes of a PNG or SVG out.

Each picture is a figure of its own, drawn without pyplot and without settings of the process, so that many
may be drawn at once. Words come in translated; Chinese is set in the Noto font of the district's papers.
"""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontPath, FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from gis.crs import STORAGE, metric_crs, to_metric
from gis.drawing import Choropleth, NothingToDraw, Points, bounds_of
from gis.palette import Sign

FONTS = Path("/usr/share/fonts/opentype/noto")
SIMPLIFIED = 2  # which face of Debian's collection draws characters as they are written on the mainland
MARKERS = {"disc": "o", "ring": "o", "diamond": "D", "square": "s", "pin": "v"}
INK, QUIET, BORDER = "#1a1a1a", "#555555", "#6b7a8a"
MM = 1 / 25.4  # inches
DPI = 200
SCALE_SHARE = 0.22  # of the width of a map, at most, is its scale bar
STEPS = (5, 2, 1)  # what a scale bar may begin with

Box = tuple[float, float, float, float]


def font(size: float, bold: bool = False) -> FontProperties:
    """Return the font of pictures: Noto Sans in its mainland forms, or matplotlib's own where it is missing.

    Parameters
    ----------
    size : float
        Points.
    bold : bool

    Returns
    -------
    matplotlib.font_manager.FontProperties

    Examples
    --------
    >>> font(8).get_size()
    8.0
    """
    path = FONTS / f"NotoSansCJK-{'Bold' if bold else 'Regular'}.ttc"
    if not path.exists():
        return FontProperties(size=size, weight="bold" if bold else "normal")
    return FontProperties(fname=FontPath(str(path), SIMPLIFIED), size=size)


def map_picture(
    units: gpd.GeoDataFrame,
    *,
    fill: Choropleth | None = None,
    points: Points | None = None,
    borders: gpd.GeoDataFrame | None = None,
    size_mm: tuple[float, float] = (170, 95),
    form: str = "png",
) -> bytes:
    """Draw a map of units for paper: filled by class, incidents on top, legend, scale bar, north.

    Parameters
    ----------
    units : GeoDataFrame, shape (N,)
        Polygons, EPSG:4326, and the column of `fill`.
    fill : Choropleth, optional
        How units are coloured; a value that no class names is left white.
    points : Points, optional
        Incidents as rows; of its states only those that occur stand in the legend.
    borders : GeoDataFrame, optional
        Larger units, EPSG:4326, drawn over the others with their ``name``.
    size_mm : (float, float)
        Width and height on paper, in millimetres.
    form : str
        ``png`` (200 dots an inch) or ``svg``.

    Returns
    -------
    bytes

    Raises
    ------
    NothingToDraw
        No unit has a geometry.

    Notes
    -----
    Drawn in metres around the units (`gis.crs.metric_crs`): north is up, to a fraction of a degree. Of names
    that would lie over one another, those of the larger units are written.

    Examples
    --------
    >>> unit = gpd.GeoDataFrame({"name": ["九堡"]}, geometry=[shapely.box(120, 30, 120.1, 30.1)], crs=4326)
    >>> map_picture(unit, borders=unit)[:4]
    b'\\x89PNG'
    """
    placed = units[~(units.geometry.isna() | units.geometry.is_empty)]
    if placed.empty:
        raise NothingToDraw()
    crs = metric_crs(tuple(bounds_of(placed)))
    figure, axes = _sheet(size_mm)
    handles = _filled(axes, placed.to_crs(crs), fill)
    if borders is not None and not borders.empty:
        metric = borders[~borders.geometry.isna()].to_crs(crs)
        metric.boundary.plot(ax=axes, color=BORDER, linewidth=0.8, aspect=None)
    handles += _marked(axes, points, crs)
    _framed(axes, size_mm)
    if borders is not None and not borders.empty:
        _named(axes, metric)
    _scale_bar(axes)
    _north(axes)
    if handles:
        _legend(figure, handles, fill, points)
    return _written(figure, form)


def bar_picture(
    labels: Sequence[str],
    series: Mapping[str, Sequence[float]],
    colours: Sequence[str] = ("#2a7fba", "#e69f00", "#083d64"),
    *,
    size_mm: tuple[float, float] = (170, 45),
    form: str = "svg",
) -> bytes:
    """Draw numbers side by side as bars: one group a label, one bar a series.

    Parameters
    ----------
    labels : sequence of str, shape (N,)
        What stands below each group; of many, every so-manieth is written.
    series : mapping of name to numbers, each shape (N,)
        No unit of measure is assumed.
    colours : sequence of str
        One for each series.
    size_mm : (float, float)
        Width and height on paper, in millimetres.
    form : str
        ``png`` or ``svg``, in which letters are outlines.

    Returns
    -------
    bytes

    Examples
    --------
    >>> b"<svg" in bar_picture(["周一", "周二"], {"受理": [3, 5], "结案": [1, 4]})
    True
    """
    figure = Figure(figsize=(size_mm[0] * MM, size_mm[1] * MM), layout="constrained")
    axes = figure.add_subplot()
    places, width = np.arange(len(labels)), 0.8 / max(len(series), 1)
    for n, (name, numbers) in enumerate(series.items()):
        shift = (n - (len(series) - 1) / 2) * width
        axes.bar(places + shift, list(numbers), width * 0.92, color=colours[n], label=name)
    every = max(1, -(-len(labels) // 16))
    axes.set_xticks(places[::every], list(labels)[::every])
    axes.set_ylim(0, max([1, *(max(numbers, default=0) for numbers in series.values())]) * 1.08)
    axes.yaxis.get_major_locator().set_params(integer=True, nbins=5)
    axes.grid(axis="y", color="#dddddd", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_fontproperties(font(7))
        label.set_color(QUIET)
    axes.tick_params(length=0)
    axes.legend(
        prop=font(7), frameon=False, ncols=len(series), loc="lower right", bbox_to_anchor=(1, 1), borderpad=0
    )
    return _written(figure, form)


def scale_length(width: float) -> float:
    """Find the length of a scale bar: the largest of 1, 2, 5 times a power of ten that fits.

    Parameters
    ----------
    width : float
        Metres that the map is wide.

    Returns
    -------
    float
        Metres, at most a good fifth of `width`.

    Examples
    --------
    >>> scale_length(12_000), scale_length(900)
    (2000.0, 100.0)
    """
    most = width * SCALE_SHARE
    power = 10.0 ** np.floor(np.log10(most))
    return float(next(step * power for step in STEPS if step * power <= most))


def _sheet(size_mm: tuple[float, float]) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(size_mm[0] * MM, size_mm[1] * MM))
    axes = figure.add_axes((0.005, 0.005, 0.76, 0.99))
    axes.set_axis_off()
    return figure, axes


def _filled(axes: Axes, units: gpd.GeoDataFrame, fill: Choropleth | None) -> list:
    """Fill units by their class; returns what the legend shows of it."""
    colours = {entry.value: entry.colour for entry in fill.classes} if fill else {}
    tints = units[fill.column].map(colours).fillna("#ffffff") if fill else "#f4f4f2"
    thin = 0.3 if len(units) < 2000 else 0.1
    units.plot(ax=axes, color=tints, edgecolor="#8796a5", linewidth=thin, aspect=None)
    edge = {"edgecolor": "#8796a5", "linewidth": 0.4}
    return [Patch(facecolor=each.colour, label=each.label, **edge) for each in (fill.classes if fill else ())]


def _marked(axes: Axes, points: Points | None, crs: object) -> list:
    """Mark incidents by their states, the commonest first so that rare ones stay seen."""
    if points is None or not points.items:
        return []
    rows = np.array([(float(row[2]), float(row[3])) for row in points.items])
    states = np.array([str(row[4]) for row in points.items])
    places = to_metric(gpd.GeoSeries(shapely.points(rows), crs=STORAGE), crs)
    x, y = places.x.to_numpy(), places.y.to_numpy()
    size = float(np.clip(2500 / len(states), 4, 22))
    known = [state for state in points.labels if (states == state).any()]
    for state in sorted(known, key=lambda each: -(states == each).sum()):
        mine = states == state
        axes.scatter(x[mine], y[mine], s=size, zorder=3, **_marker(points.signs[state]))
    return [
        Line2D([], [], linestyle="", markersize=4.5, label=points.labels[state], **_marker(points.signs[state], True))
        for state in known
    ]  # fmt: skip


def _marker(sign: Sign, line: bool = False) -> dict:
    """Return how a sign is drawn, by scatter or as an entry of the legend."""
    hollow, face, edge, wide = sign.shape == "ring", "facecolors", "edgecolors", "linewidths"
    if line:
        face, edge, wide = "markerfacecolor", "markeredgecolor", "markeredgewidth"
    return {
        "marker": MARKERS[sign.shape], face: "none" if hollow else sign.colour,
        edge: sign.colour if hollow else "#ffffff", wide: 1.0 if hollow else 0.3,
    }  # fmt: skip


def _framed(axes: Axes, size_mm: tuple[float, float]) -> None:
    """Give the map its frame: all of it to be seen, in its true shape, with a little room around it."""
    west, east, south, north = *axes.get_xlim(), *axes.get_ylim()
    wide, high = (east - west) * 1.02, (north - south) * 1.06
    shape = size_mm[0] * 0.76 / (size_mm[1] * 0.99)
    wide, high = max(wide, high * shape), max(high, wide / shape)
    middle = ((west + east) / 2, (south + north) / 2)
    axes.set_xlim(middle[0] - wide / 2, middle[0] + wide / 2)
    axes.set_ylim(middle[1] - high / 2, middle[1] + high / 2)


def _named(axes: Axes, borders: gpd.GeoDataFrame) -> None:
    """Write the names of units inside them, the largest first; what would lie over another is left out."""
    renderer = FigureCanvasAgg(axes.figure).get_renderer()
    taken: list = []
    halo = [withStroke(linewidth=1.8, foreground="#ffffff")]
    ordered = borders.loc[borders.area.sort_values(ascending=False).index]
    for name, inside in zip(ordered["name"], ordered.representative_point(), strict=True):
        text = axes.text(
            inside.x, inside.y, _plain(name), fontproperties=font(6.5), color=INK, ha="center", va="center",
            path_effects=halo, zorder=5,
        )  # fmt: skip
        box = text.get_window_extent(renderer)
        if any(box.overlaps(each) for each in taken):
            text.remove()
        else:
            taken.append(box)


def _plain(name: object) -> str:
    """Return a name as it may be written: matplotlib reads what stands between dollars as a formula."""
    return str(name)[:14].replace("$", r"\$")


def _scale_bar(axes: Axes) -> None:
    west, east = axes.get_xlim()
    south, north = axes.get_ylim()
    length = scale_length(east - west)
    left, low = west + (east - west) * 0.02, south + (north - south) * 0.025
    rise = (north - south) * 0.008
    axes.plot([left, left, left + length, left + length], [low + rise, low, low, low + rise], color=INK, lw=1)
    said = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    axes.text(left + length / 2, low + rise * 1.6, said, fontproperties=font(6.5), ha="center", va="bottom")


def _north(axes: Axes) -> None:
    place = {"xycoords": "axes fraction", "textcoords": "axes fraction"}
    axes.annotate("", (0.965, 0.985), (0.965, 0.92), arrowprops={"facecolor": INK, "width": 1.2, "headwidth": 6,
                  "headlength": 7, "linewidth": 0}, **place)  # fmt: skip
    axes.text(
        0.965, 0.915, "N", transform=axes.transAxes, fontproperties=font(8, bold=True), ha="center", va="top"
    )


def _legend(figure: Figure, handles: list, fill: Choropleth | None, points: Points | None) -> None:
    title = fill.title if fill else points.title
    legend = figure.legend(
        handles=handles, title=title, prop=font(7), loc="upper left", bbox_to_anchor=(0.775, 0.985), frameon=False,
        alignment="left", borderpad=0, labelspacing=0.55, handlelength=1.4,
    )  # fmt: skip
    legend.get_title().set_fontproperties(font(7.5, bold=True))


def _written(figure: Figure, form: str) -> bytes:
    """Return the bytes of a figure, without the day it was drawn: the same picture is the same file."""
    out = io.BytesIO()
    undated = {"Date": None} if form == "svg" else None
    figure.savefig(out, format=form, dpi=DPI, facecolor="#ffffff", metadata=undated)
    return out.getvalue()
