"""`gridmgr notices`: read an inbox, deliver what is due, replay what was given up, and keep the webhooks."""

from enum import StrEnum
from typing import Annotated, Literal

import typer

from gridmgr import i18n
from gridmgr.cli.output import Json, opened, print_json, print_table, say
from gridmgr.i18n import _
from gridmgr.words import NOTICE_KINDS, PROGRESS, WAYS, word

app = typer.Typer(no_args_is_help=True, help="What people are told, and what left the house.")
webhook = typer.Typer(no_args_is_help=True, help="Systems that subscribed to facts of the district.")
app.add_typer(webhook, name="webhook")

Size = Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")]
Hook = Annotated[int | None, typer.Option(help="Only of this webhook.")]
WayOut = Annotated[
    Literal["email", "sms", "webhook", "robot"] | None, typer.Option("--way", help="Only by this way.")
]
State = Annotated[
    Literal["waiting", "sent", "failed", "dead", "merged", "unsent"] | None,
    typer.Option("--state", help="Only what stands so."),
]
Fact = StrEnum("Fact", {kind: kind for kind in NOTICE_KINDS})
Facts = Annotated[
    list[Fact] | None, typer.Option("--kind", help="A fact it gets, as often as needed; else all.")
]


@app.command("list")
def listing(
    username: str,
    unread: Annotated[bool, typer.Option("--unread", help="Only what is not read yet.")] = False,
    size: Size = 50,
    as_json: Json = False,
) -> None:
    """List somebody's notices, the unread first, then the newest."""
    from gridmgr.account import queries as accounts
    from gridmgr.notice import queries, rules

    with opened() as session:
        inbox = queries.Inbox(fresh=True if unread else None)
        found = queries.page(session, accounts.actor(session, username), inbox, size)
        rows = [
            {"id": each.id, "kind": each.kind, "text": rules.sentence(each.kind, each.details),
             "important": each.important, "created_at": each.created_at, "read_at": each.read_at}
            for each in found
        ]  # fmt: skip
    if as_json:
        return print_json(rows)
    columns = [_("Told at"), _("Kind"), _("Notice"), _("Read at")]
    print_table(
        "",
        columns,
        [
            (i18n.moment(row["created_at"]), word(NOTICE_KINDS, row["kind"]), row["text"], i18n.moment(row["read_at"]))
            for row in rows
        ],
    )  # fmt: skip


@app.command()
def deliver() -> None:
    """Deliver now what is due, as the worker does by itself every few seconds."""
    from gridmgr import db, post

    with opened():
        pass
    outcomes = post.deliver(db.engine(db.address()), seconds=float("inf"))
    say(
        "{taken} delivered, {refused} refused, {silent} receivers did not answer.",
        taken=outcomes["taken"], refused=outcomes["refused"], silent=outcomes["silent"],
    )  # fmt: skip


@app.command()
def log(
    state: State = None,
    way: WayOut = None,
    hook: Hook = None,
    size: Size = 50,
    as_json: Json = False,
) -> None:
    """List what left the house or is to, the newest first."""
    from gridmgr.notice import queries

    with opened() as session:
        found = queries.log(session, queries.Log(state, way, hook), size)
        kinds = queries.kinds_of(session, found)
        rows = [
            {"id": each.id, "kind": kinds[each.id], "way": each.way, "address": each.address,
             "state": each.state, "attempts": each.attempts, "error": each.last_error,
             "created_at": each.created_at, "next_at": each.next_at, "sent_at": each.sent_at}
            for each in found
        ]  # fmt: skip
    if as_json:
        return print_json(rows)
    columns = [_("Number"), _("Made at"), _("Way"), _("To"), _("Status"), _("Attempts"), _("Error")]
    print_table("", columns, [
        (row["id"], i18n.moment(row["created_at"]), word(WAYS, row["way"]), row["address"],
         word(PROGRESS, row["state"]), row["attempts"], row["error"])
        for row in rows
    ])  # fmt: skip


@app.command()
def replay(
    delivery: Annotated[
        int | None, typer.Argument(help="One delivery; all that were given up if none.")
    ] = None,
    way: WayOut = None,
    hook: Hook = None,
) -> None:
    """Let deliveries that were given up begin again."""
    from gridmgr.delivery import service
    from gridmgr.notice import queries

    with opened() as session:
        count = service.replay(session, queries.Log(way=way, webhook_id=hook), delivery)
    say("{count} deliveries begin again.", count=count)


