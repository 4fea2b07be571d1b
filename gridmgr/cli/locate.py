"""`gridmgr locate`: where a point, or every row of a table, lies."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gis.errors import BadInput, Problem
from gridmgr import i18n
from gridmgr.cli.output import Json, complain, err, opened, print_json, print_table, say, writable
from gridmgr.i18n import _
from gridmgr.settings import settings
from gridmgr.words import HOW, LEVELS, word

SHOWN = 20


class FarAway(BadInput):
    """This place lies {distance_km} km from the district; reports are taken up to {limit_m} m."""


class LooksSwapped(BadInput):
    """Longitude and latitude look swapped: the other way round, {count} of {rows} places lie in the district."""


def locate(
    file: Annotated[Path | None, typer.Argument(help="CSV or XLSX whose rows are to be located.")] = None,
    lon: Annotated[str, typer.Option(help="Longitude, or its column.")] = "lon",
    lat: Annotated[str, typer.Option(help="Latitude, or its column.")] = "lat",
    datum: Annotated[str, typer.Option(help="wgs84 | cgcs2000 | gcj02 | bd09")] = "wgs84",
    at: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="On the map of that day.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="CSV to write.")] = None,
    as_json: Json = False,
) -> None:
    """Say in which building, micro-grid, community and street a point lies, or every row of a table."""
    day = at.date() if at else None
    if file is None and (lon, lat) == ("lon", "lat"):
        raise typer.BadParameter(_("name a file, or a place by --lon and --lat; --help tells more"))
    if file is None:
        _one(_degrees(lon, "--lon"), _degrees(lat, "--lat"), datum, day, as_json)
    elif output is None:
        raise typer.BadParameter(_("say with -o where to write the table"))
    else:
        writable(output)
        _table(file, lon, lat, datum, day, output, as_json)


def _degrees(text: str, option: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(_("{option} is no number: {text}", option=option, text=text)) from None


def _one(lon: float, lat: float, datum: str, day, as_json: bool) -> None:
    from gis.crs import problem_of, suspects
    from gis.datum import to_wgs84
    from gridmgr.hierarchy import queries

    reason = suspects([lon], [lat])[0]
    if reason:
        raise problem_of(reason, 1, lon, lat)
    x, y = to_wgs84(lon, lat, datum)
    with opened() as session:
        locator = queries.locator(session, day)
        place = locator.one(float(x), float(y))
        codes = {level: getattr(place, level) for level in LEVELS}
        names = queries.names(session, codes.values(), day or queries.edition_at(session).effective)
    doubts = _doubts(locator, [lon], [lat], datum, [place.distance_m])
    if as_json:
        warnings = [i18n.say(doubt) for doubt in doubts]
        told = {"how": place.how, "distance_m": place.distance_m, "names": names, "warnings": warnings}
        print_json(codes | told)
        return
    rows = [(word(LEVELS, level), code, names.get(code)) for level, code in codes.items()]
    rows.append((_("how"), word(HOW, place.how), f"{place.distance_m:,.1f} m"))
    print_table("", ["", _("code"), _("name")], rows)
    for doubt in doubts:
        complain(doubt)


def _doubts(locator, lon, lat, datum: str, distance_m) -> list[Problem]:
    """Return what is odd about places most of which lie beyond the limit: how far, or the axes swapped."""
    import numpy as np

    from gis.datum import to_wgs84
    from gis.locate import GAP

    lon, lat, distance_m = (np.asarray(values, dtype=float) for values in (lon, lat, distance_m))
    limit = settings().nearest_limit_m
    away = ~(distance_m <= limit)
    if not len(away) or away.mean() <= 0.5:
        return []
    turned = locator.locate(*to_wgs84(lat, lon, datum))
    back = int((turned.how <= GAP).sum())
    found: list[Problem] = []
    if len(away) == 1 and np.isfinite(distance_m[0]):
        found.append(FarAway(distance_km=round(float(distance_m[0]) / 1000, 1), limit_m=round(limit)))
    if back > len(away) / 2:
        found.append(LooksSwapped(count=back, rows=len(away)))
    return found


def _table(file: Path, lon: str, lat: str, datum: str, day, output: Path, as_json: bool) -> None:
    import pandas as pd

    from gis.crs import problem_of, suspects
    from gis.datum import to_wgs84
    from gis.locate import HOW as HOWS
    from gis.tables import read_table
    from gridmgr.hierarchy import queries

    table = read_table(file, [lon, lat])
    with err.status(_("Locating {count} rows …", count=len(table))), opened() as session:
        x, y = (pd.to_numeric(table[column], errors="coerce") for column in (lon, lat))
        doubtful = suspects(x, y)
        usable = x.mask(doubtful.notna()), y.mask(doubtful.notna())
        locator = queries.locator(session, day)
        found = locator.locate(*to_wgs84(*(values.to_numpy() for values in usable), datum))
        doubts = _doubts(locator, x, y, datum, found.distance_m)
    problems = [
        {"row": int(row), "reason": i18n.say(problem_of(reason, row, x[row], y[row]))}
        for row, reason in doubtful.dropna().items()
    ]
    for level in LEVELS:
        table[level] = found.codes(level)
    table["how"] = [HOWS[how] for how in found.how]
    table["distance_m"] = found.distance_m.round(2)
    table.to_csv(output, index=False, encoding="utf-8-sig")
    report = {
        "rows": len(table),
        "located": int((found.distance_m <= settings().nearest_limit_m).sum()),
        "by_how": {how: int((table["how"] == how).sum()) for how in HOWS},
        "problems": problems,
        "warnings": [i18n.say(doubt) for doubt in doubts],
        "output": output,
    }
    if as_json:
        print_json(report)
    else:
        _tell(report)


def _tell(report: dict[str, Any]) -> None:
    say(
        "{located} of {rows} rows located, written to {output}.",
        located=report["located"],
        rows=report["rows"],
        output=report["output"],
    )
    counts = [(word(HOW, how), count) for how, count in report["by_how"].items() if count]
    print_table("", [_("how"), _("count")], counts)
    for each in [*report["warnings"], *(each["reason"] for each in report["problems"][:SHOWN])]:
        err.print(each, style="red", markup=False, highlight=False)
    if len(report["problems"]) > SHOWN:
        say("… and {count} more rows.", count=len(report["problems"]) - SHOWN)
