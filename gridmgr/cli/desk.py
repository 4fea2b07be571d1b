"""`gridmgr desk`: what lies on somebody's desk, list by list."""

from gridmgr.cli.output import Json, opened, print_json, print_table
from gridmgr.i18n import _
from gridmgr.words import ROLES, word


def desk(username: str, as_json: Json = False) -> None:
    """Count what lies on somebody's desk, and name the cases on top of each list."""
    from gridmgr.account import queries as accounts
    from gridmgr.desk import queries

    with opened() as session:
        rows = [
            {"role": pile.role, "name": pile.worklist.name, "title": _(pile.worklist.title), "count": pile.count,
             "top": [case.number for case in pile.top]}
            for pile in queries.piles(session, accounts.actor(session, username))
        ]  # fmt: skip
    if as_json:
        return print_json(rows)
    columns = [_("role"), _("list"), _("cases"), _("on top")]
    told = [(word(ROLES, row["role"]), row["title"], str(row["count"]), " ".join(row["top"])) for row in rows]
    print_table("", columns, told)
