"""`gridmgr bulletins`: weekly and monthly reports: write, list, show, plan."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridmgr import clock
from gridmgr.cli.output import Json, opened, print_json, print_table, say, writable
from gridmgr.digest.model import Period, Subject
from gridmgr.i18n import _, moment
from gridmgr.words import word
from gridmgr.words.reports import BULLETIN_OFTEN, BULLETIN_PERIODS, BULLETIN_PROGRESS, BULLETIN_SUBJECTS

if TYPE_CHECKING:
    from gridmgr.bulletin.model import Bulletin, BulletinDue, BulletinPlan

app = typer.Typer(no_args_is_help=True, help="Weekly and monthly reports, written from the records and kept.")


Of = Annotated[Subject, typer.Option("--of", help="Of what.")]
Key = Annotated[
    str, typer.Option(help="The code of a street or community, id of a module, name of a body, user name.")
]
Every = Annotated[Period, typer.Option(help="Of a week or a month.")]


@app.command()
def write(
    of: Of = Subject.DISTRICT,
    key: Key = "",
    period: Every = Period.WEEK,
    day: Annotated[str, typer.Option(help="Any day of it; without one, the last that has ended.")] = "",
    why: Annotated[str, typer.Option(help="Why it is written again.")] = "",
    known_now: Annotated[
        bool, typer.Option("--known-now", help="By what is known now, not at the period's end.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write a report now, and keep it."""
    from gridmgr import sheet
    from gridmgr.account.rules import SYSTEM
    from gridmgr.bulletin import service
    from gridmgr.digest import queries
    from gridmgr.digest.rules import before, span

    chosen = span(period, sheet.day(day)) if day else before(span(period, clock.today()))
    with opened() as session:
        target = queries.target(session, of, key)
        made = service.write(session, SYSTEM, target, chosen, why, known_now=known_now)
        told = _told(made)
    if as_json:
        print_json(told)
    else:
        say("Report {id} is written: {title}.", id=told["id"], title=told["title"])


@app.command(name="list")
def listed(
    of: Annotated[str, typer.Option("--of", help="Only of such subjects: district, street …")] = "",
    period: Annotated[str, typer.Option(help="week | month")] = "",
    area: Annotated[str, typer.Option(help="Code prefix; empty for all.")] = "",
    most: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: Json = False,
) -> None:
    """List the reports that were written, and those that wait or failed."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.bulletin import queries

    with opened() as session:
        found = queries.page(session, SYSTEM, queries.Search(of, period, area), most)
        rows = [_told(each) for each in found]
        waiting = [_waiting(each) for each in queries.outstanding(session, SYSTEM)]
    if as_json:
        print_json({"items": rows, "outstanding": waiting})
        return
    columns = ["id", _("Report of"), _("issue"), _("as of"), _("written"), "SHA-256"]
    lines = [(each["id"], each["title"], each["issue"], moment(each["as_of"]), moment(each["written_at"]),
              each["hash"][:12]) for each in rows]  # fmt: skip
    print_table(_("Reports on weeks and months"), columns, lines)
    for each in waiting:
        say(
            "{title}: {state} {problem}",
            title=each["title"],
            state=word(BULLETIN_PROGRESS, each["state"]),
            problem=each["problem"],
        )


@app.command()
def show(
    report: Annotated[int, typer.Argument(help="Its id.")],
    pdf: Annotated[Path | None, typer.Option(help="Write its PDF to this file.")] = None,
    map_file: Annotated[
        Path | None, typer.Option("--map", help="Write its map, one HTML file, to this file.")
    ] = None,
    language: Annotated[str, typer.Option(help="zh | en")] = "zh",
    as_json: Json = False,
) -> None:
    """Show what a report says, or write its PDF or map to a file."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.bulletin import queries, rules, service
    from gridmgr.digest.rules import sentences

    writable(pdf)
    writable(map_file)
    with opened() as session:
        found = queries.bulletin(session, SYSTEM, report)
        told, content = _told(found), found.content
        for path, name in ((pdf, f"{language}.pdf"), (map_file, rules.MAP)):
            if path is not None:
                path.write_bytes(service.file(session, SYSTEM, report, name)[2])
                say("{file} written.", file=path)
    if as_json:
        print_json(told | {"content": content})
    elif pdf is None and map_file is None:
        say("{title}, issue {issue}, as the records stood at {moment}", title=told["title"], issue=told["issue"],
            moment=moment(told["as_of"]))  # fmt: skip
        for each in sentences(content):
            say("{sentence}", sentence=each)


