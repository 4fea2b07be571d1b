"""`gridmgr lists`: responsibility lists, who answers for what, and admissions to them."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from gridmgr import clock
from gridmgr.cli.output import Json, complain, opened, print_json, print_table, say
from gridmgr.i18n import _
from gridmgr.words import ADMISSIONS, FATES, LIST_KINDS, word

app = typer.Typer(no_args_is_help=True, help="Responsibility lists, and admissions to them.")
By = Annotated[str, typer.Option("--by", help="Who does it: a user name.")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Which day; today.")]
SHOWN = 50


@app.command("list")
def listing(as_json: Json = False) -> None:
    """List the responsibility lists with their editions in force."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.responsibility import queries

    with opened() as session:
        rows = [
            {
                "id": each.list.id, "kind": each.list.kind, "code": each.list.code, "name": each.list.name,
                "edition": each.edition.id if each.edition else None,
                "title": each.edition.title if each.edition else "", "items": each.items,
                "editions": each.published, "drafts": each.drafts,
            }
            for each in queries.summaries(session, SYSTEM)
        ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    columns = [_("kind"), _("area"), _("name"), _("edition"), _("title"), _("items"), _("drafts")]
    print_table(
        "", columns,
        [
            (word(LIST_KINDS, row["kind"]), row["code"] or "—", row["name"], str(row["edition"] or "—"), row["title"],
             str(row["items"]), str(row["drafts"]))
            for row in rows
        ],
    )  # fmt: skip


@app.command()
def editions(list_id: int, as_json: Json = False) -> None:
    """List the editions of a list: drafts, then the latest first."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.responsibility import queries

    names = ("id", "title", "basis", "effective", "published_by", "retired_on")
    with opened() as session:
        found = queries.editions(session, SYSTEM, list_id)[1]
        rows = [{name: getattr(each, name) for name in names} for each in found]
    if as_json:
        print_json(rows)
        return
    columns = ["", _("title"), _("basis"), _("in force from"), _("published by"), _("retired on")]
    print_table("", columns, [[str(value or "—") for value in row.values()] for row in rows])


@app.command()
def items(edition: int, words: str = "", category: str = "", lead: str = "", as_json: Json = False) -> None:
    """List the items of an edition, narrowed by words, a matter's code or a body."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.responsibility import queries
    from gridmgr.responsibility.model import facts

    wanted = queries.Wanted(words, category, lead)
    with opened() as session:
        found = queries.edition(session, SYSTEM, edition)
        rows = [facts(item) for item in found.items if wanted.fits(item)]
    if as_json:
        print_json(rows)
        return
    names = ("code", "name", "categories", "lead", "cooperating", "clause")
    cells = [[_joined(row[name]) for name in names] for row in rows]
    columns = [_("code"), _("name"), _("categories"), _("lead"), _("cooperating"), _("clause")]
    print_table("", columns, cells)


def _joined(value: object) -> str:
    return " ".join(value) if isinstance(value, list) else str(value or "")


@app.command("import")
def import_file(
    file: Path,
    kind: Annotated[str, typer.Argument(help="Kind of list: " + ", ".join(LIST_KINDS))],
    title: Annotated[str, typer.Option(help="Of the edition; the file's name.")] = "",
    area: Annotated[str, typer.Option(help="Code of its area; the whole district.")] = "",
    name: Annotated[str, typer.Option(help="If an area has several lists of a kind.")] = "",
    basis: Annotated[str, typer.Option(help="The document it rests on.")] = "",
    by: Annotated[str, typer.Option("--by", help="Who does it: a user name; the system.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is wrong.")] = False,
) -> None:
    """Keep a list from CSV or XLSX as a draft, all or nothing, and say what forbids publishing it today."""
    from gridmgr import db, sheet
    from gridmgr.category import queries as matters
    from gridmgr.responsibility import queries, rules, service
    from gridmgr.responsibility.model import ListKind

    chosen = sheet.one_of({each.value: each for each in ListKind})(kind)
    with opened() as session:
        actor = _actor(session, by)
        codes = [each.code for each in matters.in_force(session)]
        read = rules.read_items(file.read_bytes(), file.name, chosen, codes)
        for each in read.errors[:SHOWN]:
            complain(each)
        with db.rehearsed(session, keep=not dry_run):
            kept = service.draft(
                session, actor, chosen, area, title or file.stem, read, name=name, basis=basis
            )
            found = queries.faults(session, queries.edition(session, actor, kept.id), clock.today())
        _complain(found)
        if dry_run:
            say("Nothing has been written.")
        else:
            say("Draft {id}: {count} items.", id=kept.id, count=len(read.rows))


def _actor(session, by: str):
    from gridmgr.account import queries as accounts
    from gridmgr.account.rules import SYSTEM

    return accounts.actor(session, by) if by else SYSTEM


def _complain(faults) -> None:
    for each in faults[:SHOWN]:
        complain(each.reason)


@app.command()
def check(edition: int, effective: Day = None) -> None:
    """Say what forbids publishing an edition from a day on."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.responsibility import queries

    day = effective.date() if effective else clock.today()
    with opened() as session:
        found = queries.faults(session, queries.edition(session, SYSTEM, edition), day)
    _complain(found)
    say("{count} faults.", count=len(found))
    if found:
        raise typer.Exit(1)


@app.command()
def publish(edition: int, by: By, effective: Day = None) -> None:
    """Put a draft in force from a day on; every item and matter that stands in the way is named."""
    from gridmgr.responsibility import service
    from gridmgr.responsibility.model import NotPublishable

    day = effective.date() if effective else clock.today()
    with opened() as session:
        try:
            done = service.publish(session, _actor(session, by), edition, day)
        except NotPublishable as problem:
            _complain(problem.faults)
            raise
        say("“{title}” is in force from {day}.", title=done.title, day=day)


@app.command()
def retire(edition: int, by: By, on: Day = None, why: str = "") -> None:
    """Let an edition no longer hold from a day on; cases keep the item they were accepted under."""
    from gridmgr.responsibility import service

    day = on.date() if on else clock.today()
    with opened() as session:
        done = service.retire(session, _actor(session, by), edition, day, why)
        say("“{title}” holds no longer from {day}.", title=done.title, day=day)


@app.command()
def discard(edition: int, by: By) -> None:
    """Throw a draft away."""
    from gridmgr.responsibility import service

    with opened() as session:
        service.discard(session, _actor(session, by), edition)
        say("Draft {id} is gone.", id=edition)


@app.command()
def compare(edition: int, since: int, as_json: Json = False) -> None:
    """Say what an edition adds, removes and changes against the edition SINCE, field by field."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.responsibility import queries

    with opened() as session:
        found = queries.changes(session, SYSTEM, since, edition)
    if as_json:
        print_json([dict(zip(("kind", "code", "name", "fields"), each, strict=True)) for each in found])
        return
    rows = [
        (
            word(FATES, kind),
            code,
            name,
            "; ".join(f"{f}: {_joined(was)} → {_joined(now)}" for f, was, now in fields),
        )
        for kind, code, name, fields in found
    ]
    print_table("", [_("change"), _("code"), _("name"), _("fields")], rows)


@app.command()
def owner(category: str, unit: str = "", at: Day = None, as_json: Json = False) -> None:
    """Say who answers for a matter at a place: exactly one, with item and clause."""
    from gridmgr.hierarchy import queries as hierarchy
    from gridmgr.responsibility import queries

    with opened() as session:
        place = unit or hierarchy.district_code(session)
        found = queries.owner_of(session, category, place, at.date() if at else None)
    row = {
        "lead": found.lead, "cooperating": list(found.cooperating), "item": found.item, "clause": found.clause,
        "edition": found.edition, "territorial": found.territorial,
    }  # fmt: skip
    if as_json:
        print_json(row)
        return
    columns = [_("lead"), _("cooperating"), _("item"), _("clause"), _("edition")]
    print_table("", columns, [[_joined(value) for value in list(row.values())[:5]]])


@app.command()
def admissions(state: str = "", as_json: Json = False) -> None:
    """List the requests for admission, the newest first."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.admission import queries

    names = ("id", "state", "code", "category", "lead", "body", "asker_name", "reason", "begins", "ends")
    with opened() as session:
        found = queries.page(session, SYSTEM, state, 1000)
        rows = [{name: getattr(each, name) for name in names} for each in found]
    if as_json:
        print_json(rows)
        return
    columns = [
        "", _("state"), _("area"), _("matter"), _("lead"), _("department"), _("asked by"), _("reason"), _("from"),
        _("until"),
    ]  # fmt: skip
    cells = [row | {"state": word(ADMISSIONS, row["state"])} for row in rows]
    print_table("", columns, [[str(value or "—") for value in row.values()] for row in cells])


@app.command()
def ask(area: str, category: str, reason: str, by: By, lead: str = "") -> None:
    """Ask that a matter be admitted to the list of a street or of a unit below it."""
    from gridmgr.admission import service

    with opened() as session:
        found = service.ask(session, _actor(session, by), area, category, reason, lead)
        say("Request {id}: {state}.", id=found.id, state=word(ADMISSIONS, found.state))


@app.command()
def decide(
    request: int,
    deed: Annotated[str, typer.Argument(help="argue, grant, refuse, withdraw, end.")],
    by: By,
    note: str = "",
    begins: Day = None,
    ends: Day = None,
) -> None:
    """Argue, grant, refuse or take back a request for admission, or end what was granted."""
    from gridmgr import sheet
    from gridmgr.admission import service
    from gridmgr.admission.model import Deed

    chosen = sheet.one_of({each.value: each for each in Deed if each is not Deed.ASK})(deed)
    span = [each.date() if each else None for each in (begins, ends)]
    with opened() as session:
        found = service.do(session, _actor(session, by), request, chosen, note, *span)
        say("Request {id}: {state}.", id=found.id, state=word(ADMISSIONS, found.state))
