"""Every map of the product, drawn by folium without one link to the internet.

folium only builds the frame: the map, its layers and controls. Data never passes through its
templates, which run HTML found in names and expand braces: it travels beside them as inert JSON
and becomes text in static/map.js. All words come in translated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from html import escape
from typing import ClassVar
from urllib.parse import quote

import branca.element
import folium
import numpy as np
from folium.elements import JSCSSMixin
from folium.map import Layer
from folium.plugins import Fullscreen, MarkerCluster, VectorGridProtobuf
from folium.template import Template

from gis.drawing import (
    MAX_ZOOM,
    SILENT,
    Fill,
    NothingToDraw,
    Points,
    TileLayer,
    Words,
)
from gis.offline import DATA, MapParts, inert_json, linked, local
from gis.palette import OUTLINE

Map = folium.Map  # so that other modules name it without importing folium


class Offline(branca.element.Figure):
    """A folium figure that serves every script and style sheet from our own folder."""

    def __init__(self, base: str, **data):
        super().__init__()
        self.base, self.data = base, data

    def parts(self) -> MapParts:
        """Render the one map of this figure into its parts; raises UnknownAsset on an unmapped link."""
        chart = next(iter(self._children.values()))
        chart.render()
        links = [child for child in self.header._children.values() if isinstance(child, branca.element.Link)]
        served = [(type(link), path) for link in links if (path := local(link.url))]
        body = self.html.render().strip()
        data = f"{DATA}{inert_json(self.data)}</script>"
        return MapParts(
            stylesheets=tuple(path for kind, path in served if kind is branca.element.CssLink),
            scripts=tuple(path for kind, path in served if kind is branca.element.JavascriptLink),
            body=f"{body}\n{data}",
            script=self.script.render(),
            name=chart.get_name(),
            base=self.base,
        )

    def render(self, **kwargs) -> str:
        """Render a page that loads its files from `base`; this is what folium's own save() writes."""
        return linked(self.parts())


class Frame(JSCSSMixin):
    """Dresses the map with our controls before its first layer, so that no tile is asked for twice."""

    _template = Template(
        "{% macro script(this, kwargs) %}gridmgr.frame({{ this._parent.get_name() }});{% endmacro %}"
    )
    default_js: ClassVar = [("gridmgr_js", "gridmgr:map.js"), ("gridmgr_points_js", "gridmgr:points.js")]
    default_css: ClassVar = [("gridmgr_css", "gridmgr:map.css")]


