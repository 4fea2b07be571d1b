"""`gridmgr locate`: where a point, or every row of a table, lies."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from gis.crs import problem_of, suspects
from gis.datum import to_wgs84
from gis.locate import HOW, NOWHERE
from gis.tables import read_table
from gridmgr.cli.output import Json, err, opened, print_json, print_table, say
from gridmgr.hierarchy import queries
from gridmgr.hierarchy.model import LEVELS
from gridmgr.i18n import _


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
    if file is None:
        _one(_degrees(lon, "--lon"), _degrees(lat, "--lat"), datum, day, as_json)
    elif output is None:
        raise typer.BadParameter(_("say with -o where to write the table"))
    else:
        _table(file, lon, lat, datum, day, output)


def _degrees(text: str, option: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(_("{option} is no number: {text}", option=option, text=text)) from None


def _one(lon: float, lat: float, datum: str, day, as_json: bool) -> None:
    reason = suspects([lon], [lat])[0]
    if reason:
        raise problem_of(reason, 1, lon, lat)
    x, y = to_wgs84(lon, lat, datum)
    with opened() as session:
        place = queries.locator(session, day).one(float(x), float(y))
        codes = {level: getattr(place, level) for level in LEVELS}
        names = queries.names(session, codes.values(), day or queries.edition_at(session).effective)
    if as_json:
        print_json(codes | {"how": place.how, "distance_m": place.distance_m, "names": names})
        return
    rows = [(_(level), code, names.get(code)) for level, code in codes.items()]
    rows.append((_("how"), _(place.how), f"{place.distance_m:,.1f} m"))
    print_table("", ["", _("code"), _("name")], rows)


def _table(file: Path, lon: str, lat: str, datum: str, day, output: Path) -> None:
    table = read_table(file, [lon, lat])
    with err.status(_("Locating {count} rows …", count=len(table))), opened() as session:
        x, y = (pd.to_numeric(table[column], errors="coerce") for column in (lon, lat))
        doubtful = suspects(x, y)
        x, y = x.mask(doubtful.notna()), y.mask(doubtful.notna())
        found = queries.locator(session, day).locate(*to_wgs84(x.to_numpy(), y.to_numpy(), datum))
    for level in LEVELS:
        table[level] = found.codes(level)
    table["how"] = [HOW[how] for how in found.how]
    table["distance_m"] = found.distance_m.round(2)
    table.to_csv(output, index=False, encoding="utf-8-sig")
    placed = int((found.how != NOWHERE).sum())
    say("{placed} of {count} rows located, written to {file}.", placed=placed, count=len(table), file=output)
    for row, reason in doubtful.dropna().head(20).items():
        say("Row {row}: {reason}", row=row, reason=_(reason))
