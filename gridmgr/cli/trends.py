"""`gridmgr trends`: cases over time, how long they take, how old they are, where they go."""

from typing import Annotated

import typer

from gridmgr.cli.figures import Since, Until
from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.i18n import _
from gridmgr.trend.model import Kind, Step
from gridmgr.words import word
from gridmgr.words.trends import SERIES, TRENDS


def trends(
    kind: Annotated[Kind, typer.Argument(help="Which trend.")],
    since: Since = None,
    until: Until = None,
    step: Annotated[Step | None, typer.Option(help="How finely time is cut; as fits if not given.")] = None,
    area: Annotated[str, typer.Option(help="A unit's code; empty for all.")] = "",
    as_json: Json = False,
) -> None:
    """Print a trend: its numbers by series, place on the axis and part."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.casebook.queries import Search
    from gridmgr.trend import queries, rules

    search = Search(
        since=since.date() if since else None, until=until.date() if until else None, code=area or None
    )
    with opened() as session:
        found = queries.trend(session, SYSTEM, kind, search, step or "")
    if as_json:
        print_json(found)
        return
    days = f"{found.period.since} – {found.period.until}"
    rows = [
        (word(SERIES, cell.place.series), cell.place.at, cell.place.part, cell.count) for cell in found.cells
    ]
    columns = [_("number"), _("at"), _("part"), _("cases")]
    print_table(f"{word(TRENDS, kind)}, {days}", columns, rows)
    for each in found.spreads:
        say(
            "{unit}: median {median} h, nine in ten at most {p90} h; {within} of {limited} within their limit.",
            unit=word(SERIES, each.unit), median=_hours(each.median), p90=_hours(each.p90), within=each.within,
            limited=each.limited,
        )  # fmt: skip
    for meaning in rules.MEANING[kind]:
        say(meaning)


def _hours(value: float | None) -> str:
    return "—" if value is None else f"{value:.1f}"
