"""`gridmgr policies`: how long the stages of a case may take, and who hears of it when."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridmgr import clock, i18n
from gridmgr.cli.output import Json, err, opened, print_json, print_table, say
from gridmgr.i18n import _
from gridmgr.words import ACTS, LADDER, STAGES, UNITS, word

if TYPE_CHECKING:
    from gridmgr.escalation.queries import Expected
    from gridmgr.policy.model import Rung

app = typer.Typer(no_args_is_help=True, help="Limits of the stages and the ladders they climb.")
SHOWN = 50


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX, one rung a row.")],
    title: Annotated[str, typer.Option(help="Whose table it is.")] = "",
    effective: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day in force; today.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    as_json: Json = False,
) -> None:
    """Publish a table of policies, all of it or nothing; clocks that run keep their own copy."""
    from gridmgr.escalation import queries
    from gridmgr.policy import queries as policies
    from gridmgr.policy import rules, service

    day = effective.date() if effective else clock.today()
    with opened() as session:
        read = queries.read_policies(session, file.read_bytes(), file.name, day)
        changes = rules.differences(map(rules.plain, policies.in_force(session, day)), read.policies)
        if not dry_run and not read.errors:
            service.publish(session, title or file.stem, day, read)
    errors = [i18n.say(each) for each in read.errors]
    if as_json:
        published = not dry_run and not errors
        told = {
            "policies": len(read.policies),
            "published": published,
            "errors": errors,
        }
        print_json(told | {"changes": changes})
    else:
        for line in errors[:SHOWN]:
            err.print(line, style="red", markup=False, highlight=False)
        _say(len(read.policies), len(errors), len(changes), dry_run)
    if errors:
        raise typer.Exit(1)


def _say(policies: int, errors: int, changes: int, dry_run: bool) -> None:
    if errors:
        say("{errors} cells cannot be used; nothing was published.", errors=errors)
    elif dry_run:
        say(
            "Dry run: {policies} policies, {changes} differ from those in force.",
            policies=policies,
            changes=changes,
        )
    else:
        say(
            "{policies} policies published, {changes} differ from those before.",
            policies=policies,
            changes=changes,
        )


@app.command("list")
def listing(
    at: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day whose table is meant; today.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the policies in force."""
    from gridmgr.policy import queries, rules
    from gridmgr.policy.model import rungs

    with opened() as session:
        found = [rules.plain(each) for each in queries.in_force(session, at.date() if at else None)]
    if as_json:
        print_json(found)
        return
    columns = [_("category"), _("severity"), _("held by"), _("stage"), _("limit"), _("unit"), _("ladder")]
    rows = [
        (
            each["category"] or "*", each["severity"] or "*",
            word(LADDER, each["holder"] or "*"), word(STAGES, each["stage"]), each["amount"],
            word(UNITS, each["unit"] or ""), "\n".join(map(_rung, rungs(each["ladder"]))),
        )
        for each in found
    ]  # fmt: skip
    print_table("", columns, rows)


def _rung(rung: "Rung") -> str:
    from gridmgr.policy.rules import more

    told = f"{rung.share:.0%} {word(ACTS, rung.act)} {word(LADDER, rung.level)}"
    return _("{told} ({more})", told=told, more=said) if (said := more(rung)) else told


