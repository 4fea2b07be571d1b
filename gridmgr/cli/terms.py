"""The command that shows and sets dated terms, the same for every noun that has some."""

from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from typing import Annotated

import typer

from gridmgr.cli.output import Json, opened, print_json, print_table
from gridmgr.i18n import _


def terms_of(noun: str, title: str) -> Callable[..., None]:
    """Return the command for the terms of a noun: a package with queries, rules and service for them."""

    def terms(
        numbers: Annotated[list[str] | None, typer.Argument(help="name=number …; none: show them.")] = None,
        effective: Annotated[
            datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From this day on.")
        ] = None,
        as_json: Json = False,
    ) -> None:
        from gridmgr import clock
        from gridmgr.account.rules import SYSTEM

        queries, rules, service = (
            import_module(f"gridmgr.{noun}.{part}") for part in ("queries", "rules", "service")
        )
        with opened() as session:
            if numbers:
                given = queries.terms(session) | dict(each.partition("=")[::2] for each in numbers)
                day = effective.date() if effective else clock.today()
                service.set_terms(session, SYSTEM, day, given)
            found = queries.terms(session)
        if as_json:
            print_json(found)
            return
        rows = [(name, _(term.words), f"{found[name]:g}") for name, term in rules.TERMS.items()]
        print_table(_(title), [_("term"), _("meaning"), _("value")], rows)

    return terms
