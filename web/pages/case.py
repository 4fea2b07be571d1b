"""What the page of a case shows: what it needs, what can be done now and with which fields, and what was done."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

import web.pages.case_map as case_map
import web.pages.clocks as clocks
import web.pages.orders as orders
import web.pages.owners as owners
import web.pages.permits as permits
import web.pages.pieces as pieces
import web.pages.sent as sent
import web.pages.whistling as whistling
from gridmgr import clock
from gridmgr.account.rules import PERMISSIONS, Actor, Role
from gridmgr.category import queries as matters
from gridmgr.category.model import Category
from gridmgr.clock import TimeUnit
from gridmgr.discussion import queries as discussion
from gridmgr.discussion.rules import fitting
from gridmgr.dispatch.rules import said
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.incident import queries, rules
from gridmgr.incident.model import Incident, IncidentEvent
from gridmgr.life import rules as life
from gridmgr.life.model import Action, State
from gridmgr.module import queries as modules
from gridmgr.organisation import queries as organisation
from web import i18n, words

# The steps of the straight way come first; all others stand below, folded.
STRAIGHT = (
    Action.CONFIRM, Action.SETTLE, Action.ACCEPT, Action.DISPATCH, Action.HANDLE, Action.FEED_BACK,
    Action.VERIFY, Action.REWORK, Action.CLOSE, Action.EVALUATE, Action.FINISH_TASK, Action.RESUME,
)  # fmt: skip
DANGEROUS = (Action.VOID, Action.MERGE)

# Which fields a form shows, beside those a step cannot do without.
FIELDS: dict[Action, tuple[str, ...]] = {
    Action.CONFIRM: ("found", "note", "files"),
    Action.SETTLE: ("checked", "note", "files"),
    Action.ACCEPT: ("checked",),
    Action.DISPATCH: ("handler", "note"),
    Action.HANDLE: (),
    Action.FEED_BACK: ("note", "files"),
    Action.VERIFY: ("note", "files"),
    Action.REWORK: ("note", "files"),
    Action.CLOSE: ("checked", "note"),
    Action.EVALUATE: ("satisfaction", "note"),
    Action.ASK: ("way", "amount", "note", "files"),
    Action.REFUSE: ("note",),
    Action.EXTEND: ("amount", "note"),
    Action.SEND_BACK: ("note",),
    Action.SUSPEND: ("until", "note"),
    Action.RESUME: ("note",),
    Action.REDIRECT: ("handler", "note"),
    Action.VOID: ("note",),
    Action.MERGE: ("into", "note"),
    Action.REOPEN: ("note", "files"),
    Action.HAND_UP: ("level", "note"),
    Action.HAND_DOWN: ("level", "note"),
    Action.ASSIGN_TASK: ("body", "note"),
    Action.FINISH_TASK: ("task", "note", "files"),
    Action.MEET: ("limit", "note"),
    Action.ATTACH: ("files", "note"),
}


@dataclass(frozen=True)
class Need:
    """One thing a step needs first, in words, and whether it is there."""

    word: str
    met: bool


@dataclass(frozen=True)
class Step:
    """A form for one step: its fields, what it needs first, and the text of the condition to be ticked."""

    action: Action
    fields: tuple[str, ...]
    needs: tuple[Need, ...]
    condition: str
    required: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Whether nothing stands in its way but what the form itself asks for."""
        return all(need.met for need in self.needs)


def steps(actor: Actor, incident: Incident, category: Category) -> list[Step]:
    """Return what somebody can do now: the straight way first."""
    possible = rules.steps(actor, incident, category)
    ordered = sorted(possible, key=lambda action: (action not in STRAIGHT, possible.index(action)))
    return [_step(action, incident, category) for action in ordered]


def _step(action: Action, incident: Incident, category: Category) -> Step:
    needs: tuple[Need, ...] = ()
    condition = ""
    if action in rules.GATES:
        names, text = rules.GATES[action]
        condition = getattr(category, text)
        lacking = set(rules.unmet(incident, action, {"checked": True}, category))
        photo = "photo" if action is Action.ACCEPT else "result_photo"
        asked = [photo if need == "photo" else need for need in getattr(category, names)]
        wanted = dict.fromkeys([*asked, *sorted(lacking)])
        needs = tuple(
            Need(words.word(words.NEEDS, need), need not in lacking)
            for need in wanted
            if not (action is Action.SETTLE and need == "result_photo")  # comes with the form
        )
    elif action is Action.FEED_BACK and incident.open_tasks:
        needs = (Need(words.word(words.NEEDS, "tasks"), False),)
    return Step(action, FIELDS[action], needs, condition, life.REQUIRES.get(action, ()))


