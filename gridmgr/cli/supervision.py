"""`gridmgr supervision`: orders on cases with a deadline of their own."""

from datetime import timedelta
from typing import Annotated

import typer

from gridmgr import clock
from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.clock import TimeUnit
from gridmgr.i18n import _, moment
from gridmgr.words import LADDER, ORDERS, word

app = typer.Typer(no_args_is_help=True, help="Supervision orders on cases.")
By = Annotated[str, typer.Option("--by", help="Who does it: a user name.")]


@app.command("list")
def listing(
    late: Annotated[
        bool, typer.Option("--late", help="Only those past their time and not answered.")
    ] = False,
    size: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    as_json: Json = False,
) -> None:
    """List the supervision orders, the newest first."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.supervision import queries

    with opened() as session:
        found = queries.page(session, SYSTEM, queries.Search(late=late), size)
        rows = [
            {
                "id": order.id, "number": case.number, "wanted": order.wanted, "state": order.state,
                "body": order.body, "level": order.level, "due_at": order.due_at, "late": queries.is_late(order),
            }
            for order, case in found
        ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    columns = ["", _("number"), _("wanted"), _("for"), _("due"), _("state")]
    print_table(
        "", columns,
        [
            (
                str(row["id"]), row["number"], row["wanted"], row["body"] or word(LADDER, row["level"]),
                moment(row["due_at"]), word(ORDERS, row["state"]) + (f" · {_('late')}" if row["late"] else ""),
            )
            for row in rows
        ],
    )  # fmt: skip


@app.command()
def issue(
    number: str, wanted: str, by: By, amount: float = 4, unit: TimeUnit = TimeUnit.WORKING_HOURS
) -> None:
    """Order that something be done on a case within a time of its own."""
    from gridmgr.account import queries as accounts
    from gridmgr.supervision import service

    with opened() as session:
        order = service.issue(session, accounts.actor(session, by), number, wanted, amount, unit)
        say("Order {id} is due {due}.", id=order.id, due=moment(order.due_at))


@app.command("do")
def do_to_order(
    order: int,
    deed: Annotated[str, typer.Argument(help="answer, confirm, return, withdraw.")],
    by: By,
    note: str = "",
) -> None:
    """Answer, confirm, return or withdraw an order."""
    from gridmgr import sheet
    from gridmgr.account import queries as accounts
    from gridmgr.supervision import service
    from gridmgr.supervision.model import Deed

    found = sheet.one_of({each.value: each for each in Deed if each is not Deed.ISSUE})(deed)
    with opened() as session:
        done = service.do(session, accounts.actor(session, by), order, found, note)
        say("Order {id}: {state}.", id=done.id, state=word(ORDERS, done.state))


@app.command()
def figures(
    days: Annotated[int, typer.Option(min=1, max=3660, help="Orders issued in so many last days.")] = 30,
    as_json: Json = False,
) -> None:
    """Say how departments and levels answer their orders: answered in time, of those answered or late."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.supervision import queries

    with opened() as session:
        until = clock.now()
        found = queries.answering(session, SYSTEM, until - timedelta(days=days), until)
    if as_json:
        print_json([vars(each) | {"rate": each.rate} for each in found])
        return
    rows = [
        (
            each.body or word(LADDER, each.level), str(each.orders), str(each.in_time), str(each.late),
            str(each.open), "—" if each.rate is None else f"{each.rate:.1%}",
        )
        for each in found
    ]  # fmt: skip
    print_table(
        "",
        [_("for"), _("orders"), _("in time"), _("late"), _("not answered yet"), _("answered in time")],
        rows,
    )
