"""`gridmgr plans`: drafts of other borders, drawn edit by edit."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gis.errors import BadInput
from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.cli.terms import terms_of
from gridmgr.i18n import _, moment, number, percent
from gridmgr.words import N_, word
from gridmgr.words.plan_desk import EDITS
from gridmgr.words.plans import STATUS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from gridmgr.account.rules import Actor
    from gridmgr.boundary_plan.model import BoundaryPlan
    from gridmgr.plan_edit.service import Drawn

app = typer.Typer(no_args_is_help=True, help="Drafts of other borders, drawn edit by edit.")
As = Annotated[str | None, typer.Option("--as", help="User name of whoever draws; the system itself.")]
PlanId = Annotated[int, typer.Argument(metavar="PLAN", help="Number of the plan.")]
Try = Annotated[bool, typer.Option("--try", help="Show what it would do; keep nothing.")]
Line = Annotated[str, typer.Option(help="Places as lon,lat lon,lat …, or a GeoJSON file with one line.")]


class LineUnreadable(BadInput):
    """{line} is no line: give places as lon,lat lon,lat …, or a GeoJSON file."""


@app.command("list")
def listing(username: As = None, as_json: Json = False) -> None:
    """List the plans."""
    from gridmgr.boundary_plan import queries

    with opened() as session:
        found = [_plain(each) for each in queries.page(session, _actor(session, username), 500)]
    if as_json:
        print_json(found)
        return
    columns = [_("Number"), _("name"), _("area"), _("status"), _("opened by"), _("drawn on by")]
    rows = [
        [each[key] for key in ("id", "name", "area_code", "status", "created_by", "claim")] for each in found
    ]
    print_table("", columns, rows)


@app.command("open")
def open_plan(
    name: str,
    area: Annotated[str, typer.Option(help="Code of a street or a community; the whole district.")] = "",
    username: As = None,
    as_json: Json = False,
) -> None:
    """Open a plan on the newest edition."""
    from gridmgr.boundary_plan import service

    with opened() as session:
        made = _plain(service.create(session, _actor(session, username), name, area))
    _tell(made, as_json)


@app.command()
def show(plan: PlanId, username: As = None, as_json: Json = False) -> None:
    """Show what every unit of a plan holds, and what would change."""
    from gridmgr.boundary_plan import queries

    with opened() as session:
        found = queries.by_id(session, _actor(session, username), plan)
        at = queries.standing(session, found, found.tip_id)
        rows = at.state.plan.units[["name", "parent_code"]].join(at.numbers(), how="right")
        told = _plain(found) | {"totals": at.totals(), "changes": queries.changes(session, at)}
    if as_json:
        print_json(told | {"units": rows.rename_axis("code").reset_index().to_dict("records")})
        return
    columns = [
        _("code"),
        _("name"),
        _("Households"),
        _("Incidents of 12 months"),
        _("hours"),
        _("Buildings"),
        _("off"),
    ]
    shown = zip(
        rows.index,
        rows["name"],
        rows["households"],
        rows["incidents"],
        rows["hours"],
        rows["buildings"],
        strict=True,
    )
    print_table(
        told["name"], columns,
        [(*row, percent(off)) for row, off in zip(shown, rows["deviation"], strict=True)],
    )  # fmt: skip
    _tell_changes(told["totals"], told["changes"])


@app.command()
def log(plan: PlanId, username: As = None, as_json: Json = False) -> None:
    """List the edits a plan is made of, the newest first."""
    from gridmgr.boundary_plan import queries

    with opened() as session:
        found = queries.edits(session, queries.by_id(session, _actor(session, username), plan))
        rows = [
            {"id": each.id, "kind": each.kind, "args": each.args, "by": each.account_name, "at": each.at}
            for each in found
        ]
    if as_json:
        print_json(rows)
    else:
        shown = [(row["id"], word(EDITS, row["kind"]), row["by"], moment(row["at"])) for row in rows]
        print_table("", [_("Number"), _("edit"), _("drawn by"), _("when")], shown)


@app.command()
def split(
    plan: PlanId, code: str, line: Line, new: str | None = None, username: As = None, only_try: Try = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Cut a unit in two along a line."""
    _draw(plan, "split", {"code": code, "line": _places(line), "new": new}, username, only_try, as_json)


