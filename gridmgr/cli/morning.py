"""`gridmgr morning`: how an area stands this morning."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.i18n import _, moment, number
from gridmgr.words import LADDER, ROLES, word
from gridmgr.words.mornings import MORNING


def morning(
    area: Annotated[str, typer.Option(help="Code prefix; empty for all.")] = "", as_json: Json = False
) -> None:
    """Tell what got worse since work closed, what is about to be late, what the scan found, who is there."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.morning import queries, rules

    with opened() as session:
        found = queries.morning(session, SYSTEM, area)
        alarms = [(each.cluster.id, each.codes[0], each.cluster.observed) for each in found.alarms]
        soon = [each.number for each in found.soon]
    if as_json:
        print_json(_plain(found, alarms, soon))
        return
    say("Since {since}: {then} cases were open then, {late} of them late; now {now}, {late_now} of them late.",
        since=moment(found.stretch.since), then=found.then["open"], late=found.then["late"],
        now=found.present["open"], late_now=found.present["late"])  # fmt: skip
    rows = [(word(MORNING, name), count, _(rules.ITEMS[name])) for name, count in found.counts.items()]
    print_table(_("This morning"), ["", _("cases"), ""], rows)
    more = [(each.key, each.count, number(each.average, 1)) for each in (*found.categories, *found.grids)]
    print_table(_("More than usual"), [_("code"), _("reported"), _("usually")], more)
    print_table(_("Alarms"), ["", _("centre"), _("observed")], alarms)
    seats = [
        (
            word(LADDER, each.level),
            " / ".join(word(ROLES, role) for role in each.roles),
            f"{each.filled} / {each.units}",
        )
        for each in found.seats
    ]
    print_table(_("Seats"), [_("level"), _("role"), _("filled")], seats)


def _plain(found: Any, alarms: list[tuple], soon: list[str]) -> dict[str, Any]:
    stretch = asdict(found.stretch)
    same = {name: getattr(found, name) for name in ("counts", "then", "present", "day", "scanned")}
    lists = {
        name: [asdict(each) for each in getattr(found, name)] for name in ("categories", "grids", "seats")
    }
    told = [{"id": number, "centre": centre, "observed": observed} for number, centre, observed in alarms]
    return stretch | same | lists | {"soon": soon, "alarms": told, "seated_at": found.seated_at}
