"""One step for many cases: what each needs is shown first, and what became of each is told after."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

import web.pages.case as case
from gridmgr.account.rules import Actor
from gridmgr.category import queries as matters
from gridmgr.category.model import Category
from gridmgr.incident import queries, rules
from gridmgr.incident.model import Incident, Move
from gridmgr.life import rules as life
from gridmgr.life.model import Action
from gridmgr.organisation import queries as organisation
from web.api.bulk import MOST, taken
from web.deps import Allow, Transaction
from web.pages.incident import BLANK, payload_of, typed
from web.render import render

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Actor, Depends(Allow("incident.view"))]
Numbers = Annotated[list[str], Form()]

# The steps that make sense for many cases at once; what needs evidence or a choice of its own is not among them.
STEPS = (
    Action.ACCEPT, Action.DISPATCH, Action.REDIRECT, Action.HANDLE, Action.VERIFY, Action.CLOSE, Action.HAND_UP,
    Action.HAND_DOWN, Action.VOID,
)  # fmt: skip


@router.post("/incidents/bulk", response_class=HTMLResponse)
def ask(
    request: Request, session: Transaction, actor: Viewer, numbers: Numbers = (), step: str = ""
) -> HTMLResponse:
    """Show which steps the chosen cases allow, and what the one chosen needs."""
    cases = _cases(session, actor, numbers)
    categories = matters.by_id(session)
    possible = {each.number: set(rules.steps(actor, each, categories[each.category_id])) for each in cases}
    counts = {action: sum(action in found for found in possible.values()) for action in STEPS}
    chosen = Action(step) if step in set(STEPS) else next((a for a in STEPS if counts[a]), None)
    ready = [each for each in cases if chosen in possible[each.number]]
    values = {
        "cases": cases, "counts": {action: count for action, count in counts.items() if count},
        "chosen": chosen, "ready": ready, "categories": categories,
        "conditions": _conditions(chosen, ready, categories) if chosen else {},
        "fields": case.FIELDS.get(chosen, ()), "required": life.REQUIRES.get(chosen, ()),
        "bodies": organisation.offered(session, {each.department for each in matters.in_force(session)}),
        "blank": BLANK, "most": MOST,
    }  # fmt: skip
    return render(request, "bulk.html", values)


@router.post("/incidents/bulk/{action}", response_class=HTMLResponse)
def take(
    request: Request, session: Transaction, actor: Viewer, action: Action,
    given: Annotated[dict[str, str], Depends(typed)], cases: Numbers = (), met: Numbers = (),
) -> HTMLResponse:  # fmt: skip
    """Take the step for each case as it was seen, and say what became of each.

    `cases` are number~seq as the page showed them; `met` the categories whose condition was ticked.
    """
    payload = payload_of(given)
    seen = dict(each.rpartition("~")[::2] for each in cases[:MOST])
    confirmed = _confirmed(session, actor, list(seen), met)
    moves = [
        Move(
            actor, number, action, payload | ({"checked": True} if number in confirmed else {}),
            expected_seq=int(seq) if seq.isdecimal() and len(seq) < 9 else 0,
        )
        for number, seq in seen.items()
    ]  # fmt: skip
    refused = taken(session, actor, moves)
    rows = [(move.number, problem) for move, problem in zip(moves, refused, strict=True)]
    values = {"action": action, "rows": rows, "done": sum(problem is None for _, problem in rows)}
    return render(request, "bulk_done.html", values)


def _confirmed(session: Session, actor: Actor, numbers: list[str], met: list[str]) -> set[str]:
    """Return those of the cases whose category's condition somebody has ticked."""
    codes = {each.id: each.code for each in matters.by_id(session).values()}
    return {each.number for each in _cases(session, actor, numbers) if codes[each.category_id] in met}


def _cases(session: Session, actor: Actor, numbers: list[str]) -> list[Incident]:
    asked = queries.visible(actor).where(Incident.number.in_([n[:32] for n in numbers[:MOST]]))
    return list(session.scalars(asked.order_by(Incident.number)))


def _conditions(action: Action, cases: list[Incident], categories: dict[int, Category]) -> dict[str, str]:
    """Return by category the condition in words that is ticked for all its cases."""
    if action not in rules.GATES:
        return {}
    told = {each.category_id: categories[each.category_id] for each in cases}
    name = rules.GATES[action][1]
    return {each.code: getattr(each, name) for each in told.values() if getattr(each, name)}
