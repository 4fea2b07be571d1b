"""`gridmgr whistles`: whom a street or a department calls to a case, who reports in, and how they come."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from gridmgr import clock
from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.i18n import _, percent
from gridmgr.words import PRESENCES, WHISTLE_KINDS, WHISTLES, word

app = typer.Typer(no_args_is_help=True, help="Whistles on cases: call, report in, rate.")
By = Annotated[str, typer.Option("--by", help="Who does it: a user name.")]


@app.command("list")
def listing(
    all_of_them: Annotated[bool, typer.Option("--all", help="Those that have ended too.")] = False,
    size: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    as_json: Json = False,
) -> None:
    """List the whistles, the newest first, with those they call."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.whistle import queries, rules

    now = clock.now()
    with opened() as session:
        found = queries.page(session, SYSTEM, queries.Search(open=not all_of_them), size)
        called = queries.calls(session, [whistle.id for whistle, _case in found])
        rows = [
            {
                "id": whistle.id, "number": case.number, "why": whistle.why, "caller": whistle.caller,
                "state": whistle.state, "blown_at": whistle.blown_at,
                "calls": [
                    {"id": call.id, "body": call.body, "due_at": call.due_at, "presence": rules.presence(call, now)}
                    for call in called.get(whistle.id, [])
                ],
            }
            for whistle, case in found
        ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    print_table(
        "", ["", _("number"), _("caller"), _("why"), _("state"), _("called")],
        [
            (
                str(row["id"]), row["number"], row["caller"], word(WHISTLE_KINDS, row["why"]),
                word(WHISTLES, row["state"]),
                "\n".join(f"{each['id']} {each['body']}: {word(PRESENCES, each['presence'])}" for each in row["calls"]),
            )
            for row in rows
        ],
    )  # fmt: skip


@app.command()
def blow(
    number: str,
    wanted: str,
    bodies: Annotated[
        list[str], typer.Argument(help="Departments by name, streets as street:code; the first leads.")
    ],
    by: By,
    why: Annotated[str, typer.Option(help="concern, joint, emergency.")] = "concern",
    minutes: Annotated[
        int | None, typer.Option(help="Until they are there; else as long as its kind allows.")
    ] = None,
) -> None:
    """Ask for a whistle on a case; where nobody has to approve, it is blown at once."""
    from gridmgr import sheet
    from gridmgr.account import queries as accounts
    from gridmgr.whistle import service
    from gridmgr.whistle.model import Called, Why

    kind = sheet.one_of({each.value: each for each in Why})(why)
    called = [
        Called("" if street else name, name if street else None, n == 0, minutes)
        for n, (street, name) in enumerate(_told(bodies))
    ]
    with opened() as session:
        whistle = service.propose(session, accounts.actor(session, by), number, kind, wanted, called)
        say("Whistle {id}: {state}.", id=whistle.id, state=word(WHISTLES, whistle.state))


def _told(bodies: list[str]) -> list[tuple[bool, str]]:
    return [(each.startswith("street:"), each.removeprefix("street:")) for each in bodies]


@app.command("do")
def do_to_whistle(
    whistle: int,
    deed: Annotated[str, typer.Argument(help="blow, refuse, withdraw, record, end.")],
    by: By,
    note: str = "",
) -> None:
    """Blow, refuse, withdraw or end a whistle, or write into its record."""
    from gridmgr import sheet
    from gridmgr.account import queries as accounts
    from gridmgr.whistle import rules, service
    from gridmgr.whistle.model import Deed

    found = sheet.one_of({each.value: each for each in (*rules.DECISIONS, Deed.RECORD, Deed.END)})(deed)
    with opened() as session:
        actor = accounts.actor(session, by)
        if found in rules.DECISIONS:
            done = service.decide(session, actor, whistle, found, note)
        else:
            done = {Deed.RECORD: service.record, Deed.END: service.end}[found](session, actor, whistle, note)
        say("Whistle {id}: {state}.", id=done.id, state=word(WHISTLES, done.state))


@app.command("call")
def do_to_call(
    whistle: int,
    call: int,
    deed: Annotated[str, typer.Argument(help="answer, excuse, rate.")],
    by: By,
    note: str = "",
    stars: Annotated[int, typer.Option(min=1, max=5, help="Of a rating.")] = 5,
) -> None:
    """Answer a call, excuse one of those called, or rate how they came."""
    from gridmgr import sheet
    from gridmgr.account import queries as accounts
    from gridmgr.attendance import service
    from gridmgr.whistle.model import Deed

    found = sheet.one_of({each.value: each for each in (Deed.ANSWER, Deed.EXCUSE, Deed.RATE)})(deed)
    with opened() as session:
        which = session, accounts.actor(session, by), whistle, call
        if found is Deed.RATE:
            service.rate(*which, stars, note)
        else:
            (service.excuse if found is Deed.EXCUSE else service.answer)(*which, note)
        say("Done.")


@app.command()
def report_in(
    whistle: int,
    call: int,
    lon: float,
    lat: float,
    photo: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A photo of the place.")],
    by: By,
    datum: str = "wgs84",
    note: str = "",
) -> None:
    """Report in with a place and a photo; from elsewhere it is taken, and flagged."""
    from gridmgr.account import queries as accounts
    from gridmgr.attachment import service as attachment
    from gridmgr.attendance import service

    with opened() as session:
        actor = accounts.actor(session, by)
        stored = attachment.store(session, actor, photo.name, photo.read_bytes())
        files = [{"sha256": stored.sha256, "name": photo.name}]
        came = service.report_in(session, actor, whistle, call, lon, lat, datum, files, note)
        say("{body} is there, {distance} m from the place.", body=came.body, distance=round(came.distance_m))


@app.command()
def figures(
    days: Annotated[int, typer.Option(min=1, max=3660, help="Whistles blown in so many last days.")] = 30,
    as_json: Json = False,
) -> None:
    """Say how bodies come when they are called, and whether whistles are blown in good measure."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.attendance import queries
    from gridmgr.whistle.queries import whistle_rate

    with opened() as session:
        until = clock.now()
        since = until - timedelta(days=days)
        found = queries.attendance(session, SYSTEM, since, until)
        rate = whistle_rate(session, SYSTEM, since, until)
    if as_json:
        items = [vars(each) | {"rate": each.rate} for each in found]
        print_json({"whistled": rate.whistled, "accepted": rate.accepted, "rate": rate.rate, "bodies": items})
        return
    columns = [_("body"), _("called"), _("in time"), _("late"), _("not come"), _("came in time")]
    print_table(
        "", columns,
        [(each.body, each.called, each.in_time, each.late, each.absent, percent(each.rate)) for each in found],
    )  # fmt: skip
    counted = {"whistled": rate.whistled, "accepted": rate.accepted}
    say("Whistle rate: {rate} = {whistled} ÷ {accepted}", rate=percent(rate.rate), **counted)
    say("Came in time = in time ÷ (in time + late + not come)")
