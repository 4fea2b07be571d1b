"""`gridmgr task-forces`: raise them, give them members and cases, disband them."""

from functools import partial
from typing import Annotated

import typer

from gridmgr import clock
from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.i18n import _
from gridmgr.words import word
from gridmgr.words.bodies import FORCE_DEEDS, FORCES

app = typer.Typer(no_args_is_help=True, help="Task forces: members, cases, disbanding.")
By = Annotated[str, typer.Option("--by", help="Who does it: a user name; the system if not given.")]


@app.command("list")
def listing(
    standing: Annotated[str, typer.Option(help="Only those running, ended or disbanded.")] = "",
    area: Annotated[str, typer.Option(help="Code prefix.")] = "",
    as_json: Json = False,
) -> None:
    """List the task forces, the newest first."""
    from gridmgr import sheet
    from gridmgr.account.rules import SYSTEM
    from gridmgr.task_force import queries, rules
    from gridmgr.task_force.model import Standing

    chosen = sheet.one_of({each.value: each for each in Standing})(standing) if standing else None
    with opened() as session:
        found = queries.page(session, SYSTEM, queries.Search(chosen, area), 10_000)
        waiting = queries.open_cases(session, [body.name for _, body in found])
        rows = [
            {
                "id": force.id, "name": body.name, "purpose": force.purpose, "area": force.area,
                "ends_on": force.ends_on, "open": waiting.get(body.name, 0),
                "standing": rules.standing(force, clock.today()).value,
            }
            for force, body in found
        ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    columns = ["", _("name"), _("area"), _("last day"), _("open"), _("state")]
    print_table(
        "", columns,
        [
            (
                str(row["id"]), row["name"], row["area"], str(row["ends_on"]), str(row["open"]),
                word(FORCES, row["standing"]),
            )
            for row in rows
        ],
    )  # fmt: skip


@app.command()
def show(force: int, as_json: Json = False) -> None:
    """Show a task force with its members and its record."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.task_force import queries

    with opened() as session:
        row, body = queries.force(session, SYSTEM, force)
        told = {
            "id": row.id, "name": body.name, "purpose": row.purpose, "area": row.area, "place": row.place,
            "ends_on": row.ends_on, "handed_to": row.handed_to, "handed": row.handed,
            "members": [
                {"username": account.username, "name": account.name, "lead": each.lead, "until": each.until}
                for each, account in queries.members(session, [row.id], past=True)[row.id]
            ],
            "record": [
                {"deed": each.deed, "actor": each.actor_name, "at": each.at, "note": each.note}
                for each in queries.deeds(session, row.id)
            ],
        }  # fmt: skip
    if as_json:
        print_json(told)
        return
    print_table(
        f"{told['name']} · {told['purpose']}", [_("member"), _("username"), ""],
        [
            (each["name"], each["username"], _("leads") if each["lead"] else "")
            for each in told["members"] if each["until"] is None
        ],
    )  # fmt: skip
    print_table(
        "", [_("when"), _("who"), _("what happens"), _("note")],
        [
            (f"{clock.local(e['at']):%Y-%m-%d %H:%M}", e["actor"], word(FORCE_DEEDS, e["deed"]), e["note"])
            for e in told["record"]
        ],
    )  # fmt: skip


@app.command("raise")
def raise_force(
    name: str,
    purpose: Annotated[str, typer.Option(help="What it is for.")],
    area: Annotated[str, typer.Option(help="Code prefix.")],
    ends_on: Annotated[str, typer.Option(help="Its last day, for example 2026-12-31.")],
    member: Annotated[
        list[str] | None, typer.Option(help="A user name, as often as needed; the first leads.")
    ] = None,
    lead: Annotated[str, typer.Option(help="Who leads, if not the first member.")] = "",
    place: Annotated[str, typer.Option(help="Where its people meet.")] = "",
    by: By = "",
) -> None:
    """Raise a task force."""
    from gridmgr import sheet
    from gridmgr.cli.organisation import doer
    from gridmgr.hierarchy import queries as hierarchy
    from gridmgr.task_force import service
    from gridmgr.task_force.model import Raised

    leading = lead or next(iter(member or ()), "")
    told = Raised(name, purpose, area, sheet.day(ends_on), tuple(member or ()), leading, place)
    with opened() as session:
        areas = partial(hierarchy.without_units, session)
        found = service.raise_force(session, doer(session, by), told, areas)
        say("Task force {id} is raised.", id=found.id)


@app.command("do")
def change(
    force: int,
    deed: Annotated[str, typer.Argument(help="join, leave, lead or prolong.")],
    what: Annotated[str, typer.Argument(help="A user name; to prolong, the last day.")],
    by: By = "",
) -> None:
    """Let somebody join, leave or lead, or change the last day."""
    from gridmgr import sheet
    from gridmgr.cli.organisation import doer
    from gridmgr.task_force import service

    verbs = {
        "join": service.join, "leave": service.leave, "lead": service.set_lead, "prolong": service.prolong,
    }  # fmt: skip
    verb = sheet.one_of(verbs)(deed)
    with opened() as session:
        verb(session, doer(session, by), force, sheet.day(what) if verb is service.prolong else what)


@app.command()
def put(force: int, numbers: list[str], note: str = "", by: By = "") -> None:
    """Put cases under a task force; says of each what became of it."""
    from gridmgr.cli.organisation import doer
    from gridmgr.i18n import say as said
    from gridmgr.task_force import service

    with opened() as session:
        found = service.put(session, doer(session, by), force, numbers, note)
    rows = [(number, said(why) if why else _("put under it")) for number, why in found]
    print_table("", [_("number"), _("what happens")], rows)


@app.command()
def disband(
    force: int,
    owner: Annotated[str, typer.Option(help="The body that gets its open cases.")] = "",
    unit: Annotated[str, typer.Option(help="Or the unit whose people get them: a code.")] = "",
    note: Annotated[str, typer.Option(help="What was achieved.")] = "",
    by: By = "",
) -> None:
    """Disband a task force; its open cases go to a named owner in the same moment, its record stays."""
    from gridmgr.cli.organisation import doer
    from gridmgr.task_force import service

    with opened() as session:
        found = service.disband(session, doer(session, by), force, owner, unit, note)
        say("Disbanded; {n} open cases were handed over.", n=found.handed)
