"""Which unit a click on the map means. Pure: values in, values out."""

from collections.abc import Mapping

from gridmgr.hierarchy.model import BUILDING, COMMUNITY, LEVELS, MICRO_GRID, STREET

# From which zoom on a level's units are large enough on the screen to be aimed at.
CLICKED_FROM = {BUILDING: 17, MICRO_GRID: 15, COMMUNITY: 13, STREET: 0}


def clicked(codes: Mapping[str, str | None], zoom: float, drilled: str | None) -> str | None:
    """Return the code a click means, of those of all levels at its place; None where there is none.

    Inside the unit that is looked at it is the next level below; elsewhere the level that can be aimed at.
    """
    here = next((level for level in LEVELS if drilled and codes.get(level) == drilled), None)
    if here is not None and here != BUILDING:
        aimed = LEVELS[LEVELS.index(here) + 1]
    else:
        aimed = next(level for level, least in CLICKED_FROM.items() if zoom >= least)
    ways = LEVELS[: LEVELS.index(aimed) + 1]
    return next((code for level in reversed(ways) if (code := codes.get(level))), None)
