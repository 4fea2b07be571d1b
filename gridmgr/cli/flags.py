"""`gridmgr flags`: patterns in the records that are worth a look."""

from enum import StrEnum
from typing import Annotated

import typer

from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.cli.terms import terms_of
from gridmgr.errors import BadInput
from gridmgr.i18n import _, moment
from gridmgr.words import N_, word
from gridmgr.words.trends import FLAG_SAYS, FLAGS, VERDICTS

app = typer.Typer(no_args_is_help=True, help="Patterns in the records that are worth a look.")


class UnknownVerdict(BadInput):
    """{verdict} is nothing that can come of a look; write one of {known}."""


class Standing(StrEnum):
    """Which flags."""

    OPEN = "open"
    REVIEWED = "reviewed"
    ALL = "all"


@app.command("list")
def show(
    standing: Annotated[
        Standing, typer.Option(help="Those nobody has looked at, or others.")
    ] = Standing.OPEN,
    area: Annotated[str, typer.Option(help="Code prefix; empty for all.")] = "",
    most: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 100,
    as_json: Json = False,
) -> None:
    """List the flags, the last found first."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.flag import queries

    with opened() as session:
        found = queries.page(session, SYSTEM, most, standing=standing, area=area)
        cases = queries.cases(session, SYSTEM, found)
    if as_json:
        print_json([
            {
                "id": each.id, "kind": each.kind, "name": each.name, "begins": each.begins, "ends": each.ends,
                "evidence": each.evidence, "verdict": each.verdict,
                "cases": [case.number for case in cases[each.id]],
            }
            for each in found
        ])  # fmt: skip
        return
    rows = [
        (
            each.id, word(FLAGS, each.kind), each.name, moment(each.ends),
            word(FLAG_SAYS, each.kind).format(**each.evidence), word(VERDICTS, each.verdict) if each.verdict else "",
        )
        for each in found
    ]  # fmt: skip
    columns = ["id", _("pattern"), _("records of"), _("until"), _("what was seen"), _("what came of it")]
    print_table(_("Patterns worth a look"), columns, rows)


@app.command()
def find(
    days: Annotated[int, typer.Option(min=1, max=31, help="How many days back.")] = 7, as_json: Json = False
) -> None:
    """Look for patterns now; the worker does so each night."""
    from gridmgr.flag import service

    with opened() as session:
        flagged = service.find(session, days)
    if as_json:
        print_json({"flagged": flagged})
    else:
        say("{n} patterns were flagged.", n=flagged)


@app.command()
def review(
    flag: Annotated[int, typer.Argument(help="Its id.")],
    verdict: Annotated[str, typer.Argument(help="What came of it: " + " | ".join(VERDICTS))],
    note: Annotated[str, typer.Argument(help="What was found.")],
) -> None:
    """Write down what came of a look at a flag."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.flag import service
    from gridmgr.flag.model import Verdict

    if verdict not in VERDICTS:
        raise UnknownVerdict(verdict=verdict, known=", ".join(VERDICTS))
    with opened() as session:
        service.review(session, SYSTEM, flag, Verdict(verdict), note)
    say("Written down: {verdict}.", verdict=word(VERDICTS, verdict))


app.command("terms", help="Show the terms of flags, or set them from a day on.")(
    terms_of("flag", N_("Terms of flags"))
)