def values(session: Session, actor: Actor, incident: Incident) -> dict[str, Any]:
    """Return all that the template of a case shows."""
    language = i18n.language.get()
    category = queries.category_of(session, incident)
    edition = hierarchy.edition(session, incident.edition_id)
    history = queries.history(session, incident.id)
    possible = steps(actor, incident, category)
    first = next(iter(life.actions_from(State(incident.state))), None)
    return (
        {
            "incident": incident,
            "category": category,
            "edition": edition,
            "units": case_map.units(session, incident, edition),
            "chart": case_map.draw(session, actor, incident, edition, category.name(language)),
            "history": history,
            "details": [told(event) for event in history],
            "whole": whole(incident, history),
            "steps": possible,
            "straight": [step for step in possible if step.action in STRAIGHT],
            "others": [step for step in possible if step.action not in STRAIGHT],
            "next_step": first,
            "next_roles": [role for role in Role if first and role in PERMISSIONS[f"incident.{first}"]],
            "asked": _asked(incident),
            "ranks": {way: _ranks(way, incident) for way in life.ASKED},
            "bodies": _bodies(session, category),
            "own_units": _own_units(session, incident),
            "module": _module(session, incident, category),
            "comments": discussion.marked(session, discussion.comments(session, incident.id)),
            "said": "",
            "unsaid": "",
            "phrases": _phrases(session, category),
            "tasks": queries.tasks(session, incident),
            "files": queries.files(session, incident),
            "above": rules.above(incident),
            "below": rules.below(incident),
            "now": clock.now(),
            "units_of_time": TimeUnit,
            "dangerous": DANGEROUS,
        }
        | clocks.values(session, incident)
        | sent.values(session, actor, incident)
        | orders.values(session, actor, incident)
        | owners.values(session, actor, incident, category)
        | pieces.values(session, actor, incident)
        | whistling.of_case(session, actor, incident)
        | permits.values(session, actor, incident)
    )


def _asked(incident: Incident) -> str:
    """Return what is asked for as words, empty if nothing is."""
    return request_in_words(incident.asked) if incident.asked else ""


def request_in_words(asked: Mapping[str, Any]) -> str:
    """Return a request as words: what is asked for, and by how much."""
    way = words.word(words.ACTIONS, asked["way"])
    if not asked.get("amount"):
        return way
    return i18n._("{way} ({length})", way=way, length=words.limit(asked["amount"], asked["unit"]))


def _phrases(session: Session, category: Category) -> dict[str, list[str]]:
    """Return the ready-made notes that fit a category, by step."""
    found: dict[str, list[str]] = {}
    for each in fitting(discussion.phrases(session), category.code):
        found.setdefault(each.action, []).append(each.said(i18n.language.get()))
    return found


def _ranks(way: Action, incident: Incident) -> list[str]:
    """Return who grants a request of that kind now, as words."""
    roles = rules.rank(way, incident) if way in rules.RANKS else PERMISSIONS[f"incident.{way}"]
    return [words.word(words.ROLES, role) for role in Role if role in roles and role is not Role.ADMIN]


def _bodies(session: Session, category: Category) -> list[str]:
    """Return all bodies there are, and the departments of the categories in force, with the category's own."""
    named = (each.department for each in matters.in_force(session))
    return organisation.offered(session, {*named, category.department})


def _module(session: Session, incident: Incident, category: Category) -> tuple[str, str] | None:
    """Return the name of the module that takes such a matter there, and who leads it."""
    found = modules.module_for(session, category.policy_code, incident.home)
    if found is None:
        return None
    lead = modules.lead(session, found.id)
    return found.name(i18n.language.get()), lead.name if lead else ""


def _own_units(session: Session, incident: Incident) -> list[tuple[str, str]]:
    """Return (code, name) of the units whose own people may do the work: micro-grid and community."""
    codes = [code for code in (incident.micro_grid_code, incident.community_code) if code]
    names = hierarchy.names(session, codes, hierarchy.edition(session, incident.edition_id).effective)
    return [(code, names.get(code, code)) for code in codes]


def told(event: IncidentEvent) -> list[str]:
    """Return what a step of the history says beside who, what and when, in words."""
    payload = event.payload
    found = []
    if event.action == Action.ASK:
        found.append(request_in_words(payload))
    elif payload.get("amount") and payload.get("unit") and event.action == Action.EXTEND:
        found.append(words.limit(payload["amount"], payload["unit"]))
    if event.action == Action.CONFIRM:
        found.append(i18n._("found as reported") if payload.get("found") else i18n._("not found"))
    if payload.get("handler") and event.action in _GIVEN:
        found.append(i18n._("to {handler}", handler=payload["handler"]))
    if payload.get("body"):
        found.append(i18n._("part {n}: {body}", n=payload.get("task", ""), body=payload["body"]))
    if payload.get("level") and event.action in _LEVELS_TOLD:
        found.append(i18n._("now held by: {level}", level=words.word(words.HOLDERS, payload["level"])))
    if payload.get("limit_amount") and event.action in (Action.ACCEPT, Action.REOPEN):
        limit = words.limit(payload["limit_amount"], payload["limit_unit"])
        found.append(i18n._("due after {limit}", limit=limit))
    if payload.get("due_at") and event.action in (Action.EXTEND, Action.RESUME, Action.RETIME):
        due = i18n.moment(life.instant(payload["due_at"]))
        found.append(i18n._("now due at {time}", time=due))
    if payload.get("was_due_at"):
        found.append(i18n._("before: {time}", time=i18n.moment(life.instant(payload["was_due_at"]))))
    if payload.get("satisfaction"):
        found.append(f"{payload['satisfaction']} / 5")
    if isinstance(payload.get("checked"), str) and payload["checked"]:
        found.append(i18n._("condition met: {condition}", condition=payload["checked"]))
    found += [said(each) for each in payload.get("why") or ()]
    return found


_GIVEN = (Action.DISPATCH, Action.REDIRECT, Action.HAND_OVER)
_LEVELS_TOLD = (Action.HAND_UP, Action.HAND_DOWN, Action.TAKE_OVER)


def whole(incident: Incident, history: list[IncidentEvent]) -> bool:
    """Tell whether every row of the history fits the hash of the row before, up to the one kept on the case."""
    digest = b""
    for expected, row in enumerate(history, start=1):
        digest = life.chain(
            digest, incident.number, row.seq, row.action, row.actor_name, row.occurred_at, row.payload
        )
        if row.seq != expected or digest != row.hash:
            return False
    return digest == incident.last_hash
