"""`gridmgr hotspots`: where it hurts, how that goes, rates, densities, places that come back; each with its card."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridmgr.cli.figures import STATIC, NothingToDrawYet, Since, Until, map_words, searched
from gridmgr.cli.output import Json, opened, out, print_json, print_table, say, writable
from gridmgr.i18n import LOCALES, _, language, moment, number
from gridmgr.words import HOTSPOTS, word
from gridmgr.words.methods import EMERGING, PER, RATE_BASES, SAID_CLASSES, told

if TYPE_CHECKING:
    from gridmgr.hotspot.model import Found

app = typer.Typer(
    no_args_is_help=True, help="Where it hurts: hot spots, rates, densities, places that come back."
)
SHOWN = 20  # lines; --json has all
Level = Annotated[str, typer.Option(help="street | community | micro_grid")]
MapFile = Annotated[Path | None, typer.Option("--map", help="Also write a map that opens without a network.")]
Category = Annotated[str | None, typer.Option(help="Beginning of a category's code.")]
Code = Annotated[str | None, typer.Option(help="A unit of any level.")]


def _search(since: Any, until: Any, category: str | None, code: str | None):
    from dataclasses import replace

    return replace(searched(since, until), category=category, code=code)


@app.command("gi")
def gi(
    level: Level = "micro_grid", since: Since = None, until: Until = None, category: Category = None,
    code: Code = None, map_file: MapFile = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Print where more, or less, is reported than chance explains (Getis-Ord Gi*)."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.hotspot import queries

    writable(map_file)
    with opened() as session:
        found = queries.gi(session, SYSTEM, level, _search(since, until, category, code))
        _draw(session, found, map_file, level, until)
    table = found.units.sort_values("z", ascending=False)
    rows = [
        (row.Index, row.name, row.count_, _klass(found, row.klass), row.z, row.q)
        for row in table.rename(columns={"count": "count_"}).head(SHOWN).itertuples()
    ]
    columns = [_("code"), _("name"), _("Incidents"), _("Class"), "z", _("p, adjusted")]
    _tell(found, columns, rows, as_json)


@app.command("trend")
def trend(
    level: Level = "micro_grid", since: Since = None, until: Until = None,
    step: Annotated[str, typer.Option(help="day | week")] = "day",
    periods: Annotated[int | None, typer.Option(help="How many, if --from is not given.")] = None,
    category: Category = None, code: Code = None, map_file: MapFile = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Print how hot spots came and went: the 17 classes of emerging hot spots."""
    from gis.emerging import CLASSES
    from gridmgr.account.rules import SYSTEM
    from gridmgr.hotspot import queries

    writable(map_file)
    with opened() as session:
        search = _search(since, until, category, code)
        found = queries.trend(session, SYSTEM, level, search, step, periods)
        _draw(session, found, map_file, level, until)
    table = found.units.sort_values("klass", key=lambda classes: classes.map(CLASSES.index))
    rows = [
        (row.Index, row.name, row.count_, _klass(found, row.klass), row.hot, row.cold, row.trend)
        for row in table.rename(columns={"count": "count_"}).head(SHOWN).itertuples()
    ]
    columns = [
        _("code"), _("name"), _("Incidents"), _("Class"), _("Periods hot"), _("Periods cold"), _("Trend z"),
    ]  # fmt: skip
    _tell(found, columns, rows, as_json)


