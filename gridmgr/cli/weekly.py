"""`gridmgr weekly`: the weekly work report."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gridmgr import clock
from gridmgr.cli.output import Json, opened, print_json, print_table, say, writable
from gridmgr.i18n import _


class By(StrEnum):
    """Whose weeks."""

    PERSON = "person"
    STREET = "street"


def weekly(
    week: Annotated[str, typer.Option(help="Any day of the week: 2026-09-07; today if not given.")] = "",
    by: Annotated[By, typer.Option(help="Of people, or of streets.")] = By.PERSON,
    area: Annotated[str, typer.Option(help="Code prefix; empty for all.")] = "",
    to: Annotated[Path | None, typer.Option(help="Write a table: a .csv or .xlsx file.")] = None,
    as_json: Json = False,
) -> None:
    """Report the week of people or streets: reports, steps, pieces, limits met, hours on duty."""
    from gridmgr import sheet
    from gridmgr.account.rules import SYSTEM
    from gridmgr.weekly import queries, rules

    writable(to)
    monday = rules.monday_of(sheet.day(week) if week else clock.today())
    with opened() as session:
        found = (queries.streets if by is By.STREET else queries.people)(session, SYSTEM, monday, area)
        rows = [
            {
                "key": each.key, "name": each.name, "body": each.body, "reports": each.reports, "steps": each.steps,
                "pieces": each.pieces, "met": each.met, "missed": each.missed, "rate": each.rate,
                "hours": each.hours,
            }
            for each in found
        ]  # fmt: skip
    columns = [
        "", _("name"), _("body"), _("reports"), _("case steps"), _("pieces done"), _("limits met"), _("limits missed"),
        _("met"), _("hours on duty"),
    ]  # fmt: skip
    if to is not None:
        kind = sheet.Format.XLSX if to.suffix.casefold() == ".xlsx" else sheet.Format.CSV
        to.write_bytes(b"".join(sheet.stream(kind, columns, [list(row.values()) for row in rows])))
        say("{n} rows written to {file}.", n=len(rows), file=to)
    elif as_json:
        print_json({"monday": monday.isoformat(), "rows": rows})
    else:
        told = [[_told(name, value) for name, value in row.items()] for row in rows]
        print_table(str(monday), columns, told)
        for formula in rules.FORMULAS.values():
            say(formula)


def _told(name: str, value: object) -> str:
    if name == "rate":
        return "—" if value is None else f"{value:.1%}"
    return str(value)
