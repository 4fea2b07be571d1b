"""The ways of looking at where it hurts: for each its table, its legend, and what the map is to show."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.orm import Session

import web.pages.colouring as colouring
from gis.crs import to_metric
from gis.drawing import features
from gis.palette import COUNTS, EMERGING
from gridmgr.account.rules import Actor
from gridmgr.casebook.queries import Search
from gridmgr.hotspot import queries, rules
from gridmgr.hotspot.model import Found
from web import words
from web.api.search import query
from web.i18n import _, language, number

HUES = dict(zip("12345", COUNTS, strict=True))


@dataclass(frozen=True)
class Column:
    """A column of a table: under which name a row holds it, its title, and how it is shown."""

    name: str
    title: str
    kind: str = "number"  # number, rate, cases, unit, class, course, text, moment, latest
    digits: int = 0


@dataclass(frozen=True)
class View:
    """What a look comes to; `shown` is what the map is handed, `words` what classes and values are called."""

    columns: tuple[Column, ...]
    rows: list[dict[str, Any]]
    sort: str  # column the rows are ordered by until somebody chooses, a minus for large to small
    card: Mapping[str, Any]
    search: Search
    entries: list[dict] = field(default_factory=list)
    shown: dict[str, Any] = field(default_factory=dict)

    @property
    def classes(self) -> dict[str, dict]:
        """The legend's entries by value."""
        return {entry["value"]: entry for entry in self.entries}


def now(session: Session, actor: Actor, level: str, search: Search, _asked: Mapping[str, Any]) -> View:
    """Look where more is reported than chance explains."""
    found = queries.gi(session, actor, level, search)
    columns = (
        *_unit(level), Column("klass", _("Class"), "class"), Column("z", "z", "rate"), Column("p", "p", "share"),
        Column("q", _("p, adjusted"), "share"),
    )  # fmt: skip
    return _view(found, columns, "-z", level, search)


def trend(session: Session, actor: Actor, level: str, search: Search, asked: Mapping[str, Any]) -> View:
    """Look how hot spots came and went."""
    found = queries.trend(session, actor, level, search, asked["step"])
    columns = (
        *_unit(level), Column("klass", _("Class"), "class"), Column("course", _("Course, oldest first"), "course"),
        Column("hot", _("Periods hot")), Column("cold", _("Periods cold")), Column("last", _("Last z"), "rate"),
        Column("trend", _("Trend z"), "rate"), Column("p", _("p of the trend"), "share"),
    )  # fmt: skip
    inside = replace(search, since=found.card.get("since"), until=found.card.get("until"))
    view = _view(found, columns, "klass", level, inside)
    if found.steps is not None:
        signs = {1: "▲", 0: "·", -1: "▼"}
        courses = {code: "".join(map(signs.get, row)) for code, *row in found.steps.itertuples()}
        for row in view.rows:
            row["course"] = courses[row["code"]]
    marked = found.units[found.units["klass"] != "none"]
    view.shown["marks"] = [
        [lon, lat, EMERGING[klass].shape]
        for lon, lat, klass in zip(marked["lon"], marked["lat"], marked["klass"], strict=True)
    ]
    return view


def rates(session: Session, actor: Actor, level: str, search: Search, asked: Mapping[str, Any]) -> View:
    """Look at cases set against households, area or patrol hours."""
    base = asked["base"]
    found = queries.rates(session, actor, level, search, base)
    columns = (
        *_unit(level), Column("base", words.word(words.RATE_BASES, base), "rate"),
        Column("rate", words.word(words.PER, base), "rate"), Column("smoothed", _("smoothed"), "rate"),
        Column("nearby", _("smoothed with the neighbours"), "rate"), Column("by_count", _("Rank by number")),
        Column("by_rate", _("Rank by rate")), Column("klass", _("Class"), "class"),
    )  # fmt: skip
    inside = replace(search, since=found.card.get("since"), until=found.card.get("until"))
    return _view(found, columns, "by_rate", level, inside)


