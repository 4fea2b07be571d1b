"""`gridmgr grading`: which micro-grids need more attention, and why."""

from typing import Annotated

import typer

from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.cli.terms import terms_of
from gridmgr.errors import BadInput
from gridmgr.i18n import _
from gridmgr.words import N_, word
from gridmgr.words.trends import GRADE_REASONS, GRADES

app = typer.Typer(no_args_is_help=True, help="Grades of micro-grids, with suggested patrols.")
Area = Annotated[str, typer.Option(help="Code prefix; empty for all.")]


class UnknownGrade(BadInput):
    """{grade} is no grade; write one of {known}."""


@app.command("list")
def show(
    area: Area = "",
    grade: Annotated[str, typer.Option(help="Only this one: " + " | ".join(GRADES))] = "",
    as_json: Json = False,
) -> None:
    """Print the grades as they stand now, the worst first."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.grading import queries

    if grade and grade not in GRADES:
        raise UnknownGrade(grade=grade, known=", ".join(GRADES))
    with opened() as session:
        found = queries.graded(session, SYSTEM, area)
    found = [each for each in found if not grade or each.grade == grade]
    if as_json:
        print_json(found)
        return
    rows = [
        (each.code, word(GRADES, each.grade), each.points, _said(each.reasons), f"{each.patrols:g}")
        for each in found
    ]
    columns = [_("code"), _("grade"), _("points"), _("reasons"), _("patrols a week")]
    print_table(_("Grades of grids"), columns, rows)


def _said(reasons) -> str:
    return _(", ").join(word(GRADE_REASONS, each.sign).format(n=f"{each.number:g}") for each in reasons)


@app.command()
def keep() -> None:
    """Keep this week's grades, once; the worker does so by itself."""
    from gridmgr.grading import service

    with opened() as session:
        monday = service.keep(session)
    if monday is None:
        say("The grades of this week are kept already.")
    else:
        say("The grades of the week from {monday} are kept.", monday=monday)


app.command("terms", help="Show the terms of grading, or set them from a day on.")(
    terms_of("grading", N_("Terms of grading"))
)
