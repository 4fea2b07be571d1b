"""`gridmgr modules`: how the work of a street is regrouped, and where a matter goes."""

from functools import partial
from typing import Annotated

import typer

from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.i18n import _, language, moment
from gridmgr.words import word
from gridmgr.words.bodies import POSTS

app = typer.Typer(no_args_is_help=True, help="Modules of streets: templates, leads, posts.")
By = Annotated[str, typer.Option("--by", help="Who does it: a user name; the system if not given.")]


@app.command()
def templates(as_json: Json = False) -> None:
    """List the templates a street can choose, with what each lets it pick."""
    from gridmgr.module.rules import TEMPLATES

    rows = [
        {
            "key": each.key, "name": each.name(language.get()), "modules": [part.code for part in each.mains],
            "picks": [part.code for part in each.picks], "least": each.least, "most": each.most,
        }
        for each in TEMPLATES.values()
    ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    columns = [_("template"), _("name"), _("modules"), _("to pick"), _("how many")]
    print_table(
        "", columns,
        [
            (
                row["key"], row["name"], " ".join(row["modules"]), " ".join(row["picks"]),
                f"{row['least']}–{row['most']}" if row["picks"] else "",
            )
            for row in rows
        ],
    )  # fmt: skip


@app.command()
def show(area: str, as_json: Json = False) -> None:
    """Show the modules of an area with leads, posts and bodies."""
    from gridmgr.module import queries

    with opened() as session:
        grouping = queries.own(session, area)
        ids = [each.id for each in grouping.modules]
        seats, bodies = queries.seats(session, ids), queries.bodies(session, ids)
        rows = [
            {
                "id": each.id, "code": each.code, "under": each.under, "name": each.name(language.get()),
                "prefixes": each.prefixes,
                "posts": [
                    {"id": seat.post.id, "post": seat.post.name or word(POSTS, seat.post.kind),
                     "holders": [holder.name for holder in seat.holders]}
                    for seat in seats[each.id]
                ],
                "bodies": [body.name for body in bodies[each.id]],
            }
            for each in grouping.modules
        ]  # fmt: skip
    if as_json:
        print_json({"area": area, "template": grouping.template, "modules": rows})
        return
    columns = [_("module"), _("name"), _("posts"), _("bodies"), _("matters")]
    print_table(
        grouping.template, columns,
        [
            (
                row["code"], ("└ " if row["under"] else "") + row["name"],
                ", ".join(f"{p['id']} {p['post']}: {'/'.join(p['holders']) or '—'}" for p in row["posts"]),
                ", ".join(row["bodies"]), " ".join(row["prefixes"]),
            )
            for row in rows
        ],
    )  # fmt: skip


@app.command()
def regroup(
    area: str,
    template: str,
    pick: Annotated[
        list[str] | None, typer.Option(help="A sub-module by its code, as often as needed.")
    ] = None,
    agreed: Annotated[bool, typer.Option("--agreed", help="Posts of modules that end may be held.")] = False,
    by: By = "",
) -> None:
    """Let an area choose a template, or other sub-modules of the one it has."""
    from gridmgr.cli.organisation import doer
    from gridmgr.hierarchy import queries as hierarchy
    from gridmgr.module import service

    with opened() as session:
        areas = partial(hierarchy.without_units, session)
        service.regroup(session, doer(session, by), area, template, pick or (), areas, agreed=agreed)
        say("The work of {area} is regrouped.", area=area)


@app.command()
def history(area: str, as_json: Json = False) -> None:
    """List how the work of an area was regrouped so far."""
    from gridmgr.module import queries

    with opened() as session:
        rows = [
            {
                "template": each.regrouping.template, "since": each.regrouping.since, "until": each.regrouping.until,
                "by": each.regrouping.by_name, "modules": [module.name(language.get()) for module in each.modules],
                "held": [{"module": m, "post": word(POSTS, p), "name": who} for m, p, who, _, _ in each.held],
            }
            for each in queries.history(session, area)
        ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    columns = [_("template"), _("from"), _("until"), _("by"), _("modules")]
    print_table(
        "", columns,
        [
            (
                row["template"], moment(row["since"]), moment(row["until"]) if row["until"] else "", row["by"],
                " ".join(row["modules"]),
            )
            for row in rows
        ],
    )  # fmt: skip


@app.command("for")
def module_for(category: str, area: str, as_json: Json = False) -> None:
    """Say which module of a place takes a matter, and who leads it."""
    from gridmgr.module import queries

    with opened() as session:
        found = queries.module_for(session, category, area)
        if found is None:
            raise queries.NotRegrouped(area=area)
        lead = queries.lead(session, found.id)
        told = {"code": found.code, "name": found.name(language.get()), "lead": lead.name if lead else None}
    if as_json:
        print_json(told)
    else:
        say("{name}, led by {lead}.", name=told["name"], lead=told["lead"] or "—")


@app.command()
def appoint(post: int, username: str, by: By = "") -> None:
    """Give somebody a post; `show` tells the numbers of posts."""
    from gridmgr.cli.organisation import doer
    from gridmgr.module import service

    with opened() as session:
        service.appoint(session, doer(session, by), post, username)
        say("{username} holds post {post} now.", username=username, post=post)


@app.command()
def dismiss(post: int, username: str, by: By = "") -> None:
    """Take a post from somebody; the record of who held it stays."""
    from gridmgr.cli.organisation import doer
    from gridmgr.module import service

    with opened() as session:
        service.dismiss(session, doer(session, by), post, username)