@app.command()
def quiet(
    username: str,
    begins: Annotated[str, typer.Option("--from", help="When they begin, such as 22:00.")] = "",
    ends: Annotated[str, typer.Option("--until", help="When they end, such as 07:00.")] = "",
    days: Annotated[str, typer.Option(help="On which days they begin, 1 is Monday: 12345.")] = "1234567",
    off: Annotated[bool, typer.Option("--off", help="Have none any more.")] = False,
) -> None:
    """Keep when somebody is not to be disturbed; what is important comes all the same."""
    from gridmgr.account import queries as accounts
    from gridmgr.notice import rules, service

    with opened() as session:
        actor = accounts.actor(session, username)
        wanted = None if off else rules.check_quiet(begins, ends, [int(n) - 1 for n in days if n.isdecimal()])
        service.set_quiet(session, actor, wanted)
    say("Your wishes are kept.")


@webhook.command("add")
def add(
    url: str,
    kind: Facts = None,
    flavour: Annotated[
        Literal["json", "wecom", "dingtalk"], typer.Option(help="A system, or the robot of a group.")
    ] = "json",
    name: Annotated[str, typer.Option(help="What it is called.")] = "",
    area: Annotated[str, typer.Option(help="Of a robot: only cases of this unit.")] = "",
    body: Annotated[str, typer.Option(help="Of a robot: only cases this body works on.")] = "",
    secret: Annotated[
        str, typer.Option(envvar="GRIDMGR_ROBOT_SECRET", help="What signs, of DingTalk's robots.")
    ] = "",
) -> None:
    """Subscribe a system, and print the secret that signs what it gets, this once; or the robot of a group."""
    from gridmgr.notice import service
    from gridmgr.notice.model import Flavour

    with opened() as session:
        hook = service.add_webhook(session, url, kind or (), Flavour(flavour), name, area, body, secret)
        number, made = hook.id, hook.secret
    if flavour != "json":
        return say("Robot {id} is in use.", id=number)
    say("Webhook {id} is in use; its secret is:", id=number)
    typer.echo(made)


@webhook.command("list")
def webhooks(as_json: Json = False) -> None:
    """List the webhooks."""
    from gridmgr.notice import queries

    with opened() as session:
        rows = [
            {"id": hook.id, "url": hook.shown, "flavour": hook.flavour, "name": hook.name, "area": hook.area,
             "body": hook.body, "kinds": hook.kinds, "active": hook.active,
             "created_at": hook.created_at}
            for hook in queries.webhooks(session)
        ]  # fmt: skip
    if as_json:
        return print_json(rows)
    columns = [_("Number"), _("Address"), _("Facts"), _("Status")]
    print_table("", columns, [
        (row["id"], row["url"], ", ".join(word(NOTICE_KINDS, kind) for kind in row["kinds"]) or _("All"),
         _("in use") if row["active"] else _("paused"))
        for row in rows
    ])  # fmt: skip


@webhook.command("test")
def test(webhook_id: int) -> None:
    """Send a webhook a test, and say at once what it answers."""
    from gridmgr import db, post
    from gridmgr.notice import queries, service
    from gridmgr.notice.model import Outlet, Way

    with opened() as session:
        tried = service.try_webhook(session, webhook_id)
        number, way = tried.id, Way(tried.way)
    engine = db.engine(db.address())
    post.deliver(engine, only=Outlet(way, webhook_id))
    with db.transaction(engine) as session:
        tried = queries.delivery(session, number)
        state, error = tried.state, tried.last_error
    typer.echo(" · ".join(filter(None, (word(PROGRESS, state), error))))


@webhook.command("pause")
def pause(webhook_id: int) -> None:
    """Pause a webhook: it keeps what waits for it and gets nothing new."""
    _set_active(webhook_id, False)


@webhook.command("resume")
def resume(webhook_id: int) -> None:
    """Let a paused webhook go on."""
    _set_active(webhook_id, True)


@webhook.command("remove")
def remove(webhook_id: int) -> None:
    """Remove a webhook with the log of its deliveries."""
    from gridmgr.notice import service

    with opened() as session:
        service.remove_webhook(session, webhook_id)


def _set_active(webhook_id: int, active: bool) -> None:
    from gridmgr.notice import service

    with opened() as session:
        service.set_webhook_active(session, webhook_id, active)
