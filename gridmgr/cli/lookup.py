"""`gridmgr search` and `gridmgr look`: find a place, a case or a person; see one unit at a glance."""

from typing import Annotated

import typer

from gridmgr import clock
from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.i18n import _
from gridmgr.words import LEVELS, N_, ROLES, STATES, word

KINDS = {"spot": N_("coordinates"), "place": N_("place"), "case": N_("case"), "person": N_("person")}
User = Annotated[str, typer.Option("--as", help="A user name: only what that person may see.")]


def search(
    words: str,
    most: Annotated[int, typer.Option(min=1, max=50, help="How many of each group.")] = 5,
    user: User = "",
    as_json: Json = False,
) -> None:
    """Search places by name, code or address, cases, people, or coordinates as “lon,lat”."""
    from gridmgr.account import queries as accounts
    from gridmgr.account.rules import SYSTEM
    from gridmgr.lookup import queries
    from gridmgr.words.places import ago

    with opened() as session:
        found = queries.find(session, accounts.actor(session, user) if user else SYSTEM, words, most)
    rows = []
    if found.spot:
        rows = [("spot", f"{found.spot.lon},{found.spot.lat}", found.spot.unit and found.spot.unit.name, "")]
    rows += [
        ("place", each.unit.code, each.unit.name, word(LEVELS, each.unit.level)) for each in found.places
    ]
    rows += [("case", each.number, each.address, word(STATES, each.state)) for each in found.cases]
    for each in found.people:
        seats = " ".join(f"{word(ROLES, grant.role)}:{grant.code}" for grant in each.account.grants)
        last = (
            f" {ago(clock.now() - each.seen.sent_at)} {each.seen.lon:.6f},{each.seen.lat:.6f}"
            if each.seen
            else ""
        )
        rows.append(("person", each.account.username, each.account.name, seats + last))
    if as_json:
        return print_json([dict(zip(("kind", "key", "name", "more"), row, strict=True)) for row in rows])
    if not rows:
        return say("Nothing was found.")
    print_table("", [_("kind"), _("code"), _("name"), ""], [(_(KINDS[row[0]]), *row[1:]) for row in rows])


def look(
    code: Annotated[str, typer.Argument(help="Code of a unit; nothing for the whole district.")] = "",
    user: User = "",
    as_json: Json = False,
) -> None:
    """Show one unit at a glance: what lies below it, its cases, who is at work and who is on duty."""
    from gridmgr.account import queries as accounts
    from gridmgr.account.rules import SYSTEM
    from gridmgr.casebook.queries import Search
    from gridmgr.glance import queries

    with opened() as session:
        actor = accounts.actor(session, user) if user else SYSTEM
        found = queries.glance(session, actor, Search(code=code or None))
    if as_json:
        return print_json(
            {
                "path": [{"code": each.code, "name": each.name} for each in found.path], "units": found.units,
                "households": found.households, "population": found.population, "cases": found.cases,
                "by_state": found.by_state, "bodies": found.bodies, "below": found.below, "apart": found.apart,
                "duty": [each._asdict() for each in found.duty], "on_duty": found.on_duty,
                "whistles": [one.id for one, _case in found.whistles],
                "orders": [one.id for one, _case in found.orders],
            }
        )  # fmt: skip
    numbers = " · ".join(f"{number:,} {word(LEVELS, level)}" for level, number in found.units.items())
    print_table(
        " › ".join(each.name for each in found.path) or _("Whole district"),
        [_("code"), _("name"), _("Unfinished"), _("Overdue"), _("Closed"), _("all")],
        [
            (each.code, each.name, each.cases.open, each.cases.late, each.cases.closed, each.cases.total)
            for each in found.below
        ],
    )
    say(
        "{open} unfinished, {late} of them overdue, {closed} closed, {total} in all. {units}",
        open=found.cases.open, late=found.cases.late, closed=found.cases.closed, total=found.cases.total, units=numbers,
    )  # fmt: skip
    print_table(
        "", [_("role"), _("area"), _("name")],
        [(word(ROLES, each.role), each.code, each.name) for each in found.duty if each.now],
    )  # fmt: skip
