"""`gridmgr publications`: take a plan to the map, step by step."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.cli.plans import As, PlanId, _actor
from gridmgr.cli.terms import terms_of
from gridmgr.i18n import _
from gridmgr.words import N_, word
from gridmgr.words.plans import COMMENTS, PUBLICATIONS, STEPS

if TYPE_CHECKING:
    from gridmgr.publication.model import Publication

app = typer.Typer(no_args_is_help=True, help="Take a plan to the map, step by step.")
Number = Annotated[int, typer.Argument(metavar="PUBLICATION", help="Number of the publication.")]
Why = Annotated[str, typer.Option(help="Why, in one line.")]
DAY = ["%Y-%m-%d"]


@app.command("list")
def listing(username: As = None, as_json: Json = False) -> None:
    """List the publications."""
    from gridmgr.publication import queries

    with opened() as session:
        found = [_plain(each) for each in queries.page(session, _actor(session, username), 500)]
    if as_json:
        print_json(found)
        return
    columns = [_("Number"), _("name"), _("status"), _("from")]
    shown = [
        [each["id"], each["title"], word(PUBLICATIONS, each["state"]), each["effective"]] for each in found
    ]
    print_table("", columns, shown)


@app.command()
def show(publication: Number, username: As = None, as_json: Json = False) -> None:
    """Show the steps a publication has taken."""
    from gridmgr.publication import queries

    with opened() as session:
        found = queries.by_id(session, _actor(session, username), publication)
        steps = [
            {"deed": str(each.deed), "by": each.actor_name, "at": each.at, "note": each.note}
            for each in queries.steps(session, found.id)
        ]
        told = _plain(found) | {"changes": found.changes, "steps": steps}
    if as_json:
        print_json(told)
        return
    rows = [[word(STEPS, each["deed"]), each["by"], each["at"], each["note"]] for each in steps]
    print_table(told["title"], [_("edit"), _("who"), _("when"), ""], rows)


@app.command()
def submit(plan: PlanId, username: As = None, as_json: Json = False) -> None:
    """Close a draft, and check the map it makes."""
    from gridmgr.boundary_plan import queries
    from gridmgr.publication import service

    with opened() as session:
        actor = _actor(session, username)
        seen = queries.by_id(session, actor, plan)
        told = _plain(service.submit(session, actor, plan, seen.tip_id))
    _tell(told, as_json)


@app.command()
def announce(
    publication: Number,
    days: Annotated[int | None, typer.Option(help="For how many days; those of the terms.")] = None,
    username: As = None,
    as_json: Json = False,
) -> None:
    """Put a checked plan on public notice."""
    _step("announce", publication, username, as_json, days)


@app.command()
def consult(publication: Number, username: As = None, as_json: Json = False) -> None:
    """Ask the streets and communities it touches."""
    _step("consult", publication, username, as_json)


@app.command()
def approve(
    publication: Number,
    day: Annotated[datetime, typer.Option("--from", formats=DAY, help="Day from which it is to be the map.")],
    keep: Annotated[bool, typer.Option("--keep-in-hand", help="Leave open cases somebody works on.")] = False,
    username: As = None,
    as_json: Json = False,
) -> None:
    """Approve a plan for a day."""
    _step("approve", publication, username, as_json, day.date(), keep_in_hand=keep)


@app.command()
def publish(publication: Number, username: As = None, as_json: Json = False) -> None:
    """Make an approved plan the map from today on."""
    _step("publish", publication, username, as_json)


@app.command()
def withdraw(publication: Number, why: Why, username: As = None, as_json: Json = False) -> None:
    """Take a plan back before it is published."""
    _step("withdraw", publication, username, as_json, why)


@app.command()
def recall(publication: Number, why: Why, username: As = None, as_json: Json = False) -> None:
    """Give the ground back at once as it was, on the very day it was published."""
    _step("recall", publication, username, as_json, why)


@app.command("files")
def files_of(
    publication: Number,
    add: Annotated[list[Path], typer.Option(help="Files that belong to it from now on.")] = (),
    username: As = None,
    as_json: Json = False,
) -> None:
    """List the files of a plan, which everybody may read once it is on public notice; or add some."""
    from gridmgr.attachment.service import store
    from gridmgr.public_notice import queries, service
    from gridmgr.publication.queries import by_id

    with opened() as session:
        actor = _actor(session, username)
        of = by_id(session, actor, publication).id
        sent = [
            {"sha256": store(session, actor, each.name, each.read_bytes()).sha256, "name": each.name}
            for each in add
        ]
        if sent:
            service.add_files(session, actor, of, sent)
        found = [
            {"name": held.name, "size": stored.size, "media_type": stored.media_type, "by": held.by,
             "sha256": held.sha256}
            for held, stored in queries.files(session, of)
        ]  # fmt: skip
    if as_json:
        print_json(found)
        return
    print_table("", [_("name"), _("size"), _("who"), ""], [list(each.values())[:4] for each in found])


@app.command("roll-back")
def roll_back(publication: Number, username: As = None, as_json: Json = False) -> None:
    """Submit a plan that gives the ground back as it was before a published one."""
    _step("roll_back", publication, username, as_json)


@app.command()
def followers(publication: Number, username: As = None, as_json: Json = False) -> None:
    """List what follows the units of a plan on the day it is published; what needs a decision stands first."""
    from gridmgr.publication import queries
    from gridmgr.words.following import FOLLOWED, WAYS

    with opened() as session:
        found = queries.followers(session, queries.by_id(session, _actor(session, username), publication))
    if as_json:
        print_json([vars(each) | {"decision": each.decision} for each in found])
        return
    rows = [
        [word(FOLLOWED, each.matter), each.title, each.before, each.after, word(WAYS, each.way),
         _("To be decided") if each.decision else ""]
        for each in found
    ]  # fmt: skip
    print_table("", [_("Bound to the unit"), "", _("before"), _("after"), _("What happens"), ""], rows)


@app.command()
def comments(publication: Number, username: As = None, as_json: Json = False) -> None:
    """List what residents said of a plan on public notice."""
    from gridmgr.public_notice import queries
    from gridmgr.publication.queries import by_id

    with opened() as session:
        of = by_id(session, _actor(session, username), publication).id
        found = [
            {"id": each.id, "at": each.at, "name": each.name, "state": each.state, "text": each.text,
             "reply": each.reply, "lon": lon, "lat": lat}
            for each, lon, lat in queries.comments(session, of, shown=False)
        ]  # fmt: skip
    if as_json:
        print_json(found)
        return
    rows = [
        [each["id"], each["at"], each["name"], word(COMMENTS, each["state"]), each["text"]] for each in found
    ]
    print_table("", [_("Number"), _("when"), _("who"), _("status"), ""], rows)


@app.command()
def moderate(
    publication: Number,
    comment: Annotated[int, typer.Argument(help="Number of the comment.")],
    shown: Annotated[bool, typer.Option("--show/--keep-back", help="Whether everybody sees it.")],
    reply: Annotated[str, typer.Option(help="What is replied.")] = "",
    username: As = None,
) -> None:
    """Show a comment to everybody, or keep it back."""
    from gridmgr.public_notice import service

    with opened() as session:
        actor = _actor(session, username)
        state = service.moderate(session, actor, publication, comment, shown, reply).state
    say("Comment {number}: {state}", number=comment, state=word(COMMENTS, state))


app.command("terms", help="Show or set how long plans are on notice, and how often residents may comment.")(
    terms_of("publication", N_("Terms of publications"))
)


def _step(name: str, publication: int, username: str | None, as_json: bool, *told: Any, **more: Any) -> None:
    from gridmgr.publication import service

    with opened() as session:
        found = getattr(service, name)(session, _actor(session, username), publication, *told, **more)
        plain = _plain(found)
    _tell(plain, as_json)


def _plain(found: "Publication") -> dict[str, Any]:
    return {
        "id": found.id, "plan": found.plan_id, "title": found.title, "state": str(found.state),
        "effective": found.effective, "notice_until": found.notice_until, "consultation": found.consultation_id,
        "edition": found.edition_id, "warnings": len(found.warnings),
    }  # fmt: skip


def _tell(told: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(told)
    else:
        state = word(PUBLICATIONS, told["state"])
        say("Publication {number}: {name}, {state}", number=told["id"], name=told["title"], state=state)
