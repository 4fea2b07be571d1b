"""`gridmgr scan`: the daily scan for what has just begun somewhere, and its alarms."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridmgr import clock
from gridmgr.cli.output import Json, err, opened, print_json, print_table, say
from gridmgr.i18n import _, language, number

if TYPE_CHECKING:
    from gridmgr.scan.model import Found, Scan
    from gridmgr.scan.queries import Alarm

app = typer.Typer(no_args_is_help=True, help="The daily scan for what has just begun somewhere.")
Day = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day looked at; yesterday.")
]
Level = Annotated[str, typer.Option(help="micro_grid | community")]


@app.command()
def run(
    day: Day = None,
    level: Level = "micro_grid",
    matter: Annotated[str, typer.Option(help="Only this class, by its Chinese name.")] = "",
    again: Annotated[
        bool, typer.Option(help="Repeat scans that were done, and compare the numbers.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Scan a day, all matters and class by class; what was scanned before stays as it is."""
    from gridmgr.scan import rules, service

    last = day.date() if day else rules.last_day(clock.local(clock.now()))
    with err.status(_("scanning {day}", day=last)), opened() as session:
        scans = (
            [service.run(session, last, level, matter)] if matter else service.run_all(session, last, level)
        )
        repeated = {scan.id: service.again(session, scan) for scan in scans} if again else {}
        rows = [_scanned(session, scan, repeated.get(scan.id)) for scan in scans]
    if as_json:
        print_json(rows)
        return
    columns = [
        _("matters"),
        _("units"),
        _("cases"),
        _("clusters"),
        _("by chance once in (days)"),
        _("repeated"),
    ]
    shown = {None: "—", True: _("the same"), False: _("different")}
    print_table(
        str(last), columns,
        [
            (row["matter"] or _("all"), row["units"], row["cases"], row["clusters"],
             number(row["recurrence_days"]), shown[row["same"]])
            for row in rows
        ],
    )  # fmt: skip


def _scanned(session: Any, scan: "Scan", repeated: "list[Found] | None") -> dict[str, Any]:
    from gridmgr.account.rules import SYSTEM
    from gridmgr.scan import queries

    search = queries.Search(day=scan.day, level=scan.level, matter=scan.matter, weak=True)
    found = sorted(queries.page(session, SYSTEM, search, 100), key=lambda each: each.cluster.rank)
    numbers = [(each.cluster.observed, each.cluster.llr, each.cluster.p) for each in found]
    same = None if repeated is None else [(each.observed, each.llr, each.p) for each in repeated] == numbers
    return {
        "matter": scan.matter, "units": scan.units, "cases": scan.cases, "seed": scan.seed,
        "permutations": scan.permutations, "edition": scan.stamp, "clusters": len(found),
        "recurrence_days": found[0].cluster.recurrence_days if found else None, "same": same,
    }  # fmt: skip


@app.command("list")
def listing(
    day: Day = None,
    weak: Annotated[bool, typer.Option("--weak", help="Clusters too weak for an alarm, too.")] = False,
    unseen: Annotated[bool, typer.Option("--unseen", help="Only those nobody has looked at.")] = False,
    size: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    as_json: Json = False,
) -> None:
    """List the alarms, the newest first."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.scan import queries

    search = queries.Search(day=day.date() if day else None, open=unseen, weak=weak)
    with opened() as session:
        rows = [_alarm(each) for each in queries.page(session, SYSTEM, search, size)]
    if as_json:
        print_json(rows)
        return
    columns = [
        "", _("day"), _("matters"), _("centre"), _("units"), _("since"), _("observed"), _("expected"),
        _("by chance once in (days)"), _("looked at"),
    ]  # fmt: skip
    print_table(
        "", columns,
        [
            (str(row["id"]), row["day"], row["matter_en" if language.get() == "en" else "matter"] or _("all"),
             row["units"][0], len(row["units"]), row["since"], row["observed"], number(row["expected"], 1),
             number(row["recurrence_days"]), row["looks"][-1]["actor"] if row["looks"] else "—")
            for row in rows
        ],
    )  # fmt: skip


@app.command()
def show(alarm: int, as_json: Json = False) -> None:
    """Show one alarm: its units, its days, its cases, and how it was found."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.scan import queries, rules

    with opened() as session:
        found = queries.alarm(session, SYSTEM, alarm)
        units = [(each.code, each.observed, each.cases) for each in queries.units(session, SYSTEM, alarm)]
        cases = [each.number for each in queries.cases_of(session, SYSTEM, alarm, 500)]
    days = [
        (day, observed, expected)
        for day, (observed, expected) in zip(
            rules.days(found.scan.first_day), found.cluster.daily, strict=True
        )
    ]
    if as_json:
        print_json(_alarm(found) | {"counts": units, "days": days, "numbers": cases, "card": rules.CARD})
        return
    print_table(_("Its units"), [_("code"), _("in the window"), _("in all days")], units)
    print_table(_("Day by day"), [_("day"), _("observed"), _("expected")], days)
    say("Its cases: {numbers}", numbers=", ".join(cases))
    say("{n} permutations, seed {seed}, map {edition}.", n=found.scan.permutations, seed=found.scan.seed,
        edition=found.scan.stamp)  # fmt: skip
    for each in rules.CARD:
        say(each)


def _alarm(each: "Alarm") -> dict[str, Any]:
    cluster = {
        name: getattr(each.cluster, name)
        for name in ("id", "since", "rank", "observed", "expected", "llr", "p", "recurrence_days")
    }
    scan = {name: getattr(each.scan, name) for name in ("day", "level", "matter", "matter_en")}
    looks = [{"actor": look.actor_name, "at": look.at, "note": look.note} for look in each.looks]
    return cluster | scan | {"units": list(each.codes), "alarm": each.loud, "looks": looks}
