"""`gridmgr consultations`: those a matter concerns are asked before it is done."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from gridmgr import clock
from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.i18n import _, moment
from gridmgr.words import FATES, word
from gridmgr.words.consulting import CONSULTING, OUTCOMES, PARTIES, SAYINGS, SPHERES

app = typer.Typer(
    no_args_is_help=True, help="Opinions asked for before something is done, and vetoes that stop it."
)
By = Annotated[str, typer.Option("--by", help="Who does it: a user name.")]


def _given(pairs: list[str]) -> dict[str, str]:
    """Return what was typed as name=value."""
    return {name: value for name, _sign, value in (pair.partition("=") for pair in pairs)}


@app.command("list")
def listing(
    area: Annotated[str, typer.Option(help="Code prefix of the place.")] = "",
    open_only: Annotated[bool, typer.Option("--open", help="Only those not ended yet.")] = False,
    size: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    as_json: Json = False,
) -> None:
    """List the consultations, the newest first."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.consultation import queries
    from gridmgr.consultation.model import Standing

    with opened() as session:
        search = queries.Search(Standing.OPEN if open_only else None, area=area)
        found = queries.page(session, SYSTEM, search, size)
        parties = queries.parties(session, [each.id for each in found])
        rows: list[dict[str, Any]] = [
            {
                "id": each.id, "kind": each.kind, "title": each.title, "subject": each.subject_ref,
                "by": each.body or each.asker_name, "due_at": each.due_at, "state": each.state,
                "asked": len(parties[each.id]), "answered": sum(one.said is not None for one in parties[each.id]),
                "vetoed_by": [one.name for one in parties[each.id] if one.said == "veto"],
            }
            for each in found
        ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    columns = ["", _("kind"), _("what it is about"), _("by"), _("due"), _("state"), _("answers")]
    shown = [
        (
            str(row["id"]), row["kind"], row["title"], row["by"], moment(row["due_at"]),
            word(OUTCOMES, row["state"]), f"{row['answered']}/{row['asked']}",
        )
        for row in rows
    ]  # fmt: skip
    print_table("", columns, shown)


@app.command()
def show(consultation: int, as_json: Json = False) -> None:
    """Show who was asked in a consultation, what each says, and all that was done."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.consultation import queries

    with opened() as session:
        found = queries.consultation(session, SYSTEM, consultation)
        head = {name: getattr(found, name) for name in ("title", "kind", "subject_ref", "state", "facts")}
        parties = [
            {
                "id": each.id, "who": each.who, "name": each.name, "may_veto": each.may_veto, "said": each.said,
                "reason": each.reason, "answers": each.answers, "adopted": each.adopted, "reply": each.reply,
            }
            for each in queries.parties(session, [found.id])[found.id]
        ]  # fmt: skip
        done = [
            {
                "at": each.at,
                "deed": each.deed,
                "party": each.party,
                "actor": each.actor_name,
                "note": each.note,
            }
            for each in queries.words(session, found.id)
        ]
    if as_json:
        print_json(head | {"parties": parties, "done": done})
        return
    said = [
        (
            str(each["id"]), f"{each['name']} ({word(PARTIES, each['who'])})",
            word(SAYINGS, each["said"]) if each["said"] else "—", each["reason"],
        )
        for each in parties
    ]  # fmt: skip
    print_table(
        f"{head['title']}: {word(OUTCOMES, head['state'])}", ["", _("party"), _("says"), _("reason")], said
    )
    steps = [
        (moment(each["at"]), each["party"] or each["actor"], word(CONSULTING, each["deed"]), each["note"])
        for each in done
    ]
    print_table("", [_("when"), _("who says"), _("what"), _("note")], steps)


@app.command()
def ask(
    kind: Annotated[str, typer.Argument(help="Code or name of the kind.")],
    title: str,
    asked: Annotated[list[str], typer.Argument(help="Codes of units and names of bodies.")],
    by: By,
    what: str = "",
    fact: Annotated[list[str] | None, typer.Option(help="A field of the form: name=value.")] = None,
    area: Annotated[str | None, typer.Option(help="Code of the area it is for.")] = None,
    again_of: Annotated[int | None, typer.Option(help="An ended consultation this one follows.")] = None,
) -> None:
    """Ask those a matter concerns, before it is done."""
    from gridmgr.account import queries as accounts
    from gridmgr.consultation import queries, service
    from gridmgr.consultation.model import Asking

    with opened() as session:
        told = Asking(title, what, area, _given(fact or []), again_of=again_of)
        found = service.ask(session, accounts.actor(session, by), kind, "", asked, told)
        names = [each.name for each in queries.parties(session, [found.id])[found.id]]
        say("Consultation {id}: asked are {parties}, until {due}.", id=found.id, parties=_(", ").join(names),
            due=moment(found.due_at))  # fmt: skip


@app.command()
def answer(
    consultation: int,
    said: Annotated[str, typer.Argument(help="agree, object, veto.")],
    by: By,
    reason: str = "",
    field: Annotated[list[str] | None, typer.Option(help="A field of the form: name=value.")] = None,
    party: Annotated[int | None, typer.Option(help="For which party, if for several.")] = None,
) -> None:
    """Say what a party thinks that somebody answers for."""
    from gridmgr import sheet
    from gridmgr.account import queries as accounts
    from gridmgr.consultation import service
    from gridmgr.consultation.model import Said

    chosen = sheet.one_of({each.value: each for each in Said})(said)
    with opened() as session:
        actor = accounts.actor(session, by)
        found = service.say(session, actor, consultation, chosen, reason, _given(field or []), party_id=party)
        say("Consultation {id}: {state}.", id=found.id, state=word(OUTCOMES, found.state))


@app.command()
def reply(
    consultation: int,
    party: Annotated[int, typer.Argument(help="Id of the party that objected.")],
    by: By,
    note: str = "",
    adopt: Annotated[
        bool, typer.Option("--adopt/--decline", help="Whether the objection is adopted.")
    ] = True,
) -> None:
    """Say how an objection is taken."""
    from gridmgr.account import queries as accounts
    from gridmgr.consultation import service

    with opened() as session:
        found = service.reply(session, accounts.actor(session, by), consultation, party, adopt, note)
        say("Consultation {id}: {state}.", id=found.id, state=word(OUTCOMES, found.state))


@app.command()
def withdraw(consultation: int, note: str, by: By) -> None:
    """Take a question back, with the reason."""
    from gridmgr.account import queries as accounts
    from gridmgr.consultation import service

    with opened() as session:
        found = service.withdraw(session, accounts.actor(session, by), consultation, note)
        say("Consultation {id}: {state}.", id=found.id, state=word(OUTCOMES, found.state))


@app.command()
def kinds(
    table: Annotated[
        Path | None, typer.Argument(help="A table (CSV or XLSX) to take; without it they are listed.")
    ] = None,
    since: Annotated[str, typer.Option(help="From which day on: 2026-02-15; today if not given.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    as_json: Json = False,
) -> None:
    """List the kinds of consultations, or take the whole table of them from a day on."""
    from gridmgr import db, sheet
    from gridmgr.account.rules import SYSTEM
    from gridmgr.consultation import queries, rules, service

    if table is not None:
        read = sheet.read(table.read_bytes(), table.name, rules.KINDS)
        day = sheet.day(since) if since else clock.today()
        with opened() as session, db.rehearsed(session, keep=not dry_run):
            fates = service.import_kinds(session, SYSTEM, read, day)
        if as_json:
            print_json(dict(fates))
            return
        print_table("", [_("kind"), _("what happens")], [(code, word(FATES, fate)) for code, fate in fates])
        return
    with opened() as session:
        rows = [{name: getattr(each, name) for name in rules.KINDS} for each in queries.kinds(session)]
    if as_json:
        print_json(rows)
        return
    shown = [
        (
            row["code"], word(SPHERES, row["sphere"]), row["name_zh"],
            _(", ").join(word(PARTIES, who) for who in row["asks"]),
            _(", ").join(word(PARTIES, who) for who in row["vetoes"]),
        )
        for row in rows
    ]  # fmt: skip
    print_table("", [_("code"), _("sphere"), _("name"), _("asks"), _("may stop it")], shown)


@app.command()
def figures(
    days: Annotated[int, typer.Option(min=1, max=3660, help="Asked in so many last days.")] = 365,
    as_json: Json = False,
) -> None:
    """Say how many were asked, stopped and answered in time, by sphere and by party."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.consultation import queries

    with opened() as session:
        until = clock.now()
        found = queries.figures(session, SYSTEM, until - timedelta(days=days), until)
        answerings = queries.answerings(session, SYSTEM, until - timedelta(days=days), until)
    if as_json:
        print_json(
            {"spheres": [vars(each) for each in found], "parties": [vars(each) for each in answerings]}
        )
        return
    columns = [_("sphere"), _("asked"), *(word(OUTCOMES, each) for each in OUTCOMES), _("in time")]
    rows = [
        (
            word(SPHERES, each.sphere), each.asked, each.running, each.agreed, each.heard, each.stopped, each.lapsed,
            each.withdrawn, f"{each.in_time}/{each.due}",
        )
        for each in found
    ]  # fmt: skip
    print_table("", columns, rows)