@app.command()
def course(
    category: Annotated[str, typer.Argument(help="The code of a category.")],
    place: Annotated[str, typer.Option(help="Code of a unit; the whole district if none.")] = "",
    severity: Annotated[int | None, typer.Option(min=1, max=3, help="That of the category if none.")] = None,
    at: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%dT%H:%M"], help="When it begins; now.")
    ] = None,
    draft: Annotated[bool, typer.Option("--draft", help="By the draft of the next table.")] = False,
    as_json: Json = False,
) -> None:
    """Say for a category, place and time who would be told what and when, and which steps reach nobody."""
    from gridmgr.category import queries as matters
    from gridmgr.escalation import queries
    from gridmgr.policy import queries as policies
    from gridmgr.policy.model import Policy, stored

    since = at.replace(tzinfo=clock.zone()) if at else clock.now()
    with opened() as session:
        found, among = matters.by_code(session, category, clock.local(since).date()), None
        if draft:
            read = queries.read_draft(session, policies.draft(session).cells, clock.today()).read
            among = [Policy(**each) for each in read.policies]
        courses = queries.courses(session, found, severity or found.severity, place, since, among)
    rows = [(course.key, each) for course in courses for each in course.rungs]
    if as_json:
        return print_json([
            {"stage": key} | stored(each.rung)
            | {"at": each.at, "people": each.people, "instead": each.instead, "waits_until": each.waits_until}
            for key, each in rows
        ])  # fmt: skip
    columns = [_("stage"), _("ladder"), _("Due at"), _("Told")]
    print_table("", columns, [
        (word(STAGES, key), _rung(each.rung), i18n.moment(each.waits_until or each.at), _reached(each))
        for key, each in rows
    ])  # fmt: skip


def _reached(each: "Expected") -> str:
    if each.instead == "nobody":
        return _("nobody is there to be told")
    people = _(", ").join(each.people)
    return f"{word(LADDER, each.instead)}: {people}" if each.instead else people


draft = typer.Typer(no_args_is_help=True, help="The next table of limits and ladders, while it is written.")
app.add_typer(draft, name="draft")


@draft.command("show")
def show_draft(as_json: Json = False) -> None:
    """Show the draft, with what is wrong in it."""
    from gridmgr.escalation import queries
    from gridmgr.policy import queries as policies

    with opened() as session:
        found = policies.draft(session)
        read = queries.read_draft(session, found.cells, clock.today())
    faults = [
        {"policy": n + 1, "rung": m + 1 if m is not None else None, "column": column, "reason": i18n.say(why)}
        for (n, m, column), why in read.faults.items()
    ]
    if as_json:
        return print_json({"version": found.version, "policies": found.cells, "faults": faults})
    columns = [_("Number"), _("category"), _("severity"), _("held by"), _("stage"), _("limit"), _("ladder")]
    print_table("", columns, [
        (n, each["category"] or "*", each["severity"] or "*", word(LADDER, each["holder"] or "*"),
         word(STAGES, each["stage"]), f"{each['amount']} {word(UNITS, each['unit'])}".strip(),
         "\n".join(map(_typed, each["rungs"])))
        for n, each in enumerate(found.cells, start=1)
    ])  # fmt: skip
    for each in faults:
        place = f"{each['policy']}.{each['rung']}" if each["rung"] else str(each["policy"])
        err.print(f"{place} {each['column']}: {each['reason']}", style="red", markup=False, highlight=False)


@draft.command("publish")
def publish_draft(
    title: Annotated[str, typer.Argument(help="Whose table it is.")],
    effective: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day in force; today.")
    ] = None,
) -> None:
    """Publish the draft; clocks that run keep their own copy."""
    from gridmgr.escalation import queries
    from gridmgr.policy import queries as policies
    from gridmgr.policy import service

    day = effective.date() if effective else clock.today()
    with opened() as session:
        found = policies.draft(session)
        read = queries.read_draft(session, found.cells, day)
        service.publish_draft(session, title, day, found.version, read)
    say("Published: {n} policies, in force from {day}.", n=len(read.read.policies), day=i18n.day(day))


@draft.command("discard")
def discard_draft() -> None:
    """Begin again from the table in force."""
    from gridmgr.policy import queries as policies
    from gridmgr.policy import service

    with opened() as session:
        service.discard_draft(session, policies.draft(session).version)
    say("The draft is discarded.")


def _typed(rung: dict[str, str]) -> str:
    return f"{rung['share']} {word(ACTS, rung['act'])} {word(LADDER, rung['level'])}"