@app.command()
def plan(
    of: Of = Subject.DISTRICT,
    key: Key = "",
    period: Every = Period.WEEK,
    since: Annotated[
        str, typer.Option("--from", help="Any day of the first; without one, the last that has ended.")
    ] = "",
    below: Annotated[
        bool, typer.Option("--below", help="Of each street, or community, below it too.")
    ] = False,
    tell: Annotated[list[str] | None, typer.Option(help="Also tell this user; may be given again.")] = None,
    as_json: Json = False,
) -> None:
    """Plan reports: the worker writes them, Monday or the 1st at 06:00."""
    from gridmgr import sheet
    from gridmgr.account.rules import SYSTEM
    from gridmgr.bulletin import service
    from gridmgr.digest import queries

    with opened() as session:
        target = queries.target(session, of, key)
        first = sheet.day(since) if since else None
        made = service.plan(session, SYSTEM, target, period, first, tell or (), below=below)
        rows = [_planned(each) for each in made]
    if as_json:
        print_json(rows)
    else:
        say("{n} reports are planned, {often}.", n=len(rows), often=word(BULLETIN_OFTEN, period))


@app.command()
def plans(as_json: Json = False) -> None:
    """List which reports are planned."""
    from gridmgr.bulletin import queries

    with opened() as session:
        rows = [_planned(each) for each in queries.plans(session)]
    if as_json:
        print_json(rows)
        return
    columns = ["id", _("of"), _("key"), _("how often"), _("from"), _("also told")]
    lines = [
        (each["id"], word(BULLETIN_SUBJECTS, each["subject"]), each["key"],
         word(BULLETIN_OFTEN, each["period"]), each["since"], ", ".join(each["tell"]))
        for each in rows
    ]  # fmt: skip
    print_table(_("Planned reports"), columns, lines)


@app.command(name="end-plan")
def end_plan(plan_id: Annotated[int, typer.Argument(metavar="PLAN", help="Its id.")]) -> None:
    """End a plan; what was written by it stays."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.bulletin import service

    with opened() as session:
        service.end_plan(session, SYSTEM, plan_id)
    say("Done.")


def _told(each: "Bulletin") -> dict[str, object]:
    from gridmgr.bulletin import rules

    span = rules.span_name(each.period, each.first, each.last)
    return {
        "id": each.id, "subject": each.subject, "key": each.key, "area": each.area, "period": each.period,
        "first": each.first, "last": each.last, "issue": each.issue, "why": each.why, "as_of": each.as_of,
        "written_at": each.written_at, "writer": each.writer_name, "last_event": each.last_event,
        "hash": each.content_hash, "title": f"{rules.title(each.subject, each.name, each.period)} {span}",
    }  # fmt: skip


def _waiting(each: "BulletinDue") -> dict[str, object]:
    kind = word(BULLETIN_SUBJECTS, each.subject)
    return {
        "id": each.id, "subject": each.subject, "key": each.key, "period": each.period, "first": each.first,
        "state": each.state, "attempts": each.attempts, "problem": each.problem,
        "title": f"{kind} {each.key} {word(BULLETIN_PERIODS, each.period)} {each.first}",
    }  # fmt: skip


def _planned(each: "BulletinPlan") -> dict[str, object]:
    names = ("id", "subject", "key", "area", "period", "since", "tell")
    return {name: getattr(each, name) for name in names}