class Shapes(Layer):
    """A layer that static/map.js draws from the page's data, so that names stay text."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "var {{ this.get_name() }} = gridmgr.shapes({{ this.key|tojson }});"
        "{% endmacro %}"
    )

    def __init__(self, key: str, title: str, overlay: bool = True, show: bool = True, control: bool = True):
        super().__init__(name=_plain(title), overlay=overlay, show=show, control=control)
        self._name, self.key = "Shapes", key


class Start(branca.element.MacroElement):
    """Hands the finished layers to static/map.js by name; must be the last child of the map."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "gridmgr.start({{ this._parent.get_name() }}, { {%- for key, layer in this.layers.items() %}"
        "{{ key|tojson }}: {{ layer.get_name() }}, {% endfor -%} },"
        " {{ this.cluster.get_name() if this.cluster else 'null' }});"
        "{% endmacro %}"
    )

    def __init__(self, layers: Mapping[str, Layer], cluster: MarkerCluster | None):
        super().__init__()
        self.layers, self.cluster = layers, cluster


def tile_map(
    tiles: Sequence[TileLayer],
    bounds: Sequence[float],
    *,
    words: Words = SILENT,
    incidents: Points | None = None,
    fills: Mapping[str, Fill] | None = None,
    attribution: str | None = None,
    base_url: str | None = None,
    base: str = "/static/",
    pick: bool = False,
    view: Sequence[float] | None = None,
) -> folium.Map:
    """Draw borders and buildings from vector tiles, with incidents clustered over them.

    Parameters
    ----------
    tiles : sequence of TileLayer
        From the lowest layer to the topmost.
    bounds : (4,) floats
        West, south, east, north in degrees, EPSG:4326: what is seen first.
    words : Words
        Translated texts of controls and cards.
    incidents : Points, optional
        Clustered and coloured by disposal status.
    fills : mapping of level to Fill, optional
        Units filled by class, fetched after the map has opened.
    attribution : str, optional
        Whose map it is, shown as text in a corner.
    base_url : str, optional
        Address of raster tiles on the intranet, with {z}, {x}, {y}.
    base : str
        Where the static files are served.
    pick : bool
        Whether a click chooses a place; see `pick_map`.
    view : (3,) floats, optional
        Longitude and latitude of the middle in degrees, EPSG:4326, and the zoom, to be seen first instead of
        all within the bounds.

    Returns
    -------
    folium.Map
        To be given to `parts`.

    Raises
    ------
    NothingToDraw
        A bound is not finite.

    Examples
    --------
    >>> grids = TileLayer("micro_grid", "Micro-grids", "/tiles/micro_grid/{z}/{x}/{y}.pbf", min_zoom=12)
    >>> "L.vectorGrid.protobuf" in parts(tile_map([grids], (119.9, 30.2, 120.1, 30.3))).script
    True
    """
    data = {"pick": pick, "view": view}
    if fills:
        data["fills"] = {level: asdict(fill) for level, fill in fills.items()}
    chart = empty(bounds, words, base, attribution=attribution, incidents=incidents, **data)
    add_base(chart, base_url)
    layers = {tile.name: _vector_grid(tile).add_to(chart) for tile in tiles}
    return finish(chart, layers, incidents)


def pick_map(tiles: Sequence[TileLayer], bounds: Sequence[float], **options) -> folium.Map:
    """Draw the map of the report form, on which a click chooses a place.

    Parameters
    ----------
    tiles, bounds, options
        As for `tile_map`.

    Returns
    -------
    folium.Map
        ``gridmgr.pick(lon, lat)`` moves its mark; a click tells the page by ``gridmgr:picked`` (lon, lat).

    Examples
    --------
    >>> '"pick":true' in parts(pick_map([], (119.9, 30.2, 120.1, 30.3))).body
    True
    """
    return tile_map(tiles, bounds, pick=True, **options)


def parts(chart: folium.Map) -> MapParts:
    """Render a map into the parts that a page or a file is made of.

    Parameters
    ----------
    chart : folium.Map
        What one of the builders returned.

    Returns
    -------
    MapParts

    Raises
    ------
    UnknownAsset
        A layer asks for a file that we don't serve.

    Examples
    --------
    >>> parts(tile_map([], (119.9, 30.2, 120.1, 30.3))).scripts[0]
    'vendor/leaflet/dist/leaflet.js'
    """
    return chart.get_root().parts()


def empty(
    bounds: Sequence[float],
    words: Words,
    base: str,
    *,
    canvas: bool = False,
    attribution: str | None = None,
    incidents: Points | None = None,
    **data,
) -> folium.Map:
    """Open a map over its bounds, with the data that its layers will ask for.

    Parameters
    ----------
    bounds, words, base, attribution, incidents
        As for `tile_map`.
    canvas : bool
        Whether shapes are drawn on one canvas: faster for thousands of them.
    data
        Further JSON-able parts of the page's data, read by static/map.js.

    Returns
    -------
    folium.Map

    Raises
    ------
    NothingToDraw
        A bound is not finite.

    Examples
    --------
    >>> empty((119.9, 30.2, 120.1, 30.3), SILENT, "/static/").location
    [30.25, 120.0]
    """
    if not np.isfinite(bounds).all():
        raise NothingToDraw()
    west, south, east, north = map(float, bounds)
    if incidents:
        data["incidents"] = incidents.data()
    chart = folium.Map(
        location=[(south + north) / 2, (west + east) / 2],
        tiles=None,
        zoom_control=False,
        prefer_canvas=canvas,
        maxZoom=MAX_ZOOM,  # clusters ask the map, since no tile layer says it
        zoomSnap=0.25,  # so that a district fills the screen, not half of it
        attributionControl=bool(attribution),
    )
    box = [[south, west], [north, east]]
    Offline(base, bounds=box, words=asdict(words), attribution=attribution, **data).add_child(chart)
    Frame().add_to(chart)
    return chart


def add_base(chart: folium.Map, base_url: str | None) -> None:
    """Lay raster tiles of the intranet under a map, if an address of some is given.

    Examples
    --------
    >>> chart = empty((120, 30, 121, 31), SILENT, "/static/")
    >>> add_base(chart, "https://tiles.city.example/{z}/{x}/{y}.png")
    >>> chart.options["zoomSnap"]
    1
    """
    if base_url:
        layer = folium.TileLayer(base_url, attr=" ", control=False, max_zoom=MAX_ZOOM)
        layer.options.pop("attribution")
        layer.add_to(chart)
        chart.options["zoomSnap"] = 1  # pictures are drawn for whole levels, and blur between them


def finish(chart: folium.Map, layers: Mapping[str, Layer], incidents: Points | None = None) -> folium.Map:
    """Add what every map ends with: clusters above all layers, controls, and the hand-over to map.js.

    Parameters
    ----------
    chart : folium.Map
        From `empty`, with its layers added.
    layers : mapping of str to Layer
        The layers by the names that static/map.js knows them by.
    incidents : Points, optional
        As given to `empty`.

    Returns
    -------
    folium.Map
        The same map.

    Examples
    --------
    >>> "gridmgr.start(" in parts(finish(empty((119.9, 30.2, 120.1, 30.3), SILENT, "/"), {})).script
    True
    """
    cluster = None
    if incidents:
        cluster = MarkerCluster(
            name=_plain(incidents.title),
            icon_create_function="gridmgr.ring",
            show_coverage_on_hover=False,
        ).add_to(chart)
    Fullscreen(
        title=folium.JsCode("gridmgr.words.full_screen"),
        title_cancel=folium.JsCode("gridmgr.words.leave_full_screen"),
    ).add_to(chart)
    folium.LayerControl().add_to(chart)
    Start(layers, cluster).add_to(chart)
    return chart


def _vector_grid(tile: TileLayer) -> VectorGridProtobuf:
    style = dict(tile.style or OUTLINE[tile.name])
    options = {
        "vectorTileLayerStyles": folium.JsCode(inert_json({tile.name: style})),
        "rendererFactory": folium.JsCode("L.canvas.tile"),
        "getFeatureId": folium.JsCode("(feature) => feature.properties.code"),
        "interactive": True,
        "minZoom": tile.min_zoom,
        "maxZoom": MAX_ZOOM,
        "maxNativeZoom": tile.max_zoom,
    }
    # folium writes the address between quotes as it is.
    address = quote(tile.url, safe="/:?&=%{}.,-_~@+")
    return VectorGridProtobuf(address, name=_plain(tile.title), options=options)


def _plain(title: str) -> str:
    """A title that Leaflet, which reads it as HTML, and folium's templates both take as text."""
    return escape(title).replace("{", "&#123;")