def density(session: Session, actor: Actor, _level: str, search: Search, asked: Mapping[str, Any]) -> View:
    """Look how densely cases lie."""
    found = queries.density(session, actor, search, asked["bandwidth"])
    areas = found.areas.assign(klass=found.areas["klass"].astype(int).astype(str))
    size = to_metric(areas).area / 1e6 if len(areas) else []
    entries = [
        {"value": row.klass, "label": _("{low} to {high} per km²", low=number(row.low), high=number(row.high)),
         "colour": HUES[row.klass], "mark": "", "count": None}
        for row in areas.itertuples()
    ]  # fmt: skip
    rows = [
        {"code": row.klass, "klass": row.klass, "low": row.low, "high": row.high, "area": km2}
        for row, km2 in zip(areas.itertuples(), size, strict=True)
    ]
    columns = (
        Column("klass", _("Band"), "class"), Column("low", _("From, per km²"), "rate"),
        Column("high", _("To, per km²"), "rate"), Column("area", _("Area in km²"), "rate"),
    )  # fmt: skip
    shown = {"areas": features(areas, ["klass"]), "palette": HUES, "labels": _labels(entries)}
    return View(columns, rows, "-low", found.card, search, entries, shown)


def repeat(session: Session, actor: Actor, _level: str, search: Search, asked: Mapping[str, Any]) -> View:
    """Look at places that come back."""
    found = queries.repeats(session, actor, search, asked["least"], asked["within"])
    rows = [
        {"code": each.building, "name": each.name or each.building, "category": each.category,
         "title": each.title.get(language.get(), each.category), "count": each.count, "open": each.open,
         "most": each.most, "between": each.between, "shortest": each.shortest, "last": each.last,
         "cases": each.cases, "lon": each.lon, "lat": each.lat}
        for each in found.places
    ]  # fmt: skip
    columns = (
        Column("name", _("Building"), "unit"), Column("title", _("Category"), "text"),
        Column("count", _("Incidents"), "cases"), Column("open", _("Open")),
        Column("most", _("Most within {n} days", n=asked["within"])),
        Column("between", _("Days between, on average"), "rate"), Column("shortest", _("Shortest"), "rate"),
        Column("last", _("Last reported"), "moment"),
        Column("cases", _("Latest ones, days after the one before"), "latest"),
    )  # fmt: skip
    points = [
        [row["lon"], row["lat"], row["count"], f"{row['name']} · {row['title']}", case_link(search, row)]
        for row in rows
        if row["lon"] is not None
    ]
    return View(columns, rows, "-count", found.card, search, shown={"points": points})


LOOKS: dict[str, Callable[..., View]] = {
    "now": now, "trend": trend, "rates": rates, "density": density, "repeat": repeat,
}  # fmt: skip
OF_UNITS = ("now", "trend", "rates")  # those that colour the units of a level
ORDER = {
    klass: n for n, klass in enumerate((*(str(n) for n in range(3, -4, -1)), *EMERGING, *rules.RATE_CLASSES))
}


def ordered(view: View, sort: str) -> list[dict[str, Any]]:
    """Return the rows by a column, a leading minus from large to small; what has no value stands last."""
    known = {column.name: column for column in view.columns}
    chosen = sort if sort.lstrip("-") in known and sort.lstrip("-") != "cases" else view.sort
    name, down = chosen.lstrip("-"), chosen.startswith("-")

    def value(row: Mapping[str, Any]) -> Any:
        return ORDER.get(row[name], 0) if known[name].kind == "class" else row[name]

    said = sorted((row for row in view.rows if row[name] is not None), key=value, reverse=down)
    return said + [row for row in view.rows if row[name] is None]


def case_link(search: Search, row: Mapping[str, Any]) -> str:
    """Return where the cases behind a row are listed."""
    more = {"category": row["category"]} if "category" in row else {}
    return "/incidents" + query(replace(search, code=row["code"], **more))


def _unit(level: str) -> tuple[Column, ...]:
    return Column("name", words.word(words.LEVELS, level), "unit"), Column("count", _("Incidents"), "cases")


def _view(found: Found, columns: tuple[Column, ...], sort: str, level: str, search: Search) -> View:
    table = found.units.reset_index(names="code").astype(object)
    rows = table.where(table.notna(), None).to_dict("records")
    for row in rows:
        row["klass"] = str(row["klass"])
    of = colouring.of(found)
    entries = of["entries"]
    counts = {row["code"]: row["count"] for row in rows if row["code"] in of["values"]}
    shown = {
        "level": level, "values": of["values"], "palette": of["palette"], "labels": _labels(entries),
        "counts": counts, "cases": "/incidents" + query(replace(search, code=None)),
    }  # fmt: skip
    return View(columns, rows, sort, found.card, search, entries, shown)


def _labels(entries: list[dict]) -> dict[str, str]:
    return {entry["value"]: entry["label"] for entry in entries}
