"""`gridmgr organisation`: bodies, who enforces what where, and a street's command room."""

from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.i18n import _, language
from gridmgr.words import FATES, word
from gridmgr.words.bodies import BODIES

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from gridmgr.account.rules import Actor

app = typer.Typer(no_args_is_help=True, help="Departments, stations, teams and command rooms.")
By = Annotated[str, typer.Option("--by", help="Who does it: a user name; the system if not given.")]
Kind = Annotated[str, typer.Option(help="department, station, team or command_room.")]
Home = Annotated[str, typer.Option(help="Name of the body it belongs to.")]
Territory = Annotated[str, typer.Option(help="Code prefix of where it is there for.")]
Several = Annotated[list[str] | None, typer.Option(help="As often as needed.")]


@app.command("list")
def listing(
    kind: Annotated[str, typer.Option(help="Only those of a kind.")] = "",
    area: Annotated[str, typer.Option(help="Only those there for an area (code prefix).")] = "",
    closed: Annotated[bool, typer.Option("--closed", help="Closed ones, too.")] = False,
    as_json: Json = False,
) -> None:
    """List the bodies."""
    from gridmgr.organisation import queries

    with opened() as session:
        register, people = queries.register(session), queries.people(session)
        rows = [
            asdict(register.described(each)) | {"people": people.get(each.name, 0)}
            for each in register.by_id.values()
            if (closed or each.active) and kind in ("", each.kind) and each.territory.startswith(area)
        ]
    if as_json:
        print_json(rows)
        return
    columns = [_("name"), _("kind"), _("belongs to"), _("area"), _("phone"), _("people")]
    print_table(
        "", columns,
        [
            (row["name"], word(BODIES, row["kind"]), row["home"], row["territory"], row["phone"], str(row["people"]))
            for row in rows
        ],
    )  # fmt: skip


@app.command("import")
def import_file(
    file: Path,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    as_json: Json = False,
) -> None:
    """Found and change bodies from a table (CSV, XLSX), all or none; nothing is closed by being left out."""
    from gridmgr import db, sheet
    from gridmgr.account.rules import SYSTEM
    from gridmgr.hierarchy import queries as hierarchy
    from gridmgr.organisation import service
    from gridmgr.organisation.rules import TABLE

    read = sheet.read(file.read_bytes(), file.name, TABLE)
    with opened() as session, db.rehearsed(session, keep=not dry_run):
        found = service.import_bodies(session, SYSTEM, read, partial(hierarchy.without_units, session))
    if as_json:
        print_json({"written": not dry_run, "rows": [asdict(each) for each in found]})
        return
    rows = [(str(each.row), each.name, word(FATES, each.fate)) for each in found if each.fate != "unchanged"]
    print_table("", [_("row"), _("name"), _("what happens")], rows)
    if dry_run:
        say("Nothing has been written.")


@app.command()
def found(
    name: str, kind: Kind, home: Home = "", territory: Territory = "", phone: str = "", alias: Several = None,
    line: Several = None, by: By = "",
) -> None:  # fmt: skip
    """Found a body."""
    from gridmgr.hierarchy import queries as hierarchy
    from gridmgr.organisation import service
    from gridmgr.organisation.model import Described
    from gridmgr.organisation.rules import TABLE

    told = Described(
        name, TABLE["kind"].parse(kind), tuple(alias or ()), home, territory, phone, tuple(line or ())
    )
    with opened() as session:
        service.found(session, doer(session, by), told, partial(hierarchy.without_units, session))
        say("{name} is founded.", name=name)


@app.command()
def rename(name: str, after: str, by: By = "") -> None:
    """Give a body another name; people and open cases follow, what is finished keeps the old one."""
    _changed(name, by, name=after)
    say("{name} is called {after} now.", name=name, after=after)


@app.command()
def close(name: str, by: By = "") -> None:
    """Close a body to which nobody belongs any more."""
    _changed(name, by, active=False)
    say("{name} is closed.", name=name)


def _changed(body: str, by: str, **changes: object) -> None:
    from gridmgr.hierarchy import queries as hierarchy
    from gridmgr.organisation import queries, service

    with opened() as session:
        known = queries.body(session, body)
        told = replace(queries.register(session).described(known), **changes)
        areas = partial(hierarchy.without_units, session)
        service.change(session, doer(session, by), known.name, told, areas)


@app.command()
def enforcement(department: str, area: str, as_json: Json = False) -> None:
    """Say which team enforces the matters of a department at a place, with which station beside it."""
    from gridmgr.organisation import queries

    with opened() as session:
        told = queries.enforcement(session, department, area)
    if as_json:
        print_json({"team": told[0] if told else None, "station": told[1] if told else None})
    elif told:
        say("{team}, with {station} beside it.", team=told[0], station=told[1])
    else:
        say("No team takes these matters there.")


@app.command()
def room(street: str, as_json: Json = False) -> None:
    """Show what the command room of a street sees: modules, bodies with who is there, open and late cases."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.command_room import queries

    with opened() as session:
        seen = queries.room(session, SYSTEM, street)
        lines = [
            {
                "module": each.module.name(language.get()), "lead": each.lead, "open": each.pile.open,
                "late": each.pile.late,
            }
            for each in seen.lines
        ]  # fmt: skip
        posts = [
            {"body": each.name, "present": list(each.present), "open": each.pile.open, "late": each.pile.late}
            for each in (*seen.posts, *seen.others, *(post for _, post in seen.forces))
        ]
    if as_json:
        print_json({"open": seen.whole.open, "late": seen.whole.late, "modules": lines, "bodies": posts})
        return
    say("{open} open cases, {late} of them late.", open=seen.whole.open, late=seen.whole.late)
    counts = [_("open"), _("late")]
    print_table(
        "", [_("module"), _("led by"), *counts],
        [(row["module"], row["lead"] or "—", str(row["open"]), str(row["late"])) for row in lines],
    )  # fmt: skip
    print_table(
        "", [_("body"), _("on duty"), *counts],
        [(row["body"], ", ".join(row["present"][:5]) or "—", str(row["open"]), str(row["late"])) for row in posts],
    )  # fmt: skip


def doer(session: "Session", username: str) -> "Actor":
    """Return who does something: the person of a user name, or the system."""
    from gridmgr.account import queries as accounts
    from gridmgr.account.rules import SYSTEM

    return accounts.actor(session, username) if username else SYSTEM