@app.command()
def merge(
    plan: PlanId, codes: list[str], username: As = None, only_try: Try = False, as_json: Json = False
) -> None:
    """Join units into the first of them."""
    _draw(plan, "merge", {"codes": codes}, username, only_try, as_json)


@app.command()
def reshape(
    plan: PlanId,
    one: str,
    two: str,
    line: Line,
    username: As = None,
    only_try: Try = False,
    as_json: Json = False,
) -> None:
    """Lead the border of two units along another line."""
    _draw(plan, "reshape", {"one": one, "two": two, "line": _places(line)}, username, only_try, as_json)


@app.command()
def move(
    plan: PlanId,
    to: str,
    buildings: list[str],
    username: As = None,
    only_try: Try = False,
    as_json: Json = False,
) -> None:
    """Give buildings to another unit; the border follows."""
    _draw(plan, "move", {"buildings": buildings, "to": to}, username, only_try, as_json)


@app.command()
def found(
    plan: PlanId, ring: Line, new: str | None = None, parent: str | None = None, username: As = None,
    only_try: Try = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Draw a new unit inside."""
    _draw(plan, "found", {"ring": _places(ring), "new": new, "parent": parent}, username, only_try, as_json)


@app.command()
def rename(
    plan: PlanId, code: str, name: str, username: As = None, only_try: Try = False, as_json: Json = False
) -> None:
    """Give a unit another name."""
    _draw(plan, "rename", {"code": code, "name": name}, username, only_try, as_json)


@app.command()
def recode(
    plan: PlanId, code: str, new: str, username: As = None, only_try: Try = False, as_json: Json = False
) -> None:
    """Give a unit another code."""
    _draw(plan, "recode", {"code": code, "new": new}, username, only_try, as_json)


@app.command()
def transfer(
    plan: PlanId, to: str, codes: list[str], username: As = None, only_try: Try = False, as_json: Json = False
) -> None:
    """Let units belong to another community."""
    _draw(plan, "transfer", {"codes": codes, "to": to}, username, only_try, as_json)


@app.command()
def renumber(plan: PlanId, username: As = None, only_try: Try = False, as_json: Json = False) -> None:
    """Give the new units codes in reading order: west to east, then north to south."""
    _draw(plan, "renumber", {}, username, only_try, as_json)


@app.command()
def repair(
    plan: PlanId, codes: Annotated[list[str] | None, typer.Argument(help="Those that may give and take; all.")] = None,
    low: Annotated[float | None, typer.Option(help="What a unit should hold at least.")] = None,
    high: Annotated[float | None, typer.Option(help="What it should hold at most.")] = None,
    measure: Annotated[str, typer.Option(help="Of what: households | population.")] = "households",
    within: Annotated[float | None, typer.Option(help="Close gaps and overlaps of so many metres; 10.")] = None,
    username: As = None, only_try: Try = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Close gaps and overlaps, and move as few buildings as possible until units hang together and keep bounds."""
    told = {"codes": codes, "low": low, "high": high, "measure": measure, "within_m": within}
    _draw(plan, "repair", told, username, only_try, as_json)


@app.command()
def undo(plan: PlanId, username: As = None, as_json: Json = False) -> None:
    """Take the last edit back."""
    from gridmgr.plan_edit import service

    _stepped(plan, username, as_json, service.undo)


@app.command()
def redo(plan: PlanId, username: As = None, as_json: Json = False) -> None:
    """Do the edit again that was taken back last."""
    from gridmgr.plan_edit import service

    _stepped(plan, username, as_json, service.redo)


@app.command()
def branch(plan: PlanId, name: str, username: As = None, as_json: Json = False) -> None:
    """Open a further plan where a plan stands."""
    from gridmgr.boundary_plan import service

    with opened() as session:
        made = _plain(service.branch(session, _actor(session, username), plan, name))
    _tell(made, as_json)


@app.command()
def lock(
    plan: PlanId, codes: Annotated[list[str] | None, typer.Argument(help="None: no unit is locked.")] = None,
    username: As = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Let exactly these units stay as they are."""
    from gridmgr.boundary_plan import service

    with opened() as session:
        kept = _plain(service.lock(session, _actor(session, username), plan, codes or []))
    _tell(kept, as_json)


@app.command()
def claim(
    plan: PlanId, username: As = None,
    take_over: Annotated[bool, typer.Option("--take-over", help="Even if somebody else has it.")] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Claim a plan for ten minutes."""
    from gridmgr.boundary_plan import service

    with opened() as session:
        kept = _plain(service.claim(session, _actor(session, username), plan, take_over=take_over))
    _tell(kept, as_json)


@app.command()
def discard(plan: PlanId, username: As = None, as_json: Json = False) -> None:
    """Put a draft away."""
    from gridmgr.boundary_plan import service

    with opened() as session:
        kept = _plain(service.discard(session, _actor(session, username), plan))
    _tell(kept, as_json)


app.command("terms", help="Show or set the size band, and what the workload is counted with.")(
    terms_of("boundary_plan", N_("Terms of plans"))
)


def _draw(
    plan: int, kind: str, args: dict[str, Any], username: str | None, only_try: bool, as_json: bool
) -> None:
    from gridmgr.plan_edit import service

    verb = service.preview if only_try else service.draw
    told = {name: value for name, value in args.items() if value is not None}
    _stepped(plan, username, as_json, lambda *seen: verb(*seen, kind, told))


def _stepped(plan: int, username: str | None, as_json: bool, step: "Callable[..., Drawn]") -> None:
    """Do one step where the plan stands now, and tell what it did."""
    from gridmgr.boundary_plan import queries

    with opened() as session:
        actor = _actor(session, username)
        seen = queries.by_id(session, actor, plan)
        done = step(session, actor, plan, seen.tip_id)
        at = queries.standing_at(session, done.plan, done.tip, done.after)
        told = {
            "plan": plan, "tip": done.tip, "changed": done.changed, "gone": done.gone, "totals": at.totals(),
            "changes": queries.changes(session, at),
        }  # fmt: skip
    if as_json:
        print_json(told)
        return
    say(
        "Changed: {codes}; gone: {gone}",
        codes=", ".join(told["changed"]) or "—",
        gone=", ".join(told["gone"]) or "—",
    )
    _tell_changes(told["totals"], told["changes"])


def _tell_changes(totals: dict[str, Any], changes: dict[str, Any]) -> None:
    say(
        "{units} units, {below} below the size band, {above} above, {apart} in several parts; "
        "{off} off the mean at most.",
        units=totals["units"], below=totals["below"], above=totals["above"], apart=totals["apart"],
        off=percent(totals["farthest"]),
    )  # fmt: skip
    say(
        "Against the base: {new} new, {redrawn} redrawn, {gone} gone; {buildings} buildings, {households} households, "
        "{cases} open cases would move; {staff} people have a seat there.",
        new=len(changes["new"]), redrawn=len(changes["redrawn"]), gone=len(changes["gone"]),
        buildings=number(changes["buildings"]), households=number(changes["households"]),
        cases=number(changes["open_cases"]), staff=number(changes["staff"]),
    )  # fmt: skip


def _tell(plan: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(plan)
    else:
        status = word(STATUS, plan["status"])
        say("Plan {number}: {name}, {status}", number=plan["id"], name=plan["name"], status=status)


def _actor(session: "Session", username: str | None) -> "Actor":
    from gridmgr.account import queries as accounts
    from gridmgr.account.rules import SYSTEM

    return accounts.actor(session, username) if username else SYSTEM


def _plain(plan: "BoundaryPlan") -> dict[str, Any]:
    return {
        "id": plan.id, "name": plan.name, "area_code": plan.area_code, "status": str(plan.status), "tip": plan.tip_id,
        "created_by": plan.created_name, "claim": plan.claim_name, "claim_until": plan.claim_until,
        "locked": list(plan.locked), "origin": plan.origin_id,
    }  # fmt: skip


def _places(line: str) -> list[list[float]]:
    """Read a line from the command, or the first one of a GeoJSON file."""
    import json

    import shapely

    try:
        if line.lstrip().startswith("{") or Path(line).is_file():
            told = json.loads(Path(line).read_text("utf-8") if Path(line).is_file() else line)
            first = told.get("features", [told])[0]
            shape = shapely.from_geojson(json.dumps(first.get("geometry", first)))
            return shapely.get_coordinates(shape).tolist()
        places = [[float(each) for each in place.split(",")] for place in line.split()]
        if any(len(place) != 2 for place in places):
            raise ValueError
        return places
    except (ValueError, OSError, AttributeError, IndexError, KeyError, shapely.GEOSException) as reason:
        raise LineUnreadable(line=line[:60]) from reason
