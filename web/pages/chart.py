"""What all maps of the pages share: their layers, their words, and how incidents are drawn on them."""

from collections.abc import Sequence

from gis import maps
from gis.drawing import Points, TileLayer, Words
from gis.offline import MapParts
from gridmgr.hierarchy.model import LEVELS, Edition
from gridmgr.settings import settings
from web import words
from web.i18n import _

LOWEST_ZOOM = 3
SHOWN_FROM = {"street": 0, "community": 10, "micro_grid": 12, "building": 15}  # unless they are coloured
EVERYWHERE = (73.0, 18.0, 135.0, 53.5)  # what a map without units looks at


def tiles(edition: Edition) -> list[TileLayer]:
    """Return the four levels of an edition as tile layers, buildings lowest and streets on top."""
    return [
        TileLayer(
            level,
            words.word(words.LEVELS, level),
            f"/tiles/{level}/{edition.stamp}/{{z}}/{{x}}/{{y}}.pbf",
            min_zoom=SHOWN_FROM[level],
        )
        for level in reversed(LEVELS)
    ]


def said() -> Words:
    """Return the words of a map's controls and cards in the language of this request."""
    return Words(
        zoom_in=_("Zoom in"),
        zoom_out=_("Zoom out"),
        full_screen=_("Full screen"),
        leave_full_screen=_("Leave full screen"),
        layers=_("Layers"),
        legend=_("Legend"),
        open=_("Open"),
        code=_("Code"),
        number=_("Number"),
        state=_("State"),
        category=_("Category"),
        many=_("{n} incidents at this place"),
    )


def points(url: str = "", items: Sequence[Sequence] = (), live: bool = False) -> Points:
    """Return incidents as a layer, by address or as rows; live ones the page loads when it hears what changes."""
    labels = {state: words.word(words.STATES, state) for state in words.STATES}
    return Points(_("Incidents"), labels, url=url, items=items, words=called() if url else {}, live=live)


def called() -> dict[str, object]:
    """Return what marks say beside the state of their incident, as the rows of a map's list count it."""
    lateness = [words.word(words.LATENESS, each) for each in words.LATENESS]
    return {
        "source": {each: words.word(words.SOURCES, each) for each in words.SOURCES},
        "severity": {each: words.word(words.URGENCIES, each) for each in words.URGENCIES},
        "lateness": ["", *lateness],
        "whistled": _("Whistled"),
        "supervised": _("Supervised"),
    }


def ground() -> dict[str, str]:
    """Return the intranet's base map, if the settings name one."""
    return {"base_url": settings().base_map_url} if settings().base_map_url else {}


def parts(drawn: maps.Map) -> MapParts:
    """Render a map for a page; without a lowest zoom Leaflet would start at that of the first layer."""
    drawn.options["minZoom"] = LOWEST_ZOOM
    return maps.parts(drawn)
