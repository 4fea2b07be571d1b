"""`gridmgr figures` and `gridmgr map`: the rates with their formulas, and a map in one file."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gis.errors import BadInput
from gridmgr.cli.output import Json, err, opened, print_json, print_table, say, writable
from gridmgr.i18n import LOCALES, _, language, percent
from gridmgr.words import HOTSPOTS, STATES, word
from gridmgr.words.figures import COUNTS, RATES

if TYPE_CHECKING:
    from gis import drawing
    from gridmgr.casebook.queries import Search
    from gridmgr.statistics.queries import Figures

STATIC = Path(__file__).resolve().parents[2] / "web" / "static"
MAP_POINTS = 50_000

Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]
Since = Annotated[
    datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Reported from that day on.")
]
Until = Annotated[
    datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Reported up to that day.")
]
Level = Annotated[str, typer.Option(help="street | community | micro_grid | building")]


class Areas(StrEnum):
    """By which areas cases are counted."""

    THEN = "then"
    WAS = "was"
    NOW = "now"


class BackwardPeriod(BadInput):
    """The period ends before it begins: {since} is later than {until}."""


class NoSuchTable(BadInput):
    """There is no table {name}; there are: {known}."""


class NothingToDrawYet(BadInput):
    """The map of {at} has no {level}; import the grids first."""


def searched(since: datetime | None, until: datetime | None) -> "Search":
    """Return a search of a period; raises BackwardPeriod."""
    from gridmgr.casebook.queries import Search

    if since and until and since > until:
        raise BackwardPeriod(since=since.date(), until=until.date())
    return Search(since=since.date() if since else None, until=until.date() if until else None)


def figures(
    by: Annotated[
        str,
        typer.Option(
            help="street | community | micro_grid | building | body | module | post | reporter | category | source"
        ),
    ] = "",
    level: Level = "street",
    since: Since = None,
    until: Until = None,
    at: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="As it stood at the end of that day.")
    ] = None,
    previous: Annotated[bool, typer.Option(help="The period of the same length before, too.")] = False,
    without: Annotated[
        list[str] | None,
        typer.Option(
            help="Leave out of what is due: suspended | voided | merged | unclocked; nothing leaves out none."
        ),
    ] = None,
    areas: Annotated[
        Areas, typer.Option(help="then: as kept | was: of the day of the report | now: on the map in force")
    ] = Areas.THEN,
    table: Annotated[str, typer.Option(help="time | loop | quality | people | speed")] = "time",
    as_json: Json = False,
) -> None:
    """Print the rates of every area, body, person or category, with their formulas."""
    from dataclasses import replace

    from gridmgr.account.rules import SYSTEM
    from gridmgr.past.queries import moment
    from gridmgr.statistics import queries, rules
    from gridmgr.tally import queries as tally

    if table not in rules.TABLES:
        raise NoSuchTable(name=table, known=" | ".join(rules.TABLES))
    search, by = replace(searched(since, until), without=tuple(without or ())), by or level
    before = queries.previous(search, at and at.date()) if previous else None
    told = []
    with opened() as session:
        instant, terms = moment(at.date()) if at else None, tally.terms(session, at and at.date())
        for one in (search, before) if before else (search,):
            told.append((one, *queries.table(session, SYSTEM, by, one, instant, areas=areas)))
    formulas = {name: rate.formula for name, rate in rules.RATES.items()}
    formulas[rules.SCORE] = " + ".join(f"{weight:g} × {name}" for name, weight in terms.weights.items())
    if as_json:
        periods = [
            {"since": one.since, "until": one.until, "areas": rows, "total": total}
            for one, rows, total in told
        ]
        meant = {"formulas": formulas, "counts": rules.COUNTS | rules.SUMS, "by": by, "at": instant}
        print_json(periods[0] | meant | ({"previous": periods[1]} if before else {}))
        return
    for one, rows, total in told:
        _print_figures(one, rows, total, *rules.TABLES[table])
    for name in rules.TABLES[table][1]:
        parts = (word(COUNTS, word(RATES, part)) for part in formulas[name].split(" "))
        say("{rate} = {formula}", rate=word(RATES, name), formula=" ".join(parts))
    for name in rules.TABLES[table][0]:
        say("{count}: {meaning}", count=word(COUNTS, name), meaning=_(rules.COUNTS[name]))


def _print_figures(search: "Search", rows: list, total: "Figures", counts: tuple, rates: tuple) -> None:
    """Print one period as a table, its total last."""
    from gridmgr.statistics.rules import UNITS

    def cells(each: "Figures") -> list[object]:
        values = [each.rates[name] if UNITS[name] == "hours" else percent(each.rates[name]) for name in rates]
        return [*(each.counts[name] for name in counts), *values]

    columns = [*(word(COUNTS, name) for name in counts), *(word(RATES, name) for name in rates)]
    lines = [(each.code or _("none"), each.name, *cells(each)) for each in rows]
    lines.append((_("total"), "", *cells(total)))
    period = f"{search.since or '…'} — {search.until or '…'}"
    print_table(f"{_('Figures')} {period}", [_("code"), _("name"), *columns], lines)


def figure_terms(
    since: Annotated[
        datetime | None,
        typer.Option(
            "--from", formats=["%Y-%m-%d"], help="Set new terms from that day on, otherwise from today."
        ),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(help="Leave out of what is due: suspended | voided | merged | unclocked"),
    ] = None,
    satisfied_from: Annotated[int | None, typer.Option(help="Of 5: who gives so much is satisfied.")] = None,
    response_hours: Annotated[
        float | None, typer.Option(help="In which a public report is accepted in time.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the terms of figures in force, or set new ones from a day on."""
    from gridmgr import clock
    from gridmgr.account.rules import SYSTEM
    from gridmgr.tally import queries, rules, service

    asked = {"without": without, "satisfied_from": satisfied_from, "response_hours": response_hours}
    given = {name: value for name, value in asked.items() if value is not None}
    with opened() as session:
        day = since.date() if since else clock.today()
        terms = rules.plain(queries.terms(session, day))
        if since or given:
            terms = dict(service.set_terms(session, SYSTEM, day, terms | given).terms)
    if as_json:
        print_json(terms)
        return
    lines = [
        (name, ", ".join(map(str, value)) if isinstance(value, list) else str(value))
        for name, value in terms.items()
    ]
    print_table(_("Terms of figures"), [_("name"), _("value")], lines)


