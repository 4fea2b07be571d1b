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
    errors, warnings = ([i18n.say(each) for each in some] for some in (read.errors, read.warnings))
    if as_json:
        published = not dry_run and not errors
        told = {
            "policies": len(read.policies),
            "published": published,
            "errors": errors,
            "warnings": warnings,
        }
        print_json(told | {"changes": changes})
    else:
        for line in errors[:SHOWN]:
            err.print(line, style="red", markup=False, highlight=False)
        for line in warnings:
            err.print(line, style="yellow", markup=False, highlight=False)
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
