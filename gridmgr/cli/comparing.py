"""`gridmgr compare` and `gridmgr timeline`: two periods or two maps side by side, and any past period again."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.i18n import _, moment
from gridmgr.words import LEVELS, LINEAGE, word
from gridmgr.words.time import MEASURES

if TYPE_CHECKING:
    from gridmgr.comparison.model import Comparison, Period, Row

DAYS = ["%Y-%m-%d"]
TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]


class Of(StrEnum):
    """What is counted."""

    REPORTED = "reported"
    CLOSED = "closed"
    OPEN = "open"
    LATE = "late"


class Way(StrEnum):
    """How far one step goes."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


def compare(
    since: Annotated[
        datetime | None, typer.Option("--from", formats=DAYS, help="First day of the one.")
    ] = None,
    until: Annotated[datetime | None, typer.Option("--to", formats=DAYS, help="Its last day.")] = None,
    with_since: Annotated[
        datetime | None, typer.Option("--with-from", formats=DAYS, help="First day of the other.")
    ] = None,
    with_until: Annotated[
        datetime | None, typer.Option("--with-to", formats=DAYS, help="Its last day.")
    ] = None,
    editions: Annotated[
        tuple[int, int] | None,
        typer.Option(help="Two editions instead, by their numbers in `grids editions`."),
    ] = None,
    level: Annotated[str, typer.Option(help="street | community | micro_grid")] = "community",
    measure: Annotated[Of, typer.Option(help="What is counted.")] = Of.REPORTED,
    now: Annotated[
        bool, typer.Option("--as-now", help="Locate every case in the newer of the two maps.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare two periods, usually last week and this one; or two editions by the cases of the last 90 days."""
    from gridmgr import clock
    from gridmgr.account.rules import SYSTEM
    from gridmgr.casebook.queries import Search
    from gridmgr.comparison import queries, rules
    from gridmgr.comparison.model import Basis, Measure
    from gridmgr.hierarchy import queries as hierarchy

    usual = rules.usual(clock.today())
    first = _period(since, until, rules.lately(clock.today()) if editions else usual[0])
    with opened() as session:
        if editions:
            maps = [hierarchy.edition(session, each) for each in editions]
            found = queries.editions(session, SYSTEM, Search(), first, *maps, level, Measure(measure))
        else:
            second = _period(with_since, with_until, usual[1])
            basis = Basis.NOW if now else Basis.WAS
            found = queries.periods(session, SYSTEM, Search(), first, second, level, Measure(measure), basis)
    if as_json:
        print_json(_plain(found))
        return
    print_table(_title(found), _columns(found), [*map(_line, found.rows), _line(found.total, _("total"))])


def _period(since: datetime | None, until: datetime | None, usual: "Period") -> "Period":
    from gridmgr.comparison.model import Period

    if since is None and until is None:
        return usual
    first = (since or until).date()
    return Period(first, (until or since).date())


def _title(found: "Comparison") -> str:
    return f"{word(MEASURES, found.measure)} · {word(LEVELS, found.level)}"


def _columns(found: "Comparison") -> list[str]:
    sides = [
        f"{side.period.since} – {side.period.until} · {_('map of {day}', day=side.edition.effective)}"
        for side in (found.first, found.second)
    ]
    return [_("code"), _("name"), *sides, _("difference"), "%", _("Change of the unit")]


def _line(row: "Row", name: str = "") -> tuple:
    share = None if row.share is None else f"{row.share:+.1%}"
    difference = None if row.difference is None else f"{row.difference:+d}"
    fate = word(LINEAGE, row.fate) if row.fate else ""
    return (
        row.code or "",
        name or row.name or _("outside all"),
        row.first,
        row.second,
        difference,
        share,
        fate,
    )


def _plain(found: "Comparison") -> dict:
    return {
        "level": found.level, "measure": found.measure, "basis": found.basis,
        "sides": [
            {
                "since": str(side.period.since), "until": str(side.period.until), "edition": side.edition.id,
                "total": side.total(found.measure),
            }
            for side in (found.first, found.second)
        ],
        "units": [
            {
                "code": row.code, "name": row.name, "first": row.first, "second": row.second,
                "difference": row.difference, "share": row.share, "fate": row.fate, "origin": row.origin,
            }
            for row in found.rows
        ],
    }  # fmt: skip


def timeline(
    since: Annotated[datetime, typer.Option("--from", formats=TIMES, help="On the district's wall clock.")],
    until: Annotated[datetime, typer.Option("--to", formats=TIMES, help="On the district's wall clock.")],
    step: Annotated[Way, typer.Option(help="How far one step goes.")] = Way.DAY,
    as_json: Json = False,
) -> None:
    """Tell instant by instant of a past period what was reported, unfinished and late."""
    from gridmgr import clock
    from gridmgr.account.rules import SYSTEM
    from gridmgr.casebook.queries import Search
    from gridmgr.timeline import queries, rules
    from gridmgr.timeline.model import Step

    begin, end = (each.replace(tzinfo=clock.zone()) for each in (since, until))
    with opened() as session:
        found = rules.totals(queries.play(session, SYSTEM, Search(), begin, end, Step(step), "street"))
    if as_json:
        print_json(
            [
                {
                    "at": each.at.isoformat(),
                    "reported": each.reported,
                    "open": each.open,
                    "late": each.late,
                    "states": each.states,
                }
                for each in found
            ]
        )
        return
    if not any(each.reported or each.open for each in found):
        say("Nothing was open or reported in this period.")
        return
    columns = [_("Instant"), _("Reported in this step"), _("Unfinished then"), _("Overdue then")]
    print_table(
        _("Time line"), columns, [(moment(each.at), each.reported, each.open, each.late) for each in found]
    )