def write_map(out: Path, level: Level = "micro_grid", since: Since = None, until: Until = None) -> None:
    """Write a standalone folium map: hotspots and counts by unit, incidents by disposal status."""
    from gis import drawing, maps, offline, thematic
    from gridmgr import clock
    from gridmgr.account.rules import SYSTEM
    from gridmgr.casebook import queries as casebook
    from gridmgr.category import queries as matters
    from gridmgr.hierarchy import queries as hierarchy
    from gridmgr.hotspot import queries as hotspot
    from gridmgr.statistics import queries

    writable(out)
    search = searched(since, until)
    with err.status(_("Drawing {file} …", file=out.name)), opened() as session:
        at = search.until or clock.today()
        units = hierarchy.frame(session, level, at).set_index("code", drop=False)
        if units.empty:
            raise NothingToDrawYet(at=at, level=level)
        found = hotspot.gi(session, SYSTEM, level, search)
        counts = queries.unit_counts(session, SYSTEM, level, search)
        names = {each.id: each.name(language.get()) for each in matters.by_id(session).values()}
        points = casebook.map_points(session, SYSTEM, search, MAP_POINTS)
    units["count"] = units["code"].map(counts).fillna(0).astype(int)
    units["klass"] = found.units["klass"].reindex(units.index).fillna(0).astype(int)
    units["band"] = _bands(units["count"])
    items = [
        [number, number, lon, lat, state, names.get(category, ""), ""]
        for number, lon, lat, state, category, *_rest in points
    ]
    chart = thematic.value_map(
        units.reset_index(drop=True),
        [
            drawing.Choropleth("klass", _("Hotspots"), hotspot_classes()),
            drawing.Choropleth("band", _("Incidents"), _band_classes(units["count"])),
        ],
        points=drawing.Points(
            _("Incidents"), {state: _(called) for state, called in STATES.items()}, items=items
        ),
        words=map_words(),
    )
    page = offline.standalone(
        maps.parts(chart), STATIC, _("Incident map"), LOCALES[language.get()].replace("_", "-")
    )
    out.write_text(page, "utf-8")
    say(
        "Map with {units} units and {points} incidents written to {file}.",
        units=len(units),
        points=len(items),
        file=out,
    )


def hotspot_classes() -> "list[drawing.Class]":
    """Return the hotspot classes with their words, hottest first."""
    from gis import drawing, palette

    return [drawing.Class(klass, colour, word(HOTSPOTS, klass)) for klass, colour in palette.HOTSPOT.items()]


def map_words() -> "drawing.Words":
    """Return what the controls of a map say."""
    from gis import drawing

    return drawing.Words(
        zoom_in=_("Zoom in"), zoom_out=_("Zoom out"), full_screen=_("Full screen"),
        leave_full_screen=_("Leave full screen"), layers=_("Layers"), open=_("Open"), code=_("Code"),
        number=_("Number"), state=_("State"), category=_("Category"),
    )  # fmt: skip


def _edges(counts) -> list[int]:
    """Return the lower ends of five bands that hold about as many units each."""
    return sorted({int(counts.quantile(share)) for share in (0, 0.5, 0.75, 0.9, 0.97)})


def _bands(counts):
    edges = _edges(counts)
    return counts.map(lambda count: sum(count >= edge for edge in edges) - 1)


def _band_classes(counts) -> "list[drawing.Class]":
    from gis import drawing, palette

    edges = _edges(counts)
    upper = [*edges[1:], int(counts.max()) + 1]
    return [
        drawing.Class(band, palette.COUNTS[band], f"{low}–{high - 1}" if high - 1 > low else str(low))
        for band, (low, high) in enumerate(zip(edges, upper, strict=True))
    ]
