"""`gridmgr claims`: pieces of work that people on duty take up."""

from typing import Annotated

import typer

from gridmgr import clock
from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.i18n import _, moment
from gridmgr.words import word
from gridmgr.words.joint import CLAIM_DEEDS, PARTS, PIECES

app = typer.Typer(no_args_is_help=True, help="Pieces of work that people on duty take up (ant work).")
By = Annotated[str, typer.Option("--by", help="Who does it: a user name.")]


@app.command("list")
def listing(
    area: Annotated[str, typer.Option(help="Code prefix of the place.")] = "",
    free: Annotated[bool, typer.Option("--free", help="Only those that may still be taken.")] = False,
    late: Annotated[bool, typer.Option("--late", help="Only those open past their time.")] = False,
    size: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    as_json: Json = False,
) -> None:
    """List pieces of work, the newest first."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.claim import queries

    with opened() as session:
        found = queries.page(session, SYSTEM, queries.Search(free=free, late=late, area=area), size)
        held = queries.held(session, [each.id for each in found])
        numbers = queries.numbers(session, found)
        rows = [
            {
                "id": each.id, "what": each.what, "code": each.code, "place": each.place, "places": each.places,
                "number": numbers.get(each.incident_id), "due_at": each.due_at, "state": each.state,
                "parts": [{"name": one.name, "state": one.state} for one in held.get(each.id, [])],
            }
            for each in found
        ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    columns = ["", _("wanted"), _("place"), _("until"), _("state"), _("who")]
    print_table(
        "", columns,
        [
            (
                str(row["id"]), row["what"], f"{row['place']} {row['code']}", moment(row["due_at"]),
                word(PIECES, row["state"]),
                f"{len(row['parts'])}/{row['places']} "
                + _(", ").join(f"{one['name']} {word(PARTS, one['state'])}" for one in row["parts"]),
            )
            for row in rows
        ],
    )  # fmt: skip


@app.command()
def show(piece: int, as_json: Json = False) -> None:
    """Show all that was done to a piece of work."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.claim import queries

    with opened() as session:
        queries.piece(session, SYSTEM, piece)
        rows = [
            {
                "at": each.at, "deed": each.deed, "actor": each.actor_name, "doer": each.doer_name,
                "note": each.note, "files": each.files,
            }
            for each in queries.deeds(session, [piece]).get(piece, [])
        ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    told = [
        (moment(row["at"]), word(CLAIM_DEEDS, row["deed"]), row["actor"], row["doer"] or "", row["note"])
        for row in rows
    ]
    print_table("", [_("when"), _("what"), _("by"), _("whose part"), _("note")], told)


@app.command()
def cut(
    what: str,
    by: By,
    until: Annotated[str, typer.Option(help="Until when: 2026-02-15 16:30.")],
    number: Annotated[str, typer.Option(help="Of this case.")] = "",
    area: Annotated[str, typer.Option(help="Code of the unit; that of the case if not given.")] = "",
    places: Annotated[int, typer.Option(min=1, max=99, help="For how many people.")] = 1,
) -> None:
    """Cut a piece of work, of a case or in an area."""
    from gridmgr.account import queries as accounts
    from gridmgr.calendar.rules import instant
    from gridmgr.claim import service
    from gridmgr.claim.model import Cutting

    with opened() as session:
        cutting = Cutting(what, instant(until, clock.zone()), number, area, places)
        piece = service.cut(session, accounts.actor(session, by), cutting)
        say("Piece {id} is there, until {due}.", id=piece.id, due=moment(piece.due_at))


@app.command("do")
def do_to_piece(
    piece: int,
    deed: Annotated[str, typer.Argument(help="claim, give_back, report, accept, return, hand, end.")],
    by: By,
    note: str = "",
    whose: Annotated[str, typer.Option(help="To hand: to whom. Else whose part: a user name.")] = "",
) -> None:
    """Take up, give back, report, accept, return, hand or end a piece of work."""
    from gridmgr import sheet
    from gridmgr.account import queries as accounts
    from gridmgr.claim import service
    from gridmgr.claim.model import Deed

    found = sheet.one_of({each.value: each for each in Deed if each is not Deed.CUT})(deed)
    with opened() as session:
        actor = accounts.actor(session, by)
        if found is Deed.CLAIM:
            done = service.take(session, actor, piece)
        elif found is Deed.HAND:
            done = service.hand(session, actor, piece, whose, note)
        else:
            done = service.do(session, actor, piece, found, note, whose=whose)
        say("Piece {id}: {state}.", id=done.id, state=word(PIECES, done.state))