@app.command("rates")
def rates(
    level: Level = "micro_grid", since: Since = None, until: Until = None,
    base: Annotated[str, typer.Option(help="households | area | hours")] = "households",
    minimum: Annotated[float | None, typer.Option(min=0, help="Smallest base of which anything is said.")] = None,
    category: Category = None, code: Code = None, map_file: MapFile = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Print cases per 100 households, per km² or per 100 patrol hours, with the ranks by number and by rate."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.hotspot import queries

    writable(map_file)
    with opened() as session:
        found = queries.rates(session, SYSTEM, level, _search(since, until, category, code), base, minimum)
        _draw(session, found, map_file, level, until)
    table = found.units.sort_values("by_rate").astype(object)
    table = table.where(table.notna(), None)
    rows = [
        (row.Index, row.name, row.count_, row.base, row.rate, row.smoothed, row.by_count, row.by_rate)
        for row in table.rename(columns={"count": "count_"}).head(SHOWN).itertuples()
    ]
    columns = [
        _("code"), _("name"), _("Incidents"), word(RATE_BASES, base), word(PER, base), _("smoothed"),
        _("Rank by number"), _("Rank by rate"),
    ]  # fmt: skip
    _tell(found, columns, rows, as_json)


@app.command("density")
def density(
    since: Since = None, until: Until = None,
    bandwidth: Annotated[float, typer.Option(help="How far a case reaches, in metres.")] = 300,
    category: Category = None, code: Code = None, map_file: MapFile = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Print the areas in which cases lie densest, as GeoJSON with --json."""
    import json

    from gis import palette
    from gridmgr.account.rules import SYSTEM
    from gridmgr.hotspot import queries

    writable(map_file)
    with opened() as session:
        found = queries.density(session, SYSTEM, _search(since, until, category, code), bandwidth)
    labels = {
        int(row.klass): _("{low} to {high} per km²", low=number(row.low), high=number(row.high))
        for row in found.areas.itertuples()
    }
    if map_file and labels:
        areas = found.areas.assign(code=found.areas["klass"].astype(str), name="")
        _write(
            map_file, areas, [(klass, palette.COUNTS[klass - 1], label) for klass, label in labels.items()]
        )
    if as_json:
        return print_json({"areas": json.loads(found.areas.to_json(drop_id=True)), "card": found.card})
    print_table(_("Densest places"), [_("Band"), ""], labels.items())
    _card(found.card)
    return None


@app.command("repeat")
def repeat(
    since: Since = None, until: Until = None,
    least: Annotated[int, typer.Option(min=2, help="So many cases …")] = 3,
    within: Annotated[int, typer.Option(min=1, help="… within so many days.")] = 30,
    category: Category = None, code: Code = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Print the buildings in which the same matter came up again and again."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.hotspot import queries

    with opened() as session:
        found = queries.repeats(session, SYSTEM, _search(since, until, category, code), least, within)
    if as_json:
        return print_json({"items": found.places, "card": found.card})
    rows = [
        (each.building, each.name, each.title.get(language.get(), each.category), each.count, each.most,
         each.between, moment(each.last))
        for each in found.places[:SHOWN]
    ]  # fmt: skip
    columns = [
        _("code"), _("Building"), _("Category"), _("Incidents"), _("Most within {n} days", n=within),
        _("Days between, on average"), _("Last reported"),
    ]  # fmt: skip
    print_table(_("Places that come back"), columns, rows)
    _card(found.card)
    return None


def _tell(found: "Found", columns: list[str], rows: list[tuple], as_json: bool) -> None:
    if as_json:
        units = found.units.reset_index(names="code").to_dict("records")
        if found.steps is not None:
            for unit in units:
                unit["steps"] = found.steps.loc[unit["code"]].to_numpy()
        print_json({"card": found.card, "classes": found.classes, "units": units})
        return
    title = _("The first {most} of {n} rows; --json has all.", most=len(rows), n=len(found.units))
    print_table(title, columns, rows)
    _card(found.card)


def _card(card: Any) -> None:
    for title, text in told(card):
        out.print(f"{title}: {text}", markup=False, highlight=False)


def _klass(found: "Found", klass: Any) -> str:
    tables = {"gi": HOTSPOTS, "trend": EMERGING, "rates": SAID_CLASSES}
    return word(tables[found.kind], str(klass))


def _classes(found: "Found") -> list[tuple]:
    """Return (value, colour, words) of each class of a result."""
    from gis import palette

    if found.kind == "gi":
        return [(klass, colour, _klass(found, klass)) for klass, colour in palette.HOTSPOT.items()]
    if found.kind == "trend":
        return [
            (klass, sign.colour, f"{sign.shape} {_klass(found, klass)}".strip())
            for klass, sign in palette.EMERGING.items()
        ]
    fifths = [(str(n), colour, _("Fifth {n} of 5", n=n)) for n, colour in enumerate(palette.COUNTS, start=1)]
    return fifths + [(klass, colour, _klass(found, klass)) for klass, colour in palette.UNSAID.items()]


def _draw(session: Any, found: "Found", file: Path | None, level: str, until: Any) -> None:
    """Write a standalone map of classes, if one is asked for."""
    if file is None:
        return
    from gridmgr.hierarchy import queries as hierarchy

    at = found.card.get("as_of") or hierarchy.edition_at(session, until and until.date()).effective
    units = hierarchy.frame(session, level, at).set_index("code", drop=False)
    if units.empty:
        raise NothingToDrawYet(at=at, level=level)
    units["klass"] = found.units["klass"].reindex(units.index)
    _write(file, units.reset_index(drop=True), _classes(found))


def _write(file: Path, frame: Any, classes: list[tuple]) -> None:
    from gis import drawing, maps, offline, thematic

    title = _("Where it hurts")
    colours = drawing.Choropleth("klass", title, [drawing.Class(*each) for each in classes])
    page = offline.standalone(
        maps.parts(thematic.value_map(frame, [colours], words=map_words())), STATIC, title,
        LOCALES[language.get()].replace("_", "-"),
    )  # fmt: skip
    file.write_text(page, "utf-8")
    say("Map written to {file}.", file=file)
