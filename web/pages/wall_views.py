"""What the views of a wall show: each as the values of its fragment, few rows, for large type."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import shapely
from sqlalchemy.orm import Session

import web.pages.chart as chart
import web.pages.colouring as colouring
import web.pages.whistling as whistling
from gridmgr import clock
from gridmgr.account.rules import SYSTEM, Actor
from gridmgr.casebook import queries as casebook
from gridmgr.casebook.queries import Search
from gridmgr.category import queries as matters
from gridmgr.errors import NotFound
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.hierarchy.model import GridUnit
from gridmgr.life.rules import OPEN
from gridmgr.statistics import queries as statistics
from gridmgr.whistle import queries as whistles
from web.api.search import query

DAYS = 28  # that hotspots and figures look back
ROWS, CASES = 8, 5000
Content = dict[str, Any]


def unit_of(session: Session, actor: Actor, search: Search) -> GridUnit | None:
    """Return the unit that a view is narrowed to, on the map of the filters' last day."""
    try:
        return hierarchy.unit(session, actor, search.code, _day(session, search)) if search.code else None
    except NotFound:
        return None


def _day(session: Session, search: Search) -> date:
    return hierarchy.edition_at(session, search.until).effective


def _map(session: Session, actor: Actor, search: Search, incidents: str, **painted: Any) -> Content:
    """Return what a view of the map is made of: its frame, where its cases come from, the colours of units."""
    unit = unit_of(session, actor, search)
    bounds = hierarchy.bounds(session, actor) or chart.EVERYWHERE
    if unit:
        outline = hierarchy.outline(session, unit.level, unit.code, _day(session, search))
        bounds = shapely.from_geojson(outline).bounds
    west, south, east, north = bounds
    frame = {"box": [[south, west], [north, east]], "incidents": incidents}
    return {"map": frame | {"values": {}, "palette": {}, "level": ""} | painted}


def _hotspots(session: Session, actor: Actor, search: Search) -> Content:
    period, level = _lately(search), "micro_grid"
    found = colouring.KINDS["hotspot"](session, actor, level, period)
    classes = found["values"]
    hot = sorted((code for code in classes if int(classes[code]) > 0), key=lambda code: -int(classes[code]))
    names = _names(session, hot[:ROWS], _day(session, search))
    painted = {"level": level, "values": classes, "palette": found["palette"]}
    return {
        "since": period.since, "entries": found["entries"], "many": len(hot), "facts": [],
        "hot": [(code, names.get(code, code)) for code in hot[:ROWS]],
    } | _map(session, actor, search, "", **painted)  # fmt: skip


def _names(session: Session, codes: list[str], at: date) -> dict[str, str]:
    """Return the names of micro-grids, each behind that of its community: there are many a 第001微网格."""
    asked = hierarchy.listing(session, SYSTEM, "micro_grid", at).where(GridUnit.code.in_(codes))
    units = hierarchy.page(session, asked, len(codes))
    above = hierarchy.names(session, [unit.parent_code for unit in units], at)
    return {unit.code: f"{above.get(unit.parent_code, '')} {unit.name}".strip() for unit in units}


def _lately(search: Search) -> Search:
    return replace(search, since=search.since or clock.today() - timedelta(days=DAYS - 1))


def _cases(session: Session, actor: Actor, search: Search) -> Content:
    numbers = casebook.count_by_state(session, actor, search)
    facts = [(state, numbers[state]) for state in numbers if state in OPEN]
    values = {"facts": facts, "many": sum(number for _state, number in facts), "hot": [], "entries": []}
    cases = "/api/map/incidents" + query(search, size=CASES)
    return values | {"since": None} | _map(session, actor, search, cases)


def _open(session: Session, actor: Actor, search: Search) -> Content:
    return _cases(session, actor, replace(search, open=True))


def _late(session: Session, actor: Actor, search: Search) -> Content:
    return _cases(session, actor, replace(search, open=True, overdue=True))


def _whistles(session: Session, actor: Actor, search: Search) -> Content:
    asked = whistles.Search(None, True, area=search.code or "")
    found = whistles.page(session, actor, asked, ROWS)
    rows = [whistling.lines(session, each) | {"case": case} for each, case in found]
    return {"rows": rows, "categories": matters.by_id(session)}


def _figures(session: Session, actor: Actor, search: Search) -> Content:
    """Return the areas best and worst at closing on time: streets, or communities where there is one street."""
    period = _lately(search)
    counts = ("reported", "due", "closed_on_time", "overdue")
    for level in ("street", "community"):
        found = statistics.figures(session, actor, level, period, counts=counts)
        rows = [each for each in found if each.code and each.rates.get("on_time_rate") is not None]
        if len(rows) > 2:
            break
    ranked = sorted(rows, key=lambda each: (-each.rates["on_time_rate"], -each.counts["due"]))
    best = ranked[: min(5, (len(ranked) + 1) // 2)]
    worst = ranked[len(best) :][-5:][::-1]
    return {"level": level, "best": best, "worst": worst, "since": period.since}


def _latest(session: Session, actor: Actor, search: Search) -> Content:
    found = casebook.page(session, actor, search, ROWS)
    codes = [each.community_code or each.street_code for each in found]
    names = hierarchy.names(session, codes, clock.today())
    rows = [(each, names.get(code, "")) for each, code in zip(found, codes, strict=True)]
    return {"rows": rows, "categories": matters.by_id(session)}


KINDS: dict[str, Callable[[Session, Actor, Search], Content]] = {
    "hotspots": _hotspots, "open": _open, "late": _late, "whistles": _whistles, "figures": _figures,
    "latest": _latest,
}  # fmt: skip
